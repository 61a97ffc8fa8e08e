/* Annotations, and answers from them. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <string.h>

#include "dialogue/annotation_match.h"
#include "messagesapi/api_deployment.h"

Suite *annotations_handler_suite(void);

#define C KEY_SKY
#define UNKNOWN_ID "0d1a5f0e-0000-8000-8000-0000000000ff"
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)
#define LIST "/v1/apps/annotations"

static const char *
annotate(const char *question, const char *answer)
{
	ck_assert_int_eq(ask(C, "POST", LIST,
	    F("{\"question\":\"%s\",\"answer\":\"%s\"}", question, answer)),
	    201);
	return text_at("id");
}

START_TEST(an_annotation_is_made_changed_and_deleted)
{
	const char *id = annotate("Why?", "Because.");
	const char *path = F(LIST "/%s", id);

	ck_assert_str_eq(text_at("question"), "Why?");
	ck_assert_str_eq(text_at("answer"), "Because.");
	ck_assert_str_eq(text_at("hit_count"), "0");
	ck_assert_double_gt(pyjson_double(at("created_at")), 1.7e9);
	ck_assert_int_eq(ask(C, "PUT", path,
	    "{\"question\":\"Why not?\",\"answer\":\"So.\"}"), 200);
	ck_assert_str_eq(text_at("id"), id);
	ck_assert_str_eq(text_at("question"), "Why not?");
	ck_assert_int_eq(ask(C, "DELETE", path, NULL), 204);
	ck_error(ask(C, "DELETE", path, NULL), 404, "not_found",
	    "Annotation not found");
	ck_error(ask(C, "PUT", path, "{\"question\":\"a\",\"answer\":\"b\"}"),
	    404, "not_found", "Annotation not found");
	ck_error(ask(C, "POST", LIST, "{\"question\":5}"), 400,
	    "invalid_param",
	    "question: Input should be a valid string; answer: Field "
	    "required");
}
END_TEST

START_TEST(annotations_are_listed_in_pages_and_by_word)
{
	(void)annotate("one apple", "A");
	(void)annotate("two pears", "B");
	(void)annotate("three apples", "C");
	ck_assert_int_eq(ask(C, "GET", LIST "?limit=2", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 2);
	ck_assert_str_eq(text_at("data.0.question"), "three apples");
	ck_assert_str_eq(text_at("has_more"), "true");
	ck_assert_str_eq(text_at("total"), "3");
	ck_assert_str_eq(text_at("page"), "1");
	ck_assert_str_eq(text_at("limit"), "2");
	ck_assert_int_eq(ask(C, "GET", LIST "?limit=2&page=2", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
	ck_assert_str_eq(text_at("has_more"), "false");
	ck_assert_int_eq(ask(C, "GET", LIST "?keyword=apple", NULL), 200);
	ck_assert_str_eq(text_at("total"), "2");
	ck_assert_int_eq(ask(C, "GET", LIST "?limit=1000000000", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 3);
	ck_assert_int_eq(ask(C, "GET", LIST "?page=1000000000", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 0);
	ck_error(ask(C, "GET", LIST "?page=0", NULL), 400, "invalid_param",
	    "page: Input should be greater than or equal to 1");
	/* They are the bot's: another key of it has them too. */
	ck_assert_int_eq(ask(KEY_SKY2, "GET", LIST, NULL), 200);
	ck_assert_str_eq(text_at("total"), "3");
	ck_assert_int_eq(ask(KEY_CAP, "GET", LIST, NULL), 200);
	ck_assert_str_eq(text_at("total"), "0");
}
END_TEST

#define SWITCH(action) "/v1/apps/annotation-reply/" action
#define MODEL                                                                  \
	"\"embedding_provider_name\":\"p\",\"embedding_model_name\":\"m\""

