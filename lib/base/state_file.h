/*
 * Files of the state folder.  They hold conversations, so nobody else may
 * read them, whatever the umask and the folder's mode; and what root makes (a
 * `parlance index` of the system's owner) belongs to whom the folder belongs,
 * or the web server's user could not use it afterwards.
 */
#ifndef PARLANCE_STATE_FILE_H
#define PARLANCE_STATE_FILE_H

#include <stdbool.h>

#include "base/text.h"

/* Makes an empty file, unless there is one.  That it could not be made shows
 * when it is opened. */
void state_file_make(const char *path);

/* As open(2) with flags, O_CREAT and O_CLOEXEC; a new file has mode 0600.
 * The descriptor is the caller's; -1 and errno on failure. */
int state_file_open(const char *path, int flags);

/* A new file with these bytes, on the disk already when sync; mode 0600.
 * False: errno says why, and there is no such file. */
bool state_file_write(const char *path, struct span bytes, bool sync);

/* The same for a file that others may make at this moment: it appears under
 * its name with all its bytes or not at all, and its name is on the disk as
 * well.  False with EEXIST: there is one already, whole. */
bool state_file_publish(const char *path, struct span bytes);

#endif
