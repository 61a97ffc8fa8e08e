/*
 * Extractive answers.  Each sentence of the passages is worth the share of
 * the question that it answers: its words by their weight in the dataset, in
 * full where they stand in the sentence, a little less in its heading, less
 * beside it, and whether it says what kind of thing was asked for (a price,
 * a time, a name).  Below CONFIDENT nothing is said.  A row of a table is a
 * sentence too; rows that fit alike are said together.
 */
#include "builtin/extract.h"

#include <string.h>

#include "builtin/intent.h"
#include "documents/segments.h"
#include "documents/tables.h"
#include "language/stopwords.h"

#define SENTENCES_MAX 256
#define PASSAGES_MAX 8
#define ROWS_MAX 12     /* said together */
#define ROWS_LOOKED_AT 48
#define CELLS_MAX 64
#define FACT_WORDS 30   /* an answer goes on to about so many words, */
#define BROAD_WORDS 80  /* when it was asked how or why */
#define FAQ_WORDS 110   /* under a heading that is the question */

/* Where a word of the question stands, seen from a sentence. */
#define IN_SENTENCE 1.0
#define IN_HEADING 0.95
#define IN_TITLE 0.85   /* a heading above, the document's name */
#define BESIDE 0.75     /* the sentence before or after */
#define IN_PASSAGE 0.55
/* How far a sentence counts that does not say what was asked for. */
#define OTHER_KIND 0.65
/* A text in another language than the question's. */
#define OTHER_LANGUAGE 0.85
/* A word that no text has at all is likely what a short question is about. */
#define SHORT_WORDS 3
#define UNKNOWN_FACTOR 0.82
/* The hours of holidays, when nobody asked for them. */
#define EXCEPTION 0.85
#define FAR_OFF 0.22 /* a passage of hardly any of the words */
/* A sentence that says "we" and "our" to a question for "you" and "your". */
#define OWN_BONUS 0.06
#define DOUBTFUL_KIND 0.88
/* What a word that names the kind itself counts beside others: "price". */
#define KIND_WORD 0.4
#define UNKNOWN_WORD 0.6 /* rank.c discounts it; here it counts in full */

struct sentence {
	struct span text;
	size_t passage; /* its number */
	bool found[QUERY_TERMS_MAX];
	double score;   /* for choosing */
	double confidence;
	bool with_next; /* what was asked for stands in the next one */
};

struct extraction {
	const struct engine_request *request;
	struct arena *arena;
	const struct query *query;
	struct rank_query rank;
	struct vocabulary vocabulary;
	double weights[QUERY_TERMS_MAX], total;
	struct sentence *sentences;
	size_t n;
	int64_t words_max;
	enum answer_kind kind;
	const struct language *spoken;
	bool lists;
	bool holiday;   /* an exception is asked for */
	double missing; /* for the words that no text has */
	struct extract_result *result;
	struct buf *out;
};

/* The one language of a mask, or NULL. */
static const struct language *
only_language(uint32_t mask)
{
	int i;

	for (i = 0; i < language_count(); i++)
		if (mask == (uint32_t)1 << i)
			return language_at(i);
	return NULL;
}

const struct language *
extract_spoken(const struct engine_request *request)
{
	uint32_t texts = request->query == NULL ? 0
						: request->query->languages;
	const struct language *l = language_guess_among(request->question,
	    texts);
	size_t i;

	for (i = request->n_history; i > 0 && l == NULL; i--)
		if (request->history[i - 1].role == ROLE_USER)
			l = language_guess_among(
			    request->history[i - 1].content, texts);
	if (l == NULL)
		l = language_find(request->bot->language);
	return l == NULL ? only_language(texts) : l;
}

