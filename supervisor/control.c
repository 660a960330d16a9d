#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 32 };

int control_open(void) {
    if (mkfifo("control", 0600) != 0 && errno != EEXIST) return -1;
    // For both, so that it never comes to its end when a writer goes (fifo(7)).
    return open("control", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

enum order control_read(int fd) {
    static char line[LINE_BYTES];
    static size_t length; // of what is there of it; LINE_BYTES: too long to be one that we know
    for (char character; read(fd, &character, 1) == 1;) {
        if (character != '\n') {
            if (length < LINE_BYTES) line[length++] = character;
            continue;
        }
        size_t whole = length;
        length = 0;
        if (whole == strlen("terminate") && memcmp(line, "terminate", whole) == 0) return ORDER_TERMINATE;
        if (whole == strlen("kill") && memcmp(line, "kill", whole) == 0) return ORDER_KILL;
    }
    return ORDER_NONE;
}
