// firstbyte COUNT PORT...: in turns, COUNT times each,
//   a bare spawn of bash -c 'echo hello' until its first byte came through a pipe, and, at each PORT,
//   POST / of the same command, then GET /ID/attach on a second kept connection, until its first byte was there;
// at the first PORT also POST /?attach=true, whose answer is the output.
// Prints a line for each turn, in milliseconds: the bare spawn, POST /?attach=true, then each port. In C, so that the client adds nothing
// that counts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void fail(const char *what) { fprintf(stderr, "%s\n", what); exit(1); }

static double bare_spawn(void) {
    int ends[2], status;
    pid_t pid;
    char byte, *command[] = { "bash", "-c", "echo hello", NULL };
    double began = now();
    if (pipe2(ends, O_CLOEXEC) < 0) fail("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Like a job. If standard input is a socket, as from Node, bash takes itself for a remote shell and reads the start-up files.
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawn(&pid, "/bin/bash", &actions, NULL, command, environ) != 0) fail("posix_spawn");
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) fail("no output of the bare spawn");
    double took = now() - began;
    close(ends[0]);
    waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    return took;
}

static int connect_to(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct timeval limit = { .tv_sec = 20 };
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

// Reads until the answer contains the text; returns its position.
static char *read_until(int fd, char *buffer, size_t size, size_t *have, const char *text) {
    for (char *found; ; ) {
        buffer[*have] = 0;
        if ((found = strstr(buffer, text))) return found;
        ssize_t got = *have + 1 < size ? recv(fd, buffer + *have, size - 1 - *have, 0) : 0;
        if (got <= 0) { fprintf(stderr, "waited for \"%s\", got: %.600s\n", text, buffer); exit(1); }
        *have += (size_t)got;
    }
}

// Reads up to the last chunk and the trailers, so that the connection can be used again.
static void read_rest(int fd, char *answer, size_t size, size_t *have) {
    read_until(fd, answer, size, have, "\r\n0\r\n");
    while (strcmp(answer + *have - 4, "\r\n\r\n") != 0) {
        ssize_t got = recv(fd, answer + *have, size - 1 - *have, 0);
        if (got <= 0) fail("the answer did not end");
        *have += (size_t)got;
        answer[*have] = 0;
    }
}

static const char *body = "{\"CommandLine\":\"echo hello\"}";

static double at_once(int port, int submit) {
    char request[512], answer[16384];
    size_t have = 0;
    int length = snprintf(request, sizeof request, "POST /?attach=true HTTP/1.1\r\nHost: localhost:%d\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", port, strlen(body), body);
    double began = now();
    if (send(submit, request, (size_t)length, MSG_NOSIGNAL) != length) fail("send");
    read_until(submit, answer, sizeof answer, &have, "hello");
    double took = now() - began;
    read_rest(submit, answer, sizeof answer, &have);
    return took;
}

static double through_http(int port, int submit, int reader) {
    char request[512], answer[16384], id[64];
    size_t have = 0;
    int length = snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s", port, strlen(body), body);
    double began = now();
    if (send(submit, request, (size_t)length, MSG_NOSIGNAL) != length) fail("send");
    char *found = read_until(submit, answer, sizeof answer, &have, "\"ID\":\"");
    read_until(submit, answer, sizeof answer, &have, "\"}");
    if (sscanf(found, "\"ID\":\"%60[^\"]", id) != 1) fail("no ID");
    length = snprintf(request, sizeof request, "GET /%s/attach HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", id, port);
    if (send(reader, request, (size_t)length, MSG_NOSIGNAL) != length) fail("send");
    have = 0;
    read_until(reader, answer, sizeof answer, &have, "hello");
    double took = now() - began;
    read_rest(reader, answer, sizeof answer, &have);
    return took;
}

struct service { int port, submit, reader; double took; };

int main(int argc, char **argv) {
    enum { MOST = 4, WARM_UPS = 10 };
    struct service all[MOST];
    int services = argc - 2, count = argc > 2 ? atoi(argv[1]) : 0;
    if (services < 1 || services > MOST) { fprintf(stderr, "firstbyte COUNT PORT...\n"); return 2; }
    for (int i = 0; i < services; i++) {
        int port = atoi(argv[i + 2]);
        all[i] = (struct service){ .port = port, .submit = connect_to(port), .reader = connect_to(port) };
    }
    for (int turn = -WARM_UPS; turn < count; turn++) {
        double bare = bare_spawn();
        double attached = at_once(all[0].port, all[0].submit);
        usleep(2000);
        for (int i = 0; i < services; i++) {
            struct service *s = &all[(turn + WARM_UPS + i) % services]; // another one first each time
            s->took = through_http(s->port, s->submit, s->reader);
            usleep(2000);
        }
        if (turn < 0) continue;
        printf("%.4f %.4f", bare, attached);
        for (int i = 0; i < services; i++) printf(" %.4f", all[i].took);
        printf("\n");
    }
    return 0;
}
