/* Fails, cuts short or ends at one chosen system call of the process that it is loaded into (LD_PRELOAD).
 *
 * The programs call the kernel directly for most of what they do with files, so that a function of the same name in the way would see
 * little: the kernel is asked to send SIGSYS for these calls (seccomp), and the handler carries them out, or does not. A call that the
 * handler makes has MAGIC in its sixth argument, which none of these calls reads, and passes.
 *
 *   SYSCALL_FAULTS_PAGE   a file of 4096 bytes, shared with who chooses: struct page
 *   SYSCALL_FAULTS_TRACE  a file: a line `KIND PATH` for each call, appended
 *   SYSCALL_FAULTS_ROOT   only calls on files below this folder count; paths are told from there
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "registers are those of x86-64"
#endif

#define MAGIC 0x5ca1ab1eUL
#define LONGEST 4096

enum action { NONE, EIO_BEFORE, ENOSPC_BEFORE, EIO_AFTER, KILL_BEFORE, KILL_AFTER, SHORT, FULL };
enum kind { OPEN, WRITE, SYNC, SYNC_FS, RENAME, LINK, UNLINK, TRUNCATE, MAKE_DIR, READ, KINDS };

static const char *const names[KINDS] = {
    "open", "write", "sync", "syncfs", "rename", "link", "unlink", "truncate", "mkdir", "read"};

struct page {
    uint32_t armed, action, kind, nth;
    uint32_t seen, struck, full, traced;
    int64_t clock_offset;
    char path[512];
};

static struct page *page;
static int trace = -1;
static char root[LONGEST];
static size_t root_length;

static long raw(long number, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = MAGIC;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void die(void) {
    raw(SYS_kill, raw(SYS_getpid, 0, 0, 0, 0, 0), SIGKILL, 0, 0, 0);
    for (;;)
        raw(SYS_pause, 0, 0, 0, 0, 0);
}

/* The path of an open file, and its length; 0 where it has none. */
static size_t path_of_fd(int fd, char *to) {
    char link[32] = "/proc/self/fd/", digits[12];
    size_t at = strlen(link), count = 0;
    if (fd < 0)
        return 0;
    do {
        digits[count++] = (char)('0' + fd % 10);
        fd /= 10;
    } while (fd > 0);
    while (count > 0)
        link[at++] = digits[--count];
    link[at] = 0;
    long length = raw(SYS_readlink, (long)link, (long)to, LONGEST - 1, 0, 0);
    if (length <= 0)
        return 0;
    to[length] = 0;
    return (size_t)length;
}

/* The path below an open folder, or below that in which the process runs. */
static size_t path_at(int fd, const char *below, char *to) {
    size_t length = 0, more = strnlen(below, LONGEST);
    if (below[0] != '/') {
        if (fd == AT_FDCWD) {
            long found = raw(SYS_readlink, (long)"/proc/self/cwd", (long)to, LONGEST - 1, 0, 0);
            length = found > 0 ? (size_t)found : 0;
        } else {
            length = path_of_fd(fd, to);
        }
        if (length == 0 || length + more + 2 > LONGEST)
            return 0;
        to[length++] = '/';
    }
    if (length + more + 1 > LONGEST)
        return 0;
    memcpy(to + length, below, more + 1);
    return length + more;
}

/* A path below the root as a point has it: each number is `#`, each name by chance or digest `*`. 0 for what is elsewhere. */
static int point_of(const char *path, char *to, size_t room) {
    if (strncmp(path, root, root_length) != 0 || path[root_length] != '/')
        return 0;
    const char *part = path + root_length + 1;
    size_t out = 0;
    int unfinished = 0;
    while (*part) {
        size_t length = strcspn(part, "/"), i = 0;
        while (i < length) {
            /* Sixteen digits of a digest or of a name by chance, or more. */
            size_t run = strspn(part + i, "0123456789abcdef-");
            char byte = part[i];
            if (unfinished || run >= 16) {
                byte = '*';
                i = unfinished ? length : i + run;
            } else {
                byte = byte >= '0' && byte <= '9' ? '#' : byte;
                i++;
            }
            if (byte == '#' && out > 0 && to[out - 1] == '#')
                continue;
            if (out + 2 > room)
                return 0;
            to[out++] = byte;
        }
        unfinished = length == 4 && strncmp(part, ".tmp", 4) == 0;
        part += length;
        if (*part == '/') {
            part++;
            if (out + 2 > room)
                return 0;
            to[out++] = '/';
        }
    }
    to[out] = 0;
    return 1;
}

