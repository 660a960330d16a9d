#include "machine.h"

#include "job.h"

static const struct cell table[PHASES][EVENTS] = {
#define MOVE(part, phase, event, action, next) [part##_##phase][ON_##part##_##event] = {MOVED, part##_##next, action},
#define IGNORE(part, phase, event) [part##_##phase][ON_##part##_##event] = {IGNORED, PHASES, nothing},
#include "machine.def"
};

static const unsigned char part_of_phases[PHASES] = {
#define PHASE(part, phase, text) PART_##part,
#include "phases.def"
};

static const unsigned char part_of_events[EVENTS] = {
#define EVENT(part, event, text) PART_##part,
#include "phases.def"
};

static const char *const part_names[PARTS] = {
#define PART(part, text) #part,
#include "phases.def"
};

static const char *const phase_names[PHASES] = {
#define PHASE(part, phase, text) #phase,
#include "phases.def"
};

static const char *const event_names[EVENTS] = {
#define EVENT(part, event, text) #event,
#include "phases.def"
};

void happen(struct job *job, enum event event) {
    enum phase phase = job->phases[part_of_event(event)];
    const struct cell *cell = cell_of(phase, event);
    switch (cell->answer) {
    case IGNORED: return;
    case REFUSED: refuse(job, phase, event); return;
    case MOVED:
        job->phases[part_of_event(event)] = cell->next;
        cell->action(job);
        return;
    }
}

void nothing(struct job *job) {
    (void)job;
}

const struct cell *cell_of(enum phase phase, enum event event) {
    return &table[phase][event];
}

enum phase first_phase(enum part part) {
    enum phase phase = 0;
    while (part_of_phases[phase] != part) phase++;
    return phase;
}

enum part part_of_phase(enum phase phase) {
    return (enum part)part_of_phases[phase];
}

enum part part_of_event(enum event event) {
    return (enum part)part_of_events[event];
}

const char *part_name(enum part part) {
    return part_names[part];
}

const char *phase_name(enum phase phase) {
    return phase_names[phase];
}

const char *event_name(enum event event) {
    return event_names[event];
}
