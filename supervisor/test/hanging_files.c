/*
 * hanging_files <folder>: mounts a file system that does not answer, like a network file system whose server is gone. It has one file, the
 * script "tool". Prints "ready". After the first line of standard input it answers; at the end of input it unmounts. Exit code 2: mounting
 * is not permitted. Implements the FUSE protocol itself: linux/fuse.h, fuse(4).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, TOOL = 2, REQUEST_BYTES = 1 << 20 };

static const char text[] = "#!/bin/sh\necho here\n";
static char request[REQUEST_BYTES];
static int device;

static void answer(uint64_t unique, int error, const void *body, size_t length) {
    struct fuse_out_header header = {.len = (uint32_t)(sizeof header + length), .error = -error, .unique = unique};
    struct iovec parts[] = {{&header, sizeof header}, {(void *)(uintptr_t)body, length}};
    (void)!writev(device, parts, length > 0 ? 2 : 1); // ENOENT: the process that asked is gone
}

static struct fuse_attr attributes(uint64_t node) {
    return (struct fuse_attr){
        .ino = node,
        .size = node == TOOL ? sizeof text - 1 : 0,
        .mode = node == TOOL ? S_IFREG | 0755 : S_IFDIR | 0755,
        .nlink = 1,
        .blksize = 4096,
    };
}

static void serve(const struct fuse_in_header *in, const void *body) {
    switch (in->opcode) {
    case FUSE_INIT:
        answer(in->unique, 0, &(struct fuse_init_out){.major = 7, .minor = 31, .max_write = 4096}, sizeof(struct fuse_init_out));
        return;
    case FUSE_LOOKUP: {
        struct fuse_entry_out entry = {.nodeid = TOOL, .attr = attributes(TOOL)};
        if (strcmp(body, "tool") == 0) answer(in->unique, 0, &entry, sizeof entry);
        else answer(in->unique, ENOENT, NULL, 0);
        return;
    }
    case FUSE_GETATTR:
        answer(in->unique, 0, &(struct fuse_attr_out){.attr = attributes(in->nodeid)}, sizeof(struct fuse_attr_out));
        return;
    case FUSE_OPEN:
    case FUSE_OPENDIR: answer(in->unique, 0, &(struct fuse_open_out){0}, sizeof(struct fuse_open_out)); return;
    case FUSE_READ: {
        uint64_t at = ((const struct fuse_read_in *)body)->offset;
        answer(in->unique, 0, text + (at < sizeof text - 1 ? at : sizeof text - 1), at < sizeof text - 1 ? sizeof text - 1 - at : 0);
        return;
    }
    case FUSE_ACCESS:
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR: answer(in->unique, 0, NULL, 0); return;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;
    default: answer(in->unique, ENOSYS, NULL, 0); return;
    }
}

/** Takes one request. Returns false when the file system is unmounted. */
static int take(void) {
    ssize_t got = read(device, request, sizeof request);
    if (got < 0) return errno == EINTR || errno == ENOENT; // ENOENT: the process that asked is gone
    serve((const struct fuse_in_header *)(void *)request, request + sizeof(struct fuse_in_header));
    return 1;
}

int main(int argc, char **argv) {
    char options[64], order[16];
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (argc != 2 || device < 0) return 1;
    (void)snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
    if (mount("hanging", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) != 0) return 2;
    if (!take()) return 3; // FUSE_INIT
    (void)puts("ready");
    (void)fflush(stdout);
    if (read(STDIN_FILENO, order, sizeof order) > 0) {
        struct pollfd entries[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = device, .events = POLLIN}};
        while (poll(entries, 2, -1) >= 0 && entries[0].revents == 0 && take()) {}
    }
    return umount2(argv[1], MNT_DETACH) == 0 ? 0 : 4; // then the device is closed, and requests that still wait get an error
}
