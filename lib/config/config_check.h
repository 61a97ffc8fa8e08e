/* What can be judged only when the whole configuration is read. */
#ifndef PARLANCE_CONFIG_CHECK_H
#define PARLANCE_CONFIG_CHECK_H

#include "config/config.h"

/* Adds a line "FILE:LINE: ..." to faults (no line when 0). */
void config_fault(struct buf *faults, const char *file, int line,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Do the sections fit together: does every engine, knowledge and bot that is
 * named exist, are uids and names unique, has each what it needs?  Looks at
 * no file and no network. */
void config_check(const struct config *c, const char *file,
    struct buf *faults);

#endif
