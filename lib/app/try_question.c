/*
 * Answers one question with the built-in engine, and shows which passages
 * were looked at, how far each answers it, and which were cited.  With a file
 * that is not among the texts yet, a state folder of its own is made: a copy
 * of the index, and the file as one more knowledge of the bot.  A document of
 * the same name is left out then: the file is its new version.
 */
#include "app/try_question.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/uuid.h"
#include "builtin/builtin.h"
#include "json/jsonout.h"
#include "knowledge/knowledge.h"
#include "store/db.h"

#define PATH_BYTES 4096
#define OUT_MAX ((size_t)4 << 20)
#define MORE_PASSAGES 16 /* looked for, because some may be left out */
#define SHOWN_BYTES 160

const char try_question_help[] =
    "usage: parlance try [--json] [--with FILE] BOT QUESTION\n"
    "\n"
    "Asks the built-in engine, prints the answer and how it came about: the\n"
    "passages that were looked at, best first, with the score of the search\n"
    "and how far each answers the question. Below 0.50 nothing is said.\n"
    "Nothing is stored.\n"
    "\n"
    "  --with FILE  as if FILE were among the texts; it stands in for a\n"
    "               document of the same name\n"
    "  --json       the same for programs\n";

struct trial {
	struct config *config;
	struct bot_config bot;
	const struct try_options *options;
	struct arena arena;
	char folder[64]; /* "" when nothing was made */
};

/* ---- a deployment with one more text ------------------------------------- */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool
copy_text(const char *from, const char *to)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	ssize_t n = -1;

	if (in >= 0)
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (out >= 0 && (n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n) {
			n = -1;
			break;
		}
	if (in >= 0)
		(void)close(in);
	if (out >= 0 && close(out) != 0)
		n = -1;
	return out >= 0 && n == 0;
}

/* A snapshot of the index, so that only what is new is read; without one
 * all texts are. */
static void
copy_index(struct trial *t, const char *state)
{
	static const char sql[] = "VACUUM INTO ?";
	struct db_options options = {.busy_timeout_ms = 5000,
	    .read_only = true};
	char *from = arena_printf(&t->arena, "%s/index.db", state);
	char *to = arena_printf(&t->arena, "%s/state/index.db", t->folder);
	struct db_stmt *s;
	struct db *db;
	bool row;

	if (from == NULL || to == NULL || access(from, R_OK) != 0 ||
	    db_open(from, &options, &db, NULL) != ERR_NONE)
		return;
	s = db_prepare(db, sql);
	db_bind_text(s, 1, span_of(to));
	if (db_step(s, &row) != ERR_NONE)
		(void)unlink(to);
	db_done(s);
	db_close(db);
}

/* The bot gets one more knowledge: a folder with the file. */
static bool
add_text(struct trial *t)
{
	struct config *c = t->config;
	struct knowledge_config *list, *one;
	char *id = arena_alloc(&t->arena, UUID_TEXT + 1);
	const char *with = t->options->with;
	char *texts, *copy;

	(void)snprintf(t->folder, sizeof(t->folder),
	    "/tmp/parlance-try-XXXXXX");
	if (mkdtemp(t->folder) == NULL) {
		t->folder[0] = '\0';
		return false;
	}
	texts = arena_printf(&t->arena, "%s/texts", t->folder);
	copy = arena_printf(&t->arena, "%s/%s", texts, base_name(with));
	list = arena_array(&t->arena, c->n_knowledge + 1, sizeof(*list));
	if (texts == NULL || copy == NULL || list == NULL || id == NULL ||
	    mkdir(texts, 0700) != 0 || mkdir(arena_printf(&t->arena,
		"%s/state", t->folder), 0700) != 0 || !copy_text(with, copy))
		return false;
	copy_index(t, c->server.state);
	c->server.state = arena_printf(&t->arena, "%s/state", t->folder);
	memcpy(list, c->knowledge, c->n_knowledge * sizeof(*list));
	one = &list[c->n_knowledge];
	uuid_from_name("try", span_of(with), id);
	*one = (struct knowledge_config){.name = "try", .title = "try",
	    .folder = texts, .id = id, .max_file_bytes = (int64_t)1 << 30};
	c->knowledge = list;
	c->n_knowledge++;
	if (t->bot.knowledge.n < CONFIG_LIST_MAX)
		t->bot.knowledge.items[t->bot.knowledge.n++] = one->name;
	return true;
}

