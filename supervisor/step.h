#ifndef JOBRUNNER_STEP_H
#define JOBRUNNER_STEP_H

#include "plan.h"
#include "streams.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/** Starting a step's first process. */

/** Where a start can fail. step_stage_name gives the words for the status file. */
enum step_stage { STAGE_PIPES, STAGE_WORKDIR, STAGE_STDIN, STAGE_USER, STAGE_EXEC, STAGE_INTERPRETER, STAGE_FORK, STAGE_PLAN };

struct step_failure {
    enum step_stage stage;
    int error;
};

/** The pipes of a step. [0] is the reading end, [1] the writing end. */
struct step_pipes {
    int output[2], error[2]; // of the first process; if merged: error[0] is -1, and error[1] a duplicate of output[1]
    struct streams streams;  // of a container with its own streams; then the reading ends above are those of the container
    rlim_t most_files;       // how many descriptors the step may have
};

/** Opens the pipes. Leaves some descriptors free for the supervisor itself. Returns 0, or an errno: then none is open. */
int step_open_pipes(const struct plan_step *step, struct step_pipes *pipes);

void step_close_pipes(const struct plan_step *step, struct step_pipes *pipes);

/** What is known about a start. */
enum step_news { STEP_EXECUTED, STEP_FAILED, STEP_UNREPORTED };

/** A step's first process. */
struct step_process {
    pid_t pid;                   // 0: there is none; otherwise it must be waited for, even if its start has failed
    int64_t check_at;            // while the start is unreported: when to call step_learn at the latest; otherwise NEVER
    struct step_failure failure; // if the start has failed
};

/**
 * Starts a process for the step, in a session of its own, and in the cgroup unless that is -1. The client of a container engine is in no
 * cgroup, and while it lives, processes that it leaves behind descend from it. stdin_name: a file in the working directory, or NULL. Closes
 * the pipes' writing ends. A file system that does not answer blocks only the new process. Until the start is reported, step, plan and
 * stdin_name must not change.
 */
enum step_news step_start(const struct plan *plan, const struct plan_step *step, const char *stdin_name, int cgroup,
    const struct step_pipes *pipes,
                          struct step_process *process);

/**
 * Checks a start that is unreported. Call after every wake-up, and at check_at, because a start wakes nobody. When the process has ended,
 * its start is known.
 */
enum step_news step_learn(struct step_process *process);

/**
 * Forks a process for the command that finalizes the step. Its output is discarded. It is not in the job's cgroup, and it goes on if the
 * supervisor is killed. is_awaiting: adds the argument "await", see settle in formats.h. Returns its process ID, or -1 and errno.
 */
pid_t step_finalize(const struct plan *plan, const struct plan_step *step, bool is_awaiting);

const char *step_stage_name(enum step_stage stage);

#endif
