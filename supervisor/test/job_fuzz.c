#include "../status.h"
#include "job_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * Jobs in a simulated world (job_world.c). A number decides what its clock, processes, engine and disk do, and in which order. The real
 * state machine, with all of its actions, must bring each job to its end. No event may be refused, and the status file must be true, in
 * order and complete.
 *
 *     job_fuzz [count [first]]     tests that many worlds, from this number on. A world that fails prints its number and its job's status
 *                                  lines. 100,000 worlds or more must use every line of the table
 */

static struct reported {
    unsigned running, ended; // the step whose start was reported last, and the last one whose end was reported
    unsigned failed;        // the steps whose failure matters
    bool is_stopped, is_killed, is_waiting, is_done;
} reported;

static bool is_refusing; // intended
static char lines[1 << 16];
static size_t length;

_Noreturn void wrong(const char *sentence) {
    (void)fprintf(stderr, "job_fuzz: world %u at %lld ns: %s. It reported:\n%s", world.number, (long long)world.now, sentence, lines);
    abort();
}

static void must(bool is_so, const char *sentence) {
    if (!is_so) wrong(sentence);
}

static bool is_to_run(unsigned step) {
    enum run_on run_on = world.steps[step - 1].run_on;
    if (reported.is_killed) return false;
    return run_on == RUN_ON_ALWAYS || (!reported.is_stopped && (run_on == RUN_ON_FAILURE) == (reported.failed > 0));
}

static void may_begin(unsigned step) {
    must(step > reported.ended, "a step began twice, or after a later one");
    must(is_to_run(step), "a step began that was not to run");
}

static void note_failure(unsigned step) {
    if (!world.steps[step - 1].ignore_error) reported.failed += 1;
}

static void note_step(const char *word, unsigned step, const char *rest) {
    long long time;
    int status = 0;
    if (strcmp(word, "start") == 0) {
        may_begin(step);
        must(reported.running == 0, "a step began while another ran");
        reported.running = step;
    } else if (strcmp(word, "fail") == 0) {
        must(step > reported.ended, "a step began twice, or after a later one"); // it may have begun before the reported stop
        reported.running = 0;
        reported.ended = step;
        note_failure(step);
    } else if (strcmp(word, "expire") == 0) {
        must(step > reported.ended, "a timeout of a step that was finished"); // the exec of its command may have failed
        note_failure(step);
    } else if (strcmp(word, "end") == 0) {
        must(reported.running == step, "the end of a step that did not run");
        must(sscanf(rest, "%lld %d", &time, &status) == 2, "no line of this form");
        must(!world_process_lives(step), "the end of a step was reported while its process lived");
        must(!world_container_lives(step), "the end of a step was reported while its container lived");
        reported.running = 0;
        reported.ended = step;
        if (status != 0) note_failure(step);
    } else if (strcmp(word, "cut") == 0) {
        must(reported.running == 0, "something was cut while a step ran");
    } else {
        wrong("an unknown line");
    }
}

static void note(const char *line) {
    char word[16] = "", second[32] = "", third[32] = "";
    (void)sscanf(line, "%15s %31s %31s", word, second, third);
    must(!reported.is_done || is_refusing, "a line after the last");
    if (strcmp(word, "stop") == 0) {
        must(!reported.is_killed, "a stop after a kill");
        reported.is_stopped = true;
        reported.is_killed = strcmp(third, "kill") == 0;
    } else if (strcmp(word, "wait") == 0) {
        reported.is_waiting = true;
    } else if (strcmp(word, "waited") == 0) {
        must(reported.is_waiting, "nobody was waited for");
        reported.is_waiting = false;
    } else if (strcmp(word, "done") == 0) {
        must(reported.running == 0 && !reported.is_waiting, "the end was reported of a job that was not finished");
        must(world_alive() == 0, "the end was reported while processes lived");
        reported.is_done = true;
    } else if (strcmp(word, "refused") == 0) {
        must(is_refusing, "an event was refused");
    } else {
        note_step(word, (unsigned)atoi(second), strchr(strchr(line, ' ') + 1, ' ') + 1);
    }
}

void status_line(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(lines + length, sizeof lines - length, format, arguments);
    va_end(arguments);
    must(added > 0 && (size_t)added < sizeof lines - length, "too many lines");
    length += (size_t)added;
    note(lines + length - added);
}

static void run(unsigned number) {
    static struct job job;
    reported = (struct reported){0};
    length = 0;
    lines[0] = '\0';
    world_make(number, &job);
    job_run(&job);
    must(reported.is_done, "the job ended without a last line");
    for (unsigned step = reported.ended + 1; step <= job.plan.steps; step++) must(!is_to_run(step), "a step that was to run did not");
}

/** The first few refused events are recorded, and the job's phases do not change. */
static void refusals_are_reported(void) {
    struct job job;
    world_make(1, &job);
    for (enum part part = 0; part < PARTS; part++) job.phases[part] = first_phase(part);
    job.phases[PART_JOB] = JOB_DONE;
    is_refusing = true;
    length = 0;
    for (int i = 0; i < 100; i++) happen(&job, ON_JOB_TERMINATE);
    is_refusing = false;
    must(job.phases[PART_JOB] == JOB_DONE, "a refusal changed the phase");
    must(strncmp(lines, "refused 1000000000 JOB DONE TERMINATE\nrefused ", 46) == 0, "a refusal was not reported");
    must(length < 1000, "refusals were reported without end");
}

int main(int argc, char **argv) {
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000, first = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    for (unsigned number = first; number < first + count; number++) run(number);
    bool has_met_all = world_has_met_all();
    refusals_are_reported();
    return has_met_all || count < 100000 ? 0 : 1;
}
