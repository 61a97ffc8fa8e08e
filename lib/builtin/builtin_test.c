#include "builtin/builtin.h"

#include <check.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"

static const struct bot_config bot = {.name = "Taxson",
    .description = "Explains taxes.", .welcome_message = "Welcome!",
    .persona = "You are Taxson. Our office stands in Graz."};

static const char csv[] = "\"Model\",\"Price\",\"Battery\"\n"
			  "\"Alpha 3\",\"100 euro\",\"3240 mAh\"";
static const char page[] =
    "To pay taxes, gather your documents. Then fill in the return. It is due "
    "on April 15. Cards are accepted.";

static struct passage passages[] = {
    {.document_id = "1", .document_name = "list", .score = 0.9,
	.is_row = true, .language = "en"},
    {.document_id = "2", .document_name = "page", .score = 0.9,
	.language = "en"},
    {.document_id = "2", .document_name = "page", .score = 0.2,
	.language = "en"},
};

/* What the engine says; in a static buffer. */
static const char *
say(struct engine_request *request)
{
	static char answer[4096];
	struct engine_event event;
	struct engine_run *run;
	struct arena arena;
	size_t n = 0;

	passages[0].content = span_of(csv);
	passages[1].content = span_of(page);
	passages[1].heading = SPAN("Taxes > How to pay taxes");
	passages[2].content = span_of(page);
	arena_init(&arena, (size_t)8 << 20);
	request->bot = &bot;
	ck_assert_int_eq(builtin_start(NULL, request, NULL, &arena, &run),
	    ERR_NONE);
	for (;;) {
		run->ops->next(run, 0, NULL, &event);
		if (event.kind != ENGINE_DELTA)
			break;
		ck_assert_uint_gt(event.text.len, 0);
		ck_assert_uint_lt(n + event.text.len, sizeof(answer));
		memcpy(answer + n, event.text.data, event.text.len);
		n += event.text.len;
	}
	answer[n] = '\0';
	ck_assert_int_eq(event.kind, ENGINE_END);
	ck_assert_int_gt(event.usage.completion_tokens, 0);
	run->ops->free(run);
	arena_release(&arena);
	return answer;
}

#define HISTORY_MAX 3

static const struct {
	const char *name, *history[HISTORY_MAX], *question, *answer;
} talks[] = {
    {"a fact is said back", {"My hobby is chess."}, "What is my hobby?",
	"Your hobby is chess."},
    {"the latest counts", {"My hobby is chess.", "My hobby is golf."},
	"what is my hobby", "Your hobby is golf."},
    {"in one word", {"my hobby is chess"},
	"What is my hobby? Answer in one word.", "chess"},
    {"yes", {"My hobby is chess."}, "Is my hobby chess?",
	"Yes. Your hobby is chess."},
    {"no", {"My hobby is chess."}, "Is my hobby golf?",
	"No. Your hobby is chess."},
    {"a system turn", {"S:User live in Texas, US."}, "Where do I live?",
	"You live in Texas, US."},
    {"a question is no fact", {"What is my hobby?"}, "What is my hobby?",
	"I do not know the answer to that."},
    {"nothing was said", {NULL}, "What is my hobby?",
	"I do not know the answer to that."},
    {"one word of several", {"My hobby is playing soccer."},
	"What is my hobby? One word.", "soccer"},
    {"the form first", {"My hobby is chess."},
	"In one word, what is my hobby?", "chess"},
    {"a name among other things", {"Hi, my name is Anna and I live in Graz."},
	"What is my name?", "Your name is Anna."},
    {"a clause among others", {"Hi, my name is Anna and I live in Graz."},
	"Where do I live?", "You live in Graz."},
    {"I am Bob", {"I am Bob."}, "what is my name", "Your name is Bob."},
    {"tired is no name", {"I am tired."}, "what is my name",
	"I do not know the answer to that."},
    {"what one likes", {"I like painting."}, "What do I like?",
	"You like painting."},
    {"being something", {"S:The user is a freelancer."},
	"Am I a freelancer?", "Yes. You are a freelancer."},
    {"a statement", {NULL}, "My hobby is chess.",
	"I do not know the answer to that."},
    {"a German name", {"Hallo, ich heiße Jörg."}, "Wie heiße ich?",
	"Dein Name ist Jörg."},
    {"German", {"Mein Hobby ist Schach."}, "Was ist mein Hobby?",
	"Dein Hobby ist Schach."},
    {"French", {"Ma couleur préférée est le bleu."},
	"Quelle est ma couleur préférée ?",
	"Votre couleur préférée est le bleu."},
    {"Spanish", {"Mi color favorito es el azul."},
	"¿Cuál es mi color favorito?", "Tu color favorito es el azul."},
    {"Russian", {"Мой любимый цвет синий."}, "Какой мой любимый цвет?",
	"Вы сказали: Мой любимый цвет синий."},
    {"Chinese is quoted", {"我的爱好是下棋。"}, "我的爱好是什么？",
	"您说过: 我的爱好是下棋。"},
    {"a greeting", {NULL}, "Hello!", "Welcome!"},
    {"who it is", {NULL}, "Who are you?", "Taxson: Explains taxes."},
    {"thanks", {NULL}, "Vielen Dank, danke!", "Gern geschehen."},
    {"the persona knows", {NULL}, "Where does your office stand in Graz?",
	"Our office stands in Graz."},
    {"nothing fits", {NULL}, "How tall is Mount Everest?",
	"I do not know the answer to that."},
    {"nothing fits, in German", {NULL}, "Wie hoch ist der Berg?",
	"Das weiß ich nicht."},
};

