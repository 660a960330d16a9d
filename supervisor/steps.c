#include "job.h"

#include "output.h"
#include "finalize.h"
#include "status.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/** The actions of the part STEP: choosing the next step, its first process, and what is reported about it. */

static bool is_to_run(const struct job *job, const struct plan_step *step);
static int open_pipes(const struct job *job, struct step_pipes *pipes);
static void report_failure(struct job *job);
static void step_failed(struct job *job);
static void handle_news(struct job *job, enum step_news news);
static void process_finished(struct job *job);
static long long microseconds(struct timeval time);

bool find_next(struct job *job) {
    struct place *place = &job->next;
    *place = job->at;
    while ((place->next = plan_next_step(&job->plan, place->next, &place->step)) != NULL) {
        place->number++;
        if (is_to_run(job, &place->step)) return true;
    }
    return false;
}

static bool is_to_run(const struct job *job, const struct plan_step *step) {
    enum phase verdict = job->phases[PART_VERDICT];
    switch (step->run_on) {
    case RUN_ON_SUCCESS: return verdict == VERDICT_WELL;
    case RUN_ON_FAILURE: return verdict == VERDICT_FAILED;
    case RUN_ON_ALWAYS: return verdict != VERDICT_KILLED;
    }
    return false;
}

bool has_process(const struct job *job) {
    switch (job->phases[PART_STEP]) {
    case STEP_STARTING:
    case STEP_REPORTED:
    case STEP_RUNNING:
    case STEP_FAILING: return true;
    default: return false;
    }
}

void start_step(struct job *job) {
    job->at = job->next;
    happen(job, ON_STEP_START);
}

void start_process(struct job *job) {
    const struct plan_step *step = &job->at.step;
    struct running *running = &job->running;
    struct step_pipes pipes;
    *running = (struct running){
        .process = {.check_at = NEVER},
        .started_wall_ns = wall_ns(),
        .started_at = clock_ns(),
        .streams = NO_STREAMS,
    };
    job->finalize = (struct finalize){0};
    int error = open_pipes(job, &pipes);
    if (error != 0) {
        running->process.failure = (struct step_failure){STAGE_PIPES, error};
        happen(job, ON_STEP_UNFORKED);
        return;
    }
    running->streams = pipes.streams;
    enum step_news news = step_start(&job->plan, step, job->at.number == 1 ? job->plan.stdin_name : NULL, job->cgroup, &pipes,
        &running->process);
    if (running->process.pid == 0) { // the reading ends will reach their end, and are closed then
        finalize_finished(job);
        happen(job, ON_STEP_UNFORKED);
        return;
    }
    job->has_children = true;
    if (step->timeout_ms > 0) job->due_at[TIMER_STEP_TIMEOUT] = running->started_at + step->timeout_ms * NS_PER_MS;
    if (step->finalize_arguments > 0) happen(job, ON_CONTAINER_CLIENT);
    handle_news(job, news);
}

/** Everything that a step needs exists before it starts, so a pipe is never closed for lack of a resource while a process writes to it. */
static int open_pipes(const struct job *job, struct step_pipes *pipes) {
    int error = step_open_pipes(&job->at.step, pipes);
    if (error != 0) return error;
    error = output_add_pipes(job->at.number, pipes->output[0], pipes->error[0]);
    if (error != 0) step_close_pipes(&job->at.step, pipes);
    return error;
}

void step_ask(struct job *job) {
    if (job->running.process.check_at != NEVER) handle_news(job, step_learn(&job->running.process));
}

static void handle_news(struct job *job, enum step_news news) {
    if (news == STEP_FAILED) happen(job, ON_STEP_UNEXECUTED);
    if (news != STEP_EXECUTED) return;
    happen(job, ON_STEP_EXECUTED);
    happen(job, ON_JOB_EXECUTED);
}

void step_announce(struct job *job) {
    step_ask(job);
    happen(job, ON_STEP_ANNOUNCE);
}

void step_ended(struct job *job, int wait_status, const struct rusage *usage) {
    step_ask(job); // when the process has ended, its start is known
    job->running.end = (struct end){.wait_status = wait_status, .wall_ns = wall_ns(), .usage = *usage};
    happen(job, ON_STEP_ENDED);
    happen(job, ON_JOB_ENDED);
}

void report_start(struct job *job) {
    status_line("start %u %d %lld\n", job->at.number, (int)job->running.process.pid, (long long)job->running.started_wall_ns);
}

void report_unforked(struct job *job) {
    report_failure(job);
}

void report_unexecuted(struct job *job) {
    process_finished(job);
    finalize_finished(job);
    finalize_client_reported(job);
    report_failure(job);
}

static void report_failure(struct job *job) {
    struct step_failure failure = job->running.process.failure;
    status_line("fail %u %lld %s %d\n", job->at.number, (long long)wall_ns(), step_stage_name(failure.stage), failure.error);
    step_failed(job);
}

void keep_end(struct job *job) {
    process_finished(job);
    finalize_client_ended(job, job->running.end.wait_status);
}

static void process_finished(struct job *job) {
    job->due_at[TIMER_STEP_TIMEOUT] = NEVER;
    streams_let_go(&job->running.streams);
    output_drain(job->at.number);
}

void report_end(struct job *job) {
    const struct end *end = &job->running.end;
    finalize_finished(job);
    status_line("end %u %lld %d %lld %lld %ld %llu\n", job->at.number, (long long)end->wall_ns, end->wait_status,
        microseconds(end->usage.ru_utime),
                microseconds(end->usage.ru_stime), end->usage.ru_maxrss, (unsigned long long)output_step_bytes());
    if (end->wait_status != 0) step_failed(job);
}

static void step_failed(struct job *job) {
    if (!job->at.step.ignore_error) happen(job, ON_VERDICT_FAILURE);
}

void expire_step(struct job *job) {
    step_announce(job);
    status_line("expire %u %lld\n", job->at.number, (long long)wall_ns());
    step_failed(job); // even if it then succeeds
    stop_step(job);
}

static long long microseconds(struct timeval time) {
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}
