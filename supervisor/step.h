#ifndef JOBRUNNER_STEP_H
#define JOBRUNNER_STEP_H

#include "plan.h"
#include "streams.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/** Starting a step's first process. */

/** Where a start can fail; the words for the status file are step_stage_name's. */
enum step_stage { STAGE_PIPES, STAGE_WORKDIR, STAGE_STDIN, STAGE_USER, STAGE_EXEC, STAGE_INTERPRETER, STAGE_FORK, STAGE_PLAN };

struct step_failure {
    enum step_stage stage;
    int error;
};

/** Reading and writing ends. */
struct step_pipes {
    int output[2], error[2]; // of the first process
    struct streams streams;  // of a container with a way of its own, whose output and error the reading ends then are
    rlim_t most_files;       // how many descriptors the step may ask for
};

/** Opens them, and leaves some descriptors free for what the supervisor itself needs. Returns 0 or an errno: then none is open. */
int step_open_pipes(const struct plan_step *step, struct step_pipes *pipes);

void step_close_pipes(const struct plan_step *step, struct step_pipes *pipes);

/** What is known of a start. */
enum step_news { STEP_EXECUTED, STEP_FAILED, STEP_UNREPORTED };

/** A step's first process. */
struct step_process {
    pid_t pid;                   // 0: there is none; else it is to be waited for, also where its start has failed
    int64_t check_at;             // unreported: when step_learn may tell more though nothing else has happened; else NEVER
    struct step_failure failure; // of a start that has failed
};

/**
 * Starts a process for the step, in a session of its own, in the cgroup where cgroup is no -1. The client of a container engine is in no
 * cgroup, and the processes that it leaves stay its descendants while it lives. stdin_name is of a file in the working directory, or NULL.
 * Closes the pipes' writing ends. Nothing is waited for: a file system that does not answer holds up the new process alone, and until its
 * start is reported, step, plan and stdin_name stay as they are.
 */
enum step_news step_start(const struct plan *plan, const struct plan_step *step, const char *stdin_name, int cgroup,
    const struct step_pipes *pipes,
                          struct step_process *process);

/**
 * What is known now of a start that was unreported. To be asked whenever something has happened, and at check_at: the news wake nobody by
 * themselves. Of a process that has ended all is reported.
 */
enum step_news step_learn(struct step_process *process);

/**
 * Forks a process for the command that finalizes the step. It writes to nowhere, is in no cgroup of the job's, and outlives a supervisor
 * that is killed. is_awaiting: with one more argument, see settle in formats.h. Returns its number, or -1 and errno.
 */
pid_t step_finalize(const struct plan *plan, const struct plan_step *step, bool is_awaiting);

const char *step_stage_name(enum step_stage stage);

#endif
