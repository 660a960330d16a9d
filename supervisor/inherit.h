#ifndef JOBRUNNER_INHERIT_H
#define JOBRUNNER_INHERIT_H

/**
 * What processes inherit across fork(2) and execve(2), where the service has it for itself. What gives it precedence or powers over others, or takes a
 * protection away, is no job's: jobs get what a login would give them. What makes it modest or bounds it (a positive nice value, the policies batch and
 * idle, resource limits, CPUs, the capability bounding set, ...) is meant for its jobs too, who could not undo it anyway. docs/security.md has the list.
 */

/** Looks at what this process has, for all that are forked from it. */
void inherit_learn(void);

/** Gives up what is the service's own, in the process of a step, before it becomes another user. Nothing is done where there is nothing. */
void inherit_shed(void);

#endif
