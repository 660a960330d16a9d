#include "index.h"

#include "formats.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { RESERVE_BYTES = 4096 };

_Static_assert(sizeof(struct record) == INDEX_RECORD_BYTES, "drawn in formats.h");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "index records are little endian");

static int index_fd = -1;
static int64_t end, reserved;
static struct record unwritten;
static bool has_unwritten;

static bool write_record(void);
static int reserve(void);

int index_open(void) {
    index_fd = open("index", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return index_fd < 0 ? errno : reserve();
}

bool index_is_ready(void) {
    return write_record() && reserve() == 0;
}

void index_add(const struct record *record) {
    (void)write_record();
    unwritten = *record;
    has_unwritten = true;
    (void)write_record();
}

/** A record of which the disk took a part only is written again from its beginning. */
static bool write_record(void) {
    if (!has_unwritten) return true;
    if (pwrite(index_fd, &unwritten, sizeof unwritten, end) != (ssize_t)sizeof unwritten) return false;
    end += INDEX_RECORD_BYTES;
    has_unwritten = false;
    return true;
}

static int reserve(void) {
    if (end + 2 * INDEX_RECORD_BYTES <= reserved) return 0;
    if (fallocate(index_fd, FALLOC_FL_KEEP_SIZE, reserved, RESERVE_BYTES) == 0) {
        reserved += RESERVE_BYTES;
        return 0;
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    reserved = INT64_MAX; // a file system that cannot promise
    return 0;
}
