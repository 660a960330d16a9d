#include "inherit.h"

#include "kernel.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// prctl(2): the default of the kernel, in nanoseconds.
enum { USUAL_TIMER_SLACK = 50000 };
// The lower byte is the execution domain, which decides what uname(2) reports; jobs keep that of the service.
enum { PERSONALITY_DOMAIN = 0xff };
// ioprio_set(2), which has no header before Linux 5.15. The lower three bits are the level; 0 is the highest.
enum { IO_CLASS_SHIFT = 13, IO_NONE = 0, IO_REALTIME = 1, IO_BEST_EFFORT = 2, IO_LEVEL = 7, IO_USUAL_LEVEL = 4, IO_PROCESS = 1 };
static const unsigned long ask_personality = 0xffffffff;

static const char oom_file[] = "/proc/self/oom_score_adj";

static void (*needed[8])(void);
static size_t needed_count;

static int own_personality;
static int own_securebits;

static void need(bool is_needed, void (*shed)(void));
static bool has_oom_protection(void);
static bool has_io_precedence(void);
static bool has_inheritable_capabilities(void);
static void shed_oom_protection(void);
static void shed_capabilities(void);
static void shed_securebits(void);
static void shed_realtime(void);
static void shed_nice(void);
static void shed_io_precedence(void);
static void shed_timer_slack(void);
static void shed_personality(void);

void inherit_learn(void) {
    long policy = syscall(SYS_sched_getscheduler, 0) & ~(long)SCHED_RESET_ON_FORK; // musl's function for this call only returns ENOSYS
    own_personality = personality(ask_personality);
    own_securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    needed_count = 0;
    need(has_oom_protection(), shed_oom_protection);
    need(has_inheritable_capabilities(), shed_capabilities);
    need(own_securebits > 0 && (own_securebits & (int)SECBIT_NO_SETUID_FIXUP) != 0, shed_securebits);
    need(policy == SCHED_FIFO || policy == SCHED_RR, shed_realtime);
    need(getpriority(PRIO_PROCESS, 0) < 0, shed_nice);
    need(has_io_precedence(), shed_io_precedence);
    // After the policy, because a real-time process has no timer slack.
    need(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) != USUAL_TIMER_SLACK, shed_timer_slack);
    need(own_personality > 0 && (own_personality & ~PERSONALITY_DOMAIN) != 0, shed_personality);
}

bool inherit_is_of_memory(void) {
    for (size_t i = 0; i < needed_count; i++) {
        if (needed[i] == shed_oom_protection) return true;
    }
    return false;
}

void inherit_shed(void) {
    for (size_t i = 0; i < needed_count; i++) needed[i]();
}

static void need(bool is_needed, void (*shed)(void)) {
    if (is_needed) needed[needed_count++] = shed;
}

static bool has_oom_protection(void) {
    char text[16] = {0};
    int fd = open(oom_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return got > 0 && atoi(text) < 0;
}

/** Supervisors keep the protection, because a job is lost if the kernel kills its supervisor. */
static void shed_oom_protection(void) {
    // Files below /proc of a process that may not be dumped belong to root. Until execve(2), this process has a supervisor's memory.
    bool is_dumpable = KERNEL(SYS_prctl, PR_GET_DUMPABLE) == 1;
    (void)KERNEL(SYS_prctl, PR_SET_DUMPABLE, 1);
    long fd = KERNEL(SYS_openat, AT_FDCWD, (long)oom_file, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) (void)KERNEL(SYS_write, fd, (long)"0", 1); // a higher value needs no privilege: this fails only without /proc
    if (fd >= 0) (void)KERNEL(SYS_close, fd);
    (void)KERNEL(SYS_prctl, PR_SET_DUMPABLE, is_dumpable ? 1 : 0);
}

/** Ambient capabilities are also inheritable (capabilities(7)), so one check finds both. */
static bool has_inheritable_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &header, own) == 0 && (own[0].inheritable | own[1].inheritable) != 0;
}

/**
 * Giving capabilities up is always allowed. Ambient capabilities go with the inheritable ones. After that, execve(2) takes the remaining
 * capabilities from users other than root.
 */
static void shed_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3] = {0};
    if (KERNEL(SYS_capget, (long)&header, (long)own) != 0) return;
    own[0].inheritable = own[1].inheritable = 0;
    (void)KERNEL(SYS_capset, (long)&header, (long)own);
}

/**
 * With SECBIT_NO_SETUID_FIXUP, a process keeps its capabilities when it becomes another user. The other bits only restrict. A locked bit
 * stays.
 */
static void shed_securebits(void) {
    (void)KERNEL(SYS_prctl, PR_SET_SECUREBITS, own_securebits & ~(int)SECBIT_NO_SETUID_FIXUP);
}

static void shed_realtime(void) {
    (void)KERNEL(SYS_sched_setscheduler, 0, SCHED_OTHER, (long)&(struct sched_param){0});
}

static void shed_nice(void) {
    (void)KERNEL(SYS_setpriority, PRIO_PROCESS, 0, 0);
}

/** For a process without an I/O priority, the kernel reports the one that follows from nice value and policy. */
static bool has_io_precedence(void) {
    long own = syscall(SYS_ioprio_get, IO_PROCESS, 0);
    if (own < 0) return false;
    long class = own >> IO_CLASS_SHIFT;
    return class == IO_REALTIME || (class == IO_BEST_EFFORT && (own & IO_LEVEL) < IO_USUAL_LEVEL);
}

static void shed_io_precedence(void) {
    (void)KERNEL(SYS_ioprio_set, IO_PROCESS, 0, IO_NONE);
}

static void shed_timer_slack(void) {
    (void)KERNEL(SYS_prctl, PR_SET_TIMERSLACK, USUAL_TIMER_SLACK);
}

static void shed_personality(void) {
    (void)KERNEL(SYS_personality, own_personality & PERSONALITY_DOMAIN);
}
