/* mknod(2) makes a file without a descriptor of it: closing one would drop
 * the locks that another thread's SQLite has on the file by then. */
#include "base/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/uuid.h"

static bool
folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int n;

	if (slash == NULL)
		n = snprintf(folder, PATH_MAX, ".");
	else
		n = snprintf(folder, PATH_MAX, "%.*s/", (int)(slash - path),
		    path);
	if (n >= PATH_MAX)
		errno = ENAMETOOLONG;
	return n < PATH_MAX;
}

static void
give_to_folder_owner(const char *path)
{
	char folder[PATH_MAX];
	struct stat st;

	/* A file that stays root's is reported by who needs it. */
	if (folder_of(path, folder) && stat(folder, &st) == 0 &&
	    lchown(path, st.st_uid, st.st_gid) != 0)
		return;
}

void
state_file_make(const char *path)
{
	if (mknod(path, S_IFREG | 0600, 0) == 0 && geteuid() == 0)
		give_to_folder_owner(path);
}

int
state_file_open(const char *path, int flags)
{
	state_file_make(path);
	return open(path, flags | O_CREAT | O_CLOEXEC, 0600);
}

static bool
write_all(int fd, struct span bytes)
{
	ssize_t n;

	while (bytes.len > 0) {
		n = write(fd, bytes.data, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes.data += n;
		bytes.len -= (size_t)n;
	}
	return true;
}

bool
state_file_write(const char *path, struct span bytes, bool sync)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good;
	int why;

	if (fd < 0)
		return false;
	good = write_all(fd, bytes) && (!sync || fsync(fd) == 0);
	why = errno;
	if (close(fd) != 0 && good) {
		good = false;
		why = errno;
	}
	if (!good) {
		(void)unlink(path);
		errno = why;
	}
	return good;
}

/* A file system without hard links may still rename without replacing. */
static bool
give_name(const char *new_path, const char *path)
{
	if (link(new_path, path) == 0) {
		(void)unlink(new_path);
		return true;
	}
	return errno != EEXIST && renameat2(AT_FDCWD, new_path, AT_FDCWD,
	    path, RENAME_NOREPLACE) == 0;
}

static bool
sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd = -1;
	bool good;

	if (!folder_of(path, folder))
		return false;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	return good;
}

bool
state_file_publish(const char *path, struct span bytes)
{
	char new_path[PATH_MAX], id[UUID_TEXT];
	int n, why;

	if (uuid_random(id) != ERR_NONE) {
		errno = EIO;
		return false;
	}
	n = snprintf(new_path, sizeof(new_path), "%s.new-%s", path, id);
	if (n >= (int)sizeof(new_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (!state_file_write(new_path, bytes, true))
		return false;
	if (geteuid() == 0)
		give_to_folder_owner(new_path);
	if (!give_name(new_path, path)) {
		why = errno;
		(void)unlink(new_path);
		errno = why;
		return false;
	}
	return sync_folder(path);
}
