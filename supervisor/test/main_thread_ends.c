/*
 * main_thread_ends [name]: a process, of this name, whose main thread ends while another thread lives. Its state in /proc/PID/stat is then
 * that of a zombie. Prints "ready" when that has happened.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int main_has_ended(void) {
    char text[512] = {0};
    FILE *file = fopen("/proc/self/stat", "r");
    if (file == NULL) return 0;
    size_t got = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    const char *name_end = got == 0 ? NULL : strrchr(text, ')');
    return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'Z';
}

static void *live_on(void *nothing) {
    while (!main_has_ended()) (void)usleep(1000);
    (void)puts("ready");
    (void)fflush(stdout);
    for (;;) (void)pause();
    return nothing;
}

int main(int argc, char **argv) {
    pthread_t thread;
    if (argc > 1 && prctl(PR_SET_NAME, argv[1]) != 0) return 2;
    if (pthread_create(&thread, NULL, live_on, NULL) != 0) return 3;
    pthread_exit(NULL);
}
