#include "processes.h"

#include "environment.h"
#include "plan.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/** The most important process found: the first one that could not be signalled, or else that lives, or is a dead child. */
struct seen {
    enum { NOBODY, DEAD_CHILD, ACTIVE, REFUSED } kind;
    struct process process;
    int error;
};

static struct search {
    struct table table;
    struct table marked_before; // what the last call of signal_marked found
    struct seen holdout;
    bool was_made; // processes were searched for
} search;

/** PLAINLY: without a SIGCONT after it. */
enum manner { ONE_BY_ONE, WHOLE_GROUPS, PLAINLY };

static bool scan(void);
static bool read_members(int file);
static bool has_mark(const struct process *process, const struct marks *marks, const char *variable, const struct user *reader);
static void choose_own(struct excluded excluded);
static void choose_descendants(void);
static bool choose_step(pid_t leader);
static int signal_and_forget(int signal, enum manner manner);
static int signal_chosen(int signal, enum manner manner);
static int signal_one(const struct process *process, int signal, enum manner manner);
static void remember(const struct process *process, int kind, int error);

void search_open(void) {
    proc_forget(&search.table);
    proc_forget(&search.marked_before);
    search = (struct search){0};
}

bool search_was_made(void) {
    return search.was_made;
}

bool visit_descendants(void (*visit)(pid_t thread, char state)) {
    if (!scan()) return false;
    choose_own((struct excluded){0});
    for (size_t i = 0; i < search.table.count; i++) {
        const struct process *process = &search.table.processes[i];
        pid_t thread = process->is_chosen ? proc_live_thread(process) : 0;
        if (thread != 0) visit(thread, process->state);
    }
    proc_forget(&search.table);
    return true;
}

int signal_descendants(int signal, struct excluded excluded) {
    if (!scan()) return -1;
    choose_own(excluded);
    return signal_and_forget(signal, signal == SIGKILL ? WHOLE_GROUPS : ONE_BY_ONE);
}

int signal_members(int cgroup, const char *path, int signal) {
    int file = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    bool is_whole = read_members(file);
    (void)close(file);
    if (!is_whole) {
        proc_forget(&search.table);
        return -1;
    }
    for (size_t i = 0; i < search.table.count; i++) search.table.processes[i].is_chosen = proc_is_in_cgroup(search.table.processes[i].pid,
        path, false);
    return signal_and_forget(signal, ONE_BY_ONE);
}

int signal_strays(const char *path, int signal, struct excluded excluded) {
    if (!scan()) return -1;
    choose_own(excluded);
    for (size_t i = 0; i < search.table.count; i++) {
        struct process *process = &search.table.processes[i];
        process->is_chosen = process->is_chosen && !proc_is_in_cgroup(process->pid, path, false);
    }
    return signal_and_forget(signal, ONE_BY_ONE);
}

int signal_within(const char *path, int signal) {
    if (!scan()) return -1;
    for (size_t i = 0; i < search.table.count; i++) search.table.processes[i].is_chosen = proc_is_in_cgroup(search.table.processes[i].pid,
        path, true);
    return signal_and_forget(signal, ONE_BY_ONE);
}

int signal_step(pid_t leader, int signal) {
    return choose_step(leader) ? signal_and_forget(signal, signal == SIGKILL ? WHOLE_GROUPS : ONE_BY_ONE) : -1;
}

int signal_step_plainly(pid_t leader, int signal) {
    return choose_step(leader) ? signal_and_forget(signal, PLAINLY) : -1;
}

static bool choose_step(pid_t leader) {
    if (!scan()) return false;
    choose_own((struct excluded){0});
    // The ID may now belong to another process, but that is not a descendant.
    for (size_t i = 0; i < search.table.count; i++) {
        struct process *process = &search.table.processes[i];
        process->is_chosen = process->is_chosen && (process->pid == leader || process->session == leader);
    }
    choose_descendants();
    return true;
}

int signal_marked(const struct marks *marks, int signal) {
    static SCRATCH struct user reader;
    char variable[sizeof "JOBRUNNER_JOB_ID=" + ID_LENGTH];
    int length = snprintf(variable, sizeof variable, "JOBRUNNER_JOB_ID=%.*s", ID_LENGTH, marks->id);
    if (length < 0 || (size_t)length >= sizeof variable || !scan()) return -1;
    bool has_reader = marks->user != NULL && plan_user(marks->user, &reader);
    for (size_t i = 0; i < search.table.count; i++) {
        struct process *process = &search.table.processes[i];
        const struct process *before = proc_find(&search.marked_before, process->pid);
        bool was_chosen = before != NULL && before->is_chosen && before->started_at == process->started_at;
        process->is_chosen = was_chosen || has_mark(process, marks, variable, has_reader ? &reader : NULL);
    }
    choose_descendants();
    proc_forget(&search.marked_before);
    int found = signal_chosen(signal, ONE_BY_ONE);
    search.marked_before = search.table;
    search.table = (struct table){0};
    return found;
}

