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

/** What this process has of the job that it runs; set whole before, given back after. */
static struct run {
    char id[ID_LENGTH + 1];
    const char *plan; // its bytes, which job.plan is made of; NULL: not read
    size_t plan_bytes;
    bool is_valid; // the plan is
    struct job job;
} run;

static void isolate(const struct launch *launch);
static int tell(int error);
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
    if (children < 0) return tell(errno);
    for (;;) {
        run = (struct run){.job = {.control = -1, .children = children, .cgroup = -1}};
        memcpy(run.id, next, sizeof run.id);
        int error = claim(launch);
        if (tell(error == EEXIST ? 0 : error) != 0) return 1;
        if (error != 0 || !run_job() || launch->jobs[0] == '\0' || !slots_wait(next)) return 0;
        if (chdir(launch->jobs) != 0) return tell(errno);
    }
}

static void isolate(const struct launch *launch) {
    (void)setsid(); // cannot fail: a process just forked leads no group
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    let_go(launch);
}

/** The exit code: where there is no other way to say that nothing was claimed, it does. */
static int tell(int error) {
    return slots_answer(error) ? 0 : 1;
}

/** Up to the last line nothing is done that a second supervisor, or one after a failed attempt, could not do again. */
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

/** None gets into a core of this process. */
static int guard_secrets(void) {
    return prctl(PR_SET_DUMPABLE, 0) == 0 ? 0 : errno;
}

static int make_files(void) {
    // The rest is private; users that a step becomes need a way into the workspace once they are let into the folder above. The service
    // has made it where containers need more.
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

/** Whether this process may run another job after it: then it has nothing of this one any more, and no folder. */
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
 * No secret and no container; nobody was looked for in order to be ended, which takes memory as well, and nothing is left: no child, whom
 * the next job would take for its own, no process in the cgroup, no byte that the disk refused. All else of a job ends with what give_back
 * gives back.
 */
static bool has_ended_plainly(void) {
    const struct plan *plan = &run.job.plan;
    bool is_simple = plan->secrets == 0 && plan->containers == 0;
    bool is_quiet = !search_was_made() && !cgroup_was_killed() && !cgroup_was_left() && output_lost_bytes() == 0;
    siginfo_t nobody; // POSIX wants a place, and valgrind reports none
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
