#ifndef JOBRUNNER_CONTROL_H
#define JOBRUNNER_CONTROL_H

/** The control FIFO, drawn in formats.h. */

enum order { ORDER_NONE, ORDER_TERMINATE, ORDER_KILL };

/** Makes it where it is not there yet, and opens it; -1 and errno. Never removes one: it may be another supervisor's. */
int control_open(void);

/** The next order that was written; ORDER_NONE: there is none for now. Lines that it does not know are skipped. */
enum order control_read(int fd);

#endif
