#ifndef JOBRUNNER_PROC_H
#define JOBRUNNER_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What /proc/PID says of processes (proc(5)), one by one and in a table. */

struct process {
    pid_t pid, parent, group, session;
    uint64_t started_at; // in clock ticks since boot: with the number, it names a process
    long threads;
    char state; // of the main thread
    bool is_chosen;
};

/** In the order of their numbers. Empty when all is zero. */
struct table {
    struct process *processes; // mapped while it is needed: thousands of supervisors never need it
    size_t count, room;
};

enum { NAME_BYTES = 64 };

/** Fills an empty table with all processes that are shown. Where that fails it stays empty. */
bool proc_scan(struct table *table);

/** Adds one, whose number is above those there are, or does nothing where it has ended. False: there is no memory. */
bool proc_add(struct table *table, pid_t pid);

/** The one with this number, or NULL. */
struct process *proc_find(const struct table *table, pid_t pid);

void proc_forget(struct table *table);

/** What is said of the process now; false: nothing. */
bool proc_check(pid_t pid, struct process *process);

/**
 * A thread of the process that has not ended, mostly the main one; 0: there is none, it is dead. A process whose main thread has ended
 * (pthread_exit(3)) lives on, though its state is that of a zombie: it has memory, files and an environment by its other threads alone.
 */
pid_t proc_live_thread(const struct process *process);

/** Whether it is in the cgroup, given by path; is_deep: or in one below. */
bool proc_is_in_cgroup(pid_t pid, const char *path, bool is_deep);

/** Its name, without bytes that would break a line, and the user as whom it acts; false: it is gone. */
bool proc_describe(const struct process *process, char name[NAME_BYTES], uid_t *user);

#endif
