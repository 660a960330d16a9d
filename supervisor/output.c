#include "output.h"

#include "clock.h"
#include "index.h"
#include "mask.h"
#include "pipes.h"
#include "scratch.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

// Measured: writes of 128 KiB are faster than splice(2), which gives the file one page at a time.
enum { COPY_BYTES = 1 << 17, MOST_BYTES = 1 << 20, RETRY_MS = 200 };
enum { READY_AT_ONCE = 16 };

static struct output {
    int fd;
    int64_t end; // of the file
    uint64_t lost_bytes;
    uint64_t step_bytes;
    uint32_t step; // the last one that has started; step_bytes counts its bytes
    int64_t last_at;
    int64_t retry_at;     // NEVER: the disk accepts output
    struct masked copied; // read and not yet written
    struct pipe copied_of;
} state;

// Only `copied` refers to it. A job that writes little touches little of it. A job with secrets reads into mask.c's buffer instead.
static SCRATCH char buffer[COPY_BYTES];

static void forget_buffer(void);
static size_t move(struct pipe *pipe, size_t limit);
static ssize_t receive(struct pipe *pipe, size_t limit);
static bool write_copied(void);
static void move_most(struct pipe *pipe);
static void drain_resting(void);
static void drain(struct pipe *pipe);
static void note(const struct pipe *pipe, size_t moved);
static void lose(const struct pipe *pipe, uint64_t bytes);
static void abandon(struct pipe *pipe, int error);
static void block(void);
static void end_pipe(struct pipe *pipe);

int output_open(const struct plan *plan) {
    state = (struct output){.fd = open("output", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), .retry_at = NEVER};
    if (state.fd < 0) return errno;
    pipes_open();
    int error = index_open();
    return error != 0 ? error : mask_open(plan, COPY_BYTES);
}

void output_close(void) {
    pipes_close();
    mask_close();
    index_close();
    if (state.fd >= 0) (void)close(state.fd);
    state.fd = -1;
    forget_buffer();
}

/** Gives the buffer's memory back, except its beginning, which the next job touches anyway. */
static void forget_buffer(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), kept = page - (uintptr_t)buffer % page;
    if (state.end > (int64_t)kept) (void)madvise(buffer + kept, (COPY_BYTES - kept) / page * page, MADV_DONTNEED);
}

int output_add_pipes(uint32_t step, int output, int error) {
    // The flag affects only our ends: the job's ends are other open file descriptions.
    if (fcntl(output, F_SETFL, O_NONBLOCK) != 0) return errno;
    if (error >= 0 && fcntl(error, F_SETFL, O_NONBLOCK) != 0) return errno;
    int reason = pipes_add(step, output, error);
    if (reason != 0) return reason;
    state.step = step;
    state.step_bytes = 0;
    return 0;
}

int output_descriptor(void) {
    return output_is_blocked() ? -1 : pipes_descriptor();
}

void output_handle(void) {
    struct pipe *ready[READY_AT_ONCE];
    drain_resting(); // their bytes were written before those that are found now
    unsigned count = pipes_ready(ready, READY_AT_ONCE);
    for (unsigned i = 0; i < count; i++) move_most(ready[i]);
}

bool output_is_open(void) {
    return pipes_count() > 0;
}

void output_drain(uint32_t step) {
    for (struct pipe *pipe = NULL; !output_is_blocked() && (pipe = pipes_next(pipe)) != NULL;) {
        if (step == 0 || pipe->step == step) drain(pipe);
    }
}

void output_go_on(void) {
    if (output_due_at() == NEVER || clock_ns() < output_due_at()) return;
    if (!output_is_blocked()) {
        drain_resting();
        pipes_end_rest(clock_ns());
        return;
    }
    state.retry_at = NEVER;
    output_drain(0);
    state.last_at = clock_ns(); // a job that could not write was not idle
}

void output_give_up(void) {
    lose(&state.copied_of, state.copied.length);
    state.copied.length = 0;
    for (struct pipe *pipe = NULL; (pipe = pipes_next(pipe)) != NULL;) {
        size_t discarded = pipes_discard(pipe);
        lose(pipe, discarded + pipes_waiting(pipe) + mask_held(&pipe->mask)); // waiting: bytes that could not be read
        pipes_remove(pipe);
    }
    state.retry_at = NEVER;
}

void output_close_pipes(void) {
    for (struct pipe *pipe = NULL; !output_is_blocked() && (pipe = pipes_next(pipe)) != NULL;) end_pipe(pipe);
}

/** Moves at most what a large pipe can hold, so that bytes that arrive later in another pipe are recorded later. */
static void move_most(struct pipe *pipe) {
    for (size_t moved = COPY_BYTES, all = 0; moved == COPY_BYTES && all < MOST_BYTES
        && !output_is_blocked(); all += moved) moved = move(pipe, COPY_BYTES);
}

