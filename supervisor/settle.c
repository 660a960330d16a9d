#include "settle.h"

#include "clock.h"
#include "processes.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

// An engine that does not answer for so long is given up: the service asks it again when it does.
enum { LONGEST_MS = 30000, RETRY_MS = 200 };
// A client ends at once when its container is gone; killed before, it could not tell the exit code.
enum { CLIENT_MS = 500 };
// A process takes a moment to die; one that is asleep in the kernel for good is not waited for.
enum { FORGOTTEN_LOOKS = 100, FORGOTTEN_PAUSE_MS = 10 };
// By docker-run(1) and podman-run(1): the engine itself failed.
enum { ENGINE_FAILED = 125 };

static bool is_needed(const struct job *job, int wait_status);
static void start(struct job *job);

bool has_client(const struct job *job) {
    return job->is_running && job->at.step.settle_arguments > 0;
}

bool settle_living(struct job *job) {
    if (!has_client(job)) return false;
    if (!job->settle.was_run) start(job);
    return job->settle.pid > 0 || clock_ns() < job->settle.spare_until;
}

bool settle_goes_on(struct job *job) {
    struct settle *settle = &job->settle;
    if (clock_ns() >= settle->due_at) {
        settle->due_at = NEVER;
        if (settle->pid > 0) {
            settle->is_needed = settle->is_needed || settle->is_awaiting;
            (void)kill(-settle->pid, SIGKILL); // not waited for yet, so the number is still its; it leads a group
        } else if (settle->is_needed) {
            start(job);
        }
    }
    return settle->pid > 0 || settle->is_needed;
}

int64_t settle_due_at(const struct job *job) {
    return job->settle.due_at;
}

void settle_client_ended(struct job *job, int wait_status) {
    struct settle *settle = &job->settle;
    settle->is_needed = is_needed(job, wait_status);
    settle->grace_until = job->stop.is_active ? job->stop.kill_at : 0;
    if (settle->is_needed && settle->pid == 0) settle->due_at = clock_ns();
}

void settle_stop(struct job *job, int signal) {
    bool has_own_way = job->at.step.streams != NULL;
    if (has_own_way) streams_signal(&job->streams, signal);
    if (has_own_way) settle_call_off(job);
    else (void)kill(job->pid, signal == SIGQUIT ? SIGTERM : signal); // the client passes it on, but by SIGQUIT it ends with a dump of its stacks
}

void settle_call_off(struct job *job) {
    if (job->at.step.streams == NULL || !streams_is_up(&job->streams)) (void)kill(job->pid, SIGTERM);
}

void settle_over(struct job *job) {
    if (job->at.step.streams != NULL) streams_close(job->at.step.streams, &job->streams);
}

void settle_at_once(struct job *job) {
    struct settle *settle = &job->settle;
    settle->grace_until = 0;
    if (settle->is_awaiting && settle->pid > 0) settle->due_at = clock_ns();
}

void settle_ended(struct job *job) {
    int64_t now = clock_ns();
    job->settle.pid = 0;
    job->settle.due_at = job->settle.is_needed ? now : NEVER;
    job->settle.spare_until = now + (int64_t)CLIENT_MS * NS_PER_MS;
}

void settle_forgotten(const struct job *job) {
    if (!job->has_settled) return;
    for (int looks = 0; looks < FORGOTTEN_LOOKS && signal_marked(&(struct marks){.id = job->plan.id}, SIGKILL) > 0; looks++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)FORGOTTEN_PAUSE_MS * NS_PER_MS}, NULL);
    }
}

static bool is_needed(const struct job *job, int wait_status) {
    if (job->at.step.settle_arguments == 0) return false;
    bool was_lost = WIFSIGNALED(wait_status) || WEXITSTATUS(wait_status) == ENGINE_FAILED;
    return was_lost || (job->stop.is_active && !job->settle.was_run);
}

/** Where nothing can be forked now, it is tried again: a container that is left would be a lie. */
static void start(struct job *job) {
    struct settle *settle = &job->settle;
    int64_t now = clock_ns();
    // Podman does not end by a signal what it has made and not started: nobody starts it any more, and no command of it needs a grace.
    bool may_run = job->at.step.streams == NULL || streams_is_up(&job->streams);
    settle->is_awaiting = !job->is_running && now < settle->grace_until && may_run;
    pid_t pid = step_settle(&job->plan, &job->at.step, settle->is_awaiting);
    bool is_started = pid > 0;
    settle->pid = is_started ? pid : 0;
    settle->was_run = is_started;
    job->has_settled = true;
    if (is_started && !job->is_running) settle->is_needed = false;
    if (is_started && settle->is_awaiting) settle->due_at = settle->grace_until;
    else settle->due_at = now + (int64_t)(is_started ? LONGEST_MS : RETRY_MS) * NS_PER_MS;
}
