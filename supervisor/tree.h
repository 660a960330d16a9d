#ifndef JOBRUNNER_TREE_H
#define JOBRUNNER_TREE_H

#include "reason.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * The removal of a folder's content, from name to name with two descriptors. It enters no link and no mount. The folder may be deep and
 * wide, and may change meanwhile.
 */

/** The result. */
struct removal {
    uintmax_t removed;
    unsigned failures;
    char *failed;         // the path, below the folder, of the first entry that was not removed; NULL: none, or no memory for it
    struct reason reason; // why that entry was not removed
};

/** Removes everything in the folder, but not the folder. Its descriptor may be opened with O_PATH. Returns whether nothing is left. */
bool tree_empty(int top, struct removal *removal);

#endif
