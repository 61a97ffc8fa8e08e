/* Listing, deleting and naming conversations. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "messagesapi/api_deployment.h"

Suite *conversations_handler_suite(void);

#define C KEY_SKY
#define UNKNOWN_ID "0d1a5f0e-0000-8000-8000-0000000000ff"
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)

static const char *
new_conversation(const char *query)
{
	ck_assert_int_eq(chat(C, query, ""), 200);
	return text_at("conversation_id");
}

/* Bad query parameters, and what is said of them. */
static const struct {
	const char *query;
	int status;
	const char *code, *message, *params;
} queries[] = {
    {"limit=0", 400, "invalid_param",
	"limit: Input should be greater than or equal to 1", "limit"},
    {"limit=101", 400, "invalid_param",
	"limit: Input should be less than or equal to 100", "limit"},
    {"limit=99999999999999999999999", 400, "invalid_param",
	"limit: Input should be less than or equal to 100", "limit"},
    {"limit=-99999999999999999999999", 400, "invalid_param",
	"limit: Input should be greater than or equal to 1", "limit"},
    {"limit=-", 400, "invalid_param", "limit: Input should be a valid integer",
	"limit"},
    {"limit=2.5", 400, "invalid_param",
	"limit: Input should be a valid integer", "limit"},
    {"limit=x", 400, "invalid_param",
	"limit: Input should be a valid integer, unable to parse string as an "
	"integer",
	"limit"},
    {"limit=", 400, "invalid_param", "limit: Input should be a valid integer",
	"limit"},
    {"last_id=abc", 400, "invalid_param",
	"last_id: Value error, abc is not a valid uuid.", "last_id"},
    {"sort_by=name", 400, "invalid_param", "sort_by: Input should be",
	"sort_by"},
    {"last_id=abc&limit=0", 400, "invalid_param",
	"last_id: Value error, abc is not a valid uuid.; limit: Input should",
	"last_id"},
    {"last_id=" UNKNOWN_ID, 404, "not_found", "Last Conversation Not Exists.",
	"(none)"},
};

START_TEST(bad_query_parameters_are_refused)
{
	ck_error(ask(C, "GET", F("/v1/conversations?user=u&%s",
	    queries[_i].query), NULL), queries[_i].status, queries[_i].code,
	    queries[_i].message);
	ck_assert_str_eq(text_at("params"), queries[_i].params);
}
END_TEST

START_TEST(harmless_parameters_are_ignored)
{
	(void)new_conversation("q");
	ck_assert_int_eq(ask(C, "GET", "/v1/conversations?user=u&first_id=x"
	    "&pinned=true&last_id=&limit=+1", NULL), 200);
	ck_assert_str_eq(text_at("limit"), "1");
	ck_assert_str_eq(text_at("has_more"), "false");
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
}
END_TEST

/* Ten conversations of one instant, in pages of three. */
START_TEST(equal_times_page_exactly_in_every_order)
{
	static const char *const orders[] = {"created_at", "-created_at",
	    "updated_at", "-updated_at"};
	const char *ids[10], *last = "", *id;
	int seen[10] = {0}, total = 0, i, k;
	bool more = true;

	clock_pin_us(INT64_C(1767225600000000));
	for (i = 0; i < 10; i++)
		ids[i] = new_conversation("q");
	clock_pin_us(-1);
	while (more) {
		ck_assert_int_eq(ask(C, "GET",
		    F("/conversations?user=u&limit=3&sort_by=%s&last_id=%s",
			orders[_i], last), NULL), 200);
		more = strcmp(text_at("has_more"), "true") == 0;
		for (i = 0; i < (int)pyjson_count(at("data")); i++) {
			id = text_at(F("data.%d.id", i));
			for (k = 0; k < 10; k++)
				seen[k] += strcmp(ids[k], id) == 0;
			/* Upwards as they were made, downwards reversed. */
			ck_assert_str_eq(id, ids[_i % 2 == 0 ? total
							     : 9 - total]);
			total++;
			last = id;
		}
	}
	ck_assert_int_eq(total, 10);
	for (k = 0; k < 10; k++)
		ck_assert_int_eq(seen[k], 1);
}
END_TEST

