/*
 * parlance: the admin command.  Each command is a row of a table; what it
 * prints goes to standard output, faults to standard error.
 */
#include "app/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/ask.h"
#include "app/checks.h"
#include "app/reports.h"
#include "app/texts.h"
#include "app/try_question.h"
#include "app/version.h"
#include "auth/caller.h"
#include "config/config.h"
#include "config/config_file.h"
#include "config/settings_reference.h"
#include "knowledge/knowledge.h"
#include "store/clean.h"
#include "store/retention.h"
#include "store/store.h"

#define FAULTS_MAX (1U << 20)

struct command {
	const char *words;     /* "key new" */
	const char *arguments; /* "[NAME]" */
	const char *help;      /* NULL: another spelling, not listed */
	int (*run)(int argc, char **argv);
};

/* The configuration, or NULL after saying what is wrong with it. */
static struct config *
open_config(const char *path)
{
	struct buf faults = BUF_INIT(FAULTS_MAX);
	struct config *config = NULL;
	char found[4096];
	enum err err;

	if (path == NULL) {
		config_find(found, sizeof(found), NULL);
		path = found;
	}
	err = config_read(path, &config, &faults);
	if (err == ERR_CONFIG)
		(void)fprintf(stderr, "%s\n", buf_text(&faults));
	else if (err != ERR_NONE)
		(void)fprintf(stderr, "%s: %s\n", path, err_text(err));
	buf_release(&faults);
	return config;
}

/* Takes --json, and --no-engine when it is one, out of the arguments; false:
 * an option that is none, or more than one argument. */
static bool
take_arguments(int argc, char **argv, const char **argument, bool *json,
    bool *no_engine)
{
	int i;

	*argument = NULL;
	*json = false;
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			*json = true;
		else if (no_engine != NULL &&
		    strcmp(argv[i], "--no-engine") == 0)
			*no_engine = true;
		else if (argv[i][0] == '-' || *argument != NULL)
			return false;
		else
			*argument = argv[i];
	}
	return true;
}

static int
run_check(int argc, char **argv)
{
	const char *path;
	bool json;

	if (!take_arguments(argc, argv, &path, &json, NULL)) {
		(void)fprintf(stderr, "usage: parlance check [--json] "
				      "[FILE]\n");
		return 2;
	}
	return checks_check(path, json) ? 0 : 1;
}

static int
run_key_new(int argc, char **argv)
{
	const char *name = NULL;
	bool dataset = false;
	char text[KEY_TEXT], hash[KEY_HASH];
	int i;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--dataset") == 0) {
			dataset = true;
		} else if (argv[i][0] == '-' || name != NULL) {
			(void)fprintf(stderr, "usage: parlance key new "
					      "[NAME] [--dataset]\n");
			return 2;
		} else {
			name = argv[i];
		}
	}
	if (name == NULL)
		name = "mine";
	if (!config_name_allowed(span_of(name))) {
		(void)fprintf(stderr,
		    "parlance: \"%s\" cannot be a name in parlance.conf; use "
		    "letters, digits, - and _\n",
		    name);
		return 2;
	}
	if (key_make(dataset ? "dataset-" : "app-", text, hash) != ERR_NONE) {
		(void)fprintf(
		    stderr, "parlance: no random bytes are available\n");
		return 1;
	}
	(void)printf("The key, shown this once; give it to the client:\n\n"
		     "  %s\n\n"
		     "Put this into parlance.conf:\n\n"
		     "[key %s]\nhash = %s\n%s",
	    text, name, hash, dataset ? "kind = dataset\n" : "");
	return 0;
}

/* Goes on in a child, so that whoever started us need not wait. */
static void
detach(void)
{
	pid_t child = fork();

	if (child > 0)
		_exit(0);
	if (child == 0)
		(void)setsid();
}

static int
run_try(int argc, char **argv)
{
	struct try_options options = {.json = false};
	struct config *c;
	int i, status;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(try_question_help, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--json") == 0)
			options.json = true;
		else if (strcmp(argv[i], "--with") == 0 && i + 1 < argc)
			options.with = argv[++i];
		else if (options.bot == NULL && argv[i][0] != '-')
			options.bot = argv[i];
		else if (options.question == NULL)
			options.question = argv[i];
		else
			options.bot = NULL;
	}
	if (options.bot == NULL || options.question == NULL) {
		(void)fputs(try_question_help, stderr);
		return 2;
	}
	c = open_config(NULL);
	if (c == NULL)
		return 1;
	status = try_question(c, &options);
	config_free(c);
	return status;
}

