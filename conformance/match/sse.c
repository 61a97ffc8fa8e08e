/*
 * The reader knows LF, CRLF and CR, and refuses what a browser would drop in
 * silence: a mark at the start, a line that is no field, an event without its
 * blank line.  The rules are checked in the order a reader would ask: is it
 * complete, is it in order, is each piece right, do they belong together.
 */
#include "sse.h"

#include <string.h>

#include "base/utf8.h"
#include "mem.h"
#include "shown.h"

#define SHOWN 400

/* ---- reading ------------------------------------------------------------ */

struct splitter {
	struct arena *arena;
	const struct reply *reply;
	struct sse_stream *stream;
	struct stream_event event; /* being read */
	bool begun;             /* the event has at least one field */
	size_t at, piece;
};

/* The next line without its end; false at the end of the body.  *ended says
 * whether the line had an end. */
static bool
next_line(struct splitter *s, struct span *line, bool *ended)
{
	struct span body = s->reply->body;
	size_t start = s->at;

	if (s->at >= body.len)
		return false;
	while (s->at < body.len && body.data[s->at] != '\n' &&
	    body.data[s->at] != '\r')
		s->at++;
	*line = (struct span){body.data + start, s->at - start};
	*ended = s->at < body.len;
	if (*ended && body.data[s->at] == '\r' && s->at + 1 < body.len &&
	    body.data[s->at + 1] == '\n')
		s->at++;
	if (*ended)
		s->at++;
	return true;
}

static void
set_fault(struct splitter *s, const char *what, struct span line)
{
	if (s->stream->fault == NULL)
		s->stream->fault = mem_printf(s->arena, "event %zu: %s: %s",
		    s->stream->count + 1, what,
		    shown_text(s->arena,
			(struct span){line.data,
			    line.len > 80 ? 80 : line.len},
			SHOWN_ONE_LINE));
}

static void
add_data(struct splitter *s, struct span value)
{
	if (s->event.data.data == NULL)
		s->event.data = mem_span(s->arena, value);
	else
		s->event.data = span_of(mem_printf(s->arena, "%s\n%.*s",
		    s->event.data.data, (int)value.len, value.data));
}

static void
read_line(struct splitter *s, struct span line)
{
	struct span value = line, name;

	if (line.data[0] == ':')
		return; /* a comment */
	s->begun = true;
	name = span_cut(&value, ':');
	if (value.data == NULL)
		value = (struct span){"", 0};
	if (value.len > 0 && value.data[0] == ' ')
		value = (struct span){value.data + 1, value.len - 1};
	if (span_is(name, "data"))
		add_data(s, value);
	else if (span_is(name, "event"))
		s->event.name = mem_span(s->arena, value);
	else if (!span_is(name, "id") && !span_is(name, "retry"))
		set_fault(s, "not a line of an event stream", line);
}

static int64_t
time_of(struct splitter *s)
{
	const struct reply *reply = s->reply;

	while (s->piece < reply->piece_count &&
	    reply->pieces[s->piece].end < s->at)
		s->piece++;
	return s->piece < reply->piece_count ? reply->pieces[s->piece].us
					     : -1;
}

static void
end_event(struct splitter *s)
{
	struct sse_stream *stream = s->stream;
	struct jv_error error;

	if (!s->begun)
		return;
	if (s->event.data.data != NULL) {
		s->event.value = jv_parse(s->arena, s->event.data, false,
		    &error);
		s->event.fault = error.msg;
	}
	s->event.us = time_of(s);
	stream->events[stream->count++] = s->event;
	s->event = (struct stream_event){.us = -1};
	s->begun = false;
}

/* An upper limit for the number of events: blank lines, and one. */
static size_t
count_limit(struct span body)
{
	size_t i, n = 1;

	for (i = 0; i < body.len; i++)
		n += body.data[i] == '\n' || body.data[i] == '\r';
	return n;
}

