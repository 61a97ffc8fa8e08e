#include "http/sse_reader.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *sse_reader_suite(void);

/* Cases with this in front of their name are read in that manner. */
#define MODEL_SERVER "model server: "

/* What came out, written down as "type|data\x1e" for each event. */
static const struct {
	const char *name;
	struct span input;
	const char *events;
	enum err err;
} cases[] = {
    {"two events", SPAN("data: a\n\ndata: b\n\n"), "|a\x1e|b\x1e", 0},
    {"no blank after the colon", SPAN("data:a\n\n"), "|a\x1e", 0},
    {"only one blank is taken", SPAN("data:  a\n\n"), "| a\x1e", 0},
    {"crlf", SPAN("data: a\r\n\r\ndata: b\r\n\r\n"), "|a\x1e|b\x1e", 0},
    {"cr", SPAN("data: a\r\rdata: b\r\r"), "|a\x1e|b\x1e", 0},
    {"mixed ends", SPAN("data: a\r\ndata: b\n\rdata: c\r\r\n"),
	"|a\nb\x1e|c\x1e", 0},
    {"data lines are joined", SPAN("data: a\ndata:\ndata: b\n\n"),
	"|a\n\nb\x1e", 0},
    {"empty data is an event", SPAN("data\n\ndata:\n\n"), "|\x1e|\x1e", 0},
    {"an event's type", SPAN("event: error\ndata: x\n\ndata: y\n\n"),
	"error|x\x1e|y\x1e", 0},
    {"no data, no event", SPAN("event: ping\n\ndata: x\n\n"), "|x\x1e", 0},
    {"comments", SPAN(": hello\ndata: x\n: more\n\n:\n\n"), "|x\x1e", 0},
    {"unknown fields", SPAN("id: 3\nretry: 9\nfoo\ndata: x\n\n"), "|x\x1e",
	0},
    {"byte order mark", SPAN("\xEF\xBB\xBF" "data: x\n\n"), "|x\x1e", 0},
    {"half a mark is text", SPAN("\xEF\xBB" "data: x\n\ndata: y\n\n"),
	"|y\x1e", 0},
    {"a mark inside is text",
	SPAN("data: a\n\n\xEF\xBB\xBF" "data: b\n\ndata: c\n\n"),
	"|a\x1e|c\x1e", 0},
    {"utf-8 is not cut", SPAN("data: \xC3\xA4\xF0\x9F\x98\x80\n\n"),
	"|\xC3\xA4\xF0\x9F\x98\x80\x1e", 0},
    {"nul is text", SPAN("data: a\0b\n\n"), "|a?b\x1e", 0},
    {"unfinished event", SPAN("data: a\n\ndata: b\n"), "|a\x1e!|b\x1e", 0},
    {"unfinished line", SPAN("data: [DONE]"), "!|[DONE]\x1e", 0},
    {"nothing at all", SPAN(""), "", 0},
    {"empty lines", SPAN("\n\r\n\r\n\n"), "", 0},
    {"just fits", SPAN("data: 0123456789012345678901234567890123\n\n"),
	"|0123456789012345678901234567890123\x1e", 0},
    {"line too long",
	SPAN("data: 01234567890123456789012345678901234567890123\n\n"), "",
	ERR_TOO_BIG},
    {"comment too long",
	SPAN(": 01234567890123456789012345678901234567890123\n\n"), "",
	ERR_TOO_BIG},
    {"event too big",
	SPAN("data: a\n\ndata: 0123456789012345678901234\n"
	     "data: 0123456789012345678901234\n\n"),
	"|a\x1e", ERR_TOO_BIG},
    {MODEL_SERVER "a line of json",
	SPAN("{\"a\":1}\n{\"b\":2}\r\n\ndata: x\n\n"),
	"|{\"a\":1}\x1e|{\"b\":2}\x1e|x\x1e", 0},
    {MODEL_SERVER "a line of json in a stream",
	SPAN("data: {}\n\n{\"error\":1}\n\n"),
	"|{}\x1e|{\"error\":1}\x1e", 0},
    {MODEL_SERVER "a line of json behind an open event",
	SPAN("data: x\n{\"e\":1}\n"),
	"|x\x1e|{\"e\":1}\x1e", 0},
    {MODEL_SERVER "json lines without an end",
	SPAN("{\"a\":1}\n{\"b\":2}"),
	"|{\"a\":1}\x1e!|{\"b\":2}\x1e", 0},
    {MODEL_SERVER "no empty line between",
	SPAN("data: {1}\ndata: {2}\ndata:[x]\n\n"),
	"|{1}\x1e|{2}\x1e|[x]\x1e", 0},
    {MODEL_SERVER "json on several lines",
	SPAN("data: {\ndata: \"a\":{}\ndata: }\n\n"),
	"|{\n\"a\":{}\n}\x1e", 0},
    {MODEL_SERVER "an error line",
	SPAN("error: {\"code\":1}\n\n"),
	"error|{\"code\":1}\x1e", 0},
    {MODEL_SERVER "a type without data",
	SPAN("event: error\n\ndata: x\n\n"),
	"error|\x1e|x\x1e", 0},
    {MODEL_SERVER "two at the end",
	SPAN("data: {1}\ndata: {2}"),
	"!|{1}\x1e!|{2}\x1e", 0},
    {"the standard joins", SPAN("data: {1}\ndata: {2}\n\n{3}\n"),
	"|{1}\n{2}\x1e", 0},
};

