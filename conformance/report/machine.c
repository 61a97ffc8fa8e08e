/* See machine.h. */
#include "machine.h"

#include <stdio.h>
#include <string.h>

#include "cases/casefolder.h"
#include "json/jsonout.h"
#include "match/mem.h"
#include "match/transcript.h"

/* ---- TAP ---------------------------------------------------------------- */

static void
yaml_line(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	buf_printf(out, "  %s: ", name);
	jsonout_cstring(out, text); /* a JSON string is a YAML one */
	buf_addc(out, '\n');
}

static void
tap_diff(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r)
{
	struct failure f;

	failure_describe(a, run, r, &f);
	buf_adds(out, "  ---\n");
	yaml_line(out, "title", f.title);
	yaml_line(out, "level", level_names[r->test->level]);
	yaml_line(out, "untested", f.unsure);
	yaml_line(out, "step", f.steps);
	yaml_line(out, "request", f.request);
	yaml_line(out, "at", f.where);
	yaml_line(out, "wanted", f.expected);
	yaml_line(out, "found", f.got);
	yaml_line(out, "source", f.source);
	yaml_line(out, "again", f.again);
	buf_adds(out, "  ...\n");
}

static const char *
why_skipped(struct arena *a, const struct result *r)
{
	if (r->lacks != NULL)
		return mem_printf(a, "give -s %s=TEXT", r->lacks);
	return mem_printf(a, "feature %s is off", r->feature);
}

static void
tap_point(struct buf *out, size_t number, const char *name, const char *suffix,
    enum outcome outcome, const char *skipped)
{
	bool ok = outcome == OUTCOME_OK || outcome == OUTCOME_NA;

	buf_printf(out, "%sok %zu - %s%s", ok ? "" : "not ", number, name,
	    suffix);
	if (outcome == OUTCOME_NA)
		buf_printf(out, " # SKIP %s", skipped);
	else if (outcome == OUTCOME_KNOWN)
		buf_adds(out, " # TODO known failure");
	else if (outcome == OUTCOME_WARNING)
		buf_adds(out, " # TODO does not count at this level");
	else if (outcome == OUTCOME_KNOWN_PASSES)
		buf_adds(out, "\n  ---\n  at: \"is in the list of known "
			      "failures, and passes\"\n  ...");
	buf_addc(out, '\n');
}

struct span
report_tap(struct arena *a, const struct run *run)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX);
	const struct result *r;
	enum outcome outcome;
	size_t i, number = 0;

	buf_adds(&out, "TAP version 14\n");
	for (i = 0; i < run->count; i++) {
		r = &run->results[i];
		if (!r->done)
			continue;
		outcome = outcome_of(run, r);
		tap_point(&out, ++number, r->test->name, "", outcome,
		    r->feature == NULL ? "" : why_skipped(a, r));
		if (r->verdict == VERDICT_FAILED ||
		    r->verdict == VERDICT_UNTESTED)
			tap_diff(a, &out, run, r);
		outcome = outcome_of_live(run, r);
		if (outcome == OUTCOME_NA)
			continue;
		tap_point(&out, ++number, r->test->name, "~live", outcome,
		    NULL);
		if (r->live == SSE_LIVE_NO) {
			buf_adds(&out, "  ---\n");
			yaml_line(&out, "found", r->live_why);
			buf_adds(&out, "  ...\n");
		}
	}
	if (run->verdict != NULL)
		buf_printf(&out, "Bail out! %s; fix: %s\n", run->verdict,
		    run->remedy);
	else if (run->reported < run->count)
		buf_adds(&out, "Bail out! stopped at the first failure\n");
	buf_printf(&out, "1..%zu\n", number);
	return mem_take(a, &out);
}

/* ---- JSON --------------------------------------------------------------- */

static const char *
verdict_word(enum outcome outcome)
{
	static const char *const words[] = {"ok", "failed", "untested",
	    "known", "known-passes", "warning", "not-applicable"};

	return words[outcome];
}

static void
json_failure(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r)
{
	struct failure f;

	failure_describe(a, run, r, &f);
	if (r->verdict == VERDICT_FAILED)
		jsonout_member_int(out, "step", (int64_t)r->step + 1);
	jsonout_member_cstring(out, "request", f.request);
	jsonout_member_cstring(out, "at", f.where);
	jsonout_member_cstring(out, "expected", f.expected);
	jsonout_member_cstring(out, "got", f.got);
	jsonout_member_cstring(out, "again", f.again);
}

