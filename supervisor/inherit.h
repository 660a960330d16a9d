#ifndef JOBRUNNER_INHERIT_H
#define JOBRUNNER_INHERIT_H

#include <stdbool.h>

/**
 * Attributes that processes inherit across fork(2) and execve(2). Those that give the service precedence or powers over other processes, or
 * take a protection away, are not for jobs: jobs get what a login would give them. Those that limit the service (a positive nice value, the
 * policies batch and idle, resource limits, CPUs, the capability bounding set, ...) apply to its jobs too; jobs could not undo them anyway.
 * docs/security.md has the list.
 */

/** Finds out which of these attributes this process has. Call before forking. */
void inherit_learn(void);

/**
 * Whether this process is protected from the out-of-memory killer. The kernel applies this protection to all processes that share memory,
 * or to none of them (fs/proc/base.c in Linux).
 */
bool inherit_is_of_memory(void);

/**
 * Gives up the service's attributes. Call in the process of a step, before it becomes another user. Does nothing if there are none. It
 * makes only system calls, by kernel.h.
 */
void inherit_shed(void);

#endif
