/* Reading parlance.conf. */
#ifndef PARLANCE_CONFIG_FILE_H
#define PARLANCE_CONFIG_FILE_H

#include "base/buf.h"
#include "config/config.h"

/*
 * Reads and checks the whole file.  Every fault becomes a line in *faults,
 * "parlance.conf:12: unknown setting \"perosna\" in [bot taxson]; did you
 * mean \"persona\"?"; all are reported, not only the first.
 *
 * ERR_NONE    *config is the caller's: config_free().  *faults is empty.
 * ERR_CONFIG  *config is NULL; *faults says why.
 * ERR_MEMORY  *config is NULL.
 */
enum err config_read(const char *path, struct config **config,
    struct buf *faults) __attribute__((warn_unused_result));

/* Where the file is: PARLANCE_CONFIG, else parlance.conf beside the program
 * (argv0 or /proc/self/exe), else /etc/parlance/parlance.conf.  Returns the
 * first that exists, else the last; in out.  places (NULL: not wanted) is
 * given a list of what was looked at, unless PARLANCE_CONFIG says it. */
void config_find(char *out, size_t size, struct buf *places);

#endif
