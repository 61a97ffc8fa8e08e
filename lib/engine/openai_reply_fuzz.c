/* Whatever an upstream sends: the text handed on is UTF-8, and a message for
 * the client has neither key nor control characters.  The first byte says
 * which kind of reply the rest is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/openai_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct openai_reply *r, const struct buf *text)
{
	size_t i;

	if (!utf8_valid((struct span){buf_text(text), text->len}, false) ||
	    strstr(r->message, "secret-key") != NULL ||
	    strlen(r->message) >= REPLY_MESSAGE)
		abort();
	for (i = 0; r->message[i] != '\0'; i++)
		if ((unsigned char)r->message[i] < ' ')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {400, 401, 404, 429, 503, 302};
	struct buf text = BUF_INIT(1 << 24);
	struct openai_reply r = {.fault = FAULT_NONE};
	struct span rest, piece;

	if (size < 1)
		return 0;
	rest = (struct span){(const char *)data + 1, size - 1};
	if (data[0] < 64) {
		openai_reply_whole(&r, rest, "secret-key", &text);
	} else if (data[0] < 128) {
		openai_reply_refusal(
		    &r, statuses[data[0] % 6], rest, "secret-key");
	} else {
		while (rest.data != NULL && r.fault == FAULT_NONE) {
			piece = span_cut(&rest, '\n');
			openai_reply_event(&r,
			    data[0] & 1 ? SPAN("error") : SPAN_NONE, piece,
			    "secret-key", &text);
		}
	}
	check(&r, &text);
	buf_release(&text);
	return 0;
}
