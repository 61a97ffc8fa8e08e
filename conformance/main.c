/*
 * chatconf: sends the requests described in the case files to a deployment
 * of either chat API and says where its answers differ from the
 * documentation.  This file reads the command line and puts the parts
 * together.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "cases/casefolder.h"
#include "cases/known.h"
#include "cases/rules.h"
#include "match/mem.h"
#include "report/human.h"
#include "report/machine.h"
#include "report/pages.h"
#include "run/preflight.h"
#include "selftest/selftest.h"
#include "match/transcript.h"

enum exit_code {
	EXIT_PASSED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOTHING = 3
};

struct command_line {
	struct run_options run;
	const char *target, *profile, *cases, *key_file, *known_file;
	const char *write_known, *json_file, *junit_file, *save_folder;
	const char *html_file, *markdown_file, *badge_file;
	const char *explain, *write_rc;
	const struct jv *set; /* from --set */
	const struct jv *features;
	bool list, selftest, tap, no_preflight, matrix, features_only;
	char **globs;
	int glob_count;
};

struct chatconf {
	struct arena arena; /* for the whole run */
	struct command_line options;
	const char *folder;
	struct casebook book;
	struct profile *profile;
	const char *key; /* or NULL */
	struct vars vars;
	struct known known;
};

static const char usage_text[] =
    "usage: chatconf [options] TARGET [CASE...]\n"
    "  chatconf http://localhost:8080                    over HTTP or HTTPS\n"
    "  chatconf cgi:./chat.cgi                           run a CGI program, "
    "one process a request\n"
    "  chatconf fcgi:./chat.sock  fcgi:127.0.0.1:9000    speak FastCGI to a "
    "running server\n"
    "  chatconf fcgi:./chat.fcgi                         start it on a "
    "private socket, test, stop it\n"
    "\n"
    "  -p, --profile NAME|FILE    v1 (default), dify, or your own\n"
    "  -s, --set NAME=VALUE       a variable, e.g. bot_slug=taxson\n"
    "  -f, --feature [no-]NAME    what the deployment has\n"
    "  -K, --key-file FILE        API key; or CHATCONF_KEY. There is no "
    "option that takes the key itself\n"
    "      --strict               failed `should` cases count\n"
    "      --house                run `house` cases too, and count them\n"
    "  -k, --known FILE           known failures, one name or glob a line; "
    "one that passes is an error\n"
    "      --write-known FILE     write that file from this run\n"
    "  -j, --jobs N               cases at a time (1)\n"
    "  -t, --timeout SEC          for one reply (30)\n"
    "      --retry N              only after 429 or 503; shown as \"ok, try "
    "2\"\n"
    "  -l, --list                 list the cases and count the requests; "
    "-lv explains each; send nothing\n"
    "  -x, --stop                 stop at the first failure\n"
    "  -q / -v                    groups of failures only / every case and "
    "exchange; the key is never shown\n"
    "      --no-preflight         begin with the cases at once\n"
    "      --tap  --json FILE  --junit FILE                 reports for "
    "machines\n"
    "      --html FILE  --markdown FILE  --badge FILE       reports for "
    "people, a line for a README\n"
    "      --save DIR             keep the exchange of every failure\n"
    "      --matrix               instead of TARGET: NAME=URL ..., one table "
    "of them\n"
    "      --explain CASE         what a case asks for, and the rule behind "
    "it\n"
    "      --write-rc[=FILE]      the file that the lines `again` give to "
    "curl -K (chatconf.rc)\n"
    "      --self-test            check the cases themselves; needs no "
    "target\n"
    "      --features             the features of the profile\n"
    "      --cases DIR            the folder of case files; or "
    "CHATCONF_CASES\n"
    "  -h, --help  --version\n"
    "\n"
    "exit: 0 all that counts passed, 1 something failed, 2 wrong usage or a "
    "wrong case file,\n"
    "3 the target could not be reached or no case matched\n";

/* ---- the command line --------------------------------------------------- */

enum {
	OPT_STRICT = 256,
	OPT_HOUSE,
	OPT_WRITE_KNOWN,
	OPT_RETRY,
	OPT_TAP,
	OPT_JSON,
	OPT_JUNIT,
	OPT_SAVE,
	OPT_SELFTEST,
	OPT_CASES,
	OPT_NO_PREFLIGHT,
	OPT_EXPLAIN,
	OPT_WRITE_RC,
	OPT_HTML,
	OPT_MARKDOWN,
	OPT_BADGE,
	OPT_MATRIX,
	OPT_FEATURES,
	OPT_VERSION
};

