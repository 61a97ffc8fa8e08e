/* POST /chat-messages and what is kept of it. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "limits/limits.h"
#include "config/config.h"
#include "messagesapi/api_deployment.h"
#include "store/messages.h"

Suite *chat_messages_handler_suite(void);

#define C KEY_SKY
#define BAD_REQUEST                                                            \
	"The browser (or proxy) sent a request that this server could not "   \
	"understand."
#define UNKNOWN_ID "0d1a5f0e-0000-8000-8000-0000000000ff"

/* The rows of the contract's validation table (section 2). */
static const struct {
	const char *name, *type, *body;
	int status;
	const char *code, *message, *params;
} refusals[] = {
    {"1", "application/json", "", 400, "bad_request", BAD_REQUEST, NULL},
    {"2", "application/json", "{\"query\":", 400, "bad_request", BAD_REQUEST,
	NULL},
    {"3", "text/plain", "{}", 415, "unsupported_media_type",
	"Did not attempt to load JSON data because the request Content-Type "
	"was not 'application/json'.",
	NULL},
    {"3 none", NULL, "{}", 415, "unsupported_media_type", "Did not", NULL},
    {"4 array", "application/json", "[]", 400, "bad_request", BAD_REQUEST,
	NULL},
    {"4 null", "application/json", "null", 400, "bad_request", BAD_REQUEST,
	NULL},
    {"5 missing", "application/json", "{}", 400, "invalid_param",
	"Arg user must be provided.", "user"},
    {"5 empty", "application/json", "{\"user\":\"\"}", 400, "invalid_param",
	"Arg user must be provided.", "user"},
    {"5 null", "application/json", "{\"user\":null}", 400, "invalid_param",
	"Arg user must be provided.", "user"},
    {"5 zero", "application/json", "{\"user\":0}", 400, "invalid_param",
	"Arg user must be provided.", "user"},
    {"5 false", "application/json", "{\"user\":false}", 400, "invalid_param",
	"Arg user must be provided.", "user"},
    {"5 list", "application/json", "{\"user\":[1]}", 400, "invalid_param",
	"user: Input should be a valid string", "user"},
    {"6", "application/json; charset=utf-8",
	"{\"user\":\"u\",\"inputs\":{}}", 400, "invalid_param",
	"query: Field required", "query"},
    {"7 null", "application/json",
	"{\"user\":\"u\",\"inputs\":{},\"query\":null}", 400, "invalid_param",
	"query: Input should be a valid string", "query"},
    {"7 number", "application/json",
	"{\"user\":\"u\",\"inputs\":{},\"query\":5}", 400, "invalid_param",
	"query: Input should be a valid string", "query"},
    {"8", "application/json", "{\"user\":\"u\",\"inputs\":{},\"query\":\"\"}",
	400, "invalid_param", "query is required", NULL},
    {"8 nul", "application/json",
	"{\"user\":\"u\",\"inputs\":{},\"query\":\"\\u0000\"}", 400,
	"invalid_param", "query is required", NULL},
    {"9", "application/json", "{\"user\":\"u\",\"query\":\"q\"}", 400,
	"invalid_param", "inputs: Field required", "inputs"},
    {"10 null", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":null}", 400,
	"invalid_param", "inputs: Input should be a valid dictionary",
	"inputs"},
    {"10 array", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":[]}", 400,
	"invalid_param", "inputs: Input should be a valid dictionary",
	"inputs"},
    {"11", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},"
	"\"response_mode\":\"x\"}",
	400, "invalid_param",
	"response_mode: Input should be 'blocking' or 'streaming'",
	"response_mode"},
    {"12", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},"
	"\"conversation_id\":\"abc\"}",
	400, "invalid_param",
	"conversation_id: Value error, conversation_id must be a valid UUID",
	"conversation_id"},
    {"13", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},"
	"\"conversation_id\":5}",
	400, "invalid_param",
	"conversation_id: Value error, conversation_id must be a valid UUID",
	"conversation_id"},
    {"14", "application/vnd.x+json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},"
	"\"conversation_id\":\"" UNKNOWN_ID "\"}",
	404, "not_found", "Conversation Not Exists.", NULL},
    {"14 before empty query", "application/json",
	"{\"user\":\"u\",\"query\":\"\",\"inputs\":{},"
	"\"conversation_id\":\"" UNKNOWN_ID "\"}",
	404, "not_found", "Conversation Not Exists.", NULL},
    {"14 streaming", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"response_mode\":"
	"\"streaming\",\"conversation_id\":\"" UNKNOWN_ID "\"}",
	404, "not_found", "Conversation Not Exists.", NULL},
    {"15", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":\"x\"}", 400,
	"invalid_param", "files: Input should be a valid list", "files"},
    {"16", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":[{},5]}",
	400, "invalid_param", "files.1: Input should be a valid dictionary",
	"files.1"},
    {"17", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":[{\"type\":"
	"\"image\",\"transfer_method\":\"carrier\"}]}",
	400, "invalid_param",
	"No matching enum found for value 'carrier'", NULL},
    {"17 missing", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":[{\"type\":"
	"\"image\"}]}",
	400, "invalid_param", "None", NULL},
    {"18", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":[{\"type\":"
	"\"image\",\"transfer_method\":\"remote_url\"}]}",
	400, "invalid_param", "Invalid file url", NULL},
    {"18 other scheme", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":[{\"type\":"
	"\"image\",\"transfer_method\":\"remote_url\",\"url\":"
	"\"file:///etc/passwd\"}]}",
	400, "invalid_param", "Invalid file url", NULL},
    {"19", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":[{\"type\":"
	"\"image\",\"transfer_method\":\"local_file\",\"upload_file_id\":"
	"\"" UNKNOWN_ID "\"}]}",
	400, "invalid_param", "Invalid upload file", NULL},
    {"21", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},\"files\":["
	"{\"type\":\"image\",\"transfer_method\":\"remote_url\",\"url\":"
	"\"http://127.0.0.1/a.png\"},{\"type\":\"image\",\"transfer_method\":"
	"\"remote_url\",\"url\":\"http://127.0.0.1/b.png\"},{\"type\":"
	"\"image\",\"transfer_method\":\"remote_url\",\"url\":"
	"\"http://127.0.0.1/c.png\"}]}",
	400, "invalid_param",
	"Number of image files exceeds the maximum limit 2", NULL},
    {"23", "application/json",
	"{\"user\":\"u\",\"query\":\"q\",\"inputs\":{},"
	"\"auto_generate_name\":\"maybe\"}",
	400, "invalid_param",
	"auto_generate_name: Input should be a valid boolean, unable to "
	"interpret input",
	"auto_generate_name"},
    {"several", "application/json",
	"{\"user\":\"u\",\"inputs\":[],\"response_mode\":7}", 400,
	"invalid_param",
	"query: Field required; inputs: Input should be a valid dictionary; "
	"response_mode: Input should be 'blocking' or 'streaming'",
	"query"},
};