START_TEST(the_conversation_is_remembered)
{
	struct chat_message history[HISTORY_MAX];
	struct engine_request r = {.history = history,
	    .question = span_of(talks[_i].question)};
	const char *text;

	while (r.n_history < HISTORY_MAX &&
	    (text = talks[_i].history[r.n_history]) != NULL) {
		bool system = strncmp(text, "S:", 2) == 0;

		history[r.n_history++] = (struct chat_message){
		    system ? ROLE_SYSTEM : ROLE_USER,
		    span_of(system ? text + 2 : text)};
	}
	text = say(&r);
	ck_assert_msg(strcmp(text, talks[_i].answer) == 0, "%s: \"%s\"",
	    talks[_i].name, text);
}
END_TEST

static const struct {
	const char *name, *question;
	size_t passage;
	int64_t max_words;
	const char *answer;
} asked[] = {
    {"the asked cell", "What is the price of the Alpha 3?", 0, 0,
	"Alpha 3 \xE2\x80\x93 Price: 100 euro"},
    {"all cells", "Tell me about the Alpha 3.", 0, 0,
	"Alpha 3 \xE2\x80\x93 Price: 100 euro; Battery: 3240 mAh"},
    {"the sentence", "When is the return due?", 1, 0,
	"It is due on April 15. Cards are accepted."},
    {"under the heading", "Explain how to pay taxes.", 1, 0, page},
    {"max_words cuts at a sentence", "Explain how to pay taxes.", 1, 8,
	"To pay taxes, gather your documents."},
    {"max_words cuts in one", "Explain how to pay taxes.", 1, 3,
	"To pay taxes,"},
    {"a bad score is no answer", "Explain how to pay taxes.", 2, 0,
	"I do not know the answer to that."},
};

START_TEST(passages_answer)
{
	struct engine_request r = {.question = span_of(asked[_i].question),
	    .passages = &passages[asked[_i].passage], .n_passages = 1,
	    .max_words = asked[_i].max_words};
	const char *text = say(&r);

	ck_assert_msg(strcmp(text, asked[_i].answer) == 0, "%s: \"%s\"",
	    asked[_i].name, text);
}
END_TEST

START_TEST(a_language_is_asked_for)
{
	struct engine_request r = {.question = SPAN("How tall is it?"),
	    .language = "German"};

	ck_assert_str_eq(say(&r), "Das weiß ich nicht.");
}
END_TEST

START_TEST(words_come_one_by_one)
{
	struct engine_request r = {.question = SPAN("Hello"), .bot = &bot};
	struct engine_event event;
	struct engine_run *run;
	struct arena arena;

	arena_init(&arena, (size_t)1 << 20);
	r.question = SPAN("Who are you?");
	ck_assert_int_eq(builtin_start(NULL, &r, NULL, &arena, &run),
	    ERR_NONE);
	run->ops->next(run, 0, NULL, &event);
	ck_assert(span_is(event.text, "Taxson:"));
	run->ops->next(run, 0, NULL, &event);
	ck_assert(span_is(event.text, " Explains"));
	run->ops->next(run, 0, NULL, &event);
	ck_assert(span_is(event.text, " taxes."));
	run->ops->next(run, 0, NULL, &event);
	ck_assert_int_eq(event.kind, ENGINE_END);
	arena_release(&arena);
}
END_TEST

Suite *builtin_suite(void);

Suite *
builtin_suite(void)
{
	Suite *s = suite_create("builtin");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, the_conversation_is_remembered, 0,
	    sizeof(talks) / sizeof(talks[0]));
	tcase_add_loop_test(t, passages_answer, 0,
	    sizeof(asked) / sizeof(asked[0]));
	tcase_add_test(t, a_language_is_asked_for);
	tcase_add_test(t, words_come_one_by_one);
	suite_add_tcase(s, t);
	return s;
}
