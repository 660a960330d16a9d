#ifndef JOBRUNNER_REASON_H
#define JOBRUNNER_REASON_H

/** Why something is left; see Removal in formats.h. */
struct reason {
    const char *word; // for programs
    const char *text; // for people
};

/** Of an entry of the folder that could not be removed with this errno; an empty name: the folder itself. */
struct reason reason_of(int folder, const char *name, int error);

#endif
