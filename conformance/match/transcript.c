/* See transcript.h. */
#include "transcript.h"

#include <string.h>

#include "match/mem.h"
#include "match/shown.h"

#define LINE_BODY 240

/* Each line with the prefix before it. */
static void
add_shown(struct arena *a, struct buf *out, struct span text,
    const char *prefix)
{
	struct span rest = span_of(shown_text(a, text, SHOWN_LINES)), line;

	while (rest.data != NULL) {
		line = span_cut(&rest, '\n');
		if (rest.data == NULL && line.len == 0)
			break;
		buf_adds(out, prefix);
		buf_add(out, line.data, line.len);
		buf_addc(out, '\n');
	}
}

static void
add_header(struct arena *a, struct buf *out, const char *prefix,
    const struct header *h)
{
	buf_printf(out, "%s%s: %s\n", prefix,
	    shown_text(a, h->name, SHOWN_ONE_LINE),
	    shown_text(a, h->value, SHOWN_ONE_LINE));
}

void
transcript_request(struct buf *out, const struct wire_request *request)
{
	struct arena a;
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	buf_printf(out, "> %s %s\n", request->method,
	    shown_text(&a, span_of(request->path), SHOWN_ONE_LINE));
	for (i = 0; i < request->header_count; i++)
		add_header(&a, out, "> ", &request->headers[i]);
	if (request->body.data != NULL) {
		buf_adds(out, ">\n");
		add_shown(&a, out, request->body, "> ");
	}
	arena_release(&a);
}

void
transcript_reply(struct buf *out, const struct reply *reply)
{
	struct arena a;
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	if (reply->failure != NULL)
		buf_printf(out, "< (%s)\n",
		    shown_text(&a, span_of(reply->failure), SHOWN_ONE_LINE));
	if (reply->header_fault != NULL)
		buf_printf(out, "< (%s)\n",
		    shown_text(&a, span_of(reply->header_fault),
			SHOWN_ONE_LINE));
	if (reply->status != 0)
		buf_printf(out, "< %d  (%.1f ms)\n", reply->status,
		    (double)reply->us / 1000.0);
	for (i = 0; i < reply->header_count; i++)
		add_header(&a, out, "< ", &reply->headers[i]);
	if (reply->body.len > 0) {
		buf_adds(out, "<\n");
		add_shown(&a, out, reply->body, "< ");
	}
	arena_release(&a);
}

void
transcript_add(struct buf *out, const struct wire_request *request,
    const struct reply *reply)
{
	transcript_request(out, request);
	transcript_reply(out, reply);
}

char *
transcript_line(struct arena *a, const struct wire_request *request)
{
	struct span body = request->body;
	const char *shown = "";

	if (body.len > LINE_BODY)
		body.len = LINE_BODY;
	if (body.data != NULL)
		shown = body.len == 0 ? "(empty body)"
				      : shown_text(a, body, SHOWN_ONE_LINE);
	return mem_printf(a, "%s %s%s%s%s", request->method,
	    shown_text(a, span_of(request->path), SHOWN_ONE_LINE),
	    body.data == NULL ? "" : "  ", shown,
	    body.len < request->body.len ? "..." : "");
}

char *
transcript_mask(struct arena *a, const char *text, const char *secret,
    const char *with)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const char *found;

	if (*secret == '\0' || strstr(text, secret) == NULL)
		return (char *)(uintptr_t)text;
	while ((found = strstr(text, secret)) != NULL) {
		buf_add(&b, text, (size_t)(found - text));
		buf_adds(&b, with);
		text = found + strlen(secret);
	}
	buf_adds(&b, text);
	return (char *)(uintptr_t)mem_take(a, &b).data;
}
