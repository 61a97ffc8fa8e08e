/*
 * How fast indexing and searching are.  Texts are made up: words of a
 * vocabulary drawn as Zipf's law has it, by a fixed generator.
 *
 * 1. 100 MB of pages are indexed, and the same paragraphs are put into a
 *    plain FTS5 table (its own tokenizer, the text stored in it, one
 *    transaction): the ratio may be 2 at most.
 * 2. 1,000,000 segments, and 100,000 of the same kind: the median search
 *    must stay below 10 ms and grow by less than the index does.  A search
 *    is a whole one: file opened, query made, passages in the arena.
 *
 * SCALE=0.1 in the environment does a tenth of it.
 */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config_file.h"
#include "knowledge/knowledge.h"

#define VOCABULARY 200000
#define SEARCHES 400

struct maker {
	uint64_t state;
	char (*words)[16];
	double *sums; /* of the words' shares */
};

static void
fail(const char *what)
{
	(void)fprintf(stderr, "index_bench: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint64_t
next_random(struct maker *m)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	m->state ^= m->state << 17;
	return m->state;
}

/* Syllables, so that stems and prefixes look like those of a language. */
static void
make_word(struct maker *m, char out[16])
{
	static const char *const syllables[] = {"ba", "ce", "di", "fo", "gu",
	    "ha", "je", "ki", "lo", "mu", "na", "per", "qui", "ros", "sul",
	    "tan", "ven", "wil", "xor", "yam", "zet", "str", "ing", "ed",
	    "tion", "al", "ness", "er"};
	size_t n = 2 + next_random(m) % 3, i;

	out[0] = '\0';
	for (i = 0; i < n; i++)
		(void)strncat(out, syllables[next_random(m) % 28],
		    15 - strlen(out));
}

static void
maker_start(struct maker *m)
{
	double sum = 0;
	size_t i;

	m->state = 88172645463325252ULL;
	m->words = calloc(VOCABULARY, sizeof(*m->words));
	m->sums = calloc(VOCABULARY, sizeof(*m->sums));
	if (m->words == NULL || m->sums == NULL)
		fail("out of memory");
	for (i = 0; i < VOCABULARY; i++) {
		make_word(m, m->words[i]);
		sum += 1 / pow((double)i + 2.7, 1.05);
		m->sums[i] = sum;
	}
}

static const char *
pick_word(struct maker *m)
{
	double at = (double)(next_random(m) >> 11) / 9007199254740992.0 *
	    m->sums[VOCABULARY - 1];
	size_t low = 0, high = VOCABULARY - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (m->sums[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return m->words[low];
}

static void
put_sentence(struct maker *m, struct buf *out, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++) {
		if (i > 0)
			buf_addc(out, ' ');
		buf_adds(out, pick_word(m));
	}
	buf_adds(out, ". ");
}

static void
write_file(const char *folder, int number, const struct buf *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/page%05d.md", folder, number);
	f = fopen(path, "w");
	if (f == NULL || fwrite(text->data, 1, text->len, f) != text->len ||
	    fclose(f) != 0)
		fail("cannot write the pages");
}

/* Processor time: other programs of the machine do not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Pages of sections of so many sentences, and the same in a plain table. */
static int64_t
make_pages(struct maker *m, const char *folder, int64_t sections,
    size_t sentences, size_t words, sqlite3_stmt *plain, int64_t *plain_us)
{
	struct buf text = BUF_INIT((size_t)64 << 20);
	int64_t made = 0, bytes = 0, start;
	int number = 0;
	size_t before, i;

	(void)mkdir(folder, 0700);
	while (made < sections) {
		before = text.len;
		buf_adds(&text, "## ");
		put_sentence(m, &text, 3);
		buf_adds(&text, "\n\n");
		for (i = 0; i < sentences; i++)
			put_sentence(m, &text, words);
		if (plain != NULL) {
			start = cpu_us();
			(void)sqlite3_bind_text(plain, 1, text.data + before,
			    (int)(text.len - before), SQLITE_STATIC);
			if (sqlite3_step(plain) != SQLITE_DONE)
				fail("the plain table failed");
			(void)sqlite3_reset(plain);
			*plain_us += cpu_us() - start;
		}
		buf_adds(&text, "\n\n");
		made++;
		if (made % 500 == 0 || made == sections) {
			write_file(folder, number++, &text);
			bytes += (int64_t)text.len;
			buf_reset(&text);
		}
	}
	buf_release(&text);
	return bytes;
}

static struct config *
read_config(const char *folder)
{
	struct buf faults = BUF_INIT(65536);
	struct config *config;
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/parlance.conf", folder);
	f = fopen(path, "w");
	if (f == NULL)
		fail("cannot write the configuration");
	(void)fprintf(f,
	    "[server]\nstate = state\n"
	    "[bot pages]\nname = pages\nknowledge = pages\n"
	    "[bot small]\nname = small\nknowledge = small\n"
	    "[bot large]\nname = large\nknowledge = large\n"
	    "[knowledge pages]\nfolder = pages\ncheck_seconds = 86400\n"
	    "[knowledge small]\nfolder = small\ncheck_seconds = 86400\n"
	    "[knowledge large]\nfolder = large\ncheck_seconds = 86400\n");
	(void)fclose(f);
	if (config_read(path, &config, &faults) != ERR_NONE)
		fail(buf_text(&faults));
	return config;
}

static int64_t
time_index(const struct config *config, const char *name)
{
	int64_t start = cpu_us();

	if (knowledge_index(config, name, false) != ERR_NONE)
		fail("indexing failed");
	return cpu_us() - start;
}

static bool
bench_indexing(struct maker *m, const struct config *config,
    const char *folder, double scale)
{
	sqlite3 *db;
	sqlite3_stmt *insert = NULL;
	char path[512];
	int64_t plain_us = 0, ours_us, bytes, start;
	double ratio;

	(void)snprintf(path, sizeof(path), "%s/plain.db", folder);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA journal_mode=WAL;"
			     "PRAGMA synchronous=NORMAL;"
			     "PRAGMA cache_size=-65536;"
			     "CREATE VIRTUAL TABLE t USING fts5(body); BEGIN",
		NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?)", -1, &insert,
		NULL) != SQLITE_OK)
		fail("no plain table");
	(void)snprintf(path, sizeof(path), "%s/pages", folder);
	bytes = make_pages(m, path, (int64_t)(140000 * scale), 6, 13, insert,
	    &plain_us);
	start = cpu_us();
	(void)sqlite3_finalize(insert);
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		fail("the plain table failed");
	(void)sqlite3_close(db);
	plain_us += cpu_us() - start;
	ours_us = time_index(config, "pages");
	ratio = (double)ours_us / (double)plain_us;
	(void)printf("indexing %.0f MB: %.1f s of processor time; plain FTS5 "
		     "%.1f s; ratio %.2f (limit 2)\n",
	    (double)bytes / 1e6, (double)ours_us / 1e6,
	    (double)plain_us / 1e6, ratio);
	return ratio <= 2;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Questions of two to six words, as frequent as in the texts. */
