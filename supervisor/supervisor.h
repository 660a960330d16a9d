#ifndef JOBRUNNER_SUPERVISOR_H
#define JOBRUNNER_SUPERVISOR_H

#include "plan.h"

#include <limits.h>

/** What processes that a launcher forks inherit from it. Their working directory is <state>/jobs. */
struct launch {
    char boot_id[ID_LENGTH + 1];
    int null; // /dev/null, open for reading and writing
    char jobs[PATH_MAX]; // the path of <state>/jobs; empty: it is too long
};

/**
 * Runs the job, in a process forked for it, and then, one after the other, the jobs that the launcher gives it. Reports what becomes of
 * each as described in slots.h. Returns the exit code. Not 0: there was no slot to report that nothing could be claimed.
 */
int supervise(const struct launch *launch, const char *id);

/** Replaces the launcher's standard input, output and error, which belong to the service, by /dev/null. */
void let_go(const struct launch *launch);

#endif
