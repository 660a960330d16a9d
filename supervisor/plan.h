#ifndef JOBRUNNER_PLAN_H
#define JOBRUNNER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ID_LENGTH = 36, MAX_GROUPS = 1024 };

enum run_on { RUN_ON_SUCCESS, RUN_ON_FAILURE, RUN_ON_ALWAYS };

/** A plan's strings stay where they are: everything here points into the buffer that was read. */
struct plan_step {
    const char *strings; // the step's own: from after "step" to before the next "step" or "end"
    const char *strings_end;
    const char *workdir;
    enum run_on run_on;
    bool ignore_error;
    int64_t timeout_ms; // 0: none
    size_t arguments;
    size_t finalize_arguments; // 0: the step is no container
    const char *streams;     // the name of a folder in the job's; NULL: the container has no way of its own
    size_t variables;
};

struct plan {
    const char *id;
    const char *cgroup;     // NULL: none
    const char *stdin_name; // NULL: /dev/null
    const char *user;       // NULL: the supervisor's own; else for plan_user
    int stop_signal;
    int64_t stop_timeout_ms;
    int64_t timeout_ms;      // 0: none
    int64_t idle_timeout_ms; // 0: none
    int64_t drain_timeout_ms; // 0: none
    const char *shared;      // the strings that hold for every step, environment variables among them
    const char *shared_end;
    size_t variables; // among the shared ones
    size_t secrets;   // likewise; how many bytes they have together, and the longest of them
    size_t secret_bytes, longest_secret;
    size_t steps, containers; // those of them that are one
    const char *first_step; // at "step"
    const char *end;        // at "end"
};

/** 36 characters of [0-9a-f-]. Nothing else is ever used as the name of a folder. */
bool is_id(const char *text, size_t length);

/** Reads the format drawn in formats.h, all of it, so that nothing later can fail on it. Returns 0 or EINVAL. */
int plan_read(const char *bytes, size_t length, struct plan *plan);

/** Reads the step that begins at `at` (plan->first_step, then what the call before returned). NULL: there is none. */
const char *plan_next_step(const struct plan *plan, const char *at, struct plan_step *step);

/** Finds the first secret from `at` on (plan->shared, then what the call before returned). NULL: there is none. */
const char *plan_next_secret(const struct plan *plan, const char *at, const char **secret);

/** Whom a step's process becomes. */
struct user {
    uid_t uid;
    size_t count;
    gid_t groups[MAX_GROUPS]; // [0] is the primary one
};

/** Whether the text is a user as drawn in formats.h; plan->user is. */
bool plan_user(const char *value, struct user *user);

/** Which of a step's two commands: what it is, or what finalizes it. */
enum command { COMMAND_STEP, COMMAND_FINALIZE };

/** How many arguments the command has; 0: the step has no such command. */
size_t plan_arguments(const struct plan_step *step, enum command command);

/** Fills both vectors, each with its NULL; they need room for plan_arguments + 1 and for the variables of plan and step + 1. */
void plan_vectors(const struct plan *plan, const struct plan_step *step, enum command command, char **arguments, char **variables);

#endif
