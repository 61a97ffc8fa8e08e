/*
 * How good answers are: the evaluation set of fixtures/knowledge (pages that
 * make_pages.py writes, in several languages and scripts, all in one folder)
 * is indexed and asked.  For each language: is the right segment first, is
 * it among the first three, does the built-in engine's answer hold the
 * wanted words, and are questions that nobody can answer refused.  Beside it
 * stands textbook BM25 (k1 1.2, b 0.75, Unicode words in lower case) over
 * the same segments, computed here in the same run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "builtin/builtin.h"
#include "builtin/extract.h"
#include "config/config_file.h"
#include "index/index_store.h"
#include "knowledge/knowledge.h"
#include "documents/segments.h"
#include "language/wordforms.h"

#define LANGUAGES 32
#define QUESTIONS 4096
#define SEGMENTS 20000
#define TOP 3

struct question {
	struct span language, text, wanted, document;
	bool impossible;
};

struct text_segment {
	struct span text, content;
	const char *document;
	struct span *words;
	size_t n;
};

struct tally {
	struct span language;
	int asked, hit1, hit3, answered, impossible, refused;
	int bm25_hit1, bm25_hit3, bm25_sentence;
};

struct evaluation {
	struct arena arena;
	struct question *questions;
	size_t n_questions;
	struct text_segment *segments;
	size_t n_segments;
	double mean_words;
	struct tally tallies[LANGUAGES];
	size_t n_tallies;
	double *right, *wrong, *empty; /* best scores, for the threshold */
	size_t n_right, n_wrong, n_empty;
	int64_t search_us, answer_us, n_timed;
	bool verbose;
};

