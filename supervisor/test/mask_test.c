// Compares the masking with a slow and simple reference, for streams that are divided in different ways. Built with libFuzzer if there is
// clang (FUZZ), and always with the cases and the random trials below.
#include "../formats.h"
#include "../mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SECRETS = 8, LONGEST_SECRET = 24, LONGEST_TEXT = 600, LONGEST_READ = 64, TRIALS = 50000 };

struct trial {
    size_t secrets;
    char secret[MAX_SECRETS][LONGEST_SECRET + 1];
    size_t length;
    char text[LONGEST_TEXT];
};

static unsigned long long seed = 88172645463325252ull; // constant, so that a failure can be reproduced

static size_t below(size_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % limit);
}

static void must(int is_so, const char *what, const struct trial *trial) {
    if (is_so) return;
    (void)fprintf(stderr, "not so: %s\n", what);
    for (size_t i = 0; i < trial->secrets; i++) (void)fprintf(stderr, "secret: %s\n", trial->secret[i]);
    (void)fprintf(stderr, "text: %.*s\n", (int)trial->length, trial->text);
    abort();
}

/** Marks each byte of each occurrence, and each border within one. A run continues across a marked border. */
static size_t reference(const struct trial *trial, char *result) {
    bool is_masked[LONGEST_TEXT + 1] = {0}, goes_on[LONGEST_TEXT + 1] = {0};
    for (size_t i = 0; i < trial->secrets; i++) {
        size_t length = strlen(trial->secret[i]);
        for (size_t at = 0; at + length <= trial->length; at++) {
            if (memcmp(trial->text + at, trial->secret[i], length) != 0) continue;
            for (size_t k = at; k < at + length; k++) is_masked[k] = true;
            for (size_t k = at + 1; k < at + length; k++) goes_on[k] = true;
        }
    }
    size_t filled = 0;
    for (size_t at = 0; at < trial->length; at++) {
        if (!is_masked[at]) result[filled++] = trial->text[at];
        else if (!goes_on[at]) filled += (size_t)sprintf(result + filled, "***");
    }
    return filled;
}

/** longest: the longest part that the stream is divided into; 0: it is not divided. */
static size_t in_parts(const struct trial *trial, size_t longest, char *result) {
    struct mask mask = {0};
    size_t filled = 0;
    for (size_t at = 0; at < trial->length;) {
        size_t part = longest == 0 ? LONGEST_READ : 1 + below(longest);
        if (part > trial->length - at) part = trial->length - at;
        memcpy(mask_room(&mask), trial->text + at, part);
        struct masked masked = mask_next(&mask, part);
        memcpy(result + filled, masked.bytes, masked.length);
        filled += masked.length;
        at += part;
        must(mask_held(&mask) <= LONGEST_SECRET, "no more than a secret is held back", trial);
    }
    struct masked masked = mask_end(&mask);
    memcpy(result + filled, masked.bytes, masked.length);
    must(mask_held(&mask) == 0, "nothing is held back at the end", trial);
    return filled + masked.length;
}

static void open_masks(const struct trial *trial, struct plan *plan) {
    static char bytes[4096];
    static const char head[] = PLAN_VERSION "\0id=01234567-89ab-cdef-0123-456789abcdef\0stop_signal=15\0stop_timeout_ms=0";
    static const char tail[] = "step\0workdir=/w\0arg=ls\0end";
    memcpy(bytes, head, sizeof head);
    size_t filled = sizeof head;
    for (size_t i = 0; i < trial->secrets; i++) filled += (size_t)sprintf(bytes + filled, "secret=%s", trial->secret[i]) + 1;
    memcpy(bytes + filled, tail, sizeof tail);
    must(plan_read(bytes, filled + sizeof tail, plan) == 0 && plan->secrets == trial->secrets, "the plan is read", trial);
    must(mask_open(plan, LONGEST_READ) == 0 && mask_is_needed(), "there is memory", trial);
}

static void check(const struct trial *trial) {
    static char expected[3 * LONGEST_TEXT + 1], got[3 * LONGEST_TEXT + 1];
    struct plan plan;
    open_masks(trial, &plan);
    size_t length = reference(trial, expected);
    static const size_t longest[] = {0, 1, 2, 7, LONGEST_READ};
    for (size_t i = 0; i < sizeof longest / sizeof *longest; i++) {
        must(in_parts(trial, longest[i], got) == length && memcmp(got, expected, length) == 0, "the output is the reference's", trial);
    }
    mask_close();
}

#ifdef FUZZ

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A secret is a byte with its length and then its bytes. The text follows the last secret. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct trial trial;
    memset(&trial, 0, sizeof trial);
    size_t at = 1, wanted = size == 0 ? 0 : 1 + data[0] % MAX_SECRETS;
    for (; trial.secrets < wanted && at < size; trial.secrets++) {
        size_t length = 1 + data[at++] % LONGEST_SECRET;
        for (size_t i = 0; i < length; i++) trial.secret[trial.secrets][i] = at < size && data[at] != 0 ? (char)data[at] : 'a', at++;
    }
    if (trial.secrets == 0 || at > size) return 0;
    trial.length = size - at < LONGEST_TEXT ? size - at : LONGEST_TEXT;
    memcpy(trial.text, data + at, trial.length);
    check(&trial);
    return 0;
}

