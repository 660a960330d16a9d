#ifndef JOBRUNNER_CONTROL_H
#define JOBRUNNER_CONTROL_H

/** The control FIFO, drawn in formats.h. */

enum request { REQUEST_NONE, REQUEST_TERMINATE, REQUEST_KILL };

/** Makes it where it is not there yet, and opens it; -1 and errno. Never removes one: it may be another supervisor's. */
int control_open(void);

/** The next request that was written; REQUEST_NONE: there is none for now. Lines that it does not know are skipped. */
enum request control_read(int fd);

#endif
