#ifndef JOBRUNNER_INIT_H
#define JOBRUNNER_INIT_H

/**
 * `jobrunner-supervisor -- COMMAND ARGUMENT...`: the first process of a step's container, called as the engines call theirs. The command
 * gets the streams of streams.h, starts in the step's working directory, and is sent the signals that come by the FIFO, and those that the
 * first process gets. What nobody waits for is reaped. Returns the command's exit code, 128 and a signal's number, or 126 or 127 where it
 * could not be executed: why is then said on standard error, which is the client's and not the job's.
 */
int container_init(char **command);

#endif
