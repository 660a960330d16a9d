#ifndef JOBRUNNER_CLOCK_H
#define JOBRUNNER_CLOCK_H

#include <stdint.h>

enum { NS_PER_MS = 1000000 };

/** A point in time that never comes. */
#define NEVER INT64_MAX

/** Nanoseconds since the epoch, for records. This clock can be set, so no decision depends on it. */
int64_t wall_ns(void);

/** Nanoseconds of a clock that only goes forward, for timeouts. */
int64_t clock_ns(void);

/** The earlier of two points in time. */
int64_t earlier(int64_t a, int64_t b);

#endif
