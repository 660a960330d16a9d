#ifndef JOBRUNNER_STATUS_H
#define JOBRUNNER_STATUS_H

#include <stdbool.h>

/** The status file and the doorbell, both drawn in formats.h. The working directory is the job's. */

/** What the supervisor claims a job with; see status_claim. */
struct claim {
    const char *id;
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

/** Rings if there was news since the last ring. Nobody depends on it, so nothing is waited for. */
void status_ring(void);

/** Writes "<ID>\n" to the doorbell, without blocking; a service that is not there looks by itself when it comes. */
void ring_doorbell(const char *id);

#endif
