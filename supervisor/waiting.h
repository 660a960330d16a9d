#ifndef JOBRUNNER_WAITING_H
#define JOBRUNNER_WAITING_H

#include "processes.h"

#include <stdbool.h>
#include <stdint.h>

/** A kill that waits for a process which SIGKILL does not end: when the record is to say so, see wait in formats.h. */
struct waiting {
    struct holdout named; // by the record
    int64_t due_at;       // when it may name another
    int64_t pause;        // from then to the next
};

enum { WAITING_LINE_BYTES = 160 };

/** From now on there is a kill: what it ends in a moment is not worth a line. */
void waiting_begin(struct waiting *waiting);

/**
 * After a SIGKILL to all: whether the record has to name another process, or nobody, in place of whom it names. `named` is then whom it has
 * to.
 */
bool waiting_has_news(struct waiting *waiting);

/** The line for the record about `named`. Returns its length. */
int waiting_line(const struct waiting *waiting, char line[WAITING_LINE_BYTES]);

#endif
