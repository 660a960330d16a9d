#ifndef JOBRUNNER_REMOVE_H
#define JOBRUNNER_REMOVE_H

/**
 * Removes what is below a folder, however wide and deep: with two descriptors and one buffer, by names in open folders, so that nothing
 * which is changed meanwhile leads it elsewhere. It follows no link, enters no other mount, and gives itself the permission where the
 * folder is its user's. What it cannot remove it passes over. Both return an exit code: 0, nothing is left; 1, something is.
 */

/** The folder is standard input and stays. Standard output says how it went, as supervisor/formats.h draws it. */
int empty_folder(void);

/**
 * The folder goes, too; standard error says what is left. It is what the service runs as root inside a container of the job's image, which
 * need not have any program, for files that belong to the container's users.
 */
int remove_folder(const char *path);

#endif
