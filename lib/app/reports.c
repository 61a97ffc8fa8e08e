#include "app/reports.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/report_output.h"
#include "base/uuid.h"
#include "config/config.h"
#include "store/questions.h"
#include "store/retention.h"
#include "store/store.h"

#define ARENA_MAX ((size_t)512 << 20)
#define LABEL_MAX 128
#define DAY_US (INT64_C(86400) * 1000000)

static int
wrong_usage(const char *command, const char *arguments)
{
	(void)fprintf(stderr, "usage: parlance %s %s\n", command, arguments);
	return 2;
}

static int
failure(const char *command, enum err err)
{
	(void)fprintf(stderr, "parlance: %s: %s\n", command, err_text(err));
	return 1;
}

/* "site demo", "key website" of an app's id; its id when it is in the
 * configuration no more. */
static void
name_app(const struct config *c, const char *app, char label[LABEL_MAX])
{
	char id[UUID_TEXT], name[LABEL_MAX];
	size_t i, k;

	for (i = 0; i < c->n_sites; i++)
		if (strcmp(c->sites[i].app_id, app) == 0) {
			(void)snprintf(label, LABEL_MAX, "site %.64s",
			    c->sites[i].name);
			return;
		}
	for (i = 0; i < c->n_keys; i++)
		for (k = 0; k < c->n_bots; k++) {
			(void)snprintf(name, sizeof(name), "%.36s %.64s",
			    c->bots[k].uid, c->keys[i].name);
			uuid_from_name("parlance app", span_of(name), id);
			if (strcmp(id, app) != 0)
				continue;
			(void)snprintf(label, LABEL_MAX, "key %.64s",
			    c->keys[i].name);
			return;
		}
	(void)snprintf(label, LABEL_MAX, "%.64s", app);
}

/* A bot's slug by its id. */
static struct span
name_bot(const struct config *c, const char *uid)
{
	size_t i;

	for (i = 0; i < c->n_bots && uid != NULL; i++)
		if (strcmp(c->bots[i].uid, uid) == 0)
			return span_of(c->bots[i].slug);
	return uid == NULL ? SPAN_NONE : span_of(uid);
}

/* "2026-11-28 02:50", UTC. */
static void
time_text(int64_t us, char out[32])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(out, 32, "%Y-%m-%d %H:%M", &tm);
}

/* ---- conversations ------------------------------------------------------- */

static const struct report_column question_columns[] = {{"time", 16},
    {"from", 16}, {"bot", 12}, {"outcome", 10}, {"rating", 7},
    {"question", 48}, {"answer", 0}, };
#define N_QUESTION_COLUMNS                                                     \
	(sizeof(question_columns) / sizeof(question_columns[0]))

static const char *
outcome(const struct question_row *q)
{
	if (q->state == MESSAGE_RUNNING)
		return "running";
	if (q->state == MESSAGE_ERROR)
		return "failed";
	if (q->answer.len == 0)
		return "empty";
	return q->found ? "answered" : "nothing";
}

static void
print_questions(const struct config *c, struct report *r,
    const struct question_row *rows, size_t n)
{
	char time[32], from[LABEL_MAX];
	size_t i;

	for (i = 0; i < n; i++) {
		time_text(rows[i].created_us, time);
		name_app(c, rows[i].app, from);
		report_text(r, span_of(time));
		report_text(r, span_of(from));
		report_text(r, name_bot(c, rows[i].bot));
		report_text(r, span_of(outcome(&rows[i])));
		report_text(r, rows[i].rating == NULL
			? SPAN_NONE
			: span_of(rows[i].rating));
		report_text(r, rows[i].query);
		report_text(r, rows[i].answer);
	}
}

static bool
read_conversation_options(const struct config *c, int argc, char **argv,
    struct report_options *options, struct question_filter *filter)
{
	const struct site_config *site;
	int i;

	*options = (struct report_options){REPORT_TEXT, 1, 50};
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--unanswered") == 0) {
			filter->unanswered = true;
		} else if (strcmp(argv[i], "--site") == 0 && i + 1 < argc) {
			site = config_site(c, argv[++i]);
			if (site == NULL) {
				(void)fprintf(stderr, "parlance: there is no "
				    "[site %s]\n", argv[i]);
				return false;
			}
			filter->app = site->app_id;
		} else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc) {
			if (!report_day(argv[++i], &filter->since_us))
				return false;
		} else if (!report_option(options, argc, argv, &i)) {
			return false;
		}
	}
	filter->skip = (options->page - 1) * options->page_size;
	filter->limit = (size_t)options->page_size;
	return true;
}

int
report_conversations(const struct config *c, int argc, char **argv)
{
	struct question_filter filter = {.app = NULL};
	struct report_options options;
	struct question_row *rows = NULL;
	struct store_pool *stores;
	struct arena arena;
	struct report r;
	struct db *db = NULL;
	int64_t total = 0;
	size_t n = 0;
	bool whole = false;
	enum err err;

	if (!read_conversation_options(c, argc, argv, &options, &filter))
		return wrong_usage("conversations",
		    REPORT_CONVERSATIONS_ARGUMENTS);
	arena_init(&arena, ARENA_MAX);
	stores = store_pool_new(c, 1);
	err = stores == NULL ? ERR_MEMORY : store_lease(stores, &db);
	if (err == ERR_NONE)
		err = questions_page(db, &filter, &arena, &rows, &n, &total);
	if (err == ERR_NONE) {
		report_begin(&r, options.format, "questions",
		    question_columns, N_QUESTION_COLUMNS);
		print_questions(c, &r, rows, n);
		whole = report_end(&r, total, options.page,
		    options.page_size);
	}
	store_return(stores, db);
	store_pool_free(stores);
	arena_release(&arena);
	if (err != ERR_NONE)
		return failure("conversations", err);
	return whole ? 0 : 1;
}

