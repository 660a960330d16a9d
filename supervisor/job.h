#ifndef JOBRUNNER_JOB_H
#define JOBRUNNER_JOB_H

#include "clock.h"
#include "machine.h"
#include "plan.h"
#include "step.h"
#include "waiting.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/** Where in the plan the job is. */
struct place {
    const char *next;
    unsigned number; // of the step; 0: before the first
    struct plan_step step;
};

/** What makes events by itself when its time comes. */
enum timer {
    TIMER_TIMEOUT,      // of the job
    TIMER_STEP_TIMEOUT, // likewise
    TIMER_DEADLINE,     // the end of a grace, or of the time of what was left behind
    TIMER_CHECK,         // when what is being ended or waited for is looked at, or killed, again
    TIMER_COMMAND,      // when the command that finalizes the container is started or killed, or its client's grace is over
    TIMER_DISK,         // when no more is waited for the disk
    TIMERS
};

/** Of the phases that stop and kill. */
struct stop {
    int64_t pause; // to the look after the next
};

/** Of JOB_DRAINING. */
struct drain {
    int64_t begun_at;
    const char *cause; // of its end at the deadline: formats.h's word
};

/** How the step's first process ended: of STEP_FINISHED. */
struct end {
    int wait_status;
    int64_t wall_ns;
    struct rusage usage;
};

/** The step at hand, or the last one. */
struct running {
    struct step_process process; // its number is the session's, which may outlive it
    int64_t started_wall_ns, started_at;
    struct streams streams; // where it is a container with a way of its own
    struct end end;
};

/** The command that finalizes the step's container. */
struct finalize {
    pid_t pid;           // 0: it does not run
    int64_t grace_until; // of a container whose client was finished while it was to stop; 0: none
};

/** All that is known of the job that runs; nothing of it is anywhere else but in output.c, status.c, control.c and processes.c. */
struct job {
    struct plan plan;
    int control, children; // descriptors
    int cgroup;            // -1: none

    enum phase phases[PARTS];
    int64_t due_at[TIMERS];
    union {
        struct stop stop;
        struct drain drain;
    };
    struct place at, next; // next: of the event of that name
    struct running running;
    struct finalize finalize;
    struct waiting waiting;

    bool has_children; // as the last look showed; no other process can become the job's
    bool has_finalized;  // some step's container
    unsigned refusals;
};

/** Runs the plan to its end and records it. The working directory is the job's, the job is claimed, output and status are open. */
void job_run(struct job *job);

/** Takes note of every process that has ended. */
void job_reap(struct job *job);

/** The next event that has come about without a word from outside, NO_EVENT: there is none for now. */
enum event job_news(struct job *job);

/** When job_news or step_ask may have something to say. */
int64_t job_due_at(const struct job *job);

/** Whether the step's first process lives. */
bool has_process(const struct job *job);

/** More of whether its command is executed, where that is not known. */
void step_ask(struct job *job);

/** Called before something else is reported of the step or sent to it: checks whether its exec succeeded. */
void step_announce(struct job *job);

/** Its first process has ended like this. */
void step_ended(struct job *job, int wait_status, const struct rusage *usage);

/** Sets the place of the next step that is to run; false: there is none. */
bool find_next(struct job *job);

#endif
