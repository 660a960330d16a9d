#ifndef JOBRUNNER_EXECUTE_H
#define JOBRUNNER_EXECUTE_H

#include "plan.h"

#include <limits.h>

/** Becoming a command of the plan: its arguments, its variables, and which program that is. */

enum { FEW_POINTERS = 96 };

/** All that is needed for it, so that a process that shares its parent's memory needs to ask for none. */
struct execution {
    char **arguments; // one place before them is for the shell that runs a script without "#!"
    char **variables;
    const char *path; // the step's PATH
    char **more;      // where a few pointers do not suffice; else NULL
    char *few[FEW_POINTERS];
    char file[PATH_MAX]; // mostly little of it is touched: it comes last
};

/**
 * The command with the step's variables, with one more argument where `more` is not NULL. It points into the plan, and itself. Returns 0 or
 * an errno: then there is nothing to forget.
 */
int execute_prepare(struct execution *execution, const struct plan *plan, const struct plan_step *step, enum command command, char *more);

/** When the command is executed or cannot be. */
void execute_forget(struct execution *execution);

/** What could not be executed: the program, or one that it needs itself, which is not there. */
enum execute_failure { EXECUTE_PROGRAM, EXECUTE_INTERPRETER };

/**
 * Executes it. Which program that is, execvp(3) says, with the step's PATH. Returns where it cannot, with the errno in *error. It makes
 * nothing but system calls, by kernel.h.
 */
enum execute_failure execute(struct execution *execution, int *error);

#endif
