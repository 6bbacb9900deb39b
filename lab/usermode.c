/* What goes between User Mode Linux and the C library.
 *
 * Debian 12's keeps 2,696 bytes of floating point registers. Processors with AMX have 11,008, and their
 * kernel takes back the whole only: the first program would end in a panic. So what is given is laid over what is there.
 *
 * Its disks are thrown away: nothing waits until they are on this machine's own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

long ptrace(enum __ptrace_request request, ...) __attribute__((nothrow));

long ptrace(enum __ptrace_request request, ...)
{
    static long (*system_call)(enum __ptrace_request, ...);
    static char room[65536];
    va_list rest;
    va_start(rest, request);
    int pid = va_arg(rest, int);
    void *kind = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (!system_call)
        system_call = dlsym(RTLD_NEXT, "ptrace");
    long result = system_call(request, pid, kind, data);
    if (result >= 0 || request != PTRACE_SETREGSET || (long)kind != NT_X86_XSTATE)
        return result;
    struct iovec whole = {room, sizeof room}, *given = data;
    if (system_call(PTRACE_GETREGSET, pid, kind, &whole) < 0 || given->iov_len > whole.iov_len)
        return -1;
    memcpy(room, given->iov_base, given->iov_len);
    return system_call(request, pid, kind, &whole);
}

int fsync(int file)
{
    (void)file;
    return 0;
}

int fdatasync(int file)
{
    (void)file;
    return 0;
}
