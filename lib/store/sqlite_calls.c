/*
 * SQLite would cut the log off when it empties it, and every later commit
 * would make a file longer, which costs a sync a third more.  So the file
 * keeps its length, and so does the log's index in shared memory, which
 * whoever opens the database alone cuts and makes anew.  And SQLite syncs the
 * folder with the first sync of each connection, because the log's name might
 * be new; a log that was long when it was opened has been synced, name and
 * all, by those who made it so.
 */
#include "store/sqlite_calls.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>
#include <unistd.h>

#define LOG_HEADER 32
#define INDEX_HEADER 136
#define INDEX_CUT 3

static _Thread_local enum sqlite_calls skipped;
static int (*cut_file)(int, off_t);
static int (*open_folder)(const char *, int *);

static int
cut_or_void(int fd, off_t length)
{
	static const char nothing[INDEX_HEADER];
	ssize_t header = 0;

	if (skipped == SQLITE_CALLS_CUT_LOG && length == 0)
		header = LOG_HEADER;
	else if (skipped == SQLITE_CALLS_CUT_INDEX && length == INDEX_CUT)
		header = INDEX_HEADER;
	if (header == 0)
		return cut_file(fd, length);
	return pwrite(fd, nothing, (size_t)header, 0) == header ? 0 : -1;
}

static int
open_new_folder(const char *path, int *fd)
{
	return skipped == SQLITE_CALLS_SYNC_NAME ? SQLITE_CANTOPEN
						 : open_folder(path, fd);
}

static void
replace(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (vfs == NULL) /* out of memory, as the open will find */
		return;
	cut_file = (int (*)(int, off_t))vfs->xGetSystemCall(vfs, "ftruncate");
	open_folder = (int (*)(const char *, int *))vfs->xGetSystemCall(vfs,
	    "openDirectory");
	(void)vfs->xSetSystemCall(vfs, "ftruncate",
	    (sqlite3_syscall_ptr)cut_or_void);
	(void)vfs->xSetSystemCall(vfs, "openDirectory",
	    (sqlite3_syscall_ptr)open_new_folder);
}

void
sqlite_calls_replace(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, replace);
}

void
sqlite_calls_skip(enum sqlite_calls which)
{
	skipped = which;
}
