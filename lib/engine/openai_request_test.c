#include "engine/openai_request.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "engine/thinking.h"

Suite *openai_request_suite(void);

static const struct chat_message prompt[] = {
    {ROLE_SYSTEM, SPAN("Be \"kind\".\n")},
    {ROLE_ASSISTANT, SPAN("Yes?")},
    {ROLE_USER, SPAN("What is \xC3\xA4?")},
};
static struct bot_config bot;
static struct engine_config engine;
static struct engine_request request;
static struct buf body;
static const struct openai_dialect plain;

static void
set_up(void)
{
	bot = (struct bot_config){.model = "m1"};
	engine = (struct engine_config){.name = "e"};
	request = (struct engine_request){
	    .bot = &bot, .prompt = prompt, .n_prompt = 3, .user = "rider"};
	buf_init(&body, 1 << 20);
}

static void
tear_down(void)
{
	buf_release(&body);
}

#define FRONT(model)                                                           \
	"{\"model\":\"" model "\",\"messages\":[{\"role\":\"system\","         \
	"\"content\":\"Be \\\"kind\\\".\\n\"},"                                \
	"{\"role\":\"assistant\","                                             \
	"\"content\":\"Yes?\"},{\"role\":\"user\",\"content\":"
#define PLAIN "\"What is \xC3\xA4?\"}],\"stream\":true"

START_TEST(messages_and_model)
{
	openai_request_body(&engine, &request, plain, &body);
	ck_assert_str_eq(buf_text(&body), FRONT("m1") PLAIN "}");
}
END_TEST

START_TEST(what_is_configured_is_asked_for)
{
	engine.model = "m2";
	bot.max_output_tokens = 300;
	bot.temperature = "0.7";
	openai_request_body(&engine, &request,
	    (struct openai_dialect){.usage = true}, &body);
	ck_assert_str_eq(buf_text(&body),
	    FRONT("m2") PLAIN ",\"stream_options\":{\"include_usage\":true},"
			      "\"max_tokens\":300,\"temperature\":0.7}");
}
END_TEST

/* Of an answer of this text. */
static const struct {
	const char *answer, *sent;
} thoughts[] = {
    {"<think>plan</think>\n\none", "one"},
    {"\n<think>\nplan\n</think>one", "one"},
    {"<think>a</think><think>b</think> one", "one"},
    {"plan\n</think>\none", "one"},
    {"plan</think>\n\none", "one"},
    {"<think>plan", ""},
    {"[THINK]plan[/THINK]one", "one"},
    {"Write </think> behind it.", "Write </think> behind it."},
    {"It is `</think>`\n.", "It is `</think>`\n."},
    {"The <think> tag </think>", "The <think> tag </think>"},
    {" one ", " one "},
    {"", ""},
};

START_TEST(thoughts_are_not_sent_back)
{
	struct chat_message said[] = {
	    {ROLE_ASSISTANT, span_of(thoughts[_i].answer)}};

	ck_assert(span_is(thinking_strip(said[0].content), thoughts[_i].sent));
	request.prompt = said;
	request.n_prompt = 1;
	openai_request_body(&engine, &request, plain, &body);
	ck_assert_msg(strstr(buf_text(&body), "plan") == NULL, "%s",
	    buf_text(&body));
}
END_TEST

START_TEST(images_go_to_models_that_see)
{
	char path[] = "/tmp/parlance-image-XXXXXX";
	int fd = mkstemp(path);
	const struct chat_file files[] = {
	    {.type = "image", .url = "https://example.org/a.png"},
	    {.type = "document", .url = "https://example.org/a.pdf"},
	    {.type = "image", .mime_type = "image/gif", .path = path},
	    {.type = "image", .path = "/nonexistent"},
	};

	ck_assert_int_eq(write(fd, "GIF89a!", 7), 7);
	(void)close(fd);
	request.files = files;
	request.n_files = 4;
	openai_request_body(&engine, &request, plain, &body);
	ck_assert_str_eq(buf_text(&body), FRONT("m1") PLAIN "}");
	buf_reset(&body);
	engine.vision = true;
	openai_request_body(&engine, &request, plain, &body);
	(void)unlink(path);
	ck_assert_int_eq(buf_err(&body), ERR_NONE);
	ck_assert_str_eq(buf_text(&body),
	    FRONT("m1") "[{\"type\":\"text\",\"text\":\"What is \xC3\xA4?\"},"
			"{\"type\":\"image_url\",\"image_url\":{\"url\":"
			"\"https://example.org/a.png\"}},"
			"{\"type\":\"image_url\",\"image_url\":{\"url\":"
			"\"data:image/gif;base64,R0lGODlhIQ==\"}}]}],"
			"\"stream\":true}");
}
END_TEST

Suite *
openai_request_suite(void)
{
	Suite *s = suite_create("openai_request");
	TCase *t = tcase_create("body");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, messages_and_model);
	tcase_add_test(t, what_is_configured_is_asked_for);
	tcase_add_loop_test(t, thoughts_are_not_sent_back, 0,
	    sizeof(thoughts) / sizeof(thoughts[0]));
	tcase_add_test(t, images_go_to_models_that_see);
	suite_add_tcase(s, t);
	return s;
}
