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

static void
give_to_folder_owner(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;
	int n;

	if (slash == NULL)
		n = snprintf(folder, sizeof(folder), ".");
	else
		n = snprintf(folder, sizeof(folder), "%.*s/",
		    (int)(slash - path), path);
	/* A file that stays root's is reported by who needs it. */
	if (n < (int)sizeof(folder) && stat(folder, &st) == 0 &&
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
