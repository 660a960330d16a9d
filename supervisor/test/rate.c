// rate PROGRAM FOLDER JOBS INFLIGHT [CGROUP FOLDER]: jobs per second through a launcher, against posix_spawn of the same command without
// anything kept, in turns. Prints both rates and their ratio for each round.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMAND "echo hello; echo err >&2"
enum { ROUNDS = 7, PROCESSES = 2 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static void id_of(int number, char *id) {
    snprintf(id, 37, "00000000-0000-4000-8000-%012x", (unsigned)number);
}

static void write_plan(int number, const char *state, const char *cgroups) {
    char id[37], path[256], text[2048];
    id_of(number, id);
    snprintf(path, sizeof path, "jobs/%s", id);
    if (mkdir(path, 0700) != 0) die(path);
    int length = snprintf(text, sizeof text, "jobrunner-plan 1%cid=%s%cstop_signal=15%cstop_timeout_ms=10000%c", 0, id, 0, 0, 0);
    if (cgroups != NULL) length += snprintf(text + length, sizeof text - (size_t)length, "cgroup=%s/%s%c", cgroups, id, 0);
    length += snprintf(text + length, sizeof text - (size_t)length,
                       "env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin%cenv=HOME=/root%cenv=LANG=C.UTF-8%cstep%c"
                       "run_on=success%carg=/bin/bash%carg=-c%carg=" COMMAND "%cworkdir=%s/jobs/%s/work%cend%c", 0, 0, 0, 0, 0, 0, 0, 0, state, id, 0, 0);
    snprintf(path, sizeof path, "jobs/%s/plan", id);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, text, (size_t)length) != length || close(fd) != 0) die(path);
}

static int is_done(const char *id) {
    char path[128], text[4096];
    snprintf(path, sizeof path, "jobs/%s/status", id);
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    close(fd);
    text[got < 0 ? 0 : got] = '\0';
    return strstr(text, "\ndone ") != NULL;
}

static double run_jobs(int orders, int doorbell, int first, int count, int inflight) {
    double began = now();
    int started = 0, ended = 0;
    char line[64], id[37];
    static char rings[65536];
    size_t filled = 0;
    while (ended < count) {
        for (; started < count && started - ended < inflight; started++) {
            id_of(first + started, id);
            int length = snprintf(line, sizeof line, "run %s\n", id);
            if (write(orders, line, (size_t)length) != length) die("orders");
        }
        ssize_t got = read(doorbell, rings + filled, sizeof rings - filled);
        if (got <= 0) die("doorbell");
        filled += (size_t)got;
        size_t at = 0;
        for (; filled - at >= 37; at += 37) {
            memcpy(id, rings + at, 36);
            id[36] = '\0';
            ended += is_done(id);
        }
        memmove(rings, rings + at, filled - at);
        filled -= at;
    }
    return count / (now() - began);
}

static double spawn_bare(int count) {
    extern char **environ;
    int output = open("bare", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    char bash[] = "bash", c[] = "-c", command[] = COMMAND, *arguments[] = {bash, c, command, NULL};
    double began = now();
    for (int started = 0, ended = 0; ended < count; ended++) {
        pid_t pid;
        for (; started < count && started - ended < PROCESSES; started++) {
            if (posix_spawn(&pid, "/bin/bash", &actions, NULL, arguments, environ) != 0) die("posix_spawn");
        }
        int status;
        if (waitpid(-1, &status, 0) < 0) die("waitpid");
    }
    double rate = count / (now() - began);
    close(output);
    return rate;
}

static int start_launcher(const char *program, char *state) {
    int orders[2];
    if (pipe2(orders, O_CLOEXEC) != 0) die("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(orders[0], 0);
        execl(program, program, "launch", state, (char *)NULL);
        die(program);
    }
    close(orders[0]);
    return orders[1];
}

int main(int argc, char **argv) {
    if (argc < 5) return fputs("rate PROGRAM FOLDER JOBS INFLIGHT [CGROUP FOLDER]\n", stderr), 2;
    char *program = realpath(argv[1], NULL), *state = realpath(argv[2], NULL);
    int jobs = atoi(argv[3]), inflight = atoi(argv[4]);
    if (chdir(state) != 0 || mkdir("jobs", 0700) != 0 || mkfifo("doorbell", 0600) != 0) die(state);
    int doorbell = open("doorbell", O_RDWR | O_CLOEXEC);
    int orders = start_launcher(program, state);
    for (int i = 0; i < jobs * ROUNDS; i++) write_plan(i, state, argc > 5 ? argv[5] : NULL);
    for (int round = 0; round < ROUNDS; round++) {
        double bare = spawn_bare(jobs), ours = run_jobs(orders, doorbell, round * jobs, jobs, inflight);
        printf("jobs/s %.0f  posix_spawn/s %.0f  ratio %.2f\n", ours, bare, ours / bare);
    }
    close(orders);
    return 0;
}
