/* See shown.h. */
#include "shown.h"

#include <stdint.h>

#include "base/utf8.h"
#include "mem.h"

/* How many bytes at the start are one code point that may be shown; 0 when
 * there is none.  *code is set when there is a code point at all, and *len
 * then to its length. */
static size_t
showable(struct span s, enum shown_lines lines, uint32_t *code, size_t *len)
{
	size_t at = 0;

	*len = 0;
	*code = utf8_next(s, &at);
	if (*code == UTF8_INVALID)
		return 0;
	*len = at;
	if (*code == '\n' || *code == '\t')
		return lines == SHOWN_LINES ? at : 0;
	if (*code < 0x20 || (*code >= 0x7F && *code < 0xA0) ||
	    (*code >= 0xD800 && *code <= 0xDFFF) ||
	    (*code >= 0x200E && *code <= 0x200F) ||
	    (*code >= 0x2028 && *code <= 0x202E) ||
	    (*code >= 0x2066 && *code <= 0x2069) || *code == 0xFEFF ||
	    *code == 0xFFFE || *code == 0xFFFF)
		return 0;
	return at;
}

bool
shown_is_plain(struct span s, enum shown_lines lines)
{
	uint32_t code;
	size_t n, len;

	for (; s.len > 0; s.data += n, s.len -= n) {
		n = showable(s, lines, &code, &len);
		if (n == 0)
			return false;
	}
	return true;
}

char *
shown_text(struct arena *a, struct span s, enum shown_lines lines)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX);
	uint32_t code;
	size_t n, len;

	for (; s.len > 0; s.data += n, s.len -= n) {
		n = showable(s, lines, &code, &len);
		if (n > 0) {
			buf_add(&out, s.data, n);
			continue;
		}
		n = len == 0 ? 1 : len;
		if (len == 0 || code < 0x80) {
			code = (unsigned char)s.data[0];
			if (code == '\n')
				buf_adds(&out, "\\n");
			else if (code == '\r')
				buf_adds(&out, "\\r");
			else if (code == '\t')
				buf_adds(&out, "\\t");
			else
				buf_printf(&out, "\\x%02x", (unsigned)code);
		} else {
			buf_printf(&out, "\\u{%x}", (unsigned)code);
		}
	}
	return (char *)(uintptr_t)mem_take(a, &out).data;
}
