#ifndef JOBRUNNER_CONTROL_H
#define JOBRUNNER_CONTROL_H

/** The control FIFO, drawn in formats.h. */

enum request { REQUEST_NONE, REQUEST_TERMINATE, REQUEST_KILL };

/** Creates the FIFO unless it exists, and opens it. Returns -1 and errno on failure. Never removes it: another supervisor may use it. */
int control_open(void);

/** The next request; REQUEST_NONE: there is none at the moment. Unknown lines are skipped. */
enum request control_read(int fd);

#endif
