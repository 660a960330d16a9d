#include "reason.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

static bool has_attribute(int folder, const char *name, uint64_t attribute);

struct reason reason_of(int folder, const char *name, int error) {
    switch (error) {
        case EXDEV:
            return (struct reason){"mount", "something is mounted there"};
        case ENOTEMPTY:
        case ESTALE:
            return (struct reason){"changed", "it is being changed meanwhile"};
        case EPERM:
        case EACCES:
            if (has_attribute(folder, name, STATX_ATTR_IMMUTABLE)) return (struct reason){"immutable", "it is immutable (chattr +i)"};
            if (has_attribute(folder, name, STATX_ATTR_APPEND)) return (struct reason){"immutable", "it may only grow (chattr +a)"};
            return (struct reason){"denied", strerror(error)};
        default:
            return (struct reason){"other", strerror(error)};
    }
}

/** Whether the entry, or the folder that it is in, has the attribute. */
static bool has_attribute(int folder, const char *name, uint64_t attribute) {
    struct statx entry, outer;
    if (statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &entry) == 0 && (entry.stx_attributes & attribute) != 0) return true;
    return statx(folder, "", AT_EMPTY_PATH, STATX_TYPE, &outer) == 0 && (outer.stx_attributes & attribute) != 0;
}
