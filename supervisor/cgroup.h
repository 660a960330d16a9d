#ifndef JOBRUNNER_CGROUP_H
#define JOBRUNNER_CGROUP_H

#include <stdbool.h>

/**
 * The job's cgroup (v2), where the plan names one. It makes kills atomic; a job without it is killed by descent, which is slower but
 * as thorough. Source: "Control Group v2" in the kernel's documentation.
 */

/**
 * Makes the folder, and the one that it is in; NULL: the plan names none. Returns a descriptor to start processes in it, or -1: go on
 * without.
 */
int cgroup_open(const char *path);

/**
 * SIGKILL to all in it and below it, those being forked included, at once. Linux (seen with 6.18) passes over a process whose main thread
 * has ended: whoever is left has to be signalled by itself.
 */
void cgroup_kill(int fd);

/**
 * Whether something in it was killed by cgroup_kill. Linux (seen with 6.18) takes a process that is then born into it by clone3(2) for
 * one that was being forked meanwhile, and kills it too; one that goes there by itself is left alone.
 */
bool cgroup_was_killed(void);

/** How many processes are in it, not counting those in folders below it. */
int cgroup_count(int fd);

/** Whether a process that has not ended is in it or below it; without a cgroup none is. */
bool cgroup_is_populated(int fd);

/** Removes the folder and what the job made in it, once no process is left there; tries for half a second. */
void cgroup_remove(const char *path);

/** Whether it could not be removed: somebody who is none of the job's is in it. */
bool cgroup_was_left(void);

#endif
