/*
 * Text files of any encoding, made UTF-8.
 *
 * A byte order mark settles it.  What is UTF-8, or nearly, is UTF-8, whatever
 * it says of itself.  Else a page's own charset counts, then the owner's
 * (`encoding` of [knowledge]), then what a detector makes of the bytes.
 */
#ifndef PARLANCE_ENCODING_H
#define PARLANCE_ENCODING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

enum encoding_kind {
	ENCODING_TEXT,
	ENCODING_PAGE /* HTML or XML: it may name its charset */
};

struct encoding_found {
	const char *name; /* "UTF-8", "windows-1251"; static */
	bool guessed;     /* by the detector */
	int64_t bad;      /* characters that became U+FFFD */
	const char *fault; /* why it is no text, in words, static */
};

/*
 * Adds the text to out; CR LF and CR become LF, a zero byte a blank.  owner:
 * the charset that the owner names, or NULL.  False: it is no text, *found
 * says why, and nothing is added.  out's own error tells when memory or its
 * maximum was short.
 */
bool encoding_to_utf8(struct span bytes, enum encoding_kind kind,
    const char *owner, struct buf *out, struct encoding_found *found);

/* Is there a charset of this name? */
bool encoding_is_known(const char *name);

#endif
