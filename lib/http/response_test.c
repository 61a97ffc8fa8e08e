#include "http/response.h"

#include <check.h>
#include <string.h>

#include "http/gateway_memory.h"

Suite *response_suite(void);

static const char *const no_params[] = {NULL};
static struct gateway_memory memory;
static struct response response;

static void
setup(void)
{
	gateway_memory_init(&memory, no_params, SPAN_NONE);
	response_init(&response, &memory.gateway,
	    "0123456789abcdef0123456789abcdef", false);
}

static void
teardown(void)
{
	response_release(&response);
	gateway_memory_release(&memory);
}

START_TEST(a_whole_answer_is_one_write)
{
	response_status(&response, 422);
	ck_assert_int_eq(response_send(&response, "application/json",
	    SPAN("{\"a\":1}")), ERR_NONE);
	ck_assert_str_eq(buf_text(&memory.output),
	    "Status: 422 Unprocessable Entity\r\n"
	    "x-request-id: 0123456789abcdef0123456789abcdef\r\n"
	    "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n"
	    "{\"a\":1}");
	ck_assert_uint_eq(memory.writes, 1);
	ck_assert(response.sent);
	ck_assert_uint_eq(response.body_bytes, 7);
}
END_TEST

START_TEST(a_head_request_gets_no_body)
{
	response.no_body = true;
	ck_assert_int_eq(response_send(&response, "text/plain", SPAN("abc")),
	    ERR_NONE);
	ck_assert(span_is(gateway_memory_header(&memory, "content-length"),
	    "3"));
	ck_assert(span_is(gateway_memory_body(&memory), ""));
}
END_TEST

START_TEST(an_empty_answer_has_no_content_type)
{
	response_status(&response, 307);
	ck_assert_int_eq(response_send(&response, NULL, SPAN_NONE), ERR_NONE);
	ck_assert_int_eq(gateway_memory_status(&memory), 307);
	ck_assert_ptr_null(gateway_memory_header(&memory, "Content-Type")
			       .data);
	ck_assert(span_is(gateway_memory_header(&memory, "Content-Length"),
	    "0"));
}
END_TEST

START_TEST(no_content_has_no_length)
{
	response_status(&response, 204);
	ck_assert_int_eq(response_send(&response, "text/plain", SPAN("x")),
	    ERR_NONE);
	ck_assert_ptr_null(gateway_memory_header(&memory, "Content-Length")
			       .data);
	ck_assert(span_is(gateway_memory_body(&memory), ""));
}
END_TEST

static const struct {
	const char *name;
	const char *value;
	size_t len;
} breaking[] = {
    {"X-A", "b\r\nSet-Cookie: c", 15},
    {"X-A", "b\nc", 3},
    {"X-A", "b\rc", 3},
    {"X-A", "b\0c", 3},
    {"X-A\r\nX-B", "c", 1},
    {"X-A: b", "c", 1},
    {"", "c", 1},
};

START_TEST(nothing_can_make_a_header)
{
	ck_assert_int_eq(response_header(&response, breaking[_i].name,
	    (struct span){breaking[_i].value, breaking[_i].len}), ERR_INPUT);
	ck_assert_int_eq(response_send(&response, NULL, SPAN_NONE), ERR_NONE);
	ck_assert_ptr_null(strstr(buf_text(&memory.output), "X-"));
}
END_TEST

START_TEST(a_restart_keeps_the_request_id_alone)
{
	response_status(&response, 200);
	ck_assert_int_eq(response_header(&response, "X-A", SPAN("b")),
	    ERR_NONE);
	response_restart(&response);
	response_status(&response, 500);
	ck_assert_int_eq(response_send(&response, "text/plain", SPAN("no")),
	    ERR_NONE);
	ck_assert_ptr_null(gateway_memory_header(&memory, "X-A").data);
	ck_assert_uint_eq(gateway_memory_header(&memory, "x-request-id").len,
	    32);
	ck_assert_int_eq(gateway_memory_status(&memory), 500);
}
END_TEST

