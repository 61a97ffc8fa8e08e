/*
 * How good the built-in engine's answers are for small sites: each folder of
 * fixtures/evaluation-sites is a site's texts and what its visitors ask
 * (README.md there).  Prints for each language and each kind of question how
 * many were answered rightly, how many honestly not ("I do not know", or the
 * contact), and how many wrongly with confidence.
 *
 *   sites_bench [-v] [--floor RIGHT WRONG] [FOLDER...]
 *
 * A folder is a site, or holds sites; without one: studio and seen.  With
 * --floor it fails when less than RIGHT percent are right or more than WRONG
 * percent wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utf8proc.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "builtin/builtin.h"
#include "builtin/extract.h"
#include "config/config_file.h"
#include "json/pyjson.h"
#include "knowledge/knowledge.h"
#include "language/stopwords.h"

#define ROWS 64
#define TURNS_MAX 16
#define FILE_MAX_BYTES ((size_t)1 << 20)

enum verdict { RIGHT, HONEST, WRONG, VERDICTS };
static const char *const verdict_names[] = {"right", "honest", "WRONG"};

struct row {
	char name[24];
	int n[VERDICTS];
};

struct table {
	struct row rows[ROWS];
	size_t n;
};

struct bench {
	struct table languages, kinds, sites;
	struct row all;
	struct arena arena; /* of the site at hand */
	const char *contact, *greeting;
	const struct config *config;
	int64_t search_us, answer_us;
	bool verbose;
};

struct reply {
	struct span text;
	size_t citations;
	struct builtin_report report;
	double score; /* of the first passage */
};

static void
fail(const char *what, const char *which)
{
	(void)fprintf(stderr, "sites: %s: %s\n", which, what);
	exit(EXIT_FAILURE);
}

static void
count(struct table *t, const char *name, enum verdict v)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->rows[i].name, name) == 0)
			break;
	if (i == ROWS)
		return;
	if (i == t->n)
		(void)snprintf(t->rows[t->n++].name, sizeof(t->rows[i].name),
		    "%s", name);
	t->rows[i].n[v]++;
}

/* ---- asking -------------------------------------------------------------- */

static struct reply
ask(struct bench *b, struct span question, const char *language,
    const struct chat_message *history, size_t n_history)
{
	struct engine_request request = {.config = b->config,
	    .bot = &b->config->bots[0], .question = question,
	    .history = history, .n_history = n_history};
	struct knowledge_found found;
	struct buf out = BUF_INIT(100000);
	struct engine_event event;
	struct engine_run *run;
	struct reply reply;
	int64_t start = clock_monotonic_us();

	(void)language;
	if (knowledge_find(b->config, request.bot, question, history,
		n_history, 4, NULL, &b->arena, &found) != ERR_NONE)
		fail("the search failed", question.data);
	b->search_us += clock_monotonic_us() - start;
	start = clock_monotonic_us();
	request.passages = found.passages;
	request.n_passages = found.n;
	request.query = found.query;
	if (builtin_start(NULL, &request, NULL, &b->arena, &run) != ERR_NONE)
		fail("the engine does not start", question.data);
	for (;;) {
		run->ops->next(run, 0, NULL, &event);
		if (event.kind != ENGINE_DELTA)
			break;
		buf_add(&out, event.text.data, event.text.len);
	}
	b->answer_us += clock_monotonic_us() - start;
	reply.text.data = arena_strndup(&b->arena, buf_text(&out), out.len);
	reply.text.len = out.len;
	reply.report = *builtin_report(run);
	reply.score = found.n > 0 ? found.passages[0].score : 0;
	reply.citations = event.passages != NULL ? event.n_passages
						 : request.n_passages;
	buf_release(&out);
	return reply;
}

/* ---- judging ------------------------------------------------------------- */

static char *
casefolded(struct arena *arena, struct span text)
{
	utf8proc_uint8_t *folded = NULL;
	char *copy;

	if (utf8proc_map((const utf8proc_uint8_t *)text.data,
		(utf8proc_ssize_t)text.len, &folded, UTF8PROC_STABLE |
		UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD) < 0)
		return arena_strndup(arena, text.data, text.len);
	copy = arena_strndup(arena, (char *)folded, strlen((char *)folded));
	free(folded);
	return copy;
}

static bool
holds(struct bench *b, struct span answer, struct span text)
{
	return strstr(casefolded(&b->arena, answer),
		   casefolded(&b->arena, text)) != NULL;
}

static bool
is_unknown(struct span answer, const char *language)
{
	const struct language *l = language_find(language);
	int i;

	for (i = 0; i < language_count(); i++)
		if ((language == NULL || l == language_at(i)) &&
		    span_is(answer, language_at(i)->unknown))
			return true;
	return false;
}