void
sse_read(struct arena *a, const struct reply *reply,
    struct sse_stream *stream)
{
	struct splitter s = {.arena = a, .reply = reply, .stream = stream,
	    .event = {.us = -1}};
	struct span line;
	bool ended = true;

	*stream = (struct sse_stream){.fault = NULL};
	stream->events = mem_array(a, count_limit(reply->body),
	    sizeof(*stream->events));
	if (span_starts(reply->body, "\xEF\xBB\xBF"))
		set_fault(&s, "a byte order mark", SPAN("U+FEFF"));
	else if (memchr(reply->body.data == NULL ? "" : reply->body.data,
		     '\0', reply->body.len) != NULL)
		set_fault(&s, "a NUL byte", SPAN("U+0000"));
	while (next_line(&s, &line, &ended)) {
		if (line.len == 0)
			end_event(&s);
		else
			read_line(&s, line);
	}
	if (s.begun || !ended) {
		set_fault(&s, "no blank line after the last event",
		    s.event.data.data == NULL ? SPAN("(no data)")
					      : s.event.data);
		s.begun = true;
		end_event(&s);
	}
}

/* ---- rules -------------------------------------------------------------- */

struct checking {
	struct arena *arena;
	const struct jv *rules;
	struct difference *d;
	const struct stream_event **events; /* without the ignored ones */
	size_t *numbers;                 /* their places in the stream */
	size_t count;
	const struct jv *joined;         /* the pieces put together */
};

static bool
fail(struct checking *c, const char *where, const char *expected,
    const char *got)
{
	*c->d = (struct difference){where, expected, got};
	return false;
}

static const char *
event_label(struct checking *c, size_t i)
{
	return mem_printf(c->arena, "event %zu", c->numbers[i] + 1);
}

static const char *
shown_data(struct checking *c, const struct stream_event *event)
{
	struct span data = event->data;

	if (data.data == NULL)
		return "(no data)";
	if (data.len > SHOWN)
		data.len = SHOWN;
	return mem_printf(c->arena, "%s%s",
	    shown_text(c->arena, data, SHOWN_ONE_LINE),
	    data.len < event->data.len ? "..." : "");
}

struct span
sse_name(const struct jv *rules, const struct stream_event *event)
{
	const struct jv *pointer = jv_get(rules, "name");
	const struct jv *name;

	if (pointer != NULL && event->value != NULL) {
		name = jv_find(event->value, pointer->text);
		if (name != NULL && name->kind == JV_STRING)
			return name->text;
	}
	return event->name;
}

static bool
is_ignored(const struct jv *rules, struct span name)
{
	const struct jv *list = jv_get(rules, "ignore");
	size_t i;

	for (i = 0; list != NULL && i < list->count; i++)
		if (span_equal(list->items[i]->text, name))
			return true;
	return false;
}

static void
leave_out_ignored(struct checking *c, const struct sse_stream *stream)
{
	size_t i;

	c->events = mem_array(c->arena, stream->count, sizeof(*c->events));
	c->numbers = mem_array(c->arena, stream->count,
	    sizeof(*c->numbers));
	for (i = 0; i < stream->count; i++) {
		if (is_ignored(c->rules,
			sse_name(c->rules, &stream->events[i])))
			continue;
		c->numbers[c->count] = i;
		c->events[c->count++] = &stream->events[i];
	}
}

/* The last payload is the end mark, which stands nowhere else; it is taken
 * off the list. */
static bool
check_end(struct checking *c)
{
	const struct jv *end = jv_get(c->rules, "end");
	size_t i;

	if (end == NULL)
		return true;
	for (i = 0; i < c->count; i++)
		if (c->events[i]->data.data != NULL &&
		    span_equal(c->events[i]->data, end->text))
			break;
	if (i == c->count)
		return fail(c, "end of the stream", end->text.data,
		    c->count == 0 ? "(no events)"
				  : shown_data(c, c->events[c->count - 1]));
	if (i + 1 < c->count)
		return fail(c, event_label(c, i + 1),
		    mem_printf(c->arena, "(nothing after %s)",
			end->text.data),
		    shown_data(c, c->events[i + 1]));
	c->count--;
	return true;
}

