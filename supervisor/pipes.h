#ifndef JOBRUNNER_PIPES_H
#define JOBRUNNER_PIPES_H

#include "mask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The reading ends of the steps' pipes: as many as there may be descriptors, since those of a step stay open while one of its processes
 * lives. What one event costs does not depend on how many there are.
 */

enum stream { STREAM_STDOUT = 1, STREAM_STDERR = 2 };

struct pipe {
    int fd;
    uint32_t step; // 0: there is none
    uint8_t stream;
    bool is_enlarged;
    struct mask mask;
    size_t burst; // bytes moved since
    int64_t burst_at;
    uint64_t inode;  // 0: not looked up
    bool has_worker; // somebody writes to it who is at work: see drain.c
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

/** Fills in those that have bytes or are at their end, in the order in which they came to it, as far as there is room. Returns how many. */
unsigned pipes_ready(struct pipe **ready, unsigned room);

/** The first one after `pipe`, NULL: of all. A step's output comes before its error. Valid until the next pipes_add. */
struct pipe *pipes_next(struct pipe *pipe);

#endif
