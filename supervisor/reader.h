#ifndef READER_H
#define READER_H

/**
 * For the command line, whose Node.js learns that nobody reads its output when it writes: returns as soon as standard output leads to
 * nobody any more, with
 * 0, or when the other end of standard input was closed, with 1. Nothing is read or written.
 */
int wait_until_unread(void);

#endif
