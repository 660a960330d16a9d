#ifndef JOBRUNNER_WAITING_H
#define JOBRUNNER_WAITING_H

#include "processes.h"

#include <stdbool.h>
#include <stdint.h>

/** A kill that waits for a process that SIGKILL does not end, and when to record that: see "wait" in formats.h. */
struct waiting {
    struct holdout named; // in the record; pid 0: none
    int64_t due_at;       // when the record may name another process
    int64_t pause;        // from then until it may name the next one
};

enum { WAITING_LINE_BYTES = 160 };

/** Call when a kill begins. Processes that end within a moment are not recorded. */
void waiting_begin(struct waiting *waiting);

/**
 * Call after a SIGKILL to all processes. Returns whether the record has to name another process than before, or none. `named` is then that
 * process.
 */
bool waiting_has_news(struct waiting *waiting);

/** Writes the status line about `named`. Returns its length. */
int waiting_line(const struct waiting *waiting, char line[WAITING_LINE_BYTES]);

#endif
