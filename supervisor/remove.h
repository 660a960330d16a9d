#ifndef JOBRUNNER_REMOVE_H
#define JOBRUNNER_REMOVE_H

/**
 * Removes a folder and all below it, without following links or entering other file systems. It is what the service runs as root inside a
 * container of the job's image, which need not have any program, for files that belong to the container's users. Returns an exit code.
 */
int remove_folder(const char *path);

#endif
