#ifndef JOBRUNNER_INIT_H
#define JOBRUNNER_INIT_H

/**
 * `jobrunner-supervisor -- COMMAND ARGUMENT...`: the first process of a step's container. Engines call it like their own init. The command
 * gets the streams of streams.h and starts in the step's working directory. It is sent the signals that arrive by the FIFO, and those that
 * the first process gets. Orphaned processes are reaped. Returns the command's exit code, 128 + the number of the signal that ended it, or
 * 126 or 127 if it could not be executed. Then standard error, which belongs to the client and not to the job, says why.
 */
int container_init(char **command);

#endif
