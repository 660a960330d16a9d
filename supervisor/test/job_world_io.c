#include "job_world.h"

#include "../control.h"
#include "../output.h"
#include "../signals.h"
#include "../status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/** The rest of the simulated world: how steps start, when the disk accepts output, and what the main loop receives. */

static const int64_t RETRY_NS = 200 * (int64_t)NS_PER_MS, CHECK_NS = 10 * (int64_t)NS_PER_MS,
    TOO_LATE_NS = 3600 * (int64_t)1000 * NS_PER_MS;
enum { MOST_SPINS = 1000, OUTPUT = 5 };

static bool was_met[PHASES][EVENTS];

int __wrap_ppoll(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask);
void __wrap_happen(struct job *job, enum event event);
void __real_happen(struct job *job, enum event event);

void __wrap_happen(struct job *job, enum event event) {
    if (++world.spins > MOST_SPINS) wrong("events without end");
    was_met[job->phases[part_of_event(event)]][event] = true;
    __real_happen(job, event);
}

bool world_has_met_all(void) {
    unsigned lines = 0, met = 0;
    for (enum phase phase = 0; phase < PHASES; phase++) {
        for (enum event event = 0; event < EVENTS; event++) {
            if (cell_of(phase, event)->answer == REFUSED) continue;
            lines += 1;
            met += was_met[phase][event];
            if (!was_met[phase][event]) (void)printf("never met: %s %s %s\n", part_name(part_of_event(event)), phase_name(phase),
                event_name(event));
        }
    }
    (void)printf("job_fuzz: up to world %u, %u of the table's %u lines met, no refusal\n", world.number, met, lines);
    return met == lines;
}

// Starting.

int step_open_pipes(const struct plan_step *step, struct step_pipes *pipes) {
    *pipes = (struct step_pipes){.streams = NO_STREAMS};
    return step == NULL || one_in(20) ? EMFILE : 0;
}

void step_close_pipes(const struct plan_step *step, struct step_pipes *pipes) {
    (void)step;
    (void)pipes;
}

enum step_news step_start(const struct plan *plan, const struct plan_step *step, const char *stdin_name, int cgroup,
    const struct step_pipes *pipes,
                          struct step_process *process) {
    (void)plan;
    (void)stdin_name;
    (void)cgroup;
    (void)pipes;
    unsigned number = (unsigned)world.pipe.step;
    *process = (struct step_process){.check_at = NEVER, .failure = {STAGE_FORK, EAGAIN}};
    struct made_process *first = one_in(20) ? NULL : make_process(FIRST, number, 0);
    if (first == NULL) return STEP_FAILED;
    world.container_lives = step->finalize_arguments > 0;
    world.fails_to_start = one_in(8);
    world.is_up = world.was_given_up = false;
    process->pid = first->pid;
    if (world.fails_to_start) first->ends_at = world.now + some_time();
    if (world.fails_to_start) first->status = 127 << 8;
    if (world.fails_to_start) world.container_lives = false;
    for (int i = 0; i < 3 && !world.fails_to_start; i++) {
        if (one_in(3)) (void)make_process(LEFT, number, one_in(2) ? first->pid : 0);
    }
    world.reported_at = one_in(3) ? world.now + some_time() : NEVER;
    if (world.reported_at != NEVER) process->check_at = world.now + CHECK_NS;
    if (world.reported_at != NEVER) return STEP_UNREPORTED;
    return world.fails_to_start ? STEP_FAILED : STEP_EXECUTED;
}

enum step_news step_learn(struct step_process *process) {
    bool is_reported = first_of((unsigned)world.pipe.step) == NULL || world.now >= world.reported_at;
    process->check_at = is_reported ? NEVER : world.now + CHECK_NS;
    if (!is_reported) return STEP_UNREPORTED;
    world.reported_at = NEVER;
    return world.fails_to_start ? STEP_FAILED : STEP_EXECUTED;
}

pid_t step_finalize(const struct plan *plan, const struct plan_step *step, bool is_awaiting) {
    (void)plan;
    struct made_process *command = step == NULL || one_in(10) ? NULL : make_process(COMMAND, (unsigned)world.pipe.step, 0);
    if (command == NULL) return -1;
    command->is_awaiting = is_awaiting;
    return command->pid;
}

const char *step_stage_name(enum step_stage stage) {
    return stage == STAGE_PIPES ? "pipes" : "fork";
}

