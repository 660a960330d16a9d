#include "supervisor.h"

#include "cgroup.h"
#include "control.h"
#include "clock.h"
#include "job.h"
#include "output.h"
#include "signals.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct job job;

static void isolate(const struct launch *launch);
static int prepare(const struct launch *launch, const char *id, bool *is_valid);
static int read_plan(const char *id, bool *is_valid);
static int guard_secrets(void);
static int make_files(void);
static void refuse_plan(void);

int supervise(const struct launch *launch, const char *id) {
    isolate(launch);
    bool is_valid = false;
    int error = prepare(launch, id, &is_valid);
    if (error != 0 && error != EEXIST) say_failed(id, error);
    let_go(launch);
    if (error != 0) return 0;
    if (!is_valid) {
        refuse_plan();
        return 0;
    }
    job.cgroup = job.plan.cgroup == NULL ? -1 : cgroup_make(job.plan.cgroup);
    job_run(&job);
    return 0;
}

static void isolate(const struct launch *launch) {
    (void)setsid(); // cannot fail: a process just forked leads no group
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)dup2(launch->null, STDIN_FILENO); // the launcher's: the service's orders to it
}

/** Up to the claim nothing is done that a second supervisor, or one after a failed attempt, could not do again. */
static int prepare(const struct launch *launch, const char *id, bool *is_valid) {
    if (chdir(id) != 0) return errno;
    if (access("status", F_OK) == 0) return EEXIST;
    int error = read_plan(id, is_valid);
    if (error == 0 && *is_valid && job.plan.secrets > 0) error = guard_secrets();
    if (error == 0) error = make_files();
    if (error == 0) error = status_claim(&(struct claim){id, launch->boot_id});
    return error;
}

static int read_plan(const char *id, bool *is_valid) {
    int fd = open("plan", O_RDONLY | O_CLOEXEC);
    struct stat information;
    if (fd < 0 || fstat(fd, &information) != 0) return errno;
    if (information.st_size > 0) {
        size_t length = (size_t)information.st_size;
        const char *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) return errno;
        *is_valid = plan_read(bytes, length, &job.plan) == 0 && strncmp(job.plan.id, id, ID_LENGTH) == 0;
        if (!*is_valid) job.plan = (struct plan){0};
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
    int error = output_open(&job.plan);
    if (error != 0) return error;
    job.control = control_open();
    job.children = signals_open();
    return job.control < 0 || job.children < 0 ? errno : 0;
}

static void refuse_plan(void) {
    status_line("fail 0 %lld plan %d\n", (long long)wall_ns(), EINVAL);
    status_line("done %lld 0 0\n", (long long)wall_ns());
    status_ring();
}

void let_go(const struct launch *launch) {
    (void)dup2(launch->null, STDOUT_FILENO);
    (void)dup2(launch->null, STDERR_FILENO);
}

void say_failed(const char *id, int error) {
    char line[ID_LENGTH + 32];
    int length = snprintf(line, sizeof line, "failed %.*s %d\n", ID_LENGTH, id, error);
    ssize_t written = length <= 0 ? -1 : write(STDOUT_FILENO, line, (size_t)length);
    (void)written; // nobody listens: the next service looks at the directory by itself
}