struct holdout signal_holdout(void) {
    struct holdout holdout = {0};
    const struct seen *seen = &search.holdout;
    struct process now;
    bool is_there = seen->kind != NOBODY && proc_check(seen->process.pid, &now) && now.started_at == seen->process.started_at;
    if (!is_there || !proc_describe(&now, holdout.name, &holdout.user)) return (struct holdout){0};
    holdout.pid = now.pid;
    holdout.state = now.state;
    holdout.error = seen->error;
    return holdout;
}

static bool scan(void) {
    search.was_made = true;
    return proc_scan(&search.table);
}

/** The kernel does not reuse a session's ID while a process is in that session. */
static bool has_mark(const struct process *process, const struct marks *marks, const char *variable, const struct user *reader) {
    pid_t thread = process->pid == getpid() ? 0 : proc_live_thread(process);
    if (thread == 0) return false;
    switch (environment_holds(thread, variable, reader)) {
    case HOLDS: return true;
    case HOLDS_NOT: return false;
    case HOLDING_IS_HIDDEN: return marks->session > 0 && process->session == marks->session;
    }
    return false;
}

static int signal_and_forget(int signal, enum manner manner) {
    int found = signal_chosen(signal, manner);
    proc_forget(&search.table);
    return found;
}

static int signal_chosen(int signal, enum manner manner) {
    int found = 0;
    search.holdout = (struct seen){.kind = NOBODY};
    for (size_t i = 0; i < search.table.count; i++) {
        const struct process *process = &search.table.processes[i];
        if (!process->is_chosen) continue;
        if (proc_live_thread(process) == 0) {
            if (process->parent == getpid()) remember(process, DEAD_CHILD, 0);
            continue;
        }
        found++;
        int error = signal_one(process, signal, manner);
        remember(process, error == 0 || error == ESRCH ? ACTIVE : REFUSED, error == ESRCH ? 0 : error);
    }
    return found;
}

static void remember(const struct process *process, int kind, int error) {
    if (kind > (int)search.holdout.kind) search.holdout = (struct seen){kind, *process, error};
}

/**
 * A signal to a process group also reaches members that are just being forked, which a list of processes misses. The groups of a job's
 * processes are within sessions of its steps, so no other process is in them. Returns 0 or an errno; ESRCH: the process has ended.
 */
static int signal_one(const struct process *process, int signal, enum manner manner) {
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    int error = 0;
    bool is_to_wake = signal != SIGKILL && signal != 0 && manner != PLAINLY;
    struct process now;
    bool is_same = proc_check(process->pid, &now) && now.started_at == process->started_at;
    if (is_same && manner == WHOLE_GROUPS && process->group > 1 && process->group != getpgrp()) (void)kill(-process->group, signal);
    if (!is_same) {
        error = ESRCH;
    } else if (fd >= 0) {
        if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) != 0) error = errno;
        if (is_to_wake) (void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
    } else { // before Linux 5.3, or if no descriptor is free
        if (kill(process->pid, signal) != 0) error = errno;
        if (is_to_wake) (void)kill(process->pid, SIGCONT);
    }
    if (fd >= 0) (void)close(fd);
    return error;
}

static void choose_own(struct excluded excluded) {
    for (size_t i = 0; i < search.table.count; i++) {
        pid_t pid = search.table.processes[i].pid;
        search.table.processes[i].is_chosen = search.table.processes[i].parent == getpid() && pid != excluded.client
            && pid != excluded.finalizer;
    }
    choose_descendants();
}

/** A parent's ID is usually smaller than that of its child, so one or two passes suffice. */
static void choose_descendants(void) {
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < search.table.count; i++) {
            struct process *process = &search.table.processes[i];
            const struct process *parent = process->is_chosen || process->pid == getpid() ? NULL : proc_find(&search.table,
                process->parent);
            if (parent == NULL || !parent->is_chosen) continue;
            process->is_chosen = is_changed = true;
        }
    }
}

/** An ID may be reused before the process is signalled, so the caller checks with proc_is_in_cgroup. */
static bool read_members(int file) {
    search.was_made = true;
    char text[4096];
    size_t kept = 0;
    for (ssize_t got; (got = read(file, text + kept, sizeof text - 1 - kept)) != 0;) {
        if (got < 0) return false;
        text[kept + (size_t)got] = '\0';
        char *line = text;
        for (char *newline; (newline = strchr(line, '\n')) != NULL; line = newline + 1) {
            pid_t pid = (pid_t)strtol(line, NULL, 10);
            if (pid > 0 && !proc_add(&search.table, pid)) return false;
        }
        kept = strlen(line);
        memmove(text, line, kept);
    }
    return true;
}