static const struct option long_options[] = {
    {"profile", required_argument, NULL, 'p'},
    {"set", required_argument, NULL, 's'},
    {"feature", required_argument, NULL, 'f'},
    {"key-file", required_argument, NULL, 'K'},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"house", no_argument, NULL, OPT_HOUSE},
    {"known", required_argument, NULL, 'k'},
    {"write-known", required_argument, NULL, OPT_WRITE_KNOWN},
    {"jobs", required_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 't'},
    {"retry", required_argument, NULL, OPT_RETRY},
    {"list", no_argument, NULL, 'l'},
    {"stop", no_argument, NULL, 'x'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"tap", no_argument, NULL, OPT_TAP},
    {"json", required_argument, NULL, OPT_JSON},
    {"junit", required_argument, NULL, OPT_JUNIT},
    {"save", required_argument, NULL, OPT_SAVE},
    {"self-test", no_argument, NULL, OPT_SELFTEST},
    {"cases", required_argument, NULL, OPT_CASES},
    {"explain", required_argument, NULL, OPT_EXPLAIN},
    {"write-rc", optional_argument, NULL, OPT_WRITE_RC},
    {"html", required_argument, NULL, OPT_HTML},
    {"markdown", required_argument, NULL, OPT_MARKDOWN},
    {"badge", required_argument, NULL, OPT_BADGE},
    {"features", no_argument, NULL, OPT_FEATURES},
    {"matrix", no_argument, NULL, OPT_MATRIX},
    {"no-preflight", no_argument, NULL, OPT_NO_PREFLIGHT},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool
complain(const char *what, const char *detail)
{
	fprintf(stderr, "chatconf: %s%s\n", what, detail);
	return false;
}

static bool
read_number(const char *name, int64_t min, int64_t max, int *out)
{
	int64_t value;

	if (!text_to_int64(span_of(optarg), min, max, &value)) {
		fprintf(stderr, "chatconf: %s needs a number from %lld to "
				"%lld, not %s\n",
		    name, (long long)min, (long long)max, optarg);
		return false;
	}
	*out = (int)value;
	return true;
}

static bool
read_set(struct chatconf *c)
{
	struct span value = span_of(optarg), name;
	struct command_line *o = &c->options;

	name = span_cut(&value, '=');
	if (value.data == NULL || !vars_is_name(name))
		return complain("--set needs NAME=VALUE, not ", optarg);
	if (span_is(name, "key"))
		return complain("the key comes from CHATCONF_KEY or ",
		    "--key-file, never from the command line");
	o->set = jv_with(&c->arena, o->set,
	    span_of(mem_printf(&c->arena, "/%.*s", (int)name.len,
		name.data)),
	    jv_string(&c->arena, value));
	return true;
}

static void
read_feature(struct chatconf *c)
{
	struct command_line *o = &c->options;
	bool on = strncmp(optarg, "no-", 3) != 0;

	o->features = jv_with(&c->arena, o->features,
	    span_of(mem_printf(&c->arena, "/%s", on ? optarg : optarg + 3)),
	    jv_bool(&c->arena, on));
}

static bool
read_option(struct chatconf *c, int opt)
{
	struct command_line *o = &c->options;
	int seconds;

	switch (opt) {
	case 'p':
		o->profile = optarg;
		return true;
	case 's':
		return read_set(c);
	case 'f':
		read_feature(c);
		return true;
	case 'K':
		o->key_file = optarg;
		return true;
	case 'k':
		o->known_file = optarg;
		return true;
	case 'j':
		return read_number("--jobs", 1, 256, &o->run.jobs);
	case 't':
		if (!read_number("--timeout", 1, 86400, &seconds))
			return false;
		o->run.timeout_ms = seconds * 1000;
		return true;
	case 'l':
		o->list = true;
		return true;
	case 'x':
		o->run.stop = true;
		return true;
	case 'q':
		o->run.quiet = true;
		return true;
	case 'v':
		o->run.verbose = true;
		return true;
	case OPT_STRICT:
		o->run.strict = true;
		return true;
	case OPT_HOUSE:
		o->run.house = true;
		return true;
	case OPT_WRITE_KNOWN:
		o->write_known = optarg;
		return true;
	case OPT_RETRY:
		return read_number("--retry", 0, 100, &o->run.retries);
	case OPT_TAP:
		o->tap = true;
		return true;
	case OPT_JSON:
		o->json_file = optarg;
		return true;
	case OPT_JUNIT:
		o->junit_file = optarg;
		return true;
	case OPT_SAVE:
		o->save_folder = optarg;
		return true;
	case OPT_SELFTEST:
		o->selftest = true;
		return true;
	case OPT_EXPLAIN:
		o->explain = optarg;
		return true;
	case OPT_WRITE_RC:
		o->write_rc = optarg == NULL ? "chatconf.rc" : optarg;
		return true;
	case OPT_HTML:
		o->html_file = optarg;
		return true;
	case OPT_MARKDOWN:
		o->markdown_file = optarg;
		return true;
	case OPT_BADGE:
		o->badge_file = optarg;
		return true;
	case OPT_FEATURES:
		o->list = o->features_only = true;
		return true;
	case OPT_MATRIX:
		o->matrix = true;
		return true;
	case OPT_NO_PREFLIGHT:
		o->no_preflight = true;
		return true;
	case OPT_CASES:
		o->cases = optarg;
		return true;
	default:
		return false;
	}
}

