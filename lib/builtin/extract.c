/*
 * Extractive answers.  The best passage is cut into sentences; each is worth
 * the weight of the question's words in it (and, by half, in its heading).
 * A heading that asks the same question is answered by what stands under it.
 * A row of a table answers with the cells that were asked for.
 */
#include "builtin/extract.h"

#include <string.h>

#include "documents/segments.h"
#include "documents/tables.h"
#include "language/stopwords.h"

#define SENTENCES_MAX 256
#define CELLS_MAX 64
#define FACT_WORDS 30   /* an answer goes on to about so many words, */
#define BROAD_WORDS 80  /* when it was asked how or why */
#define FAQ_WORDS 110   /* under a heading that is the question */

struct sentence {
	struct span text;
	const struct passage *passage;
	double score;
};

struct extraction {
	const struct engine_request *request;
	struct arena *arena;
	struct query query;
	struct rank_query rank;
	struct vocabulary vocabulary;
	struct sentence *sentences;
	size_t n;
	double heading[8]; /* coverage by each of the first passages' */
	int64_t words_max;
	bool wants_number; /* "how many", "when", "what price" */
	struct buf *out;
};

const struct language *
extract_language(const struct engine_request *request)
{
	const struct language *l = language_find(request->language);

	if (l == NULL)
		l = language_guess(request->question);
	if (l == NULL)
		l = language_find(request->bot->language);
	return l == NULL ? language_at(0) : l;
}

static int64_t
word_count(struct span text)
{
	bool inside = false;
	int64_t n = 0;
	size_t i;

	for (i = 0; i < text.len; i++) {
		bool blank = text_is_blank(text.data[i]);

		n += !blank && !inside;
		inside = !blank;
	}
	return n;
}

/* Scripts without spaces: three characters, nine bytes, make a word. */
static int64_t
length_in_words(struct span text)
{
	int64_t words = word_count(text), bytes = (int64_t)text.len / 9;

	return words > bytes ? words : bytes;
}

/* ---- what a text has of the question ------------------------------------- */

static size_t
find_term(const struct extraction *e, const struct word *word,
    const struct language *language, struct vocabulary *v)
{
	const struct vocabulary_entry *entry =
	    vocabulary_look(v, language, word);

	return rank_term(&e->rank, entry);
}

/* Marks the terms that occur in text. */
static void
mark_terms(struct extraction *e, struct span text,
    const struct language *language, bool found[QUERY_TERMS_MAX])
{
	struct word_scan words;
	struct word word;
	size_t term;

	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		if (word.last_of_run)
			continue;
		term = find_term(e, &word, language, &e->vocabulary);
		if (term < QUERY_TERMS_MAX)
			found[term] = true;
	}
}

static double
weight_of(const struct extraction *e, const bool found[QUERY_TERMS_MAX])
{
	double sum = 0;
	size_t i;

	for (i = 0; i < e->query.n; i++)
		sum += found[i] ? e->rank.weights[i] : 0;
	return sum;
}

/* ---- preparation --------------------------------------------------------- */

static const struct language *
language_of(const struct passage *p)
{
	return p->language != NULL ? language_find(p->language)
				   : language_guess(p->content);
}

static uint32_t
passage_languages(const struct engine_request *r)
{
	const struct language *l;
	uint32_t mask = 0;
	size_t i;

	for (i = 0; i < r->n_passages; i++) {
		l = language_of(&r->passages[i]);
		if (l != NULL)
			mask |= (uint32_t)1 << language_number(l);
	}
	return mask;
}

static void
split_passage(struct extraction *e, const struct passage *p)
{
	struct span rest = p->content, text;
	size_t end;

	while (rest.len > 0 && e->n < SENTENCES_MAX) {
		end = sentence_end(rest);
		text = span_trim((struct span){rest.data, end});
		if (text.len > 0)
			e->sentences[e->n++] = (struct sentence){text, p, 0};
		rest = (struct span){rest.data + end, rest.len - end};
	}
}

/* Rare among the sentences at hand is what tells them apart. */
static void
weigh_terms(struct extraction *e)
{
	int64_t frequency[QUERY_TERMS_MAX] = {0};
	size_t i, k;

	/* The table of forms first, then the counts by it. */
	rank_prepare(&e->rank, &e->query, frequency, 1, 1);
	for (i = 0; i < e->n; i++) {
		bool found[QUERY_TERMS_MAX] = {false};

		mark_terms(e, e->sentences[i].text,
		    language_of(e->sentences[i].passage), found);
		for (k = 0; k < e->query.n; k++)
			frequency[k] += found[k];
	}
	for (k = 0; k < e->query.n; k++)
		frequency[k] = (frequency[k] + 1) / 2;
	rank_prepare(&e->rank, &e->query, frequency, (int64_t)e->n + 2, 1);
}

