/* A disk that fails, for a program started with this preloaded.

   FAILING_DISK_AT is how the paths on that disk begin. While the file FAILING_DISK_WHEN exists, what its first
   letter names fails there with EIO: 's' the calls that sync, 'w' those that write. A failed sync changes
   nothing else, as on Linux: what was written stays readable until the power goes. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int lies_there(int descriptor)
{
    const char *begin = getenv("FAILING_DISK_AT");
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (begin == NULL || length < 0)
        return 0;
    path[length] = '\0';
    return strncmp(path, begin, strlen(begin)) == 0;
}

static int fails(int descriptor, char call)
{
    int before = errno, answer = 0;
    const char *when = getenv("FAILING_DISK_WHEN");
    int trigger = when == NULL ? -1 : open(when, O_RDONLY | O_CLOEXEC);
    if (trigger >= 0) {
        char wanted = '\0';
        answer = read(trigger, &wanted, 1) == 1 && wanted == call && lies_there(descriptor);
        close(trigger);
    }
    errno = answer ? EIO : before;
    return answer;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int descriptor)
{
    return fails(descriptor, 's') ? -1 : REAL(fsync)(descriptor);
}

int fdatasync(int descriptor)
{
    return fails(descriptor, 's') ? -1 : REAL(fdatasync)(descriptor);
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    return fails(descriptor, 'w') ? -1 : REAL(write)(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset)
{
    return fails(descriptor, 'w') ? -1 : REAL(pwrite)(descriptor, data, size, offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset)
{
    return fails(descriptor, 'w') ? -1 : REAL(pwrite64)(descriptor, data, size, offset);
}
