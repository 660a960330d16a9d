#include "output.h"

#include "clock.h"
#include "formats.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Measured: a pipe of 1 MiB moves a flood a quarter faster than one of 64 KiB, but the kernel grants a user 64 MiB of pipes in all
// (pipe(7), pipe-user-pages-soft): so only those that come full again and again are enlarged.
enum { FULL_BYTES = 65536, BUSY_BYTES = 1 << 20, FULL_READS_OF_A_BUSY_PIPE = 2 };
enum { COPY_BYTES = 65536, INDEX_RESERVE_BYTES = 4096, RETRY_MS = 200 };

struct pipe {
    int fd; // -1: at its end
    uint32_t step;
    uint8_t stream;
    bool is_enlarged;
    uint8_t full_reads;
};

struct record {
    uint64_t end;
    int64_t time;
    uint64_t lost;
    uint32_t step;
    uint8_t stream;
    uint8_t zero[3];
};
_Static_assert(sizeof(struct record) == INDEX_RECORD_BYTES, "drawn in formats.h");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "index records are little endian");

static struct pipe pipes[MAX_PIPES];
static unsigned pipe_count;
static int output_fd = -1;
static int index_fd = -1;
static int64_t output_end, index_end, index_reserved;
static uint64_t lost_bytes, step_bytes;
static uint32_t current_step;
static int64_t last_at;
static int64_t retry_at = NEVER;
static bool is_blocked;

static struct record unwritten; // a record that the disk refused; nothing is moved before it is written
static bool has_unwritten;

static bool cannot_splice;
static char copied[COPY_BYTES]; // read and not yet written; touched only where splice does not work
static size_t copied_from, copied_to;
static const struct pipe *copied_of;

static size_t move(struct pipe *pipe, size_t limit);
static ssize_t transfer(struct pipe *pipe, size_t limit);
static ssize_t copy(struct pipe *pipe, size_t limit);
static void drain(struct pipe *pipe);
static void discard(struct pipe *pipe);
static void note(struct pipe *pipe, size_t moved);
static void record(const struct pipe *pipe, uint64_t lost);
static bool write_record(void);
static bool reserve_index(void);
static bool enlarge(struct pipe *pipe, size_t moved);
static void block(void);
static void close_pipe(struct pipe *pipe);
static void forget_closed(void);
static size_t waiting_in(const struct pipe *pipe);

