/* Many viewers of one MJPEG stream, whose bytes the kernel throws away uncopied.
 *
 * mjpeg_viewers PORT VIEWERS WARM_UP_S WINDOW_S
 *
 * Prints "begin" when all are connected and the warm-up is over, and at the end of the window
 * "end SECONDS TOTAL_BYTES LEAST_BYTES CLOSED": the time it took, what all and the worst served viewer got in
 * it, and how many connections the server closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_VIEWERS = 4096, MAX_EVENTS = 512, READS_PER_EVENT = 3, READ_BYTES = 1 << 22 };

static unsigned long long received[MAX_VIEWERS];
static int closed_count;

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int connect_viewer(int port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    int viewer = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(viewer, (struct sockaddr *)&address, sizeof address) ||
        send(viewer, request, sizeof request - 1, 0) < 0)
        exit(1);
    fcntl(viewer, F_SETFL, O_NONBLOCK);
    return viewer;
}

static void drain(const struct epoll_event *event, const int *sockets)
{
    unsigned int index = event->data.u32;
    for (int i = 0; i < READS_PER_EVENT; i++) {
        ssize_t size = recv(sockets[index], NULL, READ_BYTES, MSG_TRUNC);
        if (size < 0)
            return;
        if (size == 0) {
            close(sockets[index]);
            closed_count++;
            return;
        }
        received[index] += (unsigned long long)size;
    }
}

static double read_for(int poll, const int *sockets, double seconds)
{
    struct epoll_event ready[MAX_EVENTS];
    double start = now_s(), time = start;
    while (time - start < seconds) {
        int n = epoll_wait(poll, ready, MAX_EVENTS, 20);
        for (int i = 0; i < n; i++)
            drain(&ready[i], sockets);
        time = now_s();
    }
    return time - start;
}

int main(int count, char **arguments)
{
    if (count != 5)
        return 2;
    int viewers = atoi(arguments[2]), poll = epoll_create1(0);
    static int sockets[MAX_VIEWERS];
    if (viewers > MAX_VIEWERS)
        return 2;
    for (int i = 0; i < viewers; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned int)i};
        sockets[i] = connect_viewer(atoi(arguments[1]));
        epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &event);
    }
    read_for(poll, sockets, atof(arguments[3]));
    puts("begin");
    fflush(stdout);
    memset(received, 0, sizeof received);
    double took_s = read_for(poll, sockets, atof(arguments[4]));

    unsigned long long total = 0, least = received[0];
    for (int i = 0; i < viewers; i++) {
        total += received[i];
        least = received[i] < least ? received[i] : least;
    }
    printf("end %.4f %llu %llu %d\n", took_s, total, least, closed_count);
    return 0;
}
