/* What another program prints. */
#ifndef PARLANCE_PROGRAM_H
#define PARLANCE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define PROGRAM_MISSING (-1) /* it could not be started */
#define PROGRAM_STOPPED (-2) /* it took too long or printed too much, or died */

/* Runs argv (argv[0] is looked for in PATH unless it has a slash) without a
 * shell, with nothing to read, its errors thrown away and a plain
 * environment, and adds its output to *text.  Its exit status, or one of the
 * above; after limit_ms, or when *text is full, it is killed.  Any thread. */
int program_output(char *const argv[], int64_t limit_ms, struct buf *text);

/* Is there a program of this name in PATH? */
bool program_exists(const char *name);

#endif
