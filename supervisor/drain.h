#ifndef JOBRUNNER_DRAIN_H
#define JOBRUNNER_DRAIN_H

#include "job.h"

/**
 * At the job's end, what its steps left behind may finish writing: see drain_timeout_ms in formats.h. A filter that a step sent its output
 * through has the last of it still to read when the step's first process is over.
 */

/** Whether it is waited for. Only to be asked when no step is left to run; where false, it is over. */
bool drain_goes_on(struct job *job);

/** Whether it was begun. */
bool drain_is_begun(const struct job *job);

/** When drain_goes_on has something to do. */
int64_t drain_due_at(const struct job *job);

/** It is waited for no longer; cause is formats.h's word. */
void drain_end(struct job *job, const char *cause);

#endif
