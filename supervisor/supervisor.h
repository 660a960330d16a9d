#ifndef JOBRUNNER_SUPERVISOR_H
#define JOBRUNNER_SUPERVISOR_H

#include "plan.h"

/** What a launcher knows for all the processes that it forks. Their working directory is <state>/jobs. */
struct launch {
    char boot_id[ID_LENGTH + 1];
    int null; // /dev/null, open for both
};

/**
 * Runs the job, in a process forked for it; returns its exit code. Nothing is claimed: says "failed" on standard output, as drawn in
 * formats.h. Claimed by somebody else: says nothing.
 */
int supervise(const struct launch *launch, const char *id);

/** Lets go of the service: its pipes and its log. */
void let_go(const struct launch *launch);

/** "failed <ID> <errno>" to the service. */
void say_failed(const char *id, int error);

#endif
