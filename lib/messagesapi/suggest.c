/* Suggested questions. */
#include "messagesapi/suggest.h"

#include "knowledge/knowledge.h"
#include "dialogue/annotation_match.h"

/* So alike that it is the same question. */
#define SAME 0.8
#define PASSAGES 8

static bool
is_new(struct arena *arena, struct span question,
    const struct message_pair *pairs, size_t n, const struct suggestions *out)
{
	struct span key = annotation_key(arena, question);
	size_t i;

	if (key.len == 0)
		return false;
	for (i = 0; i < n; i++)
		if (annotation_score(key,
			annotation_key(arena, pairs[i].query)) >= SAME)
			return false;
	for (i = 0; i < out->n; i++)
		if (annotation_score(key,
			annotation_key(arena, out->items[i])) >= SAME)
			return false;
	return true;
}

static void
offer(struct arena *arena, struct span question,
    const struct message_pair *pairs, size_t n, struct suggestions *out)
{
	if (out->n < SUGGEST_MAX && is_new(arena, question, pairs, n, out))
		out->items[out->n++] = question;
}

/* Headings of knowledge near to what was asked last. */
static void
offer_headings(const struct config *config, const struct bot_config *bot,
    struct arena *arena, const struct message_pair *pairs, size_t n,
    struct suggestions *out)
{
	struct passage *passages = NULL;
	size_t found = 0, i;

	if (n == 0 || out->n == SUGGEST_MAX || bot->knowledge.n == 0)
		return;
	if (knowledge_search(config, bot, pairs[n - 1].query, NULL, 0,
		PASSAGES, arena, &passages, &found) != ERR_NONE)
		return; /* fewer suggestions, no failure */
	for (i = 0; i < found; i++)
		if (span_ends(passages[i].heading, "?"))
			offer(arena, passages[i].heading, pairs, n, out);
}

void
suggest(const struct config *config, const struct bot_config *bot,
    struct arena *arena, const struct message_pair *pairs, size_t n,
    struct suggestions *out)
{
	size_t i;

	out->n = 0;
	offer_headings(config, bot, arena, pairs, n, out);
	for (i = 0; i < bot->suggested_questions.n; i++)
		offer(arena, span_of(bot->suggested_questions.items[i]),
		    pairs, n, out);
}
