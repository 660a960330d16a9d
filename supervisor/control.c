#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 32 };

/** The bytes of the next line that have arrived. */
static struct line {
    char text[LINE_BYTES];
    size_t length; // LINE_BYTES: too long for a known request
} line;

int control_open(void) {
    line = (struct line){0};
    if (mkfifo("control", 0600) != 0 && errno != EEXIST) return -1;
    // Opened for reading and writing, so that it never reaches end of file when a writer closes it (fifo(7)).
    return open("control", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

enum request control_read(int fd) {
    for (char character; read(fd, &character, 1) == 1;) {
        if (character != '\n') {
            if (line.length < LINE_BYTES) line.text[line.length++] = character;
            continue;
        }
        size_t whole = line.length;
        line.length = 0;
        if (whole == strlen("terminate") && memcmp(line.text, "terminate", whole) == 0) return REQUEST_TERMINATE;
        if (whole == strlen("kill") && memcmp(line.text, "kill", whole) == 0) return REQUEST_KILL;
    }
    return REQUEST_NONE;
}
