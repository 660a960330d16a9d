#ifndef JOBRUNNER_SOCKETS_H
#define JOBRUNNER_SOCKETS_H

/** Answers the questions of standard input about TCP connections, drawn in formats.h, until its end. Returns an exit code. */
int sockets(void);

#endif
