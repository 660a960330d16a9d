// Tests of output.c and its modules in one process: two jobs, one after the other; pipes that cannot be read; pipes that rest.
#include "../clock.h"
#include "../formats.h"
#include "../index.h"
#include "../output.h"
#include "../pipes.h"
#include "../status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HIGH_DESCRIPTOR = 300, MANY = 100000 };

static int unreadable = -1; // reading this descriptor fails
ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length);

ssize_t __wrap_read(int fd, void *bytes, size_t length) {
    if (fd != unreadable) return __real_read(fd, bytes, length);
    errno = EIO;
    return -1;
}

static void must(int is_so, const char *what) {
    if (is_so) return;
    perror(what);
    abort();
}

static unsigned open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    must(directory != NULL, "descriptors can be listed");
    unsigned count = 0;
    while (readdir(directory) != NULL) count++;
    (void)closedir(directory);
    return count;
}

static size_t length_of(const char *name) {
    struct stat information;
    must(stat(name, &information) == 0, name);
    return (size_t)information.st_size;
}

/** Creates a pipe whose reading end is a high descriptor, so that the table has to grow. Returns the writing end. */
static int make_pipe(int *reading) {
    int ends[2];
    must(pipe(ends) == 0, "a pipe is made");
    *reading = fcntl(ends[0], F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
    must(*reading >= 0 && close(ends[0]) == 0, "its reading end is a high descriptor");
    return ends[1];
}

static void enter_new_folder(void) {
    char path[] = "/tmp/output-test-XXXXXX";
    must(mkdtemp(path) != NULL && chdir(path) == 0, "a folder is made");
}

static void leave_folder(void) {
    char path[256];
    must(getcwd(path, sizeof path) != NULL && unlink("output") == 0 && unlink("index") == 0, "the job's files are there");
    must(chdir("/") == 0 && rmdir(path) == 0, "the folder is removed");
}

/** Many bytes, a secret, and the beginning of another one, which is held back. The pipes are still open when the job is finished. */
static void first_job(void) {
    static const char text[] = PLAN_VERSION "\0id=01234567-89ab-cdef-0123-456789abcdef\0stop_signal=15\0stop_timeout_ms=0\0"
                                            "secret=hunter22\0step\0workdir=/w\0arg=ls\0end";
    struct plan plan;
    must(plan_read(text, sizeof text, &plan) == 0, "the plan is read");
    must(output_open(&plan) == 0, "output is opened");
    int output, error;
    int writers[] = {make_pipe(&output), make_pipe(&error)};
    must(output_add_pipes(7, output, error) == 0, "pipes are added");
    for (int i = 0; i < MANY / 1000; i++) {
        char bytes[1000] = {0};
        must(write(writers[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes, "bytes are written");
        output_handle();
    }
    must(write(writers[1], "hunter22 hunter", 15) == 15, "a secret is written");
    output_handle();
    must(output_bytes() == MANY + 4 && output_step_bytes() == MANY + 4 && output_last_at() > 0, "all but the held bytes is kept");
    must(length_of("output") == MANY + 4, "it is in the file");
    output_close();
    must(close(writers[0]) == 0 && close(writers[1]) == 0, "the writing ends are the job's");
}

static void second_job(void) {
    must(output_open(&(struct plan){0}) == 0, "output is opened again");
    must(!output_is_open() && !output_is_blocked() && output_descriptor() == -1, "no pipe is open");
    must(output_bytes() == 0 && output_step_bytes() == 0 && output_lost_bytes() == 0 && output_last_at() == 0, "nothing was written");
    int output, error;
    int writers[] = {make_pipe(&output), make_pipe(&error)};
    must(output_add_pipes(1, output, error) == 0, "pipes are added");
    must(write(writers[0], "22 hunter22", 11) == 11, "what is no secret here is written");
    output_handle();
    must(close(writers[0]) == 0 && close(writers[1]) == 0, "the job ends");
    output_drain(0);
    must(!output_is_open(), "the pipes' ends are seen");
    must(output_bytes() == 11 && output_step_bytes() == 11, "only its own bytes are counted");
    output_close();

    char bytes[12] = {0};
    struct record record;
    int files[] = {open("output", O_RDONLY), open("index", O_RDONLY)};
    must(read(files[0], bytes, sizeof bytes) == 11 && strcmp(bytes, "22 hunter22") == 0, "its output is its own");
    must(length_of("index") == sizeof record && read(files[1], &record, sizeof record) == (ssize_t)sizeof record, "it has one record");
    must(record.end == 11 && record.lost == 0 && record.step == 1 && record.stream == STREAM_STDOUT, "which is its own");
    must(close(files[0]) == 0 && close(files[1]) == 0, "files are closed");
}

static bool has_news(void) {
    return poll(&(struct pollfd){.fd = output_descriptor(), .events = POLLIN}, 1, 0) == 1;
}

static void wait_until(int64_t due) {
    struct timespec rest = {.tv_sec = 0, .tv_nsec = due - clock_ns()};
    if (rest.tv_nsec > 0) (void)nanosleep(&rest, NULL);
}

static void put(int writer, const char *bytes, size_t length) {
    must(write(writer, bytes, length) == (ssize_t)length, "bytes are written");
}

/** Writes small pieces after many bytes, until the pipe rests. On a busy machine that may take several attempts. */
static void write_until_it_rests(int writer) {
    static const char many[1 << 16];
    for (int i = 0; output_due_at() == NEVER; i++) {
        must(i < 1000, "a busy pipe rests after small pieces");
        for (int k = 0; k < 32; k++) {
            put(writer, many, sizeof many);
            output_handle();
        }
        for (int k = 0; k < 2; k++) {
            put(writer, "piece", 5);
            output_handle();
        }
    }
}

static void wait_until_it_listens(void) {
    while (output_due_at() != NEVER) {
        wait_until(output_due_at());
        output_go_on();
    }
}

static struct record last_record(size_t before) {
    struct record record;
    int fd = open("index", O_RDONLY);
    off_t at = (off_t)(length_of("index") - (before + 1) * sizeof record);
    must(pread(fd, &record, sizeof record, at) == (ssize_t)sizeof record && close(fd) == 0, "a record is read");
    return record;
}

static void pipes_that_rest(void) {
    must(output_open(&(struct plan){0}) == 0, "output is opened");
    int output, error;
    int writers[] = {make_pipe(&output), make_pipe(&error)};
    must(output_add_pipes(1, output, error) == 0, "pipes are added");

    write_until_it_rests(writers[0]);
    must(output_due_at() <= clock_ns() + NS_PER_MS, "it rests for a millisecond at most");
    uint64_t before = output_bytes();
    put(writers[0], "a", 1);
    put(writers[0], "b", 1);
    must(!has_news() && output_bytes() == before, "meanwhile its bytes wake nobody");
    wait_until(output_due_at());
    output_go_on();
    must(output_bytes() == before + 2 && last_record(0).end - last_record(1).end == 2, "then they are one piece");

    wait_until_it_listens();
    for (int i = 0; i < 3; i++) {
        wait_until(clock_ns() + 10 * NS_PER_MS);
        put(writers[0], "c", 1);
        must(has_news(), "after quiet a piece is reported at once");
        output_handle();
        must(output_due_at() == NEVER && output_bytes() == before + 3 + (uint64_t)i, "and so is the next, if it is quiet again");
    }

    write_until_it_rests(writers[0]);
    put(writers[0], "d", 1);
    put(writers[1], "e", 1);
    must(has_news(), "another pipe's bytes are reported meanwhile");
    output_handle();
    must(last_record(1).stream == STREAM_STDOUT && last_record(0).stream == STREAM_STDERR, "and come after what was written before");

    wait_until_it_listens();
    write_until_it_rests(writers[0]);
    before = output_bytes();
    put(writers[0], "f", 1);
    must(close(writers[0]) == 0 && has_news(), "the end of a resting pipe is reported at once");
    output_handle();
    must(output_bytes() == before + 1, "and what was written before it is kept");
    must(close(writers[1]) == 0, "the other one ends too");
    for (int i = 0; i < 2; i++) output_handle();
    must(!output_is_open() && output_due_at() == NEVER, "nothing is left to wait for");
    output_close();
}

/** Reading one stream fails, with six bytes in its pipe and the beginning of a secret held back. The other stream goes on. */
static void pipe_that_cannot_be_read(void) {
    static const char text[] = PLAN_VERSION "\0id=01234567-89ab-cdef-0123-456789abcdef\0stop_signal=15\0stop_timeout_ms=0\0"
                                            "secret=hunter22\0step\0workdir=/w\0arg=ls\0end";
    struct plan plan;
    must(plan_read(text, sizeof text, &plan) == 0, "the plan is read");
    must(status_claim(&(struct claim){plan.id, "boot"}) == 0 && output_open(&plan) == 0, "status and output are opened");
    int output, error;
    int writers[] = {make_pipe(&output), make_pipe(&error)};
    must(output_add_pipes(3, output, error) == 0, "pipes are added");
    put(writers[1], "kept, hunter", 12);
    output_handle();
    unreadable = error;
    put(writers[1], "2 lost", 6);
    put(writers[0], "other", 5);
    output_handle();
    must(!output_is_blocked(), "an error of a pipe is not an error of the disk");
    must(write(writers[1], "x", 1) < 0 && errno == EPIPE, "the stream's writer does not wait for ever");
    put(writers[0], " goes on", 8);
    output_handle();
    must(close(writers[0]) == 0 && close(writers[1]) == 0, "the job ends");
    output_drain(0);
    unreadable = -1;
    must(!output_is_open() && output_bytes() == 19 && output_lost_bytes() == 12, "what was in the pipe, or held back, is counted as lost");
    struct record gap = last_record(2); // two records of the other stream follow
    must(gap.lost == 12 && gap.step == 3 && gap.stream == STREAM_STDERR, "and has its gap in the index");
    char status[256] = {0};
    int fd = open("status", O_RDONLY);
    must(read(fd, status, sizeof status - 1) > 0 && close(fd) == 0, "the status file is read");
    unsigned step, stream, code;
    const char *unread = strstr(status, "\nunread ");
    must(unread != NULL && sscanf(unread, "\nunread %u %*u %u %u", &step, &stream, &code) == 3, "the record says so");
    must(step == 3 && stream == STREAM_STDERR && code == EIO, "of which stream, and why");
    output_close();
    status_close();
    must(unlink("status") == 0, "the status file is removed");
}

/** Output is given up on a full disk, and a pipe cannot be read either. The bytes in it are counted as lost. */
static void pipe_that_is_given_up(void) {
    must(output_open(&(struct plan){0}) == 0, "output is opened");
    int output, error;
    int writers[] = {make_pipe(&output), make_pipe(&error)};
    must(output_add_pipes(1, output, error) == 0, "pipes are added");
    put(writers[0], "seven..", 7);
    unreadable = output;
    output_give_up();
    unreadable = -1;
    must(output_lost_bytes() == 7 && !output_is_open(), "bytes that cannot be read are counted as lost");
    must(close(writers[0]) == 0 && close(writers[1]) == 0, "the writing ends are the job's");
    output_close();
}

static bool can_enlarge(void) {
    int ends[2];
    must(pipe(ends) == 0, "a pipe is made");
    bool can = fcntl(ends[0], F_SETPIPE_SZ, 1 << 20) >= 1 << 20;
    must(close(ends[0]) == 0 && close(ends[1]) == 0, "and closed");
    return can;
}

int main(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    unsigned before = open_descriptors();
    enter_new_folder();
    first_job();
    must(open_descriptors() == before, "the first job keeps no descriptor");
    leave_folder();
    enter_new_folder();
    second_job();
    must(open_descriptors() == before, "the second job keeps no descriptor");
    leave_folder();
    (void)puts("ok - two jobs in one process do not see each other's output, and nothing is left of them");
    enter_new_folder();
    pipe_that_cannot_be_read();
    must(open_descriptors() == before, "no descriptor is kept");
    leave_folder();
    enter_new_folder();
    pipe_that_is_given_up();
    leave_folder();
    (void)puts("ok - a pipe that cannot be read is recorded as such and not as a full disk, and other pipes are still read");
    if (!can_enlarge()) return puts("left out: the user's budget of pipes is spent") < 0;
    enter_new_folder();
    pipes_that_rest();
    leave_folder();
    (void)puts("ok - a busy pipe rests while small pieces arrive; its first piece after a pause, its end and other pipes do not wait");
    return 0;
}
