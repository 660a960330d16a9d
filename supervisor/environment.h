#ifndef JOBRUNNER_ENVIRONMENT_H
#define JOBRUNNER_ENVIRONMENT_H

#include "plan.h"

#include <sys/types.h>

/** Hidden: the environment may not be read, as of a set-user-ID program, or after PR_SET_DUMPABLE (prctl(2)). */
enum holding { HOLDS_NOT, HOLDS, HOLDING_IS_HIDDEN };

/**
 * Whether a process was started with the variable "NAME=value" in its environment, as /proc/PID/environ says (proc(5)). thread: a living
 * thread of the process; a main thread that has ended has no environment. user: the user who may own the process, or NULL.
 */
enum holding environment_holds(pid_t thread, const char *variable, const struct user *user);

#endif
