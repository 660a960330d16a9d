#include "cgroup.h"

#include "clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DEPTH = 16, DIRECTORY_BYTES = 4096, LONGEST_PAUSE_MS = 200 };

static struct state {
    bool was_killed;
    bool was_left;
} state;

static int make_parent(const char *path);
static void remove_below(int parent, const char *name, int depth);
static int open_folder(int parent, const char *name);

int cgroup_open(const char *path) {
    state = (struct state){0};
    if (path == NULL) return -1;
    int result = mkdir(path, 0755);
    if (result != 0 && errno == ENOENT && make_parent(path) == 0) result = mkdir(path, 0755);
    if (result != 0 && errno != EEXIST) return -1; // EEXIST: left by an earlier attempt that failed
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void cgroup_kill(int fd) {
    int file = fd < 0 ? -1 : openat(fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (file < 0) return; // before Linux 5.14
    state.was_killed = true;
    ssize_t written = write(file, "1", 1);
    (void)written; // the processes that are left are found by descent
    (void)close(file);
}

bool cgroup_was_killed(void) {
    return state.was_killed;
}

bool cgroup_was_left(void) {
    return state.was_left;
}

int cgroup_count(int fd) {
    int file = fd < 0 ? -1 : openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[DIRECTORY_BYTES];
    int lines = 0;
    for (ssize_t got; (got = read(file, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < got; i++) lines += text[i] == '\n';
    }
    (void)close(file);
    return lines;
}

bool cgroup_is_populated(int fd) {
    int file = fd < 0 ? -1 : openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    char text[DIRECTORY_BYTES];
    ssize_t got = read(file, text, sizeof text - 1);
    (void)close(file);
    text[got < 0 ? 0 : got] = '\0';
    return strstr(text, "populated 1") != NULL;
}

void cgroup_remove(const char *path) {
    int fd = open_folder(AT_FDCWD, path);
    if (fd < 0) return;
    (void)close(fd);
    // The kernel counts a process that was already waited for until its last context switch.
    for (long pause = NS_PER_MS / 4; pause < LONGEST_PAUSE_MS * NS_PER_MS; pause *= 2) {
        if (rmdir(path) == 0 || errno != EBUSY) return;
        (void)nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
        remove_below(AT_FDCWD, path, 0);
    }
    state.was_left = true;
}

static int make_parent(const char *path) {
    char parent[PATH_MAX];
    size_t length = (size_t)(strrchr(path, '/') - path);
    if (length == 0 || length >= sizeof parent) return -1;
    memcpy(parent, path, length);
    parent[length] = '\0';
    return mkdir(parent, 0755);
}

static void remove_below(int parent, const char *name, int depth) {
    int fd = open_folder(parent, name);
    if (fd < 0) return;
    _Alignas(struct dirent64) char entries[DIRECTORY_BYTES];
    for (ssize_t length; depth < MAX_DEPTH && (length = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0;) {
        for (ssize_t at = 0; at < length;) {
            struct dirent64 *entry = (struct dirent64 *)(void *)(entries + at);
            at += entry->d_reclen;
            if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
                remove_below(fd, entry->d_name, depth + 1);
            }
        }
    }
    (void)close(fd);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

/** Returns -1 if the folder is not a cgroup v2. So no other folder is ever removed, whatever the plan says. */
static int open_folder(int parent, const char *name) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct statfs system;
    if (fd < 0 || (fstatfs(fd, &system) == 0 && system.f_type == CGROUP2_SUPER_MAGIC)) return fd;
    (void)close(fd);
    return -1;
}
