/*
 * The same turn as a client's, driven by poll(2): what it says is printed as
 * it comes.  Nothing is stored, and no limit of a key counts.
 */
#include "app/ask.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "config/config.h"
#include "config/config_file.h"
#include "store/store.h"
#include "turn/turn.h"

#define ARENA_MAX ((size_t)256 << 20)
#define FAULTS_MAX (1U << 20)
#define QUESTION_MAX (1U << 20)

struct asked {
	const char *bot, *user;
	bool quiet; /* only the answer */
	struct buf question;
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void
print_usage(FILE *out)
{
	(void)fprintf(out,
	    "usage: parlance ask [--quiet] [--user NAME] BOT [QUESTION...]\n"
	    "\n"
	    "Asks a bot of this deployment and prints its answer as it comes, "
	    "then the\nsources it was made from and the tokens it took; with "
	    "--quiet, only the\nanswer. Without a QUESTION, it is read from "
	    "standard input. Nothing is\nstored. Ends with status 1 when there "
	    "is no whole answer, 130 when it was\ninterrupted.\n");
}

/* ---- the command line ---------------------------------------------------- */

static void
read_question(struct buf *question)
{
	char bytes[4096];
	size_t n;

	while ((n = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
		buf_add(question, bytes, n);
}

/* 0, or the status to end with. */
static int
take_arguments(int argc, char **argv, struct asked *a)
{
	int i = 0;

	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "--quiet") == 0) {
			a->quiet = true;
		} else if (strcmp(argv[i], "--user") == 0 && i + 1 < argc) {
			a->user = argv[++i];
		} else {
			(void)fprintf(stderr,
			    "parlance: ask: unexpected argument: %s\n",
			    argv[i]);
			return 2;
		}
	}
	if (i == argc) {
		print_usage(stderr);
		return 2;
	}
	a->bot = argv[i++];
	if (i == argc)
		read_question(&a->question);
	for (; i < argc; i++)
		buf_printf(&a->question, "%s%s",
		    a->question.len > 0 ? " " : "", argv[i]);
	if (span_trim((struct span){
		buf_text(&a->question), a->question.len}).len == 0 ||
	    buf_err(&a->question) != ERR_NONE) {
		(void)fprintf(stderr, "parlance: ask: there is no question\n");
		return 2;
	}
	return 0;
}

/* NULL after saying why. */
static const struct bot_config *
find_bot(const struct config *c, const char *name)
{
	const struct bot_config *bot;
	size_t i;

	bot = config_bot_by_slug(c, name, strlen(name));
	if (bot == NULL)
		bot = config_bot_by_uid(c, name, strlen(name));
	if (bot != NULL)
		return bot;
	(void)fprintf(stderr, "parlance: ask: there is no bot \"%s\"; there "
			      "is:", name);
	for (i = 0; i < c->n_bots; i++)
		if (c->bots[i].enabled)
			(void)fprintf(stderr, " %s", c->bots[i].slug);
	(void)fprintf(stderr, "\n");
	return NULL;
}

/* ---- the turn ------------------------------------------------------------ */

static void
print_sources(const struct turn_result *r)
{
	const struct passage *p;
	size_t i;

	if (r->n_passages > 0)
		(void)printf("\nsources:\n");
	for (i = 0; i < r->n_passages; i++) {
		p = &r->passages[i];
		(void)printf("  [%zu] %s%s%.*s, segment %lld of %s (score "
			     "%.2f)\n", i + 1, p->document_name,
		    p->heading.len > 0 ? ", " : "", (int)p->heading.len,
		    p->heading.len > 0 ? p->heading.data : "",
		    (long long)p->segment_position, p->dataset_name,
		    p->score);
	}
}