START_TEST(too_many_headers_send_nothing_and_can_be_restarted)
{
	char value[1001];
	enum err err = ERR_NONE;
	int i;

	memset(value, 'x', sizeof(value));
	for (i = 0; i < 20; i++)
		err = response_header(&response, "X-Long",
		    (struct span){value, sizeof(value)});
	ck_assert_int_eq(err, ERR_TOO_BIG);
	ck_assert_int_eq(response_send(&response, NULL, SPAN_NONE),
	    ERR_TOO_BIG);
	ck_assert_uint_eq(memory.output.len, 0);
	response_restart(&response);
	response_status(&response, 500);
	ck_assert_int_eq(response_send(&response, NULL, SPAN_NONE), ERR_NONE);
	ck_assert_int_eq(gateway_memory_status(&memory), 500);
}
END_TEST

START_TEST(a_broken_body_sends_nothing)
{
	struct buf body = BUF_INIT(2);

	buf_adds(&body, "abc");
	ck_assert_int_eq(response_send_json(&response, 200, &body),
	    ERR_TOO_BIG);
	ck_assert(!response.sent);
	ck_assert_uint_eq(memory.output.len, 0);
	buf_release(&body);
}
END_TEST

START_TEST(a_stream_is_written_piece_by_piece)
{
	ck_assert_int_eq(response_begin_stream(&response,
	    "text/event-stream"), ERR_NONE);
	ck_assert(span_is(gateway_memory_header(&memory,
	    "X-Accel-Buffering"), "no"));
	ck_assert_ptr_null(gateway_memory_header(&memory, "Content-Length")
			       .data);
	ck_assert_int_eq(response_write(&response, "data: a\n\n", 9),
	    ERR_NONE);
	ck_assert_int_eq(response_write(&response, "data: b\n\n", 9),
	    ERR_NONE);
	ck_assert_uint_eq(memory.writes, 3);
	ck_assert_uint_eq(response.body_bytes, 18);
	ck_assert(span_is(gateway_memory_body(&memory),
	    "data: a\n\ndata: b\n\n"));
}
END_TEST

START_TEST(a_client_that_left_is_told_from_then_on)
{
	ck_assert_int_eq(response_begin_stream(&response,
	    "text/event-stream"), ERR_NONE);
	memory.gone = true;
	ck_assert_int_eq(response_write(&response, "x", 1), ERR_CLIENT_GONE);
	memory.gone = false;
	ck_assert_int_eq(response_write(&response, "x", 1), ERR_CLIENT_GONE);
	ck_assert(response.gone);
	ck_assert_uint_eq(response.body_bytes, 0);
}
END_TEST

START_TEST(a_large_body_is_not_joined_to_its_head)
{
	static char large[100000];

	memset(large, 'y', sizeof(large));
	ck_assert_int_eq(response_send(&response, "text/plain",
	    (struct span){large, sizeof(large)}), ERR_NONE);
	ck_assert_uint_eq(memory.writes, 2);
	ck_assert_uint_eq(gateway_memory_body(&memory).len, sizeof(large));
}
END_TEST

START_TEST(a_program_named_nph_writes_the_status_line)
{
	memory.gateway.nph = true;
	ck_assert_int_eq(response_send(&response, "text/plain", SPAN("a")),
	    ERR_NONE);
	ck_assert_ptr_eq(strstr(buf_text(&memory.output),
	    "HTTP/1.1 200 OK\r\nConnection: close\r\n"),
	    buf_text(&memory.output));
}
END_TEST

static int waits;
static enum err wait_says;

static enum err
wait(void *arg)
{
	ck_assert_ptr_eq(arg, &waits);
	ck_assert_uint_eq(memory.output.len, 0);
	waits++;
	return wait_says;
}

