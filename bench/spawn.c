// spawn COUNT INFLIGHT OUTPUT COMMAND: runs bash -c COMMAND COUNT times, INFLIGHT at once, with its output in a
// file. Prints the seconds. This is about the fastest rate at which the machine starts such jobs, without HTTP,
// without a record, and without readers of the output.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    if (argc != 5) { fprintf(stderr, "spawn COUNT INFLIGHT OUTPUT COMMAND\n"); return 2; }
    int count = atoi(argv[1]), inflight = atoi(argv[2]), started = 0, ended = 0;
    int output = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (output < 0 || null < 0) { perror(argv[3]); return 1; }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, null, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    char *command[] = { "bash", "-c", argv[4], NULL };
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    while (ended < count) {
        for (pid_t pid; started < count && started - ended < inflight; started++)
            if (posix_spawn(&pid, "/bin/bash", &actions, NULL, command, environ) != 0) { perror("posix_spawn"); return 1; }
        int status;
        if (wait(&status) < 0 || status != 0) { fprintf(stderr, "a command failed\n"); return 1; }
        ended++;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.6f\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
    return 0;
}
