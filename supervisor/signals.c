#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// SIGXFSZ: a limit of file sizes is then an error of write(2).
static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGTTOU, SIGTTIN, SIGTSTP};
enum { IGNORED_COUNT = sizeof ignored / sizeof *ignored, LAST_SIGNAL = 64 };

static void set_all_ignored(void (*handler)(int));

void signals_prepare(void) {
    // Not by signal(2): glibc hides two signals, which some shells and build tools leave ignored. A kernel's struct of zeros is SIG_DFL,
    // without flags. It fails for SIGKILL and SIGSTOP, which nobody can ignore.
    static const unsigned long by_default[8];
    for (int number = 1; number <= LAST_SIGNAL; number++) (void)syscall(SYS_rt_sigaction, number, by_default, NULL, LAST_SIGNAL / 8);
    set_all_ignored(SIG_IGN);
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
}

void signals_restore(void) {
    set_all_ignored(SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int signals_open(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void signals_clear(int fd) {
    struct signalfd_siginfo information;
    ssize_t got = read(fd, &information, sizeof information); // SIGCHLD is one signal, however many children ended
    (void)got;
}

static void set_all_ignored(void (*handler)(int)) {
    for (size_t i = 0; i < IGNORED_COUNT; i++) (void)signal(ignored[i], handler);
}
