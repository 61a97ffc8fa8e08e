/* How results count, and the report for a person. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "match/mem.h"
#include "match/transcript.h"

const char *const outcome_words[] = {"ok", "FAIL", "FAIL", "known", "FAIL",
    "warn", "n/a"};

static enum outcome
outcome_of(const struct run *run, enum level level, bool failed, bool known,
    enum outcome bad)
{
	if (!failed)
		return known ? OUTCOME_KNOWN_PASSES : OUTCOME_OK;
	if (known)
		return OUTCOME_KNOWN;
	return run_counts(&run->options, level) ? bad : OUTCOME_WARNING;
}

enum outcome
report_outcome(const struct run *run, const struct result *result)
{
	if (result->verdict == VERDICT_NA ||
	    result->verdict == VERDICT_WAITING)
		return OUTCOME_NA;
	return outcome_of(run, result->test->level,
	    result->verdict != VERDICT_OK, result->known,
	    result->verdict == VERDICT_UNTESTED ? OUTCOME_UNTESTED
						: OUTCOME_FAILED);
}

enum outcome
report_live_outcome(const struct run *run, const struct result *result)
{
	if (!result->streamed || result->live == SSE_LIVE_UNKNOWN)
		return OUTCOME_NA;
	return outcome_of(run, LEVEL_SHOULD, result->live == SSE_LIVE_NO,
	    result->live_known, OUTCOME_FAILED);
}

void
report_summary(struct arena *a, const struct run *run,
    struct summary *summary)
{
	const struct result *r;
	const struct jv *count;
	const char *path;
	enum outcome live;
	size_t i;

	*summary = (struct summary){.off = jv_object(a, NULL, NULL, 0)};
	for (i = 0; i < run->count; i++) {
		r = &run->results[i];
		if (!r->done)
			continue;
		summary->counts[report_outcome(run, r)]++;
		live = report_live_outcome(run, r);
		if (live != OUTCOME_NA && live != OUTCOME_OK)
			summary->counts[live]++;
		if (r->feature == NULL)
			continue;
		count = jv_get(summary->off, r->feature);
		path = mem_printf(a, "/%s", r->feature);
		summary->off = jv_with(a, summary->off, span_of(path),
		    jv_number(a,
			mem_printf(a, "%ld",
			    count == NULL
				? 1
				: strtol(count->text.data, NULL, 10) + 1)));
	}
}

bool
report_passed(const struct summary *s)
{
	return s->counts[OUTCOME_FAILED] == 0 &&
	    s->counts[OUTCOME_UNTESTED] == 0 &&
	    s->counts[OUTCOME_KNOWN_PASSES] == 0;
}

static const char *
masked(struct arena *a, const struct run *run, const char *text)
{
	return text == NULL ? "" : transcript_mask(a, text, run->secret,
					"{{key}}");
}

void
report_failure(struct arena *a, const struct run *run,
    const struct result *r, struct failure *f)
{
	*f = (struct failure){.source = r->test->source};
	if (r->test->step_count > 1 && r->verdict == VERDICT_FAILED)
		f->steps = mem_printf(a, "step %zu of %zu", r->step + 1,
		    r->test->step_count);
	if (r->verdict == VERDICT_UNTESTED)
		f->unsure = "untested: the request this case changes is "
			    "itself refused";
	f->where = masked(a, run, r->difference.where);
	f->expected = masked(a, run, r->difference.expected);
	f->got = masked(a, run, r->difference.got);
	f->request = f->again = "";
	if (r->request.path == NULL)
		return;
	f->request = masked(a, run, transcript_line(a, &r->request));
	/* Inside single quotes this closes, names the variable, reopens. */
	f->again = transcript_mask(a,
	    run->target->kind->again(a, run->target, &r->request),
	    run->secret, "'\"$CHATCONF_KEY\"'");
}

/* ---- for a person ------------------------------------------------------- */

void
human_init(struct human *human, struct run *run)
{
	const char *no_color = getenv("NO_COLOR");
	size_t i, len;

	*human = (struct human){.run = run, .width = 30};
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

	printf("chatconf %s: %s, profile %s, %zu cases, %zu requests\n",
	    CHATCONF_VERSION, run->target->spec, run->profile->name,
	    run->count, requests);
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
human_waiting(void *ctx, const struct result *next)
{
	struct human *human = ctx;
	struct winsize size;
	int columns = 79;

	if (!human->colour)
		return;
	clear_waiting(human);
	if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
		columns = size.ws_col - 1;
	printf("\033[2m      %.*s\033[0m", columns - 6, next->test->name);
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

static void
print_failure(const struct human *human, const struct result *r)
{
	const char *red = human->colour ? "\033[31m" : "";
	const char *green = human->colour ? "\033[32m" : "";
	const char *plain = human->colour ? "\033[0m" : "";
	struct failure f;
	struct arena a;

	arena_init(&a, MEM_ARENA_MAX);
	report_failure(&a, human->run, r, &f);
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

static void
print_live(struct human *human, const struct result *r)
{
	enum outcome outcome = report_live_outcome(human->run, r);
	char *name;

	if (outcome == OUTCOME_NA ||
	    (outcome == OUTCOME_OK && !human->run->options.verbose))
		return;
	if (human->run->options.quiet &&
	    (outcome == OUTCOME_OK || outcome == OUTCOME_KNOWN))
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
		fputs("      a web server is buffering: see \"Streaming\" in "
		      "the manual of the server in front\n",
		    stdout);
}

static void
print_case(struct human *human, const struct result *r, enum outcome outcome)
{
	print_word(human, outcome);
	if (outcome == OUTCOME_NA) {
		printf("%-*s  feature %s is off\n", human->width,
		    r->test->name, r->feature);
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
	enum outcome outcome = report_outcome(human->run, r);
	struct arena a;

	clear_waiting(human);
	if (human->run->options.verbose && r->log.len > 0) {
		arena_init(&a, MEM_ARENA_MAX);
		fputs(masked(&a, human->run, buf_text(&r->log)), stdout);
		arena_release(&a);
	}
	buf_release(&r->log);
	if (!human->run->options.quiet)
		print_case(human, r, outcome);
	print_live(human, r);
	fflush(stdout);
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
	report_summary(&a, run, &s);
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
