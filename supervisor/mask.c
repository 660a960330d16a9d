#include "mask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * The automaton of Aho and Corasick ("Efficient string matching", 1975). A node stands for a prefix of a secret. After each byte, the
 * stream's node is the longest prefix with which the stream ends at that byte. So a secret that ends later begins no earlier than that
 * prefix.
 */
struct node {
    uint32_t first_child, next_sibling;
    uint32_t suffix;  // the longest shorter prefix with which this one ends
    uint32_t next;    // in the order of the lengths
    uint32_t length;  // of the prefix
    uint32_t matched; // length of the longest secret with which the prefix ends; 0: none
    uint32_t text;    // where the prefix is, as an offset in the plan's shared strings
    uint8_t byte;     // the last one of the prefix
};

/** Bytes that are masked together: a range without its end. */
struct run {
    size_t from, to;
};

// The root is nobody's child, so its number also means "no child".
enum { ROOT = 0, NONE = 0 };

static const char stars[] = "***";
enum { STARS_LENGTH = sizeof stars - 1 };

static struct masking {
    struct node *nodes; // NULL: there are no secrets
    uint32_t node_count;
    uint32_t root_children[UINT8_MAX + 1]; // at the root, where most bytes arrive, one look-up is enough
    const char *text;
    char *work; // the bytes held back of a stream, followed by the bytes just read
    char *given;
    size_t given_length;
    struct run *runs; // in `work`, in order; they share no byte
    size_t run_count;
} state;

static void add_secret(const char *secret);
static void link_suffixes(void);
static uint32_t child_of(uint32_t node, uint8_t byte);
static uint32_t advance(uint32_t node, uint8_t byte);
static struct masked apply(struct mask *mask, size_t length, bool is_end);
static uint32_t find_runs(size_t length);
static size_t skip_ordinary(size_t at, size_t length);
static void add_run(size_t from, size_t to);
static void give(const char *bytes, size_t length);

int mask_open(const struct plan *plan, size_t longest_read) {
    state = (struct masking){0};
    if (plan->secrets == 0) return 0;
    size_t room = plan->longest_secret + longest_read;
    state.nodes = calloc(plan->secret_bytes + 1, sizeof *state.nodes);
    // Room for the worst case, in which each byte is a secret. malloc does not touch the memory that a stream never needs.
    state.work = malloc(room);
    state.runs = malloc(room * sizeof *state.runs);
    state.given = malloc(room * STARS_LENGTH);
    if (state.nodes == NULL || state.work == NULL || state.runs == NULL || state.given == NULL) {
        mask_close();
        return ENOMEM;
    }
    state.node_count = 1;
    state.text = plan->shared;
    const char *secret;
    for (const char *at = plan->shared; (at = plan_next_secret(plan, at, &secret)) != NULL;) add_secret(secret);
    link_suffixes();
    return 0;
}

void mask_close(void) {
    free(state.nodes);
    free(state.work);
    free(state.runs);
    free(state.given);
    state = (struct masking){0};
}

bool mask_is_needed(void) {
    return state.nodes != NULL;
}

char *mask_room(const struct mask *mask) {
    return state.work + state.nodes[mask->node].length;
}

struct masked mask_next(struct mask *mask, size_t length) {
    return apply(mask, length, false);
}

struct masked mask_end(struct mask *mask) {
    return apply(mask, 0, true);
}

size_t mask_held(const struct mask *mask) {
    return mask->node == ROOT ? 0 : state.nodes[mask->node].length - mask->covered;
}

static void add_secret(const char *secret) {
    uint32_t node = ROOT;
    for (const char *at = secret; *at != '\0'; at++) {
        uint8_t byte = (uint8_t)*at;
        uint32_t child = child_of(node, byte);
        if (child == NONE) {
            child = state.node_count++;
            uint32_t length = state.nodes[node].length + 1, place = (uint32_t)(secret - state.text);
            state.nodes[child] = (struct node){.next_sibling = state.nodes[node].first_child, .length = length, .text = place,
                .byte = byte};
            state.nodes[node].first_child = child;
            if (node == ROOT) state.root_children[byte] = child;
        }
        node = child;
    }
    state.nodes[node].matched = state.nodes[node].length;
}

