#ifndef JOBRUNNER_ENVIRONMENT_H
#define JOBRUNNER_ENVIRONMENT_H

#include "plan.h"

#include <sys/types.h>

/** Hidden: it may not be read, as that of a set-user-ID program or of one that has made itself unreadable (PR_SET_DUMPABLE in prctl(2)). */
enum holding { HOLDS_NOT, HOLDS, HOLDING_IS_HIDDEN };

/**
 * Whether the environment that a process was started with holds "NAME=value", by /proc/PID/environ (proc(5)). thread: any of the process
 * that lives; a main thread that has ended shows none. user: whose process it may be, or NULL.
 */
enum holding environment_holds(pid_t thread, const char *variable, const struct user *user);

#endif
