#ifndef JOBRUNNER_MACHINE_H
#define JOBRUNNER_MACHINE_H

#include <stdbool.h>

/** The state machine of machine.def: its phases, events and actions, and the one function that moves it. */

struct job;

enum part {
#define PART(part, text) PART_##part,
#include "phases.def"
    PARTS
};

/** JOB_BETWEEN and so on: the phases of all parts, in the order of phases.def. */
enum phase {
#define PHASE(part, phase, text) part##_##phase,
#include "phases.def"
    PHASES
};

/** ON_JOB_TERMINATE and so on. Each event belongs to one part. */
enum event {
#define EVENT(part, event, text) ON_##part##_##event,
#include "phases.def"
    EVENTS,
    NO_EVENT = EVENTS
};

#define MOVE(part, phase, event, action, next) void action(struct job *job);
#include "machine.def"

/** What the table says about an event in a phase. */
enum answer { REFUSED, IGNORED, MOVED };

struct cell {
    enum answer answer;
    enum phase next;               // only if MOVED
    void (*action)(struct job *job); // only if MOVED
};

/** The table's cell for a phase and an event of the same part. */
const struct cell *cell_of(enum phase phase, enum event event);

/** The phase in which a part begins. */
enum phase first_phase(enum part part);

enum part part_of_phase(enum phase phase);
enum part part_of_event(enum event event);

/** The names in phases.def. */
const char *part_name(enum part part);
const char *phase_name(enum phase phase);
const char *event_name(enum event event);

/** Handles an event: does what its cell says. Sets the part's next phase before it calls the action. */
void happen(struct job *job, enum event event);

/** Records an event that was refused: see formats.h. */
void refuse(struct job *job, enum phase phase, enum event event);

#endif
