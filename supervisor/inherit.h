#ifndef JOBRUNNER_INHERIT_H
#define JOBRUNNER_INHERIT_H

#include <stdbool.h>

/**
 * What processes inherit across fork(2) and execve(2), where the service has it for itself. What gives it precedence or powers over others,
 * or takes a protection away, is no job's: jobs get what a login would give them. What makes it modest or bounds it (a positive nice value,
 * the policies batch and idle, resource limits, CPUs, the capability bounding set, ...) is meant for its jobs too, who could not undo it
 * anyway. docs/security.md has the list.
 */

/** Looks at what this process has, for all that are forked from it. */
void inherit_learn(void);

/**
 * Whether some of it is given up by all processes of the same memory, or not at all: what keeps a process from being killed when memory is
 * short (fs/proc/base.c in Linux).
 */
bool inherit_is_of_memory(void);

/**
 * Gives up what is the service's own, in the process of a step, before it becomes another user. Nothing is done where there is nothing. It
 * makes nothing but system calls, by kernel.h.
 */
void inherit_shed(void);

#endif
