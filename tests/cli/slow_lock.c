/* Preloaded: a lock that is taken holds its process up for ten seconds, whatever signals come, as a file on a slow disk would. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/file.h>
#include <time.h>

int flock(int fd, int how)
{
    static int (*real)(int, int);
    struct timespec left = {.tv_sec = 10};
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "flock");
    int out = real(fd, how);
    while (out == 0 && nanosleep(&left, &left) != 0) {}
    return out;
}
