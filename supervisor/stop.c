#include "stop.h"

#include "cgroup.h"
#include "processes.h"
#include "finalize.h"
#include "status.h"

#include <signal.h>

enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 100, LONGEST_WAITING_PAUSE_MS = 1000 };
// Jobs mostly end at once, and looking for who has left the cgroup takes a look at every process of the box.
enum { STRAYS_AFTER_MS = 50, KILL_STRAYS_AFTER_MS = 8 };

static void stop_job(struct job *job, const char *cause);
static void begin(struct job *job, int64_t deadline);
static void signal_all(struct job *job);
static void signal_step_now(struct job *job);
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
    signal_all(job); // whoever it misses gets SIGKILL after the grace
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
    // In the midst of making a container it can end in good order; what has not ended by then is killed.
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
    // Last: what a client leaves when it ends looks like the job's own.
    if (has_client(job)) signal_step_now(job);
}

void stop_strays(struct job *job) {
    bool is_container = job->at.step.finalize_arguments > 0;
    if (!is_container || has_client(job)) (void)signal_strays(job->plan.cgroup, job->plan.stop_signal, excluded_of(job));
}

/** Sent before its command was executed, it found a process that still ignored it. */
void signal_again(struct job *job) {
    if (has_client(job) && job->at.step.streams != NULL) finalize_call_off(job); // what was sent to the command waits for it
    else signal_step_now(job);
}

/** Once: an engine's client would take a SIGCONT for another signal to be passed on. */
static void signal_step_now(struct job *job) {
    if (has_client(job)) finalize_stop(job, job->plan.stop_signal);
    else (void)signal_step(job->running.process.pid, job->plan.stop_signal);
}

/** The children tell by themselves when the last of them ends; of a step's session we have to ask. */
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

/** A container first, while its client can tell how it ended. */
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

/** Whoever the record names has had its SIGKILL, or may not get it: looks at every process of the box are then less worth their cost. */
static void check_again(struct job *job) {
    int64_t longest = (int64_t)(job->waiting.named.pid != 0 ? LONGEST_WAITING_PAUSE_MS : LONGEST_PAUSE_MS) * NS_PER_MS;
    job->due_at[TIMER_CHECK] = clock_ns() + job->stop.pause;
    if (job->stop.pause < longest) job->stop.pause *= 2;
}

/** While the disk is full the lines that are kept must be few: those of the end have to find room. */
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
