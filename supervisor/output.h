#ifndef JOBRUNNER_OUTPUT_H
#define JOBRUNNER_OUTPUT_H

#include "plan.h"

#include <stdbool.h>
#include <stdint.h>

/** The job's output and its index, drawn in formats.h. Bytes are copied from pipes, in the order in which they are found there. */

/**
 * Creates both files in the working directory. The plan's secrets will be masked in all output. Call before all other functions. Returns 0
 * or an errno.
 */
int output_open(const struct plan *plan);

/** Closes files and pipes, and frees memory: nothing of this job is left for the next. */
void output_close(void);

/**
 * Adds the reading ends of a step's pipes, and sets output_step_bytes to 0. Returns 0, or an errno if a resource is exhausted: then both
 * descriptors still belong to the caller.
 */
int output_add_pipes(uint32_t step, int output, int error);

/** Whether a pipe is open, so that a process may still write. */
bool output_is_open(void);

/** Whether the disk refuses bytes. Then nothing is read, so the job waits in its writes. */
bool output_is_blocked(void);

/** When output_go_on must be called; NEVER: not at all. */
int64_t output_due_at(void);

/** The descriptor for poll(2); -1: nothing to wait for. */
int output_descriptor(void);

/** Moves the bytes that have arrived, from each pipe at most its content. */
void output_handle(void);

/** If it is time: tries again to write, and reads pipes that rested. */
void output_go_on(void);

/** Moves what is in the step's pipes at this moment, and handles their ends. step 0: all pipes. Does not wait for more bytes. */
void output_drain(uint32_t step);

/** Closes every pipe. Their content, which the disk refuses, is counted as lost and, if possible, recorded as a gap. */
void output_give_up(void);

/**
 * Closes the pipes that output_drain has emptied, and writes the bytes that were held back. Call at the job's end, when no process is left
 * that could write. A pipe stays open if the disk refuses its bytes.
 */
void output_close_pipes(void);

uint64_t output_bytes(void);
uint64_t output_lost_bytes(void);
uint64_t output_step_bytes(void);
/** When the last byte was read, by clock_ns; 0: never. */
int64_t output_last_at(void);

#endif