static bool
check_json(struct checking *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->events[i]->value == NULL)
			return fail(c, event_label(c, i),
			    c->events[i]->fault == NULL
				? "data: JSON"
				: mem_printf(c->arena, "JSON (%s)",
				      c->events[i]->fault),
			    shown_data(c, c->events[i]));
	return true;
}

/* "message+" -> the name and how often. */
static struct span
order_entry(const struct jv *entry, size_t *min, size_t *max)
{
	struct span name = entry->text;
	char last = name.len == 0 ? '\0' : name.data[name.len - 1];

	*min = last == '?' || last == '*' ? 0 : 1;
	*max = last == '*' || last == '+' ? SIZE_MAX : 1;
	if (last == '?' || last == '*' || last == '+')
		name.len--;
	return name;
}

/* Greedy is enough: neighbouring entries of one name are refused as a fault
 * of the case file. */
static bool
check_order(struct checking *c)
{
	const struct jv *order = jv_get(c->rules, "order");
	size_t i, at = 0, min, max, n;
	struct span name;

	if (order == NULL)
		return true;
	for (i = 0; i < order->count; i++) {
		name = order_entry(order->items[i], &min, &max);
		for (n = 0; n < max && at < c->count &&
		     span_equal(sse_name(c->rules, c->events[at]), name);
		     n++)
			at++;
		if (n < min)
			return fail(c,
			    at < c->count ? event_label(c, at)
					  : "end of the stream",
			    order->items[i]->text.data,
			    at < c->count ? shown_data(c, c->events[at])
					  : "(nothing)");
	}
	if (at < c->count)
		return fail(c, event_label(c, at), "(end of the stream)",
		    shown_data(c, c->events[at]));
	return true;
}

static bool
check_each(struct checking *c)
{
	const struct jv *each = jv_get(c->rules, "each");
	size_t i;

	if (each == NULL)
		return true;
	if (c->count == 0)
		return fail(c, "stream", "at least one event", "(none)");
	for (i = 0; i < c->count; i++)
		if (!match(c->arena, each, c->events[i]->value,
			event_label(c, i), c->d))
			return false;
	return true;
}

static bool
check_at(struct checking *c)
{
	const struct jv *at = jv_get(c->rules, "at");
	size_t i, j, found;

	for (j = 0; at != NULL && j < at->count; j++) {
		for (i = found = 0; i < c->count; i++) {
			if (!span_equal(sse_name(c->rules, c->events[i]),
				at->names[j]))
				continue;
			found++;
			if (!match(c->arena, at->items[j],
				c->events[i]->value, event_label(c, i),
				c->d))
				return false;
		}
		/* Whether it must be there is for `order` to say. */
		if (found == 0 && jv_get(c->rules, "order") == NULL)
			return fail(c, "stream",
			    mem_printf(c->arena, "an event %s",
				at->names[j].data),
			    "(none)");
	}
	return true;
}

static bool
check_same(struct checking *c)
{
	const struct jv *same = jv_get(c->rules, "same");
	const struct jv *first, *value;
	size_t i, j;

	for (j = 0; same != NULL && j < same->count; j++) {
		first = NULL;
		for (i = 0; i < c->count; i++) {
			value = jv_find(c->events[i]->value,
			    same->items[j]->text);
			if (first == NULL)
				first = value;
			if (value != NULL && jv_equal(first, value))
				continue;
			return fail(c,
			    mem_printf(c->arena, "%s %s",
				event_label(c, i),
				same->items[j]->text.data),
			    first == NULL ? "(present)"
					  : jv_show(c->arena, first, SHOWN),
			    jv_show(c->arena, value, SHOWN));
		}
	}
	return true;
}

