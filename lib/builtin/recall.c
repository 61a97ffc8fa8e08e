/*
 * The user's own sentences are the knowledge here.  The latest sentence that
 * has the words of the question is said back in the second person, where the
 * language allows that by exchanging words; else it is quoted.
 */
#include "builtin/recall.h"

#include <string.h>

#include "builtin/extract.h"
#include "documents/segments.h"
#include "language/stopwords.h"

struct exchange {
	const char *from, *to;
};

/* How each language speaks of the user, and back to the user. */
static const struct person {
	const char *code;
	const char *mine[12];         /* words that ask about the user */
	struct exchange swaps[24];
	const char *quote;            /* before a quoted sentence */
	const char *is[4];            /* between a thing and its value */
	const char *one_word[4];      /* asks for the value alone */
	const char *asks_yes[12];     /* first word of a yes-or-no question */
	const char *name_words[4];    /* asks for the user's name */
	const char *name_starts[6];   /* how users give their name */
	const char *name_is;          /* how it is said back */
} persons[] = {
    {"en", {"my", "mine", "i", "me", "myself"},
	{{"i am", "you are"}, {"i'm", "you're"}, {"i was", "you were"},
	    {"i've", "you've"}, {"i'll", "you'll"}, {"am i", "are you"},
	    {"my", "your"}, {"mine", "yours"}, {"myself", "yourself"},
	    {"i", "you"}, {"me", "you"}, {"we", "you"}, {"our", "your"},
	    {"user's", "your"}, {"the user is", "you are"},
	    {"user is", "you are"}, {"the user has", "you have"},
	    {"the user lives", "you live"}, {"user lives", "you live"},
	    {"the user", "you"}, {"user", "you"}},
	"You said:", {"is", "are", "was"},
	{"one word", "single word", "only the", "just the"},
	{"is", "are", "am", "do", "does", "did", "was", "have", "has", "can"},
	{"name", "called"},
	{"my name is ", "i am ", "i'm ", "call me ", "this is "},
	"Your name is"},
    {"de", {"mein", "meine", "meinen", "meinem", "meiner", "ich", "mich",
	"mir"},
	{{"meinen", "deinen"}, {"meinem", "deinem"}, {"meiner", "deiner"},
	    {"meines", "deines"}, {"meine", "deine"}, {"mein", "dein"},
	    {"ich bin", "du bist"}, {"ich habe", "du hast"}},
	"Du hast gesagt:", {"ist", "sind", "heißt"},
	{"einem wort", "nur das", "nur den"}, {"ist", "bin", "habe", "sind"},
	{"name", "heisse", "heiße"},
	{"ich heiße ", "ich bin ", "mein name ist ", "nenn mich "},
	"Dein Name ist"},
    {"fr", {"mon", "ma", "mes", "je", "moi", "j"},
	{{"mon", "votre"}, {"ma", "votre"}, {"mes", "vos"}},
	"Vous avez dit :", {"est", "sont"}, {"un mot", "un seul mot"},
	{"est"}, {"nom", "appelle"},
	{"je m'appelle ", "je suis ", "mon nom est "}, "Votre nom est"},
    {"es", {"mi", "mis", "yo", "me"},
	{{"mi", "tu"}, {"mis", "tus"}, {"soy", "eres"}, {"vivo", "vives"},
	    {"tengo", "tienes"}},
	"Usted dijo:", {"es", "son"}, {"una palabra", "una sola palabra"},
	{"es"}, {"nombre", "llamo"},
	{"me llamo ", "soy ", "mi nombre es "}, "Tu nombre es"},
    {"it", {"mio", "mia", "miei", "mie", "io", "mi"},
	{{"mio", "tuo"}, {"mia", "tua"}, {"miei", "tuoi"}, {"mie", "tue"},
	    {"sono", "sei"}},
	"Hai detto:", {"è"}, {"una parola", "una sola parola"}, {"è"},
	{"nome", "chiamo"},
	{"mi chiamo ", "sono ", "il mio nome è "}, "Il tuo nome è"},
    {"pt", {"meu", "minha", "meus", "minhas", "eu"},
	{{"meu", "seu"}, {"minha", "sua"}, {"meus", "seus"},
	    {"minhas", "suas"}},
	"Você disse:", {"é", "são"}, {"uma palavra", "uma só palavra"}, {"é"},
	{"nome", "chamo"}, {"me chamo ", "eu sou ", "meu nome é "},
	"Seu nome é"},
    {"nl", {"mijn", "ik", "mij", "me"}, {{"mijn", "jouw"}}, "Je zei:",
	{"is", "zijn"}, {"één woord", "een woord"}, {"is"},
	{"naam", "heet"}, {"ik heet ", "ik ben "}, "Je naam is"},
    {"sv", {"min", "mitt", "mina", "jag"},
	{{"min", "din"}, {"mitt", "ditt"}, {"mina", "dina"}, {"jag", "du"}},
	"Du sade:", {"är"}, {"ett ord"}, {"är"},
	{NULL}, {NULL}, NULL},
    {"pl", {"moj", "moja", "moje", "mnie"}, {{NULL, NULL}},
	"Powiedziano:", {"to", "jest"}, {"jednym słowem"}, {"czy"},
	{NULL}, {NULL}, NULL},
    {"tr", {"benim", "ben"}, {{NULL, NULL}}, "Söylediğiniz:", {NULL},
	{"tek kelime"}, {NULL},
	{NULL}, {NULL}, NULL},
    {"ru", {"мои", "моя", "мое", "моего", "меня", "я", "мне"},
	{{"мой", "ваш"}, {"моя", "ваша"}, {"моё", "ваше"}, {"мое", "ваше"},
	    {"мои", "ваши"}, {"меня", "вас"}},
	"Вы сказали:", {"это", "—", "-"}, {"одним словом"}, {NULL},
	{"имя", "зовут"}, {"Меня зовут ", "меня зовут "},
	"Вас зовут"},
    {"ar", {"انا", "لي", "عندي"}, {{NULL, NULL}}, "قلت:", {"هو", "هي"},
	{"كلمه واحده"}, {"هل"}, {NULL}, {NULL}, NULL},
    {"he", {"שלי", "אני", "לי"}, {{"שלי", "שלך"}}, "אמרת:", {"הוא", "היא"},
	{"במילה אחת"}, {"האם"},
	{NULL}, {NULL}, NULL},
    {"hi", {"मेरा", "मेरी", "मेरे", "मैं", "मुझे"},
	{{"मेरा", "आपका"}, {"मेरी", "आपकी"}, {"मेरे", "आपके"}},
	"आपने कहा:", {NULL}, {"एक शब्द"}, {NULL}, {NULL}, {NULL}, NULL},
    {"zh", {"我的", "我"}, {{NULL, NULL}}, "您说过:", {NULL}, {"一个词"},
	{NULL}, {NULL}, {NULL}, NULL},
    {"ja", {"私の", "私", "僕の", "僕", "わたし"}, {{NULL, NULL}},
	"次のように言いました:", {NULL}, {"一言"}, {NULL},
	{NULL}, {NULL}, NULL},
    {"ko", {"내", "나의", "제", "저의", "나는", "저는"}, {{NULL, NULL}},
	"이렇게 말씀하셨습니다:", {NULL}, {"한 단어"}, {NULL},
	{NULL}, {NULL}, NULL},
    {"th", {"ฉัน", "ผม"}, {{NULL, NULL}}, "คุณบอกว่า:", {NULL}, {"คำเดียว"},
	{NULL},
	{NULL}, {NULL}, NULL},
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct person *
person_of(const struct language *l)
{
	size_t i;

	for (i = 0; l != NULL && i < COUNT(persons); i++)
		if (strcmp(persons[i].code, l->code) == 0)
			return &persons[i];
	return NULL;
}

/* Does a folded word of the list stand in text?  Strings of scripts without
 * spaces may stand anywhere. */
static bool
has_word(struct span text, const char *const *list, size_t n)
{
	char folded[WORD_BYTES];
	struct word_scan words;
	struct word word;
	struct span bare;
	size_t i;

	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		bare = wordforms_fold(&word, folded);
		for (i = 0; i < n && list[i] != NULL; i++)
			if (span_is(bare, list[i]))
				return true;
	}
	for (i = 0; i < n && list[i] != NULL; i++)
		if (wordforms_is_unspaced(span_of(list[i])) &&
		    memmem(text.data, text.len, list[i], strlen(list[i])) !=
			NULL)
			return true;
	return false;
}

