#ifndef JOBRUNNER_SUPERVISOR_H
#define JOBRUNNER_SUPERVISOR_H

#include "plan.h"

#include <limits.h>

/** What a launcher knows for all the processes that it forks. Their working directory is <state>/jobs. */
struct launch {
    char boot_id[ID_LENGTH + 1];
    int null; // /dev/null, open for both
    char jobs[PATH_MAX]; // the path of <state>/jobs; empty: too long for one
};

/**
 * Runs the job, in a process forked for it, and then one after the other those that the launcher hands over; returns its exit code. What
 * becomes of each it tells as slots.h says; not 0: that nothing was claimed, for want of a slot.
 */
int supervise(const struct launch *launch, const char *id);

/** Lets go of the service: its orders, its pipe and its log. */
void let_go(const struct launch *launch);

#endif
