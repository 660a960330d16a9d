#ifndef JOBRUNNER_CLONE_H
#define JOBRUNNER_CLONE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * A process that shares this one's memory until it executes a program or ends. As for vfork(2) nothing of the memory is copied; other than
 * with vfork(2) this process does not sleep meanwhile, so that a file system which does not answer holds up the new process alone.
 */

/** 1: it shares our memory; 0: not any more. */
typedef _Atomic uint32_t clone_word;

/**
 * Born in the cgroup, where that is no -1. It calls run(argument), which does not return, on a stack of its own: at most one such process
 * is to be there at a time. It shares errno and whatever else the C library keeps for a thread: see kernel.h. Returns its number, or -1 and
 * errno, ENOSYS where kernel, machine or sanitizers do not have this. See clone(2), CLONE_VM and CLONE_CHILD_CLEARTID, and mm_release() in
 * Linux' kernel/fork.c.
 */
pid_t clone_sharing(int cgroup, void (*run)(void *argument), void *argument, clone_word *word);

/** Waits until it shares our memory no more, so long at most. */
void clone_wait(clone_word *word, int milliseconds);

#endif
