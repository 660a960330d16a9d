#ifndef JOBRUNNER_STATUS_H
#define JOBRUNNER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/** The status file and the doorbell, both drawn in formats.h. The working directory is the job's. */

/** What the supervisor claims a job with; see status_claim. */
struct claim {
    const char *id; // stays where it is until status_close
    const char *boot_id;
};

/**
 * Makes the status file, keeps room on the disk for its lines and writes the first. Returns 0: the job is ours; EEXIST: somebody
 * else's; another errno: nothing is claimed.
 */
int status_claim(const struct claim *claim);

/** Adds a line. What the disk does not take now is kept and written later, in order. */
__attribute__((format(printf, 1, 2))) void status_line(const char *format, ...);

/** Whether every line is in the file; tries to write what is not. */
bool status_is_written(void);

/** Rings where there was news since the last ring and it is time; see status_ring_at. Nobody depends on it, so nothing is waited for. */
void status_ring(void);

/**
 * When status_ring has something to do; NEVER: not before the next line. News wait a moment for what comes next, so that a short job rings
 * once; the last line does not.
 */
int64_t status_ring_at(void);

/** Lets go of the file. Nothing of this job is left here. */
void status_close(void);

/** Rings without lines, and without blocking; a service that is not there looks by itself when it comes. */
void ring_doorbell(const char *id);

#endif
