// Two jobs in one process, one after the other: nothing of the first is seen in the second, and nothing is kept of either.
#include "../formats.h"
#include "../index.h"
#include "../output.h"
#include "../pipes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HIGH_DESCRIPTOR = 300, MANY = 100000 };

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

/** Its reading end is a high descriptor, for which the table has to grow. Returns the writing end. */
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

/** Many bytes, a secret, and the beginning of another that is held back; its pipes are open when it is over. */
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
    must(output_bytes() == MANY + 4 && output_step_bytes() == MANY + 4 && output_last_at() > 0, "all is kept but what is held back");
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

int main(void) {
    unsigned before = open_descriptors();
    enter_new_folder();
    first_job();
    must(open_descriptors() == before, "the first job keeps no descriptor");
    leave_folder();
    enter_new_folder();
    second_job();
    must(open_descriptors() == before, "the second job keeps no descriptor");
    leave_folder();
    (void)puts("ok - of two jobs in one process, neither sees the other's output, and nothing is kept of either");
    return 0;
}
