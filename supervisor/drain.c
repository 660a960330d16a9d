#include "drain.h"

#include "clock.h"
#include "output.h"
#include "pipes.h"
#include "processes.h"
#include "status.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// A process that has not written for this long, has no input and does not run is not at work. It only waits, like a server or a sleep.
static const int64_t QUIET_NS = 100 * (int64_t)NS_PER_MS;

static void end_now(struct job *job, const char *cause);
static bool find_workers(void);
static void check(pid_t thread, char state);
static bool has_input(pid_t thread);
static bool is_fifo(int at, const char *path, uint64_t *inode);
static bool has_more(int input);
static void mark(uint64_t inode);
static void report_cut(const struct drain *drain);
static bool is_cut(const struct pipe *pipe, const struct drain *drain);

bool may_drain(const struct job *job) {
    return job->phases[PART_VERDICT] != VERDICT_KILLED && job->has_children && job->plan.drain_timeout_ms > 0;
}

void begin_to_drain(struct job *job) {
    int64_t now = clock_ns(), deadline = now + job->plan.drain_timeout_ms * NS_PER_MS, timeout_at = job->due_at[TIMER_TIMEOUT];
    job->drain = (struct drain){.begun_at = now, .cause = timeout_at < deadline ? "timeout" : "drain"};
    job->due_at[TIMER_TIMEOUT] = NEVER;
    job->due_at[TIMER_DEADLINE] = earlier(deadline, timeout_at);
    job->due_at[TIMER_CHECK] = now + QUIET_NS;
    output_drain(0); // a pipe may have reached its end, which was not noticed yet
}

bool is_at_work(void) {
    return output_is_blocked() || clock_ns() < output_last_at() + QUIET_NS || find_workers();
}

void drain_later(struct job *job) {
    int64_t now = clock_ns(), quiet_at = output_last_at() + QUIET_NS;
    job->due_at[TIMER_CHECK] = now < quiet_at ? quiet_at : now + QUIET_NS;
}

void cut_by_terminate(struct job *job) {
    end_now(job, "terminate");
}

void cut_by_kill(struct job *job) {
    end_now(job, "kill");
}

static void end_now(struct job *job, const char *cause) {
    job->drain.cause = cause;
    job->due_at[TIMER_DEADLINE] = clock_ns();
}

void cut(struct job *job) {
    (void)find_workers();
    report_cut(&job->drain);
    finish(job);
}

/** Marks the pipes of which a writer is at work. Returns whether there is one. */
static bool find_workers(void) {
    for (struct pipe *pipe = NULL; (pipe = pipes_next(pipe)) != NULL;) {
        struct stat information;
        pipe->has_worker = false;
        if (pipe->inode == 0 && fstat(pipe->fd, &information) == 0) pipe->inode = information.st_ino;
    }
    (void)visit_descendants(check);
    for (struct pipe *pipe = NULL; (pipe = pipes_next(pipe)) != NULL;) {
        if (pipe->has_worker) return true;
    }
    return false;
}

/** States as in proc(5): R runs or could run, D waits for a disk. A process with input has bytes to read, or will see their end. */
static void check(pid_t thread, char state) {
    if (state != 'R' && state != 'D' && !has_input(thread)) return;
    for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; stream++) {
        char path[32];
        uint64_t inode;
        if (snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)thread, stream) < 0) return;
        if (is_fifo(AT_FDCWD, path, &inode)) mark(inode);
    }
}

/** Checks the type before it opens the file, because opening a device may have effects. */
static bool has_input(pid_t thread) {
    char path[32];
    if (snprintf(path, sizeof path, "/proc/%d/fd/0", (int)thread) < 0) return false;
    int found = open(path, O_PATH | O_CLOEXEC);
    if (found < 0) return false;
    uint64_t inode;
    bool is_ready = false;
    if (is_fifo(found, "", &inode) && snprintf(path, sizeof path, "/proc/self/fd/%d", found) > 0) {
        int input = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        is_ready = input >= 0 && has_more(input);
        if (input >= 0) (void)close(input);
    }
    (void)close(found);
    return is_ready;
}

/** Does not use stat(2), which may wait for a file system that does not answer. */
static bool is_fifo(int at, const char *path, uint64_t *inode) {
    struct statx information;
    if (statx(at, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &information) != 0) return false;
    *inode = information.stx_ino;
    return S_ISFIFO(information.stx_mode);
}

/** tee(2) consumes nothing. It fails if the pipe is empty and has writers, and returns 0 at its end. */
static bool has_more(int input) {
    int copy[2];
    if (pipe2(copy, O_CLOEXEC) != 0) return false;
    bool is_ready = tee(input, copy[1], 1, SPLICE_F_NONBLOCK) >= 0;
    (void)close(copy[0]);
    (void)close(copy[1]);
    return is_ready;
}

static void mark(uint64_t inode) {
    for (struct pipe *pipe = NULL; (pipe = pipes_next(pipe)) != NULL;) {
        if (pipe->inode == inode) pipe->has_worker = true;
    }
}

/** Adds a line for each step whose output may be incomplete, but none while the disk is full: the job's end needs the room. */
static void report_cut(const struct drain *drain) {
    uint32_t reported = 0;
    for (struct pipe *pipe = NULL; status_is_written() && (pipe = pipes_next(pipe)) != NULL;) {
        if (pipe->step == reported || !is_cut(pipe, drain)) continue;
        reported = pipe->step;
        status_line("cut %u %lld %s\n", pipe->step, (long long)wall_ns(), drain->cause);
    }
}

static bool is_cut(const struct pipe *pipe, const struct drain *drain) {
    return pipe->has_worker || (pipe->last_at > drain->begun_at && pipe->last_at > clock_ns() - QUIET_NS);
}
