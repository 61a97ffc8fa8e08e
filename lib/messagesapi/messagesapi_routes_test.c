/* Keys, apps, paths and methods; and what an app says it is. */
#include "messagesapi/messagesapi.h"

#include <check.h>
#include <string.h>

#include "messagesapi/api_deployment.h"

Suite *messagesapi_routes_suite(void);

#define ID "0d1a5f0e-0000-8000-8000-0000000000ff"

/* Header, then the answer; the rows of section 0. */
static const struct {
	const char *authorization;
	int status;
	const char *message;
} headers[] = {
    {NULL, 401,
	"Authorization header must be provided and start with 'Bearer'"},
    {"", 401,
	"Authorization header must be provided and start with 'Bearer'"},
    {"Bearer", 401,
	"Authorization header must be provided and start with 'Bearer'"},
    {"Basic abc", 401, "Authorization scheme must be 'Bearer'"},
    {"Bearer nonsense", 401, "Access token is invalid"},
    {"Bearer " KEY_DATASET, 401, "Access token is invalid"},
    {"Bearer " KEY_OFF, 403, "The app's status is abnormal."},
    {"Bearer " KEY_API_OFF, 403, "The app's API service has been disabled."},
    {"bEaReR   " KEY_SKY, 200, NULL},
};

START_TEST(a_key_opens_its_app_or_is_refused)
{
	int status = ask_authorized(headers[_i].authorization, "GET", "/info");
	bool refused = status == 401;

	if (headers[_i].message == NULL)
		ck_assert_int_eq(status, 200);
	else
		ck_error(status, headers[_i].status,
		    refused ? "unauthorized" : "forbidden",
		    headers[_i].message);
	ck_assert(refused == span_is(gateway_memory_header(&answered,
				 "WWW-Authenticate"),
				 "Bearer realm=\"api\""));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "Access-Control-Allow-Origin"), "*"));
	ck_assert_uint_eq(gateway_memory_header(&answered,
	    "X-Request-Id").len, 32);
}
END_TEST

START_TEST(a_key_without_a_bot_serves_the_first)
{
	ck_assert_int_eq(ask(KEY_FREE, "GET", "/v1/info", NULL), 200);
	ck_assert_str_eq(text_at("name"), "Sky helper");
}
END_TEST

/* Every path of the API by its wrong methods, and paths it has not. */
static const struct {
	const char *method, *path;
	int status;
	const char *allow;
} paths[] = {
    {"GET", "/chat-messages", 405, "POST"},
    {"POST", "/v1/messages", 405, "GET"},
    {"PUT", "/v1/conversations/" ID, 405, "DELETE"},
    {"GET", "/v1/conversations/" ID "/variables/" ID, 405, "PUT, PATCH"},
    {"GET", "/v1/conversations/abc", 404, NULL},
    {"DELETE", "/v1/conversations/0d1a5f0e000080008000000000000000", 404,
	NULL},
    {"GET", "/v1/messages/" ID, 404, NULL},
    {"GET", "/messages/" ID "/nothing", 404, NULL},
    {"GET", "/v1/files/abc/preview", 404, NULL},
    {"GET", "/app/nothing", 404, NULL},
};

START_TEST(unknown_paths_and_methods_have_the_envelope)
{
	int status = ask(KEY_SKY, paths[_i].method, paths[_i].path, NULL);

	if (paths[_i].status == 405) {
		ck_error(status, 405, "method_not_allowed",
		    "The method is not allowed for the requested URL.");
		ck_assert(span_is(gateway_memory_header(&answered, "Allow"),
		    paths[_i].allow));
	} else {
		ck_error(status, 404, "not_found",
		    "The requested URL was not found on the server. If you "
		    "entered the URL manually please check your spelling and "
		    "try again.");
	}
}
END_TEST

START_TEST(this_api_owns_its_first_segments_only)
{
	static const struct {
		const char *path;
		bool owned;
	} rows[] = {{"/chat-messages/x/y", true}, {"/v1/conversations", true},
	    {"/v1/apps/zzz", true}, {"/v1/chat", false}, {"/chat", false},
	    {"/v1/bots/x", false}, {"/nothing", false}, {"/v1", false},
	    {"/v2/messages", false}, {"/messages", true}};
	struct exchange x;
	size_t i;

	memset(&x, 0, sizeof(x));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		x.request.path = span_of(rows[i].path);
		ck_assert_msg(messagesapi_family.owns(&x) == rows[i].owned,
		    "%s", rows[i].path);
	}
}
END_TEST

START_TEST(options_allow_every_origin)
{
	ck_assert_int_eq(ask(NULL, "OPTIONS", "/v1/chat-messages", NULL), 200);
	ck_assert(span_is(gateway_memory_header(&answered,
	    "Access-Control-Allow-Origin"), "*"));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "Access-Control-Allow-Headers"),
	    "Content-Type, Authorization, X-App-Code"));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "Access-Control-Allow-Methods"),
	    "GET, PUT, POST, DELETE, OPTIONS, PATCH"));
}
END_TEST

START_TEST(the_root_says_welcome)
{
	ck_assert_int_eq(ask(NULL, "GET", _i ? "/v1/" : "/", NULL), 200);
	ck_assert_str_eq(text_at("welcome"), "Dify OpenAPI");
	ck_assert_str_eq(text_at("api_version"), "v1");
	ck_assert_str_ne(text_at("server_version"), "(none)");
}
END_TEST

