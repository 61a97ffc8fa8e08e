/* Reads a segment word by word and adds up what of the question it has. */
#include "knowledge/rank.h"

#include <math.h>
#include <string.h>

#include "documents/tables.h"

#define K1 1.2
#define B 0.75
#define HEADING_WORDS 2.0
#define CELLS_MAX 64
/* Segments that hold none of the words: a handful of pages is too few to
 * tell common words from rare ones. */
#define BACKGROUND 100
/* What a word that no segment has is worth, of the rarest word's weight: it
 * may be a word for something that is there under another name.  Pairs that
 * no segment has are mostly the end of one word and the start of another. */
#define UNKNOWN_WORD 0.6
#define UNKNOWN_PAIR 0.25

struct tally {
	double frequency[QUERY_TERMS_MAX];
	bool in_heading[QUERY_TERMS_MAX];
	bool beside_next[QUERY_TERMS_MAX]; /* and the next term */
	double heading_words, heading_hits;
	double cells; /* weight of whole cells that are named */
	bool key;     /* the first cell is */
};

static size_t
slot_of(const struct rank_query *r, struct span form)
{
	uint32_t hash = 2166136261U;
	size_t i;

	for (i = 0; i < form.len; i++)
		hash = (hash ^ (unsigned char)form.data[i]) * 16777619U;
	for (i = hash & (RANK_TABLE - 1); r->table[i].form.data != NULL;
	     i = (i + 1) & (RANK_TABLE - 1))
		if (span_equal(r->table[i].form, form))
			break;
	return i;
}

void
rank_prepare(struct rank_query *r, const struct query *q,
    const int64_t *frequency, int64_t segments, int64_t words)
{
	double n = segments > 0 ? (double)segments : 1, df, max = 0;
	size_t i, k, slot, pass;

	memset(r, 0, sizeof(*r));
	r->q = q;
	r->mean_words = words > 0 ? (double)words / n : 1;
	for (i = 0; i < q->n; i++) {
		const struct query_term *t = &q->terms[i];

		df = frequency[i] > 0 ? (double)frequency[i] : 0.5;
		df = df > n ? n : df;
		r->weights[i] = t->factor *
		    log(1 + (n + BACKGROUND - df + 0.5) / (df + 0.5));
		if (frequency[i] <= 0)
			r->weights[i] *= t->pair ? UNKNOWN_PAIR : UNKNOWN_WORD;
		if (!t->context)
			r->total += r->weights[i];
		max = r->weights[i] > max ? r->weights[i] : max;
	}
	/* The words themselves first, then others of their concepts. */
	for (pass = 0; pass < 2; pass++)
	for (i = 0; i < q->n; i++) {
		const struct query_term *t = &q->terms[i];

		for (k = pass == 0 ? 0 : t->own_forms; k < (pass == 0
			? t->own_forms : t->forms.n); k++) {
			slot = slot_of(r, (struct span){t->forms.text[k],
			    t->forms.len[k]});
			if (r->table[slot].form.data != NULL)
				continue;
			r->table[slot].form = (struct span){t->forms.text[k],
			    t->forms.len[k]};
			r->table[slot].term = i;
		}
	}
	if (r->total <= 0)
		r->total = 1;
}

size_t
rank_term(const struct rank_query *r, const struct vocabulary_entry *e)
{
	size_t i, slot;

	for (i = 0; e != NULL && i < e->n; i++) {
		slot = slot_of(r, e->terms[i]->text);
		if (r->table[slot].form.data != NULL)
			return r->table[slot].term;
	}
	return QUERY_TERMS_MAX;
}

/* The single character that begins a pair: "茶" of "茶会". */
static size_t
begins_of(const struct rank_query *r, const struct word *word)
{
	size_t i;

	if (!word->pair)
		return QUERY_TERMS_MAX;
	for (i = 0; i < r->q->n; i++)
		if (r->q->terms[i].begins && word->text.len >=
			r->q->terms[i].forms.len[0] &&
		    memcmp(word->text.data, r->q->terms[i].forms.text[0],
			r->q->terms[i].forms.len[0]) == 0)
			return i;
	return QUERY_TERMS_MAX;
}

