#include "tree.h"

#include "mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/** The buffer is read again for each folder that is entered, so it is small. It still has room for some hundred names. */
enum { BUFFER_BYTES = 8192 };
/** Limits for folders that are changed meanwhile, and for very many entries that cannot be removed. */
enum { MAX_FAILURES = 1000, MAX_REPEATS = 1000 };

/** A folder on the way from the top to the current folder. It is not held open. */
struct level {
    dev_t device;
    ino_t inode;
    off64_t position;     // of its next entry, for lseek(2)
    size_t path_length;   // of the path of this folder
    unsigned failures;    // how many there were when this folder was entered
};

struct tree {
    int top, folder; // folder: the current folder, in which names are removed
    int mount;
    struct level *levels;
    size_t depth, levels_room;
    char *path; // from the top to the current folder
    size_t path_length, path_room;
    union {
        struct dirent64 first;
        char bytes[BUFFER_BYTES];
    } entries;
    size_t entries_length, entries_read;
    unsigned repeats;
    struct removal *removal;
};

static bool start(struct tree *tree);
static bool step(struct tree *tree);
static struct dirent64 *next_entry(struct tree *tree);
static void remove_entry(struct tree *tree, const struct dirent64 *entry);
static bool is_mount(const struct tree *tree, const char *name);
static void enter(struct tree *tree, const char *name, off64_t position);
static int open_own(int found, const struct stat *status);
static bool leave(struct tree *tree);
static void remove_left(struct tree *tree, const char *name, bool has_failures);
static bool push(struct tree *tree, const char *name, const struct stat *status);
static void *grown(void *memory, size_t *room, size_t needed, size_t size);
static void fail(struct tree *tree, const char *name, int error);

bool tree_empty(int top, struct removal *removal) {
    struct tree whole = {.top = top, .folder = -1, .mount = mount_of(top), .removal = removal}, *tree = &whole;
    *removal = (struct removal){0};
    if (tree->mount < 0) fail(tree, "", ENOSYS);
    if (tree->mount < 0 || !start(tree)) return false;
    while (step(tree) && removal->failures < MAX_FAILURES) continue;
    (void)close(tree->folder);
    return removal->failures == 0;
}

/** Begins at the top, perhaps again. */
static bool start(struct tree *tree) {
    struct stat status;
    if (tree->folder >= 0) (void)close(tree->folder);
    tree->depth = tree->path_length = tree->entries_length = tree->entries_read = 0;
    tree->folder = fstat(tree->top, &status) == 0 ? open_own(tree->top, &status) : -1;
    if (tree->folder >= 0 && push(tree, NULL, &status)) return true;
    fail(tree, "", errno);
    return false;
}

/** Handles one entry. Returns false at the end. */
static bool step(struct tree *tree) {
    struct dirent64 *entry = next_entry(tree);
    if (entry == NULL) return leave(tree);
    bool is_folder_itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (!is_folder_itself) remove_entry(tree, entry);
    return true;
}

static struct dirent64 *next_entry(struct tree *tree) {
    if (tree->entries_read == tree->entries_length) {
        long got = syscall(SYS_getdents64, tree->folder, tree->entries.bytes, sizeof tree->entries.bytes);
        if (got < 0 && errno != ENOENT) fail(tree, "", errno); // ENOENT: another process has removed the folder
        if (got <= 0) return NULL;
        tree->entries_length = (size_t)got;
        tree->entries_read = 0;
    }
    struct dirent64 *entry = (void *)(tree->entries.bytes + tree->entries_read);
    tree->entries_read += entry->d_reclen;
    return entry;
}

static void remove_entry(struct tree *tree, const struct dirent64 *entry) {
    const char *name = entry->d_name;
    int error = EISDIR;
    if (entry->d_type != DT_DIR) error = unlinkat(tree->folder, name, 0) == 0 ? 0 : errno;
    if (error == EISDIR) {
        error = unlinkat(tree->folder, name, AT_REMOVEDIR) == 0 ? 0 : errno;
        if (error != 0 && error != EBUSY && error != ENOENT) {
            enter(tree, name, entry->d_off); // it is not empty, or may not be removed; its content perhaps can
            return;
        }
    }
    if (error == 0) tree->removal->removed += 1;
    else if (error != ENOENT) fail(tree, name, error == EBUSY && is_mount(tree, name) ? EXDEV : error);
}

