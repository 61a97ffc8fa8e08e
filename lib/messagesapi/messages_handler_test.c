/* Listing messages, suggestions, and feedback on messages. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "messagesapi/api_deployment.h"

Suite *messages_handler_suite(void);

#define C KEY_SKY
#define UNKNOWN_ID "0d1a5f0e-0000-8000-8000-0000000000ff"
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)

/* A conversation of n messages; the ids of all of them. */
static const char *
talk(const char **ids, int n)
{
	const char *conversation = "";
	int i;

	for (i = 0; i < n; i++) {
		ck_assert_int_eq(chat(C, "q",
		    F(",\"conversation_id\":\"%s\"", conversation)), 200);
		conversation = text_at("conversation_id");
		ids[i] = text_at("message_id");
	}
	return conversation;
}

static const struct {
	const char *query;
	int status;
	const char *code, *message;
} queries[] = {
    {"", 400, "invalid_param", "conversation_id: Field required"},
    {"conversation_id=x", 400, "invalid_param",
	"conversation_id: Value error, x is not a valid uuid."},
    {"conversation_id=" UNKNOWN_ID, 404, "not_found",
	"Conversation Not Exists."},
    {"conversation_id=" UNKNOWN_ID "&first_id=y&limit=200", 400,
	"invalid_param",
	"first_id: Value error, y is not a valid uuid.; limit: Input should "
	"be less than or equal to 100"},
};

START_TEST(bad_query_parameters_are_refused)
{
	ck_error(ask(C, "GET", F("/v1/messages?user=u&%s", queries[_i].query),
	    NULL), queries[_i].status, queries[_i].code, queries[_i].message);
}
END_TEST

START_TEST(an_empty_conversation_id_is_an_empty_page)
{
	ck_assert_int_eq(ask(C, "GET",
	    "/v1/messages?user=u&conversation_id=&limit=5", NULL), 200);
	ck_assert_str_eq(text_at(""),
	    "{\"limit\":5,\"has_more\":false,\"data\":[]}");
}
END_TEST

/* Seven messages of one instant: pages go back, each reads forwards. */
START_TEST(equal_times_page_exactly)
{
	const char *ids[7], *conversation, *first = "";
	int left = 7, n, i;

	clock_pin_us(INT64_C(1767225600000000));
	conversation = talk(ids, 7);
	clock_pin_us(-1);
	while (left > 0) {
		ck_assert_int_eq(ask(C, "GET",
		    F("/messages?user=u&conversation_id=%s&limit=3&first_id="
		      "%s", conversation, first), NULL), 200);
		n = (int)pyjson_count(at("data"));
		ck_assert_int_eq(n, left < 3 ? left : 3);
		ck_assert_str_eq(text_at("has_more"),
		    left > 3 ? "true" : "false");
		for (i = 0; i < n; i++)
			ck_assert_str_eq(text_at(F("data.%d.id", i)),
			    ids[left - n + i]);
		first = text_at("data.0.id");
		left -= n;
	}
}
END_TEST

START_TEST(the_first_message_must_be_of_the_conversation)
{
	const char *ids[1], *other[1];
	const char *conversation = talk(ids, 1);

	(void)talk(other, 1);
	ck_error(ask(C, "GET", F("/messages?user=u&conversation_id=%s"
	    "&first_id=%s", conversation, other[0]), NULL), 404, "not_found",
	    "First Message Not Exists.");
	ck_error(ask(C, "GET", F("/messages?user=v&conversation_id=%s",
	    conversation), NULL), 404, "not_found",
	    "Conversation Not Exists.");
}
END_TEST

START_TEST(suggestions_are_the_questions_not_yet_asked)
{
	const char *ids[1];

	(void)talk(ids, 1);
	ck_assert_int_eq(ask(C, "GET", F("/v1/messages/%s/suggested?user=u",
	    ids[0]), NULL), 200);
	ck_assert_str_eq(text_at(""),
	    "{\"result\":\"success\",\"data\":[\"How far is the Moon?\","
	    "\"What is a star?\"]}");
	ck_assert_int_eq(chat(C, "how far is the moon", ""), 200);
	ck_assert_int_eq(ask(C, "GET", F("/v1/messages/%s/suggested?user=u",
	    text_at("message_id")), NULL), 200);
	ck_assert_str_eq(text_at("data"), "[\"What is a star?\"]");
	ck_error(ask(C, "GET", F("/messages/%s/suggested?user=v", ids[0]),
	    NULL), 404, "not_found", "Message Not Exists.");
	ck_error(ask(C, "GET", F("/messages/%s/suggested", ids[0]), NULL),
	    400, "invalid_param", "Arg user must be provided.");
	ck_assert_int_eq(chat(KEY_CAP, "q", ""), 200);
	ck_error(ask(KEY_CAP, "GET", F("/messages/%s/suggested?user=u",
	    text_at("message_id")), NULL), 400, "bad_request",
	    "Suggested Questions Is Disabled.");
}
END_TEST

static int
rate(const char *message, const char *body)
{
	return ask(C, "POST", F("/v1/messages/%s/feedbacks", message), body);
}

