#include "init.h"

#include "streams.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

// As in shells and engines (docker-run(1), "Exit Status").
enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127, BY_SIGNAL = 128 };
enum { LAST_SIGNAL = 64, MAX_NAME = 200 };

/** What failed before the command was executed. */
enum stage { STREAMS, PROCESS, WORKDIR, COMMAND };
struct failure {
    enum stage stage;
    int error;
};

static struct failure take_streams(int folder, int *signals, int *up);
static int open_writer(int folder, const char *name);
static struct failure start(char **command, const sigset_t *inherited, int up, pid_t *child);
_Noreturn static void become(char **command, const sigset_t *inherited, int up, int exec_result);
static int refuse(char **command, struct failure failure);
static void write_name(char *text, const char *name);
static int serve(pid_t child, int incoming, int signals);
static bool has_ended(pid_t child, int *wait_status);
static void pass_on(int signals, pid_t child);

int container_init(char **command) {
    int folder = open(STREAMS_FOLDER, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return refuse(command, (struct failure){STREAMS, errno});
    int words = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int signals, up;
    struct failure failure = take_streams(folder, &signals, &up);
    sigset_t all, inherited;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &inherited);
    int incoming = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    if (failure.error == 0 && incoming < 0) failure = (struct failure){PROCESS, errno};
    pid_t child = 0;
    if (failure.error == 0) failure = start(command, &inherited, up, &child);
    if (failure.error != 0) {
        (void)dup2(words, STDERR_FILENO);
        return refuse(command, failure);
    }
    (void)close(words);
    (void)close(up);
    return serve(child, incoming, signals);
}

/** The streams stay open in this process too, so what a job writes to /proc/1/fd/1 is its output. */
static struct failure take_streams(int folder, int *signals, int *up) {
    int output = open_writer(folder, STREAMS_OUTPUT);
    int error = output < 0 ? -1 : open_writer(folder, STREAMS_ERROR);
    *up = error < 0 ? -1 : open_writer(folder, STREAMS_UP);
    *signals = *up < 0 ? -1 : openat(folder, STREAMS_SIGNALS, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool is_open = *signals >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(error, STDERR_FILENO) >= 0;
    return (struct failure){STREAMS, is_open ? 0 : errno};
}

/** Does not wait for a reader. If there is none, the supervisor is gone, and nothing must run. */
static int open_writer(int folder, const char *name) {
    int fd = openat(folder, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 && fcntl(fd, F_SETFL, 0) != 0 ? -1 : fd;
}

static struct failure start(char **command, const sigset_t *inherited, int up, pid_t *child) {
    int exec_result[2];
    if (pipe2(exec_result, O_CLOEXEC) != 0) return (struct failure){PROCESS, errno};
    *child = fork();
    if (*child == 0) become(command, inherited, up, exec_result[1]);
    struct failure failure = {PROCESS, *child < 0 ? errno : 0};
    (void)close(exec_result[1]);
    // No bytes before end of file: the command was executed.
    if (*child > 0 && read(exec_result[0], &failure, sizeof failure) < 0) failure = (struct failure){PROCESS, errno};
    (void)close(exec_result[0]);
    return failure;
}

_Noreturn static void become(char **command, const sigset_t *inherited, int up, int exec_result) {
    (void)setpgid(0, 0); // cannot fail: a process just forked leads no group or session
    (void)sigprocmask(SIG_SETMASK, inherited, NULL);
    struct failure failure = {WORKDIR, 0};
    if (chdir(STREAMS_FOLDER "/" STREAMS_WORKDIR) == 0) {
        failure.stage = COMMAND;
        ssize_t reported = write(up, "+", 1); // before the command can write anything
        (void)reported;                       // if the supervisor is gone, a sweeper finds this process
        (void)execvp(command[0], command);
    }
    failure.error = errno;
    ssize_t written = write(exec_result, &failure, sizeof failure);
    (void)written;
    _exit(NOT_FOUND);
}

/** Writes the line that src/runner/containers/said.ts parses. */
static int refuse(char **command, struct failure failure) {
    static const char *const stages[] = {[STREAMS] = "streams", [PROCESS] = "new process", [WORKDIR] = "working directory"};
    char name[MAX_NAME + 1];
    write_name(name, failure.stage == COMMAND ? command[0] : stages[failure.stage]);
    (void)fprintf(stderr, "jobrunner-init: %s: %s\n", name, strerror(failure.error));
    return failure.stage == COMMAND && failure.error == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
}

/** Writes the name without line breaks. */
static void write_name(char *text, const char *name) {
    size_t length = strnlen(name, MAX_NAME);
    for (size_t i = 0; i < length; i++) text[i] = iscntrl((unsigned char)name[i]) ? '?' : name[i];
    text[length] = '\0';
}

/**
 * Passes signals on until the command has ended; returns its code. When this process ends, the kernel ends all others of its namespace.
 * Each round takes one signal from each source, so that an endless stream of signals cannot hide the command's end.
 */
static int serve(pid_t child, int incoming, int signals) {
    for (;;) {
        struct pollfd entries[] = {{.fd = incoming, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        (void)poll(entries, 2, -1);
        struct signalfd_siginfo information;
        bool has_come = read(incoming, &information, sizeof information) == (ssize_t)sizeof information;
        if (has_come && information.ssi_signo != SIGCHLD) (void)kill(child, (int)information.ssi_signo);
        if ((entries[1].revents & POLLIN) != 0) pass_on(signals, child);
        else if (entries[1].revents != 0) signals = -1; // the supervisor is gone
        int wait_status;
        if (has_ended(child, &wait_status)) return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : BY_SIGNAL + WTERMSIG(wait_status);
    }
}

static bool has_ended(pid_t child, int *wait_status) {
    for (pid_t pid; (pid = waitpid(-1, wait_status, WNOHANG)) > 0;) {
        if (pid == child) return true;
    }
    return false;
}

static void pass_on(int signals, pid_t child) {
    unsigned char number;
    if (read(signals, &number, 1) == 1 && number >= 1 && number <= LAST_SIGNAL) (void)kill(child, number);
}
