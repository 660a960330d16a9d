#include "slot.h"

#include "clock.h"
#include "slots.h"

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// One that is not needed within a second costs more memory than a fork costs time.
enum { LONGEST_WAIT_MS = 1000 };

static struct slot *sit_down(pid_t self);
static bool is_given(struct slot *slot, pid_t self);
static void sleep_while(struct slot *slot, uint32_t word, int64_t rest_ns);

void slots_begin(void) {
    if (slots.own != NULL) (void)slot_move(slots.own, slot_word(GIVEN, 0), slot_word(GIVEN, getpid())); // the launcher may have done so
}

bool slots_answer(int error) {
    if (slots.own == NULL) return error == 0;
    slots.own->error = error;
    slots.own->word = slot_word(error == 0 ? YOUNG : FAILED, getpid());
    return true;
}

bool slots_wait(char id[ID_LENGTH + 1]) {
    pid_t self = getpid();
    if (slots.own != NULL) (void)slot_move(slots.own, slot_word(YOUNG, self), FREE);
    // Killed with the launcher; one that has ended before the first of these lines is noticed by the second.
    if (slots.all == NULL || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != slots.launcher) return false;
    slots.own = sit_down(self);
    if (slots.own == NULL || !is_given(slots.own, self)) return false;
    // Until here a launcher's end takes this process with it, ID and all: the next launcher is given every job that nobody has claimed.
    if (prctl(PR_SET_PDEATHSIG, 0) != 0) return false;
    memcpy(id, slots.own->id, sizeof slots.own->id);
    return true;
}

static struct slot *sit_down(pid_t self) {
    if (self > NUMBER_MASK) return NULL;
    for (struct slot *slot; (slot = slot_first_queued()) != NULL;) {
        if (!slot_move(slot, slot_word(QUEUED, 0), slot_word(GIVEN, self))) continue;
        slot->since_ms = slot_now_ms();
        return slot;
    }
    for (int i = 0; slots.all != NULL && i < MOST_IDLE; i++) {
        if (slot_move(&slots.all[i], FREE, slot_word(IDLE, self))) return &slots.all[i];
    }
    return NULL;
}

static bool is_given(struct slot *slot, pid_t self) {
    uint32_t idle = slot_word(IDLE, self);
    int64_t until = clock_ns() + (int64_t)LONGEST_WAIT_MS * NS_PER_MS;
    while (slot->word == idle) {
        int64_t rest = until - clock_ns();
        if (rest > 0) sleep_while(slot, idle, rest);
        else if (slot_move(slot, idle, FREE)) return false;
    }
    return true;
}

/**
 * futex(2): returns at once where the word is another by now, and may return for nothing. Its time is two longs, whatever the C library's
 * is.
 */
static void sleep_while(struct slot *slot, uint32_t word, int64_t rest_ns) {
    const long rest[] = {(long)(rest_ns / 1000000000), (long)(rest_ns % 1000000000)};
    (void)syscall(SYS_futex, &slot->word, FUTEX_WAIT, word, rest, NULL, 0);
}

