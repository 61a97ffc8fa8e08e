/*
 * The state folder, as the user who runs this command sees it.
 *
 * Whether a database's write-ahead log (WAL) can work there is tried, on a
 * file without a name (O_TMPFILE): it takes room as the database will, so a
 * quota is seen, and whatever happens it leaves nothing.  By the file
 * system's type alone only network file systems are judged, as the store
 * judges them.  A database is not opened through SQLite, which would make
 * files beside it: its first bytes are read.
 */
#include "app/doctor_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "app/examination.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/config.h"

#define LOW_SPACE ((unsigned long long)100 << 20)
#define SHARED_BYTES 32768 /* as SQLite shares */
#define PATH_LEN_MAX 4200

/* What is in a folder that is not there, its own check has said. */
static bool
is_there(const struct examination *e)
{
	struct stat st;

	return stat(e->config->server.state, &st) == 0 &&
	    S_ISDIR(st.st_mode);
}

static bool
in_web_root(const char *path)
{
	static const char *const names[] = {"/public_html/", "/htdocs/",
	    "/httpdocs/", "/var/www/", "/www/"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(path, names[i]) != NULL)
			return true;
	return false;
}

/* Where locks or shared memory cannot be trusted. */
static const char *
network_name(long magic)
{
	switch (magic) {
	case 0x6969:
		return "NFS";
	case 0xFF534D42:
	case 0xFE534D42:
		return "SMB";
	case 0x65735546:
		return "FUSE";
	case 0x01021997:
		return "9p";
	default:
		return NULL;
	}
}

/* ---- the file system ---------------------------------------------------- */

/* True when it is a local one. */
static bool
examine_kind(struct examination *e, const char *path)
{
	struct statfs fs;
	const char *network;

	if (statfs(path, &fs) != 0)
		return false;
	network = network_name((long)fs.f_type & 0xFFFFFFFFL);
	if (network != NULL)
		finding(e, FINDING_WRONG, "state",
		    "state = /a/folder/on/a/local/disk",
		    "%s is on %s, where locks are not reliable", path,
		    network);
	return network == NULL;
}

static void
examine_space(struct examination *e, const char *path)
{
	struct statvfs space;
	unsigned long long left;
	char fix[FIX_MAX];

	if (statvfs(path, &space) != 0)
		return;
	left = (unsigned long long)space.f_bavail * space.f_frsize;
	finding(e, left < LOW_SPACE ? FINDING_WRONG : FINDING_OK, "space",
	    left < LOW_SPACE ? fix_path(fix, "df -h", path) : NULL,
	    "%llu MB are free for %s%s", left >> 20, path, left < LOW_SPACE
		? ": make room on that disk" : "");
	if (space.f_files > 0 && space.f_favail == 0)
		finding(e, FINDING_WRONG, "space",
		    fix_path(fix, "df -i", path),
		    "no more files can be made on the disk of %s", path);
}

/* Does a lock through one description hold against another one, and is
 * memory mapped through both the same? */
static bool
is_shared(int fd, int other)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = 1, .l_len = 1};
	unsigned char *a, *b;
	bool ok = false;

	if (fcntl(fd, F_SETLK, &lock) != 0 ||
	    fcntl(other, F_OFD_SETLK, &lock) == 0)
		return false;
	a = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	b = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    other, 0);
	if (a != MAP_FAILED && b != MAP_FAILED) {
		a[SHARED_BYTES - 1] = 42;
		ok = b[SHARED_BYTES - 1] == 42;
	}
	if (a != MAP_FAILED)
		(void)munmap(a, SHARED_BYTES);
	if (b != MAP_FAILED)
		(void)munmap(b, SHARED_BYTES);
	return ok;
}

static void
try_file(struct examination *e, const char *path, int fd)
{
	char zeros[SHARED_BYTES] = {0}, name[64], fix[FIX_MAX];
	int other;

	if (pwrite(fd, zeros, sizeof(zeros), 0) != (ssize_t)sizeof(zeros)) {
		finding(e, FINDING_WRONG, "space",
		    fix_path(fix, errno == EDQUOT ? "quota -s; du -sh" :
		    "df -h", path), "nothing can be written in %s: %s", path,
		    strerror(errno));
		return;
	}
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	other = open(name, O_RDWR | O_CLOEXEC);
	if (other < 0) /* no /proc: it cannot be tried */
		finding(e, FINDING_OK, "state", NULL,
		    "it is on a local file system");
	else if (is_shared(fd, other))
		finding(e, FINDING_OK, "state", NULL,
		    "its file system is local, holds locks and shares "
		    "memory: the database can use WAL");
	else
		finding(e, FINDING_WRONG, "state",
		    "state = /a/folder/on/a/local/disk",
		    "the file system of %s holds no locks or shares no "
		    "memory", path);
	if (other >= 0)
		(void)close(other);
}

