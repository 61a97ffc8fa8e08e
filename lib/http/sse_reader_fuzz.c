/* The first byte says in which manner the rest is read and how it is split;
 * the events must not depend on that. */
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
read_all(struct span s, enum sse_manner manner, size_t step, struct buf *out)
{
	struct sse_reader r;
	struct sse_event event;
	struct span piece;
	enum err err = ERR_NONE;
	bool got;

	sse_reader_init(&r, manner, 64);
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
	for (got = true; err == ERR_NONE && got;) {
		err = sse_reader_finish(&r, &event, &got);
		if (err == ERR_NONE && got)
			note(out, &event);
	}
	sse_reader_release(&r);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(1 << 24), pieces = BUF_INIT(1 << 24);
	enum sse_manner manner;
	struct span s;

	if (size < 1)
		return 0;
	s = (struct span){(const char *)data + 1, size - 1};
	manner = data[0] < 128 ? SSE_STANDARD : SSE_MODEL_SERVER;
	if (read_all(s, manner, SIZE_MAX, &whole) !=
		read_all(s, manner, 1 + data[0] % 16, &pieces) ||
	    whole.len != pieces.len ||
	    memcmp(buf_text(&whole), buf_text(&pieces), whole.len) != 0)
		abort();
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
