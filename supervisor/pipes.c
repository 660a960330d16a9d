#include "pipes.h"

#include "clock.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FIRST_ROOM = 64, MAX_READY = 64, MAX_RESTING = 16 };
// Measured: a pipe of 1 MiB moves much output a quarter faster than one of 64 KiB. But the kernel allows a user 64 MiB of pipes in all
// (pipe(7), pipe-user-pages-soft), so only pipes that prove busy are enlarged.
enum { BUSY_BYTES = 1 << 20, BUSY_NS = 20 * NS_PER_MS };
// A piece after a longer gap is read at once, and the pipe does not rest, so occasional writes are not delayed.
enum { REST_NS = NS_PER_MS, GAP_NS = 4 * NS_PER_MS, SMALL_BYTES = 1 << 16 };

static struct pipes {
    struct pipe first_table[FIRST_ROOM]; // most jobs never need more
    struct pipe *table;                  // indexed by descriptor
    size_t room;
    unsigned count;
    int epoll;                  // -1: no pipe was added yet
    int resting[MAX_RESTING]; // descriptors that epoll does not report
    unsigned resting_count;
    int64_t rest_until;
} state;

static bool watch(int fd);
static void check_if_busy(struct pipe *pipe, int64_t now);
static void rest(struct pipe *pipe, int64_t now);
static bool listen_to(int fd, uint32_t events);
static void forget(int fd);
static int make_room(size_t wanted);

void pipes_open(void) {
    state = (struct pipes){.table = state.first_table, .room = FIRST_ROOM, .epoll = -1, .rest_until = NEVER};
}

void pipes_close(void) {
    for (struct pipe *pipe = NULL; (pipe = pipes_next(pipe)) != NULL;) pipes_remove(pipe);
    if (state.epoll >= 0) (void)close(state.epoll);
    if (state.table != state.first_table) free(state.table);
    pipes_open();
}

int pipes_descriptor(void) {
    return state.epoll;
}

int pipes_add(uint32_t step, int output, int error) {
    if (state.epoll < 0) state.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (state.epoll < 0) return errno;
    int reason = make_room((size_t)(output > error ? output : error) + 1);
    if (reason != 0) return reason;
    if (!watch(output)) return errno;
    if (error >= 0 && !watch(error)) {
        reason = errno;
        forget(output);
        return reason;
    }
    state.table[output] = (struct pipe){.fd = output, .step = step, .stream = STREAM_STDOUT};
    state.count += 1;
    if (error < 0) return 0;
    state.table[error] = (struct pipe){.fd = error, .step = step, .stream = STREAM_STDERR};
    state.count += 1;
    return 0;
}

void pipes_remove(struct pipe *pipe) {
    for (unsigned i = 0; pipe->is_resting && i < state.resting_count; i++) {
        if (state.resting[i] == pipe->fd) state.resting[i--] = state.resting[--state.resting_count];
    }
    forget(pipe->fd);
    (void)close(pipe->fd);
    pipe->step = 0;
    state.count--;
}

unsigned pipes_count(void) {
    return state.count;
}

size_t pipes_waiting(const struct pipe *pipe) {
    int bytes = 0;
    return ioctl(pipe->fd, FIONREAD, &bytes) != 0 || bytes < 0 ? 0 : (size_t)bytes;
}

size_t pipes_discard(const struct pipe *pipe) {
    static SCRATCH char nowhere[4096];
    size_t discarded = 0;
    for (size_t rest = pipes_waiting(pipe); rest > discarded;) {
        ssize_t got = read(pipe->fd, nowhere, rest - discarded < sizeof nowhere ? rest - discarded : sizeof nowhere);
        if (got <= 0) break;
        discarded += (size_t)got;
    }
    return discarded;
}

unsigned pipes_ready(struct pipe **ready, unsigned wanted) {
    struct epoll_event events[MAX_READY];
    int found = epoll_wait(state.epoll, events, (int)(wanted < MAX_READY ? wanted : MAX_READY), 0);
    for (int i = 0; i < found; i++) ready[i] = &state.table[events[i].data.fd];
    return found < 0 ? 0 : (unsigned)found;
}

