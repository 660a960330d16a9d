#ifndef JOBRUNNER_FINALIZE_H
#define JOBRUNNER_FINALIZE_H

#include "job.h"

/**
 * The actions of the part CONTAINER: ending a step's container, whose processes belong to the engine. The plan has a command for that, see
 * settle in formats.h.
 */

/** Whether the step's first process lives and is the client of a container engine. */
bool has_client(const struct job *job);

/**
 * Call for a kill: runs the command if the client lives and the command has not run for this step. Returns whether the client must be left
 * alone for now.
 */
bool finalize_active(struct job *job);

/** The client has ended with this wait status. Its container may still live. */
void finalize_client_ended(struct job *job, int wait_status);

/** The client has ended without having created a container. */
void finalize_client_reported(struct job *job);

/** The time of TIMER_COMMAND has come: returns the event that this is. */
enum event finalize_due(struct job *job);

/** The command has ended. */
void finalize_ended(struct job *job);

/**
 * Sends the stop signal. It reaches the container's command as soon as the command runs. If the container is still being created, the
 * creation is cancelled.
 */
void finalize_stop(struct job *job, int signal);

/** Sends the container's command a signal that a user asked for. Cancels nothing. */
void finalize_signal(struct job *job, int signal);

/** Only cancels the creation of a container. */
void finalize_call_off(struct job *job);

/** The container is finished or was never started: closes its streams. */
void finalize_finished(struct job *job);

/**
 * Call at the job's end, when nothing else of it is left. Kills what still runs in containers that the engine forgot, or that it could not
 * be asked to end. Such processes are found by the job's ID in their environment. Does nothing if no container was finalized.
 */
void finalize_forgotten(const struct job *job);

#endif