START_TEST(a_malformed_request_is_refused_with_its_words)
{
	int status = ask_typed(C, "POST", "/v1/chat-messages",
	    refusals[_i].type, span_of(refusals[_i].body));

	ck_error(status, refusals[_i].status, refusals[_i].code,
	    refusals[_i].message);
	ck_assert_str_eq(text_at("params"),
	    refusals[_i].params == NULL ? "(none)" : refusals[_i].params);
	/* Nothing was made. */
	ck_assert_int_eq(ask(C, "GET", "/v1/conversations?user=u", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
}
END_TEST

START_TEST(a_user_is_text_or_a_number_of_255_characters)
{
	char name[400];

	memset(name, 'x', 256);
	name[256] = '\0';
	ck_error(ask(C, "POST", "/chat-messages",
	    arena_printf(&deployment_arena, "{\"user\":\"%s\"}", name)), 400,
	    "invalid_param", "255");
	name[255] = '\0';
	ck_assert_int_eq(ask(C, "POST", "/chat-messages",
	    arena_printf(&deployment_arena,
		"{\"query\":\"q\",\"inputs\":{},\"user\":\"%s\"}", name)), 200);
	ck_assert_int_eq(ask(C, "POST", "/chat-messages",
	    "{\"query\":\"q\",\"inputs\":{},\"user\":5}"), 200);
	ck_assert_int_eq(ask(C, "GET", "/v1/conversations?user=5", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
}
END_TEST

START_TEST(a_blocking_reply_has_the_documented_members)
{
	ck_assert_int_eq(chat(C, "two moons", ""), 200);
	ck_assert(span_is(gateway_memory_header(&answered, "Content-Type"),
	    "application/json"));
	ck_assert_str_eq(text_at("event"), "message");
	ck_assert_str_eq(text_at("id"), text_at("message_id"));
	ck_assert_str_ne(text_at("task_id"), text_at("id"));
	ck_assert_uint_eq(strlen(text_at("conversation_id")), 36);
	ck_assert_str_eq(text_at("mode"), "chat");
	ck_assert_str_eq(text_at("answer"), "Phobos and Deimos.  ");
	ck_assert_str_eq(text_at("metadata.annotation_reply"), "null");
	ck_assert_str_eq(text_at("metadata.usage"),
	    "{\"prompt_tokens\":1033,\"prompt_unit_price\":\"0.001\","
	    "\"prompt_price_unit\":\"0.001\",\"prompt_price\":\"0.0010330\","
	    "\"completion_tokens\":128,\"completion_unit_price\":\"0.002\","
	    "\"completion_price_unit\":\"0.001\","
	    "\"completion_price\":\"0.0002560\",\"total_tokens\":1161,"
	    "\"total_price\":\"0.0012890\",\"currency\":\"USD\","
	    "\"latency\":0.7682376249867957}");
	ck_assert_str_eq(text_at("metadata.retriever_resources"),
	    "[{\"position\":1,\"dataset_id\":\"d\",\"dataset_name\":\"Sky\","
	    "\"document_id\":\"e\",\"document_name\":\"sky.md\","
	    "\"data_source_type\":\"upload_file\",\"segment_id\":\"s\","
	    "\"retriever_from\":\"api\",\"score\":0.5,\"hit_count\":null,"
	    "\"word_count\":null,\"segment_position\":1,"
	    "\"content\":\"Mars has two moons.\",\"index_node_hash\":null,"
	    "\"page\":null,\"doc_metadata\":null,\"title\":null,"
	    "\"files\":null,\"summary\":null}]");
	ck_assert_double_gt(pyjson_double(at("created_at")), 1.7e9);
}
END_TEST

START_TEST(what_a_turn_stored_is_what_messages_gives_back)
{
	const char *conversation, *message, *usage, *resources;

	ck_assert_int_eq(chat(C, "two moons", ""), 200);
	conversation = text_at("conversation_id");
	message = text_at("message_id");
	usage = text_at("metadata.usage.total_price");
	resources = text_at("metadata.retriever_resources");
	ck_assert_int_eq(ask(C, "GET", arena_printf(&deployment_arena,
	    "/messages?user=u&conversation_id=%s", conversation), NULL), 200);
	ck_assert_str_eq(text_at("limit"), "20");
	ck_assert_str_eq(text_at("has_more"), "false");
	ck_assert_str_eq(text_at("data.0.id"), message);
	ck_assert_str_eq(text_at("data.0.conversation_id"), conversation);
	ck_assert_str_eq(text_at("data.0.parent_message_id"),
	    "00000000-0000-0000-0000-000000000000");
	ck_assert_str_eq(text_at("data.0.query"), "two moons");
	ck_assert_str_eq(text_at("data.0.answer"), "Phobos and Deimos.");
	ck_assert_str_eq(text_at("data.0.status"), "normal");
	ck_assert_str_eq(text_at("data.0.error"), "null");
	ck_assert_str_eq(text_at("data.0.inputs"), "{}");
	ck_assert_str_eq(text_at("data.0.feedback"), "null");
	ck_assert_str_eq(text_at("data.0.message_files"), "[]");
	ck_assert_str_eq(text_at("data.0.agent_thoughts"), "[]");
	ck_assert_str_eq(text_at("data.0.extra_contents"), "[]");
	ck_assert_str_eq(text_at("data.0.retriever_resources"), resources);
	ck_assert_str_eq(text_at("data.0.message_tokens"), "1033");
	ck_assert_str_eq(text_at("data.0.answer_tokens"), "128");
	ck_assert_str_eq(text_at("data.0.total_tokens"), "1161");
	ck_assert_str_eq(text_at("data.0.total_price"), usage);
	ck_assert_str_eq(text_at("data.0.currency"), "USD");
	ck_assert_str_eq(text_at("data.0.provider_response_latency"),
	    "0.7682376249867957");
}
END_TEST

START_TEST(a_stream_has_message_events_and_one_end)
{
	const char *conversation, *task;
	struct span body;

	ck_assert_int_eq(chat(C, "two moons",
	    ",\"response_mode\":\"streaming\""), 200);
	ck_assert(span_is(gateway_memory_header(&answered, "Content-Type"),
	    "text/event-stream; charset=utf-8"));
	ck_assert(span_is(gateway_memory_header(&answered, "Cache-Control"),
	    "no-cache"));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "X-Accel-Buffering"), "no"));
	body = gateway_memory_body(&answered);
	ck_assert(span_starts(body,
	    "data: {\"event\":\"message\",\"conversation_id\":\""));
	ck_assert(span_ends(body, "\"files\":null}\n\n"));
	ck_assert_uint_eq(count_of("data: "), 4);
	ck_assert_uint_eq(count_of("\n\n"), 4);
	/* The head, and one write for each event. */
	ck_assert_uint_eq(answered.writes, 5);
	ck_assert(event(0));
	ck_assert_str_eq(text_at("answer"), "Pho");
	ck_assert_str_eq(text_at("from_variable_selector"), "null");
	ck_assert_str_eq(text_at("id"), text_at("message_id"));
	conversation = text_at("conversation_id");
	task = text_at("task_id");
	ck_assert(event(3));
	ck_assert_str_eq(text_at("event"), "message_end");
	ck_assert_str_eq(text_at("conversation_id"), conversation);
	ck_assert_str_eq(text_at("task_id"), task);
	ck_assert_str_eq(text_at("metadata.usage.total_price"), "0.0012890");
	ck_assert(!event(4));
}
END_TEST

/* Table T, both ways. */
static const struct {
	const char *query;
	int status;
	const char *code, *message, *in_stream;
} faults[] = {
    {"refused", 400, "completion_request_error",
	"upstream closed the connection", "upstream closed the connection"},
    {"late", 400, "completion_request_error", "cut off", "cut off"},
    {"credentials", 400, "completion_request_error",
	"Incorrect API key provided", "Incorrect API key provided"},
    {"quota", 400, "provider_quota_exceeded",
	"Your quota for Dify Hosted OpenAI has been exhausted.",
	"Your quota for Dify Hosted Model Provider has been exhausted."},
    {"rate", 429, "rate_limit_error", "", ""},
    {"model", 400, "model_currently_not_support",
	"The model is not known to its server.",
	"The model is not known to its server."},
    {"internal", 500, "internal_server_error",
	"The server encountered an internal error and was unable to",
	"Internal Server Error, please contact support."},
};

START_TEST(a_failing_engine_is_told_in_both_modes_and_stored)
{
	const char *conversation;
	size_t last;

	ck_error(chat(C, faults[_i].query, ""), faults[_i].status,
	    faults[_i].code, faults[_i].message);
	ck_assert_uint_eq(gateway_memory_header(&answered, "Retry-After").len >
	    0, faults[_i].status == 429);
	ck_assert_int_eq(chat(C, faults[_i].query,
	    ",\"response_mode\":\"streaming\""), 200);
	for (last = 0; event(last); last++)
		;
	ck_assert_str_eq(text_at("event"), "error");
	ck_assert_str_eq(text_at("code"), faults[_i].code);
	ck_assert_int_eq((int)pyjson_double(at("status")), faults[_i].status);
	ck_assert(strstr(text_at("message"), faults[_i].in_stream) != NULL);
	ck_assert_ptr_null(at("task_id"));
	ck_assert_uint_eq(count_of("message_end"), 0);
	conversation = text_at("conversation_id");
	ck_assert_int_eq(ask(C, "GET", arena_printf(&deployment_arena,
	    "/messages?user=u&conversation_id=%s", conversation), NULL), 200);
	ck_assert_str_eq(text_at("data.0.status"), "error");
	ck_assert_str_eq(text_at("data.0.answer"), "");
	ck_assert(strstr(text_at("data.0.error"), faults[_i].in_stream) !=
	    NULL);
}
END_TEST

START_TEST(a_conversation_goes_on_for_its_key_and_user_alone)
{
	const char *conversation, *members;

	ck_assert_int_eq(chat(C, "one", ""), 200);
	conversation = text_at("conversation_id");
	members = arena_printf(&deployment_arena,
	    ",\"conversation_id\":\" {%s} \"", conversation);
	ck_assert_int_eq(chat(C, "two", members), 200);
	ck_assert_str_eq(text_at("conversation_id"), conversation);
	ck_error(chat(KEY_SKY2, "two", members), 404, "not_found",
	    "Conversation Not Exists.");
	ck_error(chat(KEY_FREE, "two", members), 404, "not_found",
	    "Conversation Not Exists.");
	members = arena_printf(&deployment_arena, "%s,\"user\":\"v\"",
	    members);
	ck_error(chat(C, "two", members), 404, "not_found",
	    "Conversation Not Exists.");
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=u", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
}
END_TEST

START_TEST(names_come_from_the_first_question)
{
	ck_assert_int_eq(chat(C, "What\\nnow?", ""), 200);
	ck_assert_int_eq(chat(C, "q", ",\"auto_generate_name\":\"off\""), 200);
	ck_assert_int_eq(ask(C, "GET",
	    "/conversations?user=u&sort_by=created_at", NULL), 200);
	ck_assert_str_eq(text_at("data.0.name"), "What now?");
	ck_assert_str_eq(text_at("data.1.name"), "New conversation");
	ck_assert_str_eq(text_at("data.0.introduction"),
	    "Ask me about the sky.");
	ck_assert_str_eq(text_at("data.0.status"), "normal");
}
END_TEST

START_TEST(the_stored_answer_is_trimmed_and_loses_double_braces)
{
	ck_assert_int_eq(chat(C, "braces", ""), 200);
	ck_assert_str_eq(text_at("answer"), " {{name}} {{ }} ");
	ck_assert_int_eq(ask(C, "GET", arena_printf(&deployment_arena,
	    "/messages?user=u&conversation_id=%s", text_at("conversation_id")),
	    NULL), 200);
	ck_assert_str_eq(text_at("data.0.answer"), "{name} {{ }}");
}
END_TEST

START_TEST(a_client_that_leaves_stops_the_turn_and_keeps_the_part)
{
	ck_assert_int_eq(chat(C, "q", ",\"response_mode\":\"streaming\""),
	    200);
	/* It takes the head, and no more than that. */
	deployment_gone_after = answered.output.len + 1 -
	    gateway_memory_body(&answered).len;
	(void)chat(C, "slow", ",\"response_mode\":\"streaming\"");
	deployment_gone_after = 0;
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=u", NULL), 200);
	ck_assert_int_eq(ask(C, "GET", arena_printf(&deployment_arena,
	    "/messages?user=u&conversation_id=%s", text_at("data.0.id")),
	    NULL), 200);
	ck_assert_str_eq(text_at("data.0.status"), "normal");
	ck_assert(strncmp(text_at("data.0.answer"), "one", 3) == 0);
}
END_TEST

START_TEST(a_turn_writes_two_transactions)
{
	int commits;
	/* The second one's bot has a limit. */
	const char *key = _i / 2 == 0 ? C : KEY_CAP;

	ck_assert_int_eq(chat(key, "q", ""), 200); /* the store is made */
	deployment_count_commits(&commits);
	ck_assert_int_eq(chat(key, "two moons", _i % 2 == 0
	    ? "" : ",\"response_mode\":\"streaming\""), 200);
	ck_assert_int_eq(commits, 2);
}
END_TEST

static void
run_sql(const char *sql)
{
	struct db *db;

	ck_assert_int_eq(store_lease(deployment_stores, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, sql), ERR_NONE);
	store_return(deployment_stores, db);
}

/* The client is not told of an end that is not stored. */
START_TEST(an_answer_that_cannot_be_stored_is_an_error)
{
	size_t last;

	ck_assert_int_eq(chat(C, "q", ""), 200);
	run_sql("CREATE TRIGGER full BEFORE UPDATE ON messages BEGIN "
		"SELECT RAISE(FAIL, 'the disk is full'); END");
	ck_error(chat(C, "two moons", ""), 500, "internal_server_error",
	    "The server encountered an internal error");
	ck_assert_int_eq(chat(C, "two moons",
	    ",\"response_mode\":\"streaming\""), 200);
	for (last = 0; event(last); last++)
		;
	ck_assert_uint_eq(last, 4);
	ck_assert_str_eq(text_at("event"), "error");
	ck_assert_str_eq(text_at("code"), "internal_server_error");
	ck_assert_str_eq(text_at("message"),
	    "Internal Server Error, please contact support.");
	run_sql("DROP TRIGGER full");
	run_sql("CREATE TRIGGER full BEFORE INSERT ON messages BEGIN "
		"SELECT RAISE(FAIL, 'the disk is full'); END");
	ck_error(chat(C, "q", ",\"response_mode\":\"streaming\""), 500,
	    "internal_server_error", "The server encountered");
	run_sql("DROP TRIGGER full");
	/* The first, and two whose end is missing: no half-made one. */
	ck_assert_int_eq(ask(C, "GET", "/conversations?user=u", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 3);
}
END_TEST

START_TEST(the_cap_of_a_bot_answers_429)
{
	struct limits_ask ask = {.bot = config_bot_by_slug(deployment_config,
	    "cap", 3), .run_limit_s = 60};
	struct limits_verdict verdict;
	struct limits_reservation reservation;
	struct db *db;

	ck_assert_int_eq(chat(KEY_CAP, "one", ""), 200);
	ck_assert_int_eq(store_lease(deployment_stores, &db), ERR_NONE);
	/* As if another process were answering. */
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_reserve(db, &ask, &reservation, &verdict),
	    ERR_NONE);
	ck_assert_int_eq(db_commit(db), ERR_NONE);
	ck_assert_int_eq(verdict.refusal, LIMITS_ALLOWED);
	ck_error(chat(KEY_CAP, "two", ",\"response_mode\":\"streaming\""), 429,
	    "too_many_requests",
	    "Too many requests. Please try again later.");
	ck_assert(span_is(gateway_memory_header(&answered, "Retry-After"),
	    "1"));
	ck_assert_int_eq(limits_settle(db, &reservation, 0), ERR_NONE);
	store_return(deployment_stores, db);
	ck_assert_int_eq(chat(KEY_CAP, "two", ""), 200);
}
END_TEST

/* Form inputs: given, then the message or what is stored. */
static const struct {
	const char *inputs, *message, *stored;
} forms[] = {
    {"{}", "must is required in input form", NULL},
    {"{\"must\":null}", "must is required in input form", NULL},
    {"{\"must\":5}", "(type 'paragraph') must in input form must be a string",
	NULL},
    {"{\"must\":\"a\",\"city\":\"London\"}",
	"city in input form must be less than 5 characters", NULL},
    {"{\"must\":\"a\",\"size\":\"huge\"}",
	"size in input form must be one of the following: ['small', "
	"'large']",
	NULL},
    {"{\"must\":\"a\",\"age\":\"old\"}",
	"age in input form must be a valid number", NULL},
    {"{\"must\":\"a\",\"age\":[]}",
	"age in input form must be a valid number", NULL},
    {"{\"must\":\"a\",\"sure\":\"maybe\"}", "sure in input form must be",
	NULL},
    {"{\"must\":\"a\"}", NULL,
	"{\"age\":7,\"sure\":true,\"must\":\"a\"}"},
    {"{\"must\":\"a\\u0000b\",\"city\":\"\xC3\x85lesund\"}",
	"city in input form must be less than 5 characters", NULL},
    {"{\"must\":\"a\\u0000b\",\"city\":\"Oslo\",\"size\":\"large\","
     "\"age\":\"7.50\",\"sure\":\"off\",\"other\":1}",
	NULL,
	"{\"city\":\"Oslo\",\"size\":\"large\",\"age\":7.5,\"sure\":false,"
	"\"must\":\"ab\"}"},
};

START_TEST(inputs_are_checked_against_the_form)
{
	int status = ask(KEY_FORM, "POST", "/chat-messages",
	    arena_printf(&deployment_arena,
		"{\"query\":\"q\",\"user\":\"u\",\"inputs\":%s}",
		forms[_i].inputs));

	if (forms[_i].message != NULL) {
		ck_error(status, 400, "invalid_param", forms[_i].message);
		return;
	}
	ck_assert_int_eq(status, 200);
	ck_assert_int_eq(ask(KEY_FORM, "GET", "/conversations?user=u", NULL),
	    200);
	ck_assert_str_eq(text_at("data.0.inputs"), forms[_i].stored);
	ck_assert_str_eq(text_at("data.0.introduction"),
	    strstr(forms[_i].stored, "Oslo") != NULL
		? "Welcome to Oslo, {{nobody}}."
		: "Welcome to {{city}}, {{nobody}}.");
}
END_TEST

#define REMOTE                                                                 \
	"{\"type\":\"document\",\"transfer_method\":\"remote_url\","           \
	"\"url\":\"http://127.0.0.1/a.pdf\"}"

/* File controls of a form, on a bot that takes images besides. */
static const struct {
	const char *inputs, *message;
} file_forms[] = {
    {"{\"doc\":\"x\"}", "doc in input form must be a file"},
    {"{\"doc\":{}}", "No matching enum found for value 'None'"},
    {"{\"docs\":{}}", "docs in input form must be a list of files"},
    {"{\"docs\":[5]}", "docs in input form must be a list of files"},
    {"{\"docs\":[" REMOTE "," REMOTE "," REMOTE "]}",
	"docs in input form must be less than 2 files"},
    {"{\"doc\":" REMOTE ",\"docs\":[" REMOTE "," REMOTE "]}", NULL},
};

START_TEST(file_controls_take_files)
{
	int status = ask(KEY_FILED, "POST", "/chat-messages",
	    arena_printf(&deployment_arena,
		"{\"query\":\"q\",\"user\":\"u\",\"inputs\":%s}",
		file_forms[_i].inputs));

	if (file_forms[_i].message != NULL) {
		ck_error(status, 400, "invalid_param", file_forms[_i].message);
		return;
	}
	ck_assert_int_eq(status, 200);
	ck_assert_int_eq(ask(KEY_FILED, "GET", arena_printf(&deployment_arena,
	    "/messages?user=u&conversation_id=%s", text_at("conversation_id")),
	    NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data.0.message_files")), 3);
	ck_assert_str_eq(text_at("data.0.inputs.doc.url"),
	    "http://127.0.0.1/a.pdf");
}
END_TEST

START_TEST(a_type_that_the_app_does_not_take_is_refused)
{
	ck_error(chat(KEY_FILED, "q", ",\"files\":[" REMOTE "]"), 400,
	    "invalid_param", "File validation failed for file: a.pdf");
	ck_error(chat(KEY_FILED, "q", ",\"files\":[{\"type\":\"image\","
	    "\"transfer_method\":\"tool_file\"}]"), 400, "invalid_param",
	    "'tool_file'");
	ck_error(chat(KEY_FILED, "q", ",\"files\":[{\"type\":\"smell\","
	    "\"transfer_method\":\"remote_url\","
	    "\"url\":\"http://127.0.0.1/a\"}]"), 400, "invalid_param",
	    "'smell'");
}
END_TEST

START_TEST(an_app_without_an_engine_is_unavailable)
{
	ck_error(chat(KEY_BROKEN, "", ""), 400, "invalid_param",
	    "query is required");
	ck_error(chat(KEY_BROKEN, "q", ""), 400, "app_unavailable",
	    "App unavailable, please check your app configurations.");
	ck_error(ask(KEY_BROKEN, "GET", "/v1/parameters", NULL), 400,
	    "app_unavailable", "App unavailable");
}
END_TEST

START_TEST(without_citations_there_are_no_resources)
{
	ck_assert_int_eq(chat(KEY_CAP, "two moons", ""), 200);
	ck_assert_str_eq(text_at("metadata.retriever_resources"), "[]");
	ck_assert_str_eq(text_at("metadata.usage.prompt_unit_price"), "0.0");
	ck_assert_str_eq(text_at("metadata.usage.total_price"), "0.0");
	ck_assert_str_eq(text_at("metadata.usage.currency"), "USD");
}
END_TEST

START_TEST(stopping_is_always_a_success_for_a_named_user)
{
	ck_assert_int_eq(ask(C, "POST", "/v1/chat-messages/nonsense/stop",
	    "{\"user\":\"u\"}"), 200);
	ck_assert_str_eq(text_at("result"), "success");
	ck_error(ask(C, "POST", "/chat-messages/nonsense/stop", "{}"), 400,
	    "invalid_param", "Arg user must be provided.");
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
chat_messages_handler_suite(void)
{
	Suite *s = suite_create("chat_messages_handler");
	TCase *t = tcase_create("chat_messages_handler");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_loop_test(t, a_malformed_request_is_refused_with_its_words,
	    0, ROWS(refusals));
	tcase_add_test(t, a_user_is_text_or_a_number_of_255_characters);
	tcase_add_test(t, a_blocking_reply_has_the_documented_members);
	tcase_add_test(t, what_a_turn_stored_is_what_messages_gives_back);
	tcase_add_test(t, a_stream_has_message_events_and_one_end);
	tcase_add_loop_test(t,
	    a_failing_engine_is_told_in_both_modes_and_stored, 0,
	    ROWS(faults));
	tcase_add_test(t, a_conversation_goes_on_for_its_key_and_user_alone);
	tcase_add_test(t, names_come_from_the_first_question);
	tcase_add_test(t,
	    the_stored_answer_is_trimmed_and_loses_double_braces);
	tcase_add_test(t,
	    a_client_that_leaves_stops_the_turn_and_keeps_the_part);
	tcase_add_loop_test(t, a_turn_writes_two_transactions, 0, 4);
	tcase_add_test(t, an_answer_that_cannot_be_stored_is_an_error);
	tcase_add_test(t, the_cap_of_a_bot_answers_429);
	tcase_add_loop_test(t, inputs_are_checked_against_the_form, 0,
	    ROWS(forms));
	tcase_add_loop_test(t, file_controls_take_files, 0,
	    ROWS(file_forms));
	tcase_add_test(t, a_type_that_the_app_does_not_take_is_refused);
	tcase_add_test(t, an_app_without_an_engine_is_unavailable);
	tcase_add_test(t, without_citations_there_are_no_resources);
	tcase_add_test(t, stopping_is_always_a_success_for_a_named_user);
	suite_add_tcase(s, t);
	return s;
}
