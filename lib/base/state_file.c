/* mknod(2) makes a file without a descriptor of it: closing one would drop
 * the locks that another thread's SQLite has on the file by then. */
#include "base/state_file.h"

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