/* -1 to go on, else the exit code. */
static int
read_command_line(struct chatconf *c, int argc, char **argv)
{
	struct command_line *o = &c->options;
	int opt;

	*o = (struct command_line){.run = {.jobs = 1, .timeout_ms = 30000}};
	o->set = o->features = jv_object(&c->arena, NULL, NULL, 0);
	while ((opt = getopt_long(argc, argv, "p:s:f:K:k:j:t:lxqvh",
		    long_options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage_text, stdout);
			return EXIT_PASSED;
		}
		if (opt == OPT_VERSION) {
			puts("chatconf " CHATCONF_VERSION);
			return EXIT_PASSED;
		}
		if (!read_option(c, opt)) {
			fputs("try chatconf --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (o->explain != NULL)
		o->list = o->run.verbose = true;
	if (optind < argc && !o->selftest && !o->list && !o->matrix &&
	    o->write_rc == NULL)
		o->target = argv[optind++];
	else if (optind < argc && (strncmp(argv[optind], "http", 4) == 0 ||
				      strstr(argv[optind], "cgi:") != NULL))
		o->target = argv[optind++];
	o->globs = argv + optind;
	o->glob_count = argc - optind;
	if (o->matrix && o->glob_count == 0)
		return complain("--matrix needs NAME=URL ...", "") ? 0
								   : EXIT_USAGE;
	if (o->target == NULL && !o->selftest && !o->list && !o->matrix &&
	    o->write_rc == NULL) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* ---- variables ---------------------------------------------------------- */

static bool
read_key(struct chatconf *c)
{
	const char *file = c->options.key_file, *key = getenv("CHATCONF_KEY");
	struct span text;

	if (file != NULL) {
		text = casefolder_read(&c->arena, file);
		if (text.data == NULL) {
			fprintf(stderr, "chatconf: %s: %s\n", file,
			    strerror(errno));
			return false;
		}
		text = span_trim(text);
		if (text.len == 0)
			return complain(file, " is empty");
		c->key = must(arena_strndup(&c->arena, text.data, text.len));
	} else if (key != NULL && *key != '\0') {
		c->key = key;
	}
	if (c->key != NULL && text_breaks_line(span_of(c->key)))
		return complain("the key must be one line", "");
	return true;
}

/* The layers that do not change during the run.  A run that sends nothing
 * has placeholders for what is not known. */
static bool
make_vars(struct chatconf *c, bool pretend)
{
	const struct jv *always = jv_object(&c->arena, NULL, NULL, 0);
	unsigned char random[4] = {0};
	const char *key = c->key;
	uint32_t number;

	if (!pretend && random_bytes(random, sizeof(random)) != ERR_NONE)
		return complain("no random bytes", "");
	if (pretend && key == NULL)
		key = "key";
	always = jv_append(&c->arena, always, "run",
	    jv_cstring(&c->arena,
		mem_printf(&c->arena, "%02x%02x%02x%02x", random[0],
		    random[1], random[2], random[3])));
	memcpy(&number, random, sizeof(number));
	always = jv_append(&c->arena, always, "number",
	    jv_cstring(&c->arena,
		mem_printf(&c->arena, "%u", 100000000 + number % 900000000)));
	if (key != NULL)
		always = jv_append(&c->arena, always, "key",
		    jv_cstring(&c->arena, key));
	c->vars = (struct vars){.layers = {[VARS_SET] = c->options.set,
				    [VARS_ALWAYS] = always}};
	return true;
}

/* A variable that is no text in the profile is JSON on the command line
 * too: -s 'inputs={"city":"Oslo"}'. */
static bool
read_set_json(struct chatconf *c, const struct profile *profile)
{
	const struct jv *set = c->options.set, *usual, *value;
	struct jv_error error;
	size_t i;

	for (i = 0; i < set->count; i++) {
		usual = jv_get_span(profile->vars, set->names[i]);
		if (usual == NULL || usual->kind == JV_STRING ||
		    usual->kind == JV_NULL)
			continue;
		value = jv_parse(&c->arena, set->items[i]->text, true,
		    &error);
		if (value == NULL)
			return complain("not JSON: --set ",
			    set->names[i].data);
		c->options.set = jv_replace(&c->arena, c->options.set, i,
		    value);
	}
	c->vars.layers[VARS_SET] = c->options.set;
	return true;
}

static const struct jv *
with_feature_vars(struct chatconf *c, const struct profile *profile)
{
	const struct jv *all = profile->feature_vars, *vars = profile->vars;
	const struct jv *on;
	size_t i, j;

	for (i = 0; all != NULL && i < all->count; i++) {
		on = jv_get_span(profile->features, all->names[i]);
		for (j = 0; on != NULL && on->truth && j < all->items[i]->count;
		     j++)
			vars = jv_with(&c->arena, vars,
			    span_of(mem_printf(&c->arena, "/%s",
				all->items[i]->names[j].data)),
			    all->items[i]->items[j]);
	}
	return vars;
}

/* The profile's variables may use --set, key and run. */
static bool
add_profile_vars(struct chatconf *c, const struct profile *profile,
    struct vars *vars)
{
	struct span undefined;
	const struct jv *filled;

	if (profile->vars != NULL && !read_set_json(c, profile))
		return false;
	*vars = c->vars;
	if (profile->vars == NULL)
		return true;
	filled = vars_fill(&c->arena, vars, with_feature_vars(c, profile),
	    &undefined);
	if (filled == NULL) {
		fprintf(stderr, "%s: {{%s}} is not defined%s\n",
		    profile->file, undefined.data,
		    span_is(undefined, "key")
			? ": give the key in CHATCONF_KEY or --key-file"
			: "");
		return false;
	}
	vars->layers[VARS_PROFILE] = filled;
	return true;
}

static bool
apply_features(struct chatconf *c)
{
	const struct jv *f = c->options.features;
	const struct jv *known = c->profile->features;
	struct span path;
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (jv_get_span(known, f->names[i]) == NULL) {
			fprintf(stderr,
			    "chatconf: the profile %s has no feature %s\n",
			    c->profile->name, f->names[i].data);
			return false;
		}
		path = span_of(mem_printf(&c->arena, "/%s",
		    f->names[i].data));
		c->profile->features = jv_with(&c->arena,
		    c->profile->features, path, f->items[i]);
	}
	return true;
}

/* ---- choosing cases ----------------------------------------------------- */

static bool
is_chosen(const struct chatconf *c, const struct testcase *test)
{
	int i;

	if (test->level == LEVEL_HOUSE && !c->options.run.house &&
	    !c->options.list && !c->options.selftest)
		return false;
	if (c->options.explain != NULL)
		return fnmatch(c->options.explain, test->name, 0) == 0;
	if (c->options.glob_count == 0 || c->options.matrix)
		return true;
	for (i = 0; i < c->options.glob_count; i++)
		if (fnmatch(c->options.globs[i], test->name, 0) == 0)
			return true;
	return false;
}

static size_t
count_requests(const struct chatconf *c, const struct run *run)
{
	bool *seen = must(calloc(c->book.suite_count + 1, sizeof(bool)));
	const struct testcase *test;
	size_t i, j, n = 0;

	for (i = 0; i < run->count; i++) {
		test = run->results[i].test;
		n += test->step_count;
		for (j = 0; j < test->step_count; j++)
			if (test->steps[j].change != NULL &&
			    !seen[test->suite->index]) {
				seen[test->suite->index] = true;
				n++;
			}
	}
	free(seen);
	return n;
}

static bool
mentions(const struct jv *tree, const char *mark)
{
	size_t i;

	if (tree == NULL)
		return false;
	if (tree->kind == JV_STRING &&
	    memmem(tree->text.data, tree->text.len, mark, strlen(mark)) !=
		NULL)
		return true;
	for (i = 0; i < tree->count; i++)
		if (mentions(tree->items[i], mark) ||
		    (tree->kind == JV_OBJECT &&
			strstr(tree->names[i].data, mark) != NULL))
			return true;
	return false;
}

static bool
case_mentions(const struct testcase *test, const char *mark)
{
	size_t i;

	if (mentions(test->suite->base, mark) || mentions(test->row, mark))
		return true;
	for (i = 0; i < test->step_count; i++)
		if (mentions(test->steps[i].request, mark) ||
		    mentions(test->steps[i].change, mark) ||
		    mentions(test->steps[i].expect, mark))
			return true;
	return false;
}

/* A variable that was set and nobody uses is likely misspelt. */
static void
warn_of_unused(struct chatconf *c, const struct run *run)
{
	const struct jv *set = c->options.set;
	const char *mark;
	size_t i, j;

	for (i = 0; i < set->count; i++) {
		if (jv_get_span(c->profile->vars, set->names[i]) != NULL)
			continue;
		mark = mem_printf(&c->arena, "{{%s}}", set->names[i].data);
		for (j = 0; j < run->count; j++)
			if (case_mentions(run->results[j].test, mark))
				break;
		if (j == run->count && !mentions(c->profile->headers, mark) &&
		    !mentions(c->profile->vars, mark))
			complain("no case uses the variable ",
			    set->names[i].data);
	}
}

/* Fills run->results with the chosen cases; false when one is wrong. */
static bool
choose(struct chatconf *c, struct run *run)
{
	const struct testcase *test;
	struct result *r;
	struct span undefined;
	bool good = true;
	size_t i;

	if (vars_fill(&c->arena, &run->vars, c->profile->headers,
		&undefined) == NULL &&
	    span_is(undefined, "key"))
		return complain("no key: give it in CHATCONF_KEY or with ",
		    "--key-file");
	run->results = must(calloc(c->book.count + 1, sizeof(struct result)));
	for (i = 0; i < c->book.count; i++) {
		test = &c->book.cases[i];
		if (!profile_chooses(c->profile, test->name) ||
		    !is_chosen(c, test))
			continue;
		if (!casebook_check(c->profile, &run->vars, test))
			good = false;
		r = &run->results[run->count++];
		r->test = test;
		r->known = known_has(&c->known, test->name);
		r->live_known = known_has(&c->known,
		    mem_printf(&c->arena, "%s~live", test->name));
	}
	return good;
}

/* ---- listing ------------------------------------------------------------ */

static void
print_indented(const char *text)
{
	const char *end;

	for (; (end = strchr(text, '\n')) != NULL; text = end + 1)
		if (end > text)
			printf("    | %.*s\n", (int)(end - text), text);
}

static void
explain(const struct chatconf *c, const struct run *run,
    const struct testcase *test)
{
	struct vars vars = run->vars;
	struct prepared p;
	struct arena a;
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	printf("    %s\n    %s; %s\n", testcase_title(&a, &run->vars, test),
	    level_names[test->level], test->source);
	print_indented(rules_text(&a, c->folder, test->source));
	for (i = 0; test->requires != NULL && i < test->requires->count; i++)
		printf("    needs %s\n", test->requires->items[i]->text.data);
	for (i = 0; i < test->step_count; i++) {
		if (step_prepare(&a, run->profile, &vars, test, i, &p) ==
		    NULL)
			printf("    > %s\n    < %s\n",
			    transcript_mask(&a, transcript_line(&a, &p.wire),
				run->secret, "{{key}}"),
			    jv_show(&a, p.expect, 400));
		step_pretend(&a, &vars, &test->steps[i]);
	}
	arena_release(&a);
}

static int
list_cases(struct chatconf *c, struct run *run)
{
	size_t i, levels[3] = {0};

	for (i = 0; i < run->count; i++) {
		printf("%-6s %s\n",
		    level_names[run->results[i].test->level],
		    run->results[i].test->name);
		levels[run->results[i].test->level]++;
		if (c->options.run.verbose)
			explain(c, run, run->results[i].test);
	}
	printf("%zu cases (%zu must, %zu should, %zu house), %zu requests\n",
	    run->count, levels[0], levels[1], levels[2],
	    count_requests(c, run));
	return run->count > 0 ? EXIT_PASSED : EXIT_NOTHING;
}

/* For completion: names, each also with "no-". */
static int
list_features(const struct chatconf *c)
{
	const struct jv *features = c->profile->features;
	size_t i;

	for (i = 0; features != NULL && i < features->count; i++)
		printf("%s\nno-%s\n", features->names[i].data,
		    features->names[i].data);
	return EXIT_PASSED;
}

/* ---- curl's file -------------------------------------------------------- */

/* A value between quotes, as curl's configuration reads it. */
static void
add_quoted(struct buf *out, struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, text.data[i]);
	}
}

/* The headers that the lines "again" take from chatconf.rc. */
static int
write_rc(struct chatconf *c, const struct run *run)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const char *path = c->options.write_rc;
	const struct jv *h;
	struct span undefined;
	FILE *file;
	size_t i;
	int fd;

	h = vars_fill(&c->arena, &run->vars, run->profile->headers,
	    &undefined);
	if (h == NULL) {
		complain("no key: give it in CHATCONF_KEY or with ",
		    "--key-file");
		return EXIT_USAGE;
	}
	for (i = 0; i < h->count; i++) {
		buf_printf(&b, "header = \"%s: ", h->names[i].data);
		add_quoted(&b, h->items[i]->text);
		buf_adds(&b, "\"\n");
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	file = fd < 0 || fchmod(fd, 0600) != 0 ? NULL : fdopen(fd, "w");
	if (file == NULL || fputs(buf_text(&b), file) < 0 ||
	    fclose(file) != 0) {
		fprintf(stderr, "chatconf: %s: %s\n", path, strerror(errno));
		buf_release(&b);
		return EXIT_USAGE;
	}
	buf_release(&b);
	return EXIT_PASSED;
}

/* ---- the self-test ------------------------------------------------------ */

static bool
selftest_profile(struct chatconf *c, const char *name, bool *tested,
    struct selftest_score *score)
{
	struct profile *profile = profile_load(&c->arena, c->folder, name);
	const struct testcase *test;
	struct vars vars;
	size_t i;

	if (profile == NULL || !add_profile_vars(c, profile, &vars))
		return false;
	for (i = 0; i < c->book.count; i++) {
		test = &c->book.cases[i];
		if (!profile_chooses(profile, test->name) ||
		    !is_chosen(c, test) || profile->translate != NULL)
			continue;
		if (tested[i])
			continue;
		tested[i] = true;
		if (casebook_check(profile, &vars, test))
			selftest_case(profile, &vars, test, score);
		else
			score->errors++;
	}
	return true;
}

static int
selftest(struct chatconf *c)
{
	struct selftest_score score = {.cases = 0};
	bool *tested = must(calloc(c->book.count + 1, sizeof(bool)));
	char **names = casefolder_find_profiles(&c->arena, c->folder);
	size_t i;
	bool good = true;

	if (c->options.profile != NULL)
		good = selftest_profile(c, c->options.profile, tested,
		    &score);
	else
		for (i = 0; names[i] != NULL; i++)
			good = selftest_profile(c, names[i], tested,
				   &score) && good;
	for (i = 0; i < c->book.count; i++)
		if (!tested[i] && is_chosen(c, &c->book.cases[i]) &&
		    c->options.profile == NULL) {
			fprintf(stderr, "%s: no profile chooses it\n",
			    c->book.cases[i].name);
			score.errors++;
		}
	free(tested);
	printf("self-test: %zu cases, %zu samples, %zu broken replies, %zu "
	       "refused\n",
	    score.cases, score.samples, score.breaks,
	    score.breaks - score.accepted);
	if (score.cases == 0 && score.errors == 0)
		return EXIT_NOTHING;
	if (score.errors > 0)
		printf("self-test: %zu ERRORS\n", score.errors);
	return good && score.errors == 0 ? EXIT_PASSED : EXIT_USAGE;
}

/* ---- running ------------------------------------------------------------ */

static bool
write_known(const struct chatconf *c, const struct run *run)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const struct result *r;
	size_t i;
	bool good;

	buf_printf(&b, "# known failures of %s\n", run->target->spec);
	for (i = 0; i < run->count; i++) {
		r = &run->results[i];
		if (r->verdict == VERDICT_FAILED ||
		    r->verdict == VERDICT_UNTESTED)
			buf_printf(&b, "%s\n", r->test->name);
		if (r->live == SSE_LIVE_NO)
			buf_printf(&b, "%s~live\n", r->test->name);
	}
	good = casefolder_write(c->options.write_known,
	    (struct span){buf_text(&b), b.len});
	buf_release(&b);
	return good;
}