static enum verdict
judge(struct bench *b, const struct pyjson *line, const struct reply *r)
{
	const struct pyjson *want = pyjson_get(line, "want");
	const struct pyjson *not = pyjson_get(line, "not");
	const char *kind = pyjson_cstring(pyjson_get(line, "kind"),
	    &b->arena);
	const char *language = pyjson_cstring(pyjson_get(line, "language"),
	    &b->arena);
	bool unknown = is_unknown(r->text, NULL);
	bool contact = holds(b, r->text, span_of(b->contact));
	const struct language *spoken = language_guess(r->text);
	size_t i;

	if (kind != NULL && strcmp(kind, "refuse") == 0) {
		if (!unknown)
			return contact && r->citations == 0 ? HONEST : WRONG;
		return r->citations == 0 && is_unknown(r->text, language)
		    ? RIGHT : HONEST;
	}
	if (kind != NULL && strcmp(kind, "contact") == 0)
		return contact && r->citations == 0 ? RIGHT
		    : unknown ? HONEST : WRONG;
	if (kind != NULL && strcmp(kind, "greeting") == 0) {
		if (unknown || contact)
			return HONEST;
		return r->citations == 0 && (spoken == NULL ||
		    language == NULL ||
		    strcmp(spoken->code, language) == 0) ? RIGHT : WRONG;
	}
	for (i = 0; i < pyjson_count(not); i++)
		if (holds(b, r->text, pyjson_string(pyjson_item(not, i))))
			return WRONG;
	for (i = 0; i < pyjson_count(want); i++)
		if (!holds(b, r->text, pyjson_string(pyjson_item(want, i))))
			return unknown || contact ? HONEST : WRONG;
	return RIGHT;
}

static void
ask_line(struct bench *b, const char *site, const struct pyjson *line)
{
	const struct pyjson *q = pyjson_get(line, "q");
	const struct pyjson *kind = pyjson_get(line, "kind");
	struct chat_message history[2 * TURNS_MAX];
	size_t n = pyjson_is_array(q) ? pyjson_count(q) : 1, i;
	const char *language = pyjson_cstring(pyjson_get(line, "language"),
	    &b->arena);
	const char *name = pyjson_given(kind)
	    ? pyjson_cstring(kind, &b->arena)
	    : n > 1 ? "follow-up" : "answer";
	struct span question = SPAN_NONE;
	struct reply reply = {.citations = 0};
	enum verdict v;

	for (i = 0; i < n && i < TURNS_MAX; i++) {
		question = pyjson_string(pyjson_is_array(q)
			? pyjson_item(q, i) : q);
		reply = ask(b, question, language, history, 2 * i);
		history[2 * i] = (struct chat_message){ROLE_USER, question};
		history[2 * i + 1] = (struct chat_message){ROLE_ASSISTANT,
		    reply.text};
	}
	v = judge(b, line, &reply);
	count(&b->languages, language == NULL ? "-" : language, v);
	count(&b->kinds, name, v);
	count(&b->sites, site, v);
	b->all.n[v]++;
	if (b->verbose && v != RIGHT)
		(void)printf("%-6s %-12s %-9s %.*s\n       %zu cited, kind %d, "
			     "confidence %.2f, passage %.2f: %.*s\n",
		    verdict_names[v], site, name, (int)question.len,
		    question.data, reply.citations,
		    (int)reply.report.extract.kind,
		    reply.report.extract.confidence, reply.score,
		    (int)reply.text.len,
		    reply.text.data);
}

/* ---- sites --------------------------------------------------------------- */

static struct span
read_whole(struct bench *b, const char *path)
{
	char *text = arena_alloc(&b->arena, FILE_MAX_BYTES);
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL || text == NULL)
		return SPAN_NONE;
	n = fread(text, 1, FILE_MAX_BYTES, f);
	(void)fclose(f);
	return (struct span){text, n};
}

/* The configuration as the site's owner would write it. */
static void
declare(struct bench *b, const char *site, const char *work)
{
	const struct pyjson *about = NULL;
	struct pyjson_error error;
	struct buf faults = BUF_INIT(65536);
	struct config *config;
	char *path = arena_printf(&b->arena, "%s/parlance.conf", work);
	char *texts = realpath(arena_printf(&b->arena, "%s/texts", site),
	    NULL);
	struct span json = read_whole(b,
	    arena_printf(&b->arena, "%s/site.json", site));
	const char *name, *language;
	FILE *f = fopen(path, "w");

	if (texts == NULL || f == NULL)
		fail("no texts", site);
	if (json.len > 0 && pyjson_decode(&b->arena, json, NULL,
		&about, &error) != ERR_NONE)
		fail(error.msg, site);
	name = pyjson_cstring(pyjson_get(about, "name"), &b->arena);
	language = pyjson_cstring(pyjson_get(about, "language"), &b->arena);
	b->contact = pyjson_cstring(pyjson_get(about, "contact"), &b->arena);
	b->greeting = pyjson_cstring(pyjson_get(about, "greeting"),
	    &b->arena);
	if (b->contact == NULL)
		b->contact = "Please call us: 0123 456789.";
	(void)fprintf(f, "[server]\nstate = state\n[bot site]\nname = %s\n"
			 "contact = %s\nknowledge = site\n",
	    name == NULL ? "Site" : name, b->contact);
	if (b->greeting != NULL)
		(void)fprintf(f, "greeting = %s\n", b->greeting);
	if (language != NULL)
		(void)fprintf(f, "language = %s\n", language);
	(void)fprintf(f, "[knowledge site]\nfolder = %s\n", texts);
	(void)fclose(f);
	free(texts);
	(void)mkdir(arena_printf(&b->arena, "%s/state", work), 0700);
	if (config_read(path, &config, &faults) != ERR_NONE)
		fail(buf_text(&faults), site);
	if (knowledge_index(config, NULL, false) != ERR_NONE)
		fail("indexing failed", site);
	b->config = config;
}

