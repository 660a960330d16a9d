#include "newborn.h"

#include "inherit.h"
#include "kernel.h"
#include "signals.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>

// The limit that programs expect which use select(2) or close every possible descriptor. A job may raise it up to the hard limit.
enum { SOFT_FILES = 1024 };
enum { NOT_EXECUTED = 127 };

static void end_with(pid_t supervisor);
static void prepare(const struct newborn *newborn);
static int open_streams(const struct newborn *newborn);
static void limit_files(rlim_t most);
static void limit(int what, rlim_t soft, rlim_t hard);
_Noreturn static void fail(struct newborn *newborn, enum step_stage stage, int error);
_Noreturn static void leave(void);

void newborn_run(void *argument) {
    struct newborn *newborn = argument;
    const struct plan *plan = newborn->plan;
    prepare(newborn);
    int error = open_streams(newborn);
    if (error != 0) fail(newborn, STAGE_STDIN, error);
    limit_files(newborn->most_files); // after the streams, because with many pipes their descriptors are higher
    if (plan->user != NULL) {
        if (!user_become(plan->user)) fail(newborn, STAGE_USER, errno);
        end_with(newborn->supervisor); // again, because the kernel forgets this signal when a process becomes another user (prctl(2))
    }
    error = -(int)KERNEL(SYS_chdir, (long)newborn->step->workdir);
    if (error != 0) fail(newborn, STAGE_WORKDIR, error);
    enum execute_failure failure = execute(newborn->execution, &error); // every descriptor above 2 is O_CLOEXEC
    fail(newborn, failure == EXECUTE_INTERPRETER ? STAGE_INTERPRETER : STAGE_EXEC, error);
}

static void prepare(const struct newborn *newborn) {
    end_with(newborn->supervisor);
    if (newborn->joins >= 0) {
        long file = KERNEL(SYS_openat, newborn->joins, (long)"cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (file >= 0) (void)KERNEL(SYS_write, file, (long)"0", 1); // on failure, the process goes on without it
    }
    bool is_client = newborn->step->finalize_arguments > 0;
    // Kept across execve(2). So what an engine's client leaves behind to watch its container descends from the client.
    if (is_client) (void)KERNEL(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
    (void)KERNEL(SYS_setsid, 0); // cannot fail: a process just forked leads no group
    signals_restore();
    (void)KERNEL(SYS_umask, 022);
    newborn_limit_cores(newborn->plan);
    // A new session-keyring(7). Otherwise jobs of all users would share the service's, and keys would outlive their job. This fails only if
    // the kernel has no keys or permits none here. An engine's client keeps the service's keyring, because it may need keys in it.
    if (!is_client) (void)KERNEL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    inherit_shed();
}

/** The step is killed with its supervisor. The check of getppid finds a supervisor that was killed before prctl. */
static void end_with(pid_t supervisor) {
    if (KERNEL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL) != 0) leave();
    if (KERNEL(SYS_getppid, 0) != supervisor) leave();
}

/**
 * If core dumps are piped to a program, a limit of 0 is ignored (core(5)). The kernel then dumps nothing only for a limit of 1
 * (fs/coredump.c), and no core file is that small. This fails only if the limit is 0 and may not be raised.
 */
void newborn_limit_cores(const struct plan *plan) {
    if (plan->secrets > 0) limit(RLIMIT_CORE, 1, 1);
}

static int open_streams(const struct newborn *newborn) {
    const char *input = newborn->stdin_name == NULL ? "/dev/null" : newborn->stdin_name;
    long opened = KERNEL(SYS_openat, AT_FDCWD, (long)input, O_RDONLY | O_CLOEXEC);
    if (opened < 0) return -(int)opened;
    const long descriptors[] = {opened, newborn->output, newborn->error};
    for (long i = 0; i < 3; i++) {
        long result = KERNEL(SYS_dup3, descriptors[i], i, 0); // none of them is below 3, because 0, 1 and 2 are open
        if (result < 0) return -(int)result;
    }
    return 0;
}

static void limit_files(rlim_t most) {
    limit(RLIMIT_NOFILE, most < SOFT_FILES ? most : SOFT_FILES, most);
}

static void limit(int what, rlim_t soft, rlim_t hard) {
    const uint64_t limits[2] = {soft, hard}; // as a struct rlimit64
    (void)KERNEL(SYS_prlimit64, 0, what, (long)limits);
}

_Noreturn static void fail(struct newborn *newborn, enum step_stage stage, int error) {
    newborn->failure = (struct step_failure){stage, error};
    newborn->has_failed = true;
    if (newborn->exec_result >= 0) (void)KERNEL(SYS_write, newborn->exec_result, (long)&newborn->failure, sizeof newborn->failure);
    leave();
}

_Noreturn static void leave(void) {
    for (;;) (void)KERNEL(SYS_exit_group, NOT_EXECUTED);
}
