/*
 * Whatever an upstream sends: the text handed on is UTF-8, a message for the
 * client and words for the log have neither key nor control characters, and
 * an end is never one with a fault.  How a text is cut into chunks changes
 * neither the answer nor its thoughts.  The first byte says which kind of
 * reply the rest is, and what becomes of thoughts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/openai_reply.h"
#include "http/sse_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "secret-key"
#define MAX_TEXT ((size_t)1 << 24)

static void
check_line(const char *text, size_t max)
{
	size_t i;

	if (strstr(text, KEY) != NULL || strlen(text) >= max)
		abort();
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ')
			abort();
}

static void
check(const struct openai_reply *r, const struct buf *text)
{
	if (!utf8_valid((struct span){buf_text(text), text->len}, false))
		abort();
	check_line(r->message, sizeof(r->message));
	check_line(r->words, sizeof(r->words));
	if ((r->fault == FAULT_NONE) != (r->message[0] == '\0'))
		abort();
}

static void
read_events(struct openai_reply *r, struct span rest, struct buf *text)
{
	struct sse_reader reader;
	struct sse_event event;
	bool got = true;

	sse_reader_init(&reader, SSE_MODEL_SERVER, MAX_TEXT);
	while (rest.len > 0 && r->fault == FAULT_NONE &&
	       r->state != REPLY_DONE) {
		if (sse_reader_next(&reader, &rest, &event, &got) != ERR_NONE)
			break;
		if (got)
			openai_reply_event(r, event.type, event.data, text);
	}
	sse_reader_release(&reader);
}

/* The text in pieces of this many bytes, never within a character. */
static void
think(struct span s, enum thinking_manner manner, bool first, size_t step,
    struct buf *text)
{
	struct thinking t;
	struct buf out = BUF_INIT(MAX_TEXT);
	size_t n;

	thinking_init(&t, manner, first, MAX_TEXT);
	while (s.len > 0) {
		for (n = step < s.len ? step : s.len; n < s.len &&
		     ((unsigned char)s.data[n] & 0xC0) == 0x80; n++)
			continue;
		thinking_text(&t, (struct span){s.data, n}, &out);
		s = (struct span){s.data + n, s.len - n};
		if (t.retract)
			buf_reset(text);
		t.retract = false;
		buf_add(text, out.data, out.len);
		buf_reset(&out);
	}
	thinking_end(&t, false, &out);
	buf_add(text, out.data, out.len);
	thinking_release(&t);
	buf_release(&out);
}

static void
check_cuts(struct span s, uint8_t how)
{
	struct buf whole = BUF_INIT(MAX_TEXT), pieces = BUF_INIT(MAX_TEXT);
	enum thinking_manner manner = (enum thinking_manner)(how % 3);

	think(s, manner, how & 8, SIZE_MAX, &whole);
	think(s, manner, how & 8, 1 + how % 7, &pieces);
	if (whole.len != pieces.len ||
	    memcmp(buf_text(&whole), buf_text(&pieces), whole.len) != 0 ||
	    thinking_strip(s).len > s.len)
		abort();
	buf_release(&whole);
	buf_release(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {400, 401, 404, 429, 503, 302};
	struct buf text = BUF_INIT(MAX_TEXT);
	struct openai_reply r;
	struct span rest;

	if (size < 1)
		return 0;
	rest = (struct span){(const char *)data + 1, size - 1};
	openai_reply_init(&r, (enum thinking_manner)(data[0] % 3),
	    data[0] & 4, MAX_TEXT);
	r.key = KEY;
	r.question = SPAN("a question");
	if (data[0] < 64) {
		(void)openai_reply_whole(&r, rest, &text);
	} else if (data[0] < 96) {
		check_cuts(rest, data[0]);
	} else if (data[0] < 128) {
		openai_reply_refusal(&r, statuses[data[0] % 6], rest);
	} else {
		read_events(&r, rest, &text);
	}
	if (r.fault == FAULT_NONE)
		openai_reply_close(&r, &text);
	check(&r, &text);
	openai_reply_release(&r);
	buf_release(&text);
	return 0;
}
