#include "processes.h"

#include "environment.h"
#include "plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct process {
    pid_t pid, parent, group, session;
    uint64_t started_at; // in clock ticks since boot: with the number, it names a process
    char state;
    bool is_chosen;
};

enum { FIRST_ROOM = 1024, DIRECTORY_BYTES = 32768 };

// Mapped while it is needed: thousands of supervisors never need it.
static struct process *table;
static size_t count, room;
static int proc_fd = -1;

static bool read_members(int file);
static bool open_proc(void);
static bool scan(void);
static bool scan_directory(void);
static bool add(pid_t pid);
static bool look(pid_t pid, struct process *process);
static void forget(void);
static void choose_own(struct spared spared);
static void choose_descendants(void);
static bool is_chosen(pid_t pid);
static bool is_in_cgroup(pid_t pid, const char *path);
static bool is_alive(const struct process *process);
static int signal_chosen(int signal, bool whole_groups);
static void signal_one(const struct process *process, int signal, bool whole_groups);

int signal_descendants(int signal, struct spared spared) {
    if (!scan()) return -1;
    choose_own(spared);
    return signal_chosen(signal, signal == SIGKILL);
}

int signal_members(int cgroup, const char *path, int signal) {
    int file = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (file < 0 || !open_proc()) {
        if (file >= 0) (void)close(file);
        return -1;
    }
    bool is_whole = read_members(file);
    (void)close(file);
    if (!is_whole) {
        forget();
        return -1;
    }
    for (size_t i = 0; i < count; i++) table[i].is_chosen = is_in_cgroup(table[i].pid, path);
    return signal_chosen(signal, false);
}

int signal_strays(const char *path, int signal, struct spared spared) {
    if (!scan()) return -1;
    choose_own(spared);
    for (size_t i = 0; i < count; i++) table[i].is_chosen = table[i].is_chosen && !is_in_cgroup(table[i].pid, path);
    return signal_chosen(signal, false);
}

int signal_step(pid_t leader, int signal) {
    if (!scan()) return -1;
    choose_own((struct spared){0});
    // The number may be somebody else's by now, who is no descendant of ours.
    for (size_t i = 0; i < count; i++) {
        table[i].is_chosen = table[i].is_chosen && (table[i].pid == leader || table[i].session == leader);
    }
    choose_descendants();
    return signal_chosen(signal, signal == SIGKILL);
}

int signal_marked(const char *id, const char *user, int signal) {
    static struct user reader;
    char mark[sizeof "JOBRUNNER_JOB_ID=" + ID_LENGTH];
    int length = snprintf(mark, sizeof mark, "JOBRUNNER_JOB_ID=%.*s", ID_LENGTH, id);
    if (length < 0 || (size_t)length >= sizeof mark || !scan()) return -1;
    bool has_reader = user != NULL && plan_user(user, &reader);
    for (size_t i = 0; i < count; i++) {
        pid_t pid = table[i].pid;
        table[i].is_chosen = pid != getpid() && environment_holds(proc_fd, pid, mark, has_reader ? &reader : NULL);
    }
    choose_descendants();
    return signal_chosen(signal, false);
}

static int signal_chosen(int signal, bool whole_groups) {
    int found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!table[i].is_chosen || !is_alive(&table[i])) continue;
        found++;
        signal_one(&table[i], signal, whole_groups);
    }
    forget();
    return found;
}

/**
 * A signal to a group reaches members that are being forked at this moment, which a list of processes misses. The groups of a job's
 * processes are within sessions that its steps began, so nobody else is in them.
 */
static void signal_one(const struct process *process, int signal, bool whole_groups) {
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    struct process now;
    bool is_same = look(process->pid, &now) && now.started_at == process->started_at;
    if (is_same && whole_groups && process->group > 1 && process->group != getpgrp()) (void)kill(-process->group, signal);
    if (is_same && fd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
        if (signal != SIGKILL) (void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
    } else if (is_same && errno != ESRCH) { // before Linux 5.3
        (void)kill(process->pid, signal);
        if (signal != SIGKILL) (void)kill(process->pid, SIGCONT);
    }
    if (fd >= 0) (void)close(fd);
}

static void choose_own(struct spared spared) {
    for (size_t i = 0; i < count; i++) {
        pid_t pid = table[i].pid;
        table[i].is_chosen = table[i].parent == getpid() && pid != spared.client && pid != spared.settler;
    }
    choose_descendants();
}

/** A parent mostly has a smaller number than its child, so that one or two passes do. */
static void choose_descendants(void) {
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < count; i++) {
            if (table[i].is_chosen || table[i].pid == getpid() || !is_chosen(table[i].parent)) continue;
            table[i].is_chosen = is_changed = true;
        }
    }
}