static bool is_mount(const struct tree *tree, const char *name) {
    int found = openat(tree->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool is_other = found >= 0 && mount_of(found) != tree->mount;
    if (found >= 0) (void)close(found);
    return is_other;
}

/**
 * Enters a folder, unless it has become a link or a mount meanwhile. That is checked without accessing its file system, because a network
 * file system may never answer.
 */
static void enter(struct tree *tree, const char *name, off64_t position) {
    int found = openat(tree->folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    int inner = -1;
    if (found >= 0 && mount_of(found) != tree->mount) errno = EXDEV;
    else if (found >= 0 && fstat(found, &status) == 0) inner = open_own(found, &status);
    int error = errno;
    if (found >= 0) (void)close(found);
    tree->levels[tree->depth - 1].position = position;
    if (inner >= 0 && push(tree, name, &status)) {
        (void)close(tree->folder);
        tree->folder = inner;
        tree->entries_length = tree->entries_read = 0;
        return;
    }
    if (inner >= 0) (void)close(inner);
    if (error != ENOENT) fail(tree, name, error);
}

/** Opens a folder for reading and changing it. Its descriptor may be opened with O_PATH. */
static int open_own(int found, const struct stat *status) {
    if (status->st_uid == geteuid() && (status->st_mode & S_IRWXU) != S_IRWXU) {
        char path[sizeof "/proc/self/fd/2147483647"];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", found);
        (void)chmod(path, (status->st_mode & 07777) | S_IRWXU); // if this fails, the next call may fail, too
    }
    return openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/** Goes up, and removes the folder that it leaves. If that was moved meanwhile, perhaps out of the tree, it begins again at the top. */
static bool leave(struct tree *tree) {
    if (tree->depth == 1) return false;
    struct level left = tree->levels[tree->depth - 1], *outer = &tree->levels[tree->depth - 2];
    struct stat status;
    int folder = openat(tree->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_same = folder >= 0 && fstat(folder, &status) == 0 && status.st_dev == outer->device && status.st_ino == outer->inode;
    if (!is_same || lseek64(folder, outer->position, SEEK_SET) < 0) {
        if (folder >= 0) (void)close(folder);
        tree->repeats += 1;
        if (tree->repeats < MAX_REPEATS) return start(tree);
        fail(tree, "", ESTALE);
        return false;
    }
    (void)close(tree->folder);
    tree->folder = folder;
    tree->entries_length = tree->entries_read = 0;
    tree->depth -= 1;
    tree->path_length = outer->path_length;
    tree->path[left.path_length] = '\0'; // cuts the path after the folder that was left
    remove_left(tree, tree->path + outer->path_length + (outer->path_length > 0), tree->removal->failures > left.failures);
    return true;
}

/** If the folder is not empty although everything was removed, entries were added, or positions were lost: it is entered again. */
static void remove_left(struct tree *tree, const char *name, bool has_failures) {
    if (unlinkat(tree->folder, name, AT_REMOVEDIR) == 0) {
        tree->removal->removed += 1;
    } else if (errno == ENOTEMPTY && !has_failures && tree->repeats < MAX_REPEATS) {
        tree->repeats += 1;
        char again[NAME_MAX + 1];
        (void)snprintf(again, sizeof again, "%s", name);
        enter(tree, again, tree->levels[tree->depth - 1].position);
    } else if (errno != ENOENT && !(errno == ENOTEMPTY && has_failures)) {
        fail(tree, name, errno);
    }
}

static bool push(struct tree *tree, const char *name, const struct stat *status) {
    size_t length = tree->path_length + (name == NULL ? 0 : strlen(name) + (tree->path_length > 0));
    struct level *levels = grown(tree->levels, &tree->levels_room, tree->depth + 1, sizeof *levels);
    if (levels == NULL) return false;
    tree->levels = levels;
    char *path = grown(tree->path, &tree->path_room, length + 1, 1);
    if (path == NULL) return false;
    tree->path = path;
    (void)snprintf(path + tree->path_length, tree->path_room - tree->path_length, "%s%s", tree->path_length > 0 ? "/" : "", name == NULL
        ? "" : name);
    tree->path_length = length;
    tree->levels[tree->depth] = (struct level){.device = status->st_dev, .inode = status->st_ino, .path_length = length,
        .failures = tree->removal->failures};
    tree->depth += 1;
    return true;
}

static void *grown(void *memory, size_t *room, size_t needed, size_t size) {
    if (needed <= *room) return memory;
    size_t wanted = needed * 2;
    void *larger = realloc(memory, wanted * size);
    if (larger != NULL) *room = wanted;
    return larger;
}

/** Counts a failure. Keeps the path and the reason of the first one. An empty name means the current folder. */
static void fail(struct tree *tree, const char *name, int error) {
    tree->removal->failures += 1;
    if (tree->removal->failures > 1) return;
    tree->removal->reason = reason_of(tree->folder, name, error);
    const char *slash = tree->path_length > 0 && name[0] != '\0' ? "/" : "";
    if (asprintf(&tree->removal->failed, "%.*s%s%s", (int)tree->path_length, tree->path == NULL ? "" : tree->path, slash,
        name) < 0) tree->removal->failed = NULL;
}
