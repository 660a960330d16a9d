#ifndef JOBRUNNER_SLOT_H
#define JOBRUNNER_SLOT_H

#include "plan.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * The states of a slot. Only the two sides of slots.h use this header. A word holds the state and the process ID of the slot's supervisor
 * (0: none). Each transition is one compare-and-swap of the word, or one store if only one process may make it. So each transition happens
 * whole or not at all, even if a process is killed at any instruction, and the launcher finds the slot of a dead child by its process ID.
 *
 *     FREE   ──launcher: nobody waits, few jobs are young─────────▶ GIVEN   and it forks a supervisor
 *     FREE   ──launcher: nobody waits, enough jobs are young──────▶ QUEUED
 *     QUEUED ──launcher: a supervisor waits, or few are young─────▶ FREE    and the ID is assigned again
 *     QUEUED ──a supervisor has finished a plain job──────────────▶ GIVEN
 *     FREE   ──a supervisor has finished a plain job──────────────▶ IDLE
 *     IDLE   ──its supervisor: a second has passed────────────────▶ FREE    and it ends
 *     IDLE   ──launcher: has an ID────────────────────────────────▶ GIVEN
 *     GIVEN  ──its supervisor: the job is claimed─────────────────▶ YOUNG   and the job runs
 *     GIVEN  ──its supervisor: nothing could be claimed───────────▶ FAILED  and it ends
 *     GIVEN  ──launcher: a second has passed──────────────────────▶ GIVEN   and it forks another supervisor for the ID, but only once, and
 *                                                                           not if the first one was forked for it
 *     YOUNG  ──its supervisor: the job is finished────────────────▶ FREE
 *     YOUNG  ──launcher: the job has run for a while──────────────▶ FREE
 *     FAILED ──launcher: has reported it to the service───────────▶ FREE
 *     IDLE, GIVEN, YOUNG ──launcher: the supervisor has ended─────▶ FREE    if GIVEN, the ID is lost, and the service hears of the death
 *
 * The launcher writes the ID and the fields behind it while the slot is FREE or IDLE. The supervisor writes the error while it is GIVEN.
 */
enum slot_state { FREE, QUEUED, IDLE, GIVEN, YOUNG, FAILED };

struct slot {
    _Atomic uint32_t word; // state and process ID; 0: FREE
    int error;
    char id[ID_LENGTH + 1];
    bool is_newborn;           // GIVEN to a supervisor that was forked for the job
    int64_t overdue_at;        // by clock_ns
    _Atomic uint32_t since_ms; // when it became QUEUED or GIVEN, by slot_now_ms
};

enum { SLOT_COUNT = 48, MOST_IDLE = 16 }; // waiting supervisors use the first MOST_IDLE

struct slots {
    struct slot *all; // in shared memory; NULL: there are none
    int count;        // how many
    pid_t launcher;
    struct slot *own; // of the calling supervisor, from IDLE or GIVEN on; in the launcher, of the child that it is about to fork
};

extern struct slots slots;

uint32_t slot_word(enum slot_state state, pid_t pid);
enum slot_state slot_state(const struct slot *slot);
pid_t slot_number(const struct slot *slot);
bool slot_move(struct slot *slot, uint32_t from, uint32_t to);

/** The slot that has been QUEUED for the longest time. */
struct slot *slot_first_queued(void);

/** Milliseconds that wrap around: use only differences. */
uint32_t slot_now_ms(void);

/** The bits for a process ID, which is at most 2^22 (pid_max in proc(5)). */
enum { NUMBER_BITS = 24, NUMBER_MASK = (1 << NUMBER_BITS) - 1 };

#endif
