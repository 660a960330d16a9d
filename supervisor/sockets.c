#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Longer than any question. Each part of a longer line is answered as an invalid question.
enum { LINE_BYTES = 256 };

/** A connection, as seen from the socket at one of its ends. */
struct end {
    uint8_t family;
    struct inet_diag_sockid id;
};

static bool answer(int netlink, const char *line, uint32_t *number);
static bool read_ends(const char *text, struct end *ours);
static bool read_address(const char *text, struct end *end, __be32 *address);
static bool owner_of_other(int netlink, const struct end *ours, uint32_t *uid);
static bool unacknowledged(int netlink, const struct end *ours, uint32_t *bytes);
static struct end turned(const struct end *end);
static bool find(int netlink, const struct end *end, struct inet_diag_msg *found);
static bool ask(int netlink, const struct end *end);
static bool hear(int netlink, struct inet_diag_msg *socket);

int sockets(void) {
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0) {
        (void)fprintf(stderr, "jobrunner-supervisor: sock_diag: %s\n", strerror(errno));
        return 1;
    }
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        uint32_t number = 0;
        int printed = answer(netlink, line, &number) ? printf("%u\n", (unsigned)number) : printf("-\n");
        if (printed < 0 || fflush(stdout) != 0) return 1;
    }
    return 0;
}

static bool answer(int netlink, const char *line, uint32_t *number) {
    static const char owner[] = "owner ", queue[] = "queue ";
    struct end ours;
    if (strncmp(line, owner, sizeof owner - 1) == 0) return read_ends(line + sizeof owner - 1, &ours) && owner_of_other(netlink, &ours,
        number);
    if (strncmp(line, queue, sizeof queue - 1) == 0) return read_ends(line + sizeof queue - 1, &ours) && unacknowledged(netlink, &ours,
        number);
    return false;
}

static bool read_ends(const char *text, struct end *ours) {
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
    unsigned local_port, remote_port;
    *ours = (struct end){0};
    if (sscanf(text, "%45s %5u %45s %5u", local, &local_port, remote, &remote_port) != 4) return false;
    if (local_port > UINT16_MAX || remote_port > UINT16_MAX) return false;
    ours->family = strchr(local, ':') == NULL ? AF_INET : AF_INET6;
    ours->id.idiag_sport = htons((uint16_t)local_port);
    ours->id.idiag_dport = htons((uint16_t)remote_port);
    ours->id.idiag_cookie[0] = ours->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return read_address(local, ours, ours->id.idiag_src) && read_address(remote, ours, ours->id.idiag_dst);
}

static bool read_address(const char *text, struct end *end, __be32 *address) {
    return inet_pton(end->family, text, address) == 1;
}

/**
 * Our end must exist and belong to our user: otherwise the pair is not the connection of the service. A socket that its process has closed
 * has no inode, and the kernel reports root as its owner.
 */
static bool owner_of_other(int netlink, const struct end *ours, uint32_t *uid) {
    struct end theirs = turned(ours);
    struct inet_diag_msg own, other;
    if (!find(netlink, ours, &own) || own.idiag_inode == 0 || own.idiag_uid != geteuid()) return false;
    if (!find(netlink, &theirs, &other) || other.idiag_inode == 0) return false;
    *uid = other.idiag_uid;
    return true;
}

static bool unacknowledged(int netlink, const struct end *ours, uint32_t *bytes) {
    struct inet_diag_msg own;
    if (!find(netlink, ours, &own)) return false;
    *bytes = own.idiag_wqueue;
    return true;
}

static struct end turned(const struct end *end) {
    struct end other = *end;
    other.id.idiag_sport = end->id.idiag_dport;
    other.id.idiag_dport = end->id.idiag_sport;
    memcpy(other.id.idiag_src, end->id.idiag_dst, sizeof other.id.idiag_src);
    memcpy(other.id.idiag_dst, end->id.idiag_src, sizeof other.id.idiag_dst);
    return other;
}

/** sock_diag(7). If there is no such connection, the kernel returns the listening socket, which has no other end. */
static bool find(int netlink, const struct end *end, struct inet_diag_msg *found) {
    if (!ask(netlink, end) || !hear(netlink, found)) return false;
    return found->id.idiag_sport == end->id.idiag_sport && found->id.idiag_dport == end->id.idiag_dport;
}

static bool ask(int netlink, const struct end *end) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof message, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = end->family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U, .id = end->id},
    };
    return send(netlink, &message, sizeof message, 0) == (ssize_t)sizeof message;
}

/** Reads the answer, which has arrived when the question is sent (netlink(7)). It is an error if there is no such connection. */
static bool hear(int netlink, struct inet_diag_msg *socket) {
    union {
        struct nlmsghdr header;
        char bytes[8192];
    } message;
    ssize_t got = recv(netlink, &message, sizeof message, MSG_DONTWAIT);
    if (got < (ssize_t)NLMSG_LENGTH(sizeof *socket) || message.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
    memcpy(socket, NLMSG_DATA(&message.header), sizeof *socket);
    return true;
}
