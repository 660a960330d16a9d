#ifndef JOBRUNNER_NEWBORN_H
#define JOBRUNNER_NEWBORN_H

#include "execute.h"
#include "plan.h"
#include "step.h"

#include <sys/resource.h>

/**
 * The new process of a step, until it executes the step's command. It may share the supervisor's memory, and then at the same time as the
 * supervisor: it makes nothing but system calls (kernel.h), but where the step has a user, and changes nothing but what is here.
 */
struct newborn {
    const struct plan *plan;
    const struct plan_step *step;
    const char *stdin_name; // NULL: /dev/null
    pid_t supervisor;
    int joins;              // the cgroup where it is to go by itself; else -1
    int output, error;      // writing ends
    int exec_result;            // likewise, for a step_failure; -1: none, it shares the memory
    rlim_t most_files;
    struct execution *execution;

    bool has_failed;
    struct step_failure failure;
};

/** What the new process does; newborn is a struct newborn. Returns never. */
void newborn_run(void *newborn);

/** No core of the processes that know the secrets. */
void newborn_limit_cores(const struct plan *plan);

#endif
