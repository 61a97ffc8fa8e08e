/* The first byte says how the rest is split; the events must not depend on
 * it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/sse_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
note(struct buf *out, const struct sse_event *e)
{
	buf_printf(out, "%zu %zu ", e->type.len, e->data.len);
	buf_add(out, e->type.data, e->type.len);
	buf_add(out, e->data.data, e->data.len);
}

static enum err
read_all(struct span s, size_t step, struct buf *out)
{
	struct sse_reader r;
	struct sse_event event;
	struct span piece;
	enum err err = ERR_NONE;
	bool got;

	sse_reader_init(&r, 64);
	while (s.len > 0 && err == ERR_NONE) {
		piece = (struct span){s.data, step < s.len ? step : s.len};
		s.data += piece.len;
		s.len -= piece.len;
		do {
			err = sse_reader_next(&r, &piece, &event, &got);
			if (got)
				note(out, &event);
		} while (err == ERR_NONE && (got || piece.len > 0));
	}
	if (err == ERR_NONE)
		err = sse_reader_finish(&r, &event, &got);
	if (err == ERR_NONE && got)
		note(out, &event);
	sse_reader_release(&r);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(1 << 24), pieces = BUF_INIT(1 << 24);
	struct span s;

	if (size < 1)
		return 0;
	s = (struct span){(const char *)data + 1, size - 1};
	if (read_all(s, SIZE_MAX, &whole) !=
		read_all(s, 1 + data[0] % 16, &pieces) ||
	    whole.len != pieces.len ||
	    memcmp(buf_text(&whole), buf_text(&pieces), whole.len) != 0)
		abort();
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
