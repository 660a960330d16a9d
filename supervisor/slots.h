#ifndef JOBRUNNER_SLOTS_H
#define JOBRUNNER_SLOTS_H

#include "plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * The ways of jobs from the launcher to supervisors: a few slots in memory that they share, so that to hand over an ID is a write and a
 * wake, and one that waits for the next job holds no descriptor. slot.h draws what a slot goes through.
 *
 * Measured: to fork a supervisor costs a quarter of a small job. So one is forked at once where nobody waits, but not while every core is
 * busy and twice as many jobs have been given within the last few milliseconds: if they are small, a supervisor that ends one of them has
 * the next sooner.
 */

enum assign {
    ASSIGNED,
    TO_BE_FORKED, // the caller forks a supervisor for it, and then calls slots_forked
    NO_ROOM,      // in a moment there is some
};

/** For the launcher, as all up to slots_take_failure; before it forks anybody. Where it fails all are forked. */
void slots_make(void);

/** Gives the job to somebody. */
enum assign slots_assign(const char *id);

/** The supervisor that was to be forked is, or could not be: -1. */
void slots_forked(pid_t pid);

/** A job that somebody is to be found for now; false: there is none. */
bool slots_take_queued(char id[ID_LENGTH + 1]);

/**
 * A job that was given a second ago to one who waited, and is not answered for by one who is stopped or waits for a disk: another is to be
 * forked, and the claim decides. Each is reported once; false: there is none.
 */
bool slots_take_overdue(char id[ID_LENGTH + 1]);

/** When the launcher has to look again, by clock_ns; NEVER: when a request arrives. */
int64_t slots_due_at(void);

/** Whether some job is on its way to one who ends with the launcher. */
bool slots_are_needed(void);

/** A child has ended. True: it was given a job and has not reported what became of it. */
bool slots_child_ended(pid_t pid);

/** Whether there is a job of which nothing could be claimed. */
bool slots_have_failure(void);

/** Which it is, and the errno. Each is given once; false: there is none. */
bool slots_take_failure(char id[ID_LENGTH + 1], int *error);

/** For a supervisor, as those below: the first that it does. */
void slots_begin(void);

/**
 * What became of its job: claimed, by it or by another (0), or why nothing could be claimed (an errno): then it is to end. False: there is
 * no way to tell of that, but its exit code.
 */
bool slots_answer(int error);

/** Waits for a job, a second at most; the caller ends with its launcher meanwhile. False: there is none for it. */
bool slots_wait(char id[ID_LENGTH + 1]);

#endif
