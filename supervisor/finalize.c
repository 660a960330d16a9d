#include "finalize.h"

#include "processes.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

// The supervisor does not wait longer for an engine that does not answer. The service asks the engine when it answers again.
enum { LONGEST_MS = 30000, RETRY_MS = 200 };
// A client ends at once when its container is gone. If it were killed before, the exit code would be lost.
enum { CLIENT_MS = 500 };
// A process takes a moment to die. A process that sleeps in the kernel for ever is not waited for.
enum { FORGOTTEN_CHECKS = 100, FORGOTTEN_PAUSE_MS = 10 };
// The exit code of docker-run(1) and podman-run(1) if the engine itself failed.
enum { ENGINE_FAILED = 125 };

static bool is_being_ended(const struct job *job);
static void start_command(struct job *job, bool is_awaiting, int64_t due_at);

bool has_client(const struct job *job) {
    return has_process(job) && job->at.step.finalize_arguments > 0;
}

bool finalize_active(struct job *job) {
    if (!has_client(job)) return false;
    happen(job, ON_CONTAINER_END);
    enum phase phase = job->phases[PART_CONTAINER];
    return phase == CONTAINER_ENDING || phase == CONTAINER_CLIENT_GRACE;
}

void finalize_client_ended(struct job *job, int wait_status) {
    if (job->at.step.finalize_arguments == 0) return;
    bool was_lost = WIFSIGNALED(wait_status) || WEXITSTATUS(wait_status) == ENGINE_FAILED;
    bool was_asked = job->phases[PART_CONTAINER] != CONTAINER_ACTIVE;
    job->finalize.grace_until = is_being_ended(job) && job->due_at[TIMER_DEADLINE] != NEVER ? job->due_at[TIMER_DEADLINE] : 0;
    bool may_have_left = is_being_ended(job) || job->running.is_client_signalled;
    happen(job, was_lost || (may_have_left && !was_asked) ? ON_CONTAINER_CLIENT_LOST : ON_CONTAINER_CLIENT_REPORTED);
}

static bool is_being_ended(const struct job *job) {
    return job->phases[PART_JOB] != JOB_STEP;
}

void finalize_client_reported(struct job *job) {
    if (job->at.step.finalize_arguments > 0) happen(job, ON_CONTAINER_CLIENT_REPORTED);
}

/**
 * A container that was created but not started needs no grace period: nobody will start it, and Podman does not end it by a signal.
 */
enum event finalize_due(struct job *job) {
    bool is_owed = job->phases[PART_CONTAINER] == CONTAINER_OWED;
    if (!is_owed || clock_ns() >= job->finalize.grace_until) return ON_CONTAINER_DUE;
    bool may_run = job->at.step.streams == NULL || streams_is_up(&job->running.streams);
    return may_run ? ON_CONTAINER_DUE_IN_GRACE : ON_CONTAINER_DUE;
}

void run_command(struct job *job) {
    start_command(job, false, clock_ns() + (int64_t)LONGEST_MS * NS_PER_MS);
}

void await_container(struct job *job) {
    start_command(job, true, job->finalize.grace_until);
}

static void start_command(struct job *job, bool is_awaiting, int64_t due_at) {
    pid_t pid = step_finalize(&job->plan, &job->at.step, is_awaiting);
    job->has_finalized = true;
    if (pid < 0) {
        happen(job, ON_CONTAINER_UNFORKED);
        return;
    }
    job->finalize.pid = pid;
    job->has_children = true;
    job->due_at[TIMER_COMMAND] = due_at;
}

/** The fork is tried again, because the record must not say that the job ended while a container is left. */
void command_unforked(struct job *job) {
    job->due_at[TIMER_COMMAND] = clock_ns() + (int64_t)RETRY_MS * NS_PER_MS;
}

void owe_command(struct job *job) {
    job->due_at[TIMER_COMMAND] = clock_ns();
}

void finalize_ended(struct job *job) {
    job->finalize.pid = 0;
    happen(job, ON_CONTAINER_ANSWERED);
}

void kill_command(struct job *job) {
    // It leads a group. It was not waited for yet, so the ID is still its own.
    if (job->finalize.pid > 0) (void)kill(-job->finalize.pid, SIGKILL);
}

void forget_grace(struct job *job) {
    job->finalize.grace_until = 0;
}

void cut_await(struct job *job) {
    forget_grace(job);
    job->due_at[TIMER_COMMAND] = NEVER;
    kill_command(job);
}

void give_client_time(struct job *job) {
    job->due_at[TIMER_COMMAND] = clock_ns() + (int64_t)CLIENT_MS * NS_PER_MS;
}

void container_finished(struct job *job) {
    job->due_at[TIMER_COMMAND] = NEVER;
}

void finalize_stop(struct job *job, int signal) {
    bool has_streams = job->at.step.streams != NULL;
    if (has_streams) {
        streams_signal(&job->running.streams, signal);
        streams_signal(&job->running.streams, SIGCONT); // a stopped command would not hear it
    }
    if (has_streams) finalize_call_off(job);
    // the client passes the signal on; but SIGQUIT would end the client itself, with a dump of its stacks
    else (void)kill(job->running.process.pid, signal == SIGQUIT ? SIGTERM : signal);
}

void finalize_signal(struct job *job, int signal) {
    if (job->at.step.streams != NULL) {
        streams_signal(&job->running.streams, signal);
        return;
    }
    job->running.is_client_signalled = true;
    (void)kill(job->running.process.pid, signal); // the client passes it on
}

void finalize_call_off(struct job *job) {
    bool is_up = job->at.step.streams != NULL && streams_is_up(&job->running.streams);
    if (!is_up) (void)kill(job->running.process.pid, SIGTERM);
}

void finalize_finished(struct job *job) {
    if (job->at.step.streams != NULL) streams_close(job->at.step.streams, &job->running.streams);
}

void finalize_forgotten(const struct job *job) {
    if (!job->has_finalized) return;
    for (int checks = 0; checks < FORGOTTEN_CHECKS && signal_marked(&(struct marks){.id = job->plan.id}, SIGKILL) > 0; checks++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)FORGOTTEN_PAUSE_MS * NS_PER_MS}, NULL);
    }
}
