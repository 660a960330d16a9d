#include "step.h"

#include "cgroup.h"
#include "execute.h"
#include "inherit.h"
#include "signals.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/** What the new process needs; all of it is looked up before the fork. */
struct start {
    const struct plan *plan;
    const struct plan_step *step;
    const char *stdin_name;
    pid_t supervisor;
    int cgroup;
    int output, error, outcome; // writing ends
};

// What programs that use select(2) or close every possible descriptor were written for; a job may raise it up to the hard limit.
enum { SOFT_FILES = 1024 };
// What ends a job opens files, too: /proc, pidfds, the cgroup's. Some more than it ever has open at once.
enum { OWN_FILES = 16 };

static int open_pairs(struct step_pipes *pipes);
static void close_pair(const int pair[2]);
static pid_t fork_into(int *cgroup);
_Noreturn static void run(const struct start *start);
static void prepare(const struct start *start);
static void end_with(pid_t supervisor);
static void limit_cores(const struct plan *plan);
static void limit_files(void);
static void leave_keyring(const struct plan_step *step);
static bool open_streams(const struct start *start);
_Noreturn static void fail(const struct start *start, enum step_stage stage);

int step_open_pipes(const struct plan_step *step, struct step_pipes *pipes) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return errno;
    pipes->streams = NO_STREAMS;
    if (pipe2(pipes->outcome, O_CLOEXEC) != 0) return errno;
    bool has_own_way = step->streams != NULL;
    if ((has_own_way ? streams_open(step->streams, pipes->output, pipes->error, &pipes->streams) : open_pairs(pipes)) != 0) {
        int reason = errno;
        close_pair(pipes->outcome);
        return reason;
    }
    // The lowest free number is given out: above the last one all are free.
    if ((rlim_t)pipes->error[1] + OWN_FILES < files.rlim_cur) return 0;
    step_close_pipes(step, pipes);
    return EMFILE;
}

void step_close_pipes(const struct plan_step *step, struct step_pipes *pipes) {
    close_pair(pipes->output);
    close_pair(pipes->error);
    close_pair(pipes->outcome);
    if (step->streams != NULL) streams_close(step->streams, &pipes->streams);
}

static int open_pairs(struct step_pipes *pipes) {
    if (pipe2(pipes->output, O_CLOEXEC) != 0) return -1;
    if (pipe2(pipes->error, O_CLOEXEC) == 0) return 0;
    int reason = errno;
    close_pair(pipes->output);
    errno = reason;
    return -1;
}

pid_t step_start(const struct plan *plan, const struct plan_step *step, const char *stdin_name, int cgroup, const struct step_pipes *pipes) {
    int own_cgroup = step->settle_arguments > 0 ? -1 : cgroup;
    struct start start = {plan, step, stdin_name, getpid(), own_cgroup, pipes->output[1], pipes->error[1], pipes->outcome[1]};
    pid_t pid = fork_into(&start.cgroup);
    if (pid == 0) run(&start);
    int reason = errno;
    (void)close(start.output);
    (void)close(start.error);
    (void)close(start.outcome);
    errno = reason;
    return pid;
}

pid_t step_settle(const struct plan *plan, const struct plan_step *step, bool is_awaiting) {
    static char await[] = "await";
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        (void)setsid(); // cannot fail: a process just forked leads no group
        signals_restore();
        limit_cores(plan);
        bool is_ready = dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0;
        if (is_ready) (void)execute(plan, step, COMMAND_SETTLE, is_awaiting ? await : NULL);
        _exit(127);
    }
    (void)close(null);
    return pid;
}

const char *step_stage_name(enum step_stage stage) {
    switch (stage) {
    case STAGE_PIPES: return "pipes";
    case STAGE_WORKDIR: return "workdir";
    case STAGE_STDIN: return "stdin";
    case STAGE_USER: return "user";
    case STAGE_EXEC: return "exec";
    case STAGE_INTERPRETER: return "interpreter";
    case STAGE_FORK: return "fork";
    case STAGE_PLAN: return "plan";
    }
    return "plan";
}

static void close_pair(const int pair[2]) {
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/** Like fork(2), born in the cgroup. Where the kernel cannot do that, the process goes there by itself, else `cgroup` becomes -1. */
static pid_t fork_into(int *cgroup) {
    if (*cgroup >= 0 && !cgroup_was_killed()) {
        struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned)*cgroup};
        pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid == 0) *cgroup = -1;
        if (pid >= 0 || errno == EAGAIN || errno == ENOMEM) return pid;
    }
    return fork();
}

/** The new process. */
_Noreturn static void run(const struct start *start) {
    prepare(start);
    if (!open_streams(start)) fail(start, STAGE_STDIN);
    limit_files(); // after the streams, for which a job of many pipes needs higher numbers
    if (start->plan->user != NULL) {
        if (!user_become(start->plan->user)) fail(start, STAGE_USER);
        end_with(start->supervisor); // prctl(2): the kernel forgets this signal when a process becomes another user
    }
    if (chdir(start->step->workdir) != 0) fail(start, STAGE_WORKDIR);
    enum execute_failure failure = execute(start->plan, start->step, COMMAND_STEP, NULL); // every descriptor above 2 is O_CLOEXEC
    fail(start, failure == EXECUTE_INTERPRETER ? STAGE_INTERPRETER : STAGE_EXEC);
}

static void prepare(const struct start *start) {
    end_with(start->supervisor);
    if (start->cgroup >= 0) {
        int file = openat(start->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        ssize_t written = file < 0 ? -1 : write(file, "0", 1);
        (void)written; // it goes on without
    }
    // Kept across execve(2): what an engine's client leaves behind to watch its container is then told from the job's own by descent.
    if (start->step->settle_arguments > 0) (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)setsid(); // cannot fail: a process just forked leads no group
    signals_restore();
    (void)umask(022);
    limit_cores(start->plan);
    leave_keyring(start->step);
    inherit_shed();
}

/** A supervisor that is killed takes the step with it; one that was killed before the first line is noticed by the second. */
static void end_with(pid_t supervisor) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) _exit(127);
    if (getppid() != supervisor) _exit(127);
}

/**
 * No core of the processes that know the secrets. By core(5) a limit of 0 is none where cores are piped to a program; the kernel refuses that
 * for 1 alone (fs/coredump.c), and no core is so small. It cannot fail but where the limit is 0 and may not be raised.
 */
static void limit_cores(const struct plan *plan) {
    if (plan->secrets > 0) (void)setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_cur = 1, .rlim_max = 1});
}

static void limit_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max < SOFT_FILES ? files.rlim_max : SOFT_FILES;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/**
 * session-keyring(7): else jobs share the service's, whoever their users are, and what one puts there outlives it. Where it cannot be, the kernel has
 * no keys or lets nobody here use them. An engine's client keeps it, since what it needs may be there.
 */
static void leave_keyring(const struct plan_step *step) {
    if (step->settle_arguments == 0) (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

static bool open_streams(const struct start *start) {
    int input = open(start->stdin_name == NULL ? "/dev/null" : start->stdin_name, O_RDONLY | O_CLOEXEC);
    return input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(start->output, STDOUT_FILENO) >= 0 &&
           dup2(start->error, STDERR_FILENO) >= 0;
}

_Noreturn static void fail(const struct start *start, enum step_stage stage) {
    struct step_failure failure = {stage, errno};
    ssize_t written = write(start->outcome, &failure, sizeof failure);
    (void)written;
    _exit(127);
}
