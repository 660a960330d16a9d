#ifndef JOBRUNNER_SCRATCH_H
#define JOBRUNNER_SCRATCH_H

/**
 * For a large static array of which a job mostly touches little: it lies behind what every job writes to. A supervisor has a page of its
 * own for each that it writes to, so that what is small should share few. Where the linker does not sort (see the Makefile), it costs some
 * pages.
 */
#define SCRATCH __attribute__((section(".bss.scratch")))

#endif