static void
fail(const char *what)
{
	(void)fprintf(stderr, "evaluation: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- textbook BM25 ------------------------------------------------------- */

static size_t
split_words(struct evaluation *e, struct span text, struct span **words)
{
	struct word_scan scan;
	struct word word;
	size_t n = 0, i = 0, k;
	char *lower;

	word_scan_init(&scan, text);
	while (word_scan_next(&scan, &word))
		n++;
	*words = arena_array(&e->arena, n + 1, sizeof(**words));
	if (*words == NULL)
		fail("out of memory");
	/* In scripts without spaces each character is a word, as UAX 29 has
	 * it for Han and Hiragana. */
	word_scan_init(&scan, text);
	while (word_scan_next(&scan, &word)) {
		size_t end = 0;

		if (word.pair) {
			(void)utf8_next(word.text, &end);
			word.text.len = end;
		}
		(*words)[i++] = word.text;
	}
	for (k = 0; k < i; k++) {
		size_t at;

		lower = arena_strndup(&e->arena, (*words)[k].data,
		    (*words)[k].len);
		for (at = 0; at < (*words)[k].len; at++)
			lower[at] = text_lower(lower[at]);
		(*words)[k].data = lower;
	}
	return i;
}

static double
bm25_of(const struct evaluation *e, const struct text_segment *s,
    const struct span *words, const double *idf, size_t n)
{
	double sum = 0, f, norm = 1.2 * (1 - 0.75 + 0.75 * (double)s->n /
	    e->mean_words);
	size_t i, k;

	for (i = 0; i < n; i++) {
		f = 0;
		for (k = 0; k < s->n; k++)
			f += span_equal(s->words[k], words[i]);
		sum += idf[i] * f * 2.2 / (f + norm);
	}
	return sum;
}

static bool
has_wanted(struct span text, struct span wanted)
{
	struct span part;
	size_t i;
	bool found;

	while (wanted.len > 0) {
		part = span_trim(span_cut(&wanted, ';'));
		found = false;
		for (i = 0; i + part.len <= text.len && !found; i++)
			found = memcmp(text.data + i, part.data, part.len) ==
			    0;
		if (!found)
			return false;
	}
	return true;
}

/* The sentence of a segment that shares most words with the question. */
static struct span
textbook_sentence(struct evaluation *e, const struct text_segment *s,
    const struct span *words, size_t n)
{
	struct span rest = s->content, best = SPAN_NONE, sentence, *own;
	size_t count, max = 0, i, k, n_own;

	while (rest.len > 0) {
		size_t end = sentence_end(rest);

		sentence = (struct span){rest.data, end};
		rest = (struct span){rest.data + end, rest.len - end};
		n_own = split_words(e, sentence, &own);
		for (i = 0, count = 0; i < n; i++)
			for (k = 0; k < n_own; k++)
				if (span_equal(own[k], words[i])) {
					count++;
					break;
				}
		if (count > max || best.data == NULL) {
			max = count;
			best = sentence;
		}
	}
	return best;
}

static bool
is_right(const struct question *q, const char *document, struct span content)
{
	return span_is(q->document, document) && has_wanted(content, q->wanted);
}

static void
ask_textbook(struct evaluation *e, const struct question *q, struct tally *t)
{
	size_t best[TOP] = {0}, i, k, n, n_best = 0;
	double scores[TOP] = {0}, score, *idf;
	struct span *words;

	n = split_words(e, q->text, &words);
	idf = arena_array(&e->arena, n + 1, sizeof(*idf));
	for (i = 0; i < n; i++) {
		double df = 0;

		for (k = 0; k < e->n_segments; k++) {
			size_t w;

			for (w = 0; w < e->segments[k].n; w++)
				if (span_equal(e->segments[k].words[w],
					words[i])) {
					df++;
					break;
				}
		}
		idf[i] = log(1 + ((double)e->n_segments - df + 0.5) /
		    (df + 0.5));
	}
	for (k = 0; k < e->n_segments; k++) {
		score = bm25_of(e, &e->segments[k], words, idf, n);
		if (score <= 0 || (n_best == TOP && score <= scores[TOP - 1]))
			continue;
		i = n_best < TOP ? n_best++ : TOP - 1;
		for (; i > 0 && scores[i - 1] < score; i--) {
			scores[i] = scores[i - 1];
			best[i] = best[i - 1];
		}
		scores[i] = score;
		best[i] = k;
	}
	for (i = 0; i < n_best; i++)
		if (is_right(q, e->segments[best[i]].document,
			e->segments[best[i]].content)) {
			t->bm25_hit1 += i == 0;
			t->bm25_hit3++;
			break;
		}
	if (n_best > 0)
		t->bm25_sentence += has_wanted(textbook_sentence(e,
		    &e->segments[best[0]], words, n), q->wanted);
}

/* ---- ours ---------------------------------------------------------------- */

static struct span
answer_of(struct engine_request *request, struct arena *arena,
    double *confidence)
{
	struct engine_event event;
	struct engine_run *run;
	struct buf out = BUF_INIT(100000);
	struct span answer;

	if (builtin_start(NULL, request, NULL, arena, &run) != ERR_NONE)
		fail("the engine does not start");
	for (;;) {
		run->ops->next(run, 0, NULL, &event);
		if (event.kind != ENGINE_DELTA)
			break;
		buf_add(&out, event.text.data, event.text.len);
	}
	*confidence = builtin_report(run)->extract.confidence;
	answer.data = arena_strndup(arena, buf_text(&out), out.len);
	answer.len = out.len;
	buf_release(&out);
	return answer;
}

static bool
is_refusal(struct span answer)
{
	int i;

	for (i = 0; i < language_count(); i++)
		if (span_is(answer, language_at(i)->unknown))
			return true;
	return false;
}

static void
ask_ours(struct evaluation *e, const struct config *config,
    const struct question *q, struct tally *t)
{
	struct engine_request request = {.config = config,
	    .bot = &config->bots[0], .question = q->text};
	struct knowledge_found found;
	struct passage *passages;
	struct arena arena;
	struct span answer;
	size_t n, i, hit = TOP;
	int64_t start, middle;
	double score, confidence;

	arena_init(&arena, (size_t)64 << 20);
	start = clock_monotonic_us();
	if (knowledge_find(config, &config->bots[0], q->text, NULL, 0, 4,
		NULL, &arena, &found) != ERR_NONE)
		fail("the search failed");
	passages = found.passages;
	n = found.n;
	request.query = found.query;
	middle = clock_monotonic_us();
	request.passages = passages;
	request.n_passages = n;
	answer = answer_of(&request, &arena, &confidence);
	e->search_us += middle - start;
	e->answer_us += clock_monotonic_us() - middle;
	e->n_timed++;
	score = n > 0 ? passages[0].score : 0;
	for (i = n < TOP ? n : TOP; i > 0 && !q->impossible; i--)
		if (is_right(q, passages[i - 1].document_name,
			passages[i - 1].content))
			hit = i - 1;
	if (q->impossible) {
		t->impossible++;
		t->refused += is_refusal(answer);
		e->empty[e->n_empty++] = score;
	} else {
		t->asked++;
		t->hit1 += hit == 0;
		t->hit3 += hit < TOP;
		t->answered += has_wanted(answer, q->wanted);
		if (hit == 0)
			e->right[e->n_right++] = score;
		else
			e->wrong[e->n_wrong++] = score;
	}
	if (e->verbose && (q->impossible ? !is_refusal(answer)
		: hit != 0 || !has_wanted(answer, q->wanted)))
		(void)printf("%.*s  %s%s%s %.2f %.2f  %.*s\n"
			     "    want %.*s (%.*s)\n"
			     "    got %s: %.*s\n", (int)q->language.len,
		    q->language.data, q->impossible ? "impossible " : "",
		    hit == 0 ? "" : hit < TOP ? "second " : "missed ",
		    !q->impossible && !has_wanted(answer, q->wanted)
			? "answer" : "", score, confidence,
		    (int)q->text.len, q->text.data, (int)q->wanted.len,
		    q->wanted.data, (int)q->document.len, q->document.data,
		    n > 0 ? passages[0].document_name : "-",
		    (int)answer.len, answer.data);
	arena_release(&arena);
}

/* ---- input --------------------------------------------------------------- */

static void
read_questions(struct evaluation *e, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	struct span rest;

	if (f == NULL)
		fail("no questions");
	while (getline(&line, &size, f) > 0 && e->n_questions < QUESTIONS) {
		struct question *q = &e->questions[e->n_questions++];

		rest = span_trim(span_of(line));
		rest.data = arena_strndup(&e->arena, rest.data, rest.len);
		q->language = span_cut(&rest, '\t');
		q->text = span_cut(&rest, '\t');
		q->wanted = span_cut(&rest, '\t');
		q->document = rest;
		q->impossible = span_is(rest, "!");
	}
	free(line);
	(void)fclose(f);
}

static void
read_segments(struct evaluation *e, const struct config *config)
{
	struct index_store *x;
	struct db_stmt *s;
	struct text_segment *t;
	double words = 0;
	bool row;

	if (index_open(config, &x) != ERR_NONE)
		fail("no index");
	s = db_prepare(x->db, "SELECT d.name, s.heading, s.content FROM"
			      " segment s JOIN document d ON d.id ="
			      " s.document");
	while (db_step(s, &row) == ERR_NONE && row &&
	    e->n_segments < SEGMENTS) {
		t = &e->segments[e->n_segments++];
		t->document = db_cstring_copy(s, 0, &e->arena);
		t->content = db_text_copy(s, 2, &e->arena);
		t->text = span_of(arena_printf(&e->arena, "%s\n%.*s\n%.*s",
		    t->document, (int)db_text(s, 1).len, db_text(s, 1).data,
		    (int)t->content.len, t->content.data));
		t->n = split_words(e, t->text, &t->words);
		words += (double)t->n;
	}
	db_done(s);
	index_close(x);
	e->mean_words = words / (double)(e->n_segments + 1);
}

static const struct config *
make_deployment(struct evaluation *e, const char *folder)
{
	struct buf faults = BUF_INIT(65536);
	struct config *config;
	char *path = arena_printf(&e->arena, "%s/parlance.conf", folder);
	char *command = arena_printf(&e->arena,
	    "/usr/bin/python3 fixtures/knowledge/make_pages.py %s", folder);
	FILE *f;

	(void)fflush(stdout);
	if (system(command) != 0)
		fail("make_pages.py failed");
	f = fopen(path, "w");
	if (f == NULL)
		fail("cannot write the configuration");
	(void)fprintf(f, "[server]\nstate = state\n[bot guide]\nname = Guide\n"
			 "knowledge = guide\n[knowledge guide]\n"
			 "folder = pages\n");
	(void)fclose(f);
	(void)mkdir(arena_printf(&e->arena, "%s/state", folder), 0700);
	if (config_read(path, &config, &faults) != ERR_NONE)
		fail(buf_text(&faults));
	if (knowledge_index(config, NULL, false) != ERR_NONE)
		fail("indexing failed");
	return config;
}

/* ---- output -------------------------------------------------------------- */

static struct tally *
tally_of(struct evaluation *e, struct span language)
{
	size_t i;

	for (i = 0; i < e->n_tallies; i++)
		if (span_equal(e->tallies[i].language, language))
			return &e->tallies[i];
	e->tallies[e->n_tallies].language = language;
	return &e->tallies[e->n_tallies++];
}

static double
percent(int part, int whole)
{
	return whole > 0 ? 100.0 * part / whole : 0;
}

static void
print_row(const char *name, const struct tally *t)
{
	(void)printf("%-8s %5d   %5.1f %5.1f  %5.1f %5.1f   %5.1f %5.1f   "
		     "%5.1f\n", name, t->asked, percent(t->hit1, t->asked),
	    percent(t->bm25_hit1, t->asked), percent(t->hit3, t->asked),
	    percent(t->bm25_hit3, t->asked), percent(t->answered, t->asked),
	    percent(t->bm25_sentence, t->asked),
	    percent(t->refused, t->impossible));
}

static int
print_table(const struct evaluation *e)
{
	struct tally sum = {.asked = 0};
	int worse = 0;
	size_t i;

	(void)printf("%%        asked   hit@1  bm25  hit@3  bm25  answer  bm25"
		     "   refused\n");
	for (i = 0; i < e->n_tallies; i++) {
		const struct tally *t = &e->tallies[i];
		char name[16];

		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)t->language.len, t->language.data);
		print_row(name, t);
		worse += t->hit1 < t->bm25_hit1 || t->hit3 < t->bm25_hit3;
		sum.asked += t->asked;
		sum.hit1 += t->hit1;
		sum.hit3 += t->hit3;
		sum.answered += t->answered;
		sum.impossible += t->impossible;
		sum.refused += t->refused;
		sum.bm25_hit1 += t->bm25_hit1;
		sum.bm25_hit3 += t->bm25_hit3;
		sum.bm25_sentence += t->bm25_sentence;
	}
	print_row("all", &sum);
	return worse;
}