static void drain_resting(void) {
    struct pipe *resting[READY_AT_ONCE];
    unsigned count = pipes_resting(resting, READY_AT_ONCE);
    for (unsigned i = 0; i < count && !output_is_blocked(); i++) drain(resting[i]);
}

/** Moves what is in the pipe now. A process that writes without end does not block this. */
static void drain(struct pipe *pipe) {
    size_t rest = pipes_waiting(pipe);
    do {
        size_t moved = move(pipe, rest > 0 ? rest : 1);
        if (moved == 0) return; // empty, ended or blocked
        rest = moved < rest ? rest - moved : 0;
    } while (rest > 0);
    if (mask_held(&pipe->mask) > 0) (void)move(pipe, 1); // at the pipe's end, the bytes held back are decided
}

/**
 * Moves at most `limit` bytes into the file and records them. Returns how many; 0: the pipe is empty, at its end or unreadable, or the disk
 * refuses.
 */
static size_t move(struct pipe *pipe, size_t limit) {
    if (!index_is_ready() || !write_copied()) {
        block();
        return 0;
    }
    ssize_t got = receive(pipe, limit < COPY_BYTES ? limit : COPY_BYTES);
    if (got == 0) end_pipe(pipe);
    else if (got < 0 && errno != EAGAIN && errno != EINTR) abandon(pipe, errno);
    if (got <= 0) return 0;
    state.copied_of = *pipe;
    if (!write_copied()) {
        block();
        return 0;
    }
    pipes_note_moved(pipe, (size_t)got, state.last_at);
    return (size_t)got;
}

/** Like read(2). Sets state.copied to the bytes that have to be written now. */
static ssize_t receive(struct pipe *pipe, size_t limit) {
    bool is_masked = mask_is_needed();
    ssize_t got = read(pipe->fd, is_masked ? mask_room(&pipe->mask) : buffer, limit);
    if (got <= 0) return got;
    state.copied = is_masked ? mask_next(&pipe->mask, (size_t)got) : (struct masked){buffer, (size_t)got};
    if (state.copied.length == 0) state.last_at = clock_ns(); // a job whose bytes are all held back is not idle
    return got;
}

/** Writes the bytes that were read and not written yet, from any pipe. Returns false if the disk refuses. */
static bool write_copied(void) {
    while (state.copied.length > 0) {
        if (!index_is_ready()) return false;
        ssize_t written = pwrite(state.fd, state.copied.bytes, state.copied.length, state.end);
        if (written <= 0) return false;
        state.copied.bytes += written;
        state.copied.length -= (size_t)written;
        note(&state.copied_of, (size_t)written);
    }
    return true;
}

static void note(const struct pipe *pipe, size_t moved) {
    state.end += (int64_t)moved;
    if (pipe->step == state.step) state.step_bytes += moved;
    state.last_at = clock_ns();
    index_add(&(struct record){.end = (uint64_t)state.end, .time = wall_ns(), .step = pipe->step, .stream = pipe->stream});
}

static void block(void) {
    state.retry_at = clock_ns() + (int64_t)RETRY_MS * NS_PER_MS;
}

static void lose(const struct pipe *pipe, uint64_t bytes) {
    if (bytes == 0) return;
    state.lost_bytes += bytes;
    struct record gap = {.end = (uint64_t)state.end, .time = wall_ns(), .lost = bytes, .step = pipe->step, .stream = pipe->stream};
    index_add(&gap);
}

/**
 * Reading this pipe failed. The pipe is closed, so that its writer does not wait for ever. The bytes that mask.c holds back may be part of
 * a secret whose rest was not read: they are lost too.
 */
static void abandon(struct pipe *pipe, int error) {
    if (!status_is_written()) { // the disk is full, and the record has to say this first
        block();
        return;
    }
    status_line("unread %u %lld %u %d\n", pipe->step, (long long)wall_ns(), pipe->stream, error);
    lose(pipe, pipes_waiting(pipe) + mask_held(&pipe->mask));
    pipes_remove(pipe);
}

/** No byte follows, so the bytes held back are no secret. The pipe stays open while the disk refuses them. */
static void end_pipe(struct pipe *pipe) {
    bool is_written = write_copied();
    if (is_written && mask_held(&pipe->mask) > 0) {
        state.copied = mask_end(&pipe->mask);
        state.copied_of = *pipe;
        is_written = write_copied();
    }
    if (is_written) pipes_remove(pipe);
    else block();
}

bool output_is_blocked(void) {
    return state.retry_at != NEVER;
}

int64_t output_due_at(void) {
    return output_is_blocked() ? state.retry_at : pipes_rest_until();
}

uint64_t output_bytes(void) {
    return (uint64_t)state.end;
}

uint64_t output_lost_bytes(void) {
    return state.lost_bytes;
}

uint64_t output_step_bytes(void) {
    return state.step_bytes;
}

int64_t output_last_at(void) {
    return state.last_at;
}
