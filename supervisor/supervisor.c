#include "supervisor.h"

#include "cgroup.h"
#include "clock.h"
#include "control.h"
#include "job.h"
#include "output.h"
#include "processes.h"
#include "signals.h"
#include "slots.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** What this process holds of the job that it runs. All of it is set before the job and released after it. */
static struct run {
    char id[ID_LENGTH + 1];
    const char *plan; // the bytes that job.plan points into; NULL: not read
    size_t plan_bytes;
    bool is_valid; // whether the plan is
    struct job job;
} run;

static void isolate(const struct launch *launch);
static int report(int error);
static int claim(const struct launch *launch);
static int read_plan(void);
static int guard_secrets(void);
static int make_files(void);
static bool run_job(void);
static void refuse_plan(void);
static bool has_ended_plainly(void);
static void give_back(void);

int supervise(const struct launch *launch, const char *id) {
    char next[ID_LENGTH + 1];
    memcpy(next, id, sizeof next);
    slots_begin();
    isolate(launch);
    int children = signals_open();
    if (children < 0) return report(errno);
    for (;;) {
        run = (struct run){.job = {.control = -1, .children = children, .cgroup = -1}};
        memcpy(run.id, next, sizeof run.id);
        int error = claim(launch);
        if (report(error == EEXIST ? 0 : error) != 0) return 1;
        if (error != 0 || !run_job() || launch->jobs[0] == '\0' || !slots_wait(next)) return 0;
        if (chdir(launch->jobs) != 0) return report(errno);
    }
}

static void isolate(const struct launch *launch) {
    (void)setsid(); // cannot fail: a process just forked leads no group
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    let_go(launch);
}

/** Reports the result. Returns the exit code, which is not 0 if only it can report that nothing was claimed. */
static int report(int error) {
    return slots_answer(error) ? 0 : 1;
}

/** Everything before status_claim can be done again, by a second supervisor or after a failed attempt. */
static int claim(const struct launch *launch) {
    if (chdir(run.id) != 0) return errno;
    if (access("status", F_OK) == 0) return EEXIST;
    int error = read_plan();
    if (error == 0 && run.job.plan.secrets > 0) error = guard_secrets();
    if (error == 0) error = make_files();
    if (error == 0) error = status_claim(&(struct claim){run.id, launch->boot_id});
    return error;
}

static int read_plan(void) {
    int fd = open("plan", O_RDONLY | O_CLOEXEC);
    struct stat information;
    if (fd < 0 || fstat(fd, &information) != 0) return errno;
    if (information.st_size > 0) {
        size_t length = (size_t)information.st_size;
        const char *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) return errno;
        run.plan = bytes;
        run.plan_bytes = length;
        run.is_valid = plan_read(bytes, length, &run.job.plan) == 0 && strncmp(run.job.plan.id, run.id, ID_LENGTH) == 0;
        if (!run.is_valid) run.job.plan = (struct plan){0};
    }
    (void)close(fd);
    return 0;
}

/** Disables core dumps of this process, and inspection by other processes, because its memory has secrets. */
static int guard_secrets(void) {
    return prctl(PR_SET_DUMPABLE, 0) == 0 ? 0 : errno;
}

static int make_files(void) {
    // Other files are private. The workspace is not, because steps with a user need access; the folder above decides who gets there. If
    // containers need more permissions, the service has created the workspace already.
    mode_t usual = umask(0);
    int made = mkdir("work", 0755);
    (void)umask(usual);
    if (made != 0 && errno != EEXIST) return errno;
    int error = output_open(&run.job.plan);
    if (error != 0) return error;
    search_open();
    run.job.control = control_open();
    return run.job.control < 0 ? errno : 0;
}

/** Returns whether this process may run another job. Then nothing of this job is left, and the working directory is /. */
static bool run_job(void) {
    if (!run.is_valid) {
        refuse_plan();
        return false;
    }
    run.job.cgroup = cgroup_open(run.job.plan.cgroup);
    job_run(&run.job);
    if (!has_ended_plainly()) return false;
    give_back();
    return chdir("/") == 0;
}

static void refuse_plan(void) {
    status_line("fail 0 %lld plan %d\n", (long long)wall_ns(), EINVAL);
    status_line("done %lld 0 0\n", (long long)wall_ns());
    status_ring();
}

/**
 * Whether the job had no secrets and no containers, no processes were searched for (which allocates memory), and nothing is left: no child,
 * which would seem to belong to the next job, no process in the cgroup, and no lost output. give_back releases everything else.
 */
static bool has_ended_plainly(void) {
    const struct plan *plan = &run.job.plan;
    bool is_simple = plan->secrets == 0 && plan->containers == 0;
    bool is_quiet = !search_was_made() && !cgroup_was_killed() && !cgroup_was_left() && output_lost_bytes() == 0;
    siginfo_t nobody; // POSIX requires it, and valgrind reports NULL
    return is_simple && is_quiet && waitid(P_ALL, 0, &nobody, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

static void give_back(void) {
    output_close();
    status_close();
    (void)close(run.job.control);
    if (run.job.cgroup >= 0) (void)close(run.job.cgroup);
    if (run.plan != NULL) (void)munmap((void *)(uintptr_t)run.plan, run.plan_bytes);
    run = (struct run){0};
}

void let_go(const struct launch *launch) {
    (void)dup2(launch->null, STDIN_FILENO);
    (void)dup2(launch->null, STDOUT_FILENO);
    (void)dup2(launch->null, STDERR_FILENO);
}