/* Within a payload that has all of them, the values are the same. */
static bool
check_equal(struct checking *c)
{
	const struct jv *list = jv_get(c->rules, "equal"), *first, *value;
	size_t i, j, there;

	for (i = 0; list != NULL && i < c->count; i++) {
		for (j = there = 0; j < list->count; j++)
			there += jv_find(c->events[i]->value,
				     list->items[j]->text) != NULL;
		if (there < list->count)
			continue;
		first = jv_find(c->events[i]->value, list->items[0]->text);
		for (j = 1; j < list->count; j++) {
			value = jv_find(c->events[i]->value,
			    list->items[j]->text);
			if (!jv_equal(first, value))
				return fail(c,
				    mem_printf(c->arena, "%s %s",
					event_label(c, i),
					list->items[j]->text.data),
				    mem_printf(c->arena, "%s, as %s",
					jv_show(c->arena, first, SHOWN),
					list->items[0]->text.data),
				    jv_show(c->arena, value, SHOWN));
		}
	}
	return true;
}

static bool
check_join(struct checking *c)
{
	const struct jv *join = jv_get(c->rules, "join");
	const struct jv *from, *piece, *replace;
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i;

	if (join == NULL)
		return true;
	from = jv_get(join, "from");
	replace = jv_get(join, "replace");
	for (i = 0; i < c->count; i++) {
		piece = jv_find(c->events[i]->value, from->text);
		if (piece == NULL)
			continue;
		if (piece->kind != JV_STRING) {
			buf_release(&b);
			return fail(c, event_label(c, i), "\"$string\"",
			    jv_show(c->arena, piece, SHOWN));
		}
		if (replace != NULL &&
		    span_equal(sse_name(c->rules, c->events[i]),
			replace->text))
			buf_reset(&b);
		buf_add(&b, piece->text.data, piece->text.len);
	}
	c->joined = jv_string(c->arena, mem_take(c->arena, &b));
	return match(c->arena, jv_get(join, "is"), c->joined,
	    "the pieces put together", c->d);
}

bool
sse_check(struct arena *a, const struct jv *rules, struct sse_stream *stream,
    struct difference *d)
{
	struct checking c = {.arena = a, .rules = rules, .d = d};

	bool good;

	leave_out_ignored(&c, stream);
	good = check_end(&c) && check_json(&c) && check_order(&c) &&
	    check_each(&c) && check_at(&c) && check_same(&c) &&
	    check_equal(&c) && check_join(&c);
	stream->joined = c.joined;
	return good;
}

const struct jv *
sse_last(const struct sse_stream *stream, struct span pointer)
{
	const struct jv *value;
	size_t i;

	for (i = stream->count; i > 0; i--) {
		value = jv_find(stream->events[i - 1].value, pointer);
		if (value != NULL)
			return value;
	}
	return NULL;
}

/* ---- are they rules? ---------------------------------------------------- */

static const char *
strings_fault(const struct jv *list, const char *name, bool pointers,
    struct arena *a)
{
	size_t i;

	if (list == NULL)
		return NULL;
	if (list->kind != JV_ARRAY)
		return mem_printf(a, "sse.%s needs an array", name);
	for (i = 0; i < list->count; i++)
		if (list->items[i]->kind != JV_STRING ||
		    (pointers && !span_starts(list->items[i]->text, "/")))
			return mem_printf(a, "sse.%s needs %s", name,
			    pointers ? "JSON Pointers" : "strings");
	return NULL;
}

static const char *
order_fault(const struct jv *order)
{
	struct span name, before = SPAN_NONE;
	size_t i, min, max;

	for (i = 0; order != NULL && i < order->count; i++) {
		name = order_entry(order->items[i], &min, &max);
		if (i > 0 && span_equal(name, before))
			return "sse.order has one name twice in a row";
		before = name;
	}
	return NULL;
}

