#include "signals.h"

#include "kernel.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

// SIGXFSZ: if it is ignored, exceeding a file size limit is an error of write(2).
static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGTTOU, SIGTTIN, SIGTSTP};
enum { IGNORED_COUNT = sizeof ignored / sizeof *ignored, LAST_SIGNAL = 64 };

static void by_default(int number);

void signals_prepare(void) {
    // This fails for SIGKILL and SIGSTOP, which cannot be changed.
    for (int number = 1; number <= LAST_SIGNAL; number++) by_default(number);
    for (size_t i = 0; i < IGNORED_COUNT; i++) (void)signal(ignored[i], SIG_IGN);
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
}

void signals_restore(void) {
    static const unsigned long none[LAST_SIGNAL / 8 / sizeof(unsigned long)];
    for (size_t i = 0; i < IGNORED_COUNT; i++) by_default(ignored[i]);
    (void)KERNEL(SYS_rt_sigprocmask, SIG_SETMASK, (long)none, 0, sizeof none);
}

int signals_open(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void signals_clear(int fd) {
    struct signalfd_siginfo information;
    ssize_t got = read(fd, &information, sizeof information); // there is at most one SIGCHLD, however many children have ended
    (void)got;
}

/**
 * Does not use signal(2), because glibc hides two signals, which some shells and build tools leave ignored. The kernel's struct, filled
 * with zeros, means SIG_DFL without flags.
 */
static void by_default(int number) {
    static const unsigned long action[8];
    (void)KERNEL(SYS_rt_sigaction, number, (long)action, 0, LAST_SIGNAL / 8);
}