static int
count_from(const double *scores, size_t n, double min)
{
	int count = 0;
	size_t i;

	for (i = 0; i < n; i++)
		count += scores[i] >= min;
	return count;
}

/* What each threshold of "I do not know" would do. */
static void
print_thresholds(const struct evaluation *e)
{
	double min;

	(void)printf("\nthreshold   right kept   wrong let through   "
		     "unanswerable let through\n");
	for (min = 0.28; min < 0.62; min += 0.04)
		(void)printf("%6.2f%s      %5.1f %%        %4d of %-4zu"
			     "        %4d of %zu\n", min,
		    fabs(min - KNOWLEDGE_FOUND_SCORE) < 0.01 ? " *" : "  ",
		    percent(count_from(e->right, e->n_right, min),
			(int)e->n_right),
		    count_from(e->wrong, e->n_wrong, min), e->n_wrong,
		    count_from(e->empty, e->n_empty, min), e->n_empty);
}

int
main(int argc, char **argv)
{
	static struct evaluation e;
	char folder[] = "/tmp/parlance-evaluation-XXXXXX";
	const struct config *config;
	int worse;
	size_t i;

	e.verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	arena_init(&e.arena, (size_t)4 << 30);
	e.questions = arena_array(&e.arena, QUESTIONS, sizeof(*e.questions));
	e.segments = arena_array(&e.arena, SEGMENTS, sizeof(*e.segments));
	e.right = arena_array(&e.arena, QUESTIONS, sizeof(double));
	e.wrong = arena_array(&e.arena, QUESTIONS, sizeof(double));
	e.empty = arena_array(&e.arena, QUESTIONS, sizeof(double));
	if (mkdtemp(folder) == NULL || e.empty == NULL || e.segments == NULL)
		fail("cannot start");
	config = make_deployment(&e, folder);
	read_questions(&e, arena_printf(&e.arena, "%s/questions.tsv", folder));
	read_segments(&e, config);
	for (i = 0; i < e.n_questions; i++) {
		struct question *q = &e.questions[i];

		ask_ours(&e, config, q, tally_of(&e, q->language));
		if (!q->impossible)
			ask_textbook(&e, q, tally_of(&e, q->language));
	}
	worse = print_table(&e);
	print_thresholds(&e);
	(void)printf("\na search %.2f ms, the engine's answer to it %.2f ms "
		     "more: %.2f times the bare search (limit 3)\n",
	    (double)e.search_us / 1000 / (double)e.n_timed,
	    (double)e.answer_us / 1000 / (double)e.n_timed,
	    (double)(e.search_us + e.answer_us) / (double)e.search_us);
	(void)printf("languages in which textbook BM25 is better: %d\n", worse);
	if (system(arena_printf(&e.arena, "rm -rf %s", folder)) != 0)
		fail("cannot clean up");
	return worse == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
