#ifndef JOBRUNNER_SIGNALS_H
#define JOBRUNNER_SIGNALS_H

/**
 * For launcher and supervisors: ignores the signals by which people end programs, blocks SIGCHLD, which is read from a descriptor, and
 * resets all others to their defaults, whatever was inherited.
 */
void signals_prepare(void);

/** For a step: resets all signals to their defaults. Call after signals_prepare. It makes only system calls, by kernel.h. */
void signals_restore(void);

/** Returns a descriptor that is readable when a child has ended (signalfd(2)), or -1 and errno. */
int signals_open(void);

/** Makes the descriptor unreadable again. Call before waiting for children, so that no end is missed. */
void signals_clear(int fd);

#endif
