#include "job.h"

#include "cgroup.h"
#include "clock.h"
#include "control.h"
#include "drain.h"
#include "output.h"
#include "settle.h"
#include "signals.h"
#include "status.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_RETRY_MS = 200 };
enum { POLL_CONTROL, POLL_CHILDREN, POLL_OUTCOME, POLL_OUTPUT, POLL_COUNT };

static bool advance(struct job *job);
static bool start_next(struct job *job);
static bool find_next(const struct job *job, struct place *place);
static bool is_to_run(const struct job *job, const struct plan_step *step);
static void start_step(struct job *job);
static int open_pipes(const struct job *job, struct step_pipes *pipes);
static void could_not_start(struct job *job, struct step_failure failure);
static void tell_start(struct job *job);
static bool is_waiting_for_disk(struct job *job);
static void begin_to_finish(struct job *job);
static bool is_finished(struct job *job);
static void check_timeouts(struct job *job);
static int64_t idle_timeout_at(const struct job *job);
static int64_t next_due_at(const struct job *job);
static void wait_for_news(struct job *job);
static void obey(struct job *job);
static void learn_outcome(struct job *job);
static void take_outcome(struct job *job, enum step_news news);
static void end_step(struct job *job, int wait_status, const struct rusage *usage);
static void tell_end(struct job *job);
static long long microseconds(struct timeval time);

void job_run(struct job *job) {
    job->process.outcome = -1;
    job->at.next = job->plan.first_step;
    job->step_timeout_at = job->give_up_at = job->timeout_at = job->settle.due_at = NEVER;
    if (job->plan.timeout_ms > 0) job->timeout_at = clock_ns() + job->plan.timeout_ms * NS_PER_MS;
    while (advance(job)) wait_for_news(job);
}

/** Does all that can be done now; false: the job is over. */
static bool advance(struct job *job) {
    output_retry();
    check_timeouts(job);
    for (;;) {
        bool is_stopping = stop_goes_on(job);
        if (settle_goes_on(job) || is_stopping || job->is_running) return true;
        if (job->is_finishing) return !is_finished(job);
        if (!start_next(job)) return true;
    }
}

/** Whether something was done: a step was started, or could not be, or there is none, nor more of their output, and the job's end was begun. */
static bool start_next(struct job *job) {
    struct place place;
    if (!find_next(job, &place)) {
        if (drain_goes_on(job)) return false;
        begin_to_finish(job);
        return true;
    }
    // On a full disk a job waits, between its steps too; one that was stopped does not wait for ever.
    if (!status_is_written() || (output_is_blocked() && (!job->is_stopped || is_waiting_for_disk(job)))) return false;
    job->at = place;
    start_step(job);
    return true;
}

static bool find_next(const struct job *job, struct place *place) {
    *place = job->at;
    while ((place->next = plan_next_step(&job->plan, place->next, &place->step)) != NULL) {
        place->number++;
        if (is_to_run(job, &place->step)) return true;
    }
    return false;
}

static bool is_to_run(const struct job *job, const struct plan_step *step) {
    if (job->is_killed) return false;
    switch (step->run_on) {
    case RUN_ON_SUCCESS: return !job->is_stopped && !job->has_failed;
    case RUN_ON_FAILURE: return !job->is_stopped && job->has_failed;
    case RUN_ON_ALWAYS: return true;
    }
    return false;
}

static void start_step(struct job *job) {
    const struct plan_step *step = &job->at.step;
    struct step_pipes pipes;
    job->started_wall_ns = wall_ns();
    job->started_at = clock_ns();
    job->is_start_told = job->is_expired = job->could_not_start = false;
    job->settle = (struct settle){.due_at = NEVER};
    int error = open_pipes(job, &pipes);
    if (error != 0) {
        could_not_start(job, (struct step_failure){STAGE_PIPES, error});
        return;
    }
    job->streams = pipes.streams;
    const char *stdin_name = job->at.number == 1 ? job->plan.stdin_name : NULL;
    enum step_news news = step_start(&job->plan, step, stdin_name, job->cgroup, &pipes, &job->process);
    if (job->process.pid == 0) {
        could_not_start(job, job->process.failure); // the pipes are found at their end
        settle_over(job);
        return;
    }
    job->is_running = true;
    job->pid = job->process.pid;
    job->step_timeout_at = step->timeout_ms > 0 ? job->started_at + step->timeout_ms * NS_PER_MS : NEVER;
    take_outcome(job, news);
}

