#ifndef JOBRUNNER_PROCESSES_H
#define JOBRUNNER_PROCESSES_H

#include "proc.h"

#include <sys/types.h>

/**
 * Finding and signalling processes by what /proc/PID says of them (proc.h). Each is held by a pidfd and looked at again before it
 * is signalled, so that a process that got the number of one that just ended is left alone. Signals but SIGKILL, and 0, are followed by
 * SIGCONT: a stopped process would not hear them. Each returns how many living processes it found, -1 where /proc could not be read.
 */

/** Children of the calling process that are left alone with all that descends from them; 0: none. */
struct excluded {
    pid_t client;  // of a container engine
    pid_t finalizer; // the command that ends its container
};

/** Forgets whom the calls below have seen: a job's processes are no other job's. */
void search_open(void);

/** Whether any of those below was called since. */
bool search_was_made(void);

/**
 * Calls `visit` with a living thread of each living descendant of the calling process, and the state of its main thread. False: /proc could
 * not be read.
 */
bool visit_descendants(void (*visit)(pid_t thread, char state));

/** The descendants of the calling process; as it is their subreaper, these are all that the job ever started. */
int signal_descendants(int signal, struct excluded excluded);

/** Those in the cgroup, given by descriptor and path; without a look at every process of the box, of which there may be thousands. */
int signal_members(int cgroup, const char *path, int signal);

/** The descendants of the calling process that signal_members does not find: elsewhere, or in a cgroup below. */
int signal_strays(const char *path, int signal, struct excluded excluded);

/** All in the cgroup and below it. */
int signal_within(const char *path, int signal);

/** The process, all in the session that it leads or led, and their descendants. */
int signal_step(pid_t leader, int signal);

/** What tells a job's processes where nobody is left from whom they descend. */
struct marks {
    const char *id;   // JOBRUNNER_JOB_ID in the environment that they were started with
    const char *user; // the plan's, or NULL
    pid_t session;    // of those whose environment may not be read; 0: none
};

/** Those with the marks, their descendants, and whom an earlier call found. */
int signal_marked(const struct marks *marks, int signal);

/** A process that a signal did not end. */
struct holdout {
    pid_t pid;  // 0: there is none
    uid_t user; // as whom it acts
    int error;  // errno of the signal: EPERM, we may not send it; 0: it was sent
    char state; // as /proc/PID/stat has it
    char name[NAME_BYTES];
};

/** Of those that the last call found: one that could not be signalled, or else one that lives, or a dead child that its tracer keeps. */
struct holdout signal_holdout(void);

#endif