static bool
save_failures(const struct chatconf *c, const struct run *run)
{
	const char *folder = c->options.save_folder;
	enum verdict verdict;
	bool good = true;
	size_t i;

	if (folder == NULL)
		return true;
	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "chatconf: %s: %s\n", folder,
		    strerror(errno));
		return false;
	}
	for (i = 0; i < run->count; i++) {
		verdict = run->results[i].verdict;
		if (verdict == VERDICT_FAILED || verdict == VERDICT_UNTESTED)
			good = report_save(run, &run->results[i], folder) &&
			    good;
	}
	return good;
}

static bool
write_reports(struct chatconf *c, const struct run *run, double seconds)
{
	const struct command_line *o = &c->options;
	struct arena a;
	bool good = true;

	arena_init(&a, MEM_ARENA_MAX);
	if (o->tap)
		good = casefolder_write("-", report_tap(&a, run));
	if (o->json_file != NULL)
		good = casefolder_write(o->json_file,
			   report_json(&a, run, seconds)) && good;
	if (o->junit_file != NULL)
		good = casefolder_write(o->junit_file,
			   report_junit(&a, run, seconds)) && good;
	if (o->html_file != NULL)
		good = casefolder_write(o->html_file,
			   page_html(&a, run, c->folder, seconds)) && good;
	if (o->markdown_file != NULL)
		good = casefolder_write(o->markdown_file,
			   page_markdown(&a, run, seconds)) && good;
	if (o->badge_file != NULL)
		good = casefolder_write(o->badge_file, page_badge(&a, run)) &&
		    good;
	arena_release(&a);
	if (o->write_known != NULL)
		good = write_known(c, run) && good;
	return save_failures(c, run) && good;
}

