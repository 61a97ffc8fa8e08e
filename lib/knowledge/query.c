/* From a question to weighted words. */
#include "knowledge/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "language/stopwords.h"

#define STOP_FACTOR 0.05
#define CONCEPT_STOP_FACTOR 0.15 /* "open", "costs" */
#define WEAK_FACTOR 0.5
#define FOLLOW_UP_WORDS 3 /* content words of a follow-up, at most */
#define LOOK_BACK 8       /* turns */

void
query_init(struct query *q)
{
	q->n = q->n_own = q->words = 0;
	q->segments = 0;
	q->languages = 0;
	q->spoken = NULL;
}

static bool
has_forms_of(const struct query_term *t, const struct word_forms *forms)
{
	return t->forms.n > 0 && forms->n > 0 &&
	    t->forms.len[0] == forms->len[0] &&
	    memcmp(t->forms.text[0], forms->text[0], forms->len[0]) == 0;
}

/* By the question's own language first: what is spelt alike is looked for
 * by the first form. */
static void
add_forms(struct stemmers *s, const struct word *word, uint32_t spoken,
    uint32_t languages, struct word_forms *forms)
{
	int i;

	forms->n = 0;
	for (i = 0; i < language_count(); i++)
		if ((languages & spoken) >> i & 1)
			wordforms_add(s, language_at(i), word, forms);
	for (i = 0; i < language_count(); i++)
		if ((languages & ~spoken) >> i & 1)
			wordforms_add(s, language_at(i), word, forms);
	if (languages == 0 || word->pair)
		wordforms_add(s, NULL, word, forms);
}

/* A pair that touches a stop string says little. */
static bool
is_stop(const struct word *word, uint32_t languages,
    const unsigned char *marks)
{
	char folded[WORD_BYTES];
	size_t i;

	if (word->pair) {
		for (i = word->start; i < word->end; i++)
			if (marks[i] == 0)
				return false;
		return true;
	}
	return (language_stops(wordforms_fold(word, folded)) &
		   (languages == 0 ? UINT32_MAX : languages)) != 0;
}

static bool
is_half_stop(const struct word *word, const unsigned char *marks)
{
	size_t i;

	for (i = word->start; i < word->end && word->pair; i++)
		if (marks[i] != 0)
			return true;
	return false;
}

/* Other words of the word's concept, as far as there is room: of the
 * question's language, and where no text is in it, of the texts'. */
static struct concept
add_concept(struct stemmers *s, const struct word *word,
    const struct language *spoken, uint32_t languages,
    struct word_forms *forms)
{
	char folded[WORD_BYTES];
	struct concept c;
	struct span rest;
	int i;

	if (word->pair || !concept_of(wordforms_fold(word, folded), spoken,
		&c))
		return (struct concept){.kind = ANSWER_NONE, .number = -1};
	for (i = -1; i < language_count(); i++) {
		const struct language *l = i < 0 ? spoken : language_at(i);

		if (i >= 0 && (l == spoken || (languages >> i & 1) == 0 ||
			(languages >> language_number(spoken) & 1) != 0))
			continue;
		rest = concept_words(c.number, l);
		while (rest.len > 0 && forms->n < WORD_FORMS_MAX) {
			struct word other = {.text = span_cut(&rest, ' ')};

			if (!wordforms_is_unspaced(other.text))
				wordforms_add(s, l, &other, forms);
		}
	}
	return c;
}

/* "Opening hours": two words for one thing that is asked for. */
static bool
is_said_already(const struct query *q, size_t from, const struct concept *c)
{
	size_t i;

	for (i = from; i < q->n && c->kind != ANSWER_NONE; i++)
		if (q->terms[i].concept == c->number)
			return true;
	return false;
}

/* How languages say "may I DO it": the words before the verb, how the verb
 * ends, and whether it is the last word; and "your". */
static const struct asking_verb {
	const char *code, *modals, *endings;
	bool last;
	const char *yours;
} verbs[] = {
    {"en", "i we you it they he she one to", "", false, "your"},
    {"de", "", "en ern eln", true, "ihre ihr ihrer ihrem ihren eure euer"},
    {"nl", "", "en", true, "uw jullie"},
    {"fr", "je on peux peut puis dois faut il vous nous", "er ir re", false,
	"votre vos"},
    {"es", "puedo puede pueden podria podemos debo que quiero se", "ar er ir "
	"arse erse irse", false, "su sus vuestro vuestra"},
    {"it", "posso puo possono devo potete si possibile", "are ere ire arsi "
	"ersi irsi", false, "vostro vostra vostri vostre"},
    {"pt", "posso pode podem devo preciso podemos se possivel", "ar er ir",
	false, "vosso vossa vossos vossas"},
    {"ru", "можно могу ли нужно надо можем", "ть ться ти", false,
	"ваш ваша ваше ваши вашеи вашем вашего"},
    {"pl", "mozna moge czy trzeba musze mozemy", "c", false,
	"wasz wasza wasze panstwa"},
};

