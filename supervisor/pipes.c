#include "pipes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { FIRST_ROOM = 64, MAX_READY = 64 };

// By descriptor. Most jobs never need more than the first room.
static struct pipe first_table[FIRST_ROOM];
static struct pipe *table = first_table;
static size_t room = FIRST_ROOM;
static unsigned count;
static int epoll = -1;

static bool watch(int fd);
static void forget(int fd);
static int make_room(size_t wanted);

int pipes_descriptor(void) {
    return epoll;
}

int pipes_add(uint32_t step, int output, int error) {
    if (epoll < 0) epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return errno;
    int reason = make_room((size_t)(output > error ? output : error) + 1);
    if (reason != 0) return reason;
    if (!watch(output)) return errno;
    if (!watch(error)) {
        reason = errno;
        forget(output);
        return reason;
    }
    table[output] = (struct pipe){.fd = output, .step = step, .stream = STREAM_STDOUT};
    table[error] = (struct pipe){.fd = error, .step = step, .stream = STREAM_STDERR};
    count += 2;
    return 0;
}

void pipes_remove(struct pipe *pipe) {
    forget(pipe->fd);
    (void)close(pipe->fd);
    pipe->step = 0;
    count--;
}

unsigned pipes_count(void) {
    return count;
}

unsigned pipes_ready(struct pipe **ready, unsigned wanted) {
    struct epoll_event events[MAX_READY];
    int found = epoll_wait(epoll, events, (int)(wanted < MAX_READY ? wanted : MAX_READY), 0);
    for (int i = 0; i < found; i++) ready[i] = &table[events[i].data.fd];
    return found < 0 ? 0 : (unsigned)found;
}

struct pipe *pipes_next(struct pipe *pipe) {
    for (size_t i = pipe == NULL ? 0 : (size_t)(pipe - table) + 1; count > 0 && i < room; i++) {
        if (table[i].step != 0) return &table[i];
    }
    return NULL;
}

static bool watch(int fd) {
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd}) == 0;
}

/** To be closed alone is not enough (epoll(7)): a child that has not executed its command yet has it too. */
static void forget(int fd) {
    (void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int make_room(size_t wanted) {
    if (wanted <= room) return 0;
    size_t bigger = room;
    while (bigger < wanted) bigger *= 2;
    struct pipe *grown = calloc(bigger, sizeof *grown);
    if (grown == NULL) return ENOMEM;
    memcpy(grown, table, room * sizeof *table);
    if (table != first_table) free(table);
    table = grown;
    room = bigger;
    return 0;
}
