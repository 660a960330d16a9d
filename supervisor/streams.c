#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// For any user of the container. The folder is in the job's directory, which is closed to all other users.
enum { FOR_WRITERS = 0666, FOR_READERS = 0644 };

static const char *const names[] = {STREAMS_OUTPUT, STREAMS_ERROR, STREAMS_SIGNALS, STREAMS_UP, STREAMS_WORKDIR};
enum { MERGED = 3 }; // the place of what is not there then
enum { NAMES_COUNT = sizeof names / sizeof *names };

static int make(const char *folder, const char *name, mode_t mode, int flags);
static bool name_again(const char *folder);
static int open_in(const char *folder, const char *name, int flags);
static int open_said(const char *folder);
static void close_if_open(int *fd);

int streams_open(const char *folder, bool is_merged, int output[2], int error[2], struct streams *streams) {
    *streams = (struct streams){
        .signals = make(folder, STREAMS_SIGNALS, FOR_READERS, O_RDWR),
        .up = make(folder, STREAMS_UP, FOR_WRITERS, O_RDONLY),
    };
    output[0] = make(folder, STREAMS_OUTPUT, FOR_WRITERS, O_RDONLY);
    error[0] = is_merged ? -1 : make(folder, STREAMS_ERROR, FOR_WRITERS, O_RDONLY);
    bool is_named = !is_merged || name_again(folder);
    streams->held[0] = open_in(folder, STREAMS_OUTPUT, O_WRONLY);
    streams->held[1] = open_in(folder, STREAMS_ERROR, O_WRONLY);
    output[1] = open_said(folder);
    error[1] = output[1] < 0 ? -1 : fcntl(output[1], F_DUPFD_CLOEXEC, 0);
    int all[] = {streams->signals, streams->up, output[0], [MERGED] = error[0], streams->held[0], streams->held[1], error[1]};
    bool is_open = is_named;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) is_open = is_open && (all[i] >= 0 || (is_merged && i == MERGED));
    if (is_open) return 0;
    int reason = errno;
    int *const ends[] = {&output[0], &output[1], &error[0], &error[1]};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) close_if_open(ends[i]);
    streams_close(folder, streams);
    errno = reason;
    return -1;
}

bool streams_is_up(struct streams *streams) {
    char byte;
    if (streams->up >= 0 && read(streams->up, &byte, 1) == 1) close_if_open(&streams->up);
    return streams->up < 0;
}

void streams_signal(const struct streams *streams, int signal) {
    char byte = (char)signal;
    ssize_t written = write(streams->signals, &byte, 1);
    (void)written; // full: many signals wait for the command already
}

void streams_let_go(struct streams *streams) {
    close_if_open(&streams->held[0]);
    close_if_open(&streams->held[1]);
}

void streams_close(const char *folder, struct streams *streams) {
    streams_let_go(streams);
    close_if_open(&streams->signals);
    close_if_open(&streams->up);
    int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    for (size_t i = 0; i < NAMES_COUNT; i++) (void)unlinkat(directory, names[i], 0);
    (void)close(directory);
    (void)rmdir(folder); // otherwise it is removed with the job's directory
}

/** Creates a FIFO and opens it, without waiting for its other end. */
static int make(const char *folder, const char *name, mode_t mode, int flags) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (mkfifo(path, mode) != 0 || chmod(path, mode) != 0) return -1; // chmod, because mkfifo(3) applies the umask
    return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

/** So every init, which opens both names, writes to one FIFO. */
static bool name_again(const char *folder) {
    char output[PATH_MAX], error[PATH_MAX];
    (void)snprintf(output, sizeof output, "%s/%s", folder, STREAMS_OUTPUT);
    (void)snprintf(error, sizeof error, "%s/%s", folder, STREAMS_ERROR);
    return link(output, error) == 0;
}

static int open_in(const char *folder, const char *name, int flags) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

static int open_said(const char *folder) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s" STREAMS_SAID, folder);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

static void close_if_open(int *fd) {
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}