void
check_file_system(struct examination *e)
{
	const char *path = e->config->server.state;
	int fd;

	if (!is_there(e))
		return;
	if (examine_kind(e, path)) {
		fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0) {
			try_file(e, path, fd);
			(void)close(fd);
		} else if (errno == EOPNOTSUPP || errno == EISDIR) {
			finding(e, FINDING_OK, "state", NULL,
			    "it is on a local file system");
		} else if (errno != EACCES && errno != EROFS) {
			finding(e, FINDING_WRONG, "state", NULL,
			    "no file can be made in %s: %s", path,
			    strerror(errno));
		}
	}
	examine_space(e, path);
}

/* ---- the database ------------------------------------------------------- */

static unsigned long
big_endian(const unsigned char *p, int n)
{
	unsigned long value = 0;

	while (n-- > 0)
		value = value << 8 | *p++;
	return value;
}

/* Bytes that the header promises; 0: it says nothing sure. */
static unsigned long long
promised(const unsigned char *head)
{
	unsigned long page = big_endian(head + 16, 2);

	if (memcmp(head + 24, head + 92, 4) != 0)
		return 0;
	return (unsigned long long)(page == 1 ? 65536 : page) *
	    big_endian(head + 28, 4);
}

static void
examine_head(struct examination *e, const char *path, int fd)
{
	static const char magic[16] = "SQLite format 3";
	unsigned char head[100];
	char wal[PATH_LEN_MAX + 8];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	struct stat st, log;
	bool is_wal;

	if (n == 0) {
		finding(e, FINDING_NOTE, NULL, NULL,
		    "%s is empty: the first request fills it", path);
		return;
	}
	if (n != (ssize_t)sizeof(head) ||
	    memcmp(head, magic, sizeof(magic)) != 0) {
		finding(e, FINDING_WRONG, NULL, NULL,
		    "%s is no database; restore it from a backup, or move it "
		    "away to begin anew", path);
		return;
	}
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	if (fstat(fd, &st) == 0 && (stat(wal, &log) != 0 ||
	    log.st_size == 0) &&
	    (unsigned long long)st.st_size < promised(head)) {
		finding(e, FINDING_WRONG, NULL, NULL,
		    "%s was cut short; restore it from a backup", path);
		return;
	}
	is_wal = head[18] == 2 && head[19] == 2;
	finding(e, is_wal ? FINDING_OK : FINDING_NOTE, NULL, NULL,
	    "%s can be read, its journal is \"%s\"%s", path,
	    is_wal ? "wal" : "delete", is_wal ? "" : ", the slower one");
}

/*
 * Who holds the lock that a writer has: of the log's index, else of the
 * rollback journal (SQLite's file format, 2.3 and "WAL-Index Format").
 * False: nobody; *pid is 0 when the kernel does not tell whose it is.
 */
static bool
is_locked(const char *path, pid_t *pid)
{
	static const struct {
		const char *suffix;
		off_t start, len;
	} locks[] = {{"-shm", 120, 1}, {"", 0x40000000, 2}};
	char name[PATH_LEN_MAX + 8];
	size_t i;

	for (i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		struct flock lock = {.l_type = F_WRLCK,
		    .l_whence = SEEK_SET, .l_start = locks[i].start,
		    .l_len = locks[i].len};
		int fd;
		bool held;

		(void)snprintf(name, sizeof(name), "%s%s", path,
		    locks[i].suffix);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		held = fcntl(fd, F_GETLK, &lock) == 0 &&
		    lock.l_type != F_UNLCK;
		(void)close(fd);
		*pid = lock.l_pid > 0 ? lock.l_pid : 0;
		if (held)
			return true;
	}
	return false;
}

/* As long as a request would wait: who writes holds it for moments. */
static void
examine_lock(struct examination *e, const char *path)
{
	int64_t until_ms = clock_monotonic_ms() +
	    e->config->server.busy_timeout_ms;
	const struct timespec pause = {.tv_nsec = 20000000};
	pid_t pid;

	while (is_locked(path, &pid)) {
		if (clock_monotonic_ms() < until_ms) {
			(void)nanosleep(&pause, NULL);
			continue;
		}
		finding(e, FINDING_WRONG, NULL,
		    "end that process, or raise busy_timeout in [server]",
		    "%s is locked by another process (%d)", path, (int)pid);
		return;
	}
}