START_TEST(nothing_is_sent_before_what_must_come_first)
{
	waits = 0;
	wait_says = ERR_NONE;
	response_not_before(&response, wait, &waits);
	if (_i == 0) {
		ck_assert_int_eq(response_send(&response, "text/plain",
		    SPAN("x")), ERR_NONE);
	} else {
		ck_assert_int_eq(response_begin_stream(&response,
		    "text/plain"), ERR_NONE);
		ck_assert_int_eq(response_write(&response, "x", 1), ERR_NONE);
	}
	ck_assert_int_eq(waits, 1);
	ck_assert(memory.output.len > 0);
}
END_TEST

START_TEST(what_must_come_first_may_fail)
{
	waits = 0;
	wait_says = ERR_STORE;
	response_not_before(&response, wait, &waits);
	ck_assert_int_eq(response_send(&response, "text/plain", SPAN("x")),
	    ERR_STORE);
	ck_assert_uint_eq(memory.writes, 0);
	ck_assert(!response.sent);
	response_status(&response, 500);
	ck_assert_int_eq(response_send(&response, "text/html", SPAN("sorry")),
	    ERR_NONE);
	ck_assert_int_eq(waits, 1);
	ck_assert_int_eq(gateway_memory_status(&memory), 500);
	ck_assert_ptr_null(strstr(buf_text(&memory.output), "text/plain"));
}
END_TEST

static char held[256];

static bool
hold_it(struct gateway *g, const char *data, size_t len)
{
	(void)g;
	if (len >= sizeof(held))
		return false;
	memcpy(held, data, len);
	held[len] = '\0';
	return true;
}

START_TEST(a_gateway_may_hold_a_whole_answer_back)
{
	struct gateway_ops ops = *memory.gateway.ops;
	static const char large[300];
	bool fits = _i == 0;

	ops.hold = hold_it;
	memory.gateway.ops = &ops;
	waits = 0;
	wait_says = ERR_NONE;
	response_not_before(&response, wait, &waits);
	ck_assert_int_eq(response_send(&response, "text/plain",
	    fits ? SPAN("later") : (struct span){large, sizeof(large)}),
	    ERR_NONE);
	ck_assert(response.sent);
	ck_assert_int_eq(response.held, fits);
	ck_assert_int_eq(waits, !fits);
	ck_assert_uint_eq(memory.writes, !fits);
	if (fits)
		ck_assert_ptr_nonnull(strstr(held, "\r\n\r\nlater"));
}
END_TEST

START_TEST(every_status_has_a_phrase)
{
	int status;

	for (status = 100; status < 600; status++)
		ck_assert(response_phrase(status)[0] != '\0');
	ck_assert_str_eq(response_phrase(413), "Request Entity Too Large");
	ck_assert_str_eq(response_phrase(499), "Client Error");
}
END_TEST

Suite *
response_suite(void)
{
	Suite *s = suite_create("response");
	TCase *t = tcase_create("response");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_whole_answer_is_one_write);
	tcase_add_test(t, a_head_request_gets_no_body);
	tcase_add_test(t, an_empty_answer_has_no_content_type);
	tcase_add_test(t, no_content_has_no_length);
	tcase_add_loop_test(t, nothing_can_make_a_header, 0,
	    (int)(sizeof(breaking) / sizeof(breaking[0])));
	tcase_add_test(t, a_restart_keeps_the_request_id_alone);
	tcase_add_test(t, too_many_headers_send_nothing_and_can_be_restarted);
	tcase_add_test(t, a_broken_body_sends_nothing);
	tcase_add_test(t, a_stream_is_written_piece_by_piece);
	tcase_add_test(t, a_client_that_left_is_told_from_then_on);
	tcase_add_test(t, a_large_body_is_not_joined_to_its_head);
	tcase_add_test(t, a_program_named_nph_writes_the_status_line);
	tcase_add_loop_test(t, nothing_is_sent_before_what_must_come_first, 0,
	    2);
	tcase_add_test(t, what_must_come_first_may_fail);
	tcase_add_loop_test(t, a_gateway_may_hold_a_whole_answer_back, 0, 2);
	tcase_add_test(t, every_status_has_a_phrase);
	suite_add_tcase(s, t);
	return s;
}