static bool
prepare(struct extraction *e, struct span referred)
{
	const struct engine_request *r = e->request;
	uint32_t mask = passage_languages(r);
	size_t i;

	vocabulary_init(&e->vocabulary);
	e->sentences = arena_array(e->arena, SENTENCES_MAX,
	    sizeof(*e->sentences));
	if (e->sentences == NULL)
		return false;
	query_init(&e->query);
	query_add(&e->query, &e->vocabulary.stemmers, r->question, mask, 1,
	    false);
	if (referred.len > 0)
		query_add(&e->query, &e->vocabulary.stemmers, referred, mask,
		    0.6, false);
	for (i = 0; i < r->n_passages && i < 6; i++)
		if (!r->passages[i].is_row)
			split_passage(e, &r->passages[i]);
	weigh_terms(e);
	return true;
}

/* ---- rows of tables ------------------------------------------------------ */

struct row {
	struct span names[CELLS_MAX], cells[CELLS_MAX];
	size_t n;
	bool asked[CELLS_MAX];  /* its column is named in the question */
	bool named[CELLS_MAX];  /* its cell is */
	size_t n_asked, n_named;
};

static bool
all_in_question(struct extraction *e, struct span text,
    const struct language *language, size_t from, size_t to)
{
	struct word_scan words;
	struct word word;
	size_t term, n = 0;

	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		if (word.last_of_run)
			continue;
		term = find_term(e, &word, language, &e->vocabulary);
		if (term >= QUERY_TERMS_MAX || term < from || term >= to)
			return false;
		n++;
	}
	return n > 0;
}

/* Does the question name any word of this column's name? */
static bool
any_in_question(struct extraction *e, struct span text,
    const struct language *language)
{
	bool found[QUERY_TERMS_MAX] = {false};
	size_t i;

	mark_terms(e, text, language, found);
	for (i = 0; i < e->query.n_own; i++)
		if (found[i] && !e->query.terms[i].stop)
			return true;
	return false;
}

static void
read_row(struct extraction *e, const struct passage *p, struct row *row)
{
	const struct language *l = language_of(p);
	struct span rest = p->content, header = span_cut(&rest, '\n');
	char separator = table_separator(header);
	size_t n, i;

	memset(row, 0, sizeof(*row));
	n = table_cells(header, separator, e->arena, row->names, CELLS_MAX);
	row->n = table_cells(rest, separator, e->arena, row->cells, CELLS_MAX);
	if (row->n > n)
		row->n = n;
	for (i = 0; i < row->n; i++) {
		row->named[i] = all_in_question(e, row->cells[i], l, 0,
		    e->query.n);
		row->n_named += row->named[i];
	}
	for (i = 1; i < row->n; i++) {
		row->asked[i] = row->cells[i].len > 0 &&
		    any_in_question(e, row->names[i], l);
		row->n_asked += row->asked[i];
	}
}

static void
put_pair(struct extraction *e, const struct row *row, size_t i)
{
	buf_add(e->out, row->names[i].data, row->names[i].len);
	buf_adds(e->out, ": ");
	buf_add(e->out, row->cells[i].data, row->cells[i].len);
}

static void
put_row(struct extraction *e, const struct row *row, bool asked_only)
{
	bool first = true;
	size_t i;

	buf_add(e->out, row->cells[0].data, row->cells[0].len);
	for (i = 1; i < row->n; i++) {
		if (row->cells[i].len == 0 || (asked_only && !row->asked[i]))
			continue;
		buf_adds(e->out, first ? " \xE2\x80\x93 " : "; ");
		put_pair(e, row, i);
		first = false;
	}
}

/* "Which phones have 6 GB?": the rows that fit as well as the first. */
static bool
put_rows(struct extraction *e, const struct row *first)
{
	const struct engine_request *r = e->request;
	const struct passage *top = &r->passages[0];
	struct row row;
	size_t i, n = 0;

	if (first->named[0] || first->n_named == 0)
		return false;
	for (i = 0; i < r->n_passages; i++) {
		const struct passage *p = &r->passages[i];

		if (!p->is_row || p->score < 0.85 * top->score ||
		    strcmp(p->document_id, top->document_id) != 0)
			continue;
		read_row(e, p, &row);
		if (row.n_named < first->n_named || row.n == 0)
			continue;
		buf_adds(e->out, n++ == 0 ? "" : "\n");
		put_row(e, &row, row.n_asked > 0);
	}
	return n > 0;
}

static bool
answer_from_rows(struct extraction *e)
{
	struct row row;

	read_row(e, &e->request->passages[0], &row);
	if (row.n == 0)
		return false;
	if (put_rows(e, &row))
		return true;
	put_row(e, &row, row.n_asked > 0);
	return true;
}

/* ---- sentences ----------------------------------------------------------- */

