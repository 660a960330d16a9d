#include "index.h"

#include "formats.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { RESERVE_BYTES = 4096 };

_Static_assert(sizeof(struct record) == INDEX_RECORD_BYTES, "drawn in formats.h");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "index records are little endian");

static struct index {
    int fd;
    int64_t end, reserved;
    struct record unwritten;
    bool has_unwritten;
} state;

static bool write_record(void);
static int reserve(void);

int index_open(void) {
    state = (struct index){.fd = open("index", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    return state.fd < 0 ? errno : reserve();
}

void index_close(void) {
    if (state.fd >= 0) (void)close(state.fd);
    state.fd = -1;
}

bool index_is_ready(void) {
    return write_record() && reserve() == 0;
}

void index_add(const struct record *record) {
    (void)write_record();
    state.unwritten = *record;
    state.has_unwritten = true;
    (void)write_record();
}

/** A record that was written in part is written again from its beginning. */
static bool write_record(void) {
    if (!state.has_unwritten) return true;
    if (pwrite(state.fd, &state.unwritten, sizeof state.unwritten, state.end) != (ssize_t)sizeof state.unwritten) return false;
    state.end += INDEX_RECORD_BYTES;
    state.has_unwritten = false;
    return true;
}

static int reserve(void) {
    if (state.end + 2 * INDEX_RECORD_BYTES <= state.reserved) return 0;
    if (fallocate(state.fd, FALLOC_FL_KEEP_SIZE, state.reserved, RESERVE_BYTES) == 0) {
        state.reserved += RESERVE_BYTES;
        return 0;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    state.reserved = INT64_MAX; // a file system without reservations
    return 0;
}
