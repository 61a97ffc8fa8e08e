/*
 * One line at a time.  A line that lies whole in the input is used in place;
 * only one that is cut by the end of the input is kept in a buffer, so an
 * event that arrives whole is copied once, into its data.
 */
#include "http/sse_reader.h"

#include <string.h>

void
sse_reader_init(struct sse_reader *r, size_t max_event)
{
	*r = (struct sse_reader){.bom = 0};
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

/* A line is complete: rest of it in the input, the beginning perhaps kept. */
static bool
line_end(struct sse_reader *r, struct span rest, struct sse_event *event)
{
	struct span line = rest;
	bool got = false;

	start_event(r);
	if (r->line.len > 0) {
		buf_add(&r->line, rest.data, rest.len);
		line = (struct span){r->line.data, r->line.len};
	}
	if (line.len == 0)
		got = end_event(r, event);
	else if (line.data[0] != ':')
		field(r, line);
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
	if (r->line.len > 0)
		(void)line_end(r, SPAN_NONE, event);
	if (reader_err(r) == ERR_NONE && !r->give_back)
		*got = end_event(r, event);
	return reader_err(r);
}
