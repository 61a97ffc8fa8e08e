/* See outcome.h. */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include "match/mem.h"
#include "match/shown.h"
#include "match/transcript.h"

const char *const outcome_words[] = {"ok", "FAIL", "FAIL", "known", "FAIL",
    "warn", "n/a"};

static enum outcome
count_one(const struct run *run, enum level level, bool failed, bool known,
    enum outcome bad)
{
	if (!failed)
		return known ? OUTCOME_KNOWN_PASSES : OUTCOME_OK;
	if (known)
		return OUTCOME_KNOWN;
	return run_counts(&run->options, level) ? bad : OUTCOME_WARNING;
}

enum outcome
outcome_of(const struct run *run, const struct result *result)
{
	if (result->verdict == VERDICT_NA ||
	    result->verdict == VERDICT_WAITING)
		return OUTCOME_NA;
	return count_one(run, result->test->level,
	    result->verdict != VERDICT_OK, result->known,
	    result->verdict == VERDICT_UNTESTED ? OUTCOME_UNTESTED
						: OUTCOME_FAILED);
}

enum outcome
outcome_of_live(const struct run *run, const struct result *result)
{
	if (!result->streamed || result->live == SSE_LIVE_UNKNOWN)
		return OUTCOME_NA;
	return count_one(run, LEVEL_SHOULD, result->live == SSE_LIVE_NO,
	    result->live_known, OUTCOME_FAILED);
}

void
summary_make(struct arena *a, const struct run *run,
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
		summary->counts[outcome_of(run, r)]++;
		live = outcome_of_live(run, r);
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
summary_passed(const struct summary *s)
{
	return s->counts[OUTCOME_FAILED] == 0 &&
	    s->counts[OUTCOME_UNTESTED] == 0 &&
	    s->counts[OUTCOME_KNOWN_PASSES] == 0;
}

const char *
outcome_mask(struct arena *a, const struct run *run, const char *text)
{
	if (text == NULL)
		return "";
	return shown_text(a,
	    span_of(transcript_mask(a, text, run->secret, "{{key}}")),
	    SHOWN_LINES);
}

const char *
outcome_title(struct arena *a, const struct run *run,
    const struct testcase *test)
{
	return outcome_mask(a, run, testcase_title(a, &run->vars, test));
}

void
failure_describe(struct arena *a, const struct run *run,
    const struct result *r, struct failure *f)
{
	*f = (struct failure){.source = r->test->source,
	    .title = outcome_title(a, run, r->test)};
	if (r->test->step_count > 1 && r->verdict == VERDICT_FAILED)
		f->steps = mem_printf(a, "step %zu of %zu", r->step + 1,
		    r->test->step_count);
	if (r->verdict == VERDICT_UNTESTED)
		f->unsure = "untested: the request this case changes is "
			    "itself refused";
	f->where = outcome_mask(a, run, r->difference.where);
	f->expected = outcome_mask(a, run, r->difference.expected);
	f->got = outcome_mask(a, run, r->difference.got);
	f->request = f->again = "";
	if (r->request.path == NULL)
		return;
	f->request = outcome_mask(a, run, transcript_line(a, &r->request));
	/* Inside single quotes this closes, names the variable, reopens. */
	f->again = shown_text(a,
	    span_of(transcript_mask(a,
		run->target->kind->again(a, run->target, &r->request),
		run->secret, "'\"$CHATCONF_KEY\"'")),
	    SHOWN_LINES);
}
