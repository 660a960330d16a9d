#ifndef JOBRUNNER_PEERS_H
#define JOBRUNNER_PEERS_H

/** Answers questions of standard input, drawn in formats.h, until it ends: whose process is at the other end of a connection. Returns an exit status. */
int peers(void);

#endif