static const struct person *
asking_person(struct span question)
{
	const struct person *p = person_of(language_guess(question));
	size_t i;

	if (p != NULL)
		return has_word(question, p->mine, COUNT(p->mine)) ? p : NULL;
	for (i = 0; i < COUNT(persons); i++)
		if (has_word(question, persons[i].mine,
			COUNT(persons[i].mine)))
			return &persons[i];
	return NULL;
}

static bool
is_edge(struct span s, size_t at)
{
	return at >= s.len || (!text_is_alnum(s.data[at]) &&
	    (unsigned char)s.data[at] < 0x80 && s.data[at] != '\'');
}

static bool
has_phrase(struct span text, const char *const *list, size_t n)
{
	size_t i, k, len;

	for (i = 0; i < n && list[i] != NULL; i++) {
		len = strlen(list[i]);
		for (k = 0; k + len <= text.len; k++)
			if (span_is_nocase((struct span){text.data + k, len},
				list[i]))
				return true;
	}
	return false;
}

/* ---- finding the sentence ------------------------------------------------ */

struct memory {
	const struct person *person;
	struct query query;
	struct rank_query rank;
	struct vocabulary vocabulary;
	const struct language *language;
	struct span best;
	double best_share;
};

static bool
is_asking(struct span s)
{
	return span_ends(s, "?") || span_ends(s, "？") || span_ends(s, "؟");
}

