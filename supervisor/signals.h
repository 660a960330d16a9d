#ifndef JOBRUNNER_SIGNALS_H
#define JOBRUNNER_SIGNALS_H

/**
 * For launcher and supervisors: those by which people end programs are ignored, SIGCHLD is blocked to be read from a descriptor, all
 * others are as the kernel makes them, whatever was inherited.
 */
void signals_prepare(void);

/** For a step: everything as the kernel makes it. signals_prepare was called before. It makes nothing but system calls, by kernel.h. */
void signals_restore(void);

/** A descriptor that is readable when a child has ended (signalfd(2)); -1 and errno. */
int signals_open(void);

/** Forgets what made the descriptor readable; to be called before the children are asked for, so that no end is missed. */
void signals_clear(int fd);

#endif