/* ---- usage --------------------------------------------------------------- */

static const struct report_column usage_columns[] = {{"day", 10},
    {"from", 20}, {"bot", 14}, {"questions", 9}, {"failed", 6},
    {"prompt_tokens", 13}, {"answer_tokens", 13}, {"price", 14},
    {"currency", 0}, };
#define N_USAGE_COLUMNS (sizeof(usage_columns) / sizeof(usage_columns[0]))

static void
print_sum(const struct config *c, struct report *r,
    const struct question_sum *sum)
{
	char day[32], from[LABEL_MAX];

	time_text(sum->day * DAY_US, day);
	day[strcspn(day, " ")] = '\0';
	if (sum->account != NULL)
		(void)snprintf(from, sizeof(from), "key %.64s", sum->account);
	else
		name_app(c, sum->app, from);
	report_text(r, span_of(day));
	report_text(r, span_of(from));
	report_text(r, name_bot(c, sum->bot));
	/* The bot API counts tokens, not questions. */
	if (sum->account == NULL) {
		report_int(r, sum->questions);
		report_int(r, sum->failed);
	} else {
		report_text(r, SPAN_NONE);
		report_text(r, SPAN_NONE);
	}
	report_int(r, sum->prompt_tokens);
	report_int(r, sum->answer_tokens);
	report_text(r, sum->account != NULL ? SPAN_NONE
					    : span_of(sum->price));
	report_text(r, sum->account != NULL ? SPAN_NONE
					    : span_of(sum->currency));
}

static bool
read_usage_options(int argc, char **argv, struct report_options *options,
    int64_t *since_us)
{
	int i;

	*options = (struct report_options){REPORT_TEXT, 1, 50};
	*since_us = 0;
	for (i = 0; i < argc; i++)
		if (strcmp(argv[i], "--since") == 0 && i + 1 < argc) {
			if (!report_day(argv[++i], since_us))
				return false;
		} else if (!report_option(options, argc, argv, &i)) {
			return false;
		}
	return true;
}

int
report_usage(const struct config *c, int argc, char **argv)
{
	struct report_options options;
	struct question_sum *sums = NULL;
	struct store_pool *stores;
	struct arena arena;
	struct report r;
	struct db *db = NULL;
	int64_t since_us;
	size_t n = 0, i, from, to;
	bool whole = false;
	enum err err;

	if (!read_usage_options(argc, argv, &options, &since_us))
		return wrong_usage("usage", REPORT_USAGE_ARGUMENTS);
	arena_init(&arena, ARENA_MAX);
	stores = store_pool_new(c, 1);
	err = stores == NULL ? ERR_MEMORY : store_lease(stores, &db);
	if (err == ERR_NONE)
		err = questions_sums(db, since_us / DAY_US, &arena, &sums, &n);
	if (err == ERR_NONE) {
		report_begin(&r, options.format, "usage", usage_columns,
		    N_USAGE_COLUMNS);
		from = (size_t)((options.page - 1) * options.page_size);
		to = from + (size_t)options.page_size;
		for (i = from; i < n && i < to; i++)
			print_sum(c, &r, &sums[i]);
		whole = report_end(&r, (int64_t)n, options.page,
		    options.page_size);
	}
	store_return(stores, db);
	store_pool_free(stores);
	arena_release(&arena);
	if (err != ERR_NONE)
		return failure("usage", err);
	return whole ? 0 : 1;
}

/* ---- forget -------------------------------------------------------------- */

int
report_forget(const struct config *c, int argc, char **argv)
{
	struct retention_counts counts = {0};
	struct store_pool *stores;
	enum err err;

	if (argc != 2 || strcmp(argv[0], "--user") != 0 || argv[1][0] == '\0')
		return wrong_usage("forget", "--user ID");
	stores = store_pool_new(c, 1);
	err = stores == NULL ? ERR_MEMORY
			     : retention_forget(c, stores, span_of(argv[1]),
				   &counts);
	store_pool_free(stores);
	if (err == ERR_NOT_FOUND) {
		(void)fprintf(stderr, "parlance: forget: no end user of this "
				      "name or id is known\n");
		return 1;
	}
	(void)printf("removed %lld conversations with %lld messages, %lld "
		     "uploads of %lld bytes\n",
	    (long long)counts.conversations, (long long)counts.messages,
	    (long long)counts.uploads, (long long)counts.bytes);
	return err == ERR_NONE ? 0 : failure("forget", err);
}

/* ---- site ---------------------------------------------------------------- */

int
report_site(const struct config *c, int argc, char **argv)
{
	const struct site_config *site;

	if (argc != 1 || argv[0][0] == '-')
		return wrong_usage("site", "NAME");
	site = config_site(c, argv[0]);
	if (site == NULL) {
		(void)fprintf(stderr, "parlance: there is no [site %s]\n",
		    argv[0]);
		return 1;
	}
	if (c->server.public_url == NULL) {
		(void)fprintf(stderr,
		    "%s:%d: [server] needs public_url = https://my.site (the "
		    "address that visitors use), so that the line can be "
		    "printed\n",
		    c->path, c->server.line);
		return 1;
	}
	(void)printf("<script src=\"%s/chat/embed.js\" data-site=\"%s\"",
	    c->server.public_url, site->name);
	if (site->color != NULL)
		(void)printf(" data-color=\"%s\"", site->color);
	(void)printf(" defer></script>\n");
	return 0;
}
