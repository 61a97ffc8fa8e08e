/*
 * Files of the state folder.  They hold conversations, so nobody else may
 * read them, whatever the umask and the folder's mode; and what root makes (a
 * `parlance index` of the system's owner) belongs to whom the folder belongs,
 * or the web server's user could not use it afterwards.
 */
#ifndef PARLANCE_STATE_FILE_H
#define PARLANCE_STATE_FILE_H

/* Makes an empty file, unless there is one.  That it could not be made shows
 * when it is opened. */
void state_file_make(const char *path);

/* As open(2) with flags, O_CREAT and O_CLOEXEC; a new file has mode 0600.
 * The descriptor is the caller's; -1 and errno on failure. */
int state_file_open(const char *path, int flags);

#endif
