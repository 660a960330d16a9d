#ifndef JOBRUNNER_PIPES_H
#define JOBRUNNER_PIPES_H

#include "mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The reading ends of the steps' pipes: as many as there may be descriptors, since those of a step stay open while one of its processes
 * lives. What one event costs does not depend on how many there are.
 *
 * A pipe that proves busy is enlarged. When small pieces follow each other in it then, it rests: it is read once in a millisecond, instead
 * of once for each piece. A pipe's end is reported at once all the same.
 */

enum stream { STREAM_STDOUT = 1, STREAM_STDERR = 2 };

struct pipe {
    int fd;
    uint32_t step; // 0: there is none
    uint8_t stream;
    bool is_busy;  // has proved so
    bool is_large; // there is room for what is written while it rests
    bool is_resting;
    bool has_worker; // somebody writes to it who is at work: see drain.c
    struct mask mask;
    size_t burst;     // bytes moved since burst_at, or since its rest began
    int64_t burst_at; // of one that is busy: when it may rest again
    uint64_t inode;  // 0: not looked up
    int64_t last_at; // when its last byte came, by clock_ns; 0: never
};

/** There are none yet; to be called before all others. */
void pipes_open(void);

/** Closes all, and gives back what was taken for them. */
void pipes_close(void);

/** A descriptor that poll(2) finds readable when some pipe is; -1: none was opened. */
int pipes_descriptor(void);

/** Adds those of a step. Returns 0, or an errno: something has run out, and both stay the caller's. */
int pipes_add(uint32_t step, int output, int error);

/** Closes it. */
void pipes_remove(struct pipe *pipe);

/** How many there are. */
unsigned pipes_count(void);

/** How many bytes are in it now. */
size_t pipes_waiting(const struct pipe *pipe);

/** So many bytes of it were moved, and now it is so late by clock_ns. */
void pipes_note_moved(struct pipe *pipe, size_t bytes, int64_t now);

/** When those that rest are to be read; NEVER: none does. */
int64_t pipes_rest_until(void);

/** They have been read: those in which pieces still come rest on. */
void pipes_end_rest(int64_t now);

/** Reads what is in it now to nowhere. Returns how many bytes. */
size_t pipes_discard(const struct pipe *pipe);

/** Fills in those that rest, as far as there is room. Returns how many. */
unsigned pipes_resting(struct pipe **resting, unsigned room);

/** Fills in those that have bytes or are at their end, in the order in which they came to it, as far as there is room; of
 * those that rest only those at their end. Returns how many. */
unsigned pipes_ready(struct pipe **ready, unsigned room);

/** The first one after `pipe`, NULL: of all. A step's output comes before its error. Valid until the next pipes_add. */
struct pipe *pipes_next(struct pipe *pipe);

#endif
