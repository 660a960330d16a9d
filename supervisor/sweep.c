#include "sweep.h"

#include "cgroup.h"
#include "clock.h"
#include "formats.h"
#include "processes.h"
#include "status.h"
#include "waiting.h"

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

enum { PAUSE_MS = 2, LONGEST_PAUSE_MS = 100, LONGEST_WAITING_PAUSE_MS = 1000, MAX_STATUS_BYTES = 1 << 30 };

/** What a sweeper reads in the status file. */
struct record_left {
    bool is_finished;
    bool is_of_this_boot;
    pid_t running; // the first process of the running step; 0: none
    off_t whole_bytes; // of the file, up to its last newline
};

/** The job to sweep, and the record. */
struct job_left {
    const char *id;
    struct plan plan;
    int status, cgroup; // descriptors; cgroup -1: none
    struct record_left *record;
    struct waiting waiting;
};

static bool supervisor_lives(void);
static int read_left(int fd, const char *boot_id, struct record_left *left);
static void judge(const char *text, size_t length, const char *boot_id, struct record_left *left);
static pid_t running_step(const char *text, size_t length);
static int kill_all(struct job_left *job);
static int count_and_kill(const struct job_left *job);
static void report_waiting(struct job_left *job);
static struct plan read_left_plan(void);
static int report_swept(int fd, struct record_left *left, int killed);
static int append(int fd, struct record_left *left, const char *line, int length);

int sweep(const struct launch *launch, const char *id) {
    let_go(launch);
    if (chdir(id) != 0) return 0;
    int fd = open("status", O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0) return 0; // never claimed
    // The holder of this lock sweeps, perhaps as long as a process lives. The service starts sweepers repeatedly, so none of them waits.
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || supervisor_lives()) return 0;
    struct record_left left = {0};
    if (read_left(fd, launch->boot_id, &left) != 0 || left.is_finished) return 0;
    struct job_left job = {.id = id, .status = fd, .cgroup = -1, .record = &left};
    // After a reboot, no process belongs to the job.
    int killed = left.is_of_this_boot ? kill_all(&job) : 0;
    if (report_swept(fd, &left, killed) != 0) return 0; // the disk is full: the service starts another sweeper
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
    if (information.st_size == 0) return 0; // claimed, but nothing was executed
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
    left->is_finished = (last_length > 5 && memcmp(last, "done ", 5) == 0) || (last_length > 6 && memcmp(last, "swept ", 6) == 0);
    static const char version[] = STATUS_VERSION " ";
    size_t boot_id_length = strlen(boot_id);
    left->is_of_this_boot = whole > sizeof version - 1 + boot_id_length && memcmp(text, version, sizeof version - 1) == 0 &&
                            memcmp(text + sizeof version - 1, boot_id, boot_id_length) == 0;
    left->running = running_step(text, left->whole_bytes > 0 ? (size_t)left->whole_bytes : 0);
}

/**
 * The process of the last "start", if no "end" or "fail" follows: it was not waited for before the supervisor's death, so its ID was not
 * reused until then. All other IDs may belong to other processes by now. The fields that are read are at a line's beginning; the copy may
 * cut a long line.
 */
static pid_t running_step(const char *text, size_t length) {
    int pid = 0;
    for (const char *line = text, *newline; (newline = memchr(line, '\n', length - (size_t)(line - text))) != NULL; line = newline + 1) {
        char copy[64];
        (void)snprintf(copy, sizeof copy, "%.*s", (int)(newline - line), line);
        bool is_start = strncmp(copy, "start ", 6) == 0;
        bool is_end = strncmp(copy, "end ", 4) == 0 || strncmp(copy, "fail ", 5) == 0;
        if (is_end || (is_start && sscanf(copy, "start %*u %d ", &pid) != 1)) pid = 0;
    }
    return pid > 1 ? (pid_t)pid : 0;
}

/**
 * Kills until nothing is found twice in a row, because a process that is being forked may be missed once. Returns the largest number of
 * processes found at once.
 */
static int kill_all(struct job_left *job) {
    job->plan = read_left_plan();
    const char *path = job->plan.cgroup;
    job->cgroup = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    waiting_begin(&job->waiting);
    int most = 0;
    long pause = PAUSE_MS;
    for (int empty_checks = 0; empty_checks < 2;) {
        int found = count_and_kill(job);
        empty_checks = found == 0 ? empty_checks + 1 : 0;
        if (found > most) most = found;
        report_waiting(job);
        struct timespec rest = {.tv_sec = pause / 1000, .tv_nsec = pause % 1000 * NS_PER_MS};
        (void)nanosleep(&rest, NULL);
        if (pause < (job->waiting.named.pid != 0 ? LONGEST_WAITING_PAUSE_MS : LONGEST_PAUSE_MS)) pause *= 2;
    }
    if (path != NULL) cgroup_remove(path);
    return most;
}

static int count_and_kill(const struct job_left *job) {
    int in_cgroup = cgroup_count(job->cgroup);
    struct marks marks = {.id = job->id, .user = job->plan.user, .session = job->record->running};
    int found = signal_marked(&marks, SIGKILL); // first, because it follows descent
    cgroup_kill(job->cgroup);
    // Processes that cgroup.kill skipped may lack the marks, and may be in a cgroup below.
    if (found == 0 && cgroup_is_populated(job->cgroup)) found = signal_within(job->plan.cgroup, SIGKILL);
    if (found > 0 && found >= in_cgroup) return found;
    return in_cgroup > 0 ? in_cgroup : found < 0 || cgroup_is_populated(job->cgroup) ? 1 : 0;
}

static void report_waiting(struct job_left *job) {
    char line[WAITING_LINE_BYTES];
    if (!waiting_has_news(&job->waiting)) return;
    int length = waiting_line(&job->waiting, line);
    if (length <= 0 || length >= WAITING_LINE_BYTES || append(job->status, job->record, line, length) != 0) return;
    ring_doorbell(job->id);
}

/** If anything ran, the plan was valid. It may be gone by now. */
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

static int report_swept(int fd, struct record_left *left, int killed) {
    char line[64];
    int length = snprintf(line, sizeof line, "swept %lld %d\n", (long long)wall_ns(), killed);
    if (length < 0 || (size_t)length >= sizeof line) return EINVAL;
    return append(fd, left, line, length);
}

/** Removes an unfinished line of the supervisor, or of an earlier attempt, which must not become a part of the new line. */
static int append(int fd, struct record_left *left, const char *line, int length) {
    if (ftruncate(fd, left->whole_bytes) != 0) return errno;
    if (write(fd, line, (size_t)length) != length) return ENOSPC;
    left->whole_bytes += length;
    return 0;
}
