#ifndef JOBRUNNER_FINALIZE_H
#define JOBRUNNER_FINALIZE_H

#include "job.h"

/**
 * Ending a step's container, whose processes are the engine's and not ours: the plan's command for it, see settle in formats.h. The actions
 * of the part CONTAINER.
 */

/** Whether the step's first process is the client of a container engine, and lives. */
bool has_client(const struct job *job);

/** A kill: runs the command where it was not run yet for this step and its client lives. Whether the client is to be left alone for now. */
bool finalize_active(struct job *job);

/** The client has ended like this: its container may live still. */
void finalize_client_ended(struct job *job, int wait_status);

/** The client has ended without having made a container. */
void finalize_client_reported(struct job *job);

/** Of the time for the command: which event that is. */
enum event finalize_due(struct job *job);

/** The command has ended. */
void finalize_ended(struct job *job);

/** A stop, and with which signal: it reaches the container's command as soon as that runs, and what is still being made is called off. */
void finalize_stop(struct job *job, int signal);

/** The same, once more or without a signal for the command. Only what is still being made is concerned. */
void finalize_call_off(struct job *job);

/** The container is finished, or was never begun: lets go of its streams. */
void finalize_finished(struct job *job);

/**
 * At the job's end, when nothing else of it is left: kills what runs in containers that the engine forgot, or could not be asked to end,
 * by the mark that the job's processes have in their environment. Only where a container was finalized.
 */
void finalize_forgotten(const struct job *job);

#endif