static void
say_nothing(void *ctx, struct result *result)
{
	(void)ctx;
	buf_release(&result->log);
}

static void
wait_silently(void *ctx, const struct result *next)
{
	(void)ctx;
	(void)next;
}

/* What curl would read from chatconf.rc: the profile's headers. */
static void
set_usual_headers(struct chatconf *c, struct run *run)
{
	const struct jv *h;
	struct header *usual;
	struct span undefined;
	size_t i;

	h = vars_fill(&c->arena, &run->vars, run->profile->headers,
	    &undefined);
	if (h == NULL)
		return;
	usual = mem_array(&c->arena, h->count, sizeof(*usual));
	for (i = 0; i < h->count; i++)
		usual[i] = (struct header){h->names[i], h->items[i]->text};
	run->target->usual = usual;
	run->target->usual_count = h->count;
}

/* The preflight, before a whole profile is run.  -1 to go on, else the exit
 * code. */
static int
check_first(struct chatconf *c, struct run *run, struct human *human)
{
	struct preflight found;

	if (c->options.glob_count > 0 || c->options.no_preflight)
		return -1;
	preflight_run(&c->arena, run, &found);
	if (found.unreachable != NULL) {
		fprintf(stderr, "chatconf: %s: %s\n", run->target->spec,
		    found.unreachable);
		return EXIT_NOTHING;
	}
	if (found.says == NULL) {
		if (found.notice != NULL && !c->options.tap)
			human_notice(human,
			    outcome_mask(&c->arena, run, found.notice));
		return -1;
	}
	run->verdict = outcome_mask(&c->arena, run, found.says);
	run->remedy = found.remedy;
	if (!c->options.tap)
		human_verdict(human, run->verdict, run->remedy);
	write_reports(c, run, 0);
	return EXIT_FAILED;
}

