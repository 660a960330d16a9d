#include "plan.h"

#include "formats.h"

#include <errno.h>
#include <string.h>

// Far more than anybody needs; so counts of secret bytes fit in 32 bits.
enum { MAX_SECRET_BYTES = 1 << 24 };

static const char *after(const char *text);
static const char *value_of(const char *text, const char *key);
static bool read_shared(const char *text, struct plan *plan);
static bool read_shared_number(const char *text, struct plan *plan);
static bool read_secret(const char *secret, struct plan *plan);
static bool read_user(const char *text, struct plan *plan);
static bool read_user_number(const char **text, uint32_t *number);
static bool read_own(const char *text, struct plan_step *step);
static bool read_number(const char *text, int64_t *number);
static bool read_run_on(const char *text, enum run_on *run_on);
static bool is_file_name(const char *text);
static bool is_variable(const char *text);
static bool is_step(const char *text);
static char **collect(const char *from, const char *to, const char *key, char **slot);

bool is_id(const char *text, size_t length) {
    if (length != ID_LENGTH) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0' || strchr("0123456789abcdef-", text[i]) == NULL) return false;
    }
    return true;
}

int plan_read(const char *bytes, size_t length, struct plan *plan) {
    *plan = (struct plan){0};
    // The last string ends with NUL, so every string ends.
    static const char tail[] = "\0end";
    if (length < sizeof tail || memcmp(bytes + length - sizeof tail, tail, sizeof tail) != 0) return EINVAL;
    if (strcmp(bytes, PLAN_VERSION) != 0) return EINVAL;
    plan->end = bytes + length - sizeof "end";
    plan->stop_timeout_ms = -1;
    plan->shared = after(bytes);
    const char *at = plan->shared;
    for (; !is_step(at) && at != plan->end; at = after(at)) {
        if (!read_shared(at, plan)) return EINVAL;
    }
    plan->shared_end = at;
    plan->first_step = at;
    struct plan_step step;
    while ((at = plan_next_step(plan, at, &step)) != NULL) {
        if (step.workdir == NULL || step.arguments == 0) return EINVAL;
        if (plan->user != NULL && step.finalize_arguments > 0) return EINVAL;
        if (step.finalize_arguments > 0) plan->containers++;
        plan->steps++;
    }
    bool is_whole = plan->id != NULL && plan->stop_signal != 0 && plan->stop_timeout_ms >= 0 && plan->steps > 0;
    return is_whole ? 0 : EINVAL;
}

const char *plan_next_step(const struct plan *plan, const char *at, struct plan_step *step) {
    *step = (struct plan_step){0};
    if (at == plan->end) return NULL;
    at = after(at);
    step->strings = at;
    for (; at != plan->end && !is_step(at); at = after(at)) {
        // A step that cannot be read lacks what every step must have, so plan_read refuses it.
        if (!read_own(at, step)) {
            step->workdir = NULL;
            return plan->end;
        }
    }
    step->strings_end = at;
    return at;
}

const char *plan_next_secret(const struct plan *plan, const char *at, const char **secret) {
    for (; at != plan->shared_end; at = after(at)) {
        *secret = value_of(at, "secret=");
        if (*secret != NULL) return after(at);
    }
    return NULL;
}

size_t plan_arguments(const struct plan_step *step, enum command command) {
    return command == COMMAND_STEP ? step->arguments : step->finalize_arguments;
}

void plan_vectors(const struct plan *plan, const struct plan_step *step, enum command command, char **arguments, char **variables) {
    *collect(step->strings, step->strings_end, command == COMMAND_STEP ? "arg=" : "settle=", arguments) = NULL;
    variables = collect(plan->shared, plan->shared_end, "env=", variables);
    *collect(step->strings, step->strings_end, "env=", variables) = NULL;
}

static char **collect(const char *from, const char *to, const char *key, char **slot) {
    for (const char *at = from; at != to; at = after(at)) {
        const char *value = value_of(at, key);
        if (value != NULL) *slot++ = (char *)(uintptr_t)value; // execve(2) does not change the strings
    }
    return slot;
}

static bool read_shared(const char *text, struct plan *plan) {
    const char *value;
    if ((value = value_of(text, "env=")) != NULL) {
        plan->variables++;
        return is_variable(value);
    }
    if ((value = value_of(text, "id=")) != NULL) {
        plan->id = value;
        return is_id(value, strlen(value));
    }
    if ((value = value_of(text, "cgroup=")) != NULL) {
        plan->cgroup = value;
        return *value == '/';
    }
    if ((value = value_of(text, "stdin=")) != NULL) {
        plan->stdin_name = value;
        return is_file_name(value);
    }
    if ((value = value_of(text, "secret=")) != NULL) return read_secret(value, plan);
    if ((value = value_of(text, "user=")) != NULL) return read_user(value, plan);
    return read_shared_number(text, plan);
}

