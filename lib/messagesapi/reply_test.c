/* The error envelope; and that no shortage of memory breaks an answer. */
#include "messagesapi/reply.h"

#include <check.h>
#include <string.h>

#include "messagesapi/api_deployment.h"

Suite *reply_suite(void);

#define C KEY_SKY
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)

static const char *conversation, *message, *file;

static void
open_with_rows(void)
{
	deployment_open();
	ck_assert_int_eq(ask_typed(C, "POST", "/files/upload",
	    "multipart/form-data; boundary=XX",
	    SPAN("--XX\r\nContent-Disposition: form-data; name=\"file\"; "
		 "filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nbytes"
		 "\r\n--XX\r\nContent-Disposition: form-data; name=\"user\""
		 "\r\n\r\nu\r\n--XX--\r\n")), 201);
	file = text_at("id");
	ck_assert_int_eq(chat(C, "two moons", F(",\"files\":[{\"type\":"
	    "\"image\",\"transfer_method\":\"local_file\","
	    "\"upload_file_id\":\"%s\"}]", file)), 200);
	conversation = text_at("conversation_id");
	message = text_at("message_id");
}

/* %c, %m, %f: the ids of the conversation, the message and the file. */
static const struct {
	const char *method, *path, *body;
	int status;
} requests[] = {
    {"POST", "/chat-messages",
	"{\"query\":\"two moons\",\"inputs\":{\"a\":1},\"user\":\"u\","
	"\"files\":[{\"type\":\"image\",\"transfer_method\":\"local_file\","
	"\"upload_file_id\":\"%f\"}]}",
	200},
    {"POST", "/chat-messages",
	"{\"query\":\"two moons\",\"inputs\":{},\"user\":\"u\","
	"\"conversation_id\":\"%c\",\"response_mode\":\"streaming\"}",
	200},
    {"POST", "/chat-messages", "{\"user\":\"u\",\"files\":[1,2]}", 400},
    {"POST", "/chat-messages/x/stop", "{\"user\":\"u\"}", 200},
    {"GET", "/messages?user=u&conversation_id=%c", NULL, 200},
    {"GET", "/messages/%m/suggested?user=u", NULL, 200},
    {"POST", "/messages/%m/feedbacks", "{\"user\":\"u\",\"rating\":\"like\"}",
	200},
    {"GET", "/conversations?user=u", NULL, 200},
    {"POST", "/conversations/%c/name", "{\"user\":\"u\",\"name\":\"n\"}",
	200},
    {"POST", "/conversations/%c/name",
	"{\"user\":\"u\",\"auto_generate\":true}", 200},
    {"GET", "/conversations/%c/variables?user=u", NULL, 200},
    {"GET", "/parameters", NULL, 200},
    {"GET", "/info", NULL, 200},
    {"GET", "/app/feedbacks", NULL, 200},
    {"GET", "/files/%f/preview?as_attachment=1", NULL, 200},
    {"POST", "/apps/annotations", "{\"question\":\"a\",\"answer\":\"b\"}",
	201},
    {"GET", "/apps/annotations?keyword=a", NULL, 200},
    {"POST", "/apps/annotation-reply/enable",
	"{\"score_threshold\":1,\"embedding_provider_name\":\"p\","
	"\"embedding_model_name\":\"m\"}",
	200},
    {"DELETE", "/conversations/%c", "{\"user\":\"u\"}", 204},
    {"GET", "/nothing/there", NULL, 404},
};

/* The text with its marks replaced. */
static const char *
filled(const char *text)
{
	struct buf out = BUF_INIT(65536);
	const char *copy;

	for (; text != NULL && *text != '\0'; text++) {
		if (*text != '%') {
			buf_addc(&out, *text);
			continue;
		}
		text++;
		buf_adds(&out, *text == 'c' ? conversation
			: *text == 'm'	    ? message
					    : file);
	}
	copy = arena_strdup(&deployment_arena, buf_text(&out));
	buf_release(&out);
	return copy;
}

/* More and more memory, until the request fits: before, every answer is a
 * whole one that says so. */
START_TEST(a_full_arena_is_a_500_and_nothing_worse)
{
	const char *path = filled(requests[_i].path);
	const char *body = requests[_i].body == NULL
	    ? NULL : filled(requests[_i].body);
	size_t failures = 0, last;
	int status = 0;

	deployment_memory = 256;
	while (status != requests[_i].status && deployment_memory < 4000000) {
		deployment_memory += deployment_memory / 32;
		status = ask(C, requests[_i].method, path, body);
		if (status == 0 || status == requests[_i].status)
			continue;
		failures++;
		/* The replay engine could not read its recordings. */
		if (strcmp(text_at("code"), "provider_not_initialize") == 0)
			continue;
		ck_error(status, 500, "internal_server_error",
		    "The server encountered an internal error");
	}
	ck_assert_int_eq(status, requests[_i].status);
	if (strstr(path, "/chat-messages") == NULL || body == NULL ||
	    strstr(body, "streaming") == NULL)
		return;
	for (last = 0; event(last); last++)
		;
	ck_assert(strcmp(text_at("event"), "message_end") == 0 ||
	    strcmp(text_at("event"), "error") == 0);
	ck_assert_uint_gt(failures, 0);
}
END_TEST

START_TEST(an_envelope_has_three_members_or_four)
{
	ck_assert_int_eq(ask(NULL, "GET", "/v1/info", NULL), 401);
	ck_assert_str_eq(text_at(""),
	    "{\"code\":\"unauthorized\",\"message\":\"Authorization header "
	    "must be provided and start with 'Bearer'\",\"status\":401}");
	ck_assert_int_eq(ask(C, "GET", "/v1/conversations?limit=0", NULL),
	    400);
	ck_assert_str_eq(text_at(""),
	    "{\"code\":\"invalid_param\",\"message\":\"limit: Input should be "
	    "greater than or equal to 1\",\"params\":\"limit\","
	    "\"status\":400}");
}
END_TEST

Suite *
reply_suite(void)
{
	Suite *s = suite_create("reply");
	TCase *t = tcase_create("reply");

	tcase_add_checked_fixture(t, open_with_rows, deployment_close);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_full_arena_is_a_500_and_nothing_worse, 0,
	    (int)(sizeof(requests) / sizeof(requests[0])));
	tcase_add_test(t, an_envelope_has_three_members_or_four);
	suite_add_tcase(s, t);
	return s;
}