static int
run_cases(struct chatconf *c, struct run *run)
{
	struct human human;
	struct summary summary;
	int64_t begun = clock_monotonic_us();
	double seconds;
	bool good;
	int code;

	human_init(&human, run);
	run->ctx = &human;
	run->on_result = c->options.tap ? say_nothing : human_result;
	run->on_waiting = c->options.tap ? wait_silently : human_waiting;
	if (!c->options.tap)
		human_begin(&human, count_requests(c, run));
	code = check_first(c, run, &human);
	if (code >= 0)
		return code;
	run_all(run, c->book.suite_count);
	run->ctx = NULL;
	seconds = (double)(clock_monotonic_us() - begun) / 1e6;
	if (run->unreachable != NULL) {
		fprintf(stderr, "chatconf: %s: %s\n", run->target->spec,
		    run->unreachable);
		return EXIT_NOTHING;
	}
	if (!c->options.tap)
		human_end(&human, seconds);
	good = write_reports(c, run, seconds);
	summary_make(&c->arena, run, &summary);
	if (!summary_passed(&summary))
		return EXIT_FAILED;
	if (run->reached == 0) {
		complain("no case ran: ", "every one needs a feature that "
					  "is off");
		return EXIT_NOTHING;
	}
	return good ? EXIT_PASSED : EXIT_USAGE;
}

