#ifndef JOBRUNNER_PROC_H
#define JOBRUNNER_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What /proc/PID says about processes (proc(5)), one by one or in a table. */

struct process {
    pid_t pid, parent, group, session;
    uint64_t started_at; // in clock ticks since boot: process ID and start time together identify a process
    long threads;
    char state; // of the main thread
    bool is_chosen;
};

/** Processes in the order of their IDs. A table of zeros is empty. */
struct table {
    struct process *processes; // mapped only while it is needed: most supervisors never need it
    size_t count, room;
};

enum { NAME_BYTES = 64 };

/** Fills an empty table with all visible processes. If that fails, the table stays empty, and the result is false. */
bool proc_scan(struct table *table);

/** Adds a process whose ID is above those in the table, unless it has ended. Returns false if there is no memory. */
bool proc_add(struct table *table, pid_t pid);

/** The process with this ID, or NULL. */
struct process *proc_find(const struct table *table, pid_t pid);

void proc_forget(struct table *table);

/** Reads what /proc says about the process now. Returns false if there is no such process. */
bool proc_check(pid_t pid, struct process *process);

/**
 * A living thread of the process, usually the main one; 0: the process is dead. A process whose main thread has ended (pthread_exit(3))
 * goes on, although its state is that of a zombie. Its memory, files and environment are found only through its other threads.
 */
pid_t proc_live_thread(const struct process *process);

/** Whether the process is in the cgroup with this path; is_deep: or in one below. */
bool proc_is_in_cgroup(pid_t pid, const char *path, bool is_deep);

/** The name of the process, without bytes that would break a line, and its effective user. Returns false if it is gone. */
bool proc_describe(const struct process *process, char name[NAME_BYTES], uid_t *user);

#endif