/** All that a step needs of us is there before anything of it runs: no pipe is ever closed under who writes to it. */
static int open_pipes(const struct job *job, struct step_pipes *pipes) {
    int error = step_open_pipes(&job->at.step, pipes);
    if (error != 0) return error;
    error = output_add_pipes(job->at.number, pipes->output[0], pipes->error[0]);
    if (error != 0) step_close_pipes(&job->at.step, pipes);
    return error;
}

static void could_not_start(struct job *job, struct step_failure failure) {
    status_line("fail %u %lld %s %d\n", job->at.number, (long long)wall_ns(), step_stage_name(failure.stage), failure.error);
    if (!job->at.step.ignore_error) job->has_failed = true;
}

static void tell_start(struct job *job) {
    if (!job->is_running || job->is_start_told) return;
    job->is_start_told = true;
    status_line("start %u %d %lld\n", job->at.number, (int)job->pid, (long long)job->started_wall_ns);
}

void job_settle_start(struct job *job) {
    learn_outcome(job);
    tell_start(job);
}

static void learn_outcome(struct job *job) {
    if (job->process.outcome >= 0) take_outcome(job, step_learn(&job->process));
}

/** The new process has executed the step's command, or says why it cannot. */
static void take_outcome(struct job *job, enum step_news news) {
    job->could_not_start = news == STEP_FAILED;
    if (news != STEP_EXECUTED) return;
    tell_start(job);
    // Sent before, it found a process that still ignored it.
    if (job->stop.is_active && !job->stop.is_killing) stop_again(job);
}

void job_reap(struct job *job) {
    for (;;) {
        int wait_status;
        struct rusage usage;
        pid_t pid = wait4(-1, &wait_status, WNOHANG, &usage);
        job->has_children = pid >= 0 || errno != ECHILD;
        if (pid <= 0) return;
        if (job->is_running && pid == job->pid) end_step(job, wait_status, &usage);
        else if (pid == job->settle.pid) settle_ended(job);
        if (job->end.is_untold && !job->settle.is_needed && job->settle.pid == 0) tell_end(job);
    }
}

static void end_step(struct job *job, int wait_status, const struct rusage *usage) {
    learn_outcome(job);
    job->is_running = false;
    job->step_timeout_at = NEVER;
    streams_let_go(&job->streams);
    output_drain(job->at.number);
    if (job->could_not_start) {
        settle_over(job);
        could_not_start(job, job->process.failure);
        return;
    }
    job->end = (struct end){.is_untold = true, .wait_status = wait_status, .wall_ns = wall_ns(), .usage = *usage};
    settle_client_ended(job, wait_status);
}

static void tell_end(struct job *job) {
    int wait_status = job->end.wait_status;
    const struct rusage *usage = &job->end.usage;
    job->end.is_untold = false;
    settle_over(job);
    status_line("end %u %lld %d %lld %lld %ld %llu\n", job->at.number, (long long)job->end.wall_ns, wait_status,
                microseconds(usage->ru_utime), microseconds(usage->ru_stime), usage->ru_maxrss, (unsigned long long)output_step_bytes());
    if ((wait_status != 0 || job->is_expired) && !job->at.step.ignore_error) job->has_failed = true;
}

/** Only to be asked when nothing is left that could write. Bytes that the disk refuses for the length of a grace are given up. */
static bool is_waiting_for_disk(struct job *job) {
    if (!output_is_blocked()) return false;
    if (job->give_up_at == NEVER) job->give_up_at = clock_ns() + job->plan.stop_timeout_ms * NS_PER_MS;
    if (clock_ns() < job->give_up_at) return true;
    output_give_up();
    job->give_up_at = NEVER;
    return false;
}

