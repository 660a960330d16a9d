#ifndef JOBRUNNER_SLOTS_H
#define JOBRUNNER_SLOTS_H

#include "plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * How the launcher gives jobs to supervisors: by a few slots in shared memory. Handing over an ID costs one write and one wake-up, and a
 * waiting supervisor holds no descriptor. slot.h draws the states of a slot.
 *
 * Measured: forking a supervisor costs a quarter of a small job. If no supervisor waits, one is forked at once, unless every core is busy
 * and twice as many jobs were given within the last few milliseconds. If those are small jobs, a supervisor that finishes one of them takes
 * the next job sooner.
 */

enum assign {
    ASSIGNED,
    TO_BE_FORKED, // the caller forks a supervisor for it, and then calls slots_forked
    NO_ROOM,      // try again in a moment
};

/**
 * Creates the slots. The functions up to slots_take_failure are for the launcher. Call before it forks. On failure there are no slots, and
 * every supervisor is forked.
 */
void slots_make(void);

/** Gives the job to a supervisor, or queues it. */
enum assign slots_assign(const char *id);

/** Call when the supervisor was forked; -1: it could not be. */
void slots_forked(pid_t pid);

/** Takes a queued job that can be assigned now. Returns false if there is none. */
bool slots_take_queued(char id[ID_LENGTH + 1]);

/**
 * Takes a job that was given to a waiting supervisor a second ago and is not answered for, because the supervisor is stopped or waits for a
 * disk. The caller forks another one, and the claim decides which one runs the job. Each job is taken once. Returns false if there is none.
 */
bool slots_take_overdue(char id[ID_LENGTH + 1]);

/** When the launcher has to check again, by clock_ns; NEVER: when a request arrives. */
int64_t slots_due_at(void);

/** Whether a job is on its way to a supervisor that ends with the launcher. */
bool slots_are_needed(void);

/** Call when a child has ended. Returns true if it was given a job and has not reported what became of it. */
bool slots_child_ended(pid_t pid);

/** Whether there is a job that could not be claimed. */
bool slots_have_failure(void);

/** Takes such a job and its errno. Each job is taken once. Returns false if there is none. */
bool slots_take_failure(char id[ID_LENGTH + 1], int *error);

/** This function and those below are for a supervisor, which calls this one first. */
void slots_begin(void);

/**
 * Reports what became of the job. 0: this or another supervisor has claimed it. An errno: it could not be claimed, and the caller has to
 * end. Returns false if only the exit code can report that.
 */
bool slots_answer(int error);

/** Waits for a job, for at most one second. Meanwhile the caller ends with its launcher. Returns false if it gets no job. */
bool slots_wait(char id[ID_LENGTH + 1]);

#endif