/* A URL may end in what the paths of the cases begin with already, as
 * clients have it: http://host/v1. */
static void
cut_url(struct chatconf *c, struct run *run)
{
	struct span url = span_of(run->target->rest), undefined;
	const struct jv *end;

	if (run->target->kind != &target_http ||
	    run->profile->url_end == NULL)
		return;
	end = vars_fill(&c->arena, &run->vars,
	    jv_cstring(&c->arena, run->profile->url_end), &undefined);
	while (span_ends(url, "/"))
		url.len--;
	if (end != NULL && end->kind == JV_STRING && end->text.len > 0 &&
	    span_ends(url, end->text.data))
		run->target->rest = must(arena_strndup(&c->arena, url.data,
		    url.len - end->text.len));
}

static int
open_and_run(struct chatconf *c, struct run *run)
{
	const char *why;
	int code;

	run->target = target_open(&c->arena, c->options.target, &why);
	if (run->target == NULL) {
		free(run->results);
		complain("", why);
		return strncmp(why, "a target", 8) == 0 ? EXIT_USAGE
							: EXIT_NOTHING;
	}
	run->target->timeout_ms = c->options.run.timeout_ms;
	run->target->noisy = c->options.run.verbose;
	set_usual_headers(c, run);
	cut_url(c, run);
	code = run_cases(c, run);
	run_release(run);
	target_close(run->target);
	return code;
}

/* ---- several servers ---------------------------------------------------- */