START_TEST(parameters_tell_what_the_app_offers)
{
	ck_assert_int_eq(ask(KEY_SKY, "GET", "/v1/parameters?user=u", NULL),
	    200);
	ck_assert_str_eq(text_at("opening_statement"),
	    "Ask me about the sky.");
	ck_assert_str_eq(text_at("suggested_questions"),
	    "[\"How far is the Moon?\",\"What is a star?\"]");
	ck_assert_str_eq(text_at("suggested_questions_after_answer.enabled"),
	    "true");
	ck_assert_str_eq(text_at("speech_to_text.enabled"), "false");
	ck_assert_str_eq(text_at("text_to_speech.enabled"), "false");
	ck_assert_str_eq(text_at("retriever_resource.enabled"), "true");
	ck_assert_str_eq(text_at("annotation_reply.enabled"), "false");
	ck_assert_str_eq(text_at("more_like_this.enabled"), "false");
	ck_assert_str_eq(text_at("sensitive_word_avoidance.enabled"), "false");
	ck_assert_str_eq(text_at("user_input_form"), "[]");
	ck_assert_str_eq(text_at("file_upload.image.enabled"), "true");
	ck_assert_str_eq(text_at("file_upload.image.number_limits"), "2");
	ck_assert_str_eq(text_at("file_upload.image.detail"), "high");
	ck_assert_str_eq(text_at("file_upload.image.transfer_methods"),
	    "[\"remote_url\",\"local_file\"]");
	ck_assert_str_eq(text_at("system_parameters"),
	    "{\"image_file_size_limit\":10,\"video_file_size_limit\":100,"
	    "\"audio_file_size_limit\":50,\"file_size_limit\":15,"
	    "\"workflow_file_upload_limit\":10}");
	ck_assert_int_eq(ask(KEY_FORM, "GET", "/parameters", NULL), 200);
	ck_assert_str_eq(text_at("user_input_form.0"),
	    "{\"text-input\":{\"label\":\"City\",\"variable\":\"city\","
	    "\"required\":false,\"max_length\":5,\"default\":\"\"}}");
	ck_assert_str_eq(text_at("user_input_form.1.select.options"),
	    "[\"small\",\"large\"]");
	ck_assert_str_eq(text_at("user_input_form.3.checkbox.default"),
	    "true");
	ck_assert_str_eq(text_at("user_input_form.4.paragraph.required"),
	    "true");
	ck_assert_str_eq(text_at("file_upload.image.enabled"), "false");
	ck_assert_str_eq(text_at("file_upload.image.number_limits"), "3");
}
END_TEST

START_TEST(info_meta_and_site_describe_it)
{
	ck_assert_int_eq(ask(KEY_SKY, "GET", "/v1/info", NULL), 200);
	ck_assert_str_eq(text_at(""),
	    "{\"name\":\"Sky helper\",\"description\":\"\","
	    "\"tags\":[\"science\"],\"mode\":\"chat\","
	    "\"author_name\":\"Ada\"}");
	ck_assert_int_eq(ask(KEY_SKY, "GET", "/v1/meta", NULL), 200);
	ck_assert_str_eq(text_at(""), "{\"tool_icons\":{}}");
	ck_assert_int_eq(ask(KEY_CAP, "GET", "/v1/site", NULL), 200);
	ck_assert_str_eq(text_at("title"), "Capped");
	ck_assert_str_eq(text_at("icon_type"), "emoji");
	ck_assert_str_eq(text_at("icon_url"), "null");
	ck_assert_str_eq(text_at("default_language"), "en-US");
	ck_assert_str_eq(text_at("chat_color_theme_inverted"), "false");
	ck_assert_str_eq(text_at("show_workflow_steps"), "false");
	ck_assert_uint_eq(pyjson_count(at("")), 15);
	ck_error(ask(KEY_FORM, "GET", "/v1/site", NULL), 403, "forbidden",
	    "You don't have the permission to access the requested resource.");
}
END_TEST

START_TEST(what_a_chat_app_does_not_offer_is_told)
{
	ck_error(ask(KEY_SKY, "POST", "/v1/completion-messages", "{}"), 400,
	    "app_unavailable",
	    "App unavailable, please check your app configurations.");
	ck_error(ask(KEY_SKY, "POST", "/completion-messages/x/stop", "{}"),
	    400, "app_unavailable", "App unavailable");
	ck_error(ask(KEY_SKY, "POST", "/v1/workflows/run", "{}"), 400,
	    "not_workflow_app", "Please check if your app mode matches");
	ck_error(ask(KEY_SKY, "POST", "/v1/audio-to-text", "{}"), 400,
	    "speech_to_text_disabled", "disabled");
	ck_error(ask(KEY_SKY, "POST", "/v1/text-to-audio", "{}"), 400,
	    "invalid_param", "TTS is not enabled");
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
messagesapi_routes_suite(void)
{
	Suite *s = suite_create("messagesapi_routes");
	TCase *t = tcase_create("messagesapi_routes");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_loop_test(t, a_key_opens_its_app_or_is_refused, 0,
	    ROWS(headers));
	tcase_add_test(t, a_key_without_a_bot_serves_the_first);
	tcase_add_loop_test(t, unknown_paths_and_methods_have_the_envelope, 0,
	    ROWS(paths));
	tcase_add_test(t, this_api_owns_its_first_segments_only);
	tcase_add_test(t, options_allow_every_origin);
	tcase_add_loop_test(t, the_root_says_welcome, 0, 2);
	tcase_add_test(t, parameters_tell_what_the_app_offers);
	tcase_add_test(t, info_meta_and_site_describe_it);
	tcase_add_test(t, what_a_chat_app_does_not_offer_is_told);
	suite_add_tcase(s, t);
	return s;
}