/* The question's words that a sentence has, of all that count. */
static double
share_of(struct memory *m, struct span sentence)
{
	bool found[QUERY_TERMS_MAX] = {false};
	double sum = 0, all = 0;
	struct word_scan words;
	struct word word;
	size_t term, i;

	word_scan_init(&words, sentence);
	while (word_scan_next(&words, &word)) {
		term = rank_term(&m->rank,
		    vocabulary_look(&m->vocabulary, m->language, &word));
		if (term < QUERY_TERMS_MAX)
			found[term] = true;
	}
	for (i = 0; i < m->query.n; i++) {
		if (m->query.terms[i].stop)
			continue;
		all++;
		sum += found[i];
	}
	return all > 0 ? sum / all : 0;
}

static void
consider(struct memory *m, struct span clause)
{
	double share;

	clause = span_trim(clause);
	if (clause.len == 0 || clause.len > 1000 || is_asking(clause) ||
	    has_phrase(clause, m->person->one_word,
		COUNT(m->person->one_word)))
		return;
	/* The latest wins over an earlier one that is no better. */
	share = share_of(m, clause);
	if (share > 0 && share >= m->best_share) {
		m->best = clause;
		m->best_share = share;
	}
}

/* Does a clause about the user begin here: "my ...", "I ..."? */
static bool
begins_clause(const struct person *p, struct span text)
{
	char folded[WORD_BYTES];
	struct word_scan words;
	struct word word;
	struct span bare;
	size_t i;

	word_scan_init(&words, text);
	if (!word_scan_next(&words, &word) || word.start > 1)
		return false;
	bare = wordforms_fold(&word, folded);
	for (i = 0; i < COUNT(p->mine) && p->mine[i] != NULL; i++)
		if (span_is(bare, p->mine[i]))
			return true;
	return false;
}

/* "Hi, my name is Anna and I live in Graz": what stands between "," or
 * "and" and the next clause about the user. */
static void
consider_clauses(struct memory *m, struct span sentence)
{
	static const char *const joints[] = {", ", " and ", " und ", " et ",
	    " y ", " e ", " en ", " и ", "; "};
	struct span rest;
	size_t i, k, start = 0;

	for (i = 1; i < sentence.len; i++)
		for (k = 0; k < COUNT(joints); k++) {
			rest = (struct span){sentence.data + i,
			    sentence.len - i};
			if (!span_starts(rest, joints[k]))
				continue;
			rest.data += strlen(joints[k]);
			rest.len -= strlen(joints[k]);
			if (!begins_clause(m->person, rest))
				continue;
			consider(m, (struct span){sentence.data + start,
			    i - start});
			start = (size_t)(rest.data - sentence.data);
			i = start;
		}
	consider(m, (struct span){sentence.data + start,
	    sentence.len - start});
}

static void
look_through(struct memory *m, struct span text)
{
	struct span sentence;
	size_t end;

	while (text.len > 0) {
		end = sentence_end(text);
		sentence = span_trim((struct span){text.data, end});
		text = (struct span){text.data + end, text.len - end};
		if (!is_asking(sentence))
			consider_clauses(m, sentence);
	}
}

