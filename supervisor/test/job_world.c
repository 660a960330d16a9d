#include "job_world.h"

#include "../cgroup.h"
#include "../processes.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define MS ((int64_t)NS_PER_MS)
#define SECOND (1000 * MS)

struct world world;

static uint64_t random_state;

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage);
int __wrap_kill(pid_t pid, int signal);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

/** splitmix64. */
uint64_t any(uint64_t below) {
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

bool one_in(uint64_t n) {
    return any(n) == 0;
}

/** A duration: usually short, sometimes long. */
int64_t some_time(void) {
    static const int64_t longest[] = {0, MS, 20 * MS, 300 * MS, 5 * SECOND, 60 * SECOND};
    return (int64_t)any((uint64_t)longest[any(6)] + 1);
}

static enum request_kind some_request(void) {
    if (one_in(3)) return REQUEST_KILL;
    return one_in(4) ? REQUEST_SIGNAL : REQUEST_TERMINATE;
}

void world_make(unsigned number, struct job *job) {
    static char id[ID_LENGTH + 1] = "01234567-89ab-cdef-0123-456789abcdef";
    static char cgroup[] = "/made-up";
    random_state = number;
    world = (struct world){.number = number, .now = SECOND, .reported_at = NEVER, .retry_at = NEVER};
    *job = (struct job){.control = 1, .children = 2, .cgroup = one_in(2) ? 3 : -1};
    job->plan = (struct plan){
        .id = id,
        .cgroup = cgroup,
        .stop_signal = SIGTERM,
        .stop_timeout_ms = (int64_t)any(3000),
        .timeout_ms = one_in(3) ? (int64_t)any(20000) + 1 : 0,
        .idle_timeout_ms = one_in(4) ? (int64_t)any(5000) + 1 : 0,
        .drain_timeout_ms = one_in(3) ? 0 : (int64_t)any(4000) + 1,
        .steps = any(WORLD_STEPS) + 1,
        .first_step = (const char *)world.steps,
    };
    for (size_t i = 0; i < job->plan.steps; i++) {
        bool is_container = one_in(2);
        world.steps[i] = (struct plan_step){
            .run_on = one_in(2) ? RUN_ON_ALWAYS : (enum run_on)any(3),
            .ignore_error = one_in(4),
            .timeout_ms = one_in(3) ? (int64_t)any(4000) + 1 : 0,
            .finalize_arguments = is_container,
            .streams = is_container && one_in(2) ? "streams" : NULL,
        };
    }
    world.requests_count = (unsigned)any(WORLD_REQUESTS);
    int64_t at = world.now;
    for (unsigned i = 0; i < world.requests_count; i++) world.requests[i] = (struct made_request){at += some_time(), some_request()};
    if (one_in(3)) world.disk_full_until = (world.disk_full_from = world.now + some_time()) + some_time();
    if (one_in(8)) world.status_full_until = (world.status_full_from = world.now + some_time()) + some_time();
    // Finally a request ends the job.
    world.requests[world.requests_count++] = (struct made_request){at + 100 * SECOND, REQUEST_KILL};
}

const char *plan_next_step(const struct plan *plan, const char *at, struct plan_step *step) {
    size_t index = (size_t)((const struct plan_step *)(const void *)at - world.steps);
    if (index >= plan->steps) return NULL;
    *step = world.steps[index];
    return (const char *)&world.steps[index + 1];
}

// Time.

int64_t clock_ns(void) {
    return world.now;
}

int64_t wall_ns(void) {
    return world.now;
}

int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

// Processes.

struct made_process *make_process(enum kind kind, unsigned step, pid_t session) {
    static pid_t next = 1000;
    for (struct made_process *process = world.processes; process < world.processes + WORLD_PROCESSES; process++) {
        if (process->pid != 0) continue;
        *process = (struct made_process){.pid = ++next, .kind = kind, .step = step, .is_stubborn = one_in(4), .is_stray = one_in(4)};
        process->session = session == 0 ? process->pid : session;
        process->ends_at = one_in(6) ? NEVER : world.now + some_time();
        process->holds_out_until = one_in(4) ? world.now + some_time() : 0;
        process->status = one_in(2) ? 0 : one_in(3) ? 125 << 8 : one_in(3) ? SIGSEGV : 3 << 8;
        return process;
    }
    return NULL;
}

bool lives(const struct made_process *process) {
    return process->pid != 0 && !process->is_dead;
}

static bool is_client(const struct made_process *process) {
    return process->kind == FIRST && world.steps[process->step - 1].finalize_arguments > 0;
}

unsigned world_alive(void) {
    unsigned count = 0;
    for (int i = 0; i < WORLD_PROCESSES; i++) count += lives(&world.processes[i]);
    return count;
}

struct made_process *first_of(unsigned step) {
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        struct made_process *process = &world.processes[i];
        if (lives(process) && process->kind == FIRST && process->step == step) return process;
    }
    return NULL;
}

