#ifndef JOBRUNNER_USER_H
#define JOBRUNNER_USER_H

#include <stdbool.h>

/**
 * The calling process, whose standard output and error are the step's pipes, becomes the plan's user for good: no way leads back, not by
 * programs with set-user-ID or capabilities either. False: it cannot, for the reason in errno, and must not go on.
 */
bool user_become(const char *text);

#endif
