#include "../job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * Reads machine.def as text. Every cell of the state machine does what its line says, and a cell without a line is refused. The picture in
 * docs/supervisor.md shows exactly the moves of machine.def. Run this in the folder of machine.def.
 */

enum { WORD = 40, LINE = 400, MOST_LINES = 400 };

/** A line of machine.def, or an arrow of the picture. */
struct line {
    bool is_move;
    char part[WORD], phase[WORD], event[WORD], action[WORD], next[WORD];
};

static struct line table[MOST_LINES], picture[MOST_LINES];
static int table_lines, picture_lines, failures;

// What the state machine did.
static const char *last_call;
static int call_count, refusals;
static enum phase refused_phase;
static enum event refused_event;

static void fail(const char *what, const char *part, const char *phase, const char *event) {
    (void)fprintf(stderr, "machine_test: %s: %s %s %s\n", what, part, phase, event);
    failures += 1;
}

static void called(const char *action) {
    last_call = action;
    call_count += 1;
}

// These replace the actions. The Makefile extracts their names from machine.def.
#define ACTION(name) \
    void name(struct job *job) { \
        (void)job; \
        called(#name); \
    }
#include "actions.inc"

void refuse(struct job *job, enum phase phase, enum event event) {
    (void)job;
    refused_phase = phase;
    refused_event = event;
    refusals += 1;
}

static FILE *open_text(const char *name) {
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        perror(name);
        exit(1);
    }
    return file;
}

static void read_table(void) {
    FILE *file = open_text("machine.def");
    for (char text[LINE]; fgets(text, sizeof text, file) != NULL;) {
        struct line line = {0};
        char end = '\0';
        bool is_move = strncmp(text, "MOVE", 4) == 0, is_ignored = strncmp(text, "IGNORE", 6) == 0;
        if (!is_move && !is_ignored) continue;
        line.is_move = is_move;
        int got = is_move ? sscanf(text, "MOVE(%39[A-Z_], %39[A-Z_], %39[A-Z_], %39[a-z_], %39[A-Z_]%c", line.part, line.phase, line.event,
            line.action, line.next, &end)
                          : sscanf(text, "IGNORE(%39[A-Z_], %39[A-Z_], %39[A-Z_]%c", line.part, line.phase, line.event, &end);
        if (got != (is_move ? 6 : 4) || end != ')' || table_lines == MOST_LINES) fail("no line of the table's form", text, "", "");
        else table[table_lines++] = line;
    }
    (void)fclose(file);
}

/** "%% JOB" begins the picture of a part. "BETWEEN --> STEP : NEXT, ..." is one arrow for each of these events. */
static void read_picture(void) {
    FILE *file = open_text("../docs/supervisor.md");
    char part[WORD] = "";
    for (char text[LINE]; fgets(text, sizeof text, file) != NULL;) {
        struct line line = {.is_move = true};
        char events[LINE];
        (void)sscanf(text, " %%%% %39[A-Z]", part);
        if (sscanf(text, " %39[A-Z_] --> %39[A-Z_] : %399[A-Z_, ]", line.phase, line.next, events) != 3) continue;
        (void)snprintf(line.part, sizeof line.part, "%s", part);
        for (char *event = strtok(events, ", "); event != NULL; event = strtok(NULL, ", ")) {
            (void)snprintf(line.event, sizeof line.event, "%s", event);
            if (picture_lines < MOST_LINES) picture[picture_lines++] = line;
        }
    }
    (void)fclose(file);
}

static const struct line *find(const struct line *lines, int count, const char *part, const char *phase, const char *event) {
    const struct line *found = NULL;
    for (int i = 0; i < count; i++) {
        if (strcmp(lines[i].part, part) != 0 || strcmp(lines[i].phase, phase) != 0 || strcmp(lines[i].event, event) != 0) continue;
        if (found != NULL) fail("two lines for one cell", part, phase, event);
        found = &lines[i];
    }
    return found;
}