#else

/** Makes short secrets of few different bytes, some of them parts of others, and a text that contains them often. */
static void make(struct trial *trial) {
    static const char bytes[] = "aab\nc\0\377";
    size_t different = 2 + below(5);
    memset(trial, 0, sizeof *trial);
    trial->secrets = 1 + below(MAX_SECRETS);
    for (size_t i = 0; i < trial->secrets; i++) {
        const char *other = trial->secret[below(i + 1)];
        size_t length = 1 + below(below(3) == 0 ? LONGEST_SECRET : 5), other_length = strlen(other);
        for (size_t k = 0; k < length; k++) trial->secret[i][k] = bytes[below(different < 5 ? different : 5)];
        if (below(3) == 0 && other_length > 0 && other != trial->secret[i]) { // a part of an earlier one
            size_t from = below(other_length);
            (void)snprintf(trial->secret[i], LONGEST_SECRET + 1, "%.*s", (int)(1 + below(other_length - from)), other + from);
        }
    }
    size_t wanted = below(LONGEST_TEXT + 1);
    while (trial->length < wanted) {
        const char *secret = trial->secret[below(trial->secrets)];
        size_t length = 1 + below(strlen(secret));
        for (size_t k = 0; k < length && trial->length < wanted
            && below(2) == 0; k++) trial->text[trial->length++] = bytes[below(different)];
        for (size_t k = 0; k < length && trial->length < wanted; k++) trial->text[trial->length++] = secret[k];
    }
}

static int failures;

/** secrets: separated by spaces. */
static void expect(const char *sentence, const char *secrets, const char *text, const char *expected) {
    struct trial trial = {.length = strlen(text)};
    memcpy(trial.text, text, trial.length);
    for (const char *at = secrets; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        memcpy(trial.secret[trial.secrets++], at, length);
        at += length;
    }
    check(&trial);
    struct plan plan;
    open_masks(&trial, &plan);
    char got[3 * LONGEST_TEXT];
    size_t length = in_parts(&trial, 0, got);
    bool is_so = length == strlen(expected) && memcmp(got, expected, length) == 0;
    (void)printf("%s - %s\n", is_so ? "ok" : "NOT OK", sentence);
    failures += !is_so;
    mask_close();
}

static void test_cases(void) {
    expect("a secret becomes three stars, and all else stays", "hunter2", "a hunter2 b hunter hunter2", "a *** b hunter ***");
    expect("what is shorter or longer than the stars does too", "x longest-of-all", "x longest-of-all xx", "*** *** ******");
    expect("a secret that overlaps itself is one run", "aa", "baaaab aa a", "b***b *** a");
    expect("places that only touch stay two", "ab cd", "abcdab", "*********");
    expect("places that share a byte are one", "abc cde", "-abcde-", "-***-");
    expect("of a secret within another the longer one counts", "b abcd", "abcd abc", "*** a***c");
    expect("the beginning of a longer one that does not follow is a secret by itself", "ab abcdef", "abcdeg abcdef", "***cdeg ***");
    expect("a secret of several lines, and its lines", "one\ntwo one two", "one\ntwo\none\n\ntwo", "***\n***\n\n***");
    expect("a failed beginning may hold another beginning", "aab", "aaab aaaab", "a*** aa***");
    expect("places that three others join", "abc cd de efg", "abcdefg", "***");
    expect("a run that is held back in part, and shorter ones within it", "000400 0", "00000400000", "******************");
    expect("nothing of nothing", "a", "", "");
}

/** Bytes that no later byte can change are returned at once. */
static void test_promptness(void) {
    struct trial trial = {.secrets = 1, .secret = {"hunter2"}};
    struct plan plan;
    struct mask mask = {0};
    open_masks(&trial, &plan);
    memcpy(mask_room(&mask), "my hunt", 7);
    struct masked masked = mask_next(&mask, 7);
    bool is_held = masked.length == 3 && memcmp(masked.bytes, "my ", 3) == 0 && mask_held(&mask) == 4;
    memcpy(mask_room(&mask), "er2", 3);
    masked = mask_next(&mask, 3);
    bool is_given = masked.length == 3 && memcmp(masked.bytes, "***", 3) == 0 && mask_held(&mask) == 0;
    (void)printf("%s - the stars of a whole secret are not held back\n", is_held && is_given ? "ok" : "NOT OK");
    failures += !is_held || !is_given;
    mask_close();
}

int main(int argc, char **argv) {
    long trials = argc > 1 ? atol(argv[1]) : TRIALS;
    test_cases();
    test_promptness();
    static struct trial trial;
    for (long i = 0; i < trials; i++) {
        make(&trial);
        check(&trial);
    }
    (void)printf("ok - %ld random trials, each cut in five ways\n", trials);
    return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
