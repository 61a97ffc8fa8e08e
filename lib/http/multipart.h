/* Bodies of type multipart/form-data (RFC 7578): file uploads. */
#ifndef PARLANCE_MULTIPART_H
#define PARLANCE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define MULTIPART_PARTS_MAX 64
#define MULTIPART_HEADER_MAX 8192 /* bytes of the headers of one part */

struct multipart_part {
	struct span name;         /* decoded; empty when it had none */
	bool is_file;             /* it had a filename, perhaps an empty one */
	struct span filename;     /* as sent, with any folder in it */
	struct span content_type; /* data is NULL when it had none */
	struct span data;         /* points into the body */
};

struct multipart {
	struct multipart_part *parts;
	size_t n;
};

/* Is it "multipart/form-data", whatever follows?  NULL is not. */
bool multipart_is(const char *content_type);

/*
 * Cuts the body into its parts.  Texts are in the arena or in the body.
 *
 * ERR_NONE     every part up to the closing boundary is there.
 * ERR_SYNTAX   no or a bad boundary, no closing boundary, a part whose
 *              headers do not end.
 * ERR_TOO_BIG  more parts or longer headers than the limits above.
 * ERR_MEMORY
 */
enum err multipart_parse(const char *content_type, struct span body,
    struct arena *arena, struct multipart *out)
    __attribute__((warn_unused_result));

/* The first part of that name; NULL when there is none. */
const struct multipart_part *multipart_find(const struct multipart *m,
    const char *name);

#endif