/* One server of --matrix, NAME=URL, into its column. */
static bool
run_column(struct chatconf *c, char *spec, struct matrix_column *column)
{
	struct run run = {.options = c->options.run, .profile = c->profile,
	    .secret = c->key == NULL ? "" : c->key,
	    .on_result = say_nothing, .on_waiting = wait_silently};
	struct preflight found;
	struct summary summary;
	const char *why;
	char *url = strchr(spec, '=');

	if (url == NULL || !add_profile_vars(c, c->profile, &run.vars) ||
	    !choose(c, &run)) {
		free(run.results);
		return url != NULL || complain("not NAME=URL: ", spec);
	}
	*url++ = '\0';
	*column = (struct matrix_column){.name = spec};
	run.target = target_open(&c->arena, url, &why);
	if (run.target == NULL) {
		free(run.results);
		return complain("", why);
	}
	run.target->timeout_ms = c->options.run.timeout_ms;
	set_usual_headers(c, &run);
	cut_url(c, &run);
	preflight_run(&c->arena, &run, &found);
	column->verdict = found.unreachable == NULL ? found.says
						    : found.unreachable;
	if (column->verdict == NULL) {
		run_all(&run, c->book.suite_count);
		groups_make(&c->arena, &run, &column->groups);
		summary_make(&c->arena, &run, &summary);
		column->passed = summary.counts[OUTCOME_OK];
		column->failed = summary.counts[OUTCOME_FAILED] +
		    summary.counts[OUTCOME_UNTESTED] +
		    summary.counts[OUTCOME_KNOWN_PASSES];
	}
	run_release(&run);
	target_close(run.target);
	return true;
}

static int
run_matrix(struct chatconf *c)
{
	size_t i, count = (size_t)c->options.glob_count;
	struct matrix_column *columns = mem_array(&c->arena, count,
	    sizeof(*columns));
	int code = EXIT_PASSED;

	for (i = 0; i < count; i++) {
		if (!run_column(c, c->options.globs[i], &columns[i]))
			return EXIT_USAGE;
		if (columns[i].failed > 0 || columns[i].verdict != NULL)
			code = EXIT_FAILED;
	}
	matrix_print(columns, count);
	return code;
}

static bool
check_profile(struct chatconf *c)
{
	const struct jv *at = NULL;
	const char *why;

	if (c->profile->preflight == NULL)
		return true;
	why = preflight_fault(&c->arena, c->profile->preflight, &at);
	if (why != NULL)
		fprintf(stderr, "%s:%u: %s\n", c->profile->file, at->line,
		    why);
	return why == NULL;
}

static int
list_or_run(struct chatconf *c)
{
	struct run run = {.options = c->options.run};
	bool good;
	int code;

	c->profile = profile_load(&c->arena, c->folder,
	    c->options.profile == NULL ? "v1" : c->options.profile);
	if (c->profile == NULL || !check_profile(c) || !apply_features(c) ||
	    !make_vars(c, c->options.list))
		return EXIT_USAGE;
	if (!add_profile_vars(c, c->profile, &run.vars))
		return EXIT_USAGE;
	if (c->options.known_file != NULL &&
	    !known_load(&c->arena, c->options.known_file, &c->book,
		&c->known))
		return EXIT_USAGE;
	run.profile = c->profile;
	run.secret = c->key == NULL ? "" : c->key;
	if (c->options.write_rc != NULL)
		return write_rc(c, &run);
	if (c->options.features_only)
		return list_features(c);
	if (c->options.matrix)
		return run_matrix(c);
	good = choose(c, &run);
	warn_of_unused(c, &run);
	if (!good) {
		code = EXIT_USAGE;
	} else if (c->options.list) {
		code = list_cases(c, &run);
	} else if (run.count == 0) {
		complain("no case matches", "");
		code = EXIT_NOTHING;
	} else {
		return open_and_run(c, &run);
	}
	free(run.results);
	return code;
}

static int
run_chatconf(struct chatconf *c, int argc, char **argv)
{
	int code = read_command_line(c, argc, argv);

	if (code >= 0)
		return code;
	c->folder = casefolder_find(&c->arena, c->options.cases);
	if (!read_key(c) || !casebook_load(&c->arena, c->folder, &c->book))
		return EXIT_USAGE;
	if (!c->options.selftest)
		return list_or_run(c);
	return make_vars(c, true) ? selftest(c) : EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct chatconf c = {.key = NULL};
	int code;

	signal(SIGPIPE, SIG_IGN);
	arena_init(&c.arena, MEM_ARENA_MAX);
	code = run_chatconf(&c, argc, argv);
	casebook_release(&c.book);
	arena_release(&c.arena);
	return code;
}