/* Does the question have one of the words, or one of the strings (of
 * scripts without spaces)?  Both lists end with NULL. */
static bool
asks_with(struct span question, const char *const *words,
    const char *const *strings)
{
	char folded[WORD_BYTES];
	struct word_scan scan;
	struct word word;
	struct span bare;
	size_t i;

	word_scan_init(&scan, question);
	while (word_scan_next(&scan, &word)) {
		if (word.pair)
			continue;
		bare = wordforms_fold(&word, folded);
		for (i = 0; words[i] != NULL; i++)
			if (span_is(bare, words[i]))
				return true;
	}
	for (i = 0; strings[i] != NULL; i++)
		if (memmem(question.data, question.len, strings[i],
			strlen(strings[i])) != NULL)
			return true;
	return false;
}

static bool
asks_number(struct span question)
{
	static const char *const words[] = {"many", "much", "when", "cost",
	    "costs", "price", "number", "phone", "long", "often", "time",
	    "wann", "viel", "viele", "kostet", "preis", "teuer", "lange",
	    "telefonnummer", "nummer", "hoch", "combien", "quand", "prix",
	    "numero", "heure", "cuanto", "cuanta", "cuantos", "cuantas",
	    "cuando", "precio", "telefono", "hora", "quanto", "quanti",
	    "quando", "prezzo", "preco", "hoeveel", "wanneer", "prijs",
	    "сколько", "когда", "цена", "телефон", "كم", "متى", "سعر",
	    "هاتف", "כמה", "מתי", "कितने", "कितना", "कितनी", "कब", "मूल्य",
	    "फोन", "ile", "kac", "cena", "ποσο", "ποτε", NULL};
	static const char *const strings[] = {"多少", "几", "何时", "价格",
	    "电话", "いくら", "何時", "何人", "何番", "いつ", "いくつ", "料金",
	    "番号", "얼마", "몇", "언제", "เท่าไหร่", "กี่", "เมื่อไหร่", NULL};

	return asks_with(question, words, strings);
}

static bool
is_broad(const struct engine_request *r)
{
	static const char *const words[] = {"how", "why", "explain",
	    "describe", "steps", "tell", "wie", "warum", "erklare", "wieso",
	    "comment", "pourquoi", "expliquez", "como", "explica", "explique",
	    "come", "perche", "spiega", "hoe", "waarom", "hur", "varfor",
	    "hvordan", "miten", "jak", "как", "почему", "как", "πωσ", "γιατι",
	    "كيف", "لماذا", "איך", "כיצד", "कैसे", "क्यों", "nasil", "neden",
	    "bagaimana", "cum", "hogyan", NULL};
	static const char *const strings[] = {"怎么", "如何", "为什么", "怎樣",
	    "どう", "なぜ", "方法", "어떻게", "왜", "อย่างไร", "ทำไม", "怎样",
	    NULL};

	return !asks_number(r->question) &&
	    asks_with(r->question, words, strings);
}

/* "Title > Section": the part that heads this passage itself. */
static struct span
last_heading(const struct passage *p)
{
	struct span h = p->heading;
	size_t i;

	for (i = h.len; i >= 3; i--)
		if (memcmp(h.data + i - 3, " > ", 3) == 0)
			return (struct span){h.data + i, h.len - i};
	return h;
}

/* The share of the question that the passage's heading names; those above
 * it count when the question names the heading itself. */
static double
heading_share(struct extraction *e, const struct passage *p)
{
	bool found[QUERY_TERMS_MAX] = {false};
	const struct language *l = language_of(p);
	struct span last = last_heading(p);

	mark_terms(e, last, l, found);
	if (weight_of(e, found) > 0 && all_in_question(e, last, l, 0,
		e->query.n))
		mark_terms(e, p->heading, l, found);
	return weight_of(e, found) / e->rank.total;
}

static bool
has_digit(struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text_is_digit(text.data[i]))
			return true;
	return false;
}

static void
score_sentences(struct extraction *e)
{
	const struct passage *top = &e->request->passages[0];
	size_t i, k;

	for (i = 0; i < e->n; i++) {
		struct sentence *s = &e->sentences[i];
		const struct language *l = language_of(s->passage);
		bool found[QUERY_TERMS_MAX] = {false};
		bool headed[QUERY_TERMS_MAX] = {false};
		double own;

		mark_terms(e, s->text, l, found);
		mark_terms(e, s->passage->heading, l, headed);
		/* What the heading names, all its sentences are about. */
		own = 0.1 * weight_of(e, found) +
		    0.5 * weight_of(e, headed);
		for (k = 0; k < e->query.n; k++)
			found[k] = found[k] && !headed[k];
		s->score = (own + weight_of(e, found)) / e->rank.total;
		if (e->wants_number && has_digit(s->text))
			s->score += 0.15;
		/* A question in the text is seldom an answer. */
		if (span_ends(s->text, "?") || span_ends(s->text, "？"))
			s->score *= 0.3;
		if (length_in_words(s->text) < 3)
			s->score *= 0.5;
		if (top->score > 0)
			s->score *= s->passage->score / top->score *
			    (s->passage->score / top->score);
	}
}

