#include "status.h"

#include "clock.h"
#include "formats.h"
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Room for the lines of a job of a few dozen steps; the lines of a longer one are kept in memory while the disk is full, and no step is
// started before they are written, so that they are few.
enum { RESERVED_BYTES = 4096, KEPT_BYTES = 4096, LINE_BYTES = 256 };

static int status_fd = -1;
static const char *job_id;
static bool has_news;
static char kept[KEPT_BYTES];
static size_t kept_length;

static int write_first_line(const struct claim *claim);
static void write_kept(void);

int status_claim(const struct claim *claim) {
    status_fd = open("status", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (status_fd < 0) return errno;
    job_id = claim->id;
    int error = write_first_line(claim);
    // Nothing ran, so the claim can be given back; the name is ours until then, since it was made with O_EXCL.
    if (error != 0 && unlink("status") != 0) return errno;
    return error;
}

static int write_first_line(const struct claim *claim) {
    // A disk that fills up later must not keep the job's end from being recorded. EOPNOTSUPP: a file system that cannot promise.
    if (fallocate(status_fd, FALLOC_FL_KEEP_SIZE, 0, RESERVED_BYTES) != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    status_line(STATUS_VERSION " %s %d %lld\n", claim->boot_id, (int)getpid(), (long long)wall_ns());
    has_news = false; // of the first step's start, which follows at once
    return status_is_written() ? 0 : ENOSPC;
}

void status_line(const char *format, ...) {
    // Never so: a step adds a handful of lines, and the next one waits for them to be written.
    if (sizeof kept - kept_length < LINE_BYTES) return;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(kept + kept_length, LINE_BYTES, format, arguments);
    va_end(arguments);
    if (length <= 0 || length >= LINE_BYTES) return;
    kept_length += (size_t)length;
    has_news = true;
    write_kept();
}

bool status_is_written(void) {
    write_kept();
    return kept_length == 0;
}

/** Ordinarily one line, and so one write(2) per line. */
static void write_kept(void) {
    while (kept_length > 0) {
        ssize_t written = write(status_fd, kept, kept_length);
        if (written <= 0) return;
        kept_length -= (size_t)written;
        memmove(kept, kept + written, kept_length);
    }
}

void status_ring(void) {
    if (!has_news) return;
    has_news = false;
    ring_doorbell(job_id);
}

void ring_doorbell(const char *id) {
    int fd = open("../../doorbell", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    char line[ID_LENGTH + 1];
    memcpy(line, id, ID_LENGTH);
    line[ID_LENGTH] = '\n';
    ssize_t written = write(fd, line, sizeof line);
    (void)written; // full: the service is busy with rings and looks at all jobs anyway
    (void)close(fd);
}