static int
run_index(int argc, char **argv)
{
	bool background = false, all = false, json = false;
	const char *name = NULL;
	struct config *c;
	enum err err;
	int i;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--background") == 0) {
			background = true;
		} else if (strcmp(argv[i], "-v") == 0) {
			all = true;
		} else if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (name == NULL && argv[i][0] != '-') {
			name = argv[i];
		} else {
			(void)fprintf(stderr, "usage: parlance index "
			    "[--background] [-v] [--json] [NAME]\n");
			return 2;
		}
	}
	c = open_config(NULL);
	if (c == NULL)
		return 1;
	if (name != NULL && config_knowledge(c, name) == NULL) {
		(void)fprintf(stderr, "parlance: there is no [knowledge %s]\n",
		    name);
		config_free(c);
		return 1;
	}
	if (background)
		detach();
	err = knowledge_index(c, name, !background);
	if (err != ERR_NONE && !background)
		(void)fprintf(stderr, "parlance: index: %s\n", err_text(err));
	if (json)
		texts_print_json(c, name);
	else if (!background)
		texts_print(c, name, all);
	config_free(c);
	return err == ERR_NONE ? 0 : 1;
}

static int
run_clean(int argc, char **argv)
{
	struct clean_counts counts;
	struct retention_counts aged = {0};
	struct store_pool *stores;
	struct config *c;
	enum err err;

	(void)argv;
	if (argc > 0) {
		(void)fprintf(stderr, "usage: parlance clean\n");
		return 2;
	}
	c = open_config(NULL);
	if (c == NULL)
		return 1;
	stores = store_pool_new(c, 1);
	/* First what is over its time: its uploads are needed no more. */
	err = stores == NULL ? ERR_MEMORY : retention_all(c, stores, &aged);
	if (err == ERR_NONE)
		err = clean_all(c, stores, &counts);
	store_pool_free(stores);
	if (err != ERR_NONE)
		(void)fprintf(stderr, "parlance: clean: %s\n", err_text(err));
	else
		(void)printf("removed %lld conversations that were over their "
			     "days, with %lld messages\n"
			     "removed %lld uploads that no message needs and "
			     "%lld leftovers, %lld bytes\n",
		    (long long)aged.conversations, (long long)aged.messages,
		    (long long)counts.uploads, (long long)counts.leftovers,
		    (long long)counts.bytes);
	if (err == ERR_NONE && c->server.upload_days == 0)
		(void)printf("upload_days is 0: every upload is kept\n");
	config_free(c);
	return err == ERR_NONE ? 0 : 1;
}

/* A command of reports.h, with the configuration. */
static int
run_report(int (*report)(const struct config *c, int argc, char **argv),
    int argc, char **argv)
{
	struct config *c = open_config(NULL);
	int status;

	if (c == NULL)
		return 1;
	status = report(c, argc, argv);
	config_free(c);
	return status;
}

static int
run_conversations(int argc, char **argv)
{
	return run_report(report_conversations, argc, argv);
}

static int
run_usage(int argc, char **argv)
{
	return run_report(report_usage, argc, argv);
}

static int
run_forget(int argc, char **argv)
{
	return run_report(report_forget, argc, argv);
}

static int
run_site(int argc, char **argv)
{
	return run_report(report_site, argc, argv);
}

static int
run_help_config(int argc, char **argv)
{
	struct buf out = BUF_INIT(FAULTS_MAX);

	(void)argc;
	(void)argv;
	settings_reference(&out);
	(void)fputs(buf_text(&out), stdout);
	buf_release(&out);
	return 0;
}

static int
run_doctor(int argc, char **argv)
{
	const char *url;
	bool json, no_engine = false;

	if (!take_arguments(argc, argv, &url, &json, &no_engine)) {
		(void)fprintf(stderr, "usage: parlance doctor [--json] "
				      "[--no-engine] [URL]\n");
		return 2;
	}
	return checks_doctor(url, no_engine, json) ? 0 : 1;
}

