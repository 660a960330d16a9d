#ifndef JOBRUNNER_SLOTS_H
#define JOBRUNNER_SLOTS_H

#include "plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * Where supervisors that have ended a job wait for the next one: a few slots in memory that launcher and supervisors share, so that a wait holds no
 * descriptor, and to hand over an ID is a write and a wake. slots.c draws what a slot goes through.
 */

/** For the launcher, before it forks anybody. Where it fails nobody ever waits. */
void slots_make(void);

/** For the launcher: gives the job to a supervisor that waits. False: none does. */
bool slots_give(const char *id);

/**
 * For the launcher: a job that was given a second ago and is not answered for, by a supervisor that is stopped or that waits for a disk: another is to
 * try, and the claim decides. Each is told of once; false: there is none.
 */
bool slots_take_overdue(char id[ID_LENGTH + 1]);

/** When there may be one, by clock_ns; NEVER: all are answered for. */
int64_t slots_overdue_at(void);

/** For the launcher: a child has ended. True: it was given a job and has not told what became of it. */
bool slots_child_ended(pid_t pid);

/** For the launcher: whether there is a job of which nothing could be claimed. */
bool slots_have_failure(void);

/** For the launcher: which it is, and the errno. Each is given once; false: there is none. */
bool slots_take_failure(char id[ID_LENGTH + 1], int *error);

/** For a supervisor: waits for a job, a second at most; the caller ends with its launcher meanwhile. False: there is none for it. */
bool slots_wait(char id[ID_LENGTH + 1]);

/**
 * For a supervisor: whether the job that it waited for is claimed, by it or by another (0), or why nothing could be claimed (an errno): then it is to
 * end. False: it waited for none.
 */
bool slots_answer(int error);

#endif
