#ifndef JOBRUNNER_CONTROL_H
#define JOBRUNNER_CONTROL_H

/** The control FIFO, drawn in formats.h. */

enum request_kind { REQUEST_NONE, REQUEST_TERMINATE, REQUEST_KILL, REQUEST_SIGNAL };

struct request {
    enum request_kind kind;
    int signal; // of REQUEST_SIGNAL
};

/** Creates the FIFO unless it exists, and opens it. Returns -1 and errno on failure. Never removes it: another supervisor may use it. */
int control_open(void);

/** The next request; REQUEST_NONE: there is none at the moment. Unknown lines are skipped. */
struct request control_read(int fd);

#endif