struct pipe *pipes_next(struct pipe *pipe) {
    for (size_t i = pipe == NULL ? 0 : (size_t)(pipe - state.table) + 1; state.count > 0 && i < state.room; i++) {
        if (state.table[i].step != 0) return &state.table[i];
    }
    return NULL;
}

void pipes_note_moved(struct pipe *pipe, size_t bytes, int64_t now) {
    bool follows = now - pipe->last_at < GAP_NS;
    pipe->last_at = now;
    pipe->burst += bytes;
    if (!pipe->is_busy) check_if_busy(pipe, now);
    else if (pipe->is_large && bytes < SMALL_BYTES && follows && now >= pipe->burst_at) rest(pipe, now);
}

static void check_if_busy(struct pipe *pipe, int64_t now) {
    if (pipe->burst < BUSY_BYTES) return;
    pipe->is_busy = now - pipe->burst_at < BUSY_NS;
    pipe->burst = 0;
    pipe->burst_at = now;
    // EPERM: the user's budget is spent; the pipe keeps its size.
    if (pipe->is_busy) pipe->is_large = fcntl(pipe->fd, F_SETPIPE_SZ, BUSY_BYTES) >= BUSY_BYTES;
}

/** All resting pipes rest until the same time, so only one timer is needed. */
static void rest(struct pipe *pipe, int64_t now) {
    if (pipe->is_resting || state.resting_count == MAX_RESTING || !listen_to(pipe->fd, 0)) return;
    if (state.resting_count == 0) state.rest_until = now + REST_NS;
    state.resting[state.resting_count++] = pipe->fd;
    pipe->is_resting = true;
    pipe->burst = 0;
}

int64_t pipes_rest_until(void) {
    return state.resting_count == 0 ? NEVER : state.rest_until;
}

void pipes_end_rest(int64_t now) {
    unsigned kept = 0;
    for (unsigned i = 0; i < state.resting_count; i++) {
        struct pipe *pipe = &state.table[state.resting[i]];
        // Much output in a short time: a writer that is this fast would have to wait for room.
        if (pipe->burst > BUSY_BYTES / 2) pipe->burst_at = now + BUSY_NS;
        pipe->is_resting = pipe->burst > 0 && now >= pipe->burst_at;
        pipe->burst = 0;
        if (pipe->is_resting) state.resting[kept++] = pipe->fd;
        else (void)listen_to(pipe->fd, EPOLLIN); // cannot fail, because the descriptor was added
    }
    state.resting_count = kept;
    state.rest_until = now + REST_NS;
}

unsigned pipes_resting(struct pipe **resting, unsigned wanted) {
    unsigned found = state.resting_count < wanted ? state.resting_count : wanted;
    for (unsigned i = 0; i < found; i++) resting[i] = &state.table[state.resting[i]];
    return found;
}

/** The pipe's end is reported for all values of events (epoll_ctl(2), EPOLLHUP). */
static bool listen_to(int fd, uint32_t events) {
    return epoll_ctl(state.epoll, EPOLL_CTL_MOD, fd, &(struct epoll_event){.events = events, .data.fd = fd}) == 0;
}

static bool watch(int fd) {
    return epoll_ctl(state.epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd}) == 0;
}

/** Closing is not enough (epoll(7)): a child that has not executed its command yet also has the descriptor. */
static void forget(int fd) {
    (void)epoll_ctl(state.epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int make_room(size_t wanted) {
    if (wanted <= state.room) return 0;
    size_t bigger = state.room;
    while (bigger < wanted) bigger *= 2;
    struct pipe *grown = calloc(bigger, sizeof *grown);
    if (grown == NULL) return ENOMEM;
    memcpy(grown, state.table, state.room * sizeof *state.table);
    if (state.table != state.first_table) free(state.table);
    state.table = grown;
    state.room = bigger;
    return 0;
}