/* "I am Bob", "call me Bob": the name, when one word that looks like one
 * follows. */
static struct span
name_in(const struct person *p, struct span text)
{
	struct span found = SPAN_NONE, rest;
	size_t i, k, len, end;

	for (i = 0; i < text.len; i++) {
		if (i > 0 && !is_edge(text, i - 1))
			continue;
		for (k = 0; k < COUNT(p->name_starts) &&
		     p->name_starts[k] != NULL; k++) {
			len = strlen(p->name_starts[k]);
			if (len >= text.len - i || !span_is_nocase(
				(struct span){text.data + i, len},
				p->name_starts[k]))
				continue;
			rest = (struct span){text.data + i + len,
			    text.len - i - len};
			for (end = 0; end < rest.len && !is_edge(rest, end);)
				end++;
			if (end > 1 && text_lower(rest.data[0]) ==
				rest.data[0] &&
			    (unsigned char)rest.data[0] < 0x80)
				continue; /* "I am tired" */
			if (end > 1)
				found = (struct span){rest.data, end};
		}
	}
	return found;
}

static bool
answer_name(const struct memory *m, const struct engine_request *request,
    struct buf *out)
{
	const struct person *p = m->person;
	struct span name = SPAN_NONE, found;
	size_t i, things = 0;

	for (i = 0; i < m->query.n; i++)
		things += !m->query.terms[i].stop;
	if (p->name_is == NULL || things > 1 ||
	    !has_word(request->question, p->name_words,
		COUNT(p->name_words)))
		return false;
	for (i = 0; i < request->n_history; i++) {
		if (request->history[i].role != ROLE_USER)
			continue;
		found = name_in(p, request->history[i].content);
		name = found.len > 0 ? found : name;
	}
	if (name.len == 0)
		return false;
	if (has_phrase(request->question, p->one_word, COUNT(p->one_word)))
		buf_printf(out, "%.*s", (int)name.len, name.data);
	else
		buf_printf(out, "%s %.*s.", p->name_is, (int)name.len,
		    name.data);
	return true;
}

/* What the user likes is asked for with words that elsewhere say little. */
static void
weigh_wishes(struct query *q)
{
	static const char *const wishes[] = {"like", "love", "want", "need",
	    "prefer"};
	size_t i, k;

	for (i = 0; i < q->n; i++)
		for (k = 0; k < COUNT(wishes); k++)
			if (span_is_nocase(q->terms[i].text, wishes[k]))
				q->terms[i].stop = false;
}

static bool
names_something(const struct query *q)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		if (!q->terms[i].stop)
			return true;
	return false;
}

/* ---- saying it back ------------------------------------------------------ */

/* The exchange whose words stand at s.data[at], or NULL. */
static const struct exchange *
swap_at(const struct person *p, struct span s, size_t at)
{
	size_t i, len;

	if (at > 0 && !is_edge(s, at - 1))
		return NULL;
	for (i = 0; i < COUNT(p->swaps) && p->swaps[i].from != NULL; i++) {
		len = strlen(p->swaps[i].from);
		if (len <= s.len - at && is_edge(s, at + len) &&
		    span_is_nocase((struct span){s.data + at, len},
			p->swaps[i].from))
			return &p->swaps[i];
	}
	return NULL;
}

static bool
put_swapped(const struct person *p, struct span s, struct buf *out)
{
	const struct exchange *swap;
	bool swapped = false;
	size_t at = 0, start = out->len;

	while (at < s.len) {
		swap = swap_at(p, s, at);
		if (swap == NULL) {
			buf_addc(out, s.data[at++]);
			continue;
		}
		buf_adds(out, swap->to);
		at += strlen(swap->from);
		swapped = true;
	}
	if (swapped && buf_err(out) == ERR_NONE)
		out->data[start] = text_upper(out->data[start]);
	return swapped;
}

static void
say_back(const struct memory *m, struct buf *out)
{
	size_t start = out->len;

	if (!put_swapped(m->person, m->best, out)) {
		buf_truncate(out, start);
		buf_printf(out, "%s %.*s", m->person->quote,
		    (int)m->best.len, m->best.data);
	}
	if (text_is_alnum(m->best.data[m->best.len - 1]))
		buf_addc(out, '.');
}