void
check_database(struct examination *e)
{
	char path[PATH_LEN_MAX], fix[FIX_MAX];
	int fd;

	if (!is_there(e))
		return;
	(void)snprintf(path, sizeof(path), "%s/parlance.db",
	    e->config->server.state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		finding(e, FINDING_NOTE, NULL, NULL,
		    "%s will be made by the first request", path);
	} else if (fd < 0) {
		finding(e, FINDING_WRONG, NULL, fix_path(fix, "ls -l", path),
		    "%s: %s", path, strerror(errno));
	} else {
		examine_head(e, path, fd);
		(void)close(fd);
		if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
			finding(e, FINDING_WRONG, NULL,
			    fix_path(fix, "ls -l", path),
			    "%s cannot be written by user %d: %s", path,
			    (int)geteuid(), strerror(errno));
		examine_lock(e, path);
	}
}

/* As root, an admin command can leave files that the program cannot
 * write. */
void
check_owners(struct examination *e)
{
	static const char *const names[] = {"parlance.db", "parlance.db-wal",
	    "parlance.db-shm", "index.db", "index.db-wal", "index.db-shm",
	    SECRET_FILE, "files"};
	const char *folder = e->config->server.state;
	char path[PATH_LEN_MAX], command[64], fix[FIX_MAX];
	struct stat whole, st;
	size_t i;

	if (stat(folder, &whole) != 0)
		return;
	(void)snprintf(command, sizeof(command), "chown -R %u:%u",
	    (unsigned)whole.st_uid, (unsigned)whole.st_gid);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		    names[i]);
		if (stat(path, &st) != 0 || st.st_uid == whole.st_uid)
			continue;
		finding(e, FINDING_WRONG, "state",
		    fix_path(fix, command, folder),
		    "%s belongs to user %u, and its folder to user %u", path,
		    (unsigned)st.st_uid, (unsigned)whole.st_uid);
		return;
	}
}

void
check_secret(struct examination *e)
{
	char path[PATH_LEN_MAX], fix[FIX_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/" SECRET_FILE,
	    e->config->server.state);
	/* Made by the first that needs it. */
	if (e->config->server.secret != NULL || stat(path, &st) != 0)
		return;
	if ((st.st_mode & 077) != 0)
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "chmod 0600", path),
		    "%s: others may read it, and so make themselves any "
		    "visitor", path);
	else
		finding(e, FINDING_OK, NULL, NULL, "%s is its owner's alone",
		    path);
}

/* ---- the folder --------------------------------------------------------- */

void
check_state(struct examination *e)
{
	const char *path = e->config->server.state;
	char fix[FIX_MAX];
	struct stat st;

	if (stat(path, &st) != 0)
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "mkdir -p -m 0700", path),
		    "the state folder %s: %s (make it as the user that the "
		    "program runs as)", path, strerror(errno));
	else if (S_ISDIR(st.st_mode) && faccessat(AT_FDCWD, path,
	    R_OK | W_OK | X_OK, AT_EACCESS) == 0)
		finding(e, FINDING_OK, NULL, NULL,
		    "%s can be written (owner %d, mode %04o)", path,
		    (int)st.st_uid, (unsigned)st.st_mode & 07777);
	else if (S_ISDIR(st.st_mode) && errno == EROFS)
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "findmnt -T", path),
		    "the disk of %s is mounted read-only: mount it to be "
		    "written, or set state = ... to another folder", path);
	else
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "ls -ld", path),
		    "the state folder %s cannot be written by user %d (it "
		    "belongs to %d, mode %04o)%s", path, (int)geteuid(),
		    (int)st.st_uid, (unsigned)st.st_mode & 07777,
		    S_ISDIR(st.st_mode)
			? ": ask as the user that the program runs as"
			: ", it is no folder");
}

void
check_privacy(struct examination *e)
{
	const char *path = e->config->server.state;
	char fix[FIX_MAX];
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return;
	if ((st.st_mode & 07) != 0)
		finding(e, FINDING_WRONG, "state",
		    fix_path(fix, "chmod 0700", path),
		    "others may enter it, and it holds conversations");
	if (in_web_root(path))
		finding(e, FINDING_WRONG, "state",
		    "state = /a/folder/outside/of/the/web/site",
		    "%s looks like a part of the web site", path);
}
