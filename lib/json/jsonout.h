/*
 * JSON text in Starlette's style (contracts/chat.md 10.2): no blanks, UTF-8
 * as it is, short escapes, control characters as \u00xx, lone surrogates as
 * \uxxxx.  Everything is appended to a struct buf, whose error sticks.
 */
#ifndef PARLANCE_JSONOUT_H
#define PARLANCE_JSONOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* A string with its quotes.  Bytes that are no UTF-8 become U+FFFD. */
void jsonout_string(struct buf *out, struct span text);
/* As jsonout_string; NULL gives null. */
void jsonout_cstring(struct buf *out, const char *text);
void jsonout_int(struct buf *out, int64_t value);
/* Python's repr of a float (contracts/chat.md appendix B); NaN and the
 * infinities become null, because JSON has none. */
void jsonout_double(struct buf *out, double value);
void jsonout_bool(struct buf *out, bool value);

/*
 * Members: each writes a comma if one is needed, the name and a colon, and
 * then the value.  A comma is needed unless the last byte written is '{',
 * '[' or ':', so objects are built by buf_addc('{'), members, buf_addc('}').
 */
void jsonout_name(struct buf *out, const char *name);
void jsonout_member(struct buf *out, const char *name, struct span text);
void jsonout_member_cstring(struct buf *out, const char *name,
    const char *text);
void jsonout_member_int(struct buf *out, const char *name, int64_t value);
void jsonout_member_double(struct buf *out, const char *name, double value);
void jsonout_member_bool(struct buf *out, const char *name, bool value);
void jsonout_member_null(struct buf *out, const char *name);
/* A member whose value is JSON text already. */
void jsonout_member_raw(struct buf *out, const char *name, struct span json);
/* The comma before an array's next item, when one is needed. */
void jsonout_comma(struct buf *out);

/* The text of appendix B: shortest digits that read back as the same value,
 * "1.0", "1e+16", "inf", "nan".  Returns the length. */
#define JSONOUT_DOUBLE_TEXT 32
size_t jsonout_double_text(double value, char out[JSONOUT_DOUBLE_TEXT]);

#endif
