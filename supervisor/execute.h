#ifndef JOBRUNNER_EXECUTE_H
#define JOBRUNNER_EXECUTE_H

#include "plan.h"

/** Becoming a command of the plan: its arguments, its variables, and which program that is. */

enum execute_failure { EXECUTE_PROGRAM, EXECUTE_INTERPRETER };

/**
 * Executes the command with the step's variables, with one more argument where `more` is not NULL. Which program that is, execvp(3) says, with the
 * step's PATH. Returns where it cannot, with errno, and what that is about: the program, or one that it needs itself, which is not there.
 */
enum execute_failure execute(const struct plan *plan, const struct plan_step *step, enum command command, char *more);

#endif