static void begin_to_finish(struct job *job) {
    job->is_finishing = true;
    job->timeout_at = job->give_up_at = NEVER;
    end_leftovers(job);
}

static bool is_finished(struct job *job) {
    if (!job->is_done_told) {
        settle_forgotten(job);
        output_drain(0);
        output_close_pipes();
        if (is_waiting_for_disk(job)) return false;
        job->is_done_told = true;
        status_line("done %lld %llu %llu\n", (long long)wall_ns(), (unsigned long long)output_bytes(),
                    (unsigned long long)output_lost_bytes());
    }
    if (!status_is_written()) return false;
    status_ring();
    if (job->cgroup >= 0) cgroup_remove(job->plan.cgroup);
    return true;
}

static void check_timeouts(struct job *job) {
    if (job->is_finishing || drain_is_begun(job)) return;
    int64_t now = clock_ns();
    if (!job->is_stopped && now >= job->timeout_at) stop_job(job, "timeout");
    else if (now >= idle_timeout_at(job)) stop_job(job, "idle");
    else if (now >= job->step_timeout_at) stop_step(job);
}

/** A job that waits for the disk is not idle. */
static int64_t idle_timeout_at(const struct job *job) {
    if (job->plan.idle_timeout_ms == 0 || !job->is_running || job->is_stopped || output_is_blocked()) return NEVER;
    int64_t since = output_last_at() > job->started_at ? output_last_at() : job->started_at;
    return since + job->plan.idle_timeout_ms * NS_PER_MS;
}

static int64_t next_due_at(const struct job *job) {
    int64_t due = earlier(stop_due_at(job), output_retry_at());
    due = earlier(due, earlier(job->step_timeout_at, idle_timeout_at(job)));
    due = earlier(due, earlier(job->give_up_at, settle_due_at(job)));
    due = earlier(due, earlier(drain_due_at(job), status_ring_at()));
    if (!job->is_stopped) due = earlier(due, job->timeout_at);
    if (!status_is_written()) due = earlier(due, clock_ns() + (int64_t)STATUS_RETRY_MS * NS_PER_MS);
    return due;
}

static void wait_for_news(struct job *job) {
    struct pollfd entries[POLL_COUNT] = {
        [POLL_CONTROL] = {.fd = job->control, .events = POLLIN},
        [POLL_CHILDREN] = {.fd = job->children, .events = POLLIN},
        [POLL_OUTCOME] = {.fd = job->process.outcome, .events = POLLIN},
        [POLL_OUTPUT] = {.fd = output_descriptor(), .events = POLLIN},
    };
    status_ring();
    int64_t due = next_due_at(job);
    int64_t rest = due - clock_ns();
    struct timespec timeout = {.tv_sec = rest > 0 ? rest / 1000000000 : 0, .tv_nsec = rest > 0 ? rest % 1000000000 : 0};
    if (ppoll(entries, POLL_COUNT, due == NEVER ? NULL : &timeout, NULL) <= 0) return;
    if (entries[POLL_OUTPUT].revents != 0) output_handle();
    if (entries[POLL_OUTCOME].revents != 0) learn_outcome(job);
    if (entries[POLL_CONTROL].revents != 0) obey(job);
    if (entries[POLL_CHILDREN].revents != 0) {
        signals_clear(job->children);
        job_reap(job);
    }
}

static void obey(struct job *job) {
    for (enum order order; (order = control_read(job->control)) != ORDER_NONE;) {
        if (job->is_finishing) {
            // Its outcome is decided; all that it may still wait for is the disk.
            if (order == ORDER_KILL && job->give_up_at != NEVER) job->give_up_at = clock_ns();
        } else if (drain_is_begun(job)) {
            drain_end(job, order == ORDER_KILL ? "kill" : "terminate");
        } else if (order == ORDER_KILL) {
            kill_job(job);
        } else if (!(job->stop.is_active && job->stop.of_job) && !(job->is_stopped && !job->is_running)) {
            stop_job(job, "terminate");
        }
    }
}

static long long microseconds(struct timeval time) {
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}
