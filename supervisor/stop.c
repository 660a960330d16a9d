#include "cgroup.h"
#include "clock.h"
#include "job.h"
#include "processes.h"
#include "settle.h"
#include "status.h"

#include <signal.h>

enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 100, LONGEST_WAITING_PAUSE_MS = 1000 };
// Jobs mostly end at once, and looking for who has left the cgroup takes a look at every process of the box.
enum { STRAYS_AFTER_MS = 50, KILL_STRAYS_AFTER_MS = 8 };

static void signal_all(struct job *job);
static void begin(struct job *job, bool of_job, int64_t kill_at);
static bool is_gone(struct job *job);
static void kill_round(struct job *job);
static void tell_waiting(const struct job *job);
static int64_t longest_pause(const struct job *job);
static void signal_running(struct job *job, int signal);
static struct spared spared_of(const struct job *job);

void stop_job(struct job *job, const char *cause) {
    job_settle_start(job);
    status_line("stop %lld %s\n", (long long)wall_ns(), cause);
    job->is_stopped = true;
    begin(job, true, clock_ns() + job->plan.stop_timeout_ms * NS_PER_MS);
    signal_all(job); // whoever it misses gets SIGKILL after the grace
}

void kill_job(struct job *job) {
    if (job->is_killed) return;
    job_settle_start(job);
    status_line("stop %lld kill\n", (long long)wall_ns());
    job->is_stopped = job->is_killed = true;
    begin(job, true, clock_ns());
    settle_at_once(job);
    // In the midst of making a container it can end in good order; what has not ended by then is killed.
    if (has_client(job)) settle_call_off(job);
}

void stop_step(struct job *job) {
    job_settle_start(job);
    status_line("expire %u %lld\n", job->at.number, (long long)wall_ns());
    job->is_expired = true;
    begin(job, false, clock_ns() + job->plan.stop_timeout_ms * NS_PER_MS);
    signal_running(job, job->plan.stop_signal);
}

void stop_again(struct job *job) {
    if (has_client(job) && job->at.step.streams != NULL) settle_call_off(job); // what was sent to the command waits for it
    else signal_running(job, job->plan.stop_signal);
}

void end_leftovers(struct job *job) {
    begin(job, true, clock_ns());
}

static void signal_all(struct job *job) {
    if (job->cgroup < 0 || signal_members(job->cgroup, job->plan.cgroup, job->plan.stop_signal) < 0) {
        (void)signal_descendants(job->plan.stop_signal, spared_of(job));
    } else {
        job->stop.strays_at = clock_ns() + (int64_t)STRAYS_AFTER_MS * NS_PER_MS;
    }
    // Last: what a client leaves when it ends looks like the job's own.
    if (has_client(job)) signal_running(job, job->plan.stop_signal);
}

static void begin(struct job *job, bool of_job, int64_t kill_at) {
    int64_t pause = (int64_t)FIRST_PAUSE_MS * NS_PER_MS;
    job->stop = (struct stop){.is_active = true, .of_job = of_job, .kill_at = kill_at, .strays_at = NEVER, .look_at = clock_ns(), .pause = pause};
    job->step_timeout_at = NEVER;
}

bool stop_goes_on(struct job *job) {
    struct stop *stop = &job->stop;
    if (!stop->is_active) return false;
    if (stop->of_job) job_reap(job);
    int64_t now = clock_ns();
    if (!stop->is_killing && now >= stop->kill_at) {
        stop->is_killing = true;
        stop->look_at = now;
        stop->pause = (int64_t)FIRST_PAUSE_MS * NS_PER_MS;
        waiting_begin(&job->waiting);
    }
    if (!stop->is_killing && now >= stop->strays_at) {
        stop->strays_at = NEVER;
        bool is_container = job->at.step.settle_arguments > 0;
        if (!is_container || has_client(job)) (void)signal_strays(job->plan.cgroup, job->plan.stop_signal, spared_of(job));
    }
    bool is_due = now >= stop->look_at;
    // The children tell by themselves when the last of them ends; of a step's session we have to ask.
    bool can_tell = stop->of_job || (is_due && !job->is_running);
    if (can_tell && is_gone(job)) {
        stop->is_active = false;
        if (job->waiting.named.pid != 0) {
            job->waiting.named = (struct holdout){0};
            tell_waiting(job);
        }
        return false;
    }
    if (!is_due) return true;
    if (stop->is_killing) kill_round(job);
    stop->look_at = now + stop->pause;
    if (stop->pause < longest_pause(job)) stop->pause *= 2;
    return true;
}

int64_t stop_due_at(const struct job *job) {
    const struct stop *stop = &job->stop;
    if (!stop->is_active) return NEVER;
    if (stop->is_killing) return stop->look_at;
    int64_t due = earlier(stop->kill_at, stop->strays_at);
    return stop->of_job || job->is_running ? due : earlier(due, stop->look_at);
}

/** The job's processes are all descendants of their subreaper: with no child left, none of them is. */
static bool is_gone(struct job *job) {
    if (job->stop.of_job) return !job->has_children;
    if (job->at.step.settle_arguments > 0) return !job->is_running;
    return signal_step(job->pid, 0) == 0;
}

/** A container first, while its client can tell how it ended. */
static void kill_round(struct job *job) {
    bool is_spared = settle_living(job);
    if (job->stop.of_job) {
        cgroup_kill(job->cgroup);
        bool is_quick = job->cgroup >= 0 && job->stop.pause < (int64_t)KILL_STRAYS_AFTER_MS * NS_PER_MS;
        struct spared spared = {.client = is_spared ? job->pid : 0, .settler = job->settle.pid};
        if (is_quick) return;
        (void)signal_descendants(SIGKILL, spared);
    } else if (!is_spared) {
        (void)signal_step(job->pid, SIGKILL);
    } else {
        return;
    }
    // While the disk is full the lines that are kept must be few: those of the end have to find room.
    if (status_is_written() && waiting_has_news(&job->waiting)) tell_waiting(job);
}

static void tell_waiting(const struct job *job) {
    char line[WAITING_LINE_BYTES];
    if (waiting_line(&job->waiting, line) > 0) status_line("%s", line);
}

/** Whoever the record names has had its SIGKILL, or may not get it: looks at every process of the box are then less worth their cost. */
static int64_t longest_pause(const struct job *job) {
    return (int64_t)(job->waiting.named.pid != 0 ? LONGEST_WAITING_PAUSE_MS : LONGEST_PAUSE_MS) * NS_PER_MS;
}

/** Once: an engine's client would take a SIGCONT for another signal to be passed on. */
static void signal_running(struct job *job, int signal) {
    if (has_client(job)) settle_stop(job, signal);
    else (void)signal_step(job->pid, signal);
}

static struct spared spared_of(const struct job *job) {
    return (struct spared){.client = has_client(job) ? job->pid : 0, .settler = job->settle.pid};
}
