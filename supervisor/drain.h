#ifndef JOBRUNNER_DRAIN_H
#define JOBRUNNER_DRAIN_H

#include "job.h"

/**
 * The actions of JOB_DRAINING: at the job's end, processes that its steps left behind may finish writing (drain_timeout_ms in formats.h).
 * For example, when a step's first process ends, a filter for the step's output still has to read the last bytes.
 */

/** Call when no step is left to run: whether there may be processes to wait for. */
bool may_drain(const struct job *job);

/** Whether a process is at work on the output, or the disk refuses output. */
bool is_at_work(void);

#endif
