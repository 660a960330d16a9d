#ifndef JOBRUNNER_JOB_WORLD_H
#define JOBRUNNER_JOB_WORLD_H

#include "../job.h"
#include "../control.h"
#include "../pipes.h"

/** A simulated world for the state machine: it replaces clock, kernel, engine and disk. Everything follows from one number. */

enum { WORLD_STEPS = 4, WORLD_PROCESSES = 64, WORLD_REQUESTS = 16 };

enum kind { FIRST, LEFT, COMMAND };

struct made_process {
    pid_t pid, session; // pid 0: there is none
    enum kind kind;
    unsigned step;
    bool is_dead, is_stubborn, is_stray, is_awaiting;
    int64_t ends_at, holds_out_until; // when it ends by itself; until when SIGKILL does not end it
    int status;
};

struct made_request {
    int64_t at;
    enum request_kind kind;
};

extern struct world {
    unsigned number;
    int64_t now;
    struct plan_step steps[WORLD_STEPS];
    struct made_process processes[WORLD_PROCESSES];
    struct made_request requests[WORLD_REQUESTS];
    unsigned requests_count, requests_read;
    int64_t reported_at;                // when the result of the start becomes known
    bool fails_to_start, is_up;     // of the current step
    bool container_lives, was_given_up; // of the current step
    int64_t disk_full_from, disk_full_until, status_full_from, status_full_until;
    bool is_blocked, has_pipes, has_dead;
    int64_t retry_at, last_output_at;
    struct pipe pipe; // represents all pipes
    unsigned spins;
} world;

/** Creates a new world, and the job in it as it is before job_run. */
void world_make(unsigned number, struct job *job);

bool world_process_lives(unsigned step);
bool world_container_lives(unsigned step);
unsigned world_alive(void);

/** A random number below a limit, and true once in so many times. */
uint64_t any(uint64_t below);
bool one_in(uint64_t n);

/** A duration: usually short, sometimes long. */
int64_t some_time(void);

/** Adds a living process; session 0: its own. Returns NULL if there are too many. */
struct made_process *make_process(enum kind kind, unsigned step, pid_t session);
struct made_process *first_of(unsigned step);
bool lives(const struct made_process *process);

/** Advances the clock, and ends the processes whose time has come. */
void pass(int64_t to);

/** Prints how many lines of the table the worlds have used so far, and which not. Returns whether all were used. */
bool world_has_met_all(void);

/** Fails with this sentence. */
_Noreturn void wrong(const char *sentence);

#endif
