/* See human.h. */
#include "human.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "match/mem.h"
#include "match/transcript.h"

void
human_init(struct human *human, struct run *run)
{
	const char *no_color = getenv("NO_COLOR");
	size_t i, len;

	*human = (struct human){.run = run, .width = 30,
	    .begun_us = clock_monotonic_us()};
	if (run->options.verbose)
		human->detail = HUMAN_ALL;
	else if (run->count <= HUMAN_FEW && !run->options.quiet)
		human->detail = HUMAN_CASES;
	human->colour = isatty(1) && (no_color == NULL || *no_color == '\0');
	for (i = 0; i < run->count; i++) {
		len = strlen(run->results[i].test->name);
		if ((int)len > human->width && len <= 56)
			human->width = (int)len;
	}
}

void
human_begin(struct human *human, size_t requests)
{
	const struct run *run = human->run;

	printf("chatconf %s: %s, profile %s, %zu %s, %zu %s\n",
	    CHATCONF_VERSION, run->target->spec, run->profile->name,
	    run->count, run->count == 1 ? "case" : "cases", requests,
	    requests == 1 ? "request" : "requests");
	fflush(stdout);
}

static void
clear_waiting(struct human *human)
{
	if (human->waiting)
		fputs("\r\033[K", stdout);
	human->waiting = false;
}

void
human_verdict(struct human *human, const char *says, const char *remedy)
{
	clear_waiting(human);
	printf("%sFAIL%s  %s\n      fix: %s\n",
	    human->colour ? "\033[1;31m" : "",
	    human->colour ? "\033[0m" : "", says, remedy);
	fflush(stdout);
}

void
human_notice(struct human *human, const char *text)
{
	clear_waiting(human);
	printf("note  %s\n", text);
	fflush(stdout);
}

/* "120 of 362, 14 s left". */
static void
print_progress(const struct human *human)
{
	const struct run *run = human->run;
	int64_t us = clock_monotonic_us() - human->begun_us;
	size_t left = run->count - run->reported;

	printf("%zu of %zu", run->reported, run->count);
	if (run->reported >= 5 && us > 1000000)
		printf(", %lld s left",
		    (long long)(us / 1000000 * (int64_t)left /
			(int64_t)run->reported));
}

void
human_waiting(void *ctx, const struct result *next)
{
	struct human *human = ctx;
	struct winsize size;
	int columns = 79;

	if (!human->colour)
		return;
	clear_waiting(human);
	if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 40)
		columns = size.ws_col - 1;
	fputs("\033[2m      ", stdout);
	print_progress(human);
	printf("  %.*s\033[0m", columns - 36, next->test->name);
	fflush(stdout);
	human->waiting = true;
}

static void
print_word(const struct human *human, enum outcome outcome)
{
	static const char *const colours[] = {"32", "1;31", "1;31", "33",
	    "1;31", "33", "2"};

	if (human->colour)
		printf("\033[%sm%-5s\033[0m ", colours[outcome],
		    outcome_words[outcome]);
	else
		printf("%-5s ", outcome_words[outcome]);
}

static void
print_indented(const char *prefix, const char *text)
{
	const char *end;

	for (;;) {
		end = strchr(text, '\n');
		if (end == NULL)
			break;
		printf("%s%.*s\n", prefix, (int)(end - text), text);
		text = end + 1;
	}
	printf("%s%s\n", prefix, text);
}

/* The lines below the first. */
static void
print_failure(const struct human *human, const struct result *r)
{
	const char *red = human->colour ? "\033[31m" : "";
	const char *green = human->colour ? "\033[32m" : "";
	const char *plain = human->colour ? "\033[0m" : "";
	struct failure f;
	struct arena a;

	arena_init(&a, MEM_ARENA_MAX);
	failure_describe(&a, human->run, r, &f);
	if (f.unsure != NULL)
		printf("      %s\n", f.unsure);
	if (f.steps != NULL)
		printf("      %s\n", f.steps);
	print_indented("      ", f.request);
	printf("      %s\n", f.where);
	printf("        %s- %s%s\n", green, f.expected, plain);
	printf("        %s+ %s%s\n", red, f.got, plain);
	printf("      source  %s\n", f.source);
	print_indented("      again   ", f.again);
	arena_release(&a);
}

#define BUFFERING                                                              \
	"      a web server is buffering: see \"Streaming\" in the manual of " \
	"the server in front\n"

static void
print_live(struct human *human, const struct result *r)
{
	enum outcome outcome = outcome_of_live(human->run, r);
	char *name;

	if (outcome == OUTCOME_NA ||
	    (outcome == OUTCOME_OK && !human->run->options.verbose))
		return;
	if (asprintf(&name, "%s~live", r->test->name) < 0)
		return;
	print_word(human, outcome);
	printf("%-*s  %s\n", human->width, name,
	    outcome == OUTCOME_KNOWN_PASSES
		? "is in the list of known failures, and passes"
		: r->live_why);
	free(name);
	if (r->live == SSE_LIVE_NO)
		fputs(BUFFERING, stdout);
}

static void
print_case(struct human *human, const struct result *r, enum outcome outcome)
{
	print_word(human, outcome);
	if (outcome == OUTCOME_NA) {
		printf("%-*s  ", human->width, r->test->name);
		if (r->lacks != NULL)
			printf("give -s %s=TEXT\n", r->lacks);
		else
			printf("feature %s is off\n", r->feature);
		return;
	}
	printf("%-*s %6lld ms", human->width, r->test->name,
	    (long long)((r->us + 500) / 1000));
	if (r->events > 0)
		printf("  %zu events", r->events);
	if (r->tries > 1)
		printf("  %stry %u", outcome == OUTCOME_OK ? "ok, " : "",
		    r->tries);
	putchar('\n');
	if (outcome == OUTCOME_KNOWN_PASSES)
		fputs("      is in the list of known failures, and passes\n",
		    stdout);
	else if (outcome == OUTCOME_FAILED || outcome == OUTCOME_UNTESTED ||
	    outcome == OUTCOME_WARNING)
		print_failure(human, r);
}

