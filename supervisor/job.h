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
    unsigned number; // of the step, from 1; 0: before the first step
    struct plan_step step;
};

/** Each timer makes an event when its time has come. */
enum timer {
    TIMER_TIMEOUT,      // the job's timeout
    TIMER_STEP_TIMEOUT, // the step's timeout
    TIMER_DEADLINE,     // the end of a grace period, or of the time of processes left behind
    TIMER_CHECK,        // the next check of the processes that are being ended or waited for, or the next SIGKILL
    TIMER_COMMAND,      // when the command that finalizes the container must start or be killed, or its client's time is over
    TIMER_DISK,         // the end of the wait for the disk
    TIMERS
};

/** The state of the phases that stop and kill. */
struct stop {
    int64_t pause; // from the next check to the one after it
};

/** The state of JOB_DRAINING. */
struct drain {
    int64_t begun_at;
    const char *cause; // why it ends at the deadline: a word of "cut" in formats.h
};

/** How the step's first process ended: the state of STEP_FINISHED. */
struct end {
    int wait_status;
    int64_t wall_ns;
    struct rusage usage;
};

/** The current step, or the last one. */
struct running {
    struct step_process process; // its ID is also that of the session, which may outlive it
    int64_t started_wall_ns, started_at;
    struct streams streams; // if it is a container with its own streams
    struct end end;
    bool is_client_signalled; // by request: the signal may have ended the client but not the container
    uint64_t kept_signals; // requested before the step's command was executed: bit 0 is signal 1
};

/** The command that finalizes the step's container. */
struct finalize {
    pid_t pid;           // 0: it does not run
    int64_t grace_until; // of a container whose client ended while it was being stopped; 0: no grace period
};

/** The state of the running job. Only output.c, status.c, control.c and processes.c also keep a part of it. */
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
    struct place at, next; // next: the step of the event NEXT
    struct running running;
    struct finalize finalize;
    struct waiting waiting;

    int signal; // of the request ON_JOB_SIGNAL

    bool has_children; // at the last check; no other process can become the job's
    bool has_finalized; // the container of some step
    unsigned refusals;
};

/**
 * Runs the plan to its end and records that. Before: the working directory is the job's, the job is claimed, output and status are open.
 */
void job_run(struct job *job);

/** Handles the ends of all processes that have ended. */
void job_reap(struct job *job);

/** The next event that follows from phases, times and the disk; NO_EVENT: there is none at the moment. */
enum event job_news(struct job *job);

/** When job_news or step_ask must be called at the latest. */
int64_t job_due_at(const struct job *job);

/** Whether the step's first process lives. */
bool has_process(const struct job *job);

/** If it is unknown whether the exec of the step's command succeeded: checks that again. */
void step_ask(struct job *job);

/** Called before something else is reported of the step or sent to it: checks whether its exec succeeded. */
void step_announce(struct job *job);

/** The step's first process has ended. */
void step_ended(struct job *job, int wait_status, const struct rusage *usage);

/** Sets job->next to the next step that is to run. Returns false if there is none. */
bool find_next(struct job *job);

#endif
