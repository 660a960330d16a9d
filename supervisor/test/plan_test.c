// What the plan reader accepts, what it refuses, and what it reads.
#include "../formats.h"
#include "../plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD PLAN_VERSION "\0id=01234567-89ab-cdef-0123-456789abcdef\0stop_signal=15\0stop_timeout_ms=0\0"
#define STEP "step\0workdir=/w\0arg=ls\0"
#define READ(text) plan_read(text, sizeof text, &plan)

static struct plan plan;
static int failures;

static void check(int is_so, const char *sentence) {
    (void)printf("%s - %s\n", is_so ? "ok" : "NOT OK", sentence);
    failures += !is_so;
}

static void test_whole_plans(void) {
    check(READ(HEAD STEP "end") == 0 && plan.steps == 1, "the smallest plan is read");
    check(plan.timeout_ms == 0 && plan.idle_timeout_ms == 0 && plan.cgroup == NULL && plan.stdin_name == NULL, "what is absent is none");
    check(READ(HEAD "cgroup=/c\0stdin=text\0timeout_ms=1\0idle_timeout_ms=2\0env=A=b=c\0env=B=\0" STEP
               "arg=-l\0settle=rm\0settle=-f\0env=C=d\0timeout_ms=9\0ignore_error=1\0run_on=always\0" STEP "run_on=failure\0end") == 0,
          "the largest kinds of everything are read");
    check(strcmp(plan.cgroup, "/c") == 0 && strcmp(plan.stdin_name, "text") == 0 && plan.timeout_ms == 1 && plan.idle_timeout_ms == 2,
          "what holds for the job is found");
    struct plan_step step;
    const char *at = plan_next_step(&plan, plan.first_step, &step);
    check(step.run_on == RUN_ON_ALWAYS && step.ignore_error && step.timeout_ms == 9 && strcmp(step.workdir, "/w") == 0,
        "so is what holds for a step");
    char *arguments[3], *variables[4];
    check(step.arguments == 2 && plan.variables + step.variables == 3, "arguments and variables are counted");
    plan_vectors(&plan, &step, COMMAND_STEP, arguments, variables);
    check(strcmp(arguments[0], "ls") == 0 && strcmp(arguments[1], "-l") == 0 && arguments[2] == NULL, "arguments come in order");
    check(strcmp(variables[0], "A=b=c") == 0 && strcmp(variables[1], "B=") == 0 && strcmp(variables[2], "C=d") == 0 && variables[3] == NULL,
          "the job's variables come before the step's");
    check(plan_arguments(&step, COMMAND_FINALIZE) == 2, "the arguments of what finalizes a step are counted apart");
    plan_vectors(&plan, &step, COMMAND_FINALIZE, arguments, variables);
    check(strcmp(arguments[0], "rm") == 0 && strcmp(arguments[1], "-f") == 0 && arguments[2] == NULL, "and come in order");
    at = plan_next_step(&plan, at, &step);
    check(at != NULL && step.run_on == RUN_ON_FAILURE && !step.ignore_error && step.timeout_ms == 0, "the second step is its own");
    check(plan_next_step(&plan, at, &step) == NULL, "after the last step there is none");
}

static void test_refusals(void) {
    check(plan_read("", 0, &plan) == EINVAL, "nothing is no plan");
    check(READ(HEAD STEP "en") == EINVAL && READ(HEAD STEP) == EINVAL, "a plan without its end is refused");
    check(READ(HEAD STEP "end\0") == EINVAL, "something after the end is refused");
    check(plan_read(HEAD STEP "end", sizeof(HEAD STEP "end") - 1, &plan) == EINVAL, "an end without its NUL is refused");
    check(READ(HEAD "end") == EINVAL, "a plan without steps is refused");
    check(READ("jobrunner-plan 2\0id=01234567-89ab-cdef-0123-456789abcdef\0stop_signal=15\0stop_timeout_ms=0\0" STEP "end") == EINVAL,
          "another version is refused");
    check(READ(PLAN_VERSION "\0stop_signal=15\0stop_timeout_ms=0\0" STEP "end") == EINVAL, "a plan without id is refused");
    check(READ(PLAN_VERSION "\0id=0123\0stop_signal=15\0stop_timeout_ms=0\0" STEP "end") == EINVAL, "a short id is refused");
    check(READ(HEAD "step\0workdir=/w\0end") == EINVAL, "a step without arguments is refused");
    check(READ(HEAD "step\0arg=ls\0end") == EINVAL, "a step without working directory is refused");
    check(READ(HEAD "step\0workdir=w\0arg=ls\0end") == EINVAL, "a relative working directory is refused");
    check(READ(HEAD STEP "ran_on=always\0end") == EINVAL && READ(HEAD "colour=red\0" STEP "end") == EINVAL, "an unknown key is refused");
    check(READ(HEAD STEP "output=both\0end") == EINVAL, "an unknown word for the output is refused");
    check(READ(HEAD STEP "run_on=never\0end") == EINVAL && READ(HEAD STEP "ignore_error=yes\0end") == EINVAL, "an unknown word is refused");
    check(READ(HEAD STEP "env=nothing\0end") == EINVAL && READ(HEAD "env==x\0" STEP "end") == EINVAL, "a variable without name is refused");
    check(READ(HEAD "stdin=../x\0" STEP "end") == EINVAL && READ(HEAD "stdin=\0" STEP "end") == EINVAL, "standard input elsewhere is "
        "refused");
    check(READ(HEAD "stop_signal=0\0" STEP "end") == EINVAL && READ(HEAD "stop_signal=65\0" STEP "end") == EINVAL, "no signal is refused");
}