bool world_process_lives(unsigned step) {
    return first_of(step) != NULL;
}

bool world_container_lives(unsigned step) {
    return world.steps[step - 1].finalize_arguments > 0 && world.container_lives && !world.was_given_up;
}

static void end_process(struct made_process *process) {
    process->is_dead = world.has_dead = true;
    bool was_killed = process->status == SIGKILL;
    if (process->kind == COMMAND && !was_killed) {
        struct made_process *client = first_of(process->step);
        world.container_lives = false;
        if (one_in(8)) (void)make_process(LEFT, process->step, 0); // engines leave helper processes behind
        if (client != NULL && !one_in(4)) client->ends_at = earlier(client->ends_at, world.now + (int64_t)any((uint64_t)SECOND));
    } else if (process->kind == COMMAND && !process->is_awaiting) {
        world.was_given_up = true;
    } else if (is_client(process) && WIFEXITED(process->status) && WEXITSTATUS(process->status) != 125) {
        bool was_called_off = WEXITSTATUS(process->status) == 143;
        world.container_lives = world.container_lives && was_called_off && one_in(2); // otherwise it reported how the container ended
    }
}

void pass(int64_t to) {
    if (to > world.now) world.spins = 0;
    if (to > world.now) world.now = to;
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        if (lives(&world.processes[i]) && world.processes[i].ends_at <= world.now) end_process(&world.processes[i]);
    }
}

static void send(struct made_process *process, int signal) {
    if (signal == 0) return;
    if (signal == SIGKILL) {
        process->status = SIGKILL;
        int64_t soon = world.now + (int64_t)any((uint64_t)(2 * MS));
        process->ends_at = soon > process->holds_out_until ? soon : process->holds_out_until;
    } else if (!process->is_stubborn && !(process->kind == FIRST && world.reported_at != NEVER)) {
        process->ends_at = earlier(process->ends_at, world.now + some_time());
        process->status = is_client(process) || one_in(2) ? 143 << 8 : SIGTERM;
    }
}

static int send_all(int signal, struct excluded excluded, bool only_members, bool only_strays) {
    int count = 0;
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        struct made_process *process = &world.processes[i];
        if (!lives(process) || process->pid == excluded.client || process->pid == excluded.finalizer) continue;
        bool is_member = process->kind != COMMAND && !process->is_stray && !is_client(process);
        if ((only_members && !is_member) || (only_strays && is_member)) continue;
        send(process, signal);
        count += 1;
    }
    return count;
}

int signal_descendants(int signal, struct excluded excluded) {
    return send_all(signal, excluded, false, false);
}

int signal_members(int cgroup, const char *path, int signal) {
    return cgroup < 0 || path == NULL || one_in(8) ? -1 : send_all(signal, (struct excluded){0}, true, false);
}

int signal_strays(const char *path, int signal, struct excluded excluded) {
    return path == NULL ? -1 : send_all(signal, excluded, false, true);
}

void cgroup_kill(int fd) {
    if (fd >= 0) (void)send_all(SIGKILL, (struct excluded){0}, true, false);
}

int signal_step(pid_t leader, int signal) {
    int count = 0;
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        struct made_process *process = &world.processes[i];
        if (!lives(process) || process->session != leader || process->kind == COMMAND) continue;
        send(process, signal);
        count += 1;
    }
    return count;
}

int signal_step_plainly(pid_t leader, int signal) {
    return signal_step(leader, signal);
}

int signal_marked(const struct marks *marks, int signal) {
    return marks == NULL || signal == 0 ? -1 : 0;
}

struct holdout signal_holdout(void) {
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        if (lives(&world.processes[i])) return (struct holdout){.pid = world.processes[i].pid, .state = 'D', .name = "made up"};
    }
    return (struct holdout){0};
}

bool visit_descendants(void (*visit)(pid_t thread, char state)) {
    world.pipe.has_worker = visit != NULL && one_in(2);
    return true;
}

void cgroup_remove(const char *path) {
    (void)path;
}

int __wrap_kill(pid_t pid, int signal) {
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        struct made_process *process = &world.processes[i];
        if (lives(process) && process->pid == (pid < 0 ? -pid : pid)) send(process, signal);
    }
    return 0;
}

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    bool has_children = false;
    if (pid != -1 || options != WNOHANG) wrong("wait4 was called otherwise than ever before");
    for (int i = 0; i < WORLD_PROCESSES; i++) {
        struct made_process *process = &world.processes[i];
        if (process->pid == 0) continue;
        has_children = true;
        if (!process->is_dead) continue;
        pid = process->pid;
        *status = process->status;
        *usage = (struct rusage){0};
        process->pid = 0;
        return pid;
    }
    errno = ECHILD;
    return has_children ? 0 : -1;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest) {
    (void)rest;
    pass(world.now + time->tv_sec * SECOND + time->tv_nsec);
    return 0;
}