START_TEST(a_turn_moves_its_conversation_to_the_front)
{
	const char *first = new_conversation("one");

	(void)new_conversation("two");
	ck_assert_int_eq(chat(C, "again", F(",\"conversation_id\":\"%s\"",
	    first)), 200);
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=u", NULL), 200);
	ck_assert_str_eq(text_at("data.0.id"), first);
	ck_assert_int_eq(ask(C, "GET",
	    "/conversations?user=u&sort_by=-created_at", NULL), 200);
	ck_assert_str_eq(text_at("data.1.id"), first);
}
END_TEST

START_TEST(a_user_sees_its_own_only_and_none_is_the_shared_one)
{
	(void)new_conversation("q");
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=v", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
	ck_assert_int_eq(ask(C, "GET", "/conversations", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
	ck_assert_int_eq(ask(C, "POST", "/chat-messages",
	    "{\"query\":\"q\",\"inputs\":{},\"user\":\"DEFAULT-USER\"}"), 200);
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
	ck_assert_int_eq(ask(KEY_SKY2, "GET", "/conversations?user=u", NULL),
	    200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
}
END_TEST

START_TEST(a_deleted_conversation_is_gone_everywhere)
{
	const char *id = new_conversation("q");
	const char *message = text_at("message_id");
	const char *path = F("/v1/conversations/%s", id);

	ck_error(ask(C, "DELETE", path, "{\"user\":\"v\"}"), 404, "not_found",
	    "Conversation Not Exists.");
	ck_error(ask_typed(C, "DELETE", path, NULL, SPAN_NONE), 415,
	    "unsupported_media_type", "Did not attempt to load JSON");
	ck_error(ask(C, "DELETE", path, "{}"), 404, "not_found",
	    "Conversation Not Exists.");
	ck_assert_int_eq(ask(C, "DELETE", path, "{\"user\":\"u\"}"), 204);
	ck_assert_uint_eq(gateway_memory_body(&answered).len, 0);
	ck_error(ask(C, "DELETE", path, "{\"user\":\"u\"}"), 404, "not_found",
	    "Conversation Not Exists.");
	ck_error(ask(C, "POST", F("%s/name", path),
	    "{\"user\":\"u\",\"name\":\"x\"}"), 404, "not_found",
	    "Conversation Not Exists.");
	ck_error(ask(C, "GET", F("%s/variables?user=u", path), NULL), 404,
	    "not_found", "Conversation Not Exists.");
	ck_error(ask(C, "GET", F("/messages?user=u&conversation_id=%s", id),
	    NULL), 404, "not_found", "Conversation Not Exists.");
	ck_error(chat(C, "q", F(",\"conversation_id\":\"%s\"", id)), 404,
	    "not_found", "Conversation Not Exists.");
	ck_error(ask(C, "POST", F("/messages/%s/feedbacks", message),
	    "{\"user\":\"u\",\"rating\":\"like\"}"), 404, "not_found",
	    "Message Not Exists.");
	ck_error(ask(C, "GET", F("/conversations?user=u&last_id=%s", id),
	    NULL), 404, "not_found", "Last Conversation Not Exists.");
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=u", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
}
END_TEST

static const struct {
	const char *members;
	const char *message; /* NULL: a success */
	const char *name;
} renamings[] = {
    {",\"name\":\"  Moons \"", NULL, "Moons"},
    {",\"name\":\"\",\"auto_generate\":true", NULL, "What now?"},
    {",\"auto_generate\":1", NULL, "What now?"},
    {",\"name\":null", "name is required when auto_generate is false", NULL},
    {",\"name\":\"  \"", "name is required when auto_generate is false",
	NULL},
    {"", "name is required when auto_generate is false", NULL},
    {",\"name\":5", "name: Input should be a valid string", NULL},
    {",\"name\":\"x\",\"auto_generate\":\"maybe\"",
	"auto_generate: Input should be a valid boolean, unable to interpret "
	"input",
	NULL},
};

START_TEST(a_name_is_given_by_hand_or_made)
{
	const char *id = new_conversation("What now?");
	int status = ask(C, "POST", F("/v1/conversations/%s/name", id),
	    F("{\"user\":\"u\"%s}", renamings[_i].members));

	if (renamings[_i].message != NULL) {
		ck_error(status, 400, "invalid_param",
		    renamings[_i].message);
		return;
	}
	ck_assert_int_eq(status, 200);
	ck_assert_str_eq(text_at("id"), id);
	ck_assert_str_eq(text_at("name"), renamings[_i].name);
	ck_assert_str_eq(text_at("status"), "normal");
	ck_assert_str_eq(text_at("inputs"), "{}");
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=u", NULL), 200);
	ck_assert_str_eq(text_at("data.0.name"), renamings[_i].name);
}
END_TEST

START_TEST(a_name_has_255_characters_at_most)
{
	const char *path = F("/conversations/%s/name", new_conversation("q"));
	char name[257];

	memset(name, 'x', 256);
	name[256] = '\0';
	ck_error(ask(C, "POST", path, F("{\"user\":\"u\",\"name\":\"%s\"}",
	    name)), 400, "invalid_param", "name: ");
	name[255] = '\0';
	ck_assert_int_eq(ask(C, "POST", path,
	    F("{\"user\":\"u\",\"name\":\"%s\"}", name)), 200);
}
END_TEST

START_TEST(a_chat_app_has_no_variables)
{
	const char *path = F("/v1/conversations/%s/variables",
	    new_conversation("q"));

	ck_assert_int_eq(ask(C, "GET", F("%s?user=u&limit=7&variable_name=a.b"
	    "-c_1", path), NULL), 200);
	ck_assert_str_eq(text_at(""),
	    "{\"limit\":7,\"has_more\":false,\"data\":[]}");
	ck_error(ask(C, "GET", F("%s?user=u&last_id=" UNKNOWN_ID, path), NULL),
	    400, "invalid_param", "");
	ck_error(ask(C, "GET", F("%s?user=u&variable_name=a%%20b", path),
	    NULL), 400, "invalid_param", "variable_name: ");
	ck_error(ask(C, "GET", F("%s?user=u&variable_name=", path), NULL), 400,
	    "invalid_param", "variable_name: ");
	ck_error(ask(C, "GET", F("%s?user=v", path), NULL), 404, "not_found",
	    "Conversation Not Exists.");
	ck_error(ask(C, "PUT", F("%s/" UNKNOWN_ID, path),
	    "{\"user\":\"u\",\"value\":null}"), 404, "not_found",
	    "Conversation Variable Not Exists.");
	ck_error(ask(C, "PATCH", F("%s/" UNKNOWN_ID, path),
	    "{\"user\":\"u\",\"value\":1}"), 404, "not_found",
	    "Conversation Variable Not Exists.");
	ck_error(ask(C, "PUT", F("%s/" UNKNOWN_ID, path), "{\"user\":\"u\"}"),
	    400, "invalid_param", "value: Field required");
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
conversations_handler_suite(void)
{
	Suite *s = suite_create("conversations_handler");
	TCase *t = tcase_create("conversations_handler");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_loop_test(t, bad_query_parameters_are_refused, 0,
	    ROWS(queries));
	tcase_add_test(t, harmless_parameters_are_ignored);
	tcase_add_loop_test(t, equal_times_page_exactly_in_every_order, 0, 4);
	tcase_add_test(t, a_turn_moves_its_conversation_to_the_front);
	tcase_add_test(t,
	    a_user_sees_its_own_only_and_none_is_the_shared_one);
	tcase_add_test(t, a_deleted_conversation_is_gone_everywhere);
	tcase_add_loop_test(t, a_name_is_given_by_hand_or_made, 0,
	    ROWS(renamings));
	tcase_add_test(t, a_name_has_255_characters_at_most);
	tcase_add_test(t, a_chat_app_has_no_variables);
	suite_add_tcase(s, t);
	return s;
}
