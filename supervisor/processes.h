#ifndef JOBRUNNER_PROCESSES_H
#define JOBRUNNER_PROCESSES_H

#include <sys/types.h>

/**
 * Finding and signalling processes by what /proc/PID/stat says of them (proc(5)). Each is held by a pidfd and looked at again before it
 * is signalled, so that a process that got the number of one that just ended is left alone. Signals but SIGKILL are followed by SIGCONT:
 * a stopped process would not hear them. Each returns how many living processes it found, -1 where /proc could not be read.
 */

/** Children of the calling process that are left alone with all that descends from them; 0: none. */
struct spared {
    pid_t client;  // of a container engine
    pid_t settler; // the command that ends its container
};

/** The descendants of the calling process; as it is their subreaper, these are all that the job ever started. */
int signal_descendants(int signal, struct spared spared);

/** Those in the cgroup, given by descriptor and path; without a look at every process of the box, of which there may be thousands. */
int signal_members(int cgroup, const char *path, int signal);

/** The descendants of the calling process that signal_members does not find: elsewhere, or in a cgroup below. */
int signal_strays(const char *path, int signal, struct spared spared);

/** The process, all in the session that it leads or led, and their descendants. */
int signal_step(pid_t leader, int signal);

/** Those with JOBRUNNER_JOB_ID=<id> in the environment that they were started with, and their descendants. user: the plan's, or NULL. */
int signal_marked(const char *id, const char *user, int signal);

#endif
