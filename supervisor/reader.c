#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

int wait_until_unread(void) {
    // No events are requested, because errors and hang-ups are always reported (poll(2)), for pipes and for sockets.
    struct pollfd ends[] = {{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}};
    while (poll(ends, 2, -1) < 0) {
        if (errno != EINTR && errno != EAGAIN) return 1;
    }
    return ends[1].revents != 0 && ends[0].revents == 0 ? 0 : 1;
}
