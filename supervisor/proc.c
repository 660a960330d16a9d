#include "proc.h"

#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST_ROOM = 1024, DIRECTORY_BYTES = 32768, PATH_BYTES = 64 };

static ssize_t read_text(const char *path, char *text, size_t size);
static bool check_at(const char *path, struct process *process);
static bool is_dead(char state);

/** Visits each entry of a folder of /proc whose name is a number, until `visit` returns false. False: that, or the folder is unreadable. */
static bool for_each_number(const char *path, bool (*visit)(pid_t number, void *more), void *more) {
    static SCRATCH _Alignas(struct dirent64) char entries[DIRECTORY_BYTES];
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool is_going_on = true;
    ssize_t length = 0;
    while (is_going_on && (length = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; is_going_on && at < length;) {
            struct dirent64 *entry = (struct dirent64 *)(void *)(entries + at);
            at += entry->d_reclen;
            pid_t number = (pid_t)strtol(entry->d_name, NULL, 10);
            if (number > 0) is_going_on = visit(number, more);
        }
    }
    (void)close(fd);
    return is_going_on && length == 0;
}

static bool add_visited(pid_t pid, void *table) {
    return proc_add(table, pid);
}

bool proc_scan(struct table *table) {
    if (for_each_number("/proc", add_visited, table)) return true;
    proc_forget(table);
    return false;
}

bool proc_add(struct table *table, pid_t pid) {
    if (table->count == table->room) {
        size_t wanted = table->room == 0 ? FIRST_ROOM : table->room * 2, one = sizeof *table->processes;
        void *bigger = table->room == 0 ? mmap(NULL, wanted * one, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                        : mremap(table->processes, table->room * one, wanted * one, MREMAP_MAYMOVE);
        if (bigger == MAP_FAILED) return false;
        table->processes = bigger;
        table->room = wanted;
    }
    if (proc_check(pid, &table->processes[table->count])) table->count++; // otherwise it has just ended
    return true;
}

struct process *proc_find(const struct table *table, pid_t pid) {
    size_t from = 0, to = table->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct process *process = &table->processes[middle];
        if (process->pid == pid) return process;
        if (process->pid < pid) from = middle + 1;
        else to = middle;
    }
    return NULL;
}

void proc_forget(struct table *table) {
    if (table->room > 0) (void)munmap(table->processes, table->room * sizeof *table->processes);
    *table = (struct table){0};
}

bool proc_check(pid_t pid, struct process *process) {
    char path[PATH_BYTES];
    return snprintf(path, sizeof path, "/proc/%d/stat", (int)pid) > 0 && check_at(path, process);
}

static bool check_at(const char *path, struct process *process) {
    char text[1024];
    if (read_text(path, text, sizeof text) <= 0) return false;
    const char *name_end = strrchr(text, ')'); // a name may contain brackets and spaces
    if (name_end == NULL) return false;
    *process = (struct process){.pid = (pid_t)strtol(text, NULL, 10)};
    return sscanf(name_end + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %" SCNu64, &process->state,
                  &process->parent, &process->group, &process->session, &process->threads, &process->started_at) == 6;
}

struct thread_search {
    pid_t pid, alive;
};

static bool search_visited(pid_t thread, void *more) {
    struct thread_search *search = more;
    char path[PATH_BYTES];
    struct process seen;
    bool is_seen = snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)search->pid, (int)thread) > 0 && check_at(path, &seen);
    if (is_seen && !is_dead(seen.state)) search->alive = thread;
    return search->alive == 0;
}

pid_t proc_live_thread(const struct process *process) {
    if (!is_dead(process->state)) return process->pid;
    if (process->threads < 2) return 0;
    struct thread_search search = {.pid = process->pid};
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "/proc/%d/task", (int)process->pid) > 0) (void)for_each_number(path, search_visited, &search);
    return search.alive;
}

/** Z is a zombie; X and x are dead. In all other states, such as stopped, traced or asleep in the kernel, a thread lives. */
static bool is_dead(char state) {
    return state == 'Z' || state == 'X' || state == 'x';
}

/** /proc/PID/cgroup shows a path from the mount point on (cgroups(7)). Only the last part of the job's path is certain to be in it. */
bool proc_is_in_cgroup(pid_t pid, const char *path, bool is_deep) {
    char file[PATH_BYTES], text[8192];
    if (snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid) <= 0 || read_text(file, text, sizeof text) <= 0) return false;
    const char *name = strrchr(path, '/');
    size_t length = name == NULL ? 0 : strlen(name);
    for (const char *at = text; length > 0 && (at = strstr(at, name)) != NULL; at += length) {
        if (at[length] == '\n' || (is_deep && at[length] == '/')) return true;
    }
    return false;
}

bool proc_describe(const struct process *process, char name[NAME_BYTES], uid_t *user) {
    char path[PATH_BYTES], text[4096];
    if (snprintf(path, sizeof path, "/proc/%d/stat", (int)process->pid) <= 0 || read_text(path, text, sizeof text) <= 0) return false;
    char *begin = strchr(text, '('), *end = strrchr(text, ')');
    if (begin == NULL || end == NULL) return false;
    *end = '\0';
    if (snprintf(name, NAME_BYTES, "%s", begin + 1) < 0) return false;
    for (char *at = name; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) *at = '?';
    }
    if (snprintf(path, sizeof path, "/proc/%d/status", (int)process->pid) <= 0 || read_text(path, text, sizeof text) <= 0) return false;
    const char *line = strstr(text, "\nUid:");
    return line != NULL && sscanf(line, "\nUid: %*u %u", user) == 1; // the second one is the effective user
}

/** Reads as much as there is room for, and adds a NUL. Returns the length, or -1. */
static ssize_t read_text(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0) (void)close(fd);
    if (got >= 0) text[got] = '\0';
    return got;
}