void
human_result(void *ctx, struct result *r)
{
	struct human *human = ctx;
	enum outcome outcome = outcome_of(human->run, r);
	struct arena a;

	clear_waiting(human);
	if (human->detail == HUMAN_ALL && r->log.len > 0) {
		arena_init(&a, MEM_ARENA_MAX);
		fputs(outcome_mask(&a, human->run, buf_text(&r->log)),
		    stdout);
		arena_release(&a);
	}
	buf_release(&r->log);
	if (human->detail != HUMAN_GROUPS) {
		print_case(human, r, outcome);
		print_live(human, r);
	}
	fflush(stdout);
}

/* ---- groups ------------------------------------------------------------- */

#define GROUP_NAMES 10
#define NAMES_WIDTH 100

/* A list with ", " in it, broken where the lines get long. */
static void
print_wrapped(const char *prefix, const char *text)
{
	const char *end;
	size_t len, column = 0;

	while (*text != '\0') {
		end = strstr(text, ", ");
		len = end == NULL ? strlen(text) : (size_t)(end - text) + 2;
		if (column == 0 || column + len > NAMES_WIDTH) {
			printf("%s%*s", column == 0 ? prefix : "\n",
			    column == 0 ? 0 : (int)strlen(prefix), "");
			column = strlen(prefix);
		}
		printf("%.*s", (int)len, text);
		column += len;
		text += len;
	}
	putchar('\n');
}

static void
print_group(const struct human *human, const struct group *g)
{
	const struct result *example = g->members[0].result;
	struct arena a;

	arena_init(&a, MEM_ARENA_MAX);
	print_word(human, g->outcome);
	if (g->count == 1)
		printf("%s: ", group_member_name(&a, &g->members[0]));
	else
		printf("%s and %zu more: ",
		    group_member_name(&a, &g->members[0]), g->count - 1);
	printf("%s\n", outcome_mask(&a, human->run, g->cause));
	if (g->members[0].live)
		fputs(BUFFERING, stdout);
	else if (g->outcome != OUTCOME_KNOWN_PASSES)
		print_failure(human, example);
	if (g->count > 1)
		print_wrapped("      also    ",
		    group_names(&a, g, GROUP_NAMES));
	arena_release(&a);
}

static void
print_warnings(const struct human *human, const struct groups *gs)
{
	const struct group *g;
	struct arena a;
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	for (i = gs->failing; i < gs->count; i++) {
		g = &gs->list[i];
		print_word(human, OUTCOME_WARNING);
		printf("%zu %s: %s\n", g->count,
		    g->count == 1 ? "case" : "cases",
		    outcome_mask(&a, human->run, g->cause));
		if (human->detail == HUMAN_ALL)
			print_wrapped("      ",
			    mem_printf(&a, "%s%s%s",
				group_member_name(&a, &g->members[0]),
				g->count > 1 ? ", " : "",
				group_names(&a, g, SIZE_MAX - 1)));
	}
	arena_release(&a);
}

static void
print_groups(const struct human *human)
{
	struct groups gs;
	struct arena a;
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	groups_make(&a, human->run, &gs);
	if (gs.count > 0 && human->detail == HUMAN_ALL)
		putchar('\n');
	for (i = 0; i < gs.failing; i++)
		print_group(human, &gs.list[i]);
	print_warnings(human, &gs);
	arena_release(&a);
}

static void
print_off(const struct summary *s)
{
	size_t i;

	if (s->counts[OUTCOME_NA] == 0)
		return;
	printf(", %zu not applicable (", s->counts[OUTCOME_NA]);
	for (i = 0; i < s->off->count; i++)
		printf("%s%s %s", i == 0 ? "" : ", ", s->off->names[i].data,
		    s->off->items[i]->text.data);
	putchar(')');
}

void
human_end(struct human *human, double seconds)
{
	const struct run *run = human->run;
	struct summary s;
	struct arena a;
	size_t i, failed;

	arena_init(&a, MEM_ARENA_MAX);
	clear_waiting(human);
	summary_make(&a, run, &s);
	if (human->detail != HUMAN_CASES)
		print_groups(human);
	for (i = 0; i < run->sign_count; i++)
		if (run->signs[i].replies > 0)
			printf("seen  %s (%zu %s)\n", run->signs[i].says,
			    run->signs[i].replies,
			    run->signs[i].replies == 1 ? "reply"
						       : "replies");
	failed = s.counts[OUTCOME_FAILED] + s.counts[OUTCOME_UNTESTED] +
	    s.counts[OUTCOME_KNOWN_PASSES];
	printf("\n%zu ok, %zu %s", s.counts[OUTCOME_OK], failed,
	    failed > 0 ? "FAILED" : "failed");
	if (s.counts[OUTCOME_UNTESTED] > 0)
		printf(" (%zu untested)", s.counts[OUTCOME_UNTESTED]);
	if (s.counts[OUTCOME_KNOWN] > 0)
		printf(", %zu known", s.counts[OUTCOME_KNOWN]);
	print_off(&s);
	if (s.counts[OUTCOME_WARNING] > 0)
		printf("; %zu warning%s", s.counts[OUTCOME_WARNING],
		    s.counts[OUTCOME_WARNING] == 1 ? "" : "s");
	printf("  %.1f s\n", seconds);
	arena_release(&a);
}
