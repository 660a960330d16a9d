#include "sweep.h"

#include "cgroup.h"
#include "clock.h"
#include "formats.h"
#include "processes.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 2, LONGEST_PAUSE_MS = 100, MAX_STATUS_BYTES = 1 << 30 };

/** What the status file says to a sweeper. */
struct record_left {
    bool is_over;
    bool is_of_this_boot;
    off_t whole_bytes; // up to its last newline
};

static bool supervisor_lives(void);
static int read_left(int fd, const char *boot_id, struct record_left *left);
static void judge(const char *text, size_t length, const char *boot_id, struct record_left *left);
static int kill_all(const char *id);
static int count_and_kill(const char *id, const char *user, int cgroup);
static struct plan read_left_plan(void);
static int tell(int fd, const struct record_left *left, int killed);

int sweep(const struct launch *launch, const char *id) {
    (void)dup2(launch->null, STDIN_FILENO);
    let_go(launch);
    if (chdir(id) != 0) return 0;
    int fd = open("status", O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0) return 0; // never claimed
    struct record_left left = {0};
    if (flock(fd, LOCK_EX) != 0 || supervisor_lives() || read_left(fd, launch->boot_id, &left) != 0) return 0;
    if (left.is_over) return 0;
    // After a reboot every process is somebody else's.
    int killed = left.is_of_this_boot ? kill_all(id) : 0;
    if (tell(fd, &left, killed) != 0) return 0; // a full disk: the service asks again
    ring_doorbell(id);
    return 0;
}

/** See control in formats.h. */
static bool supervisor_lives(void) {
    int fd = open("control", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) (void)close(fd);
    return fd >= 0 || errno != ENXIO;
}

static int read_left(int fd, const char *boot_id, struct record_left *left) {
    struct stat information;
    if (fstat(fd, &information) != 0) return errno;
    if (information.st_size == 0) return 0; // claimed, nothing was executed
    if (information.st_size > MAX_STATUS_BYTES) return EFBIG;
    size_t length = (size_t)information.st_size;
    const char *text = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED) return errno;
    judge(text, length, boot_id, left);
    return 0;
}

static void judge(const char *text, size_t length, const char *boot_id, struct record_left *left) {
    const char *newline = memrchr(text, '\n', length);
    if (newline == NULL) return;
    size_t whole = (size_t)(newline - text);
    left->whole_bytes = (off_t)(whole + 1);
    const char *before = memrchr(text, '\n', whole);
    const char *last = before == NULL ? text : before + 1;
    size_t last_length = (size_t)(newline - last);
    left->is_over = (last_length > 5 && memcmp(last, "done ", 5) == 0) || (last_length > 6 && memcmp(last, "swept ", 6) == 0);
    static const char version[] = STATUS_VERSION " ";
    size_t boot_id_length = strlen(boot_id);
    left->is_of_this_boot = whole > sizeof version - 1 + boot_id_length && memcmp(text, version, sizeof version - 1) == 0 &&
                            memcmp(text + sizeof version - 1, boot_id, boot_id_length) == 0;
}

/** Until nothing is found twice in a row: a process that is being forked may be missed once. Returns how many were found. */
static int kill_all(const char *id) {
    struct plan plan = read_left_plan();
    int cgroup = plan.cgroup == NULL ? -1 : open(plan.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int most = 0;
    long pause = PAUSE_MS;
    for (int empty_looks = 0; empty_looks < 2;) {
        int found = count_and_kill(id, plan.user, cgroup);
        empty_looks = found == 0 ? empty_looks + 1 : 0;
        if (found > most) most = found;
        (void)nanosleep(&(struct timespec){.tv_nsec = pause * NS_PER_MS}, NULL);
        if (pause < LONGEST_PAUSE_MS) pause *= 2;
    }
    if (plan.cgroup != NULL) cgroup_remove(plan.cgroup);
    return most;
}

static int count_and_kill(const char *id, const char *user, int cgroup) {
    int in_cgroup = cgroup_count(cgroup);
    int found = signal_marked(id, user, SIGKILL);
    cgroup_kill(cgroup);
    return found < 0 || in_cgroup > found ? (in_cgroup > 0 ? in_cgroup : 1) : found;
}

/** The plan was valid when it was run, or there is nothing to kill; its folder may be gone since. */
static struct plan read_left_plan(void) {
    static const struct plan none;
    struct plan plan;
    int fd = open("plan", O_RDONLY | O_CLOEXEC);
    struct stat information;
    if (fd < 0 || fstat(fd, &information) != 0 || information.st_size == 0) return none;
    const char *bytes = mmap(NULL, (size_t)information.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED || plan_read(bytes, (size_t)information.st_size, &plan) != 0) return none;
    return plan;
}

static int tell(int fd, const struct record_left *left, int killed) {
    char line[64];
    int length = snprintf(line, sizeof line, "swept %lld %d\n", (long long)wall_ns(), killed);
    if (length < 0 || (size_t)length >= sizeof line) return EINVAL;
    // What the supervisor did not finish writing must not become a part of our line.
    if (ftruncate(fd, left->whole_bytes) != 0) return errno;
    return write(fd, line, (size_t)length) == length ? 0 : ENOSPC;
}
