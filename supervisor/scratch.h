#ifndef JOBRUNNER_SCRATCH_H
#define JOBRUNNER_SCRATCH_H

/**
 * Marks a large static array of which most jobs touch little. It is placed behind the variables that every job writes to. Each page that a
 * supervisor writes to becomes a copy of its own, so small variables should share few pages. If the linker does not sort sections (see the
 * Makefile), some more pages are used.
 */
#define SCRATCH __attribute__((section(".bss.scratch")))

#endif
