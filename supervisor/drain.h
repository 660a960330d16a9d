#ifndef JOBRUNNER_DRAIN_H
#define JOBRUNNER_DRAIN_H

#include "job.h"

/**
 * At the job's end, what its steps left behind may finish writing: see drain_timeout_ms in formats.h. A filter that a step sent its output
 * through has the last of it still to read when the step's first process is finished. The actions of JOB_DRAINING.
 */

/** Where no step is left to run: whether it may be that somebody is to be waited for. */
bool may_drain(const struct job *job);

/** Whether somebody who is to be waited for is at work. */
bool is_at_work(void);

#endif
