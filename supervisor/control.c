#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 32, LAST_SIGNAL = 64 };

/** The bytes of the next line that have arrived. */
static struct line {
    char text[LINE_BYTES];
    size_t length; // LINE_BYTES: too long for a known request
} line;

static int signal_of(const char *text, size_t length);

int control_open(void) {
    line = (struct line){0};
    if (mkfifo("control", 0600) != 0 && errno != EEXIST) return -1;
    // Opened for reading and writing, so that it never reaches end of file when a writer closes it (fifo(7)).
    return open("control", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

struct request control_read(int fd) {
    for (char character; read(fd, &character, 1) == 1;) {
        if (character != '\n') {
            if (line.length < LINE_BYTES) line.text[line.length++] = character;
            continue;
        }
        size_t whole = line.length;
        line.length = 0;
        if (whole == strlen("terminate") && memcmp(line.text, "terminate", whole) == 0) return (struct request){.kind = REQUEST_TERMINATE};
        if (whole == strlen("kill") && memcmp(line.text, "kill", whole) == 0) return (struct request){.kind = REQUEST_KILL};
        int signal = signal_of(line.text, whole);
        if (signal != 0) return (struct request){REQUEST_SIGNAL, signal};
    }
    return (struct request){.kind = REQUEST_NONE};
}

/** The number of a line "signal <number>"; 0: the line is another. */
static int signal_of(const char *text, size_t length) {
    static const char word[] = "signal ";
    size_t word_length = sizeof word - 1;
    if (length <= word_length || length > word_length + 2 || memcmp(text, word, word_length) != 0) return 0;
    int number = 0;
    for (size_t i = word_length; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return 0;
        number = number * 10 + (text[i] - '0');
    }
    return number <= LAST_SIGNAL ? number : 0;
}
