#include "remove.h"

#include "mount.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int empty_folder(void) {
    struct removal removal;
    bool is_empty = tree_empty(STDIN_FILENO, &removal);
    int printed = printf("removed %ju\n", removal.removed);
    if (!is_empty && printed > 0) printed = printf("left %s %s\n%s", removal.reason.word, removal.reason.text, removal.failed == NULL
        ? "" : removal.failed);
    return printed > 0 && fflush(stdout) == 0 && is_empty ? 0 : 1;
}

int remove_folder(const char *path) {
    struct removal removal = {0};
    int top = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int parent = top < 0 ? -1 : openat(top, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool is_mounted = parent >= 0 && mount_of(parent) != mount_of(top);
    if (is_mounted) removal.reason.text = "something is mounted there";
    bool is_empty = parent >= 0 && !is_mounted && tree_empty(top, &removal);
    if (is_empty && rmdir(path) == 0) return 0;
    if (removal.reason.text == NULL) removal.reason.text = strerror(errno);
    (void)fprintf(stderr, "jobrunner-supervisor: %s/%s: %s\n", path, removal.failed == NULL ? "" : removal.failed, removal.reason.text);
    return 1;
}
