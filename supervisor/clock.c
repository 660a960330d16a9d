#include "clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id);

int64_t wall_ns(void) {
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t read_clock(clockid_t id) {
    struct timespec time;
    // clock_gettime(2) fails for unknown clocks only.
    if (clock_gettime(id, &time) != 0) abort();
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
