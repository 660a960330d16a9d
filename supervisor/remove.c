#include "remove.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

enum { OPEN_FOLDERS = 32 };

static int remove_entry(const char *path, const struct stat *information, int type, struct FTW *place);

int remove_folder(const char *path) {
    if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0) return 0;
    (void)fprintf(stderr, "jobrunner-supervisor: %s: %s\n", path, strerror(errno));
    return 1;
}

static int remove_entry(const char *path, const struct stat *information, int type, struct FTW *place) {
    (void)information;
    (void)type;
    (void)place;
    return remove(path);
}