static bool read_shared_number(const char *text, struct plan *plan) {
    const char *value;
    int64_t number;
    if ((value = value_of(text, "stop_timeout_ms=")) != NULL) return read_number(value, &plan->stop_timeout_ms);
    if ((value = value_of(text, "idle_timeout_ms=")) != NULL) return read_number(value, &plan->idle_timeout_ms);
    if ((value = value_of(text, "drain_timeout_ms=")) != NULL) return read_number(value, &plan->drain_timeout_ms);
    if ((value = value_of(text, "timeout_ms=")) != NULL) return read_number(value, &plan->timeout_ms);
    if ((value = value_of(text, "stop_signal=")) == NULL || !read_number(value, &number)) return false;
    plan->stop_signal = number >= 1 && number <= 64 ? (int)number : 0;
    return plan->stop_signal != 0;
}

static bool read_secret(const char *secret, struct plan *plan) {
    size_t length = strlen(secret);
    if (length == 0 || length > MAX_SECRET_BYTES - plan->secret_bytes) return false;
    plan->secrets++;
    plan->secret_bytes += length;
    if (length > plan->longest_secret) plan->longest_secret = length;
    return true;
}

static bool read_user(const char *text, struct plan *plan) {
    struct user user;
    plan->user = text;
    return plan_user(text, &user);
}

bool plan_user(const char *value, struct user *user) {
    user->count = 0;
    if (!read_user_number(&value, &user->uid)) return false;
    while (*value == ' ' && user->count < MAX_GROUPS) {
        value++;
        if (!read_user_number(&value, &user->groups[user->count++])) return false;
    }
    return *value == '\0' && user->count > 0;
}

/** The largest number of 32 bits is no valid ID: for setresuid(2) it means "no change". */
static bool read_user_number(const char **text, uint32_t *number) {
    int64_t read = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && read < UINT32_MAX; at++) read = read * 10 + (*at - '0');
    bool is_number = at != *text && read < UINT32_MAX;
    *number = (uint32_t)read;
    *text = at;
    return is_number;
}

static bool read_own(const char *text, struct plan_step *step) {
    const char *value;
    if (value_of(text, "arg=") != NULL) {
        step->arguments++;
        return true;
    }
    if (value_of(text, "settle=") != NULL) {
        step->finalize_arguments++;
        return true;
    }
    if ((value = value_of(text, "env=")) != NULL) {
        step->variables++;
        return is_variable(value);
    }
    if ((value = value_of(text, "workdir=")) != NULL) {
        step->workdir = value;
        return *value == '/';
    }
    if ((value = value_of(text, "streams=")) != NULL) {
        step->streams = value;
        return is_file_name(value);
    }
    if ((value = value_of(text, "output=")) != NULL) {
        step->is_merged = strcmp(value, "merged") == 0;
        return step->is_merged;
    }
    if ((value = value_of(text, "run_on=")) != NULL) return read_run_on(value, &step->run_on);
    if ((value = value_of(text, "timeout_ms=")) != NULL) return read_number(value, &step->timeout_ms);
    if ((value = value_of(text, "ignore_error=")) == NULL) return false;
    step->ignore_error = strcmp(value, "1") == 0;
    return step->ignore_error || strcmp(value, "0") == 0;
}

static bool read_run_on(const char *text, enum run_on *run_on) {
    if (strcmp(text, "success") == 0) *run_on = RUN_ON_SUCCESS;
    else if (strcmp(text, "failure") == 0) *run_on = RUN_ON_FAILURE;
    else if (strcmp(text, "always") == 0) *run_on = RUN_ON_ALWAYS;
    else return false;
    return true;
}

/** At most 12 digits, which is 31 years in milliseconds. Added to a clock in nanoseconds, this does not overflow. */
static bool read_number(const char *text, int64_t *number) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 12 || text[digits] != '\0') return false;
    *number = 0;
    for (; *text != '\0'; text++) *number = *number * 10 + (*text - '0');
    return true;
}

static bool is_file_name(const char *text) {
    return *text != '\0' && *text != '.' && strchr(text, '/') == NULL;
}

static bool is_variable(const char *text) {
    const char *equals = strchr(text, '=');
    return equals != NULL && equals != text;
}

static bool is_step(const char *text) {
    return strcmp(text, "step") == 0;
}

static const char *after(const char *text) {
    return text + strlen(text) + 1;
}

static const char *value_of(const char *text, const char *key) {
    size_t length = strlen(key);
    return strncmp(text, key, length) == 0 ? text + length : NULL;
}
