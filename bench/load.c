// load PORT PATH BODY COUNT CLIENTS [PATH TEXT]…
//
// Sends COUNT times POST PATH with BODY over CLIENTS kept connections, the next on each as soon as the answer is
// there. Then asks each PATH again and again until its answer contains TEXT. Prints the seconds until all answers
// were there, the seconds in all, and how many answers were not 200.
//
// In C, because it shares the cores with the measured service: a node:http client would cost 0.1 ms per request.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client { int fd; size_t have; char answer[1 << 20]; };

static int connect_to(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) { perror("connect"); exit(1); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void send_all(int fd, const char *text, size_t length) {
    if (send(fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) { perror("send"); exit(1); }
}

// Whether the answer is complete. Handles both framings, because Go and Node choose different ones.
static int complete(const char *answer, size_t have) {
    const char *body = strstr(answer, "\r\n\r\n");
    if (!body) return 0;
    body += 4;
    size_t length = have - (size_t)(body - answer);
    const char *line = strcasestr(answer, "\r\ncontent-length:");
    if (line && line < body) return length >= strtoul(line + 17, NULL, 10);
    return length >= 5 && memcmp(answer + have - 5, "0\r\n\r\n", 5) == 0;
}

// Reads the available bytes; 1 when the answer is complete.
static int receive(struct client *c) {
    ssize_t got = recv(c->fd, c->answer + c->have, sizeof c->answer - 1 - c->have, 0);
    if (got <= 0) { fprintf(stderr, "the connection was closed before the answer was complete\n"); exit(1); }
    c->have += (size_t)got;
    c->answer[c->have] = 0;
    return complete(c->answer, c->have);
}

int main(int argc, char **argv) {
    if (argc < 6 || argc % 2 != 0) { fprintf(stderr, "load PORT PATH BODY COUNT CLIENTS [PATH TEXT]...\n"); return 2; }
    int port = atoi(argv[1]), count = atoi(argv[4]), clients = atoi(argv[5]), sent = 0, answered = 0, refused = 0;
    char request[8192];
    int length = snprintf(request, sizeof request,
        "POST %s HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        argv[2], port, strlen(argv[3]), argv[3]);
    if (length >= (int)sizeof request) return 2;
    struct client *all = calloc((size_t)clients, sizeof *all);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < clients; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all[i] };
        all[i].fd = connect_to(port);
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    double began = now();
    for (int i = 0; i < clients && sent < count; i++, sent++) send_all(all[i].fd, request, (size_t)length);
    while (answered < count) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, 60000);
        if (ready <= 0) { fprintf(stderr, "no answer for 60 s\n"); return 1; }
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            if (!receive(c)) continue;
            if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0 && refused++ == 0) fprintf(stderr, "%.500s\n", c->answer);
            answered++;
            c->have = 0;
            if (sent < count) { send_all(c->fd, request, (size_t)length); sent++; }
        }
    }
    double answers = now() - began;
    for (int i = 6; i + 1 < argc; i += 2) {
        length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", argv[i], port);
        for (int tries = 0; ; tries++) {
            if (now() - began > 300) { fprintf(stderr, "GET %s did not answer %s within 300 s\n", argv[i], argv[i + 1]); return 1; }
            all[0].have = 0;
            send_all(all[0].fd, request, (size_t)length);
            while (!receive(&all[0])) if (all[0].have >= sizeof all[0].answer - 1) { fprintf(stderr, "answer too long\n"); return 1; }
            if (strstr(all[0].answer, argv[i + 1])) break;
            usleep(5000);
        }
    }
    printf("%.6f %.6f %d\n", answers, now() - began, refused);
    return 0;
}
