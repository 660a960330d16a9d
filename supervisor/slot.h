#ifndef JOBRUNNER_SLOT_H
#define JOBRUNNER_SLOT_H

#include "plan.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * What a slot goes through, for both sides of slots.h alone. Each move is one compare-and-swap of the word that holds the state and the
 * number of the supervisor whose slot it is, 0 for nobody's, or one store where only one may move: so each happens whole or not at all,
 * whoever is killed at whichever instruction, and by the number the launcher finds what a dead child had.
 *
 *     FREE   ──launcher: nobody waits, few are young───────▶ GIVEN   and it forks a supervisor
 *     FREE   ──launcher: nobody waits, enough are young────▶ QUEUED
 *     QUEUED ──launcher: somebody waits, or few are young──▶ FREE    and the ID is assigned anew
 *     QUEUED ──a supervisor has ended a plain job──────────▶ GIVEN
 *     FREE   ──a supervisor has ended a plain job──────────▶ IDLE
 *     IDLE   ──its second is finished──────────────────────────▶ FREE    and it ends
 *     IDLE   ──launcher: an ID─────────────────────────────▶ GIVEN
 *     GIVEN  ──its supervisor: claimed─────────────────────▶ YOUNG   and the job runs
 *     GIVEN  ──its supervisor: nothing could be claimed────▶ FAILED  and it ends
 *     GIVEN  ──launcher: a second is finished──────────────────▶ GIVEN   and it forks another for the ID, once, unless it was forked for it
 *     YOUNG  ──its supervisor: the job is finished; launcher: it has run for a while─▶ FREE
 *     FAILED ──launcher: told the service──────────────────▶ FREE
 *     IDLE, GIVEN, YOUNG ──launcher: that child has ended──▶ FREE    GIVEN: the ID is lost, and the service hears that somebody died
 *
 * The ID and what is behind it are the launcher's, written while the slot is FREE or IDLE; the error is the supervisor's, written while it
 * is GIVEN.
 */
enum slot_state { FREE, QUEUED, IDLE, GIVEN, YOUNG, FAILED };

struct slot {
    _Atomic uint32_t word; // state and number; 0: FREE
    int error;
    char id[ID_LENGTH + 1];
    bool is_newborn;           // GIVEN to one that was forked for it
    int64_t overdue_at;        // by clock_ns
    _Atomic uint32_t since_ms; // QUEUED, or GIVEN, by slot_now_ms
};

enum { SLOT_COUNT = 48, MOST_IDLE = 16 }; // those that wait sit in the first ones

struct slots {
    struct slot *all; // shared; NULL: there are none
    int count;        // of them
    pid_t launcher;
    struct slot *own; // the calling supervisor's, from its IDLE or GIVEN on; in the launcher that of the child that is to be forked
};

extern struct slots slots;

uint32_t slot_word(enum slot_state state, pid_t pid);
enum slot_state slot_state(const struct slot *slot);
pid_t slot_number(const struct slot *slot);
bool slot_move(struct slot *slot, uint32_t from, uint32_t to);

/** The one that is QUEUED for the longest time. */
struct slot *slot_first_queued(void);

/** It goes round: only for differences. */
uint32_t slot_now_ms(void);

/** Of what a number may be: proc(5), pid_max, at most 2^22. */
enum { NUMBER_BITS = 24, NUMBER_MASK = (1 << NUMBER_BITS) - 1 };

#endif
