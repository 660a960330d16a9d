#ifndef READER_H
#define READER_H

/**
 * For the command line, because Node.js notices only when it writes that nobody reads its output. Returns 0 as soon as standard output has
 * no reader. Returns 1 when the other end of standard input is closed, or on failure. Nothing is read or written.
 */
int wait_until_unread(void);

#endif