START_TEST(feedback_is_given_replaced_listed_and_revoked)
{
	const char *ids[1], *conversation = talk(ids, 1);

	ck_error(rate(ids[0], "{\"user\":\"u\",\"rating\":null}"), 400,
	    "invalid_param", "rating cannot be None when feedback not exists");
	ck_assert_int_eq(rate(ids[0],
	    "{\"user\":\"u\",\"rating\":\"like\",\"content\":\"good\"}"), 200);
	ck_assert_str_eq(text_at(""), "{\"result\":\"success\"}");
	ck_assert_int_eq(rate(ids[0],
	    "{\"user\":\"u\",\"rating\":\"dislike\"}"), 200);
	ck_assert_int_eq(ask(C, "GET", F("/messages?user=u&conversation_id=%s",
	    conversation), NULL), 200);
	ck_assert_str_eq(text_at("data.0.feedback"),
	    "{\"rating\":\"dislike\"}");
	ck_assert_int_eq(ask(C, "GET", "/v1/app/feedbacks", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
	ck_assert_uint_eq(pyjson_count(at("")), 1);
	ck_assert_str_eq(text_at("data.0.rating"), "dislike");
	ck_assert_str_eq(text_at("data.0.content"), "null");
	ck_assert_str_eq(text_at("data.0.message_id"), ids[0]);
	ck_assert_str_eq(text_at("data.0.conversation_id"), conversation);
	ck_assert_str_eq(text_at("data.0.from_source"), "user");
	ck_assert_str_eq(text_at("data.0.from_account_id"), "null");
	ck_assert_uint_eq(strlen(text_at("data.0.created_at")), 20);
	ck_assert_int_eq(rate(ids[0], "{\"user\":\"u\"}"), 200);
	ck_assert_int_eq(ask(C, "GET", "/v1/app/feedbacks", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
}
END_TEST

START_TEST(feedback_is_refused_for_others_and_other_words)
{
	const char *ids[1];

	(void)talk(ids, 1);
	ck_error(rate(ids[0], "{\"user\":\"v\",\"rating\":\"like\"}"), 404,
	    "not_found", "Message Not Exists.");
	ck_error(rate(UNKNOWN_ID, "{\"user\":\"u\",\"rating\":\"like\"}"), 404,
	    "not_found", "Message Not Exists.");
	ck_error(rate(ids[0], "{\"user\":\"u\",\"rating\":\"so so\"}"), 400,
	    "invalid_param", "rating: Input should be 'like' or 'dislike'");
	ck_error(rate(ids[0],
	    "{\"user\":\"u\",\"rating\":\"like\",\"content\":5}"), 400,
	    "invalid_param", "content: Input should be a valid string");
	ck_error(rate(ids[0], "{\"rating\":\"like\"}"), 400, "invalid_param",
	    "Arg user must be provided.");
}
END_TEST

START_TEST(app_feedbacks_are_newest_first_in_pages)
{
	const char *ids[3];
	int i;

	(void)talk(ids, 3);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(rate(ids[i],
		    "{\"user\":\"u\",\"rating\":\"like\"}"), 200);
	ck_assert_int_eq(ask(C, "GET", "/app/feedbacks?limit=2", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 2);
	ck_assert_str_eq(text_at("data.0.message_id"), ids[2]);
	ck_assert_int_eq(ask(C, "GET", "/app/feedbacks?limit=2&page=2", NULL),
	    200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
	ck_assert_str_eq(text_at("data.0.message_id"), ids[0]);
	ck_assert_int_eq(ask(C, "GET", "/app/feedbacks?limit=101", NULL), 200);
	ck_error(ask(C, "GET", "/app/feedbacks?limit=102&page=0", NULL), 400,
	    "invalid_param", "page: Input should be greater than or equal to 1"
	    "; limit: Input should be less than or equal to 101");
	ck_assert_int_eq(ask(KEY_SKY2, "GET", "/app/feedbacks", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
}
END_TEST

START_TEST(an_end_user_is_found_by_the_id_that_feedback_names)
{
	const char *ids[1], *id;

	(void)talk(ids, 1);
	ck_assert_int_eq(rate(ids[0],
	    "{\"user\":\"u\",\"rating\":\"like\"}"), 200);
	ck_assert_int_eq(ask(C, "GET", "/app/feedbacks", NULL), 200);
	id = text_at("data.0.from_end_user_id");
	ck_assert_int_eq(ask(C, "GET", F("/v1/end-users/%s", id), NULL), 200);
	ck_assert_str_eq(text_at("id"), id);
	ck_assert_str_eq(text_at("type"), "service-api");
	ck_assert_str_eq(text_at("external_user_id"), "u");
	ck_assert_str_eq(text_at("session_id"), "u");
	ck_assert_str_eq(text_at("is_anonymous"), "false");
	ck_assert_uint_eq(strlen(text_at("tenant_id")), 36);
	ck_assert_uint_eq(strlen(text_at("app_id")), 36);
	ck_assert_uint_eq(strlen(text_at("created_at")), 20);
	ck_error(ask(KEY_SKY2, "GET", F("/end-users/%s", id), NULL), 404,
	    "end_user_not_found", "End user not found.");
	ck_error(ask(C, "GET", "/v1/end-users/" UNKNOWN_ID, NULL), 404,
	    "end_user_not_found", "End user not found.");
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
messages_handler_suite(void)
{
	Suite *s = suite_create("messages_handler");
	TCase *t = tcase_create("messages_handler");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_loop_test(t, bad_query_parameters_are_refused, 0,
	    ROWS(queries));
	tcase_add_test(t, an_empty_conversation_id_is_an_empty_page);
	tcase_add_test(t, equal_times_page_exactly);
	tcase_add_test(t, the_first_message_must_be_of_the_conversation);
	tcase_add_test(t, suggestions_are_the_questions_not_yet_asked);
	tcase_add_test(t, feedback_is_given_replaced_listed_and_revoked);
	tcase_add_test(t, feedback_is_refused_for_others_and_other_words);
	tcase_add_test(t, app_feedbacks_are_newest_first_in_pages);
	tcase_add_test(t, an_end_user_is_found_by_the_id_that_feedback_names);
	suite_add_tcase(s, t);
	return s;
}
