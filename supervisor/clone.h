#ifndef JOBRUNNER_CLONE_H
#define JOBRUNNER_CLONE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * A process that shares this one's memory until it executes a program or ends. As with vfork(2), no memory is copied. Unlike with vfork(2),
 * this process does not sleep meanwhile, so a file system that does not answer blocks only the new process.
 */

/** 1 while the new process shares our memory, then 0. */
typedef _Atomic uint32_t clone_word;

/**
 * Creates the process, in the cgroup unless that is -1. It calls run(argument), which does not return, on a static stack of its own, so at
 * most one such process may exist at a time. It shares errno and other data that the C library keeps for a thread: see kernel.h. Returns
 * its process ID, or -1 and errno; ENOSYS: the kernel, the machine or a sanitizer does not support this. See clone(2), CLONE_VM and
 * CLONE_CHILD_CLEARTID, and mm_release() in Linux' kernel/fork.c.
 */
pid_t clone_sharing(int cgroup, void (*run)(void *argument), void *argument, clone_word *word);

/** Waits until the process no longer shares our memory, but at most this long. */
void clone_wait(clone_word *word, int milliseconds);

#endif