static void
json_case(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "name", r->test->name);
	jsonout_member_cstring(out, "title",
	    testcase_title(a, &run->vars, r->test));
	jsonout_member_cstring(out, "level", level_names[r->test->level]);
	jsonout_member_cstring(out, "source", r->test->source);
	jsonout_member_cstring(out, "verdict",
	    verdict_word(outcome_of(run, r)));
	jsonout_member_double(out, "ms", (double)r->us / 1000.0);
	if (r->feature != NULL)
		jsonout_member_cstring(out, "feature_off", r->feature);
	if (r->tries > 1)
		jsonout_member_int(out, "tries", r->tries);
	if (r->streamed) {
		jsonout_member_int(out, "events", (int64_t)r->events);
		jsonout_member_cstring(out, "live",
		    verdict_word(outcome_of_live(run, r)));
		jsonout_member_cstring(out, "live_why", r->live_why);
	}
	if (r->verdict == VERDICT_FAILED || r->verdict == VERDICT_UNTESTED)
		json_failure(a, out, run, r);
	buf_adds(out, "}\n");
}

struct span
report_json(struct arena *a, const struct run *run, double seconds)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX);
	struct summary s;
	size_t i;

	summary_make(a, run, &s);
	buf_addc(&out, '{');
	jsonout_member_cstring(&out, "chatconf", CHATCONF_VERSION);
	jsonout_member_cstring(&out, "target", run->target->spec);
	jsonout_member_cstring(&out, "profile", run->profile->name);
	jsonout_member_double(&out, "seconds", seconds);
	if (run->verdict != NULL) {
		jsonout_member_cstring(&out, "verdict", run->verdict);
		jsonout_member_cstring(&out, "remedy", run->remedy);
	}
	jsonout_member_int(&out, "requests", (int64_t)run->requests);
	jsonout_name(&out, "summary");
	buf_addc(&out, '{');
	for (i = 0; i < OUTCOME_COUNT; i++)
		jsonout_member_int(&out, verdict_word((enum outcome)i),
		    (int64_t)s.counts[i]);
	buf_adds(&out, "}");
	jsonout_name(&out, "seen");
	buf_addc(&out, '{');
	for (i = 0; i < run->sign_count; i++)
		if (run->signs[i].replies > 0)
			jsonout_member_int(&out, run->signs[i].says,
			    (int64_t)run->signs[i].replies);
	buf_adds(&out, "}");
	jsonout_name(&out, "cases");
	buf_adds(&out, "[");
	for (i = 0; i < run->count; i++)
		if (run->results[i].done) {
			if (out.data[out.len - 1] == '\n')
				buf_addc(&out, ',');
			json_case(a, &out, run, &run->results[i]);
		}
	buf_adds(&out, "]}\n");
	return mem_take(a, &out);
}

/* ---- JUnit -------------------------------------------------------------- */

static void
xml_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			buf_adds(out, "&amp;");
		else if (c == '<')
			buf_adds(out, "&lt;");
		else if (c == '>')
			buf_adds(out, "&gt;");
		else if (c == '"')
			buf_adds(out, "&quot;");
		else if (c == '\n' || c == '\t')
			buf_printf(out, "&#%d;", c);
		else
			buf_addc(out, c < 0x20 ? '?' : (char)c);
	}
}

static void
xml_attribute(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, " %s=\"", name);
	xml_text(out, text);
	buf_addc(out, '"');
}

static void
junit_failure(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r, enum outcome outcome)
{
	struct failure f;

	if (outcome == OUTCOME_KNOWN_PASSES) {
		buf_adds(out, "<failure message=\"is in the list of known "
			      "failures, and passes\"/>");
		return;
	}
	failure_describe(a, run, r, &f);
	buf_adds(out, outcome == OUTCOME_UNTESTED ? "<error" : "<failure");
	xml_attribute(out, "message",
	    mem_printf(a, "%s: expected %s, got %s", f.where, f.expected,
		f.got));
	buf_addc(out, '>');
	xml_text(out,
	    mem_printf(a, "%s\n%s%s%s\n  - %s\n  + %s\nsource %s\nagain  %s",
		f.request, f.steps == NULL ? "" : f.steps,
		f.steps == NULL ? "" : "\n", f.where, f.expected, f.got,
		f.source, f.again));
	buf_adds(out,
	    outcome == OUTCOME_UNTESTED ? "</error>" : "</failure>");
}