static bool
index_texts(struct trial *t)
{
	size_t i;

	for (i = 0; i < t->bot.knowledge.n; i++)
		if (knowledge_index(t->config, t->bot.knowledge.items[i],
			false) != ERR_NONE)
			return false;
	return true;
}

/* An older document of the file's name is not looked at. */
static size_t
leave_out_older(const struct trial *t, struct passage *passages, size_t n)
{
	const char *name = base_name(t->options->with);
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (strcmp(passages[i].dataset_name, "try") == 0 ||
		    passages[i].document_path == NULL ||
		    strcmp(base_name(passages[i].document_path), name) != 0)
			passages[kept++] = passages[i];
	return kept;
}

/* ---- asking and telling -------------------------------------------------- */

static const char *const intents[] = {
    [INTENT_QUESTION] = "question", [INTENT_GREETING] = "greeting",
    [INTENT_THANKS] = "thanks", [INTENT_PERSON] = "wants a person",
    [INTENT_STATEMENT] = "statement", [INTENT_WHO] = "asks who answers"};
static const char *const sources[] = {[BUILTIN_ITSELF] = "none of the texts",
    [BUILTIN_MEMORY] = "the conversation", [BUILTIN_TEXTS] = "the texts",
    [BUILTIN_PERSONA] = "the persona"};

/* How far the passage answers the question; negative: it was not weighed. */
static double
confidence_of(const struct builtin_report *report, const struct passage *p)
{
	const struct extract_result *x = &report->extract;
	size_t i;

	for (i = 0; i < x->n_looked; i++)
		if (span_equal(x->looked[i].content, p->content))
			return x->looked[i].confidence;
	return -1;
}

static bool
is_cited(const struct builtin_report *report, const struct passage *p)
{
	const struct extract_result *x = &report->extract;
	size_t i;

	for (i = 0; i < x->n_used && report->source == BUILTIN_TEXTS; i++)
		if (span_equal(x->used[i].content, p->content))
			return true;
	return false;
}

static void
tell_text(const struct engine_request *r, const struct builtin_report *report,
    const char *answer)
{
	size_t i, k;

	(void)printf("%s\n\nit is a: %s; answered from: %s; confidence %.2f "
		     "(needed: %.2f)\n", answer, intents[report->intent],
	    sources[report->source], report->extract.confidence,
	    EXTRACT_CONFIDENT);
	if (r->n_passages == 0)
		(void)printf("no passage has a word of it\n");
	for (i = 0; i < r->n_passages; i++) {
		const struct passage *p = &r->passages[i];
		double confidence = confidence_of(report, p);

		(void)printf("%2zu. score %.2f, ", i + 1, p->score);
		if (confidence < 0)
			(void)printf("not weighed");
		else
			(void)printf("answers %.2f%s", confidence,
			    confidence < EXTRACT_CONFIDENT ? ", too little"
							   : "");
		(void)printf("%s: %s%s%.*s\n    ",
		    is_cited(report, p) ? ", cited" : "", p->document_path ==
			NULL ? p->document_name : p->document_path,
		    p->heading.len > 0 ? ", " : "", (int)p->heading.len,
		    p->heading.data);
		for (k = 0; k < p->content.len && k < SHOWN_BYTES; k++)
			(void)putchar(p->content.data[k] == '\n'
				? ' ' : p->content.data[k]);
		while (k < p->content.len &&
		    ((unsigned char)p->content.data[k] & 0xC0) == 0x80)
			(void)putchar(p->content.data[k++]);
		(void)printf("%s\n", k < p->content.len ? " ..." : "");
	}
}

