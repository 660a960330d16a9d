#include "status.h"

#include "clock.h"
#include "formats.h"
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// Room for the lines of a few dozen steps. If the disk is full, the lines of a longer job are kept in memory. They are few, because no step
// starts before they are written.
enum { RESERVED_BYTES = 4096, FRAME_BYTES = 128, TEXT_BYTES = PIPE_BUF - FRAME_BYTES, LINE_BYTES = 256 };
// A delay that nobody notices. Under load, most small jobs are finished after this time, and ring once.
enum { RING_DELAY_MS = 20 };

/**
 * The status file of the job. `text` holds the lines that are not yet both written to the disk and sent with a ring:
 *
 *     file  0 ......... begin ............. begin + written
 *     text              0 ................. written ......... length
 *                       for the next ring   for the disk
 */
static struct status {
    int fd; // -1: no job is claimed
    const char *id;
    off_t begin;
    size_t written, length;
    int64_t ring_at;
    char text[TEXT_BYTES];
} status = {.fd = -1, .ring_at = NEVER};

static int write_first_line(const struct claim *claim);
static bool make_room(void);
static void write_text(void);
static void forget_written(void);
static void ring_with_text(void);
static void ring(const struct iovec *parts, int count);

int status_claim(const struct claim *claim) {
    int fd = open("status", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    status = (struct status){.fd = fd, .id = claim->id, .ring_at = NEVER};
    int error = write_first_line(claim);
    if (error == 0) return 0;
    status_close();
    // Nothing ran, so the claim can be given back. The file is ours, because it was created with O_EXCL.
    return unlink("status") == 0 ? error : errno;
}

static int write_first_line(const struct claim *claim) {
    // If the disk fills up later, the job's end must still be recorded. EOPNOTSUPP: a file system without reservations.
    if (fallocate(status.fd, FALLOC_FL_KEEP_SIZE, 0, RESERVED_BYTES) != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    status_line(STATUS_VERSION " %s %d %lld signals\n", claim->boot_id, (int)getpid(), (long long)wall_ns());
    status.ring_at = NEVER; // the start of the first step follows at once
    return status_is_written() ? 0 : ENOSPC;
}

void status_line(const char *format, ...) {
    if (!make_room()) return;
    char *line = status.text + status.length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, LINE_BYTES, format, arguments);
    va_end(arguments);
    if (length <= 0 || length >= LINE_BYTES) return;
    status.length += (size_t)length;
    bool is_last = strncmp(line, "done ", 5) == 0;
    if (is_last || status.ring_at == NEVER) status.ring_at = is_last ? 0 : clock_ns() + (int64_t)RING_DELAY_MS * NS_PER_MS;
    write_text();
}

/** Lines that are written may be dropped before they were sent with a ring: the service notices the gap, and reads the file. */
static bool make_room(void) {
    if (sizeof status.text - status.length < LINE_BYTES) forget_written();
    // Always true: a step adds a handful of lines, and the next step waits until they are written.
    return sizeof status.text - status.length >= LINE_BYTES;
}

bool status_is_written(void) {
    write_text();
    return status.written == status.length;
}

/** Usually writes one line, so there is one write(2) for each line. */
static void write_text(void) {
    while (status.written < status.length) {
        ssize_t written = write(status.fd, status.text + status.written, status.length - status.written);
        if (written <= 0) return;
        status.written += (size_t)written;
    }
}

static void forget_written(void) {
    status.begin += (off_t)status.written;
    status.length -= status.written;
    memmove(status.text, status.text + status.written, status.length);
    status.written = 0;
}

/** Lines that are not on the disk are not sent. */
int64_t status_ring_at(void) {
    return status.written == status.length ? status.ring_at : NEVER;
}

void status_ring(void) {
    int64_t at = status_ring_at();
    if (at == NEVER || (at > 0 && clock_ns() < at)) return;
    status.ring_at = NEVER;
    ring_with_text();
    forget_written();
}

static void ring_with_text(void) {
    char head[FRAME_BYTES / 2], tail[FRAME_BYTES / 2];
    int head_length = snprintf(head, sizeof head, "at %s %lld\n", status.id, (long long)status.begin);
    int tail_length = snprintf(tail, sizeof tail, "%s\n", status.id);
    if (head_length <= 0 || tail_length <= 0) return;
    struct iovec parts[] = {{head, (size_t)head_length}, {status.text, status.written}, {tail, (size_t)tail_length}};
    ring(parts, 3);
}

void status_close(void) {
    if (status.fd >= 0) (void)close(status.fd);
    status = (struct status){.fd = -1, .ring_at = NEVER};
}

void ring_doorbell(const char *id) {
    char line[ID_LENGTH + 2];
    int length = snprintf(line, sizeof line, "%s\n", id);
    if (length > 0) ring(&(struct iovec){line, (size_t)length}, 1);
}

/** At most PIPE_BUF bytes, so they arrive whole or not at all (pipe(7)). */
static void ring(const struct iovec *parts, int count) {
    int fd = open("../../doorbell", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t written = writev(fd, parts, count);
    (void)written; // full: the service is busy with rings, and checks all jobs anyway
    (void)close(fd);
}