/** /proc lists processes in the order of their numbers. */
static bool is_chosen(pid_t pid) {
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (table[middle].pid == pid) return table[middle].is_chosen;
        if (table[middle].pid < pid) from = middle + 1;
        else to = middle;
    }
    return false;
}

static bool is_alive(const struct process *process) {
    return process->state != 'Z' && process->state != 'X';
}

/** The numbers may be used again before they are looked at: is_in_cgroup asks the process that has one now. */
static bool read_members(int file) {
    char text[4096];
    size_t kept = 0;
    for (ssize_t got; (got = read(file, text + kept, sizeof text - 1 - kept)) != 0;) {
        if (got < 0) return false;
        text[kept + (size_t)got] = '\0';
        char *line = text;
        for (char *newline; (newline = strchr(line, '\n')) != NULL; line = newline + 1) {
            pid_t pid = (pid_t)strtol(line, NULL, 10);
            if (pid > 0 && !add(pid)) return false;
        }
        kept = strlen(line);
        memmove(text, line, kept);
    }
    return true;
}

/** cgroups(7), /proc/[pid]/cgroup: a path from the mount point on, of which only the job's last part is known to be shown there. */
static bool is_in_cgroup(pid_t pid, const char *path) {
    char file[32], text[8192];
    int fd = snprintf(file, sizeof file, "%d/cgroup", (int)pid) < 0 ? -1 : openat(proc_fd, file, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) (void)close(fd);
    if (got <= 0) return false;
    text[got] = '\0';
    const char *name = strrchr(path, '/');
    size_t length = name == NULL ? 0 : strlen(name);
    for (const char *at = text; length > 0 && (at = strstr(at, name)) != NULL; at += length) {
        if (at[length] == '\n') return true;
    }
    return false;
}

static bool open_proc(void) {
    forget();
    proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return proc_fd >= 0;
}

static bool scan(void) {
    if (!open_proc()) return false;
    if (scan_directory()) return true;
    forget();
    return false;
}

static bool scan_directory(void) {
    static _Alignas(struct dirent64) char entries[DIRECTORY_BYTES];
    for (;;) {
        ssize_t length = syscall(SYS_getdents64, proc_fd, entries, sizeof entries);
        if (length <= 0) return length == 0;
        for (ssize_t at = 0; at < length;) {
            struct dirent64 *entry = (struct dirent64 *)(void *)(entries + at);
            at += entry->d_reclen;
            pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
            if (pid > 0 && !add(pid)) return false;
        }
    }
}

static bool add(pid_t pid) {
    if (count == room) {
        size_t wanted = room == 0 ? FIRST_ROOM : room * 2;
        void *bigger = room == 0 ? mmap(NULL, wanted * sizeof *table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                 : mremap(table, room * sizeof *table, wanted * sizeof *table, MREMAP_MAYMOVE);
        if (bigger == MAP_FAILED) return false;
        table = bigger;
        room = wanted;
    }
    if (look(pid, &table[count])) count++; // else it ended meanwhile
    return true;
}

static bool look(pid_t pid, struct process *process) {
    char path[32], text[1024];
    int length = snprintf(path, sizeof path, "%d/stat", (int)pid);
    if (length < 0) return false;
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (got <= 0) return false;
    text[got] = '\0';
    const char *name_end = strrchr(text, ')'); // a name may hold brackets and spaces
    if (name_end == NULL) return false;
    *process = (struct process){.pid = pid};
    return sscanf(name_end + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &process->state,
                  &process->parent, &process->group, &process->session, &process->started_at) == 5;
}

static void forget(void) {
    if (room > 0) (void)munmap(table, room * sizeof *table);
    if (proc_fd >= 0) (void)close(proc_fd);
    table = NULL;
    count = room = 0;
    proc_fd = -1;
}