static void
junit_case(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r)
{
	enum outcome outcome = outcome_of(run, r);
	const char *suite = r->test->suite->name;

	buf_adds(out, "<testcase");
	xml_attribute(out, "classname", suite);
	xml_attribute(out, "name", r->test->name + strlen(suite) + 1);
	buf_printf(out, " time=\"%.6f\">", (double)r->us / 1e6);
	switch (outcome) {
	case OUTCOME_FAILED:
	case OUTCOME_UNTESTED:
	case OUTCOME_KNOWN_PASSES:
		junit_failure(a, out, run, r, outcome);
		break;
	case OUTCOME_NA:
		buf_adds(out, "<skipped");
		xml_attribute(out, "message", why_skipped(a, r));
		buf_adds(out, "/>");
		break;
	case OUTCOME_KNOWN:
	case OUTCOME_WARNING:
		buf_adds(out, "<skipped");
		xml_attribute(out, "message",
		    mem_printf(a, "%s: %s: expected %s, got %s",
			outcome == OUTCOME_KNOWN ? "known failure"
						 : "does not count",
			outcome_mask(a, run, r->difference.where),
			outcome_mask(a, run, r->difference.expected),
			outcome_mask(a, run, r->difference.got)));
		buf_adds(out, "/>");
		break;
	default:
		break;
	}
	buf_adds(out, "</testcase>\n");
}

/* A live check that failed is a case of its own. */
static void
junit_live(struct buf *out, const struct run *run, const struct result *r)
{
	enum outcome outcome = outcome_of_live(run, r);
	const char *suite = r->test->suite->name;

	if (outcome == OUTCOME_NA)
		return;
	buf_adds(out, "<testcase");
	xml_attribute(out, "classname", suite);
	buf_adds(out, " name=\"");
	xml_text(out, r->test->name + strlen(suite) + 1);
	buf_adds(out, "~live\" time=\"0\">");
	if (outcome == OUTCOME_FAILED || outcome == OUTCOME_KNOWN_PASSES)
		buf_adds(out, "<failure");
	else if (outcome != OUTCOME_OK)
		buf_adds(out, "<skipped");
	if (outcome != OUTCOME_OK) {
		xml_attribute(out, "message", r->live_why);
		buf_adds(out, "/>");
	}
	buf_adds(out, "</testcase>\n");
}

struct span
report_junit(struct arena *a, const struct run *run, double seconds)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX), cases =
	    BUF_INIT(MEM_TEXT_MAX);
	size_t i, tests = 0, failures = 0, errors = 0, skipped = 0, round;
	enum outcome outcome;

	for (i = 0; i < run->count; i++) {
		if (!run->results[i].done)
			continue;
		junit_case(a, &cases, run, &run->results[i]);
		junit_live(&cases, run, &run->results[i]);
		for (round = 0; round < 2; round++) {
			outcome = round == 0
			    ? outcome_of(run, &run->results[i])
			    : outcome_of_live(run, &run->results[i]);
			if (round == 1 && outcome == OUTCOME_NA)
				continue;
			tests++;
			failures += outcome == OUTCOME_FAILED ||
			    outcome == OUTCOME_KNOWN_PASSES;
			errors += outcome == OUTCOME_UNTESTED;
			skipped += outcome == OUTCOME_NA ||
			    outcome == OUTCOME_KNOWN ||
			    outcome == OUTCOME_WARNING;
		}
	}
	if (run->verdict != NULL) {
		buf_adds(&cases, "<testcase classname=\"chatconf\" "
				 "name=\"preflight\" time=\"0\"><error");
		xml_attribute(&cases, "message", run->verdict);
		buf_addc(&cases, '>');
		xml_text(&cases, run->remedy);
		buf_adds(&cases, "</error></testcase>\n");
		tests++;
		errors++;
	}
	buf_adds(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<testsuites><testsuite");
	xml_attribute(&out, "name",
	    mem_printf(a, "chatconf %s", run->profile->name));
	xml_attribute(&out, "hostname", run->target->spec);
	buf_printf(&out,
	    " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\""
	    " time=\"%.3f\">\n",
	    tests, failures, errors, skipped, seconds);
	buf_add(&out, buf_text(&cases), cases.len);
	buf_adds(&out, "</testsuite></testsuites>\n");
	buf_release(&cases);
	return mem_take(a, &out);
}

/* ---- --save ------------------------------------------------------------- */

bool
report_save(const struct run *run, const struct result *r,
    const char *folder)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX);
	struct failure f;
	struct arena a;
	char *name, *c;
	bool good;

	arena_init(&a, MEM_ARENA_MAX);
	name = mem_strdup(&a, r->test->name);
	for (c = name; *c != '\0'; c++)
		if (*c == '/')
			*c = '_';
	failure_describe(&a, run, r, &f);
	buf_printf(&out, "%s\n%s\n%s\n  - %s\n  + %s\nsource  %s\n"
			 "again   %s\n\n",
	    r->test->name, f.title, f.where, f.expected, f.got,
	    f.source, f.again);
	if (r->request.path != NULL)
		transcript_add(&out, &r->request, &r->reply);
	good = casefolder_write(mem_printf(&a, "%s/%s.txt", folder, name),
	    span_of(transcript_mask(&a, buf_text(&out), run->secret,
		"{{key}}")));
	buf_release(&out);
	arena_release(&a);
	return good;
}
