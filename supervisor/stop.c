#include "stop.h"

#include "cgroup.h"
#include "processes.h"
#include "finalize.h"
#include "status.h"

#include <signal.h>

enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 100, LONGEST_WAITING_PAUSE_MS = 1000 };
// Most jobs end at once, and searching for processes that have left the cgroup reads every process of the machine.
enum { STRAYS_AFTER_MS = 50, KILL_STRAYS_AFTER_MS = 8 };

static void stop_job(struct job *job, const char *cause);
static void begin(struct job *job, int64_t deadline);
static void signal_all(struct job *job);
static void signal_step_now(struct job *job);
static void send(struct job *job, int signal);
static void check_again(struct job *job);
static void name_holdout(struct job *job);
static void report_waiting(const struct job *job);
static struct excluded excluded_of(const struct job *job);

void terminate(struct job *job) {
    stop_job(job, "terminate");
}

void time_out(struct job *job) {
    stop_job(job, "timeout");
}

void idle_out(struct job *job) {
    stop_job(job, "idle");
}

static void stop_job(struct job *job, const char *cause) {
    step_announce(job);
    status_line("stop %lld %s\n", (long long)wall_ns(), cause);
    happen(job, ON_VERDICT_STOP);
    job->due_at[TIMER_TIMEOUT] = NEVER;
    begin(job, clock_ns() + job->plan.stop_timeout_ms * NS_PER_MS);
    signal_all(job); // a process that it misses gets SIGKILL after the grace period
}

void stop_step(struct job *job) {
    begin(job, clock_ns() + job->plan.stop_timeout_ms * NS_PER_MS);
    signal_step_now(job);
}

void kill_job(struct job *job) {
    step_announce(job);
    status_line("stop %lld kill\n", (long long)wall_ns());
    happen(job, ON_VERDICT_KILL);
    job->due_at[TIMER_TIMEOUT] = NEVER;
    begin_to_kill(job);
    happen(job, ON_CONTAINER_HURRY);
    // A client that is creating a container can still cancel that. It is killed if it does not end.
    if (has_client(job)) finalize_call_off(job);
}

void begin_to_kill(struct job *job) {
    begin(job, NEVER);
    job->due_at[TIMER_CHECK] = clock_ns();
    waiting_begin(&job->waiting);
}

static void begin(struct job *job, int64_t deadline) {
    job->stop = (struct stop){.pause = (int64_t)FIRST_PAUSE_MS * NS_PER_MS};
    job->due_at[TIMER_STEP_TIMEOUT] = job->due_at[TIMER_CHECK] = NEVER;
    job->due_at[TIMER_DEADLINE] = deadline;
}

static void signal_all(struct job *job) {
    int signal = job->plan.stop_signal;
    if (job->cgroup < 0 || signal_members(job->cgroup, job->plan.cgroup, signal) < 0) (void)signal_descendants(signal, excluded_of(job));
    else job->due_at[TIMER_CHECK] = clock_ns() + (int64_t)STRAYS_AFTER_MS * NS_PER_MS;
    // Last, because processes that a client leaves when it ends look like the job's own.
    if (has_client(job)) signal_step_now(job);
}

void stop_strays(struct job *job) {
    bool is_container = job->at.step.finalize_arguments > 0;
    if (!is_container || has_client(job)) (void)signal_strays(job->plan.cgroup, job->plan.stop_signal, excluded_of(job));
}

/** The exec succeeded after the stop signal was sent: the process ignored the signal before its exec, so it is sent again. */
void signal_again(struct job *job) {
    if (has_client(job) && job->at.step.streams != NULL) finalize_call_off(job); // the signal waits in the FIFO for the container's command
    else signal_step_now(job);
    send_kept_signals(job);
}

/** A signal that the job's user asked for. A process without its command would ignore it, so it is kept until the exec. */
void send_signal(struct job *job) {
    bool is_waiting = job->phases[PART_STEP] == STEP_STARTING || job->phases[PART_STEP] == STEP_REPORTED;
    if (is_waiting) job->running.kept_signals |= UINT64_C(1) << (job->signal - 1);
    else if (job->phases[PART_STEP] == STEP_RUNNING) send(job, job->signal);
}

void send_kept_signals(struct job *job) {
    uint64_t kept = job->running.kept_signals;
    job->running.kept_signals = 0;
    for (int signal = 1; kept != 0; signal++, kept >>= 1) {
        if ((kept & 1) != 0) send(job, signal);
    }
}

static void send(struct job *job, int signal) {
    if (has_client(job)) finalize_signal(job, signal);
    else (void)signal_step_plainly(job->running.process.pid, signal);
}

/** A client gets no SIGCONT after the signal, because it would pass that on as another signal. */
static void signal_step_now(struct job *job) {
    if (has_client(job)) finalize_stop(job, job->plan.stop_signal);
    else (void)signal_step(job->running.process.pid, job->plan.stop_signal);
}

/** The kernel reports when the last child has ended. Whether a step's session has ended must be checked. */
bool is_step_gone(const struct job *job) {
    if (has_process(job)) return false;
    return job->at.step.finalize_arguments > 0 || signal_step(job->running.process.pid, 0) == 0;
}

void check_now(struct job *job) {
    job->due_at[TIMER_CHECK] = clock_ns();
}

void check_later(struct job *job) {
    check_again(job);
}

/** Ends a container first, while its client can still report how the container ended. */
void kill_step(struct job *job) {
    if (!finalize_active(job)) {
        (void)signal_step(job->running.process.pid, SIGKILL);
        name_holdout(job);
    }
    check_again(job);
}

void kill_all(struct job *job) {
    bool is_excluded = finalize_active(job);
    struct excluded excluded = {.client = is_excluded ? job->running.process.pid : 0, .finalizer = job->finalize.pid};
    cgroup_kill(job->cgroup);
    bool is_enough = job->cgroup >= 0 && job->stop.pause < (int64_t)KILL_STRAYS_AFTER_MS * NS_PER_MS;
    if (!is_enough) {
        (void)signal_descendants(SIGKILL, excluded);
        name_holdout(job);
    }
    check_again(job);
}

/** While the record names a process that SIGKILL does not end, checks are less useful, so they may be rarer. */
static void check_again(struct job *job) {
    int64_t longest = (int64_t)(job->waiting.named.pid != 0 ? LONGEST_WAITING_PAUSE_MS : LONGEST_PAUSE_MS) * NS_PER_MS;
    job->due_at[TIMER_CHECK] = clock_ns() + job->stop.pause;
    if (job->stop.pause < longest) job->stop.pause *= 2;
}

/** Adds no line while the disk is full, because the lines in memory must be few: those of the job's end need room. */
static void name_holdout(struct job *job) {
    if (status_is_written() && waiting_has_news(&job->waiting)) report_waiting(job);
}

static void report_waiting(const struct job *job) {
    char line[WAITING_LINE_BYTES];
    if (waiting_line(&job->waiting, line) > 0) status_line("%s", line);
}

void end_stop(struct job *job) {
    job->due_at[TIMER_DEADLINE] = job->due_at[TIMER_CHECK] = NEVER;
    if (job->waiting.named.pid == 0) return;
    job->waiting.named = (struct holdout){0};
    report_waiting(job);
}

static struct excluded excluded_of(const struct job *job) {
    return (struct excluded){.client = has_client(job) ? job->running.process.pid : 0, .finalizer = job->finalize.pid};
}
