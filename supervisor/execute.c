#include "execute.h"

#include "kernel.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static char shell[] = "/bin/sh";

static const char *find_path(char **variables);
static enum execute_failure execute_found(struct execution *execution, int *error);
static bool name_file(struct execution *execution, const char *folder, size_t length);
static enum execute_failure execute_file(const struct execution *execution, char *file, int *error);
static int check(const char *file, int mode);

int execute_prepare(struct execution *execution, const struct plan *plan, const struct plan_step *step, enum command command, char *more) {
    // One entry in front is for the shell that runs a script without "#!", two at the end are for `more` and NULL.
    size_t given = plan_arguments(step, command), room = given + 3, variables = plan->variables + step->variables + 1;
    execution->more = room + variables <= FEW_POINTERS ? NULL : calloc(room + variables, sizeof *execution->more);
    if (execution->more == NULL && room + variables > FEW_POINTERS) return ENOMEM;
    char **vectors = execution->more == NULL ? execution->few : execution->more;
    execution->arguments = vectors + 1;
    execution->variables = vectors + room;
    plan_vectors(plan, step, command, execution->arguments, execution->variables);
    execution->arguments[given] = more;
    execution->arguments[given + 1] = NULL;
    execution->path = find_path(execution->variables);
    return 0;
}

void execute_forget(struct execution *execution) {
    free(execution->more);
    execution->more = NULL;
}

static const char *find_path(char **variables) {
    static const char key[] = "PATH=";
    for (; *variables != NULL; variables++) {
        if (strncmp(*variables, key, sizeof key - 1) == 0) return *variables + sizeof key - 1;
    }
    return "/bin:/usr/bin";
}

enum execute_failure execute(struct execution *execution, int *error) {
    char *name = execution->arguments[0];
    return strchr(name, '/') == NULL ? execute_found(execution, error) : execute_file(execution, name, error);
}

/**
 * As by execvp(3): folders without such a program, or with one that may not be executed, are skipped; any other failure is final. An empty
 * element of PATH is the working directory. access(2) costs a tenth of execve(2) and fails for the same reasons, so it comes first.
 */
static enum execute_failure execute_found(struct execution *execution, int *error) {
    enum execute_failure failure = EXECUTE_PROGRAM;
    bool is_denied = false;
    *error = ENAMETOOLONG;
    if (strlen(execution->arguments[0]) > NAME_MAX) return EXECUTE_PROGRAM;
    for (const char *folder = execution->path;; folder++) {
        size_t length = strcspn(folder, ":");
        *error = name_file(execution, folder, length) ? check(execution->file, X_OK) : ENOENT;
        if (*error == 0) {
            enum execute_failure found = execute_file(execution, execution->file, error);
            if (found == EXECUTE_INTERPRETER) failure = found;
        }
        if (*error != ENOENT && *error != ENOTDIR && *error != EACCES) return EXECUTE_PROGRAM;
        is_denied = is_denied || *error == EACCES;
        folder += length;
        if (*folder == '\0') break;
    }
    *error = is_denied ? EACCES : ENOENT;
    return is_denied ? EXECUTE_PROGRAM : failure;
}

/** Returns false if the program has no name, or the path is too long. */
static bool name_file(struct execution *execution, const char *folder, size_t length) {
    const char *name = execution->arguments[0];
    size_t rest = strlen(name) + 1;
    if (length == 0) {
        folder = ".";
        length = 1;
    }
    if (*name == '\0' || length + 1 + rest > sizeof execution->file) return false;
    memcpy(execution->file, folder, length);
    execution->file[length] = '/';
    memcpy(execution->file + length + 1, name, rest);
    return true;
}

static enum execute_failure execute_file(const struct execution *execution, char *file, int *error) {
    char **arguments = execution->arguments;
    *error = -(int)KERNEL(SYS_execve, (long)file, (long)arguments, (long)execution->variables);
    if (*error == ENOEXEC) {
        char *name = arguments[0];
        arguments[-1] = shell;
        arguments[0] = file;
        (void)KERNEL(SYS_execve, (long)shell, (long)(arguments - 1), (long)execution->variables);
        arguments[0] = name;
        return EXECUTE_PROGRAM;
    }
    bool is_there = (*error == ENOENT || *error == ENOTDIR) && check(file, F_OK) == 0;
    return is_there ? EXECUTE_INTERPRETER : EXECUTE_PROGRAM;
}

/** access(2). Returns 0 or an errno. */
static int check(const char *file, int mode) {
    return -(int)KERNEL(SYS_faccessat, AT_FDCWD, (long)file, mode);
}
