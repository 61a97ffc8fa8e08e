/*
 * The built-in engine.  The answer is made when the run starts (it takes
 * less than a millisecond or two) and handed out word by word.
 */
#include "builtin/builtin.h"

#include <string.h>

#include "base/utf8.h"
#include "builtin/extract.h"
#include "builtin/intent.h"
#include "builtin/recall.h"
#include "chat/tokens.h"
#include "language/stopwords.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define TOPICS_MAX 6
#define PERSONA_CONFIDENT 0.9 /* who answers is seldom what is asked */
#define PIECE_CODES 4 /* of a script without spaces */

struct builtin_run {
	struct engine_run run;
	const struct engine_request *request;
	struct span answer, rest;
	struct builtin_report report;
};

/* Cuts after n words between white space; 0: no limit. */
static size_t
cut_words(struct span text, int64_t n)
{
	bool inside = false;
	size_t i;

	if (n <= 0)
		return text.len;
	for (i = 0; i < text.len; i++) {
		bool blank = text_is_blank(text.data[i]);

		if (!blank && !inside && n-- == 0)
			break;
		inside = !blank;
	}
	while (i > 0 && text_is_blank(text.data[i - 1]))
		i--;
	return i;
}

/* The bot's persona may hold the answer: "Our office is in Graz." */
static bool
answer_from_persona(const struct engine_request *request, struct arena *arena,
    struct buf *out)
{
	struct engine_request copy = *request;
	struct passage persona = {.document_id = "", .document_name = "",
	    .score = 0.5, .content = span_of(request->bot->persona)};
	struct extract_result *result = arena_alloc(arena, sizeof(*result));
	size_t before = out->len;

	if (persona.content.len == 0 || result == NULL)
		return false;
	copy.passages = &persona;
	copy.n_passages = 1;
	copy.query = NULL;
	copy.config = NULL;
	if (extract_answer(&copy, SPAN_NONE, request->max_words, arena,
		result, out) && result->confidence >= PERSONA_CONFIDENT)
		return true;
	buf_truncate(out, before);
	return false;
}

static bool
is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* "You can ask about: Opening hours, Prices." */
static void
add_topics(const struct engine_request *request, const struct language *l,
    struct arena *arena, struct buf *out)
{
	const struct bot_config *bot = request->bot;
	struct span topics[TOPICS_MAX];
	size_t n = 0, i;

	for (; n < bot->suggested_questions.n && n < TOPICS_MAX / 2; n++)
		topics[n] = span_of(bot->suggested_questions.items[n]);
	if (n == 0 && request->config != NULL)
		n = knowledge_topics(request->config, bot, l, arena, topics,
		    TOPICS_MAX);
	if (n == 0 && request->config != NULL)
		n = knowledge_topics(request->config, bot, NULL, arena,
		    topics, TOPICS_MAX);
	if (n == 0)
		return;
	buf_printf(out, " %s ", intent_words(l).ask);
	for (i = 0; i < n; i++)
		buf_printf(out, "%s%.*s", i > 0 ? "; " : "",
		    (int)topics[i].len, topics[i].data);
	buf_addc(out, '.');
}

/* The owner's words, unless they are in another language than the guest's. */
static void
greet(const struct engine_request *request, const struct language *l,
    struct arena *arena, struct buf *out)
{
	const struct bot_config *bot = request->bot;
	const char *own = is_set(bot->greeting) ? bot->greeting
	    : is_set(bot->welcome_message) ? bot->welcome_message : NULL;
	const struct language *written =
	    own == NULL ? NULL : language_guess(span_of(own));

	if (own == NULL || (l != NULL && written != NULL && written != l))
		buf_adds(out, intent_words(l).hello);
	else
		buf_adds(out, own);
	add_topics(request, l, arena, out);
}

static void
introduce(const struct engine_request *request, const struct language *l,
    struct arena *arena, struct buf *out)
{
	buf_adds(out, request->bot->name);
	if (is_set(request->bot->description))
		buf_printf(out, ": %s", request->bot->description);
	else
		buf_addc(out, '.');
	add_topics(request, l, arena, out);
}

static void
say_unknown(const struct engine_request *request, struct buf *out)
{
	buf_adds(out, is_set(request->bot->unknown_answer)
		? request->bot->unknown_answer
		: extract_language(request)->unknown);
}

