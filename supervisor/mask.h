#ifndef JOBRUNNER_MASK_H
#define JOBRUNNER_MASK_H

#include "plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Masks the plan's secrets in streams of bytes. Places where secrets stand and that share a byte are one run, and each run becomes ***. The
 * result does not depend on how a stream is cut into reads: bytes that may still become a secret are held back until that is decided.
 */

/** How far one stream is; zero at its beginning. */
struct mask {
    uint32_t node;    // the bytes held back are this node's prefix
    uint32_t covered; // how many of them, from the first, belong to a run whose *** is given out already
};

/** Bytes that may be written. They stay valid until the next call of a function that returns or takes bytes. */
struct masked {
    const char *bytes;
    size_t length;
};

/**
 * Prepares for reads of at most so many bytes; to be called before all others. This alone takes memory, and only where there are secrets.
 * Returns 0 or an errno.
 */
int mask_open(const struct plan *plan, size_t longest_read);

/** Gives the memory back. There are no secrets then. */
void mask_close(void);

/** Whether there are secrets: only then are the functions below of use. */
bool mask_is_needed(void);

/** Where the stream's next bytes are to be read to. */
char *mask_room(const struct mask *mask);

/** So many bytes were read there: gives out what is decided. */
struct masked mask_next(struct mask *mask, size_t length);

/** The stream is at its end: gives out what was held back. */
struct masked mask_end(struct mask *mask);

/** How many bytes are held back of which nothing is given out. */
size_t mask_held(const struct mask *mask);

#endif