const struct language *
extract_language(const struct engine_request *request)
{
	const struct language *l = language_find(request->language);
	const struct language *own = language_find(request->bot->language);

	/* The bot's language is what to fall back on; a caller's is what he
	 * wants. */
	if (l == NULL || l == own)
		l = extract_spoken(request);
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

	for (i = 0; i < e->query->n; i++)
		sum += found[i] ? e->weights[i] : 0;
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
split_passage(struct extraction *e, size_t number)
{
	const struct passage *p = &e->request->passages[number];
	struct span rest = p->content, text;
	size_t end;

	while (rest.len > 0 && e->n < SENTENCES_MAX) {
		end = sentence_end(rest);
		text = span_trim((struct span){rest.data, end});
		if (text.len > 0) {
			e->sentences[e->n] = (struct sentence){.text = text,
			    .passage = number};
			mark_terms(e, text, language_of(p),
			    e->sentences[e->n].found);
			e->n++;
		}
		rest = (struct span){rest.data + end, rest.len - end};
	}
}

/* The question's words when it was not searched for (a persona, a test). */
static struct query *
make_query(struct extraction *e, struct span referred)
{
	const struct engine_request *r = e->request;
	uint32_t mask = passage_languages(r);
	struct query *q = arena_alloc(e->arena, sizeof(*q));

	if (q == NULL)
		return NULL;
	query_init(q);
	q->languages = mask;
	query_add(q, &e->vocabulary.stemmers, r->question, mask, 1, false);
	if (referred.len > 0)
		query_add(q, &e->vocabulary.stemmers, referred, mask, 0.6,
		    false);
	return q;
}

/* What each word says: by the dataset, where it was searched. */
static void
weigh_terms(struct extraction *e)
{
	int64_t frequency[QUERY_TERMS_MAX] = {0};
	const struct query *q = e->query;
	bool others = false;
	size_t i, content = 0;

	for (i = 0; i < q->n; i++)
		frequency[i] = q->segments > 0 ? q->terms[i].frequency : 1;
	rank_prepare(&e->rank, q, frequency,
	    q->segments > 0 ? q->segments : 8, 1);
	for (i = 0; i < q->n_own; i++)
		others |= !q->terms[i].stop && q->terms[i].kind != e->kind;
	e->total = 0;
	for (i = 0; i < q->n; i++) {
		const struct query_term *t = &q->terms[i];

		e->weights[i] = t->context ? 0 : e->rank.weights[i];
		if (frequency[i] <= 0 && !t->pair)
			e->weights[i] /= UNKNOWN_WORD;
		if (others && t->kind != ANSWER_NONE && t->kind == e->kind)
			e->weights[i] *= KIND_WORD;
		e->total += e->weights[i];
	}
	if (e->total <= 0)
		e->total = 1;
	e->missing = 1;
	for (i = 0; i < q->n_own; i++)
		content += !q->terms[i].stop && !q->terms[i].weak;
	for (i = 0; i < q->n_own && q->segments > 0; i++) {
		const struct query_term *t = &q->terms[i];

		if (t->frequency <= 0 && !t->stop && !t->pair && !t->weak &&
		    content <= SHORT_WORDS)
			e->missing *= UNKNOWN_FACTOR;
		e->holiday |= t->kind == ANSWER_HOLIDAY;
	}
}

/* "Can I cancel it?" has a verb of its own, "and for children?" has none. */
static bool
asks_anew(const struct engine_request *r)
{
	return intent_of(r->question, extract_spoken(r), true, NULL).modal;
}

static bool
prepare(struct extraction *e, struct span referred)
{
	const struct engine_request *r = e->request;
	const struct language *spoken = extract_spoken(r);
	size_t i;

	vocabulary_init(&e->vocabulary);
	e->sentences = arena_array(e->arena, SENTENCES_MAX,
	    sizeof(*e->sentences));
	e->query = r->query != NULL ? r->query : make_query(e, referred);
	if (e->sentences == NULL || e->query == NULL)
		return false;
	e->spoken = spoken;
	e->kind = concept_asked(r->question, spoken);
	e->lists = e->kind == ANSWER_LIST;
	/* "And for children?" asks for what was asked before. */
	if (e->kind == ANSWER_NONE && referred.len > 0 && !asks_anew(r))
		e->kind = concept_asked(referred, spoken);
	weigh_terms(e);
	for (i = 0; i < r->n_passages && i < PASSAGES_MAX; i++)
		if (!r->passages[i].is_row)
			split_passage(e, i);
	return true;
}

/* ---- what kind of thing a text says -------------------------------------- */

/* Digits of any script, at most 99 counted. */
static int
count_digits(struct span text)
{
	size_t i;
	int n = 0;

	for (i = 0; i < text.len && n < 99; i++) {
		unsigned char c = (unsigned char)text.data[i], d;

		if (text_is_digit(text.data[i])) {
			n++;
			continue;
		}
		if (i + 2 >= text.len || c < 0xD9)
			continue;
		d = (unsigned char)text.data[i + 1];
		n += (c == 0xD9 && d >= 0xA0 && d <= 0xA9) ||
		    (c == 0xE0 && d == 0xA5 &&
			(unsigned char)text.data[i + 2] >= 0xA6 &&
			(unsigned char)text.data[i + 2] <= 0xAF) ||
		    (c == 0xEF && d == 0xBC &&
			(unsigned char)text.data[i + 2] >= 0x90 &&
			(unsigned char)text.data[i + 2] <= 0x99);
	}
	return n;
}

/* Numbers in digits, at most 6 counted: "from 9 to 12 and from 14 to 18". */
static int
count_groups(struct span text)
{
	bool inside = false;
	size_t i;
	int n = 0;

	for (i = 0; i < text.len && n < 6; i++) {
		n += text_is_digit(text.data[i]) && !inside;
		inside = text_is_digit(text.data[i]);
	}
	return n;
}

static bool
has_string(struct span text, const char *const *list)
{
	for (; *list != NULL; list++)
		if (memmem(text.data, text.len, *list, strlen(*list)) != NULL)
			return true;
	return false;
}

static bool
says_number(struct span text, const struct language *l)
{
	static const char *const numerals[] = {"一", "二", "三", "四", "五",
	    "六", "七", "八", "九", "十", "百", "千", "两", "半", "십", "백",
	    "천", "한 ", "두 ", "세 ", "네 ", "열", "스무", "요일", NULL};

	return count_digits(text) > 0 || has_string(text, numerals) ||
	    concept_in(text, l, ANSWER_NUMBER);
}

static double
says_price(struct span text, const struct language *l)
{
	static const char *const money[] = {"€", "$", "£", "¥", "₽", "₹", "₺",
	    "₩", "₫", "元", "円", "원", "บาท", "uro", "EUR", "USD", "GBP",
	    "CHF", "ollar", "ound", "pence", "cent", "ranken", "rancs",
	    "esos", "zł", "руб", "грн", " TL", "lira", "Lira", "دينار", "ريال",
	    "درهم", "جنيه", "ليرة", "دولار", "يورو", "đồng", "रुपय", "रुपए",
	    "kr", "Kč", "Ft", "lei", "Rp", "₴", "ש\"ח", "₪", "%", "percent",
	    "Prozent", "pour cent", "por ciento", "per cento", "percento",
	    "процент", "yüzde", "百分", NULL};
	static const char *const unspaced[] = {"免费", "免費", "無料", "무료",
	    "全额", "ฟรี", NULL};

	if (has_string(text, unspaced) || concept_in(text, l, ANSWER_FREE))
		return 1;
	if (!says_number(text, l))
		return OTHER_KIND;
	return has_string(text, money) ? 1 : DOUBTFUL_KIND;
}

/* A capital letter inside the sentence, where the script has them. */
static double
says_person(struct span text)
{
	bool cased = false;
	size_t i;

	for (i = 0; i + 1 < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool capital = (c >= 'A' && c <= 'Z') ||
		    (c == 0xD0 && (unsigned char)text.data[i + 1] >= 0x90 &&
			(unsigned char)text.data[i + 1] <= 0xAF) ||
		    (c == 0xC3 && (unsigned char)text.data[i + 1] >= 0x80 &&
			(unsigned char)text.data[i + 1] <= 0x9E);

		cased |= text_is_alpha(text.data[i]) || c == 0xD0 || c == 0xD1;
		if (capital && i > 0 && text.data[i - 1] == ' ')
			return 1;
	}
	return cased ? OTHER_KIND : 1;
}

/* 1: the text says what a question of this kind wants. */
static double
says_kind(struct span text, const struct language *l, enum answer_kind kind)
{
	switch (kind) {
	case ANSWER_PRICE:
		return says_price(text, l);
	case ANSWER_HOURS:
		return says_number(text, l) ? 1
		    : concept_in(text, l, kind) ? DOUBTFUL_KIND : OTHER_KIND;
	case ANSWER_WHEN:
	case ANSWER_DATE:
	case ANSWER_DURATION:
	case ANSWER_COUNT:
		return says_number(text, l) ? 1 : OTHER_KIND;
	case ANSWER_PHONE:
		return count_digits(text) > 5 ? 1 : OTHER_KIND;
	case ANSWER_EMAIL:
		return memchr(text.data, '@', text.len) != NULL ? 1
								: OTHER_KIND;
	case ANSWER_PERSON:
		return says_person(text);
	default:
		return 1;
	}
}

/* ---- rows of tables ------------------------------------------------------ */

struct row {
	struct span names[CELLS_MAX], cells[CELLS_MAX];
	size_t n;
	bool asked[CELLS_MAX];  /* its column is named in the question */
	size_t n_asked;
	size_t passage;
	double confidence;
	bool named;             /* a word of the question is in its cells */
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
	for (i = 0; i < e->query->n_own; i++)
		if (found[i] && (!e->query->terms[i].stop ||
			e->query->terms[i].kind != ANSWER_NONE))
			return true;
	return false;
}

static void
note_look(struct extraction *e, const struct passage *p, double confidence)
{
	struct extract_result *r = e->result;

	if (r->n_looked < EXTRACT_USED_MAX)
		r->looked[r->n_looked++] = (struct extract_look){p->content,
		    confidence};
}

/* What the row says of the question, as a sentence would. */
static void
weigh_row(struct extraction *e, struct row *row, const struct passage *p,
    struct span cells)
{
	bool here[QUERY_TERMS_MAX] = {false}, above[QUERY_TERMS_MAX] = {false};
	const struct language *l = language_of(p);
	double sum = 0, kind = 1;
	size_t i;

	mark_terms(e, cells, l, here);
	for (i = 0; i < row->n; i++)
		mark_terms(e, row->names[i], l, above);
	mark_terms(e, p->heading, l, above);
	mark_terms(e, span_of(p->document_name), l, above);
	for (i = 0; i < e->query->n; i++) {
		sum += e->weights[i] * (here[i] ? IN_SENTENCE
		    : above[i] ? IN_TITLE : 0);
		row->named |= here[i] && i < e->query->n_own &&
		    !e->query->terms[i].stop;
	}
	if (e->kind == ANSWER_PRICE)
		kind = count_digits(cells) > 0 ? 1 : OTHER_KIND;
	else if (e->kind != ANSWER_HOURS)
		kind = says_kind(cells, l, e->kind);
	row->confidence = sum / e->total * kind * e->missing;
	note_look(e, p, row->confidence);
}

static void
read_row(struct extraction *e, size_t number, struct row *row)
{
	const struct passage *p = &e->request->passages[number];
	const struct language *l = language_of(p);
	struct span rest = p->content, header = span_cut(&rest, '\n');
	char separator = table_separator(header);
	size_t n, i;

	memset(row, 0, sizeof(*row));
	row->passage = number;
	n = table_cells(header, separator, e->arena, row->names, CELLS_MAX);
	row->n = table_cells(rest, separator, e->arena, row->cells, CELLS_MAX);
	if (row->n > n)
		row->n = n;
	for (i = 1; i < row->n; i++) {
		row->asked[i] = row->cells[i].len > 0 &&
		    any_in_question(e, row->names[i], l);
		row->n_asked += row->asked[i];
	}
	if (row->n > 0)
		weigh_row(e, row, p, rest);
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

static void
use(struct extraction *e, size_t passage)
{
	struct extract_result *r = e->result;
	size_t i;

	for (i = 0; i < r->n_used; i++)
		if (r->used[i].segment_id ==
		    e->request->passages[passage].segment_id &&
		    r->used[i].content.data ==
		    e->request->passages[passage].content.data)
			return;
	if (r->n_used < EXTRACT_USED_MAX)
		r->used[r->n_used++] = e->request->passages[passage];
}

/* The rows that fit as well as the best, at most ROWS_MAX; 0: none does. */
static size_t
best_rows(struct extraction *e, struct row *rows)
{
	const struct engine_request *r = e->request;
	struct row *row = arena_alloc(e->arena, sizeof(*row));
	double best = 0;
	size_t i, k, n = 0;

	for (i = 0; row != NULL && i < r->n_passages && i < ROWS_LOOKED_AT;
	     i++) {
		if (!r->passages[i].is_row)
			continue;
		read_row(e, i, row);
		if (row->n == 0 || row->confidence <= 0)
			continue;
		if (row->confidence > best + 0.02) {
			best = row->confidence;
			n = 0;
		}
		if (row->confidence < best - 0.02 || n == ROWS_MAX ||
		    (n > 0 && strcmp(r->passages[i].document_id,
			r->passages[rows[0].passage].document_id) != 0))
			continue;
		/* In the table's own order. */
		for (k = n++; k > 0 && r->passages[rows[k - 1].passage]
			.segment_position > r->passages[i].segment_position;
		     k--)
			rows[k] = rows[k - 1];
		rows[k] = *row;
	}
	return n;
}

static void
put_rows(struct extraction *e, const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(e->out, '\n');
		put_row(e, &rows[i], rows[i].n_asked > 0);
		use(e, rows[i].passage);
	}
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

/* "How do I ...?", "why ...?": of the languages' words for it. */
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

	return asks_with(r->question, words, strings);
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
		e->query->n))
		mark_terms(e, p->heading, l, found);
	return weight_of(e, found) / e->total;
}