static int
run_help_checks(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	checks_list();
	return 0;
}

static int
run_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	version_print("parlance");
	return 0;
}

static int run_help(int argc, char **argv);

static const struct command commands[] = {
    {"check", "[--json] [FILE]", "read the configuration, say what is wrong",
	run_check},
    {"key new", "[NAME] [--dataset]", "make an API key and its hash",
	run_key_new},
    {"doctor", "[--json] [--no-engine] [URL]",
	"examine the deployment, its engines and its web server", run_doctor},
    {"ask", "BOT [QUESTION...]", "ask a bot, here on the terminal", ask_main},
    {"index", "[-v] [--json] [NAME]", "bring the search index up to date; -v: "
	"what was taken",
	run_index},
    {"try", "[--json] [--with FILE] BOT QUESTION",
	"ask the built-in engine, see how its answer came about", run_try},
    {"conversations", REPORT_CONVERSATIONS_ARGUMENTS,
	"what was asked, answered, rated, and what found nothing",
	run_conversations},
    {"usage", REPORT_USAGE_ARGUMENTS,
	"questions, tokens and prices of each key, site, bot and day",
	run_usage},
    {"site", "NAME", "the line that puts a site's chat on a page", run_site},
    {"forget", "--user ID",
	"remove all that one end user wrote, and the answers", run_forget},
    {"clean", "",
	"remove what is over its days, and uploads that no message needs",
	run_clean},
    {"help config", "", "print the reference of parlance.conf",
	run_help_config},
    {"help checks", "", "print what check and doctor look at",
	run_help_checks},
    {"help", "", "print this", run_help},
    {"version", "", "print the version", run_version},
    {"--help", "", NULL, run_help},
    {"--version", "", NULL, run_version},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
run_help(int argc, char **argv)
{
	char left[128];
	size_t i;

	(void)argc;
	(void)argv;
	(void)printf("usage: parlance COMMAND\n\n");
	for (i = 0; i < N_COMMANDS; i++) {
		if (commands[i].help == NULL)
			continue;
		(void)snprintf(left, sizeof(left), "%s %s",
		    commands[i].words, commands[i].arguments);
		(void)printf("  %-30s%s%s\n", left,
		    strlen(left) > 30 ? "\n                                 "
				      : " ",
		    commands[i].help);
	}
	(void)printf("\nThe configuration is the file named by "
		     "PARLANCE_CONFIG, else parlance.conf\n"
		     "beside the program, else "
		     "/etc/parlance/parlance.conf.\n"
		     "Run by a web server (GATEWAY_INTERFACE is set), this "
		     "program answers requests.\n");
	return 0;
}

/* How many words of the command line the command's words match; 0: none. */
static int
match(const struct command *command, int argc, char **argv)
{
	struct span rest = span_of(command->words);
	int n = 0;

	while (rest.data != NULL) {
		struct span word = span_cut(&rest, ' ');

		if (n >= argc || !span_is(word, argv[n]))
			return 0;
		n++;
	}
	return n;
}

int
admin_main(int argc, char **argv)
{
	const struct command *best = NULL;
	int best_words = 0, words;
	size_t i;

	argc--;
	argv++;
	for (i = 0; i < N_COMMANDS; i++) {
		words = match(&commands[i], argc, argv);
		if (words > best_words) {
			best = &commands[i];
			best_words = words;
		}
	}
	if (best != NULL)
		return best->run(argc - best_words, argv + best_words);
	if (argc <= 0) {
		(void)run_help(0, NULL);
		return 2;
	}
	for (i = 0; i < N_COMMANDS; i++) {
		struct span rest = span_of(commands[i].words);

		if (!span_is(span_cut(&rest, ' '), argv[0]))
			continue;
		(void)fprintf(stderr, "usage: parlance %s %s\n",
		    commands[i].words, commands[i].arguments);
		return 2;
	}
	(void)fprintf(stderr, "parlance: unknown command \"%s\"; see "
			      "parlance --help\n",
	    argv[0]);
	return 2;
}
