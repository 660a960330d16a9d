#include "job.h"

#include "drain.h"
#include "output.h"
#include "finalize.h"
#include "status.h"
#include "stop.h"

enum { STATUS_RETRY_MS = 200 };

static const enum event timer_events[TIMERS] = {
    [TIMER_TIMEOUT] = ON_JOB_TIMEOUT,   [TIMER_STEP_TIMEOUT] = ON_JOB_STEP_TIMEOUT, [TIMER_DEADLINE] = ON_JOB_DEADLINE,
    [TIMER_CHECK] = ON_JOB_CHECK,         [TIMER_COMMAND] = ON_CONTAINER_DUE,         [TIMER_DISK] = ON_DISK_DEADLINE,
};

static bool is_gone(const struct job *job);
static enum event due_event(struct job *job);
static enum event check(struct job *job);
static int64_t idle_at(const struct job *job);
static bool is_step_finished(const struct job *job);
static enum event progress(struct job *job);
static enum event next_event(struct job *job);
static enum event wait_for_disk(const struct job *job);

enum event job_news(struct job *job) {
    bool is_taking = job->phases[PART_DISK] == DISK_TAKING;
    if (output_is_blocked() == is_taking) return is_taking ? ON_DISK_REFUSED : ON_DISK_FREED;
    if (job->phases[PART_STEP] == STEP_FINISHED && job->phases[PART_CONTAINER] == CONTAINER_NONE) return ON_STEP_FINALIZED;
    if (is_gone(job)) return ON_JOB_GONE;
    enum event due = due_event(job);
    return due == NO_EVENT ? progress(job) : due;
}

int64_t job_due_at(const struct job *job) {
    int64_t due = earlier(earlier(idle_at(job), job->running.process.check_at), earlier(output_due_at(), status_ring_at()));
    for (enum timer timer = 0; timer < TIMERS; timer++) due = earlier(due, job->due_at[timer]);
    return status_is_written() ? due : earlier(due, clock_ns() + (int64_t)STATUS_RETRY_MS * NS_PER_MS);
}

/**
 * All processes of the job descend from this process, their subreaper. So if no child is left, none of them is. Whether a step's session is
 * gone has to be checked: see check().
 */
static bool is_gone(const struct job *job) {
    switch (job->phases[PART_JOB]) {
    case JOB_STOPPING:
    case JOB_KILLING:
    case JOB_FINISHING: return !job->has_children;
    case JOB_DRAINING: return !job->has_children || !output_is_open();
    default: return false;
    }
}

static enum event due_event(struct job *job) {
    int64_t now = clock_ns();
    for (enum timer timer = 0; timer < TIMERS; timer++) {
        if (timer == TIMER_STEP_TIMEOUT && now >= idle_at(job)) return ON_JOB_IDLE;
        if (now < job->due_at[timer]) continue;
        job->due_at[timer] = NEVER;
        if (timer == TIMER_CHECK) return check(job);
        if (timer == TIMER_COMMAND) return finalize_due(job);
        return timer_events[timer];
    }
    return NO_EVENT;
}

/** Checks that cost too much to make them after every event. */
static enum event check(struct job *job) {
    switch (job->phases[PART_JOB]) {
    case JOB_STOPPING_STEP:
    case JOB_KILLING_STEP: return is_step_gone(job) ? ON_JOB_GONE : ON_JOB_CHECK;
    case JOB_DRAINING: return is_at_work() ? ON_JOB_CHECK : ON_JOB_GONE;
    default: return ON_JOB_CHECK;
    }
}

/** When the job counts as idle. A job that waits for the disk does not. */
static int64_t idle_at(const struct job *job) {
    enum phase verdict = job->phases[PART_VERDICT];
    bool is_stopped = verdict == VERDICT_STOPPED || verdict == VERDICT_KILLED;
    if (job->plan.idle_timeout_ms == 0 || is_stopped || !has_process(job) || output_is_blocked()) return NEVER;
    int64_t since = output_last_at() > job->running.started_at ? output_last_at() : job->running.started_at;
    return since + job->plan.idle_timeout_ms * NS_PER_MS;
}

static enum event progress(struct job *job) {
    switch (job->phases[PART_JOB]) {
    case JOB_STEP: return is_step_finished(job) ? ON_JOB_STEP_FINISHED : NO_EVENT;
    case JOB_BETWEEN: return next_event(job);
    case JOB_CLOSING:
        if (output_is_blocked()) return wait_for_disk(job);
        return output_is_open() ? ON_JOB_CLOSABLE : ON_JOB_CLOSED;
    case JOB_REPORTING: return status_is_written() ? ON_JOB_WRITTEN : NO_EVENT;
    default: return NO_EVENT;
    }
}

static bool is_step_finished(const struct job *job) {
    return job->phases[PART_STEP] == STEP_NONE && job->phases[PART_CONTAINER] == CONTAINER_NONE;
}

/** On a full disk a job also waits between its steps. A stopped job waits for a limited time. */
static enum event next_event(struct job *job) {
    if (!find_next(job)) return may_drain(job) ? ON_JOB_LEFT : ON_JOB_NO_MORE;
    if (!status_is_written()) return NO_EVENT;
    if (!output_is_blocked()) return ON_JOB_NEXT;
    return job->phases[PART_VERDICT] == VERDICT_STOPPED ? wait_for_disk(job) : NO_EVENT;
}

static enum event wait_for_disk(const struct job *job) {
    return job->phases[PART_DISK] == DISK_FULL ? ON_DISK_LIMIT : NO_EVENT;
}
