#ifndef JOBRUNNER_TREE_H
#define JOBRUNNER_TREE_H

#include "reason.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * What is in a folder, and its removal: from name to name by two descriptors, into no link and no mount, however deep, wide and changing it
 * is.
 */

/** What became of it. */
struct removal {
    uintmax_t removed;
    unsigned failures;
    char *failed;         // the path of the first, below the folder; NULL: of none, or no memory for it
    struct reason reason; // likewise
};

/**
 * Removes all that is in the folder, which stays. Its descriptor may be one that is no more than a path (O_PATH). Whether nothing is left.
 */
bool tree_empty(int top, struct removal *removal);

#endif
