#include "launcher.h"

#include "clock.h"
#include "inherit.h"
#include "scratch.h"
#include "signals.h"
#include "slots.h"
#include "supervisor.h"
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INPUT_BYTES = 65536 };

static struct launch shared;
static int children = -1;
static bool is_death_untold;

static int prepare(const char *state);
static int complain(const char *what);
static int read_boot_id(void);
static int pause_ms(void);
static bool read_orders(void);
static void obey(const char *line, size_t length);
static void fork_for(const char *id, int (*task)(const struct launch *, const char *));
static void reap(void);
static void tell_news(void);

int launch(const char *state) {
    if (prepare(state) != 0) return 1;
    for (;;) {
        struct pollfd entries[] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = children, .events = POLLIN},
            {.fd = is_death_untold || slots_have_failure() ? STDOUT_FILENO : -1, .events = POLLOUT},
        };
        if (poll(entries, 3, pause_ms()) < 0 && errno != EINTR) return complain("poll");
        for (char id[ID_LENGTH + 1]; slots_take_overdue(id);) fork_for(id, supervise);
        if (entries[1].revents != 0) reap();
        if (entries[2].revents != 0) tell_news();
        if (entries[0].revents != 0 && !read_orders()) return 0;
    }
}

static int prepare(const char *state) {
    (void)setsid(); // EPERM: the service has done so
    signals_prepare();
    (void)umask(077);
    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0); // ENOSYS before Linux 5.9: the service opens all of its own with O_CLOEXEC
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    inherit_learn();
    if (read_boot_id() != 0) return complain("/proc/sys/kernel/random/boot_id");
    shared.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (shared.null < 0) return complain("/dev/null");
    children = signals_open();
    if (children < 0) return complain("signalfd");
    if (chdir(state) != 0 || chdir("jobs") != 0) return complain(state);
    if (getcwd(shared.jobs, sizeof shared.jobs) == NULL) shared.jobs[0] = '\0';
    slots_make();
    return 0;
}

static int complain(const char *what) {
    (void)fprintf(stderr, "jobrunner-supervisor: %s: %s\n", what, strerror(errno));
    return 1;
}

static int read_boot_id(void) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t got = read(fd, shared.boot_id, ID_LENGTH);
    (void)close(fd);
    return got == ID_LENGTH ? 0 : -1;
}

/** Until a job is overdue, for poll(2). */
static int pause_ms(void) {
    int64_t at = slots_overdue_at(), now = clock_ns();
    if (at == NEVER) return -1;
    return at <= now ? 0 : (int)((at - now) / NS_PER_MS) + 1;
}

/** False: the service has closed its end. */
static bool read_orders(void) {
    static SCRATCH char text[INPUT_BYTES];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, text + filled, sizeof text - filled);
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) return false;
    filled += (size_t)got;
    char *line = text;
    for (char *newline; (newline = memchr(line, '\n', filled - (size_t)(line - text))) != NULL; line = newline + 1) {
        obey(line, (size_t)(newline - line));
    }
    filled -= (size_t)(line - text);
    memmove(text, line, filled);
    if (filled == sizeof text) filled = 0; // no line is that long
    return true;
}

static void obey(const char *line, size_t length) {
    char id[ID_LENGTH + 1] = {0};
    const char *space = memchr(line, ' ', length);
    if (space == NULL || !is_id(space + 1, length - (size_t)(space + 1 - line))) return;
    memcpy(id, space + 1, ID_LENGTH);
    size_t word = (size_t)(space - line);
    if (word == 3 && memcmp(line, "run", word) == 0 && !slots_give(id)) fork_for(id, supervise);
    if (word == 5 && memcmp(line, "sweep", word) == 0) fork_for(id, sweep);
}

static void fork_for(const char *id, int (*task)(const struct launch *, const char *)) {
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(children);
        _exit(task(&shared, id));
    }
    if (pid < 0 && task == supervise) say_failed(id, errno);
}

/** A supervisor that did not end by itself may have left its job half done. */
static void reap(void) {
    signals_clear(children);
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (slots_child_ended(pid) || !WIFEXITED(status) || WEXITSTATUS(status) != 0) is_death_untold = true;
    }
}

/** A line at a time, a death once for many, and only when the service has room for it: nobody's job waits for the service to listen. */
static void tell_news(void) {
    char id[ID_LENGTH + 1];
    int error;
    if (slots_take_failure(id, &error)) {
        say_failed(id, error);
    } else if (is_death_untold) {
        is_death_untold = false;
        ssize_t written = write(STDOUT_FILENO, "died\n", 5);
        (void)written; // nobody listens any more, and standard input ends next
    }
}
