#ifndef JOBRUNNER_STOP_H
#define JOBRUNNER_STOP_H

#include "job.h"

/**
 * The actions of the phases that end the whole job or the running step (STOPPING, KILLING, FINISHING ...). Processes get the stop signal,
 * and after the grace period SIGKILL, repeatedly, until none is left.
 */

/** Sends the stop signal to the running step. Its grace period begins. */
void stop_step(struct job *job);

/** From now on, SIGKILL is sent repeatedly. */
void begin_to_kill(struct job *job);

/** Ends the timers of a stop: everything is gone, or is ended in another way from now on. */
void end_stop(struct job *job);

/** In the phases that end one step: whether nothing of the step is left. */
bool is_step_gone(const struct job *job);

#endif
