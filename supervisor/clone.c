#include "clone.h"

#include "scratch.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined __SANITIZE_ADDRESS__
#define IS_SANITIZED 1
#endif

// AddressSanitizer tracks each stack, and would never see the end of one on which a program is executed.
#if !defined IS_SANITIZED && defined SYS_clone3 && ((defined __x86_64__ && defined __LP64__) || (defined __aarch64__ && defined __LP64__))

enum { STACK_BYTES = 16384 };
static SCRATCH _Alignas(16) char stack[STACK_BYTES];

static long call(const struct clone_args *arguments, void (*run)(void *), void *argument);

pid_t clone_sharing(int cgroup, void (*run)(void *argument), void *argument, clone_word *word) {
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_CHILD_CLEARTID | (cgroup < 0 ? 0 : CLONE_INTO_CGROUP),
        .exit_signal = SIGCHLD,
        .child_tid = (uintptr_t)word,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
        .cgroup = cgroup < 0 ? 0 : (unsigned)cgroup,
    };
    atomic_store(word, 1);
    long result = call(&arguments, run, argument);
    if (result >= 0) return (pid_t)result;
    errno = (int)-result;
    return -1;
}

/** clone3(2), for which the C library has no function. The new process has the same registers, and an empty stack. */
static long call(const struct clone_args *arguments, void (*run)(void *), void *argument) {
#if defined __x86_64__
    long result = SYS_clone3;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[argument], %%rdi\n\t"
                     "call *%[run]\n\t"
                     "ud2\n"
                     "1:"
                     : "+a"(result)
                     : "D"(arguments), "S"(sizeof *arguments), [run] "r"(run), [argument] "r"(argument)
                     : "rcx", "r11", "cc", "memory");
    return result;
#else
    register long called __asm__("x8") = SYS_clone3;
    register long result __asm__("x0") = (long)arguments;
    register unsigned long size __asm__("x1") = sizeof *arguments;
    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x0, %[argument]\n\t"
                     "blr %[run]\n\t"
                     "brk #0\n"
                     "1:"
                     : "+r"(result)
                     : "r"(called), "r"(size), [run] "r"(run), [argument] "r"(argument)
                     : "x30", "cc", "memory");
    return result;
#endif
}

#else

pid_t clone_sharing(int cgroup, void (*run)(void *argument), void *argument, clone_word *word) {
    (void)cgroup, (void)run, (void)argument, (void)word;
    errno = ENOSYS;
    return -1;
}

#endif

/**
 * futex(2). The system call takes the time as two longs, even if the C library's time_t is larger. FUTEX_PRIVATE_FLAG must not be used,
 * because the kernel wakes this futex without it. It may return too early, which does no harm.
 */
void clone_wait(clone_word *word, int milliseconds) {
    const long rest[] = {0, milliseconds * 1000000L};
    if (atomic_load(word) != 0) (void)syscall(SYS_futex, word, FUTEX_WAIT, 1, rest, NULL, 0);
}