static void
run_site(struct bench *b, const char *site)
{
	char work[] = "/tmp/parlance-sites-XXXXXX";
	const char *slash = strrchr(site, '/');
	const struct pyjson *value;
	struct pyjson_error error;
	struct span rest, line;

	arena_init(&b->arena, (size_t)256 << 20);
	rest = read_whole(b, arena_printf(&b->arena, "%s/questions.jsonl",
	    site));
	if (mkdtemp(work) == NULL)
		fail("no folder", work);
	declare(b, site, work);
	while (rest.len > 0) {
		line = span_trim(span_cut(&rest, '\n'));
		if (line.len == 0)
			continue;
		if (pyjson_decode(&b->arena, line, NULL, &value,
			&error) != ERR_NONE)
			fail(error.msg, site);
		ask_line(b, slash == NULL ? site : slash + 1, value);
	}
	if (system(arena_printf(&b->arena, "rm -rf %s", work)) != 0)
		fail("cannot clean up", work);
	arena_release(&b->arena);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
run_folder(struct bench *b, const char *folder)
{
	struct dirent **entries;
	char path[4096];
	int n, i;

	(void)snprintf(path, sizeof(path), "%s/questions.jsonl", folder);
	if (access(path, R_OK) == 0) {
		run_site(b, folder);
		return;
	}
	n = scandir(folder, &entries, is_visible, alphasort);
	if (n < 0)
		fail("cannot be read", folder);
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/questions.jsonl",
		    folder, entries[i]->d_name);
		if (access(path, R_OK) == 0) {
			*strrchr(path, '/') = '\0';
			run_site(b, path);
		}
		free(entries[i]);
	}
	free(entries);
}

/* ---- output -------------------------------------------------------------- */

static double
percent(const struct row *r, enum verdict v)
{
	int all = r->n[RIGHT] + r->n[HONEST] + r->n[WRONG];

	return all > 0 ? 100.0 * r->n[v] / all : 0;
}

static void
print_rows(const char *title, struct row *rows, size_t n)
{
	size_t i;

	(void)printf("%-14s asked  right  honest  wrong    %% right  "
		     "%% wrong\n", title);
	for (i = 0; i < n; i++)
		(void)printf("%-14s %5d  %5d  %6d  %5d    %7.1f  %7.1f\n",
		    rows[i].name,
		    rows[i].n[RIGHT] + rows[i].n[HONEST] + rows[i].n[WRONG],
		    rows[i].n[RIGHT], rows[i].n[HONEST], rows[i].n[WRONG],
		    percent(&rows[i], RIGHT), percent(&rows[i], WRONG));
}

int
main(int argc, char **argv)
{
	static struct bench b;
	double right = 0, wrong = 100;
	int i = 1, asked;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-v") == 0) {
			b.verbose = true;
		} else if (strcmp(argv[i], "--floor") == 0 && i + 2 < argc) {
			right = strtod(argv[++i], NULL);
			wrong = strtod(argv[++i], NULL);
		} else {
			(void)fprintf(stderr, "usage: sites_bench [-v] [--floor"
					      " RIGHT WRONG] [FOLDER...]\n");
			return 2;
		}
	}
	if (i == argc) {
		run_folder(&b, "fixtures/evaluation-sites/studio");
		run_folder(&b, "fixtures/evaluation-sites/seen");
	}
	for (; i < argc; i++)
		run_folder(&b, argv[i]);
	(void)snprintf(b.all.name, sizeof(b.all.name), "all");
	print_rows("site", b.sites.rows, b.sites.n);
	print_rows("\nlanguage", b.languages.rows, b.languages.n);
	print_rows("\nkind", b.kinds.rows, b.kinds.n);
	print_rows("", &b.all, 1);
	asked = b.all.n[RIGHT] + b.all.n[HONEST] + b.all.n[WRONG];
	(void)printf("\na search %.2f ms, its answer %.2f times that with it\n",
	    (double)b.search_us / 1000 / (asked > 0 ? asked : 1),
	    (double)(b.search_us + b.answer_us) / (double)b.search_us);
	return percent(&b.all, RIGHT) >= right &&
	    percent(&b.all, WRONG) <= wrong ? EXIT_SUCCESS : EXIT_FAILURE;
}