/** Works in the order of the lengths, because a prefix's suffix is found by those of shorter prefixes. */
static void link_suffixes(void) {
    uint32_t node = ROOT, last = ROOT;
    do {
        for (uint32_t child = state.nodes[node].first_child; child != NONE; child = state.nodes[child].next_sibling) {
            uint32_t suffix = node == ROOT ? ROOT : advance(state.nodes[node].suffix, state.nodes[child].byte);
            state.nodes[child].suffix = suffix;
            if (state.nodes[child].matched == 0) state.nodes[child].matched = state.nodes[suffix].matched;
            state.nodes[last].next = child;
            last = child;
        }
        node = state.nodes[node].next;
    } while (node != NONE);
}

static uint32_t child_of(uint32_t node, uint8_t byte) {
    if (node == ROOT) return state.root_children[byte];
    uint32_t child = state.nodes[node].first_child;
    while (child != NONE && state.nodes[child].byte != byte) child = state.nodes[child].next_sibling;
    return child;
}

/** The node after the next byte of a stream. */
static uint32_t advance(uint32_t node, uint8_t byte) {
    uint32_t child;
    while ((child = child_of(node, byte)) == NONE && node != ROOT) node = state.nodes[node].suffix;
    return child; // ROOT if there is none
}

/**
 * Searches the bytes held back again, together with those that follow, from the root. So runs within them are found again; a run that began
 * before them is known by mask->covered. No later run begins before `decided`. So all bytes before it can be returned, and also the *** of
 * a run that begins at `decided` or before.
 */
static struct masked apply(struct mask *mask, size_t length, bool is_end) {
    size_t held = state.nodes[mask->node].length;
    memcpy(state.work, state.text + state.nodes[mask->node].text, held);
    length += held;
    bool is_begun = mask->covered > 0;
    state.run_count = 0;
    if (is_begun) state.runs[state.run_count++] = (struct run){0, mask->covered};
    uint32_t node = find_runs(length);
    size_t decided = is_end ? length : length - state.nodes[node].length;
    mask->node = is_end ? ROOT : node;
    mask->covered = 0;
    if (state.run_count == 0) return (struct masked){state.work, decided};

    state.given_length = 0;
    size_t at = is_begun ? state.runs[0].to : 0;
    for (size_t i = is_begun ? 1 : 0; i < state.run_count && state.runs[i].from <= decided; i++) {
        give(state.work + at, state.runs[i].from - at);
        give(stars, STARS_LENGTH);
        at = state.runs[i].to;
    }
    if (at < decided) give(state.work + at, decided - at);
    else mask->covered = (uint32_t)(at - decided);
    return (struct masked){state.given, state.given_length};
}

/** Finds the runs in `work`. Returns the node after the last byte. */
static uint32_t find_runs(size_t length) {
    uint32_t node = ROOT;
    size_t at = skip_ordinary(0, length);
    while (at < length) {
        node = advance(node, (uint8_t)state.work[at++]);
        if (node == ROOT) at = skip_ordinary(at, length);
        else if (state.nodes[node].matched > 0) add_run(at - state.nodes[node].matched, at);
    }
    return node;
}

/** Skips to the next byte with which a secret begins. */
static size_t skip_ordinary(size_t at, size_t length) {
    while (at < length && state.root_children[(uint8_t)state.work[at]] == NONE) at++;
    return at;
}

/**
 * Runs are added in the order of their ends, so only the last ones can share a byte with a new one. But the run that began before `work`
 * may extend further.
 */
static void add_run(size_t from, size_t to) {
    while (state.run_count > 0 && state.runs[state.run_count - 1].to > from) {
        state.run_count--;
        if (state.runs[state.run_count].from < from) from = state.runs[state.run_count].from;
        if (state.runs[state.run_count].to > to) to = state.runs[state.run_count].to;
    }
    state.runs[state.run_count++] = (struct run){from, to};
}

static void give(const char *bytes, size_t length) {
    memcpy(state.given + state.given_length, bytes, length);
    state.given_length += length;
}
