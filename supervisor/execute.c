#include "execute.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char shell[] = "/bin/sh";

static enum execute_failure execute_found(char **arguments);
static enum execute_failure execute_file(char *file, char **arguments);

enum execute_failure execute(const struct plan *plan, const struct plan_step *step, enum command command, char *more) {
    // One in front is for the shell that runs a script without "#!", two at the end for the argument and NULL.
    size_t given = plan_arguments(step, command), room = given + 3, variables = plan->variables + step->variables + 1;
    char **vectors = calloc(room + variables, sizeof *vectors);
    if (vectors == NULL) return EXECUTE_PROGRAM;
    char **arguments = vectors + 1;
    plan_vectors(plan, step, command, arguments, vectors + room);
    arguments[given] = more;
    environ = vectors + room; // PATH is the step's
    return strchr(arguments[0], '/') == NULL ? execute_found(arguments) : execute_file(arguments[0], arguments);
}

/**
 * By execvp(3): a folder in which there is no such program, or none that may be executed, is passed over, and any other failure is final. An empty
 * element of PATH is the working directory. A look first costs a tenth of a try, and fails for the same reasons.
 */
static enum execute_failure execute_found(char **arguments) {
    const char *folder = getenv("PATH");
    enum execute_failure failure = EXECUTE_PROGRAM;
    bool is_denied = false;
    if (strlen(arguments[0]) > NAME_MAX) {
        errno = ENAMETOOLONG;
        return EXECUTE_PROGRAM;
    }
    if (folder == NULL) folder = "/bin:/usr/bin";
    for (;; folder++) {
        char file[PATH_MAX];
        int length = (int)strcspn(folder, ":");
        int filled = snprintf(file, sizeof file, "%.*s/%s", length > 0 ? length : 1, length > 0 ? folder : ".", arguments[0]);
        errno = ENOENT; // of a folder that is too long to be one
        if (filled > 0 && (size_t)filled < sizeof file && *arguments[0] != '\0' && access(file, X_OK) == 0) {
            enum execute_failure found = execute_file(file, arguments);
            if (found == EXECUTE_INTERPRETER) failure = found;
        }
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return EXECUTE_PROGRAM;
        is_denied = is_denied || errno == EACCES;
        folder += length;
        if (*folder == '\0') break;
    }
    errno = is_denied ? EACCES : ENOENT;
    return is_denied ? EXECUTE_PROGRAM : failure;
}

static enum execute_failure execute_file(char *file, char **arguments) {
    (void)execv(file, arguments);
    int reason = errno;
    if (reason == ENOEXEC) {
        char *name = arguments[0];
        arguments[-1] = shell;
        arguments[0] = file;
        (void)execv(shell, arguments - 1);
        arguments[0] = name;
        errno = reason;
        return EXECUTE_PROGRAM;
    }
    bool is_there = (reason == ENOENT || reason == ENOTDIR) && access(file, F_OK) == 0;
    errno = reason;
    return is_there ? EXECUTE_INTERPRETER : EXECUTE_PROGRAM;
}
