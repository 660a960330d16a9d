#ifndef JOBRUNNER_MASK_H
#define JOBRUNNER_MASK_H

#include "plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Masks the plan's secrets in streams of bytes. Occurrences of secrets that share a byte form one run, and each run becomes ***. The result
 * does not depend on how a stream is divided into reads: bytes that may be the beginning of a secret are held back until that is decided.
 */

/** The state of one stream; all zero at its beginning. */
struct mask {
    uint32_t node;    // the bytes held back are the prefix of this node
    uint32_t covered; // how many of them, from the first, belong to a run whose *** was already returned
};

/** Bytes that may be stored. They stay valid until the next call of a function that returns or takes bytes. */
struct masked {
    const char *bytes;
    size_t length;
};

/**
 * Prepares for reads of at most this many bytes. Call before all other functions. Only this function allocates memory, and only if there
 * are secrets. Returns 0 or an errno.
 */
int mask_open(const struct plan *plan, size_t longest_read);

/** Frees the memory. Then there are no secrets. */
void mask_close(void);

/** Whether there are secrets. Only then may the functions below be called, except mask_held. */
bool mask_is_needed(void);

/** Where to read the stream's next bytes to. */
char *mask_room(const struct mask *mask);

/** Takes the bytes that were read there. Returns the bytes that are decided. */
struct masked mask_next(struct mask *mask, size_t length);

/** Call at the end of the stream. Returns the bytes that were held back. */
struct masked mask_end(struct mask *mask);

/** How many bytes are held back, without those whose *** was already returned. 0 if there are no secrets. */
size_t mask_held(const struct mask *mask);

#endif
