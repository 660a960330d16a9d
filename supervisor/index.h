#ifndef JOBRUNNER_INDEX_H
#define JOBRUNNER_INDEX_H

#include <stdbool.h>
#include <stdint.h>

/** One record of the index, as drawn in formats.h. */
struct record {
    uint64_t end;
    int64_t time;
    uint64_t lost;
    uint32_t step;
    uint8_t stream;
    uint8_t zero[3];
};

/** Creates the file in the working directory, with room for the first records. Returns 0 or an errno. */
int index_open(void);

/** Closes the file. */
void index_close(void);

/**
 * Whether a record, and one of a gap after it, can be added: all earlier records are written, and the disk has reserved room for two more.
 * Call before moving bytes, so that no byte is ever without its record.
 */
bool index_is_ready(void);

/** Adds a record. If the disk refuses one in spite of the reservation, index_is_ready writes it later; a second one would be lost. */
void index_add(const struct record *record);

#endif