static void note(enum kind kind, const char *point) {
    char line[600];
    size_t name = strlen(names[kind]), length = strlen(point);
    if (trace < 0 || !page->traced || name + length + 2 > sizeof line)
        return;
    memcpy(line, names[kind], name);
    line[name] = ' ';
    memcpy(line + name + 1, point, length);
    line[name + 1 + length] = '\n';
    raw(SYS_write, trace, (long)line, (long)(name + length + 2), 0, 0);
}

/* What is to be done with a call, once it is known what it is. */
static enum action choose(enum kind kind, const char *point) {
    note(kind, point);
    if (__atomic_load_n(&page->armed, __ATOMIC_SEQ_CST) == 0)
        return NONE;
    if (__atomic_load_n(&page->full, __ATOMIC_SEQ_CST) == 0) {
        if (page->kind != kind || strcmp(page->path, point) != 0)
            return NONE;
        if (__atomic_add_fetch(&page->seen, 1, __ATOMIC_SEQ_CST) != page->nth)
            return NONE;
        __atomic_add_fetch(&page->struck, 1, __ATOMIC_SEQ_CST);
        if (page->action != FULL)
            return page->action;
        __atomic_store_n(&page->full, 1, __ATOMIC_SEQ_CST);
        return ENOSPC_BEFORE;
    }
    int takes_room = kind == OPEN || kind == WRITE || kind == LINK || kind == MAKE_DIR || kind == TRUNCATE;
    return takes_room ? ENOSPC_BEFORE : NONE;
}

static long carry_out(enum action action, long number, const long *a) {
    long result;
    switch (action) {
    case EIO_BEFORE:
        return -EIO;
    case ENOSPC_BEFORE:
        return -ENOSPC;
    case KILL_BEFORE:
        die();
        return -EIO;
    case EIO_AFTER:
        result = raw(number, a[0], a[1], a[2], a[3], a[4]);
        return result < 0 ? result : -EIO;
    case KILL_AFTER:
        raw(number, a[0], a[1], a[2], a[3], a[4]);
        die();
        return -EIO;
    case SHORT:
        return raw(number, a[0], a[1], a[2] > 1 ? a[2] / 2 : a[2], a[3], a[4]);
    default:
        return raw(number, a[0], a[1], a[2], a[3], a[4]);
    }
}

static long handle(long number, const long *a) {
    char path[LONGEST], point[512];
    enum kind kind;
    size_t length = 0;
    switch (number) {
    case SYS_openat:
        kind = OPEN;
        length = path_at((int)a[0], (const char *)a[1], path);
        break;
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
        kind = WRITE;
        length = path_of_fd((int)a[0], path);
        break;
    case SYS_read:
    case SYS_pread64:
        kind = READ;
        length = path_of_fd((int)a[0], path);
        break;
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_sync_file_range:
        kind = SYNC;
        length = path_of_fd((int)a[0], path);
        break;
    case SYS_syncfs:
        kind = SYNC_FS;
        length = path_of_fd((int)a[0], path);
        break;
    case SYS_rename:
        kind = RENAME;
        length = path_at(AT_FDCWD, (const char *)a[1], path);
        break;
    case SYS_renameat:
    case SYS_renameat2:
        kind = RENAME;
        length = path_at((int)a[2], (const char *)a[3], path);
        break;
    case SYS_linkat:
        kind = LINK;
        length = path_at((int)a[2], (const char *)a[3], path);
        break;
    case SYS_unlink:
    case SYS_rmdir:
        kind = UNLINK;
        length = path_at(AT_FDCWD, (const char *)a[0], path);
        break;
    case SYS_unlinkat:
        kind = UNLINK;
        length = path_at((int)a[0], (const char *)a[1], path);
        break;
    case SYS_ftruncate:
    case SYS_fallocate:
        kind = TRUNCATE;
        length = path_of_fd((int)a[0], path);
        break;
    case SYS_mkdir:
        kind = MAKE_DIR;
        length = path_at(AT_FDCWD, (const char *)a[0], path);
        break;
    case SYS_mkdirat:
        kind = MAKE_DIR;
        length = path_at((int)a[0], (const char *)a[1], path);
        break;
    default:
        return carry_out(NONE, number, a);
    }
    if (length == 0 || !point_of(path, point, sizeof point))
        return carry_out(NONE, number, a);
    enum action action = choose(kind, point);
    if (action == SHORT && (number == SYS_writev || (kind != READ && kind != WRITE)))
        action = NONE;
    return carry_out(action, number, a);
}

