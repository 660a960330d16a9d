// Any bytes as a plan: it is refused, or everything in it can be used. Built with libFuzzer if there is clang, and always with the loop of
// mutations below; both with sanitizers.
#include "../formats.h"
#include "../plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct plan *plan, const char *bytes, size_t size);
static void must(int is_so, const char *what);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // A copy of exactly this size, so that a sanitizer detects reads beyond it.
    char *bytes = malloc(size);
    if (bytes == NULL) return 0;
    memcpy(bytes, data, size);
    struct plan plan;
    if (plan_read(bytes, size, &plan) == 0) use(&plan, bytes, size);
    free(bytes);
    return 0;
}

static void use(const struct plan *plan, const char *bytes, size_t size) {
    must(is_id(plan->id, strlen(plan->id)), "the id is one");
    must(plan->stop_signal >= 1 && plan->stop_signal <= 64 && plan->stop_timeout_ms >= 0, "it can be stopped");
    struct user user;
    must(plan->user == NULL || (plan_user(plan->user, &user) && user.count > 0 && user.count <= MAX_GROUPS), "a user with groups");
    size_t secrets = 0, secret_bytes = 0;
    const char *secret;
    for (const char *at = plan->shared; (at = plan_next_secret(plan, at, &secret)) != NULL; secrets++) {
        must(*secret != '\0' && strlen(secret) <= plan->longest_secret, "a secret");
        secret_bytes += strlen(secret);
    }
    must(secrets == plan->secrets && secret_bytes == plan->secret_bytes, "as many secrets as were counted");
    must(plan->stdin_name == NULL || strchr(plan->stdin_name, '/') == NULL, "standard input is in the job's directory");
    size_t steps = 0;
    struct plan_step step;
    for (const char *at = plan->first_step; (at = plan_next_step(plan, at, &step)) != NULL; steps++) {
        size_t arguments = step.arguments + 1, variables = plan->variables + step.variables + 1;
        char **vectors = calloc(arguments + variables, sizeof *vectors);
        must(vectors != NULL, "there is memory");
        plan_vectors(plan, &step, COMMAND_STEP, vectors, vectors + arguments);
        must(vectors[arguments - 1] == NULL && vectors[arguments + variables - 1] == NULL, "both vectors end where they should");
        for (size_t i = 0; i + 1 < arguments; i++) must(vectors[i] > bytes && vectors[i] + strlen(vectors[i]) < bytes + size,
            "an argument");
        for (size_t i = 0; i + 1 < variables; i++) must(strchr(vectors[arguments + i], '=') != NULL, "a variable");
        must(plan_arguments(&step, COMMAND_FINALIZE) == step.finalize_arguments, "the second command is counted");
        must(plan->user == NULL || step.finalize_arguments == 0, "no user of a client");
        must(step.workdir[0] == '/' && arguments > 1 && step.timeout_ms >= 0, "a step that can be started");
        free(vectors);
    }
    must(steps == plan->steps && steps > 0, "as many steps as were counted");
}

static void must(int is_so, const char *what) {
    if (is_so) return;
    (void)fprintf(stderr, "not so: %s\n", what);
    abort();
}

#ifdef MUTATE

static const char sample[] = PLAN_VERSION "\0id=01234567-89ab-cdef-0123-456789abcdef\0cgroup=/sys/fs/cgroup/x\0stop_signal=15\0"
    "stop_timeout_ms=10000\0timeout_ms=1\0idle_timeout_ms=999999999999\0stdin=stdin-text\0env=PATH=/bin\0env=A=\0secret=ab\ncd\0secret=x\0"
    "step\0workdir=/w\0settle=rm\0settle=-f\0run_on=failure\0ignore_error=1\0timeout_ms=5\0arg=bash\0arg=-c\0arg=\0env=B=c\0step\0output=merged\0arg=x\0workdir=/\0run_on=always\0end";

// A second sample, with lines that a plan with settle cannot have.
static const char other[] = PLAN_VERSION "\0id=01234567-89ab-cdef-0123-456789abcdef\0stop_signal=15\0stop_timeout_ms=0\0user=4294967294 "
    "0 10 20\0"
    "secret=s\0step\0workdir=/w\0arg=x\0end";

static unsigned long long seed = 88172645463325252ull; // constant, so that a failure can be reproduced

static size_t below(size_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return limit == 0 ? 0 : (size_t)(seed % limit);
}

static size_t mutate(uint8_t *bytes, size_t size, size_t room) {
    size_t at = below(size), length = below(size - at < 24 ? size - at + 1 : 24), to = below(size);
    switch (below(6)) {
    case 0: bytes[at] = (uint8_t)below(256); return size;
    case 1: bytes[at] = (uint8_t)"\0=/0159-\nse"[below(11)]; return size;
    case 2: memmove(bytes + at, bytes + at + length, size - at - length); return size - length;
    case 3:
        if (size + length > room) return size;
        memmove(bytes + at + length, bytes + at, size - at);
        return size + length;
    case 4: memmove(bytes + to, bytes + at, length < size - to ? length : size - to); return size;
    default: return below(20) == 0 ? below(size + 1) : size;
    }
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 100000;
    struct plan plan;
    must(plan_read(sample, sizeof sample, &plan) == 0 && plan.steps == 2, "the sample is a plan");
    must(plan_read(other, sizeof other, &plan) == 0 && plan.user != NULL, "so is the other");
    long readable = 0;
    for (long i = 0; i < rounds; i++) {
        uint8_t bytes[2 * sizeof sample];
        bool is_other = i % 4 == 3;
        size_t size = is_other ? sizeof other : sizeof sample;
        memcpy(bytes, is_other ? other : sample, size);
        for (size_t times = 1 + below(4); times > 0 && size > 0; times--) size = mutate(bytes, size, sizeof bytes);
        readable += size > 0 && plan_read((const char *)bytes, size, &plan) == 0;
        (void)LLVMFuzzerTestOneInput(bytes, size);
    }
    (void)printf("%ld mutated plans, %ld of them still readable\n", rounds, readable);
    return readable == 0; // otherwise the mutations destroy too much to test anything
}

#endif
