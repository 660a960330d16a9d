#ifndef JOBRUNNER_REMOVE_H
#define JOBRUNNER_REMOVE_H

/**
 * Removal of everything below a folder, at any width and depth, with two descriptors and one buffer. It works by names in open folders, so
 * changes made meanwhile cannot lead it elsewhere. It follows no link, enters no other mount, and changes the permissions of folders that
 * its user owns. It skips what it cannot remove. Both functions return an exit code: 0: nothing is left; 1: something is left.
 */

/** Empties the folder that is standard input. Standard output reports the result, as drawn in formats.h. */
int empty_folder(void);

/**
 * Also removes the folder itself. Standard error says what is left. The service runs this as root in a container of the job's image, for
 * files that belong to users of the container. The image may lack programs.
 */
int remove_folder(const char *path);

#endif