#define MAX_EVENT 40

static void
note(struct buf *out, const struct sse_event *event)
{
	size_t i;

	buf_add(out, event->type.data, event->type.len);
	buf_addc(out, '|');
	for (i = 0; i < event->data.len; i++)
		buf_addc(out,
		    event->data.data[i] == '\0' ? '?' : event->data.data[i]);
	buf_addc(out, '\x1e');
}

static enum err
feed(struct sse_reader *r, struct span input, struct buf *out)
{
	struct sse_event event;
	enum err err;
	bool got;

	do {
		err = sse_reader_next(r, &input, &event, &got);
		if (got)
			note(out, &event);
	} while (err == ERR_NONE && (got || input.len > 0));
	return err;
}

static enum err
finish(struct sse_reader *r, struct buf *out)
{
	struct sse_event event;
	enum err err;
	bool got;

	do {
		err = sse_reader_finish(r, &event, &got);
		if (got) {
			buf_addc(out, '!');
			note(out, &event);
		}
	} while (err == ERR_NONE && got);
	return err;
}

/* Each case whole, byte by byte, and in every split into two pieces. */
static void
run(int i, size_t first, size_t step)
{
	struct buf out = BUF_INIT(1000);
	struct sse_reader r;
	struct span s = cases[i].input;
	enum err err = ERR_NONE;
	size_t at = 0, n = first;

	sse_reader_init(&r, span_starts(span_of(cases[i].name), MODEL_SERVER)
		? SSE_MODEL_SERVER : SSE_STANDARD, MAX_EVENT);
	while (at < s.len && err == ERR_NONE) {
		if (n > s.len - at)
			n = s.len - at;
		err = feed(&r, (struct span){s.data + at, n}, &out);
		at += n;
		n = step;
	}
	if (err == ERR_NONE)
		err = finish(&r, &out);
	ck_assert_msg(err == cases[i].err, "%s: %s", cases[i].name,
	    err_text(err));
	/* A limit on a line may strike before the event in front of it. */
	ck_assert_msg(strcmp(buf_text(&out), cases[i].events) == 0,
	    "%s: %s", cases[i].name, buf_text(&out));
	sse_reader_release(&r);
	buf_release(&out);
}

START_TEST(whole)
{
	run(_i, 1000, 1000);
}
END_TEST

START_TEST(byte_by_byte)
{
	run(_i, 1, 1);
}
END_TEST

START_TEST(in_two_pieces)
{
	size_t at;

	for (at = 1; at < cases[_i].input.len; at++)
		run(_i, at, 1000);
}
END_TEST

Suite *
sse_reader_suite(void)
{
	const int n = sizeof(cases) / sizeof(cases[0]);
	Suite *s = suite_create("sse_reader");
	TCase *t = tcase_create("cases");

	tcase_add_loop_test(t, whole, 0, n);
	tcase_add_loop_test(t, byte_by_byte, 0, n);
	tcase_add_loop_test(t, in_two_pieces, 0, n);
	suite_add_tcase(s, t);
	return s;
}
