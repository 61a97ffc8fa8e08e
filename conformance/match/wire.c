/* Headers: how they are looked up, and how a CGI program's are read. */
#include "wire.h"

#include <string.h>

#include "mem.h"

struct span
reply_header(struct arena *a, const struct reply *reply, const char *name)
{
	struct span found = SPAN_NONE;
	size_t i;

	for (i = 0; i < reply->header_count; i++) {
		if (!span_is_nocase(reply->headers[i].name, name))
			continue;
		if (found.data == NULL)
			found = reply->headers[i].value;
		else
			found = span_of(mem_printf(a, "%s, %s", found.data,
			    reply->headers[i].value.data));
	}
	return found;
}

struct span
wire_request_header(const struct wire_request *request, const char *name)
{
	size_t i;

	for (i = 0; i < request->header_count; i++)
		if (span_is_nocase(request->headers[i].name, name))
			return request->headers[i].value;
	return SPAN_NONE;
}

static bool
is_token(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!text_is_alnum(s.data[i]) &&
		    (s.data[i] == '\0' ||
			strchr("!#$%&'*+-.^_`|~", s.data[i]) == NULL))
			return false;
	return s.len > 0;
}

static bool
has_control(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (((unsigned char)s.data[i] < 0x20 && s.data[i] != '\t') ||
		    s.data[i] == 0x7F)
			return true;
	return false;
}

void
reply_add_header(struct arena *a, struct reply *reply, struct span line)
{
	struct span value = line, name;
	size_t n = reply->header_count;
	struct header *grown;

	name = span_cut(&value, ':');
	if (value.data == NULL || !is_token(name) || has_control(value)) {
		if (reply->header_fault == NULL)
			reply->header_fault = mem_printf(a,
			    "not a header line: %.*s",
			    (int)(line.len > 80 ? 80 : line.len), line.data);
		return;
	}
	/* Doubling keeps an arena list cheap: at 0, 8, 16, 32 ... */
	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		grown = mem_array(a, n == 0 ? 8 : 2 * n, sizeof(*grown));
		if (n > 0)
			memcpy(grown, reply->headers, n * sizeof(*grown));
		reply->headers = grown;
	}
	reply->headers[n].name = mem_span(a, name);
	reply->headers[n].value = mem_span(a, span_trim(value));
	reply->header_count = n + 1;
}

/* The "Status" of a CGI header block is taken out of the headers. */
static void
take_status(struct arena *a, struct reply *reply)
{
	struct span value = reply_header(a, reply, "Status");
	int64_t status;
	size_t i, kept = 0;

	reply->status = 200;
	if (value.data == NULL) {
		if (reply_header(a, reply, "Location").data != NULL)
			reply->status = 302;
		return;
	}
	value.len = value.len > 3 ? 3 : value.len;
	if (!text_to_int64(value, 100, 599, &status)) {
		reply->header_fault = "Status is no status code";
		status = 0;
	}
	reply->status = (int)status;
	for (i = 0; i < reply->header_count; i++)
		if (!span_is_nocase(reply->headers[i].name, "Status"))
			reply->headers[kept++] = reply->headers[i];
	if (kept + 1 < reply->header_count)
		reply->header_fault = "Status stands twice";
	reply->header_count = kept;
}

void
reply_from_cgi(struct arena *a, struct span text, struct reply *reply)
{
	struct span rest = text, line;
	size_t i, body;

	for (;;) {
		line = span_cut(&rest, '\n');
		if (rest.data == NULL) {
			reply->header_fault = text.len == 0
			    ? "no output at all"
			    : "no blank line after the headers";
			rest = (struct span){"", 0};
			break;
		}
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			break;
		reply_add_header(a, reply, line);
	}
	take_status(a, reply);
	if (reply->header_count == 0 && reply->header_fault == NULL)
		reply->header_fault = "an empty header block";
	reply->body = rest;
	body = text.len - rest.len;
	for (i = 0; i < reply->piece_count; i++)
		reply->pieces[i].end = reply->pieces[i].end > body
		    ? reply->pieces[i].end - body
		    : 0;
}
