#ifndef JOBRUNNER_STREAMS_H
#define JOBRUNNER_STREAMS_H

#include <stdbool.h>

/**
 * A container's own streams to its supervisor, which bypass the engine: FIFOs in a folder that is mounted at STREAMS_FOLDER. The
 * container's init (init.c) opens them. So the job's output contains nothing that the engine prints, a signal waits for a container that is
 * still being created, and neither needs the engine's client.
 *
 * Rule for changing this: a supervisor outlives an upgrade, and then starts containers with the newer program as their init. So an init
 * must support every folder that an older supervisor may have created.
 */

#define STREAMS_FOLDER "/.jobrunner"
#define STREAMS_OUTPUT "stdout"
#define STREAMS_ERROR "stderr"
#define STREAMS_SIGNALS "signals" // for each signal, a byte with its number
#define STREAMS_UP "up"           // a byte when the command is about to be executed
#define STREAMS_WORKDIR "workdir" // a link to the working directory in the container; created by the service
#define STREAMS_SAID ".said"      // suffix of the folder's name, for a file with what the engine's client writes

/** Descriptors, all closed on exec; -1: none. */
struct streams {
    int held[2]; // writing ends, so that the FIFOs do not seem to be at their end before the container has opened them
    int signals;
    int up;
};
#define NO_STREAMS ((struct streams){{-1, -1}, -1, -1})

/**
 * Creates the FIFOs in the folder; is_merged: one FIFO with two names, and error[0] is -1. Fills in [0], the reading ends of the
 * container's output and error, and [1], what the client gets as its own output and error. Returns 0, or -1 and errno: then nothing is
 * open.
 */
int streams_open(const char *folder, bool is_merged, int output[2], int error[2], struct streams *streams);

/** Whether the container's command may have been executed. If not, it has written nothing. */
bool streams_is_up(struct streams *streams);

/** Sends the signal to the container's command. It waits in the FIFO until the command runs. */
void streams_signal(const struct streams *streams, int signal);

/** Call when the client has ended: closes our writing ends, so that the FIFOs reach their end when the container is gone. */
void streams_let_go(struct streams *streams);

/** Call when the container is finished: closes the FIFOs and removes the folder. The file with the client's words stays. */
void streams_close(const char *folder, struct streams *streams);

#endif