static void
print_tokens(const struct turn_result *r, const struct bot_config *bot)
{
	(void)printf("\ntokens: %lld of the prompt, %lld of the answer%s\n",
	    (long long)r->usage.prompt_tokens,
	    (long long)r->usage.completion_tokens,
	    r->usage_estimated ? " (estimated)" : "");
	if (bot->price.prompt_unit_price != NULL)
		(void)printf("price: %s %s\n", r->usage.total_price,
		    r->usage.currency);
	if (r->first_token_s >= 0)
		(void)printf("time: %.2f s to the first token, ",
		    r->first_token_s);
	else
		(void)printf("time: ");
	(void)printf("%.2f s in all\n", r->latency_s);
}

/* Prints the deltas; the event that ended it. */
static struct turn_event
drive(struct turn *t)
{
	struct interests in;
	struct turn_event event;
	int64_t left;

	interests_none(&in);
	for (;;) {
		if (interrupted)
			turn_stop(t);
		turn_next(t, clock_monotonic_ms(), &in, &event);
		if (event.kind == TURN_DELTA) {
			(void)fwrite(event.text.data, 1, event.text.len,
			    stdout);
			(void)fflush(stdout);
			continue;
		}
		if (event.kind == TURN_WORK) {
			turn_work(t);
			continue;
		}
		if (event.kind != TURN_WAIT)
			return event;
		interests_none(&in);
		turn_interests(t, &in);
		left = in.wake_ms == INTERESTS_NEVER
			   ? 1000 : in.wake_ms - clock_monotonic_ms();
		if (poll(in.fds, (nfds_t)in.n, left < 0 ? 0 : left > 1000
			? 1000 : (int)left) < 0)
			interests_none(&in);
	}
}

static int
ask_bot(const struct config *config, const struct bot_config *bot,
    const struct asked *a)
{
	struct arena arena;
	struct turn_setup setup = {.config = config, .bot = bot,
	    .arena = &arena, .user = a->user,
	    .question = {a->question.data, a->question.len}};
	struct turn *turn = NULL;
	struct turn_event end;
	int status = 1;

	arena_init(&arena, ARENA_MAX);
	setup.stores = store_pool_new(config, 1);
	setup.worker = engine_worker_new(config);
	if (setup.stores == NULL || setup.worker == NULL ||
	    turn_start(&setup, &turn) != ERR_NONE) {
		(void)fprintf(stderr, "parlance: ask: %s\n",
		    err_text(ERR_MEMORY));
		goto out;
	}
	end = drive(turn);
	if (turn_result(turn)->answer.len > 0)
		(void)printf("\n");
	if (end.kind == TURN_ERROR)
		(void)fprintf(stderr, "parlance: ask: %s\n", end.message);
	else if (!a->quiet)
		print_sources(turn_result(turn));
	if (!a->quiet)
		print_tokens(turn_result(turn), bot);
	status = interrupted ? 130 : end.kind == TURN_ERROR ? 1 : 0;
	if (fflush(stdout) != 0)
		status = 1;
out:
	turn_free(turn);
	engine_worker_free(setup.worker);
	store_pool_free(setup.stores);
	arena_release(&arena);
	return status;
}

int
ask_main(int argc, char **argv)
{
	struct asked a = {.question = BUF_INIT(QUESTION_MAX)};
	struct buf faults = BUF_INIT(FAULTS_MAX);
	const struct bot_config *bot;
	struct config *config = NULL;
	char path[4096];
	int status;

	if (argc > 0 && (strcmp(argv[0], "--help") == 0 ||
			    strcmp(argv[0], "-h") == 0)) {
		print_usage(stdout);
		return 0;
	}
	status = take_arguments(argc, argv, &a);
	if (status != 0)
		goto out;
	status = 1;
	config_find(path, sizeof(path), NULL);
	if (config_read(path, &config, &faults) != ERR_NONE) {
		(void)fprintf(stderr, "%s\n", faults.len > 0
			? buf_text(&faults) : "parlance.conf cannot be read");
		goto out;
	}
	bot = find_bot(config, a.bot);
	if (bot != NULL) {
		(void)signal(SIGINT, on_interrupt);
		status = ask_bot(config, bot, &a);
	}
out:
	config_free(config);
	buf_release(&faults);
	buf_release(&a.question);
	return status;
}