static void
tell_json(const struct engine_request *r, const struct builtin_report *report,
    const char *answer)
{
	struct buf out = BUF_INIT(OUT_MAX);
	size_t i;

	buf_addc(&out, '{');
	jsonout_member(&out, "question", r->question);
	jsonout_member_cstring(&out, "answer", answer);
	jsonout_member_cstring(&out, "intent", intents[report->intent]);
	jsonout_member_cstring(&out, "source", sources[report->source]);
	jsonout_member_double(&out, "confidence", report->extract.confidence);
	jsonout_member_double(&out, "needed", EXTRACT_CONFIDENT);
	jsonout_name(&out, "passages");
	buf_addc(&out, '[');
	for (i = 0; i < r->n_passages; i++) {
		const struct passage *p = &r->passages[i];
		double confidence = confidence_of(report, p);

		jsonout_comma(&out);
		buf_addc(&out, '{');
		jsonout_member_cstring(&out, "document", p->document_name);
		jsonout_member_cstring(&out, "path", p->document_path);
		jsonout_member_cstring(&out, "url", p->document_url);
		jsonout_member(&out, "heading", p->heading.data == NULL
			? SPAN("") : p->heading);
		jsonout_member(&out, "content", p->content);
		jsonout_member_double(&out, "score", p->score);
		if (confidence < 0)
			jsonout_member_null(&out, "confidence");
		else
			jsonout_member_double(&out, "confidence", confidence);
		jsonout_member_bool(&out, "cited", is_cited(report, p));
		buf_addc(&out, '}');
	}
	buf_adds(&out, "]}");
	(void)printf("%s\n", buf_text(&out));
	buf_release(&out);
}

static enum err
ask(struct trial *t)
{
	struct engine_request request = {.config = t->config, .bot = &t->bot,
	    .question = span_of(t->options->question),
	    .max_words = t->bot.max_words, .language = t->bot.language};
	struct knowledge_found found;
	struct buf answer = BUF_INIT(OUT_MAX);
	struct engine_event event;
	struct engine_run *run;
	enum err err = knowledge_find(t->config, &t->bot, request.question,
	    NULL, 0, (size_t)t->bot.top_k + (t->options->with != NULL
		? MORE_PASSAGES : 0), NULL, &t->arena, &found);

	if (err != ERR_NONE)
		return err;
	if (t->options->with != NULL)
		found.n = leave_out_older(t, found.passages, found.n);
	request.passages = found.passages;
	request.n_passages = found.n < (size_t)t->bot.top_k
	    ? found.n : (size_t)t->bot.top_k;
	request.query = found.query;
	err = builtin_start(NULL, &request, NULL, &t->arena, &run);
	if (err != ERR_NONE)
		return err;
	for (;;) {
		run->ops->next(run, 0, NULL, &event);
		if (event.kind != ENGINE_DELTA)
			break;
		buf_add(&answer, event.text.data, event.text.len);
	}
	(t->options->json ? tell_json : tell_text)(&request,
	    builtin_report(run), buf_text(&answer));
	run->ops->free(run);
	buf_release(&answer);
	return ERR_NONE;
}

/* Removes what the trial made, by names it knows. */
static void
clean_up(struct trial *t)
{
	static const char *const names[] = {"state/index.db",
	    "state/index.db-wal", "state/index.db-shm", "state/index.lock",
	    "state/index.log", "state/index.db.new"};
	size_t i;

	if (t->folder[0] == '\0')
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(arena_printf(&t->arena, "%s/%s", t->folder,
		    names[i]));
	(void)unlink(arena_printf(&t->arena, "%s/texts/%s", t->folder,
	    base_name(t->options->with)));
	(void)rmdir(arena_printf(&t->arena, "%s/state", t->folder));
	(void)rmdir(arena_printf(&t->arena, "%s/texts", t->folder));
	(void)rmdir(t->folder);
}

int
try_question(struct config *config, const struct try_options *options)
{
	const struct bot_config *bot = config_bot_by_slug(config,
	    options->bot, strlen(options->bot));
	struct trial t = {.config = config, .options = options};
	enum err err;
	int status = 1;

	if (bot == NULL) {
		(void)fprintf(stderr, "parlance: try: there is no [bot %s]\n",
		    options->bot);
		return 1;
	}
	t.bot = *bot;
	arena_init(&t.arena, (size_t)256 << 20);
	if (options->with != NULL && (!add_text(&t) || !index_texts(&t))) {
		(void)fprintf(stderr, "parlance: try: %s cannot be read as a "
				      "text: %s\n", options->with,
		    strerror(errno));
		goto out;
	}
	knowledge_check(config, &t.bot);
	err = ask(&t);
	if (err != ERR_NONE)
		(void)fprintf(stderr, "parlance: try: %s\n", err_text(err));
	status = err == ERR_NONE ? 0 : 1;
out:
	clean_up(&t);
	arena_release(&t.arena);
	return status;
}
