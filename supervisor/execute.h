#ifndef JOBRUNNER_EXECUTE_H
#define JOBRUNNER_EXECUTE_H

#include "plan.h"

#include <limits.h>

/** Executing a command of the plan: its arguments, its variables, and which program it is. */

enum { FEW_POINTERS = 96 };

/** Everything that execute() needs, so that a process that shares its parent's memory need not allocate any. */
struct execution {
    char **arguments; // the entry before the first is free, for the shell that runs a script without "#!"
    char **variables;
    const char *path; // the step's PATH
    char **more;      // allocated if there are many pointers; otherwise NULL
    char *few[FEW_POINTERS];
    char file[PATH_MAX]; // last, because usually little of it is touched
};

/**
 * Prepares the command, with the step's variables, and with `more` as last argument unless it is NULL. The result points into the plan and
 * into itself. Returns 0, or an errno: then execute_forget need not be called.
 */
int execute_prepare(struct execution *execution, const struct plan *plan, const struct plan_step *step, enum command command, char *more);

/** Frees the memory. Call when the command is executed or has failed. */
void execute_forget(struct execution *execution);

/** What is missing or cannot be executed: the program, or its interpreter. */
enum execute_failure { EXECUTE_PROGRAM, EXECUTE_INTERPRETER };

/**
 * Executes the command. The program is found as by execvp(3), with the step's PATH. Returns only on failure, with the errno in *error. It
 * makes only system calls, by kernel.h.
 */
enum execute_failure execute(struct execution *execution, int *error);

#endif
