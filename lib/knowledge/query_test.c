#include "knowledge/query.h"

#include <check.h>
#include <stdio.h>

static const struct {
	const char *earlier, *question;
	bool refers;
} turns[] = {
    {"What are the specs of the iPhone 13?", "and its price?", true},
    {"What are the specs of the iPhone 13?", "And in Texas?", true},
    {"How do I renew a book?", "How much does it cost?", true},
    {"How do I renew a book?", "What is a credit?", false},
    {"What are the specs of the iPhone 13?", "Battery?", true},
    {"How do I renew a book?", "Which bus line stops at the harbour branch?",
	false},
    {"Was kostet das Binden?", "und wie lange dauert es?", true},
    {"¿Cuánto cuesta la encuadernación?", "¿y el precio?", true},
    {"Combien coûte la reliure ?", "et son prix ?", true},
    {"Сколько стоит переплёт?", "а его цена?", true},
    {"补办借书证要多少钱？", "那它呢？", true},
    {"製本の料金はいくらですか？", "それは？", true},
    {NULL, "and its price?", false},
};

START_TEST(follow_ups_refer_to_the_turn_before)
{
	struct chat_message history[2] = {
	    {ROLE_USER, span_of(turns[_i].earlier)},
	    {ROLE_ASSISTANT, SPAN("Here it is.")}};
	size_t n = turns[_i].earlier == NULL ? 0 : 2;
	struct span referred = query_referred(span_of(turns[_i].question),
	    history, n);

	ck_assert_msg((referred.len > 0) == turns[_i].refers, "%s",
	    turns[_i].question);
	if (turns[_i].refers)
		ck_assert(span_is(referred, turns[_i].earlier));
}
END_TEST

START_TEST(follow_ups_pass_over_follow_ups)
{
	struct chat_message history[] = {
	    {ROLE_USER, SPAN("What are the specs of the iPhone 13?")},
	    {ROLE_ASSISTANT, SPAN("Many.")},
	    {ROLE_USER, SPAN("and its battery?")},
	    {ROLE_ASSISTANT, SPAN("3240 mAh")}};
	struct span referred = query_referred(SPAN("and its camera?"),
	    history, 4);

	ck_assert(span_is(referred, "What are the specs of the iPhone 13?"));
}
END_TEST

START_TEST(stop_words_weigh_little)
{
	struct stemmers stemmers = {.made = {NULL}};
	struct query q;

	query_init(&q);
	query_add(&q, &stemmers, SPAN("How do I pay the taxes?"),
	    (uint32_t)1 << language_number(language_find("en")), 1, false);
	ck_assert_uint_eq(q.n, 6);
	ck_assert(q.terms[0].stop && q.terms[1].stop && q.terms[2].stop);
	ck_assert(!q.terms[3].stop && q.terms[4].stop && !q.terms[5].stop);
	ck_assert_double_lt(q.terms[0].factor, q.terms[5].factor / 5);
	ck_assert_uint_eq(q.n_own, q.n);
	stemmers_release(&stemmers);
}
END_TEST

START_TEST(a_huge_question_is_cut)
{
	struct stemmers stemmers = {.made = {NULL}};
	static char text[100000];
	struct query q;
	size_t i;

	for (i = 0; i + 8 < sizeof(text); i += 8)
		(void)snprintf(text + i, 9, "w%06zu ", i);
	query_init(&q);
	query_add(&q, &stemmers, (struct span){text, i}, 0, 1, false);
	ck_assert_uint_eq(q.n, QUERY_TERMS_MAX);
	stemmers_release(&stemmers);
}
END_TEST

Suite *query_suite(void);

Suite *
query_suite(void)
{
	Suite *s = suite_create("query");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, follow_ups_refer_to_the_turn_before, 0,
	    sizeof(turns) / sizeof(turns[0]));
	tcase_add_test(t, follow_ups_pass_over_follow_ups);
	tcase_add_test(t, stop_words_weigh_little);
	tcase_add_test(t, a_huge_question_is_cut);
	suite_add_tcase(s, t);
	return s;
}
