#ifndef JOBRUNNER_STOP_H
#define JOBRUNNER_STOP_H

#include "job.h"

/**
 * Ending all of the job, or the running step: processes get the stop signal, and after a grace SIGKILL, again and again until none is left.
 * The actions of the phases STOPPING, KILLING, FINISHING and their like.
 */

/** The running step gets the stop signal, and a grace. */
void stop_step(struct job *job);

/** SIGKILL from now on. */
void begin_to_kill(struct job *job);

/** What was ended is gone, or is ended otherwise from now on. */
void end_stop(struct job *job);

/** Of the phases that end one step: whether nothing of it is left. */
bool is_step_gone(const struct job *job);

#endif
