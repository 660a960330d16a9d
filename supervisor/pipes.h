#ifndef JOBRUNNER_PIPES_H
#define JOBRUNNER_PIPES_H

#include "mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The reading ends of the steps' pipes. A step's pipes stay open while one of its processes lives, so there may be as many as there are
 * descriptors. The cost of an event does not depend on their number.
 *
 * A pipe that proves busy is enlarged. If small pieces then follow each other, the pipe rests: it is read once per millisecond, instead of
 * once for each piece. The end of a resting pipe is still reported at once.
 */

enum stream { STREAM_STDOUT = 1, STREAM_STDERR = 2 };

struct pipe {
    int fd;
    uint32_t step; // 0: this entry is free
    uint8_t stream;
    bool is_busy;  // has proved to be busy
    bool is_large; // has room for the bytes that are written while it rests
    bool is_resting;
    bool has_worker; // a process that writes to it is at work: see drain.c
    struct mask mask;
    size_t burst;     // bytes moved since burst_at, or since its rest began
    int64_t burst_at; // if it is busy: when it may rest again
    uint64_t inode;  // 0: not looked up
    int64_t last_at; // when its last byte was read, by clock_ns; 0: never
};

/** Begins without pipes. Call before all other functions. */
void pipes_open(void);

/** Closes all pipes, and frees memory. */
void pipes_close(void);

/** A descriptor that is readable for poll(2) when one of the pipes is; -1: no pipe was added. */
int pipes_descriptor(void);

/**
 * Adds the pipes of a step; error -1: one pipe is both. Returns 0, or an errno if a resource is exhausted: then the descriptors still
 * belong to the caller.
 */
int pipes_add(uint32_t step, int output, int error);

/** Closes the pipe. */
void pipes_remove(struct pipe *pipe);

/** How many pipes are open. */
unsigned pipes_count(void);

/** How many bytes are in the pipe now. */
size_t pipes_waiting(const struct pipe *pipe);

/** Call after bytes were moved; now: by clock_ns. */
void pipes_note_moved(struct pipe *pipe, size_t bytes, int64_t now);

/** When the resting pipes have to be read; NEVER: none rests. */
int64_t pipes_rest_until(void);

/** Call when the resting pipes were read. A pipe in which small pieces still arrive goes on resting. */
void pipes_end_rest(int64_t now);

/** Reads what is in the pipe now and discards it. Returns how many bytes. */
size_t pipes_discard(const struct pipe *pipe);

/** Fills in resting pipes, as many as there is room for. Returns how many. */
unsigned pipes_resting(struct pipe **resting, unsigned room);

/**
 * Fills in pipes that have bytes or are at their end, in the order in which that happened, as many as there is room for. Of the resting
 * pipes, only those at their end. Returns how many.
 */
unsigned pipes_ready(struct pipe **ready, unsigned room);

/** The next pipe after `pipe`; NULL: the first. A step's standard output precedes its error. Valid until the next pipes_add. */
struct pipe *pipes_next(struct pipe *pipe);

#endif
