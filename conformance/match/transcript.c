/* See transcript.h. */
#include "transcript.h"

#include <string.h>

#include "match/mem.h"

#define LINE_BODY 240

/* Bytes as text: line ends stay, other control characters are shown. */
static void
add_shown(struct buf *out, struct span text, const char *prefix)
{
	size_t i;
	bool start = true;

	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (start)
			buf_adds(out, prefix);
		start = c == '\n';
		if (c == '\r')
			buf_adds(out, "\\r");
		else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
			buf_printf(out, "\\x%02x", c);
		else
			buf_addc(out, (char)c);
	}
	if (!start)
		buf_addc(out, '\n');
}

void
transcript_add(struct buf *out, const struct wire_request *request,
    const struct reply *reply)
{
	size_t i;

	buf_printf(out, "> %s %s\n", request->method, request->path);
	for (i = 0; i < request->header_count; i++)
		buf_printf(out, "> %s: %s\n", request->headers[i].name.data,
		    request->headers[i].value.data);
	if (request->body.data != NULL) {
		buf_adds(out, ">\n");
		add_shown(out, request->body, "> ");
	}
	if (reply->failure != NULL)
		buf_printf(out, "< (%s)\n", reply->failure);
	if (reply->header_fault != NULL)
		buf_printf(out, "< (%s)\n", reply->header_fault);
	if (reply->status != 0)
		buf_printf(out, "< %d  (%.1f ms)\n", reply->status,
		    (double)reply->us / 1000.0);
	for (i = 0; i < reply->header_count; i++)
		buf_printf(out, "< %s: %s\n", reply->headers[i].name.data,
		    reply->headers[i].value.data);
	if (reply->body.len > 0) {
		buf_adds(out, "<\n");
		add_shown(out, reply->body, "< ");
	}
}

char *
transcript_line(struct arena *a, const struct wire_request *request)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i, n = request->body.len > LINE_BODY ? LINE_BODY
						    : request->body.len;

	buf_printf(&b, "%s %s", request->method, request->path);
	if (request->body.data != NULL)
		buf_adds(&b, n == 0 ? "  (empty body)" : "  ");
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)request->body.data[i];

		if (c == '\n')
			buf_adds(&b, "\\n");
		else if (c < 0x20 || c == 0x7F)
			buf_printf(&b, "\\x%02x", c);
		else
			buf_addc(&b, (char)c);
	}
	if (n < request->body.len)
		buf_adds(&b, "...");
	return (char *)(uintptr_t)mem_take(a, &b).data;
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
