#ifndef JOBRUNNER_OUTPUT_H
#define JOBRUNNER_OUTPUT_H

#include "plan.h"

#include <stdbool.h>
#include <stdint.h>

/** The job's output and its index, drawn in formats.h: bytes come from pipes, in the order in which they are found there. */

/**
 * Makes both files in the working directory, and masks the plan's secrets in all that comes from pipes. Before all others; returns 0 or an
 * errno.
 */
int output_open(const struct plan *plan);

/** Closes the files and pipes and gives back what was taken: nothing of this job is left for the next. */
void output_close(void);

/**
 * Reads these pipes of a step's first process from now on, and sets output_step_bytes to 0. Returns 0, or an errno: something has run out,
 * and they stay the caller's.
 */
int output_add_pipes(uint32_t step, int output, int error);

/** Whether some process may write still: one has a pipe open. */
bool output_is_open(void);

/** Whether the disk refuses bytes: then nothing is read, so that the job waits at its pipes. */
bool output_is_blocked(void);

/** When output_go_on has something to do; NEVER: nothing. */
int64_t output_due_at(void);

/** What poll(2) is to wait for; -1: nothing. */
int output_descriptor(void);

/** Moves what is there, a pipe's content at most of each. */
void output_handle(void);

/** Tries again to write, and listens again to pipes that rested, if it is time. */
void output_go_on(void);

/** Moves what is in the step's pipes at this moment, their end included; 0: all pipes. What comes after it is not waited for. */
void output_drain(uint32_t step);

/** Closes every pipe. What the disk refuses of their content is read, counted as lost and, where possible, recorded as a gap. */
void output_give_up(void);

/**
 * Closes what output_drain has emptied, after what was held back of it is written; only for the end, when no process is left to write.
 * Pipes stay open where the disk refuses that.
 */
void output_close_pipes(void);

uint64_t output_bytes(void);
uint64_t output_lost_bytes(void);
uint64_t output_step_bytes(void);
/** When the last byte came, be it held back or written, by clock_ns; 0: never. */
int64_t output_last_at(void);

#endif