static bool
in_list(const char *list, struct span word, bool as_ending)
{
	struct span rest = span_of(list), one;

	while (rest.len > 0) {
		one = span_cut(&rest, ' ');
		if (as_ending && word.len > one.len + 1 &&
		    memcmp(word.data + word.len - one.len, one.data,
			one.len) == 0)
			return true;
		if (!as_ending && span_equal(word, one))
			return true;
	}
	return false;
}

/* The verb that asks, or a word for the site itself: the question is about
 * another of its words. */
static bool
is_weak(const struct language *language, struct span before,
    struct span word, bool last)
{
	size_t i;

	for (i = 0; language != NULL && i < sizeof(verbs) / sizeof(verbs[0]);
	     i++) {
		const struct asking_verb *v = &verbs[i];

		if (strcmp(v->code, language->code) != 0)
			continue;
		if (before.len > 0 && in_list(v->yours, before, false))
			return true;
		if (v->last)
			return last && in_list(v->endings, word, true);
		return before.len > 0 && in_list(v->modals, before, false) &&
		    (v->endings[0] == '\0' ||
			in_list(v->endings, word, true));
	}
	return false;
}

/* Nothing but blanks and marks follows. */
static bool
is_last_word(struct span text, size_t end)
{
	struct word_scan scan;
	struct word word;

	word_scan_init(&scan, (struct span){text.data + end,
	    text.len - end});
	return !word_scan_next(&scan, &word);
}

static void
add_term(struct query *q, const struct word *word,
    const struct word_forms *forms, size_t own_forms, double factor,
    bool stop, bool context, const struct concept *c, bool weak)
{
	struct query_term *t;
	size_t i;

	for (i = 0; i < q->n; i++)
		if (has_forms_of(&q->terms[i], forms))
			return;
	if (q->n == QUERY_TERMS_MAX || forms->n == 0)
		return;
	t = &q->terms[q->n++];
	*t = (struct query_term){.forms = *forms, .text = word->text,
	    .position = q->words, .factor = factor, .stop = stop,
	    .pair = word->pair, .context = context, .kind = c->kind,
	    .concept = c->number, .own_forms = own_forms,
	    .weak = weak};
	if (word->pair) {
		size_t at = 0;

		(void)utf8_next(word->text, &at);
		t->begins = at == word->text.len;
	}
}

void
query_add(struct query *q, struct stemmers *s, struct span text,
    uint32_t languages, double factor, bool context)
{
	uint32_t spoken = query_languages(text, languages);
	const struct language *language = query_language(text, languages);
	char folded[WORD_BYTES], kept[WORD_BYTES];
	struct span before = {kept, 0}, bare;
	struct concept c;
	size_t own_forms, first = q->n;
	bool weak;
	unsigned char *marks;
	struct word_forms forms;
	struct word_scan words;
	struct word word;
	bool stop;
	double f;

	if (text.len > 8192)
		text = utf8_prefix(text, 2000);
	marks = calloc(text.len + 1, 1);
	if (marks == NULL)
		return;
	language_mark_stops(text, marks);
	if (!context)
		concept_mark_asking(text, language, marks);
	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		q->words++;
		if (word.last_of_run)
			continue; /* it is in the pair before */
		stop = is_stop(&word, spoken, marks) ||
		    (!word.pair && marks[word.start] != 0);
		f = stop ? STOP_FACTOR : is_half_stop(&word, marks) ? 0.3 : 1;
		if (word.pair && !stop)
			f *= 0.7; /* pairs overlap */
		if (context && stop)
			continue;
		add_forms(s, &word, spoken, languages, &forms);
		own_forms = forms.n;
		c = (struct concept){.kind = ANSWER_NONE, .number = -1};
		if (!context)
			c = add_concept(s, &word, language, languages,
			    &forms);
		if (is_said_already(q, first, &c))
			continue;
		if (stop && c.kind != ANSWER_NONE)
			f = CONCEPT_STOP_FACTOR;
		bare = wordforms_fold(&word, folded);
		weak = !word.pair && !stop && !context &&
		    c.number < 0 && is_weak(language, before, bare,
			is_last_word(text, word.end));
		add_term(q, &word, &forms, own_forms,
		    f * factor * (weak ? WEAK_FACTOR : 1), stop, context, &c,
		    weak);
		before.len = bare.len < sizeof(kept) ? bare.len : 0;
		memcpy(kept, bare.data, before.len);
	}
	if (q->n_own == 0) {
		q->n_own = q->n;
		q->spoken = language;
	}
	q->words++; /* texts are not neighbours */
	free(marks);
}