bool streams_is_up(struct streams *streams) {
    world.is_up = streams != NULL && (world.is_up || one_in(2));
    return world.is_up;
}

void streams_signal(const struct streams *streams, int signal) {
    (void)streams;
    (void)signal;
}

void streams_let_go(struct streams *streams) {
    (void)streams;
}

void streams_close(const char *folder, struct streams *streams) {
    (void)folder;
    (void)streams;
}

// Output and disk.

int output_add_pipes(uint32_t step, int output, int error) {
    (void)output;
    (void)error;
    world.pipe.step = step;
    if (one_in(30)) return ENOSPC;
    world.has_pipes = true;
    return 0;
}

bool output_is_open(void) {
    return world.has_pipes;
}

bool output_is_blocked(void) {
    return world.is_blocked;
}

int64_t output_due_at(void) {
    return world.retry_at;
}

int output_descriptor(void) {
    return world.is_blocked ? -1 : OUTPUT;
}

void output_handle(void) {
    world.is_blocked = world.now >= world.disk_full_from && world.now < world.disk_full_until;
    world.retry_at = world.is_blocked ? world.now + RETRY_NS : NEVER;
    if (!world.is_blocked) world.last_output_at = world.now;
    if (!world.is_blocked && world_alive() == 0 && one_in(2)) world.has_pipes = false;
}

void output_drain(uint32_t step) {
    (void)step;
    if (!world.is_blocked && one_in(2)) output_handle();
}

void output_go_on(void) {
    if (world.is_blocked && world.now >= world.retry_at) output_handle();
}

void output_close_pipes(void) {
    if (!world.is_blocked) output_handle();
    if (!world.is_blocked) world.has_pipes = false;
}

void output_give_up(void) {
    world.is_blocked = world.has_pipes = false;
    world.retry_at = NEVER;
}

uint64_t output_bytes(void) {
    return 0;
}

uint64_t output_lost_bytes(void) {
    return 0;
}

uint64_t output_step_bytes(void) {
    return 0;
}

int64_t output_last_at(void) {
    return world.last_output_at;
}

struct pipe *pipes_next(struct pipe *pipe) {
    return pipe == NULL && world.has_pipes ? &world.pipe : NULL;
}

bool status_is_written(void) {
    return world.now < world.status_full_from || world.now >= world.status_full_until;
}

void status_ring(void) {
}

int64_t status_ring_at(void) {
    return NEVER;
}

// What the main loop receives.

struct request control_read(int fd) {
    if (fd < 0 || world.requests_read == world.requests_count || world.requests[world.requests_read].at > world.now)
        return (struct request){.kind = REQUEST_NONE};
    return (struct request){world.requests[world.requests_read++].kind, SIGTERM};
}

void signals_clear(int fd) {
    world.has_dead = world.has_dead && fd < 0;
}

static int64_t next_at(void) {
    int64_t next = world.requests_read < world.requests_count ? world.requests[world.requests_read].at : NEVER;
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        if (lives(&world.processes[i])) next = earlier(next, world.processes[i].ends_at);
    }
    return next;
}

/** The entries are those of job.c: requests, ends of processes, output. */
int __wrap_ppoll(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    int64_t next = next_at(), due = timeout == NULL ? NEVER : world.now + timeout->tv_sec * 1000000000 + timeout->tv_nsec;
    if (mask != NULL || count != 3) wrong("ppoll was called otherwise than ever before");
    if (world.has_dead || (world.requests_read < world.requests_count && next <= world.now)) next = world.now;
    if (next == NEVER && due == NEVER) wrong("it waits, and nothing will come");
    if (world.now > TOO_LATE_NS) wrong("it does not end");
    if (++world.spins > MOST_SPINS) wrong("it does not sleep");
    pass(earlier(next, due) + (one_in(3) ? some_time() / 100 : 0)); // sometimes it wakes up late
    bool has_request = world.requests_read < world.requests_count && world.requests[world.requests_read].at <= world.now;
    bool has_output = entries[2].fd >= 0 && world.has_pipes && one_in(3);
    bool ready[] = {has_request, world.has_dead, has_output};
    int found = 0;
    for (nfds_t i = 0; i < count; i++) {
        entries[i].revents = ready[i] ? POLLIN : 0;
        found += ready[i];
    }
    return found;
}