static void
tally_text(const struct rank_query *r, struct vocabulary *v,
    const struct language *language, struct span text, bool heading,
    struct tally *t)
{
	size_t term, last = QUERY_TERMS_MAX, position = 0, last_position = 0;
	struct word_scan words;
	struct word word;

	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		position++;
		if (word.last_of_run)
			continue;
		term = rank_term(r, vocabulary_look(v, language, &word));
		if (term == QUERY_TERMS_MAX)
			term = begins_of(r, &word);
		if (heading)
			t->heading_words += word.pair ? 0.5 : 1;
		if (term == QUERY_TERMS_MAX)
			continue;
		t->frequency[term] += heading ? HEADING_WORDS : 1;
		if (heading) {
			t->in_heading[term] = true;
			t->heading_hits += word.pair ? 0.5 : 1;
		}
		if (last != QUERY_TERMS_MAX && position - last_position <= 2 &&
		    r->q->terms[term].position > r->q->terms[last].position &&
		    r->q->terms[term].position - r->q->terms[last].position <=
			3)
			t->beside_next[last] = true;
		last = term;
		last_position = position;
	}
}

/* Weight of the question's words that make up whole cells. */
static void
tally_cells(const struct rank_query *r, struct vocabulary *v,
    const struct rank_segment *s, struct tally *t)
{
	struct span rest = s->content, header = span_cut(&rest, '\n');
	struct span cells[CELLS_MAX];
	bool taken[QUERY_TERMS_MAX] = {false};
	struct arena arena;
	struct word_scan words;
	struct word word;
	size_t n, i, term;

	arena_init(&arena, (size_t)1 << 20);
	n = table_cells(rest, table_separator(header), &arena, cells,
	    CELLS_MAX);
	for (i = 0; i < n; i++) {
		double weight = 0;
		size_t found = 0, all = 0;

		word_scan_init(&words, cells[i]);
		while (word_scan_next(&words, &word)) {
			if (word.last_of_run)
				continue;
			all++;
			term = rank_term(r,
			    vocabulary_look(v, s->language, &word));
			if (term == QUERY_TERMS_MAX)
				break;
			found++;
			if (!taken[term])
				weight += r->weights[term];
			taken[term] = true;
		}
		if (all > 0 && found == all) {
			t->cells += weight;
			t->key |= i == 0;
		}
	}
	arena_release(&arena);
}

static double
share_of_pairs(const struct rank_query *r, const struct tally *t)
{
	double all = 0, found = 0, weight;
	size_t i, next;

	for (i = 0; i < r->q->n; i++) {
		if (r->q->terms[i].stop || r->q->terms[i].context)
			continue;
		for (next = i + 1; next < r->q->n &&
		     (r->q->terms[next].stop || r->q->terms[next].context);)
			next++;
		if (next == r->q->n || r->q->terms[next].position -
			r->q->terms[i].position > 3)
			continue;
		weight = r->weights[i] < r->weights[next] ? r->weights[i]
							  : r->weights[next];
		all += weight;
		found += t->beside_next[i] ? weight : 0;
	}
	return all > 0 ? found / all : 0;
}

double
rank_score(const struct rank_query *r, struct vocabulary *v,
    const struct rank_segment *s)
{
	struct tally t = {.cells = 0};
	double text = 0, coverage = 0, in_heading = 0, norm, f;
	double context = 0, contexts = 0, heading, score, bonus;
	bool asks = false, told = false; /* words of the question itself */
	size_t i;

	tally_text(r, v, s->language, span_of(s->document_name), true, &t);
	t.heading_words = t.heading_hits = 0; /* the path is not a sentence */
	tally_text(r, v, s->language, s->heading, true, &t);
	tally_text(r, v, s->language, s->content, false, &t);
	if (s->is_row)
		tally_cells(r, v, s, &t);
	norm = K1 * (1 - B + B * (double)s->words / r->mean_words);
	for (i = 0; i < r->q->n; i++) {
		f = t.frequency[i];
		if (i < r->q->n_own && !r->q->terms[i].stop) {
			asks = true;
			told |= f > 0;
		}
		if (r->q->terms[i].context) {
			contexts += r->weights[i];
			context += f > 0 ? r->weights[i] : 0;
			continue;
		}
		if (f <= 0)
			continue;
		text += r->weights[i] * f / (f + norm);
		coverage += r->weights[i];
		in_heading += t.in_heading[i] ? r->weights[i] : 0;
	}
	text /= r->total;
	coverage /= r->total;
	heading = in_heading / r->total *
	    (t.heading_words > 0 ? t.heading_hits / t.heading_words : 0);
	bonus = 0.25 * share_of_pairs(r, &t) + 0.35 * heading +
	    0.35 * (t.cells / r->total) + (t.key ? 0.3 : 0) +
	    (context > 0 ? 0.3 * sqrt(context / contexts) : 0);
	/* Everything is a share of the question that is covered. */
	score = coverage * (0.35 * coverage + 0.75 * text + bonus);
	/* What an earlier question named is not enough. */
	if (asks && !told)
		score *= 0.3;
	/* 0 stays 0; about 0.7 becomes 0.75; 1.5 becomes 0.95. */
	return 1 - exp(-2 * score);
}
