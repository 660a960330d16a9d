#ifndef JOBRUNNER_NEWBORN_H
#define JOBRUNNER_NEWBORN_H

#include "execute.h"
#include "plan.h"
#include "step.h"

#include <sys/resource.h>

/**
 * The new process of a step, until it executes the step's command. It may share the supervisor's memory while the supervisor runs. So it
 * makes only system calls (kernel.h), and changes only this struct. With a user, it shares no memory and may use the C library.
 */
struct newborn {
    const struct plan *plan;
    const struct plan_step *step;
    const char *stdin_name; // NULL: /dev/null
    pid_t supervisor;
    int joins;              // the cgroup that it has to join by itself; -1: none
    int output, error;      // writing ends
    int exec_result;        // a writing end, for a step_failure; -1: none, because it shares the memory
    rlim_t most_files;
    struct execution *execution;

    bool has_failed;
    struct step_failure failure;
};

/** Runs in the new process; newborn is a struct newborn. Never returns. */
void newborn_run(void *newborn);

/** If there are secrets, this process and its descendants write no core dumps. */
void newborn_limit_cores(const struct plan *plan);

#endif