static void
answer_question(const struct engine_request *request, bool modal,
    struct arena *arena, struct builtin_report *report, struct buf *out)
{
	struct span referred = query_referred(request->question,
	    request->history, request->n_history);

	if (!modal && recall_answer(request, arena, out))
		report->source = BUILTIN_MEMORY;
	else if (extract_answer(request, referred, request->max_words, arena,
		&report->extract, out))
		report->source = BUILTIN_TEXTS;
	else if (answer_from_persona(request, arena, out))
		report->source = BUILTIN_PERSONA;
	else
		say_unknown(request, out);
}

static void
compose(const struct engine_request *request, struct arena *arena,
    struct builtin_report *report, struct buf *out)
{
	const struct bot_config *bot = request->bot;
	const struct language *l = extract_spoken(request);
	struct intent_found found = intent_of(request->question, l,
	    language_guess(request->question) != NULL, bot->name);
	struct engine_request copy = *request;

	report->intent = found.intent;
	if (found.language != NULL)
		l = found.language;
	switch (found.intent) {
	case INTENT_GREETING:
		greet(request, l, arena, out);
		break;
	case INTENT_THANKS:
		buf_adds(out, intent_words(l).welcome);
		break;
	case INTENT_WHO:
		introduce(request, l, arena, out);
		break;
	case INTENT_PERSON:
	case INTENT_STATEMENT:
		if (is_set(bot->contact))
			buf_adds(out, bot->contact);
		else
			say_unknown(request, out);
		break;
	case INTENT_QUESTION:
		if (found.rest.len > 0)
			copy.question = found.rest;
		answer_question(&copy, found.modal, arena, report, out);
		break;
	}
}

/* The next word with the white space before it. */
static size_t
piece_len(struct span text)
{
	size_t at = 0, codes = 0, before;
	uint32_t c;

	while (at < text.len && text_is_blank(text.data[at]))
		at++;
	while (at < text.len && !text_is_blank(text.data[at])) {
		before = at;
		c = utf8_next(text, &at);
		if (c >= 0x0E00 && ++codes > PIECE_CODES)
			return before;
	}
	return at;
}

static void
builtin_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct builtin_run *b = (struct builtin_run *)run;
	size_t len = piece_len(b->rest);

	(void)now_ms;
	(void)ready;
	*event = (struct engine_event){.kind = ENGINE_DELTA};
	if (len > 0) {
		event->text = (struct span){b->rest.data, len};
		b->rest.data += len;
		b->rest.len -= len;
		return;
	}
	event->kind = ENGINE_END;
	/* Cited is what the answer was made from, be it nothing. */
	event->passages = b->report.extract.used;
	event->n_passages = b->report.source == BUILTIN_TEXTS
	    ? b->report.extract.n_used : 0;
	event->usage.prompt_tokens = b->run.bound.prompt;
	event->usage.completion_tokens = b->run.bound.answer;
}

static void
builtin_interests(struct engine_run *run, struct interests *in)
{
	(void)run;
	interests_wake(in, 0);
}

static void
builtin_free(struct engine_run *run)
{
	(void)run; /* it lives in the arena */
}

static const struct engine_run_ops ops = {
    builtin_next,
    builtin_interests,
    builtin_free,
};

enum err
builtin_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	struct builtin_run *b = arena_alloc(arena, sizeof(*b));
	struct buf out = BUF_INIT(ANSWER_MAX);
	enum err err = ERR_MEMORY;

	(void)engine;
	(void)worker;
	*run = NULL;
	if (b == NULL)
		return ERR_MEMORY;
	memset(&b->report, 0, sizeof(b->report));
	compose(request, arena, &b->report, &out);
	b->run.ops = &ops;
	b->request = request;
	b->answer.data = arena_strndup(arena, buf_text(&out), out.len);
	b->answer.len = out.len;
	if (buf_err(&out) == ERR_NONE && b->answer.data != NULL) {
		b->answer.len = cut_words(b->answer, request->max_words);
		b->rest = b->answer;
		b->run.bound.prompt = request->n_prompt == 0
			? tokens_count(request->question)
			: engine_count_prompt(request);
		b->run.bound.answer = tokens_count(b->answer);
		b->run.bound_known = true;
		*run = &b->run;
		err = ERR_NONE;
	}
	buf_release(&out);
	return err;
}

const struct builtin_report *
builtin_report(const struct engine_run *run)
{
	return &((const struct builtin_run *)run)->report;
}
