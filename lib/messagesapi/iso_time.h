/* Times as text, "2026-01-01T00:00:10Z", where the API wants them so. */
#ifndef PARLANCE_ISO_TIME_H
#define PARLANCE_ISO_TIME_H

#include <stdint.h>

#include "base/buf.h"

/* A member whose value is the time, microseconds since 1970. */
void iso_time_member(struct buf *out, const char *name, int64_t us);

#endif
