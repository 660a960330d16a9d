#ifndef JOBRUNNER_LAUNCHER_H
#define JOBRUNNER_LAUNCHER_H

/** Runs the launcher, drawn in formats.h, until its standard input ends. Returns the exit code. */
int launch(const char *state);

#endif
