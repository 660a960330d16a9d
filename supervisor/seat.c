#include "slot.h"

#include "clock.h"
#include "slots.h"

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// A supervisor that is not needed within a second is not worth its memory: a fork costs less.
enum { LONGEST_WAIT_MS = 1000 };

static struct slot *take_slot(pid_t self);
static bool is_given(struct slot *slot, pid_t self);
static void sleep_while(struct slot *slot, uint32_t word, int64_t rest_ns);

void slots_begin(void) {
    // It fails if the launcher has already written the number.
    if (slots.own != NULL) (void)slot_move(slots.own, slot_word(GIVEN, 0), slot_word(GIVEN, getpid()));
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
    // From here on, this process is killed with the launcher. getppid finds a launcher that ended before prctl.
    if (slots.all == NULL || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != slots.launcher) return false;
    slots.own = take_slot(self);
    if (slots.own == NULL || !is_given(slots.own, self)) return false;
    // Until here, this process ends with its launcher, and the ID is lost. The next launcher is given every job that nobody has claimed.
    if (prctl(PR_SET_PDEATHSIG, 0) != 0) return false;
    memcpy(id, slots.own->id, sizeof slots.own->id);
    return true;
}

static struct slot *take_slot(pid_t self) {
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
 * futex(2): returns at once if the word has changed, and may also return without a reason. The system call takes the time as two longs,
 * even if the C library's time_t is larger.
 */
static void sleep_while(struct slot *slot, uint32_t word, int64_t rest_ns) {
    const long rest[] = {(long)(rest_ns / 1000000000), (long)(rest_ns % 1000000000)};
    (void)syscall(SYS_futex, &slot->word, FUTEX_WAIT, word, rest, NULL, 0);
}

