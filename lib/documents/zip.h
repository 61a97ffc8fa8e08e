/*
 * ZIP archives in memory, as office documents and EPUB books are: read
 * through their central directory, unpacked by zlib.  Nothing is trusted:
 * offsets and lengths are checked, and what an archive may unpack to is
 * limited.  Safe from any thread.
 */
#ifndef PARLANCE_ZIP_H
#define PARLANCE_ZIP_H

#include "base/buf.h"
#include "base/text.h"

struct zip {
	struct span bytes;
	size_t directory;  /* where the central directory begins */
	size_t entries;
	size_t max;        /* bytes that may still be unpacked */
};

/* max: what all parts read from it together may unpack to.  False: the bytes
 * are no ZIP archive. */
bool zip_open(struct zip *z, struct span bytes, size_t max)
    __attribute__((warn_unused_result));

/*
 * Adds the part called name (its case does not matter) to out.
 *
 * ERR_NOT_FOUND  there is none.
 * ERR_INPUT      it is damaged, encrypted, or packed in a way nobody uses.
 * ERR_TOO_BIG    it unpacks to more than is left of max.
 * ERR_MEMORY
 */
enum err zip_read(struct zip *z, struct span name, struct buf *out)
    __attribute__((warn_unused_result));

bool zip_has(const struct zip *z, struct span name);

#endif
