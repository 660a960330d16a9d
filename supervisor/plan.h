#ifndef JOBRUNNER_PLAN_H
#define JOBRUNNER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ID_LENGTH = 36, MAX_GROUPS = 1024 };

enum run_on { RUN_ON_SUCCESS, RUN_ON_FAILURE, RUN_ON_ALWAYS };

/** All pointers in these structs point into the buffer that was read. */
struct plan_step {
    const char *strings; // those of the step: after "step", up to the next "step" or "end"
    const char *strings_end;
    const char *workdir;
    enum run_on run_on;
    bool ignore_error;
    bool is_merged; // standard output and error are one pipe
    int64_t timeout_ms; // 0: none
    size_t arguments;
    size_t finalize_arguments; // 0: the step is no container
    const char *streams;     // the name of a folder in the job directory; NULL: the container has no streams of its own
    size_t variables;
};

struct plan {
    const char *id;
    const char *cgroup;     // NULL: none
    const char *stdin_name; // NULL: /dev/null
    const char *user;       // for plan_user; NULL: the supervisor's own user
    int stop_signal;
    int64_t stop_timeout_ms;
    int64_t timeout_ms;      // 0: none
    int64_t idle_timeout_ms; // 0: none
    int64_t drain_timeout_ms; // 0: none
    const char *shared;      // the strings for every step, among them environment variables
    const char *shared_end;
    size_t variables; // how many of the shared strings are variables
    size_t secrets;   // how many of them are secrets; their bytes in all, and those of the longest one
    size_t secret_bytes, longest_secret;
    size_t steps, containers; // containers: the steps that are containers
    const char *first_step; // at "step"
    const char *end;        // at "end"
};

/** Whether the text is 36 characters of [0-9a-f-]. Nothing else is ever used as the name of a job's folder. */
bool is_id(const char *text, size_t length);

/** Reads the format drawn in formats.h. Checks all of it, so that no later call can fail. Returns 0 or EINVAL. */
int plan_read(const char *bytes, size_t length, struct plan *plan);

/** Reads the step at `at`: plan->first_step, then what the previous call returned. Returns NULL if there is none. */
const char *plan_next_step(const struct plan *plan, const char *at, struct plan_step *step);

/** Finds the next secret from `at` on: plan->shared, then what the previous call returned. Returns NULL if there is none. */
const char *plan_next_secret(const struct plan *plan, const char *at, const char **secret);

/** The user and groups of a step's process. */
struct user {
    uid_t uid;
    size_t count;
    gid_t groups[MAX_GROUPS]; // [0] is the primary one
};

/** Parses a user as drawn in formats.h. Returns false if it is not one; plan->user always is. */
bool plan_user(const char *value, struct user *user);

/** The two commands of a step: its own, and the one that finalizes it. */
enum command { COMMAND_STEP, COMMAND_FINALIZE };

/** How many arguments the command has; 0: the step has no such command. */
size_t plan_arguments(const struct plan_step *step, enum command command);

/** Fills both vectors, and ends each with NULL. Needs room for plan_arguments + 1, and for the variables of plan and step + 1. */
void plan_vectors(const struct plan *plan, const struct plan_step *step, enum command command, char **arguments, char **variables);

#endif