static void test_numbers(void) {
    check(READ(HEAD "timeout_ms=999999999999\0" STEP "end") == 0 && plan.timeout_ms == 999999999999, "twelve digits are a number");
    check(READ(HEAD "timeout_ms=1000000000000\0" STEP "end") == EINVAL, "thirteen are too many");
    check(READ(HEAD "timeout_ms=\0" STEP "end") == EINVAL && READ(HEAD "timeout_ms=-1\0" STEP "end") == EINVAL &&
              READ(HEAD "timeout_ms=1s\0" STEP "end") == EINVAL && READ(HEAD "timeout_ms= 1\0" STEP "end") == EINVAL,
          "what is no number is refused");
}

static void test_ids(void) {
    check(is_id("01234567-89ab-cdef-0123-456789abcdef", 36), "an ID is one");
    check(!is_id("01234567-89ab-cdef-0123-456789abcdef", 35) && !is_id("01234567-89ab-cdef-0123-456789abcde/", 36) &&
              !is_id("01234567-89ab-cdef-0123-456789abcde\0", 36) && !is_id("....................................", 36),
          "nothing else is");
}

static void test_secrets(void) {
    check(READ(HEAD STEP "end") == 0 && plan.secrets == 0, "a plan without secrets has none");
    check(READ(HEAD "secret=two\nlines\0env=A=b\0secret=x\0" STEP "end") == 0 && plan.secrets == 2 && plan.secret_bytes == 10 &&
              plan.longest_secret == 9,
          "secrets are counted");
    const char *first = NULL, *second = NULL;
    const char *at = plan_next_secret(&plan, plan.shared, &first);
    at = at == NULL ? NULL : plan_next_secret(&plan, at, &second);
    check(at != NULL && strcmp(first, "two\nlines") == 0 && strcmp(second, "x") == 0, "and found, one after the other");
    const char *third;
    check(at != NULL && plan_next_secret(&plan, at, &third) == NULL, "after the last there is none");
    check(READ(HEAD "secret=\0" STEP "end") == EINVAL, "an empty secret is refused");
    check(READ(HEAD STEP "secret=x\0end") == EINVAL, "so is one of a step");
}

static void test_long_secrets(void) {
    static char bytes[(1 << 24) + 4096];
    static const char tail[] = STEP "end";
    size_t start = sizeof HEAD "secret=" - 1;
    memcpy(bytes, HEAD "secret=", start);
    memset(bytes + start, 'x', sizeof bytes - start);
    for (int is_too_long = 0; is_too_long <= 1; is_too_long++) {
        size_t end = start + (1 << 24) + (size_t)is_too_long;
        bytes[end] = '\0';
        memcpy(bytes + end + 1, tail, sizeof tail);
        int expected = is_too_long ? EINVAL : 0;
        check(plan_read(bytes, end + 1 + sizeof tail, &plan) == expected, is_too_long ? "a byte more is refused"
            : "16 MiB of secrets are read");
        memset(bytes + end, 'x', sizeof tail + 1);
    }
}

static void test_users(void) {
    check(READ(HEAD STEP "end") == 0 && plan.user == NULL, "a plan without a user has none");
    check(READ(HEAD "user=54321 7 0 4294967294\0" STEP "end") == 0, "a user and its groups are read");
    struct user user;
    check(plan_user(plan.user, &user) && user.uid == 54321 && user.count == 3, "the user is found");
    check(user.groups[0] == 7 && user.groups[1] == 0 && user.groups[2] == 4294967294, "and the groups in their order");
    static const char *const refused[] = {"", "1", "1 ", " 1 2", "1  2", "1 2 ", "a 1", "1 b", "1 2x", "-1 2", "+1 2", "1 4294967295",
        "4294967295 1",
                                          "1 4294967296", "1 99999999999999999999999999", "1\t2", "1,2"};
    int count = 0;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) count += !plan_user(refused[i], &user);
    check(count == (int)(sizeof refused / sizeof *refused), "what is no user is refused");
    check(READ(HEAD "user=1\0" STEP "end") == EINVAL, "and the plan with it");
    check(READ(HEAD "user=1 1\0" STEP "settle=rm\0end") == EINVAL, "a user of a container's client is refused");
    char most[2 + 2 * (MAX_GROUPS + 1)] = "1";
    for (int i = 0; i < MAX_GROUPS; i++) memcpy(most + 1 + 2 * i, " 2", 3);
    check(plan_user(most, &user) && user.count == MAX_GROUPS, "1024 groups are read");
    memcpy(most + 1 + 2 * MAX_GROUPS, " 2", 3);
    check(!plan_user(most, &user), "one more is refused");
}

int main(void) {
    test_whole_plans();
    test_refusals();
    test_numbers();
    test_ids();
    test_secrets();
    test_long_secrets();
    test_users();
    return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
