#include "slots.h"

#include "clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/**
 * What a slot goes through. Each move is one store to the word that holds the state and the number of the supervisor whose slot it is, and a
 * compare-and-swap where two might move: so each happens whole or not at all, whoever is killed at whichever instruction, and by the number the
 * launcher finds what a dead child had.
 *
 *     FREE ──a supervisor has ended a plain job──▶ IDLE ──its second is over──▶ FREE    and the supervisor ends
 *                                                  IDLE ──the launcher: an ID──▶ GIVEN
 *                                                                                GIVEN ──claimed──▶ FREE    and the job runs
 *                                                                                GIVEN ──nothing could be claimed──▶ FAILED    and the supervisor ends
 *                                                                                                                    FAILED ──the launcher has told──▶ FREE
 *                                                                                GIVEN ──a second is over──▶ GIVEN    and the launcher forks another for the ID
 *     IDLE, GIVEN ──the launcher: that child has ended──▶ FREE    GIVEN: the ID is lost, and the service hears that somebody died
 *
 * The ID is written by the launcher alone, of an IDLE slot, and the error by the slot's supervisor alone, of a GIVEN one; each before the move that tells of it.
 */
enum state { FREE, IDLE, GIVEN, FAILED };

struct slot {
    _Atomic uint32_t word; // state and number; 0: FREE
    int error;
    char id[ID_LENGTH + 1];
    int64_t overdue_at; // the launcher's; NEVER: another was forked
};

// A supervisor that is not needed within a second costs more memory than a fork costs time.
enum { SLOT_COUNT = 16, LONGEST_WAIT_MS = 1000, OVERDUE_MS = 1000 };
// proc(5), pid_max: at most 2^22.
enum { NUMBER_BITS = 24, NUMBER_MASK = (1 << NUMBER_BITS) - 1 };

static struct slot *slots; // shared; NULL: there are none
static pid_t launcher;
static struct slot *own; // the calling supervisor's, from its IDLE on until its job is claimed

static struct slot *find_failure(void);
static uint32_t word_of(enum state state, pid_t pid);
static enum state state_of(const struct slot *slot);
static bool move(struct slot *slot, uint32_t from, uint32_t to);
static struct slot *sit_down(pid_t self);
static bool is_given(struct slot *slot, pid_t self);
static void sleep_while(struct slot *slot, uint32_t word, int64_t rest_ns);

void slots_make(void) {
    void *memory = mmap(NULL, SLOT_COUNT * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    slots = memory == MAP_FAILED ? NULL : memory;
    launcher = getpid();
}

bool slots_give(const char *id) {
    for (int i = 0; slots != NULL && i < SLOT_COUNT; i++) {
        struct slot *slot = &slots[i];
        if (state_of(slot) != IDLE) continue;
        pid_t pid = (pid_t)(slot->word & NUMBER_MASK);
        memcpy(slot->id, id, sizeof slot->id);
        slot->overdue_at = clock_ns() + (int64_t)OVERDUE_MS * NS_PER_MS;
        if (!move(slot, word_of(IDLE, pid), word_of(GIVEN, pid))) continue; // its second is over just then
        (void)syscall(SYS_futex, &slot->word, FUTEX_WAKE, 1, NULL, NULL, 0);
        return true;
    }
    return false;
}

bool slots_take_overdue(char id[ID_LENGTH + 1]) {
    for (int i = 0; slots != NULL && i < SLOT_COUNT; i++) {
        struct slot *slot = &slots[i];
        if (state_of(slot) != GIVEN || slot->overdue_at > clock_ns()) continue;
        slot->overdue_at = NEVER;
        memcpy(id, slot->id, sizeof slot->id);
        return true;
    }
    return false;
}

int64_t slots_overdue_at(void) {
    int64_t at = NEVER;
    for (int i = 0; slots != NULL && i < SLOT_COUNT; i++) {
        if (state_of(&slots[i]) == GIVEN) at = earlier(at, slots[i].overdue_at);
    }
    return at;
}

bool slots_child_ended(pid_t pid) {
    for (int i = 0; slots != NULL && i < SLOT_COUNT; i++) {
        struct slot *slot = &slots[i];
        enum state state = state_of(slot);
        if ((pid_t)(slot->word & NUMBER_MASK) != pid || state == FAILED) continue;
        slot->word = FREE;
        return state == GIVEN;
    }
    return false;
}

bool slots_have_failure(void) {
    return find_failure() != NULL;
}

bool slots_take_failure(char id[ID_LENGTH + 1], int *error) {
    struct slot *slot = find_failure();
    if (slot == NULL) return false;
    memcpy(id, slot->id, sizeof slot->id);
    *error = slot->error;
    slot->word = FREE;
    return true;
}

static struct slot *find_failure(void) {
    for (int i = 0; slots != NULL && i < SLOT_COUNT; i++) {
        if (state_of(&slots[i]) == FAILED) return &slots[i];
    }
    return NULL;
}

bool slots_wait(char id[ID_LENGTH + 1]) {
    pid_t self = getpid();
    // Killed with the launcher; one that has ended before the first of these lines is noticed by the second.
    if (slots == NULL || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != launcher) return false;
    own = sit_down(self);
    if (own == NULL || !is_given(own, self)) return false;
    // Until here a launcher's end takes this process with it, ID and all: the next launcher is told of every job that nobody has claimed.
    if (prctl(PR_SET_PDEATHSIG, 0) != 0) return false;
    memcpy(id, own->id, sizeof own->id);
    return true;
}

bool slots_answer(int error) {
    if (own == NULL) return false;
    own->error = error;
    own->word = error == 0 ? FREE : word_of(FAILED, getpid());
    own = NULL;
    return true;
}

static uint32_t word_of(enum state state, pid_t pid) {
    return (uint32_t)state << NUMBER_BITS | (uint32_t)pid;
}

static enum state state_of(const struct slot *slot) {
    return (enum state)(slot->word >> NUMBER_BITS);
}

static bool move(struct slot *slot, uint32_t from, uint32_t to) {
    return atomic_compare_exchange_strong(&slot->word, &from, to);
}

static struct slot *sit_down(pid_t self) {
    for (int i = 0; i < SLOT_COUNT && self <= NUMBER_MASK; i++) {
        if (move(&slots[i], FREE, word_of(IDLE, self))) return &slots[i];
    }
    return NULL;
}

static bool is_given(struct slot *slot, pid_t self) {
    uint32_t idle = word_of(IDLE, self);
    int64_t until = clock_ns() + (int64_t)LONGEST_WAIT_MS * NS_PER_MS;
    while (slot->word == idle) {
        int64_t rest = until - clock_ns();
        if (rest > 0) sleep_while(slot, idle, rest);
        else if (move(slot, idle, FREE)) return false;
    }
    return true;
}

/** futex(2): returns at once where the word is another by now, and may return for nothing. Its time is two longs, whatever the C library's is. */
static void sleep_while(struct slot *slot, uint32_t word, int64_t rest_ns) {
    const long rest[] = {(long)(rest_ns / 1000000000), (long)(rest_ns % 1000000000)};
    (void)syscall(SYS_futex, &slot->word, FUTEX_WAIT, word, rest, NULL, 0);
}
