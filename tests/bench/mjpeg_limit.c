/* The yardstick of the MJPEG benchmark: what the kernel alone takes for the same bytes.
 *
 * mjpeg_limit PART_BYTES FPS SNDBUF_BYTES
 *
 * Listens on a free port of 127.0.0.1, prints it, and send()s one buffer of PART_BYTES to every client, FPS
 * times a second, from one thread. A client whose socket is full gets the rest of its part at a later tick
 * instead of a new one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { MAX_CLIENTS = 4096, MAX_EVENTS = 64, REQUEST_BYTES = 4096 };

struct client {
    int socket;
    size_t left; /* of the part it is on; 0: it takes a whole one next */
};

static struct client clients[MAX_CLIENTS];
static int client_count;

static int listen_on_loopback(int send_buffer)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        exit(1);
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void take_client(int listener)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";
    static const int on = 1;
    char request[REQUEST_BYTES];
    int accepted = accept4(listener, NULL, NULL, 0);
    if (accepted < 0 || client_count == MAX_CLIENTS)
        return;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (recv(accepted, request, sizeof request, 0) > 0 && send(accepted, head, sizeof head - 1, 0) > 0)
        clients[client_count++] = (struct client){.socket = accepted};
}

static void send_part(const char *part, size_t size)
{
    for (int i = 0; i < client_count; i++) {
        struct client *to = &clients[i];
        size_t wanted = to->left ? to->left : size;
        ssize_t sent = send(to->socket, part + size - wanted, wanted, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0)
            to->left = wanted - (size_t)sent;
    }
}

int main(int count, char **arguments)
{
    if (count != 4)
        return 2;
    size_t size = strtoul(arguments[1], NULL, 10);
    long period_ns = 1000000000L / strtol(arguments[2], NULL, 10);
    char *part = malloc(size);
    memset(part, 'x', size);

    int listener = listen_on_loopback(atoi(arguments[3]));
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec every = {.it_interval.tv_nsec = period_ns, .it_value.tv_nsec = period_ns};
    timerfd_settime(timer, 0, &every, NULL);
    int poll = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted);
    wanted.data.fd = timer;
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &wanted);

    for (;;) {
        struct epoll_event ready[MAX_EVENTS];
        uint64_t ticks;
        int n = epoll_wait(poll, ready, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listener)
                take_client(listener);
            else if (read(timer, &ticks, sizeof ticks) > 0)
                send_part(part, size);
        }
    }
}
