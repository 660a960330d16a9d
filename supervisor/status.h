#ifndef JOBRUNNER_STATUS_H
#define JOBRUNNER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/** The status file and the doorbell, both drawn in formats.h. The working directory is the job's. */

/** What the supervisor claims a job with; see status_claim. */
struct claim {
    const char *id; // must stay valid until status_close
    const char *boot_id;
};

/**
 * Creates the status file, reserves room on the disk for its lines, and writes the first line. Returns 0: this process has claimed the job.
 * EEXIST: another one has. Another errno: nothing is claimed.
 */
int status_claim(const struct claim *claim);

/** Adds a line. If the disk refuses it, it is kept and written later, in order. */
__attribute__((format(printf, 1, 2))) void status_line(const char *format, ...);

/** Tries to write the lines that were refused. Returns whether every line is in the file. */
bool status_is_written(void);

/** Rings if there are new lines and it is time: see status_ring_at. Does not wait, because nobody depends on a ring. */
void status_ring(void);

/**
 * When status_ring must be called; NEVER: not before the next line. A line waits a moment for further lines, so a short job rings once. The
 * last line does not wait.
 */
int64_t status_ring_at(void);

/** Closes the file. Nothing of this job is left here. */
void status_close(void);

/** Rings without lines, and without blocking. A service that does not run reads the files at its start. */
void ring_doorbell(const char *id);

#endif
