#ifndef JOBRUNNER_SOCKETS_H
#define JOBRUNNER_SOCKETS_H

/** Answers questions of standard input about TCP connections, drawn in formats.h, until it ends. Returns an exit status. */
int sockets(void);

#endif
