#ifndef JOBRUNNER_STREAMS_H
#define JOBRUNNER_STREAMS_H

#include <stdbool.h>

/**
 * A container's own way to its supervisor, past the engine: FIFOs in a folder that the container finds at STREAMS_FOLDER, where its init
 * (init.c) opens them. So nothing that the engine says is in the job's output, signals wait for a container that is still being made, and
 * neither needs the engine's client.
 *
 * Rule for changing it: a supervisor outlives an upgrade, and then starts containers with the newer program as their init. So an init
 * serves every folder that an older supervisor may have made.
 */

#define STREAMS_FOLDER "/.jobrunner"
#define STREAMS_OUTPUT "stdout"
#define STREAMS_ERROR "stderr"
#define STREAMS_SIGNALS "signals" // a byte for each signal, its number
#define STREAMS_UP "up"           // a byte: the command is about to be executed
#define STREAMS_WORKDIR "workdir" // a link, as the container is to understand it; made by the service
#define STREAMS_SAID ".said"      // appended to the folder's name: a file for what the engine's client writes

/** Descriptors, all closed on exec; -1: none. */
struct streams {
    int held[2]; // writing ends: while nobody has opened them yet, a FIFO without would look like one at its end
    int signals;
    int up;
};
#define NO_STREAMS ((struct streams){{-1, -1}, -1, -1})

/**
 * Makes the FIFOs in the folder. Fills in the reading ends of the container's output and error, as [0], and as [1] what the client gets in
 * their place. Returns 0, or -1 and errno: then nothing is open.
 */
int streams_open(const char *folder, int output[2], int error[2], struct streams *streams);

/** Whether the container's command may be executed; without, it has written nothing. */
bool streams_is_up(struct streams *streams);

/** Keeps the signal for the container's command. */
void streams_signal(const struct streams *streams, int signal);

/** When the client has ended: what the container has written is in the FIFOs, and their end is seen where it is gone. */
void streams_let_go(struct streams *streams);

/** When the container is finished: closes what is open, removes the folder and all in it but what the client said. */
void streams_close(const char *folder, struct streams *streams);

#endif