static void on_call(int signal, siginfo_t *about, void *context) {
    (void)signal;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    long arguments[5] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX], registers[REG_R10], registers[REG_R8]};
    registers[REG_RAX] = handle(about->si_syscall, arguments);
}

/* The wall clock alone: waits and deadlines go by others. */
int clock_gettime(clockid_t clock, struct timespec *to) {
    long result = raw(SYS_clock_gettime, clock, (long)to, 0, 0, 0);
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    if (clock == CLOCK_REALTIME && page)
        to->tv_sec += __atomic_load_n(&page->clock_offset, __ATOMIC_SEQ_CST);
    return 0;
}

#define LOW(argument) (offsetof(struct seccomp_data, args) + 8 * (argument))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define TRAP_IF(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)

static int ask_for_signals(int with_reads) {
    struct sock_filter filter[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(LOW(5)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAGIC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(offsetof(struct seccomp_data, nr)),
        TRAP_IF(SYS_write), TRAP_IF(SYS_pwrite64), TRAP_IF(SYS_writev), TRAP_IF(SYS_fsync), TRAP_IF(SYS_fdatasync),
        TRAP_IF(SYS_sync_file_range), TRAP_IF(SYS_syncfs), TRAP_IF(SYS_rename), TRAP_IF(SYS_renameat), TRAP_IF(SYS_renameat2),
        TRAP_IF(SYS_linkat), TRAP_IF(SYS_unlink), TRAP_IF(SYS_unlinkat), TRAP_IF(SYS_rmdir), TRAP_IF(SYS_ftruncate),
        TRAP_IF(SYS_fallocate), TRAP_IF(SYS_mkdir), TRAP_IF(SYS_mkdirat),
        TRAP_IF(with_reads ? SYS_read : SYS_write), TRAP_IF(with_reads ? SYS_pread64 : SYS_write),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(LOW(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Where this cannot be done the process must not run as if it were. */
static void give_up(const char *why) {
    raw(SYS_write, 2, (long)why, (long)strlen(why), 0, 0);
    raw(SYS_exit_group, 99, 0, 0, 0, 0);
}

__attribute__((constructor)) static void begin(void) {
    const char *shared = getenv("SYSCALL_FAULTS_PAGE"), *lines = getenv("SYSCALL_FAULTS_TRACE");
    const char *below = getenv("SYSCALL_FAULTS_ROOT");
    if (!shared || !below)
        return;
    root_length = strlen(below);
    if (root_length >= LONGEST)
        return give_up("syscall faults: the root is too long\n");
    memcpy(root, below, root_length + 1);
    int file = open(shared, O_RDWR | O_CLOEXEC);
    page = file < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED)
        return give_up("syscall faults: no page\n");
    close(file);
    trace = lines ? open(lines, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSYS, &action, NULL) != 0 || !ask_for_signals(getenv("SYSCALL_FAULTS_READ") != NULL))
        give_up("syscall faults: this kernel sends no signal for system calls (seccomp)\n");
}