int output_open(void) {
    output_fd = open("output", O_WRONLY | O_CREAT | O_CLOEXEC, 0600); // not O_APPEND: splice(2) refuses that
    index_fd = open("index", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (output_fd < 0 || index_fd < 0) return errno;
    return reserve_index() ? 0 : errno;
}

bool output_add_pipe(int fd, uint32_t step, enum stream stream) {
    if (pipe_count == MAX_PIPES) return false;
    pipes[pipe_count++] = (struct pipe){.fd = fd, .step = step, .stream = (uint8_t)stream};
    if (step != current_step) step_bytes = 0;
    current_step = step;
    return true;
}

unsigned output_poll(struct pollfd *entries) {
    if (is_blocked) return 0;
    for (unsigned i = 0; i < pipe_count; i++) entries[i] = (struct pollfd){.fd = pipes[i].fd, .events = POLLIN};
    return pipe_count;
}

void output_handle(const struct pollfd *entries, unsigned count) {
    for (unsigned i = 0; i < count && !is_blocked; i++) {
        if (entries[i].revents != 0) (void)move(&pipes[i], BUSY_BYTES);
    }
    forget_closed();
}

void output_drain(uint32_t step) {
    for (unsigned i = 0; i < pipe_count && !is_blocked; i++) {
        if (step == 0 || pipes[i].step == step) drain(&pipes[i]);
    }
    forget_closed();
}

void output_retry(void) {
    if (!is_blocked || clock_ns() < retry_at) return;
    is_blocked = false;
    retry_at = NEVER;
    output_drain(0);
    last_at = clock_ns(); // a job that could not write was not idle
}

void output_give_up(void) {
    for (unsigned i = 0; i < pipe_count; i++) discard(&pipes[i]);
    forget_closed();
    has_unwritten = false;
    is_blocked = false;
    retry_at = NEVER;
}

void output_close_pipes(void) {
    for (unsigned i = 0; i < pipe_count; i++) close_pipe(&pipes[i]);
    forget_closed();
}

/** As much as is there now: a process that writes on and on does not keep us. */
static void drain(struct pipe *pipe) {
    size_t rest = waiting_in(pipe);
    do {
        size_t moved = move(pipe, rest > 0 ? rest : 1);
        if (moved == 0) return; // empty, ended or blocked
        rest = moved < rest ? rest - moved : 0;
    } while (rest > 0);
}

/** Moves at most so much and records it. Returns how much; 0: nothing is there, the pipe is at its end, or the disk refuses. */
static size_t move(struct pipe *pipe, size_t limit) {
    if (pipe->fd < 0) return 0;
    if (!write_record() || !reserve_index()) {
        block();
        return 0;
    }
    ssize_t moved = transfer(pipe, limit);
    if (moved > 0) {
        note(pipe, (size_t)moved);
        return (size_t)moved;
    }
    if (moved == 0) close_pipe(pipe);
    else if (errno != EAGAIN && errno != EINTR) block();
    return 0;
}

/** Like read(2) from the pipe, into the file. */
static ssize_t transfer(struct pipe *pipe, size_t limit) {
    if (!cannot_splice) {
        loff_t at = output_end;
        ssize_t moved = splice(pipe->fd, NULL, output_fd, &at, limit, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (moved >= 0 || (errno != EINVAL && errno != ENOSYS)) return moved;
        cannot_splice = true; // a file system without it (splice(2))
    }
    return copy(pipe, limit);
}

static ssize_t copy(struct pipe *pipe, size_t limit) {
    if (copied_from == copied_to) {
        if (waiting_in(pipe) == 0) { // the pipe's reading end blocks, and only a pipe at its end may be read when empty
            struct pollfd entry = {.fd = pipe->fd, .events = POLLIN};
            if (poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) == 0 && (entry.revents & POLLHUP) != 0) return 0;
            errno = EAGAIN;
            return -1;
        }
        ssize_t got = read(pipe->fd, copied, limit < sizeof copied ? limit : sizeof copied);
        if (got <= 0) return got;
        copied_from = 0;
        copied_to = (size_t)got;
        copied_of = pipe;
    }
    ssize_t written = pwrite(output_fd, copied + copied_from, copied_to - copied_from, output_end);
    if (written > 0) copied_from += (size_t)written;
    return written == 0 ? (errno = ENOSPC, -1) : written;
}

static void note(struct pipe *pipe, size_t moved) {
    output_end += (int64_t)moved;
    if (pipe->step == current_step) step_bytes += moved;
    last_at = clock_ns();
    record(pipe, 0);
    if (!pipe->is_enlarged) pipe->is_enlarged = enlarge(pipe, moved);
}

static bool enlarge(struct pipe *pipe, size_t moved) {
    pipe->full_reads = moved >= FULL_BYTES ? (uint8_t)(pipe->full_reads + 1) : 0;
    if (pipe->full_reads < FULL_READS_OF_A_BUSY_PIPE) return false;
    (void)fcntl(pipe->fd, F_SETPIPE_SZ, BUSY_BYTES); // EPERM: the user's budget is spent, it works without
    return true;
}

static void record(const struct pipe *pipe, uint64_t lost) {
    unwritten = (struct record){
        .end = (uint64_t)output_end, .time = wall_ns(), .lost = lost, .step = pipe->step, .stream = pipe->stream};
    has_unwritten = true;
    if (!write_record()) block();
}

/** A record of which the disk took a part only is written again from its beginning. */
static bool write_record(void) {
    if (!has_unwritten) return true;
    if (pwrite(index_fd, &unwritten, sizeof unwritten, index_end) != (ssize_t)sizeof unwritten) return false;
    index_end += INDEX_RECORD_BYTES;
    has_unwritten = false;
    return true;
}

/** Before bytes are moved there is room for their record and for one of a gap: no byte is ever without. */
static bool reserve_index(void) {
    if (index_end + 2 * INDEX_RECORD_BYTES <= index_reserved) return true;
    if (fallocate(index_fd, FALLOC_FL_KEEP_SIZE, index_reserved, INDEX_RESERVE_BYTES) == 0) {
        index_reserved += INDEX_RESERVE_BYTES;
        return true;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
    index_reserved = INT64_MAX; // a file system that cannot promise
    return true;
}

static void block(void) {
    is_blocked = true;
    retry_at = clock_ns() + (int64_t)RETRY_MS * NS_PER_MS;
}

static void discard(struct pipe *pipe) {
    static char nowhere[4096];
    uint64_t lost = 0;
    if (copied_of == pipe) {
        lost = copied_to - copied_from;
        copied_from = copied_to = 0;
    }
    (void)write_record();
    for (size_t rest = waiting_in(pipe); rest > 0;) {
        ssize_t got = read(pipe->fd, nowhere, rest < sizeof nowhere ? rest : sizeof nowhere);
        if (got <= 0) break;
        lost += (uint64_t)got;
        rest -= (size_t)got;
    }
    lost_bytes += lost;
    if (lost > 0) record(pipe, lost);
    close_pipe(pipe);
}

static size_t waiting_in(const struct pipe *pipe) {
    int bytes = 0;
    if (pipe->fd < 0 || ioctl(pipe->fd, FIONREAD, &bytes) != 0 || bytes < 0) return 0;
    return (size_t)bytes;
}

static void close_pipe(struct pipe *pipe) {
    if (pipe->fd >= 0) (void)close(pipe->fd);
    pipe->fd = -1;
}

static void forget_closed(void) {
    unsigned kept = 0;
    for (unsigned i = 0; i < pipe_count; i++) {
        if (pipes[i].fd >= 0) pipes[kept++] = pipes[i];
    }
    pipe_count = kept;
}

bool output_is_blocked(void) {
    return is_blocked;
}

int64_t output_retry_at(void) {
    return retry_at;
}

uint64_t output_bytes(void) {
    return (uint64_t)output_end;
}

uint64_t output_lost_bytes(void) {
    return lost_bytes;
}

uint64_t output_step_bytes(void) {
    return step_bytes;
}

int64_t output_last_at(void) {
    return last_at;
}
