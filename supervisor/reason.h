#ifndef JOBRUNNER_REASON_H
#define JOBRUNNER_REASON_H

/** Why something was not removed; see Removal in formats.h. */
struct reason {
    const char *word; // for programs
    const char *text; // for people
};

/** Why an entry of the folder could not be removed, with this errno. An empty name means the folder itself. */
struct reason reason_of(int folder, const char *name, int error);

#endif
