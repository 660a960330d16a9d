#ifndef JOBRUNNER_ENVIRONMENT_H
#define JOBRUNNER_ENVIRONMENT_H

#include "plan.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * Whether the environment that a process was started with holds "NAME=value", by /proc/PID/environ (proc(5)); proc is /proc's descriptor.
 * user: whose process it may be, or NULL.
 */
bool environment_holds(int proc, pid_t pid, const char *variable, const struct user *user);

#endif
