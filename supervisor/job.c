#include "job.h"

#include "control.h"
#include "output.h"
#include "finalize.h"
#include "signals.h"
#include "status.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>

enum { POLL_CONTROL, POLL_CHILDREN, POLL_OUTPUT, POLL_COUNT };
// A refusal is a bug. A few lines are enough to show it, and leave room on the disk for the job's own lines.
enum { MOST_REFUSALS = 8 };

static void open_job(struct job *job);
static void wait_for_news(struct job *job);
static struct timespec time_until(int64_t due);
static void handle(struct job *job);

void job_run(struct job *job) {
    open_job(job);
    for (;;) {
        output_go_on();
        for (enum event event; (event = job_news(job)) != NO_EVENT;) happen(job, event);
        if (job->phases[PART_JOB] == JOB_DONE) return;
        wait_for_news(job);
    }
}

/** Sets every field, so that nothing of an earlier job is left. */
static void open_job(struct job *job) {
    *job = (struct job){.plan = job->plan, .control = job->control, .children = job->children, .cgroup = job->cgroup};
    for (enum part part = 0; part < PARTS; part++) job->phases[part] = first_phase(part);
    for (enum timer timer = 0; timer < TIMERS; timer++) job->due_at[timer] = NEVER;
    if (job->plan.timeout_ms > 0) job->due_at[TIMER_TIMEOUT] = clock_ns() + job->plan.timeout_ms * NS_PER_MS;
    job->at.next = job->plan.first_step;
    job->running.process.check_at = NEVER;
}

/**
 * Waits, and turns what has arrived into events. Requests come before the ends of processes: a request that has arrived when a step ends
 * was made while the step ran.
 */
static void wait_for_news(struct job *job) {
    struct pollfd entries[POLL_COUNT] = {
        [POLL_CONTROL] = {.fd = job->control, .events = POLLIN},
        [POLL_CHILDREN] = {.fd = job->children, .events = POLLIN},
        [POLL_OUTPUT] = {.fd = output_descriptor(), .events = POLLIN},
    };
    status_ring();
    int64_t due = job_due_at(job);
    struct timespec timeout = time_until(due);
    int ready = ppoll(entries, POLL_COUNT, due == NEVER ? NULL : &timeout, NULL);
    step_ask(job);
    if (ready <= 0) return;
    if (entries[POLL_OUTPUT].revents != 0) output_handle();
    if (entries[POLL_CONTROL].revents != 0) handle(job);
    if (entries[POLL_CHILDREN].revents != 0) {
        signals_clear(job->children);
        job_reap(job);
    }
}

static struct timespec time_until(int64_t due) {
    int64_t rest = due - clock_ns();
    if (rest < 0) rest = 0;
    return (struct timespec){.tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000};
}

static void handle(struct job *job) {
    for (struct request request; (request = control_read(job->control)).kind != REQUEST_NONE;) {
        if (request.kind == REQUEST_SIGNAL) {
            job->signal = request.signal;
            happen(job, ON_JOB_SIGNAL);
            continue;
        }
        enum phase verdict = job->phases[PART_VERDICT];
        bool is_stopped = verdict == VERDICT_STOPPED || verdict == VERDICT_KILLED;
        if (request.kind == REQUEST_KILL) happen(job, verdict == VERDICT_KILLED ? ON_JOB_KILL_AGAIN : ON_JOB_KILL);
        else happen(job, is_stopped && !has_process(job) ? ON_JOB_TERMINATE_AGAIN : ON_JOB_TERMINATE);
    }
}

void job_reap(struct job *job) {
    for (;;) {
        int wait_status;
        struct rusage usage;
        pid_t pid = wait4(-1, &wait_status, WNOHANG, &usage);
        job->has_children = pid >= 0 || errno != ECHILD;
        if (pid <= 0) return;
        if (has_process(job) && pid == job->running.process.pid) step_ended(job, wait_status, &usage);
        else if (pid == job->finalize.pid) finalize_ended(job);
    }
}

void refuse(struct job *job, enum phase phase, enum event event) {
    job->refusals += 1;
    if (job->refusals > MOST_REFUSALS) return;
    status_line("refused %lld %s %s %s\n", (long long)wall_ns(), part_name(part_of_event(event)), phase_name(phase), event_name(event));
}
