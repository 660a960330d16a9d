#ifndef JOBRUNNER_JOB_H
#define JOBRUNNER_JOB_H

#include "plan.h"
#include "step.h"
#include "waiting.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/**
 * What is being ended: all of the job, or the running step. Processes get the stop signal, from kill_at on SIGKILL, again and again
 * until none is left.
 */
struct stop {
    bool is_active;
    bool of_job;
    bool is_killing;
    int64_t kill_at;
    int64_t strays_at; // when to look for processes that have left the cgroup; NEVER: not, or done
    int64_t look_at; // when to look or kill again
    int64_t pause;
};

/** Where in the plan the job is. */
struct place {
    const char *next;
    unsigned number; // of the step; 0: before the first
    struct plan_step step;
};

/** The command that ends the step's container; see settle.h. */
struct settle {
    pid_t pid;           // 0: it does not run
    int64_t due_at;      // when it is killed, or started
    bool was_run;        // since the step was started
    int64_t spare_until; // the client is left alone, to end by itself; 0: not so
    bool is_needed;      // the client is over and the container may not be
    int64_t grace_until; // of a container whose client was over while it was to stop
    bool is_awaiting;    // it runs to have the container stop by itself
};

/** The wait for the last output of what the steps left behind; see drain.h. */
struct drain {
    int64_t begun_at; // 0: not yet
    int64_t until;
    const char *cause; // of its end then
    int64_t look_at;   // when to look whether somebody works still
};

/** How the step's first process ended; told when its container is over too. */
struct end {
    bool is_untold;
    int wait_status;
    int64_t wall_ns;
    struct rusage usage;
};

struct job {
    struct plan plan;
    int control; // descriptors
    int children;
    int cgroup; // -1: none
    struct place at;
    struct stop stop;
    struct waiting waiting;
    struct settle settle;
    struct streams streams; // of the running step, where it is a container with a way of its own
    struct end end;
    struct drain drain;

    bool is_running; // the step's first process lives
    pid_t pid;       // of it
    struct step_process process; // likewise
    bool is_start_told;
    bool is_expired;
    bool could_not_start;
    int64_t started_wall_ns, started_at;

    bool has_settled; // some step's container
    bool has_failed;  // a step whose failure is not ignored
    bool is_stopped;  // only what is to run always runs still
    bool is_killed;   // nothing more runs
    bool is_finishing; // no step is left
    bool is_done_told;
    bool has_children; // as the last look showed

    int64_t timeout_at, step_timeout_at, give_up_at;
};

/** Runs the plan to its end and records it. The working directory is the job's, the job is claimed, output and status are open. */
void job_run(struct job *job);

/** Before something else is told of the step or sent to it: whether its command is executed yet, and that it was started. */
void job_settle_start(struct job *job);

/** Takes note of every process that has ended. */
void job_reap(struct job *job);

/** Sends the stop signal to all of the job; cause is formats.h's word. */
void stop_job(struct job *job, const char *cause);

/** SIGKILL to all of the job; nothing more runs. */
void kill_job(struct job *job);

/** The step has had its time. */
void stop_step(struct job *job);

/** The stop signal to the running step once more. */
void stop_again(struct job *job);

/** What the steps left behind ends with the job, without a grace. */
void end_leftovers(struct job *job);

/** Does what is due. Whether something that is being ended still lives. */
bool stop_goes_on(struct job *job);

/** When stop_goes_on has something to do. */
int64_t stop_due_at(const struct job *job);

#endif