uint32_t
query_languages(struct span question, uint32_t mask)
{
	const struct language *guess = language_guess_among(question, mask);
	uint32_t one =
	    guess == NULL ? 0 : (uint32_t)1 << language_number(guess);

	return (mask & one) != 0 ? one : mask != 0 ? mask : one;
}

const struct language *
query_language(struct span question, uint32_t mask)
{
	const struct language *guess = language_guess_among(question, mask);
	int i;

	if (guess != NULL || mask == 0 || (mask & (mask - 1)) != 0)
		return guess;
	for (i = 0; i < language_count(); i++)
		if (mask >> i & 1)
			return language_at(i);
	return NULL;
}

/* ---- follow-ups ---------------------------------------------------------- */

/* Words that point back, and words that carry a question on. */
static const char *const pointers[] = {"it", "its", "they", "them", "their",
    "that", "this", "these", "those", "he", "she", "his", "her", "one",
    "er", "sie", "es", "dessen", "deren", "davon", "dazu", "damit", "dafur",
    "seine", "ihre", "sein", "ihr", "diese", "dieser", "dieses", "das", "il",
    "elle", "ils", "elles", "son", "sa", "ses", "leur", "leurs", "celui",
    "celle", "cela", "ca", "y", "en", "su", "sus", "ese", "esa", "eso", "este",
    "esta", "esto", "lo", "seu", "sua", "isso", "suo", "questo", "quello",
    "zijn", "dat", "die", "его", "ее", "ему", "их", "он", "она", "они", "это",
    "этот", "том", "него", "неи", "ذلك", "هذا", "هذه", "له", "لها", "وما",
    "उसका", "उसकी", "इसका", "इसकी", "onun", "bunun"};
static const char *const openers[] = {"and", "or", "but", "also", "und",
    "oder", "aber", "et", "ou", "mais", "y", "o", "pero", "e", "ma", "en",
    "och", "og", "a", "и", "а", "ve", "peki", "dan", "και", "و", "और"};
static const char *const unspaced_pointers[] = {"它", "那", "这个", "這個",
    "他", "她", "呢", "それ", "その", "では", "じゃあ", "그것", "그럼", "그거",
    "มัน", "นั้น", "แล้ว"};

static bool
is_listed(struct span word, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is(word, list[i]))
			return true;
	return false;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* What a question names, and whether it points elsewhere. */
struct naming {
	size_t content, pairs, words;
	bool points;
};

static struct naming
look_at(struct span question)
{
	struct naming n = {0, 0, 0, false};
	char folded[WORD_BYTES];
	unsigned char *marks = calloc(question.len + 1, 1);
	uint32_t languages = query_languages(question, 0);
	struct word_scan words;
	struct word word;
	struct span bare;
	bool first = true;
	size_t i;

	if (marks == NULL)
		return n;
	language_mark_stops(question, marks);
	word_scan_init(&words, question);
	while (word_scan_next(&words, &word)) {
		n.words++;
		if (word.pair) {
			if (!word.last_of_run &&
			    !is_stop(&word, languages, marks) &&
			    !is_half_stop(&word, marks))
				n.pairs++;
			first = false;
			continue;
		}
		bare = wordforms_fold(&word, folded);
		n.points |= is_listed(bare, pointers, COUNT(pointers)) ||
		    (first && is_listed(bare, openers, COUNT(openers)));
		n.content += (language_stops(bare) &
		    (languages == 0 ? UINT32_MAX : languages)) == 0;
		first = false;
	}
	for (i = 0; i < COUNT(unspaced_pointers); i++)
		if (memmem(question.data, question.len, unspaced_pointers[i],
			strlen(unspaced_pointers[i])) != NULL)
			n.points = true;
	free(marks);
	return n;
}

static bool
is_follow_up(struct span question)
{
	struct naming n = look_at(question);
	size_t content = n.content + (n.pairs + 1) / 2;

	if (question.len > 400)
		return false;
	if (n.points)
		return content <= FOLLOW_UP_WORDS;
	/* "Battery?", but not "What is a battery?" */
	return content == 0 || (content == 1 && n.words <= 2 + n.pairs);
}

size_t
query_refer(struct span question, const struct chat_message *history,
    size_t n_history, struct span *list, size_t max)
{
	size_t i, n = 0;

	if (n_history == 0 || !is_follow_up(question))
		return 0;
	for (i = n_history; i > 0 && n_history - i < LOOK_BACK; i--) {
		if (history[i - 1].role != ROLE_USER)
			continue;
		if (n < max)
			list[n++] = history[i - 1].content;
		else
			list[n - 1] = history[i - 1].content;
		if (!is_follow_up(history[i - 1].content))
			break;
	}
	return n;
}

struct span
query_referred(struct span question, const struct chat_message *history,
    size_t n_history)
{
	struct span list[1];

	return query_refer(question, history, n_history, list, 1) == 0
	    ? SPAN_NONE : list[0];
}
