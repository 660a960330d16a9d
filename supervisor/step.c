#include "step.h"

#include "cgroup.h"
#include "clock.h"
#include "clone.h"
#include "execute.h"
#include "inherit.h"
#include "newborn.h"
#include "scratch.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// Ending a job also needs descriptors: for /proc, pidfds and the cgroup. This is more than it ever has open at once.
enum { OWN_FILES = 16 };
// How long step_start waits for the exec: nearly all succeed within this time, so the start is recorded before the command does much. And
// the longest time between two later checks.
enum { FIRST_PAUSE_MS = 10, LONGEST_PAUSE_MS = 500 };

/** The start that is not reported yet, or the last one. The new process may share these variables, except the last two. */
static struct newborn newborn;
static struct execution execution;
static clone_word is_sharing;
static int exec_result; // the reading end of the pipe to a process that shares no memory
static int pause_ms;

static int open_pairs(const struct plan_step *step, struct step_pipes *pipes);
static void close_pair(const int pair[2]);
static enum step_news start_sharing(int cgroup, struct step_process *process);
static bool may_share(void);
static enum step_news start_apart(int cgroup, struct step_process *process);
static pid_t make(pid_t (*way)(int cgroup), int cgroup);
static pid_t share(int cgroup);
static pid_t copy(int cgroup);
static enum step_news learn_by_memory(void);
static enum step_news learn_by_pipe(void);
static void check_later(struct step_process *process);
static enum step_news failed(struct step_process *process, enum step_stage stage, int error);

int step_open_pipes(const struct plan_step *step, struct step_pipes *pipes) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return errno;
    pipes->streams = NO_STREAMS;
    pipes->most_files = files.rlim_max;
    int opened = step->streams == NULL ? open_pairs(step, pipes)
                                       : streams_open(step->streams, step->is_merged, pipes->output, pipes->error, &pipes->streams);
    if (opened != 0) return errno;
    // The kernel gives the lowest free number, so all numbers above the last one are free.
    if ((rlim_t)pipes->error[1] + OWN_FILES < files.rlim_cur) return 0;
    step_close_pipes(step, pipes);
    return EMFILE;
}

void step_close_pipes(const struct plan_step *step, struct step_pipes *pipes) {
    close_pair(pipes->output);
    close_pair(pipes->error);
    if (step->streams != NULL) streams_close(step->streams, &pipes->streams);
}

static int open_pairs(const struct plan_step *step, struct step_pipes *pipes) {
    if (pipe2(pipes->output, O_CLOEXEC) != 0) return -1;
    if (step->is_merged) {
        pipes->error[0] = -1;
        pipes->error[1] = fcntl(pipes->output[1], F_DUPFD_CLOEXEC, 0);
        if (pipes->error[1] >= 0) return 0;
    } else if (pipe2(pipes->error, O_CLOEXEC) == 0) {
        return 0;
    }
    int reason = errno;
    close_pair(pipes->output);
    errno = reason;
    return -1;
}

static void close_pair(const int pair[2]) {
    if (pair[0] >= 0) (void)close(pair[0]);
    (void)close(pair[1]);
}

enum step_news step_start(const struct plan *plan, const struct plan_step *step, const char *stdin_name, int cgroup,
    const struct step_pipes *pipes,
                          struct step_process *process) {
    int own_cgroup = step->finalize_arguments > 0 ? -1 : cgroup;
    newborn = (struct newborn){
        .plan = plan,
        .step = step,
        .stdin_name = stdin_name,
        .supervisor = getpid(),
        .joins = -1,
        .output = pipes->output[1],
        .error = pipes->error[1],
        .exec_result = -1,
        .most_files = pipes->most_files,
        .execution = &execution,
    };
    *process = (struct step_process){.check_at = NEVER};
    exec_result = -1;
    pause_ms = FIRST_PAUSE_MS;
    enum step_news news;
    int error = execute_prepare(&execution, plan, step, COMMAND_STEP, NULL);
    if (error != 0) {
        news = failed(process, STAGE_FORK, error);
    } else {
        news = may_share() ? start_sharing(own_cgroup, process) : start_apart(own_cgroup, process);
        if (news == STEP_FAILED) execute_forget(&execution);
    }
    (void)close(pipes->output[1]);
    (void)close(pipes->error[1]);
    return news;
}

