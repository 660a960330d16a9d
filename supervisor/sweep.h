#ifndef JOBRUNNER_SWEEP_H
#define JOBRUNNER_SWEEP_H

#include "supervisor.h"

/**
 * Kills what a dead supervisor left of its job, and records that. Runs in a process forked for it. Does nothing if the supervisor lives,
 * another process is sweeping, or the job's last line is written. Returns the exit code.
 */
int sweep(const struct launch *launch, const char *id);

#endif
