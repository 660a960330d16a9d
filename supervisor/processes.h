#ifndef JOBRUNNER_PROCESSES_H
#define JOBRUNNER_PROCESSES_H

#include "proc.h"

#include <sys/types.h>

/**
 * Finds processes by what /proc/PID says about them (proc.h), and signals them. Each process is held by a pidfd and checked again before it
 * is signalled, so a new process with the ID of one that just ended is left alone. A signal other than SIGKILL and 0 is followed by
 * SIGCONT, because a stopped process would not handle it. The functions return how many living processes they found, or -1 if /proc could
 * not be read.
 */

/** Children of the calling process that are not signalled, and neither are their descendants; 0: none. */
struct excluded {
    pid_t client;    // of a container engine
    pid_t finalizer; // the command that ends its container
};

/** Forgets the processes that the calls below have found. Call at a job's beginning. */
void search_open(void);

/** Whether any of the functions below was called since then. */
bool search_was_made(void);

/**
 * For each living descendant of the calling process, calls `visit` with a living thread of it and the state of its main thread. Returns
 * false if /proc could not be read.
 */
bool visit_descendants(void (*visit)(pid_t thread, char state));

/** Signals all descendants of the calling process. It is their subreaper, so these are all processes that the job ever started. */
int signal_descendants(int signal, struct excluded excluded);

/** Signals all processes in the cgroup itself, given by descriptor and path. Does not read every process of the machine. */
int signal_members(int cgroup, const char *path, int signal);

/** Signals the descendants of the calling process that signal_members does not find: they are elsewhere, or in a cgroup below. */
int signal_strays(const char *path, int signal, struct excluded excluded);

/** Signals all processes in the cgroup and below it. */
int signal_within(const char *path, int signal);

/** Signals the process, all processes of the session that it leads or led, and their descendants. */
int signal_step(pid_t leader, int signal);

/** Does the same without SIGCONT: for a signal that a user asked for, such as SIGSTOP. */
int signal_step_plainly(pid_t leader, int signal);

/** How to find a job's processes if no ancestor of theirs is left. */
struct marks {
    const char *id;   // JOBRUNNER_JOB_ID in the environment that a process was started with
    const char *user; // of the plan, or NULL
    pid_t session;    // for processes whose environment may not be read; 0: none
};

/** Signals the processes with these marks, their descendants, and those that the previous call found. */
int signal_marked(const struct marks *marks, int signal);

/** A process that a signal did not end. */
struct holdout {
    pid_t pid;  // 0: there is none
    uid_t user; // its effective user
    int error;  // errno of sending the signal, such as EPERM; 0: it was sent
    char state; // as in /proc/PID/stat
    char name[NAME_BYTES];
};

/**
 * One of the processes that the last call found: one that could not be signalled, or else one that lives, or a dead child that a tracer
 * holds.
 */
struct holdout signal_holdout(void);

#endif
