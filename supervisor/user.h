#ifndef JOBRUNNER_USER_H
#define JOBRUNNER_USER_H

#include <stdbool.h>

/**
 * Makes the calling process, whose standard output and error are the step's pipes, a process of the plan's user for good. Programs with
 * set-user-ID or capabilities do not lead back either. Returns false and errno on failure: then the process must not go on.
 */
bool user_become(const char *text);

#endif