/* Sentences from `from` on, in their passage, until there are enough words. */
static void
put_sentences(struct extraction *e, size_t from, int64_t enough)
{
	const struct passage *p = e->sentences[from].passage;
	int64_t words = 0, next;
	size_t i;

	for (i = from; i < e->n && e->sentences[i].passage == p; i++) {
		struct span text = e->sentences[i].text;

		next = length_in_words(text);
		if (i > from && words + next > enough)
			break;
		if (i > from && e->words_max > 0 &&
		    words + next > e->words_max)
			break;
		if (i > from) {
			const char *before = e->sentences[i - 1].text.data +
			    e->sentences[i - 1].text.len;

			if (memchr(before, '\n',
				(size_t)(text.data - before)) != NULL)
				buf_addc(e->out, '\n');
			else if (text.data > before)
				buf_addc(e->out, ' ');
		}
		buf_add(e->out, text.data, text.len);
		words += next;
	}
}

/* The share of the heading's own words that the question names. */
static double
heading_precision(struct extraction *e, const struct passage *p)
{
	const struct language *l = language_of(p);
	size_t all = 0, named = 0, term;
	char folded[WORD_BYTES];
	struct word_scan scan;
	struct word word;

	word_scan_init(&scan, last_heading(p));
	while (word_scan_next(&scan, &word)) {
		if (word.last_of_run ||
		    language_stops(wordforms_fold(&word, folded)) != 0)
			continue;
		term = find_term(e, &word, l, &e->vocabulary);
		all++;
		named += term < QUERY_TERMS_MAX;
	}
	return all > 0 ? (double)named / (double)all : 0;
}

/* A page may hold the answer under a heading that is the question. */
static bool
answer_under_heading(struct extraction *e)
{
	const struct engine_request *r = e->request;
	size_t i, k;

	for (i = 0; i < r->n_passages && i < 3; i++) {
		const struct passage *p = &r->passages[i];

		if (p->is_row || p->score < 0.75 * r->passages[0].score ||
		    heading_share(e, p) < 0.7 ||
		    (i > 0 && heading_precision(e, p) < 0.5))
			continue;
		for (k = 0; k < e->n; k++)
			if (e->sentences[k].passage == p) {
				put_sentences(e, k, FAQ_WORDS);
				return true;
			}
	}
	return false;
}

static bool
answer_from_sentences(struct extraction *e)
{
	size_t i, best = 0;

	if (e->n == 0)
		return false;
	score_sentences(e);
	for (i = 1; i < e->n; i++)
		if (e->sentences[i].score > e->sentences[best].score + 1e-9)
			best = i;
	if (e->sentences[best].score <= 0)
		return false;
	put_sentences(e, best, is_broad(e->request) ? BROAD_WORDS
						    : FACT_WORDS);
	return true;
}

/* Passages in the language that was asked for come first. */
static void
prefer_language(struct extraction *e, struct engine_request *copy)
{
	const struct language *wanted = language_find(copy->language);
	struct passage *list;
	size_t i, n = 0, pass;

	if (wanted == NULL || copy->n_passages < 2)
		return;
	list = arena_array(e->arena, copy->n_passages, sizeof(*list));
	if (list == NULL)
		return;
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < copy->n_passages; i++) {
			const struct passage *p = &copy->passages[i];
			bool fits = p->score >= KNOWLEDGE_FOUND_SCORE &&
			    language_of(p) == wanted;

			if (fits == (pass == 0))
				list[n++] = *p;
		}
	copy->passages = list;
}

bool
extract_answer(const struct engine_request *request, struct span referred,
    int64_t words_max, struct arena *arena, struct buf *out)
{
	struct engine_request copy = *request;
	struct extraction *e = arena_alloc(arena, sizeof(*e));
	size_t before = out->len;
	bool done = false;

	if (e == NULL || request->n_passages == 0 ||
	    request->passages[0].score < KNOWLEDGE_FOUND_SCORE)
		return false;
	e->request = &copy;
	e->arena = arena;
	e->words_max = words_max;
	e->wants_number = asks_number(request->question);
	e->out = out;
	prefer_language(e, &copy);
	if (prepare(e, referred)) {
		if (copy.passages[0].is_row)
			done = answer_from_rows(e);
		done = done || answer_under_heading(e) ||
		    answer_from_sentences(e);
	}
	vocabulary_release(&e->vocabulary);
	if (!done)
		buf_truncate(out, before);
	return done;
}