/**
 * Whether the new process may share our memory. A process of another user must not, and neither must one that others may inspect while the
 * memory holds secrets. SIGQUIT is the only stop signal that dumps core. Before Linux 5.16, a core dump kills all processes that share the
 * memory (zap_threads() in fs/coredump.c), so also the supervisor of a step that is not executed yet.
 */
static bool may_share(void) {
    const struct plan *plan = newborn.plan;
    return plan->user == NULL && plan->secrets == 0 && plan->stop_signal != SIGQUIT && !inherit_is_of_memory();
}

static enum step_news start_sharing(int cgroup, struct step_process *process) {
    pid_t pid = make(share, cgroup);
    if (pid < 0 && (errno == EAGAIN || errno == ENOMEM)) return failed(process, STAGE_FORK, errno);
    if (pid < 0) return start_apart(cgroup, process);
    process->pid = pid;
    clone_wait(&is_sharing, FIRST_PAUSE_MS);
    return step_learn(process);
}

/** Starts a process that shares no memory, and reports by a pipe whether its exec failed. */
static enum step_news start_apart(int cgroup, struct step_process *process) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0) return failed(process, STAGE_PIPES, errno);
    newborn.exec_result = pair[1];
    pid_t pid = make(copy, cgroup);
    if (pid == 0) newborn_run(&newborn);
    int error = errno;
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return failed(process, STAGE_FORK, error);
    }
    process->pid = pid;
    exec_result = pair[0];
    (void)poll(&(struct pollfd){.fd = exec_result, .events = POLLIN}, 1, FIRST_PAUSE_MS);
    return step_learn(process);
}

/** Creates the process in the cgroup, if there is one. If the kernel cannot do that, the process joins the cgroup by itself. */
static pid_t make(pid_t (*way)(int cgroup), int cgroup) {
    newborn.joins = -1;
    if (cgroup >= 0 && !cgroup_was_killed()) {
        pid_t pid = way(cgroup);
        if (pid >= 0 || errno == EAGAIN || errno == ENOMEM) return pid;
    }
    newborn.joins = cgroup;
    return way(-1);
}

static pid_t share(int cgroup) {
    return clone_sharing(cgroup, newborn_run, &newborn, &is_sharing);
}

static pid_t copy(int cgroup) {
    if (cgroup < 0) return fork();
    struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned)cgroup};
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

enum step_news step_learn(struct step_process *process) {
    enum step_news news = exec_result < 0 ? learn_by_memory() : learn_by_pipe();
    if (news == STEP_UNREPORTED) {
        check_later(process);
        return news;
    }
    if (exec_result >= 0) (void)close(exec_result);
    exec_result = -1;
    execute_forget(&execution);
    process->check_at = NEVER;
    process->failure = newborn.failure;
    return news;
}

static enum step_news learn_by_memory(void) {
    if (atomic_load(&is_sharing) != 0) return STEP_UNREPORTED;
    return newborn.has_failed ? STEP_FAILED : STEP_EXECUTED;
}

static enum step_news learn_by_pipe(void) {
    ssize_t got = read(exec_result, &newborn.failure, sizeof newborn.failure);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return STEP_UNREPORTED;
    return got == (ssize_t)sizeof newborn.failure ? STEP_FAILED : STEP_EXECUTED;
}

static void check_later(struct step_process *process) {
    int64_t now = clock_ns();
    if (process->check_at != NEVER && now < process->check_at) return;
    process->check_at = now + (int64_t)pause_ms * NS_PER_MS;
    pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
}

/** Records that there is no process. */
static enum step_news failed(struct step_process *process, enum step_stage stage, int error) {
    process->failure = (struct step_failure){stage, error};
    return STEP_FAILED;
}

pid_t step_finalize(const struct plan *plan, const struct plan_step *step, bool is_awaiting) {
    static char await[] = "await";
    static SCRATCH struct execution finalizing;
    errno = execute_prepare(&finalizing, plan, step, COMMAND_FINALIZE, is_awaiting ? await : NULL);
    int null = errno == 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    pid_t pid = null < 0 ? -1 : fork();
    if (pid == 0) {
        (void)setsid(); // cannot fail: a process just forked leads no group
        signals_restore();
        newborn_limit_cores(plan);
        int error;
        bool is_ready = dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0;
        if (is_ready) (void)execute(&finalizing, &error);
        _exit(127);
    }
    int reason = errno;
    execute_forget(&finalizing);
    if (null >= 0) (void)close(null);
    errno = reason;
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
