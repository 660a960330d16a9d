#ifndef JOBRUNNER_KERNEL_H
#define JOBRUNNER_KERNEL_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/**
 * System calls without the C library, for a process that shares its parent's memory (clone.h): the library would change the parent's errno.
 * Functions that such a process calls use only these. A failure is returned as -errno. Pointers are passed as (long).
 */
#define KERNEL(number, ...) kernel_call(number, (const long[5]){__VA_ARGS__})

#if defined __x86_64__

static inline long kernel_call(long number, const long arguments[5]) {
    long result;
    register long fourth __asm__("r10") = arguments[3];
    register long fifth __asm__("r8") = arguments[4];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined __aarch64__

static inline long kernel_call(long number, const long arguments[5]) {
    register long called __asm__("x8") = number;
    register long first __asm__("x0") = arguments[0];
    register long second __asm__("x1") = arguments[1];
    register long third __asm__("x2") = arguments[2];
    register long fourth __asm__("x3") = arguments[3];
    register long fifth __asm__("x4") = arguments[4];
    __asm__ volatile("svc #0" : "+r"(first) : "r"(called), "r"(second), "r"(third), "r"(fourth), "r"(fifth) : "memory");
    return first;
}

#else // on other machines, no process shares its parent's memory

static inline long kernel_call(long number, const long arguments[5]) {
    long result = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
    return result < 0 ? -errno : result;
}

#endif
#endif
