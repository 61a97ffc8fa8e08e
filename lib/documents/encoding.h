/* Text files of unknown encoding, made UTF-8. */
#ifndef PARLANCE_ENCODING_H
#define PARLANCE_ENCODING_H

#include "base/buf.h"
#include "base/text.h"

/*
 * UTF-8 (with or without its mark) stays; UTF-16 by its mark or by its
 * zeros; anything else is taken for Windows-1252, the wider Latin-1.  CR LF
 * and CR become LF.
 *
 * Returns what it was taken for ("UTF-8", "UTF-16LE", "UTF-16BE",
 * "Latin-1"), or NULL when it is no text (zeros and control characters).
 * out's own error tells when memory or its maximum was short.
 */
const char *encoding_to_utf8(struct span bytes, struct buf *out);

#endif
