#include "slots.h"

#include "clock.h"
#include "slot.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OVERDUE_MS = 1000, CHECK_MS = 1 };
// A job is young for this long. If it runs longer, it is not small, or waits for something other than a core. So many young jobs per core.
enum { YOUNG_MS = 5, YOUNG_PER_CORE = 2, MOST_YOUNG = SLOT_COUNT - MOST_IDLE };

struct slots slots;
static int cores;

static void put(struct slot *slot, const char *id, bool is_newborn);
static struct slot *find(enum slot_state state);
static struct slot *last_free(void);
static bool may_fork(void);
static int count_young(void);
static bool has_idle_core(void);

void slots_make(void) {
    void *memory = mmap(NULL, SLOT_COUNT * sizeof *slots.all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool is_made = memory != MAP_FAILED;
    slots = (struct slots){.all = is_made ? memory : NULL, .count = is_made ? SLOT_COUNT : 0, .launcher = getpid()};
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cores = online < 1 ? 1 : (int)online;
}

enum assign slots_assign(const char *id) {
    for (struct slot *slot; (slot = find(IDLE)) != NULL;) {
        pid_t pid = slot_number(slot);
        put(slot, id, false);
        if (!slot_move(slot, slot_word(IDLE, pid), slot_word(GIVEN, pid))) continue; // its second has just passed
        (void)syscall(SYS_futex, &slot->word, FUTEX_WAKE, 1, NULL, NULL, 0);
        return ASSIGNED;
    }
    struct slot *slot = last_free();
    if (slot == NULL) return slot_first_queued() == NULL && may_fork() ? TO_BE_FORKED : NO_ROOM;
    bool is_newborn = may_fork();
    put(slot, id, is_newborn);
    // It fails if a supervisor has just begun to wait in this slot.
    if (!slot_move(slot, FREE, slot_word(is_newborn ? GIVEN : QUEUED, 0))) return slots_assign(id);
    slots.own = is_newborn ? slot : NULL;
    return is_newborn ? TO_BE_FORKED : ASSIGNED;
}

void slots_forked(pid_t pid) {
    // It fails if the supervisor has already answered.
    if (slots.own != NULL) (void)slot_move(slots.own, slot_word(GIVEN, 0), pid < 0 ? FREE : slot_word(GIVEN, pid));
    slots.own = NULL;
}

bool slots_take_queued(char id[ID_LENGTH + 1]) {
    while (find(IDLE) != NULL || may_fork()) {
        struct slot *slot = slot_first_queued();
        if (slot == NULL) return false;
        memcpy(id, slot->id, sizeof slot->id);
        if (slot_move(slot, slot_word(QUEUED, 0), FREE)) return true;
    }
    return false;
}

bool slots_take_overdue(char id[ID_LENGTH + 1]) {
    for (int i = 0; i < slots.count; i++) {
        struct slot *slot = &slots.all[i];
        if (slot_state(slot) != GIVEN || slot->is_newborn || slot->overdue_at > clock_ns()) continue;
        slot->overdue_at = NEVER;
        memcpy(id, slot->id, sizeof slot->id);
        return true;
    }
    return false;
}

int64_t slots_due_at(void) {
    int64_t at = slot_first_queued() == NULL ? NEVER : clock_ns() + (int64_t)CHECK_MS * NS_PER_MS;
    for (int i = 0; i < slots.count; i++) {
        if (slot_state(&slots.all[i]) == GIVEN && !slots.all[i].is_newborn) at = earlier(at, slots.all[i].overdue_at);
    }
    return at;
}

bool slots_are_needed(void) {
    return slots_due_at() != NEVER;
}

bool slots_child_ended(pid_t pid) {
    for (int i = 0; i < slots.count; i++) {
        struct slot *slot = &slots.all[i];
        enum slot_state state = slot_state(slot);
        if (slot_number(slot) != pid || state == FAILED) continue;
        slot->word = FREE;
        return state == GIVEN;
    }
    return false;
}

bool slots_have_failure(void) {
    return find(FAILED) != NULL;
}

bool slots_take_failure(char id[ID_LENGTH + 1], int *error) {
    struct slot *slot = find(FAILED);
    if (slot == NULL) return false;
    memcpy(id, slot->id, sizeof slot->id);
    *error = slot->error;
    slot->word = FREE;
    return true;
}

static void put(struct slot *slot, const char *id, bool is_newborn) {
    memcpy(slot->id, id, sizeof slot->id);
    slot->is_newborn = is_newborn;
    slot->since_ms = slot_now_ms();
    slot->overdue_at = clock_ns() + (int64_t)OVERDUE_MS * NS_PER_MS;
}

static struct slot *find(enum slot_state state) {
    for (int i = 0; i < slots.count; i++) {
        if (slot_state(&slots.all[i]) == state) return &slots.all[i];
    }
    return NULL;
}

/** Returns the last free slot, because waiting supervisors use the first ones. */
static struct slot *last_free(void) {
    for (int i = slots.count - 1; i >= 0; i--) {
        if (slot_state(&slots.all[i]) == FREE) return &slots.all[i];
    }
    return NULL;
}

struct slot *slot_first_queued(void) {
    struct slot *first = NULL;
    uint32_t now = slot_now_ms();
    for (int i = slots.count - 1; i >= 0; i--) {
        if (slot_state(&slots.all[i]) == QUEUED && (first == NULL
            || now - slots.all[i].since_ms > now - first->since_ms)) first = &slots.all[i];
    }
    return first;
}

/** Whether a new supervisor would get a core. */
static bool may_fork(void) {
    int most = cores * YOUNG_PER_CORE < MOST_YOUNG ? cores * YOUNG_PER_CORE : MOST_YOUNG;
    return count_young() < most || has_idle_core();
}

static int count_young(void) {
    int young = 0;
    uint32_t now = slot_now_ms();
    for (int i = 0; i < slots.count; i++) {
        struct slot *slot = &slots.all[i];
        enum slot_state state = slot_state(slot);
        if ((state == YOUNG || state == GIVEN) && now - slot->since_ms < YOUNG_MS) young++;
        else if (state == YOUNG) (void)slot_move(slot, slot_word(YOUNG, slot_number(slot)), FREE);
    }
    return young;
}

/** The fourth field of /proc/loadavg (proc(5)) is how many processes run or could run, including this one. If it is unknown, true. */
static bool has_idle_core(void) {
    char text[64] = {0};
    int running;
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return true;
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return got <= 0 || sscanf(text, "%*s %*s %*s %d/", &running) != 1 || running <= cores;
}

uint32_t slot_now_ms(void) {
    return (uint32_t)(clock_ns() / NS_PER_MS);
}

uint32_t slot_word(enum slot_state state, pid_t pid) {
    return (uint32_t)state << NUMBER_BITS | (uint32_t)pid;
}

enum slot_state slot_state(const struct slot *slot) {
    return (enum slot_state)(slot->word >> NUMBER_BITS);
}

pid_t slot_number(const struct slot *slot) {
    return (pid_t)(slot->word & NUMBER_MASK);
}

bool slot_move(struct slot *slot, uint32_t from, uint32_t to) {
    return atomic_compare_exchange_strong(&slot->word, &from, to);
}
