/* The bytes of uploads, which lie beside the database. */
#ifndef PARLANCE_UPLOAD_BYTES_H
#define PARLANCE_UPLOAD_BYTES_H

#include "base/err.h"

struct config;

/* Removes a file of the state folder; none there is fine.  folder: below it,
 * "/files" or "".  ERR_IO, which is logged; ERR_TOO_BIG. */
enum err upload_bytes_remove(const struct config *config, const char *folder,
    const char *name) __attribute__((warn_unused_result));

#endif