START_TEST(the_switch_is_a_job_that_completes)
{
	const char *job;

	ck_error(ask(C, "POST", SWITCH("toggle"), "{}"), 400, "invalid_param",
	    "action");
	ck_error(ask(C, "POST", SWITCH("enable"), "{\"score_threshold\":"
	    "\"x\"}"), 400, "invalid_param",
	    "score_threshold: Input should be a valid number; "
	    "embedding_provider_name: Field required; embedding_model_name: "
	    "Field required");
	ck_assert_int_eq(ask(C, "POST", SWITCH("enable"),
	    "{\"score_threshold\":0.9," MODEL "}"), 200);
	ck_assert_str_eq(text_at("job_status"), "waiting");
	job = text_at("job_id");
	ck_assert_int_eq(ask(C, "GET", F(SWITCH("enable") "/status/%s", job),
	    NULL), 200);
	ck_assert_str_eq(text_at("job_id"), job);
	ck_assert_str_eq(text_at("job_status"), "completed");
	ck_assert_str_eq(text_at("error_msg"), "");
	ck_error(ask(C, "GET", F(SWITCH("disable") "/status/%s", job), NULL),
	    400, "invalid_param", "The job does not exist.");
	ck_assert_int_eq(ask(C, "GET", "/parameters", NULL), 200);
	ck_assert_str_eq(text_at("annotation_reply.enabled"), "true");
	ck_assert_int_eq(ask(C, "POST", SWITCH("disable"),
	    "{\"score_threshold\":0.9," MODEL "}"), 200);
	ck_assert_int_eq(ask(C, "GET", "/parameters", NULL), 200);
	ck_assert_str_eq(text_at("annotation_reply.enabled"), "false");
}
END_TEST

START_TEST(a_match_answers_instead_of_the_model)
{
	const char *id = annotate("How far is Mars?", "F\xC3\xA4r.");
	const char *conversation;

	ck_assert_int_eq(chat(C, "how far is MARS", ""), 200);
	ck_assert_str_eq(text_at("answer"), "Yes."); /* still off */
	ck_assert_int_eq(ask(C, "POST", SWITCH("enable"),
	    "{\"score_threshold\":0.8," MODEL "}"), 200);
	ck_assert_int_eq(chat(C, "how far is MARS", ""), 200);
	ck_assert_str_eq(text_at("answer"), "F\xC3\xA4r.");
	ck_assert_str_eq(text_at("metadata.annotation_reply.id"), id);
	ck_assert_str_eq(text_at("metadata.annotation_reply.account.name"),
	    "Ada");
	ck_assert_str_eq(text_at("metadata.usage.total_tokens"), "0");
	ck_assert_str_eq(text_at("metadata.retriever_resources"), "[]");
	ck_assert_int_eq(chat(C, "how far is MARS",
	    ",\"response_mode\":\"streaming\""), 200);
	/* Four characters, one of them of two bytes, and the end. */
	ck_assert_uint_eq(count_of("data: "), 5);
	ck_assert(event(1));
	ck_assert_str_eq(text_at("answer"), "\xC3\xA4");
	ck_assert(event(4));
	ck_assert_str_eq(text_at("metadata.annotation_reply.id"), id);
	conversation = text_at("conversation_id");
	ck_assert_int_eq(ask(C, "GET", F("/messages?user=u&conversation_id=%s",
	    conversation), NULL), 200);
	ck_assert_str_eq(text_at("data.0.answer"), "F\xC3\xA4r.");
	ck_assert_int_eq(chat(C, "what is a comet", ""), 200);
	ck_assert_str_eq(text_at("answer"), "Yes.");
	ck_assert_int_eq(ask(C, "GET", LIST, NULL), 200);
	ck_assert_str_eq(text_at("data.0.hit_count"), "2");
}
END_TEST

static const struct {
	const char *a, *b;
	double min, max;
} likeness[] = {
    {"How far is Mars?", "  how FAR, is mars ", 1, 1},
    {"D\xC3\xA9j\xC3\xA0 vu?", "deja vu", 1, 1},
    {"\xEF\xAC\x81ne", "Fine!", 1, 1}, /* the ligature fi */
    {"How far is Mars?", "How far is the Mars", 0.7, 0.99},
    {"How far is Mars?", "Bake a cake", 0, 0.2},
    {"", "", 0, 0},
    {"?!", "How", 0, 0},
};

START_TEST(likeness_is_one_for_the_same_and_low_for_others)
{
	struct span a = annotation_key(&deployment_arena,
	    span_of(likeness[_i].a));
	struct span b = annotation_key(&deployment_arena,
	    span_of(likeness[_i].b));
	double score = annotation_score(a, b);

	ck_assert_double_ge(score, likeness[_i].min);
	ck_assert_double_le(score, likeness[_i].max);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
annotations_handler_suite(void)
{
	Suite *s = suite_create("annotations_handler");
	TCase *t = tcase_create("annotations_handler");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_test(t, an_annotation_is_made_changed_and_deleted);
	tcase_add_test(t, annotations_are_listed_in_pages_and_by_word);
	tcase_add_test(t, the_switch_is_a_job_that_completes);
	tcase_add_test(t, a_match_answers_instead_of_the_model);
	tcase_add_loop_test(t, likeness_is_one_for_the_same_and_low_for_others,
	    0, ROWS(likeness));
	suite_add_tcase(s, t);
	return s;
}