/* The share of the question that a sentence answers, with what stands
 * around it. */
static double
share_of(const struct extraction *e, size_t number,
    const bool in_heading[QUERY_TERMS_MAX],
    const bool in_title[QUERY_TERMS_MAX],
    const bool in_passage[QUERY_TERMS_MAX])
{
	const struct sentence *s = &e->sentences[number];
	const struct sentence *before = number > 0 &&
	    s[-1].passage == s->passage ? s - 1 : NULL;
	const struct sentence *after = number + 1 < e->n &&
	    s[1].passage == s->passage ? s + 1 : NULL;
	bool asks = false, told = false;
	double sum = 0, level;
	size_t i;

	for (i = 0; i < e->query->n; i++) {
		const struct query_term *t = &e->query->terms[i];

		level = s->found[i] ? IN_SENTENCE
		    : in_heading[i] ? IN_HEADING
		    : in_title[i] ? IN_TITLE
		    : (before != NULL && before->found[i]) ||
			(after != NULL && after->found[i]) ? BESIDE
		    : in_passage[i] ? IN_PASSAGE : 0;
		sum += level * e->weights[i];
		if (i < e->query->n_own && !t->stop) {
			asks = true;
			told |= level > 0;
		}
	}
	/* What an earlier question named is not enough. */
	return asks && !told ? 0 : sum / e->total * e->missing;
}

