#ifndef JOBRUNNER_SWEEP_H
#define JOBRUNNER_SWEEP_H

#include "supervisor.h"

/**
 * Kills what a dead supervisor left of its job and records that, in a process forked for it; returns its exit code. Where the
 * supervisor lives, another one sweeps, or the job's last line is written, it does nothing.
 */
int sweep(const struct launch *launch, const char *id);

#endif
