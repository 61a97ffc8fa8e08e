/*
 * One line at a time.  A line that lies whole in the input is used in place;
 * only one that is cut by the end of the input is kept in a buffer, so an
 * event that arrives whole is copied once, into its data.
 */
#include "http/sse_reader.h"

#include <string.h>

void
sse_reader_init(struct sse_reader *r, enum sse_manner manner, size_t max_event)
{
	*r = (struct sse_reader){.manner = manner};
	buf_init(&r->line, max_event);
	buf_init(&r->data, max_event);
	buf_init(&r->type, max_event);
}

void
sse_reader_release(struct sse_reader *r)
{
	buf_release(&r->line);
	buf_release(&r->data);
	buf_release(&r->type);
}

/* Skips EF BB BF at the very beginning.  False while that is undecided. */
static bool
past_mark(struct sse_reader *r, struct span *input)
{
	static const char mark[] = "\xEF\xBB\xBF";

	while (r->bom < 3 && input->len > 0) {
		if (input->data[0] != mark[r->bom]) {
			buf_add(&r->line, mark, r->bom); /* it was none */
			r->bom = 3;
			break;
		}
		r->bom++;
		input->data++;
		input->len--;
	}
	return r->bom >= 3;
}

static size_t
line_length(struct span s)
{
	const char *lf = memchr(s.data, '\n', s.len);
	size_t len = lf == NULL ? s.len : (size_t)(lf - s.data);
	const char *cr = memchr(s.data, '\r', len);

	return cr == NULL ? len : (size_t)(cr - s.data);
}

static void
field(struct sse_reader *r, struct span line)
{
	struct span value = line, name = span_cut(&value, ':');

	if (value.len > 0 && value.data[0] == ' ') {
		value.data++;
		value.len--;
	}
	if (r->manner == SSE_MODEL_SERVER && span_is(name, "error") &&
	    value.len > 0) { /* llama.cpp */
		buf_adds(&r->type, "error");
		name = SPAN("data");
	}
	if (span_is(name, "data")) {
		if (r->data_given)
			buf_addc(&r->data, '\n');
		buf_add(&r->data, value.data, value.len);
		r->data_given = true;
	} else if (span_is(name, "event")) {
		buf_reset(&r->type);
		buf_add(&r->type, value.data, value.len);
	}
}

/* An empty line ends the event; one without data is dropped. */
static bool
end_event(struct sse_reader *r, struct sse_event *event)
{
	bool given = r->data_given;

	if (!given && r->manner == SSE_MODEL_SERVER && r->type.len > 0) {
		r->give_back = true;
		event->type = (struct span){r->type.data, r->type.len};
		event->data = SPAN_NONE;
		return true;
	}
	r->give_back = true;
	r->data_given = false;
	event->type = (struct span){buf_text(&r->type), r->type.len};
	event->data = (struct span){buf_text(&r->data), r->data.len};
	return given;
}

static void
start_event(struct sse_reader *r)
{
	if (!r->give_back)
		return;
	buf_reset(&r->data);
	buf_reset(&r->type);
	r->give_back = false;
}

static bool
is_json_line(char first)
{
	return first == '{' || first == '[';
}

/* The value of a `data:` line, or the line when it is JSON by itself. */
static bool
begins_json(struct span line)
{
	if (span_starts(line, "data:")) {
		line.data += 5;
		line.len -= 5;
		line = span_trim(line);
	}
	return span_starts(line, "{") || span_starts(line, "[");
}

/* Is the line an event of its own, and the one before it over?  The line may
 * lie in two parts; what tells is at its front. */
static bool
ends_the_last(const struct sse_reader *r, struct span rest)
{
	char front[16];
	size_t n = r->line.len < sizeof(front) ? r->line.len : sizeof(front);
	size_t more = sizeof(front) - n < rest.len ? sizeof(front) - n
						   : rest.len;

	if (r->give_back || !r->data_given)
		return false;
	if (n > 0)
		memcpy(front, r->line.data, n);
	if (more > 0)
		memcpy(front + n, rest.data, more);
	if (!begins_json((struct span){front, n + more}))
		return false;
	return is_json_line(front[0]) ||
	    span_ends(span_trim((struct span){buf_text(&r->data),
		r->data.len}), "}");
}

/* A line is complete: rest of it in the input, the beginning perhaps kept. */
static bool
line_end(struct sse_reader *r, struct span rest, struct sse_event *event)
{
	struct span line = rest;
	bool got = false;

	start_event(r);
	if (r->line.len > 0) {
		buf_add(&r->line, rest.data, rest.len);
		line = buf_span(&r->line);
	}
	if (line.len == 0) {
		got = end_event(r, event);
	} else if (r->manner == SSE_MODEL_SERVER &&
	    is_json_line(line.data[0])) {
		buf_reset(&r->data);
		buf_add(&r->data, line.data, line.len);
		r->data_given = true;
		got = end_event(r, event);
	} else if (line.data[0] != ':') {
		field(r, line);
	}
	if (buf_err(&r->line) == ERR_NONE)
		buf_reset(&r->line);
	return got;
}

static enum err
reader_err(const struct sse_reader *r)
{
	if (buf_err(&r->line) != ERR_NONE)
		return buf_err(&r->line);
	if (buf_err(&r->data) != ERR_NONE)
		return buf_err(&r->data);
	return buf_err(&r->type);
}

enum err
sse_reader_next(struct sse_reader *r, struct span *input,
    struct sse_event *event, bool *got)
{
	size_t len;

	*got = false;
	if (!past_mark(r, input))
		return ERR_NONE;
	while (input->len > 0 && !*got && reader_err(r) == ERR_NONE) {
		if (r->skip_lf && input->data[0] == '\n') {
			r->skip_lf = false;
			input->data++;
			input->len--;
			continue;
		}
		r->skip_lf = false;
		len = line_length(*input);
		if (len > r->line.max - r->line.len) {
			r->line.err = ERR_TOO_BIG; /* however it arrives */
			break;
		}
		if (len == input->len) {
			buf_add(&r->line, input->data, len);
			input->data += len;
			input->len = 0;
			break;
		}
		if (r->manner == SSE_MODEL_SERVER &&
		    ends_the_last(r, (struct span){input->data, len})) {
			*got = end_event(r, event);
			break; /* the line is read by the next call */
		}
		*got = line_end(r, (struct span){input->data, len}, event);
		r->skip_lf = input->data[len] == '\r';
		input->data += len + 1;
		input->len -= len + 1;
	}
	if (reader_err(r) != ERR_NONE)
		*got = false;
	return reader_err(r);
}

enum err
sse_reader_finish(struct sse_reader *r, struct sse_event *event, bool *got)
{
	*got = false;
	if (r->line.len > 0) {
		if (r->manner == SSE_MODEL_SERVER &&
		    ends_the_last(r, SPAN_NONE)) {
			*got = end_event(r, event);
			return reader_err(r);
		}
		*got = line_end(r, SPAN_NONE, event);
	}
	if (reader_err(r) == ERR_NONE && !*got && !r->give_back)
		*got = end_event(r, event);
	return reader_err(r);
}
