/* healthy [PORT]: exit code 0 where a server of this machine answers GET /health with 200. For an image's health check, where there is
 * no other client; it waits for three seconds at most. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    enum { PATIENCE = 3 }; /* seconds */
    static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", fine[] = "HTTP/1.1 200 ";
    const char *port = argc > 1 ? argv[1] : "8080";
    char *end, answer[sizeof fine];
    const long number = strtol(port, &end, 10);
    if (argc > 2 || *end || end == port || number < 1 || number > 65535) {
        fprintf(stderr, "healthy: '%s': expected a port\n", port);
        return 2;
    }
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    alarm(PATIENCE); /* nobody answers: the signal ends it */
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) return 1;
    if (write(fd, request, sizeof request - 1) != (ssize_t)(sizeof request - 1)) return 1;
    size_t have = 0;
    for (ssize_t n; have < sizeof fine - 1 && (n = read(fd, answer + have, sizeof fine - 1 - have)) > 0;) have += (size_t)n;
    return have == sizeof fine - 1 && memcmp(answer, fine, have) == 0 ? 0 : 1;
}