/** Compares what happens in this cell with its line; NULL: it has none. */
static void check_cell(enum phase phase, enum event event, const struct line *line) {
    enum part part = part_of_phase(phase);
    struct job job = {0};
    for (enum part each = 0; each < PARTS; each++) job.phases[each] = first_phase(each);
    job.phases[part] = phase;
    struct job before = job;
    call_count = refusals = 0;
    happen(&job, event);
    bool is_move = line != NULL && line->is_move;
    const char *next = is_move ? line->next : phase_name(phase);
    bool is_there = strcmp(phase_name(job.phases[part]), next) == 0 && part_of_phase(job.phases[part]) == part;
    if (!is_there) fail("is not in the phase that the table states", part_name(part), phase_name(phase), event_name(event));
    before.phases[part] = job.phases[part];
    if (memcmp(&before, &job, sizeof job) != 0) fail("changed more than its part", part_name(part), phase_name(phase), event_name(event));
    bool is_to_act = is_move && strcmp(line->action, "nothing") != 0;
    bool has_acted = is_to_act ? call_count == 1 && strcmp(last_call, line->action) == 0 : call_count == 0;
    if (!has_acted) fail("does not act as the table states", part_name(part), phase_name(phase), event_name(event));
    bool is_refused = refusals == 1 && refused_phase == phase && refused_event == event;
    if (is_refused != (line == NULL) || refusals > 1) fail("is not refused as the table states", part_name(part), phase_name(phase),
        event_name(event));
}

static int check_cells(void) {
    int cells = 0, lines = 0;
    for (enum phase phase = 0; phase < PHASES; phase++) {
        for (enum event event = 0; event < EVENTS; event++) {
            if (part_of_phase(phase) != part_of_event(event)) continue;
            const struct line *line = find(table, table_lines, part_name(part_of_phase(phase)), phase_name(phase), event_name(event));
            check_cell(phase, event, line);
            cells += 1;
            lines += line != NULL;
        }
    }
    if (lines != table_lines) fail("a line of machine.def is of no cell", "", "", "");
    return cells;
}

/** Marks all phases that the part can reach from this one. */
static void mark(enum phase phase, bool reached[PHASES]) {
    if (reached[phase]) return;
    reached[phase] = true;
    for (enum event event = 0; event < EVENTS; event++) {
        if (part_of_event(event) == part_of_phase(phase) && cell_of(phase, event)->answer == MOVED) mark(cell_of(phase, event)->next,
            reached);
    }
}

/** A part can reach every phase from its first one, and the job can reach its end from every phase. */
static void check_ways(void) {
    for (enum phase phase = 0; phase < PHASES; phase++) {
        bool reached[PHASES] = {false}, reached_next[PHASES] = {false};
        mark(first_phase(part_of_phase(phase)), reached);
        if (!reached[phase]) fail("is never reached", part_name(part_of_phase(phase)), phase_name(phase), "");
        mark(phase, reached_next);
        if (part_of_phase(phase) == PART_JOB && !reached_next[JOB_DONE]) fail("has no way to the end", "JOB", phase_name(phase), "");
    }
}

static void check_picture(void) {
    for (int i = 0; i < table_lines; i++) {
        const struct line *line = &table[i];
        bool is_drawn = line->is_move && strcmp(line->phase, line->next) != 0;
        const struct line *arrow = find(picture, picture_lines, line->part, line->phase, line->event);
        if (is_drawn && (arrow == NULL || strcmp(arrow->next, line->next) != 0)) fail("is not drawn in docs/supervisor.md", line->part,
            line->phase, line->event);
    }
    for (int i = 0; i < picture_lines; i++) {
        const struct line *arrow = &picture[i], *line = find(table, table_lines, arrow->part, arrow->phase, arrow->event);
        bool is_so = line != NULL && line->is_move && strcmp(line->next, arrow->next) == 0;
        if (!is_so) fail("is drawn in docs/supervisor.md, and is not so", arrow->part, arrow->phase, arrow->event);
    }
}

/** The document explains each phase with the words of phases.def. */
static void check_words(void) {
    static char document[1 << 17];
    FILE *file = open_text("../docs/supervisor.md");
    document[fread(document, 1, sizeof document - 1, file)] = '\0';
    (void)fclose(file);
#define PHASE(part, phase, text) \
    if (strstr(document, "| " #phase " | " text " |") == NULL) fail("is explained otherwise in docs/supervisor.md", #part, #phase, "");
#include "../phases.def"
}

int main(void) {
    read_table();
    read_picture();
    int cells = check_cells();
    check_ways();
    check_picture();
    check_words();
    (void)printf("machine_test: %d cells, %d of them with a line, %d arrows: %s\n", cells, table_lines, picture_lines, failures == 0
        ? "ok" : "FAILED");
    return failures == 0 ? 0 : 1;
}
