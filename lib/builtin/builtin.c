/*
 * The built-in engine.  The answer is made when the run starts (it takes
 * less than a millisecond or two) and handed out word by word.
 */
#include "builtin/builtin.h"

#include <string.h>

#include "base/utf8.h"
#include "builtin/extract.h"
#include "builtin/recall.h"
#include "chat/tokens.h"
#include "language/stopwords.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define PIECE_CODES 4 /* of a script without spaces */

struct builtin_run {
	struct engine_run run;
	const struct engine_request *request;
	struct span answer, rest;
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
	    .score = 0.5};
	struct query *query = arena_alloc(arena, sizeof(*query));
	struct stemmers stemmers = {.made = {NULL}};
	struct word_forms forms;
	struct word_scan words;
	struct word word;
	size_t i, k, content = 0, found = 0;
	const struct language *l;

	persona.content = span_of(request->bot->persona);
	l = language_guess(persona.content);
	if (persona.content.len == 0 || query == NULL)
		return false;
	query_init(query);
	query_add(query, &stemmers, request->question,
	    l == NULL ? 0 : (uint32_t)1 << language_number(l), 1, false);
	for (i = 0; i < query->n; i++) {
		bool has = false;

		if (query->terms[i].stop)
			continue;
		content++;
		word_scan_init(&words, persona.content);
		while (!has && word_scan_next(&words, &word)) {
			forms.n = 0;
			wordforms_add(&stemmers, l, &word, &forms);
			for (k = 0; k < forms.n && !has; k++)
				has = forms.len[k] ==
					query->terms[i].forms.len[0] &&
				    memcmp(forms.text[k],
					query->terms[i].forms.text[0],
					forms.len[k]) == 0;
		}
		found += has;
	}
	stemmers_release(&stemmers);
	if (content < 2 || found < content)
		return false;
	copy.passages = &persona;
	copy.n_passages = 1;
	return extract_answer(&copy, SPAN_NONE, request->max_words, arena, out);
}

static void
compose(const struct engine_request *request, struct arena *arena,
    struct buf *out)
{
	struct span referred = query_referred(request->question,
	    request->history, request->n_history);

	if (recall_answer(request, arena, out) ||
	    smalltalk_answer(request, out) ||
	    extract_answer(request, referred, request->max_words, arena,
		out) ||
	    answer_from_persona(request, arena, out) ||
	    statement_answer(request, out))
		return;
	if (request->bot->unknown_answer != NULL)
		buf_adds(out, request->bot->unknown_answer);
	else
		buf_adds(out, extract_language(request)->unknown);
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
	compose(request, arena, &out);
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