static double
bench_searches(struct maker *m, const struct config *config, const char *name,
    double *slow)
{
	static double ms[SEARCHES];
	const struct bot_config *bot = config_bot_by_slug(config, name,
	    strlen(name));
	struct passage *passages;
	struct arena arena;
	struct buf question = BUF_INIT(4096);
	size_t n, i, found = 0;
	int64_t start;

	arena_init(&arena, (size_t)64 << 20);
	for (i = 0; i < SEARCHES; i++) {
		buf_reset(&question);
		put_sentence(m, &question, 2 + i % 5);
		start = clock_monotonic_us();
		if (knowledge_search(config, bot,
			(struct span){buf_text(&question), question.len}, NULL,
			0, 4, &arena, &passages, &n) != ERR_NONE)
			fail("a search failed");
		ms[i] = (double)(clock_monotonic_us() - start) / 1000;
		found += n > 0;
		arena_release(&arena);
	}
	buf_release(&question);
	qsort(ms, SEARCHES, sizeof(ms[0]), by_value);
	*slow = ms[SEARCHES * 95 / 100];
	(void)printf("%s: %zu of %d searches found something; p50 %.2f ms, "
		     "p95 %.2f ms, most %.2f ms\n", name, found, SEARCHES,
	    ms[SEARCHES / 2], *slow, ms[SEARCHES - 1]);
	return ms[SEARCHES / 2];
}

int
main(void)
{
	char folder[] = "/tmp/parlance-index-bench-XXXXXX", path[512];
	const char *text = getenv("SCALE");
	double scale = text == NULL ? 1 : strtod(text, NULL);
	double small, large, slow;
	struct config *config;
	struct maker m;
	bool good;

	if (mkdtemp(folder) == NULL)
		fail("no temporary folder");
	(void)snprintf(path, sizeof(path), "%s/state", folder);
	(void)mkdir(path, 0700);
	maker_start(&m);
	config = read_config(folder);
	good = bench_indexing(&m, config, folder, scale);
	(void)snprintf(path, sizeof(path), "%s/small", folder);
	(void)make_pages(&m, path, (int64_t)(100000 * scale), 1, 14, NULL,
	    NULL);
	(void)time_index(config, "small");
	(void)snprintf(path, sizeof(path), "%s/large", folder);
	(void)make_pages(&m, path, (int64_t)(1000000 * scale), 1, 14, NULL,
	    NULL);
	(void)time_index(config, "large");
	small = bench_searches(&m, config, "small", &slow);
	large = bench_searches(&m, config, "large", &slow);
	(void)printf("1,000,000 segments (times %.2f): p50 %.2f ms (limit 10); "
		     "ten times the segments take %.2f times as long\n",
	    scale, large, large / small);
	good = good && large < 10 && large < 10 * small;
	(void)snprintf(path, sizeof(path), "rm -rf %s", folder);
	if (system(path) != 0)
		fail("cannot clean up");
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
