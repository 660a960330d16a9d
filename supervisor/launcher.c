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

enum { INPUT_BYTES = 65536, FULL_PAUSE_MS = 1 };

static struct launch shared;
static int children = -1;
static bool is_death_unreported;

/** Requests of the service that are not handled yet. */
static SCRATCH struct requests {
    size_t length;
    bool is_full;   // the first of them has to wait for a slot
    bool is_closed; // standard input has ended
    char text[INPUT_BYTES];
} requests;

static int prepare(const char *state);
static int complain(const char *what);
static int read_boot_id(void);
static bool is_finished(void);
static int pause_ms(void);
static void hand_on(void);
static void read_requests(void);
static void handle_requests(void);
static bool handle(const char *line, size_t length);
static bool assign(const char *id);
static pid_t fork_for(const char *id, int (*task)(const struct launch *, const char *));
static void reap(void);
static void report_news(void);
static void report_failed(const char *id, int error);
static void write_line(const char *line, int length);

int launch(const char *state) {
    if (prepare(state) != 0) return 1;
    while (!is_finished()) {
        struct pollfd entries[] = {
            {.fd = requests.is_full || requests.is_closed ? -1 : STDIN_FILENO, .events = POLLIN},
            {.fd = children, .events = POLLIN},
            {.fd = is_death_unreported || slots_have_failure() ? STDOUT_FILENO : -1, .events = POLLOUT},
        };
        if (poll(entries, 3, pause_ms()) < 0 && errno != EINTR) return complain("poll");
        if (entries[1].revents != 0) reap();
        if (entries[2].revents != 0) report_news();
        hand_on();
        if (entries[0].revents != 0) read_requests();
        handle_requests();
    }
    return 0;
}

static int prepare(const char *state) {
    (void)setsid(); // EPERM: it leads a session already
    signals_prepare();
    (void)umask(077);
    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0); // ENOSYS before Linux 5.9; but the service opens its files with O_CLOEXEC
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

/** Waiting supervisors end with the launcher, so it goes on until they have reported what became of the jobs that they were given. */
static bool is_finished(void) {
    return requests.is_closed && !requests.is_full && !slots_are_needed();
}

/** The timeout for poll(2). */
static int pause_ms(void) {
    if (requests.is_full) return FULL_PAUSE_MS;
    int64_t at = slots_due_at(), now = clock_ns();
    if (at == NEVER) return -1;
    return at <= now ? 0 : (int)((at - now) / NS_PER_MS) + 1;
}

/** Assigns queued jobs, and forks supervisors for jobs that were assigned too long ago and are not answered for. */
static void hand_on(void) {
    char id[ID_LENGTH + 1];
    while (slots_take_queued(id)) {
        if (!assign(id)) (void)fork_for(id, supervise);
    }
    while (slots_take_overdue(id)) (void)fork_for(id, supervise);
}

static void read_requests(void) {
    if (requests.length == sizeof requests.text) requests.length = 0; // no known line is that long
    ssize_t got = read(STDIN_FILENO, requests.text + requests.length, sizeof requests.text - requests.length);
    if (got > 0) requests.length += (size_t)got;
    requests.is_closed = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

static void handle_requests(void) {
    char *line = requests.text, *end = requests.text + requests.length;
    requests.is_full = false;
    for (char *newline; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL; line = newline + 1) {
        requests.is_full = !handle(line, (size_t)(newline - line));
        if (requests.is_full) break;
    }
    requests.length = (size_t)(end - line);
    memmove(requests.text, line, requests.length);
}

/** Returns false if the request has to wait. */
static bool handle(const char *line, size_t length) {
    char id[ID_LENGTH + 1] = {0};
    const char *space = memchr(line, ' ', length);
    if (space == NULL || !is_id(space + 1, length - (size_t)(space + 1 - line))) return true;
    memcpy(id, space + 1, ID_LENGTH);
    size_t word = (size_t)(space - line);
    if (word == 3 && memcmp(line, "run", word) == 0) return assign(id);
    if (word == 5 && memcmp(line, "sweep", word) == 0) (void)fork_for(id, sweep);
    return true;
}

/** Returns false if there is no free slot at the moment. */
static bool assign(const char *id) {
    enum assign done = slots_assign(id);
    if (done != TO_BE_FORKED) return done == ASSIGNED;
    pid_t pid = fork_for(id, supervise);
    slots_forked(pid);
    return true;
}

static pid_t fork_for(const char *id, int (*task)(const struct launch *, const char *)) {
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(children);
        _exit(task(&shared, id));
    }
    if (pid < 0 && task == supervise) report_failed(id, errno);
    return pid;
}

/** A supervisor that was killed may have left its job unfinished. */
static void reap(void) {
    signals_clear(children);
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (slots_child_ended(pid) || !WIFEXITED(status) || WEXITSTATUS(status) != 0) is_death_unreported = true;
    }
}

/** Writes one line at a time, one "died" for many deaths, and only if the pipe has room: no job waits for the service to read. */
static void report_news(void) {
    char id[ID_LENGTH + 1];
    int error;
    if (slots_take_failure(id, &error)) {
        report_failed(id, error);
    } else if (is_death_unreported) {
        is_death_unreported = false;
        write_line("died\n", 5);
    }
}

static void report_failed(const char *id, int error) {
    char line[ID_LENGTH + 32];
    write_line(line, snprintf(line, sizeof line, "failed %.*s %d\n", ID_LENGTH, id, error));
}

static void write_line(const char *line, int length) {
    ssize_t written = length <= 0 ? -1 : write(STDOUT_FILENO, line, (size_t)length);
    (void)written; // the service is gone: the next one checks the directories
}