static const char *
parts_fault(struct arena *a, const struct jv *rules, const struct jv **at)
{
	const struct jv *m = jv_get(rules, "each"), *by_name, *join;
	const char *why = NULL;
	size_t i;

	if (m != NULL)
		why = matcher_fault(a, m, at);
	by_name = jv_get(rules, "at");
	if (by_name != NULL && by_name->kind != JV_OBJECT)
		return "sse.at needs an object";
	for (i = 0; why == NULL && by_name != NULL && i < by_name->count; i++)
		why = matcher_fault(a, by_name->items[i], at);
	join = jv_get(rules, "join");
	if (why != NULL || join == NULL)
		return why;
	*at = join;
	if (join->kind != JV_OBJECT ||
	    join->count !=
		(jv_text(jv_get(join, "replace")) == NULL ? 2U : 3U) ||
	    jv_text(jv_get(join, "from")) == NULL ||
	    jv_get(join, "is") == NULL)
		return "sse.join needs \"from\" and \"is\", and may have "
		       "\"replace\"";
	return matcher_fault(a, jv_get(join, "is"), at);
}

const char *
sse_fault(struct arena *a, const struct jv *rules, const struct jv **at)
{
	static const char *const keys[] = {"end", "each", "name", "ignore",
	    "order", "at", "same", "equal", "join"};
	const char *why;
	size_t i, j;

	*at = rules;
	if (rules->kind != JV_OBJECT)
		return "sse needs an object";
	for (i = 0; i < rules->count; i++) {
		for (j = 0; j < 9; j++)
			if (span_is(rules->names[i], keys[j]))
				break;
		*at = rules->items[i];
		if (j == 9)
			return mem_printf(a, "unknown key \"%s\" in sse",
			    rules->names[i].data);
		if ((j == 0 || j == 2) &&
		    rules->items[i]->kind != JV_STRING)
			return mem_printf(a, "sse.%s needs a string",
			    keys[j]);
	}
	*at = rules;
	why = strings_fault(jv_get(rules, "ignore"), "ignore", false, a);
	if (why == NULL)
		why = strings_fault(jv_get(rules, "order"), "order", false,
		    a);
	if (why == NULL)
		why = order_fault(jv_get(rules, "order"));
	if (why == NULL)
		why = strings_fault(jv_get(rules, "same"), "same", true, a);
	if (why == NULL)
		why = strings_fault(jv_get(rules, "equal"), "equal", true, a);
	return why != NULL ? why : parts_fault(a, rules, at);
}

/* ---- time --------------------------------------------------------------- */

enum sse_live
sse_live(struct arena *a, const struct sse_stream *stream, const char **why)
{
	int64_t quiet_us, burst_us;
	size_t i, n;

	*why = "too short or too quick to tell";
	for (i = 0; i + 10 <= stream->count; i++) {
		quiet_us = stream->events[i].us -
		    (i == 0 ? 0 : stream->events[i - 1].us);
		burst_us = stream->events[i + 9].us - stream->events[i].us;
		if (stream->events[i].us < 0 || quiet_us < 500000 ||
		    stream->events[i + 9].us < 0 || burst_us > 20000)
			continue;
		for (n = 10; i + n < stream->count &&
		     stream->events[i + n].us - stream->events[i].us <=
			 20000;
		     n++)
			;
		*why = mem_printf(a,
		    "nothing for %lld ms, then %zu events within %lld ms",
		    (long long)(quiet_us / 1000), n,
		    (long long)((stream->events[i + n - 1].us -
				    stream->events[i].us) / 1000));
		return SSE_LIVE_NO;
	}
	n = stream->count;
	if (n < 10 || stream->events[n - 1].us < 500000)
		return SSE_LIVE_UNKNOWN;
	*why = "the pieces arrive while the answer is written";
	return SSE_LIVE_YES;
}
