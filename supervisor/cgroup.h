#ifndef JOBRUNNER_CGROUP_H
#define JOBRUNNER_CGROUP_H

#include <stdbool.h>

/**
 * The job's cgroup (v2), if the plan names one. It makes kills atomic. The processes of a job without one are found by descent, which is
 * slower but finds all of them too. Source: "Control Group v2" in the kernel's documentation.
 */

/**
 * Creates the folder, and its parent. `path` NULL: the plan names none. Returns a descriptor for starting processes in the cgroup, or -1:
 * the job runs without one.
 */
int cgroup_open(const char *path);

/**
 * Sends SIGKILL at once to all processes in the cgroup and below it, including those that are being forked. Linux (seen with 6.18) skips a
 * process whose main thread has ended, so every process that is left must be signalled separately.
 */
void cgroup_kill(int fd);

/**
 * Whether cgroup_kill has killed processes. After that, Linux (seen with 6.18) also kills a process that clone3(2) creates in the cgroup,
 * as if it had been forked during the kill. A process that moves itself into the cgroup is not killed.
 */
bool cgroup_was_killed(void);

/** How many processes are in the cgroup itself, without those below it. */
int cgroup_count(int fd);

/** Whether a living process is in the cgroup or below it. False if there is no cgroup. */
bool cgroup_is_populated(int fd);

/** Removes the folder and the cgroups that the job created in it, once they have no processes. Tries for half a second. */
void cgroup_remove(const char *path);

/** Whether the folder could not be removed, because a process that is not the job's is in it. */
bool cgroup_was_left(void);

#endif