/* "My hobby is chess." -> "chess" */
static struct span
value_of(const struct person *p, struct span s)
{
	size_t i, k, len;

	for (i = 1; i + 1 < s.len; i++) {
		if (s.data[i - 1] != ' ')
			continue;
		for (k = 0; k < COUNT(p->is) && p->is[k] != NULL; k++) {
			len = strlen(p->is[k]);
			if (len < s.len - i && s.data[i + len] == ' ' &&
			    memcmp(s.data + i, p->is[k], len) == 0) {
				s = span_trim((struct span){s.data + i + len,
				    s.len - i - len});
				while (s.len > 0 &&
				    strchr(".!,;", s.data[s.len - 1]) != NULL)
					s.len--;
				return s;
			}
		}
	}
	return SPAN_NONE;
}

static bool
starts_with_word(struct span text, const char *const *list, size_t n)
{
	size_t i, len;

	for (i = 0; i < n && list[i] != NULL; i++) {
		len = strlen(list[i]);
		if (len < text.len && text_is_blank(text.data[len]) &&
		    span_is_nocase((struct span){text.data, len}, list[i]))
			return true;
	}
	return false;
}

/* "In one word" is about the answer, not about the user. */
static void
ignore_form(const struct person *p, struct query *q, struct span question)
{
	size_t i, k;

	if (!has_phrase(question, p->one_word, COUNT(p->one_word)))
		return;
	for (i = 0; i < q->n; i++)
		for (k = 0; k < COUNT(p->one_word) && p->one_word[k] != NULL;
		     k++)
			if (memmem(p->one_word[k], strlen(p->one_word[k]),
				q->terms[i].text.data,
				q->terms[i].text.len) != NULL)
				q->terms[i].stop = true;
}

/* "playing chess" in one word is chess. */
static struct span
last_word(struct span text)
{
	size_t i;

	for (i = text.len; i > 0; i--)
		if (text_is_blank(text.data[i - 1]))
			return (struct span){text.data + i, text.len - i};
	return text;
}

static void
answer_in_form(const struct memory *m, struct span question, struct buf *out)
{
	const struct person *p = m->person;
	struct span value = value_of(p, m->best);

	question = span_trim(question);
	if (has_phrase(question, p->one_word, COUNT(p->one_word)) &&
	    value.len > 0) {
		if (has_phrase(question, p->one_word, 2))
			value = last_word(value);
		buf_add(out, value.data, value.len);
		return;
	}
	if (starts_with_word(question, p->asks_yes, COUNT(p->asks_yes)))
		buf_printf(out, "%s. ",
		    m->best_share > 0.99 ? m->language->yes : m->language->no);
	say_back(m, out);
}

/* The part of a question that asks, without how to answer: "What is my
 * hobby? Answer in one word." */
static struct span
asking_part(struct span question)
{
	size_t end = sentence_end(question);
	struct span first = {question.data, end};

	return is_asking(span_trim(first)) ? first : question;
}

bool
recall_answer(const struct engine_request *request, struct arena *arena,
    struct buf *out)
{
	struct memory *m;
	int64_t none[QUERY_TERMS_MAX] = {0};
	struct span question = asking_part(request->question);
	const struct person *person;
	bool done = false;
	size_t i;

	if (request->n_history == 0)
		return false;
	person = asking_person(question);
	if (person == NULL)
		return false;
	m = arena_alloc(arena, sizeof(*m));
	if (m == NULL)
		return false;
	m->person = person;
	m->language = language_find(m->person->code);
	vocabulary_init(&m->vocabulary);
	query_init(&m->query);
	query_add(&m->query, &m->vocabulary.stemmers, question,
	    (uint32_t)1 << language_number(m->language), 1, false);
	weigh_wishes(&m->query);
	ignore_form(m->person, &m->query, question);
	rank_prepare(&m->rank, &m->query, none, 1, 1);
	if (answer_name(m, request, out)) {
		vocabulary_release(&m->vocabulary);
		return true;
	}
	if (names_something(&m->query)) {
		for (i = 0; i < request->n_history; i++)
			if (request->history[i].role != ROLE_ASSISTANT)
				look_through(m, request->history[i].content);
		done = m->best_share >= 0.5;
	}
	if (done)
		answer_in_form(m, request->question, out);
	vocabulary_release(&m->vocabulary);
	return done;
}
