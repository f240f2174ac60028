/* Preloaded into a process: logs what it does to a queue file, its log and its journal, in order, for a replay.
 *
 * RECORD_DB: the path of the queue file. RECORD_LOG: where to. RECORD_SAID: log what is written to stdout and stderr, too.
 * A record: kind, pid, offset, length (of data, or a size), length of the name, the name (what follows RECORD_DB in the path;
 * "/" is its directory), the data. A write is logged before it is made, an fsync before and after it, or F when it fails.
 *
 * FAIL="K,first,count": calls of kind K (W pwrite, S fsync, R pread, T ftruncate) on those files fail with EIO, from the
 * first one on, so many times.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 1024
static char names[MOST][24];
static const char *db, *said;
static int out = -1;
static char fail_kind;
static int fail_first, fail_count, calls;
static size_t db_length, folder_length;
static pid_t owner; /* a child between vfork and exec has our memory, and closes descriptors of its own */

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("RECORD_LOG");
  db = getenv("RECORD_DB");
  said = getenv("RECORD_SAID");
  owner = getpid();
  if (getenv("FAIL")) sscanf(getenv("FAIL"), "%c,%d,%d", &fail_kind, &fail_first, &fail_count);
  if (!db) return;
  db_length = strlen(db);
  folder_length = strrchr(db, '/') - db;
  if (!path) return;
  int fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  out = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  syscall(SYS_close, fd);
}

static void tell(char kind, const char *name, uint64_t offset, const void *data, uint64_t length) {
  struct { char kind, name_length; char pad[2]; int32_t pid; uint64_t offset, length; } head;
  if (out < 0) return;
  memset(&head, 0, sizeof head);
  head.kind = kind;
  head.name_length = strlen(name);
  head.pid = getpid();
  head.offset = offset;
  head.length = length;
  struct iovec parts[3] = {{&head, sizeof head}, {(void *)name, head.name_length}, {(void *)data, data ? length : 0}};
  if (syscall(SYS_writev, out, parts, 3) < 0) abort();
}

static int fails(char kind, const char *name) {
  if (!name || kind != fail_kind || ++calls < fail_first || calls >= fail_first + fail_count) return 0;
  errno = EIO;
  return 1;
}

static const char *name_of(const char *path) { /* NULL: it is none of ours */
  if (!db) return NULL;
  if (strlen(path) == folder_length && !strncmp(path, db, folder_length)) return "/";
  if (strncmp(path, db, db_length)) return NULL;
  const char *end = path + db_length;
  return !*end ? "db" : !strcmp(end, "-wal") || !strcmp(end, "-journal") ? end : NULL;
}

static const char *known(int fd) { return fd >= 0 && fd < MOST && names[fd][0] ? names[fd] : NULL; }

static int opened(int folder, const char *path, int flags, int mode) {
  const char *name = name_of(path);
  int is_new = name && (flags & O_CREAT) && syscall(SYS_faccessat, folder, path, F_OK) != 0;
  if (is_new) tell('C', name, 0, NULL, 0);
  int (*next)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat");
  int fd = next(folder, path, flags, mode);
  if (fd >= 0 && fd < MOST && getpid() == owner) snprintf(names[fd], sizeof names[fd], "%s", name ? name : "");
  if (fd >= 0 && name && (flags & O_TRUNC)) tell('T', name, 0, NULL, 0);
  return fd;
}

#define MODE int mode = 0; if (flags & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode); }

int close(int fd) {
  int (*next)(int) = dlsym(RTLD_NEXT, "close");
  if (fd >= 0 && fd < MOST && getpid() == owner) names[fd][0] = 0;
  return next(fd);
}

static ssize_t put(int fd, const void *data, size_t length, off_t offset) {
  const char *name = known(fd);
  if (fails('W', name)) return -1;
  if (name) tell('W', name, offset, data, length);
  return syscall(SYS_pwrite64, fd, data, length, offset);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return put(fd, data, length, offset); }
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) { return put(fd, data, length, offset); }

static ssize_t get(int fd, void *data, size_t length, off_t offset) {
  return fails('R', known(fd)) ? -1 : syscall(SYS_pread64, fd, data, length, offset);
}
ssize_t pread(int fd, void *data, size_t length, off_t offset) { return get(fd, data, length, offset); }
ssize_t pread64(int fd, void *data, size_t length, off_t offset) { return get(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
  const char *name = known(fd);
  ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  if (name) tell('W', name, lseek(fd, 0, SEEK_CUR), data, length);
  else if (said && (fd == 1 || fd == 2)) tell('A', fd == 1 ? "stdout" : "stderr", 0, data, length);
  return next(fd, data, length);
}

static int cut(int fd, off_t size) {
  const char *name = known(fd);
  if (fails('T', name)) return -1;
  if (name) tell('T', name, size, NULL, 0);
  return syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

static int synced(int fd, long number) {
  const char *name = known(fd);
  if (fails('S', name)) {
    tell('F', name, 0, NULL, 0);
    return -1;
  }
  if (name) tell('B', name, 0, NULL, 0);
  int answer = syscall(number, fd);
  if (name && !answer) tell('E', name, 0, NULL, 0);
  return answer;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int unlink(const char *path) {
  int (*next)(const char *) = dlsym(RTLD_NEXT, "unlink");
  const char *name = name_of(path);
  if (name && !access(path, F_OK)) tell('U', name, 0, NULL, 0);
  return next(path);
}
