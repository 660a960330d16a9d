#include "pipes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FIRST_ROOM = 64, MAX_READY = 64 };

static struct pipes {
    struct pipe first_table[FIRST_ROOM]; // most jobs never need more
    struct pipe *table;                  // by descriptor
    size_t room;
    unsigned count;
    int epoll; // -1: no pipe was added yet
} state;

static bool watch(int fd);
static void forget(int fd);
static int make_room(size_t wanted);

void pipes_open(void) {
    state = (struct pipes){.table = state.first_table, .room = FIRST_ROOM, .epoll = -1};
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
    if (!watch(error)) {
        reason = errno;
        forget(output);
        return reason;
    }
    state.table[output] = (struct pipe){.fd = output, .step = step, .stream = STREAM_STDOUT};
    state.table[error] = (struct pipe){.fd = error, .step = step, .stream = STREAM_STDERR};
    state.count += 2;
    return 0;
}

void pipes_remove(struct pipe *pipe) {
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

static bool watch(int fd) {
    return epoll_ctl(state.epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd}) == 0;
}

/** To be closed alone is not enough (epoll(7)): a child that has not executed its command yet has it too. */
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
