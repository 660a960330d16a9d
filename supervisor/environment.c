#include "environment.h"

#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

enum { ENVIRONMENT_BYTES = 65536 };

static int open_environment(pid_t thread, const struct user *user);

enum holding environment_holds(pid_t thread, const char *variable, const struct user *user) {
    static SCRATCH char text[ENVIRONMENT_BYTES + 1]; // begins with a NUL, like the end of a previous variable
    size_t length = strlen(variable) + 1; // with the NUL at its end, so that the whole variable is compared
    int fd = open_environment(thread, user);
    if (fd < 0) return errno == EACCES || errno == EPERM ? HOLDING_IS_HIDDEN : HOLDS_NOT;
    bool is_found = false;
    text[0] = '\0';
    size_t kept = 1;
    for (ssize_t got; !is_found && (got = read(fd, text + kept, sizeof text - kept)) > 0;) {
        size_t filled = kept + (size_t)got;
        for (char *at = text; !is_found && (at = memmem(at, filled - (size_t)(at - text), variable, length)) != NULL; at++) {
            is_found = at > text && at[-1] == '\0';
        }
        kept = filled < length + 1 ? filled : length + 1; // a variable may lie across two reads
        memmove(text, text + filled - kept, kept);
    }
    (void)close(fd);
    return is_found ? HOLDS : HOLDS_NOT;
}

/**
 * Without CAP_SYS_PTRACE, which engines do not give to containers, root may not read the environment of another user's process, but that
 * user may.
 */
static int open_environment(pid_t thread, const struct user *user) {
    char path[32];
    if (snprintf(path, sizeof path, "/proc/%d/environ", (int)thread) < 0) return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 || user == NULL) return fd;
    (void)setfsgid(user->groups[0]); // setfsgid and setfsuid do not report failure; then the open below fails like the one above
    (void)setfsuid(user->uid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = errno;
    (void)setfsuid(geteuid());
    (void)setfsgid(getegid());
    errno = error;
    return fd;
}