static void
score_passage(struct extraction *e, size_t number, size_t first, size_t end)
{
	const struct passage *p = &e->request->passages[number];
	const struct passage *top = &e->request->passages[0];
	const struct language *l = language_of(p);
	bool in_heading[QUERY_TERMS_MAX] = {false};
	bool in_title[QUERY_TERMS_MAX] = {false};
	bool in_passage[QUERY_TERMS_MAX] = {false};
	double kind, next, own, near, best = 0;
	bool exception, place;
	size_t i, k;

	mark_terms(e, last_heading(p), l, in_heading);
	mark_terms(e, p->heading, l, in_title);
	mark_terms(e, span_of(p->document_name), l, in_title);
	for (i = first; i < end; i++)
		for (k = 0; k < e->query->n; k++)
			in_passage[k] |= e->sentences[i].found[k];
	exception = e->kind == ANSWER_HOURS && !e->holiday &&
	    concept_in(p->heading, l, ANSWER_HOLIDAY);
	place = e->kind == ANSWER_PLACE && concept_in(p->heading, l,
	    ANSWER_PLACE);
	near = top->score > 0 ? 0.7 + 0.3 * p->score / top->score : 1;
	if (e->spoken != NULL && l != NULL && l != e->spoken)
		near *= OTHER_LANGUAGE;
	for (i = first; i < end; i++) {
		struct sentence *s = &e->sentences[i];

		s->confidence = share_of(e, i, in_heading, in_title,
		    in_passage);
		kind = says_kind(s->text, l, e->kind);
		next = i + 1 < end && kind < 1 ? 0.95 *
			says_kind(e->sentences[i + 1].text, l, e->kind) : 0;
		s->with_next = next > kind;
		s->confidence *= kind > next ? kind : next;
		/* A question in the text is seldom an answer. */
		if (span_ends(s->text, "?") || span_ends(s->text, "？") ||
		    length_in_words(s->text) < 2)
			s->confidence *= 0.3;
		/* Its own words decide between sentences of a passage. */
		own = weight_of(e, s->found) / e->total;
		s->score = s->confidence * (0.85 + 0.15 * own) * near;
		if (exception || (e->kind == ANSWER_HOURS && !e->holiday &&
			concept_in(s->text, l, ANSWER_HOLIDAY)))
			s->score *= EXCEPTION;
		if (e->kind == ANSWER_PLACE && !place &&
		    !concept_in(s->text, l, ANSWER_PLACE))
			s->score *= EXCEPTION;
		if (e->kind == ANSWER_HOURS)
			s->score += 0.01 * count_groups(s->text);
		if (concept_in(s->text, l, ANSWER_OWN))
			s->score += OWN_BONUS;
		best = s->confidence > best ? s->confidence : best;
	}
	note_look(e, p, best);
}

static void
score_sentences(struct extraction *e)
{
	size_t first = 0, end;

	while (first < e->n) {
		for (end = first; end < e->n && e->sentences[end].passage ==
		     e->sentences[first].passage;)
			end++;
		score_passage(e, e->sentences[first].passage, first, end);
		first = end;
	}
}

/* Sentences from `from` on, in their passage, until there are enough words. */
static void
put_sentences(struct extraction *e, size_t from, int64_t enough)
{
	size_t p = e->sentences[from].passage, i;
	int64_t words = 0, next;

	use(e, p);
	for (i = from; i < e->n && e->sentences[i].passage == p; i++) {
		struct span text = e->sentences[i].text;

		next = length_in_words(text);
		if (i > from && words + next > enough &&
		    !(i == from + 1 && e->sentences[from].with_next))
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

/* The heading is the question: what stands under it is the answer. */
static bool
is_question_heading(struct extraction *e, const struct passage *p)
{
	return heading_share(e, p) >= 0.7 && (p == e->request->passages ||
	    heading_precision(e, p) >= 0.5);
}

static void
answer_from_sentence(struct extraction *e, size_t best)
{
	const struct passage *p =
	    &e->request->passages[e->sentences[best].passage];
	size_t first = best;

	if (is_question_heading(e, p)) {
		while (first > 0 && e->sentences[first - 1].passage ==
		    e->sentences[best].passage)
			first--;
		if (e->kind == ANSWER_NONE || first == best ||
		    length_in_words((struct span){e->sentences[first].text
			.data, (size_t)(e->sentences[best].text.data +
			e->sentences[best].text.len -
			e->sentences[first].text.data)}) <= FAQ_WORDS) {
			put_sentences(e, first, FAQ_WORDS);
			return;
		}
	}
	put_sentences(e, best, is_broad(e->request) &&
		e->kind == ANSWER_NONE ? BROAD_WORDS : FACT_WORDS);
}

static bool
answer(struct extraction *e)
{
	struct row *rows = arena_array(e->arena, ROWS_MAX, sizeof(*rows));
	size_t i, best = 0, n_rows;
	double of_rows, of_sentence = 0;

	if (rows == NULL)
		return false;
	n_rows = best_rows(e, rows);
	of_rows = n_rows > 0 ? rows[0].confidence : 0;
	score_sentences(e);
	for (i = 1; i < e->n; i++)
		if (e->sentences[i].score > e->sentences[best].score + 1e-9)
			best = i;
	if (e->n > 0)
		of_sentence = e->sentences[best].confidence;
	e->result->confidence = of_rows > of_sentence ? of_rows : of_sentence;
	e->result->kind = e->kind;
	if (e->result->confidence < EXTRACT_CONFIDENT)
		return false;
	if (n_rows > 0 && (of_rows >= of_sentence || (e->lists &&
		of_rows >= 0.9 * of_sentence)))
		put_rows(e, rows, n_rows);
	else
		answer_from_sentence(e, best);
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

/* A table may have more rows that fit than a search hands over. */
static void
look_for_rows(struct engine_request *copy, struct arena *arena)
{
	static const struct knowledge_vectors none = {.n = 0};
	struct knowledge_found more;

	if (copy->config == NULL || copy->n_passages == 0 ||
	    !copy->passages[0].is_row)
		return;
	if (knowledge_find(copy->config, copy->bot, copy->question,
		copy->history, copy->n_history, ROWS_LOOKED_AT, &none,
		arena, &more) != ERR_NONE || more.n < copy->n_passages)
		return;
	copy->passages = more.passages;
	copy->n_passages = more.n;
}

bool
extract_answer(const struct engine_request *request, struct span referred,
    int64_t words_max, struct arena *arena, struct extract_result *result,
    struct buf *out)
{
	struct engine_request copy = *request;
	struct extraction *e = arena_alloc(arena, sizeof(*e));
	size_t before = out->len;
	bool done = false;

	memset(result, 0, sizeof(*result));
	if (e == NULL || request->n_passages == 0 ||
	    request->passages[0].score < FAR_OFF)
		return false;
	memset(e, 0, sizeof(*e));
	e->request = &copy;
	e->arena = arena;
	e->words_max = words_max;
	e->result = result;
	e->out = out;
	look_for_rows(&copy, arena);
	prefer_language(e, &copy);
	if (prepare(e, referred))
		done = answer(e);
	vocabulary_release(&e->vocabulary);
	if (!done) {
		result->n_used = 0;
		buf_truncate(out, before);
	}
	return done;
}
