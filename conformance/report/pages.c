/* See pages.h. */
#include "pages.h"

#include <stdio.h>
#include <string.h>

#include "cases/rules.h"
#include "match/mem.h"
#include "match/transcript.h"

#define PAGE_NAMES 200
#define EXCHANGE_MAX 20000

/* ---- what both have ----------------------------------------------------- */

static size_t
failures(const struct summary *s)
{
	return s->counts[OUTCOME_FAILED] + s->counts[OUTCOME_UNTESTED] +
	    s->counts[OUTCOME_KNOWN_PASSES];
}

/* "12 ok, 3 failed, 2 warnings, 4 not applicable". */
static const char *
tally(struct arena *a, const struct run *run)
{
	struct summary s;

	summary_make(a, run, &s);
	if (run->verdict != NULL)
		return "no case was run";
	return mem_printf(a,
	    "%zu ok, %zu failed, %zu known, %zu warnings, %zu not applicable",
	    s.counts[OUTCOME_OK], failures(&s), s.counts[OUTCOME_KNOWN],
	    s.counts[OUTCOME_WARNING], s.counts[OUTCOME_NA]);
}

static bool
passed(struct arena *a, const struct run *run)
{
	struct summary s;

	summary_make(a, run, &s);
	return run->verdict == NULL && summary_passed(&s);
}

/* How much of both texts is the same at the start and at the end. */
static void
common_ends(const char *x, const char *y, size_t *start, size_t *end)
{
	size_t nx = strlen(x), ny = strlen(y);
	size_t max = nx < ny ? nx : ny;

	*start = *end = 0;
	while (*start < max && x[*start] == y[*start])
		(*start)++;
	while (*start > 0 && (x[*start] & 0xC0) == 0x80)
		(*start)--; /* never inside a character */
	while (*end < max - *start && x[nx - *end - 1] == y[ny - *end - 1])
		(*end)++;
	while (*end > 0 && (x[nx - *end] & 0xC0) == 0x80)
		(*end)--;
}

/* ---- HTML --------------------------------------------------------------- */

static void
html_bytes(struct buf *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '&')
			buf_adds(out, "&amp;");
		else if (text[i] == '<')
			buf_adds(out, "&lt;");
		else if (text[i] == '>')
			buf_adds(out, "&gt;");
		else if (text[i] == '"')
			buf_adds(out, "&quot;");
		else
			buf_addc(out, text[i]);
	}
}

static void
html_text(struct buf *out, const char *text)
{
	html_bytes(out, text, strlen(text));
}

static void
html_marked(struct buf *out, const char *tag, const char *text, size_t start,
    size_t end)
{
	size_t len = strlen(text);

	buf_printf(out, "<div class=\"%s\">", tag);
	html_bytes(out, text, start);
	buf_printf(out, "<%s>", tag);
	html_bytes(out, text + start, len - start - end);
	buf_printf(out, "</%s>", tag);
	html_bytes(out, text + len - end, end);
	buf_adds(out, "</div>");
}

/* A source, each rule in it a link to its text below. */
static void
html_source(struct buf *out, const char *source)
{
	const char *at, *hash, *end;

	while ((at = strstr(source, "RULES-")) != NULL &&
	    (hash = strchr(at, '#')) != NULL) {
		html_bytes(out, source, (size_t)(at - source));
		end = hash + 1;
		while (text_is_alnum(*end) || *end == '-')
			end++;
		buf_printf(out, "<a href=\"#%.*s\">",
		    (int)(end - hash - 1), hash + 1);
		html_bytes(out, at, (size_t)(end - at));
		buf_adds(out, "</a>");
		source = end;
	}
	html_text(out, source);
}

static void
html_exchange(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const char *text;
	size_t len;

	if (r->request.path == NULL)
		return;
	transcript_add(&b, &r->request, &r->reply);
	text = outcome_mask(a, run, buf_text(&b));
	len = strlen(text);
	if (len > EXCHANGE_MAX) {
		len = EXCHANGE_MAX;
		while ((text[len] & 0xC0) == 0x80)
			len--;
	}
	buf_adds(out, "<details><summary>request and reply</summary><pre>");
	html_bytes(out, text, len);
	if (text[len] != '\0')
		buf_adds(out, "\n(cut)");
	buf_adds(out, "</pre></details>\n");
	buf_release(&b);
}

static void
html_example(struct arena *a, struct buf *out, const struct run *run,
    const struct result *r)
{
	struct failure f;
	size_t start, end;

	failure_describe(a, run, r, &f);
	buf_adds(out, "<p>");
	html_text(out, f.title);
	if (f.steps != NULL)
		buf_printf(out, " (%s)", f.steps);
	buf_adds(out, "</p>\n<p>at <code>");
	html_text(out, f.where);
	buf_adds(out, "</code></p>\n<div class=\"diff\">");
	common_ends(f.expected, f.got, &start, &end);
	html_marked(out, "del", f.expected, start, end);
	html_marked(out, "ins", f.got, start, end);
	buf_adds(out, "</div>\n<p>source: ");
	html_source(out, f.source);
	buf_adds(out, "</p>\n<p>again:</p><pre>");
	html_text(out, f.again);
	buf_adds(out, "</pre>\n");
	html_exchange(a, out, run, r);
}

static void
html_group(struct arena *a, struct buf *out, const struct run *run,
    const struct group *g)
{
	const struct group_member *first = &g->members[0];
	bool warning = g->outcome == OUTCOME_WARNING;

	buf_printf(out, "<details class=\"%s\"%s><summary>",
	    warning ? "warn" : "fail", warning ? "" : " open");
	buf_printf(out, "<b>%s</b> <span>%zu %s, %s</span> <code>",
	    warning ? "warning" : "failed", g->count,
	    g->count == 1 ? "case" : "cases", level_names[g->level]);
	html_text(out, outcome_mask(a, run, g->cause));
	buf_printf(out, "</code></summary>\n<h3>%s</h3>\n",
	    group_member_name(a, first));
	if (first->live)
		buf_printf(out, "<p>%s</p>\n", first->result->live_why);
	else if (g->outcome != OUTCOME_KNOWN_PASSES)
		html_example(a, out, run, first->result);
	if (g->count > 1)
		buf_printf(out, "<p>also: %s</p>\n",
		    group_names(a, g, PAGE_NAMES));
	buf_adds(out, "</details>\n");
}

/* "b6-4" of "RULES-botapi.md#b6-4 ..."; moves *at behind it. */
static const char *
next_anchor(struct arena *a, const char **at)
{
	const char *rule = strstr(*at, "RULES-"), *hash, *end;

	hash = rule == NULL ? NULL : strchr(rule, '#');
	if (hash == NULL)
		return NULL;
	for (end = hash + 1; text_is_alnum(*end) || *end == '-'; end++)
		;
	*at = end;
	return mem_printf(a, "%.*s", (int)(end - rule), rule);
}

static void
html_rules(struct arena *a, struct buf *out, const struct groups *gs,
    const char *folder)
{
	struct buf seen = BUF_INIT(MEM_TEXT_MAX);
	const char *at, *rule;
	size_t i;

	buf_adds(out, "<h2>The rules</h2>\n");
	for (i = 0; i < gs->count; i++) {
		at = gs->list[i].members[0].result->test->source;
		while ((rule = next_anchor(a, &at)) != NULL) {
			if (strstr(buf_text(&seen),
				mem_printf(a, " %s ", rule)) != NULL)
				continue;
			buf_printf(&seen, " %s ", rule);
			buf_printf(out, "<p id=\"%s\">",
			    strchr(rule, '#') + 1);
			html_text(out, rules_text(a, folder, rule));
			buf_adds(out, "</p>\n");
		}
	}
	buf_release(&seen);
}

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem "
    "auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "code,pre,.diff{font:14px/1.45 ui-monospace,monospace}"
    "pre,.diff{background:#f4f4f2;padding:.6rem .8rem;overflow-x:auto;"
    "white-space:pre-wrap;overflow-wrap:anywhere}"
    "details{border-left:4px solid #ccc;padding:.2rem .8rem;margin:.8rem 0}"
    "details.fail{border-color:#b3261e}details.warn{border-color:#9a6700}"
    "summary{cursor:pointer;overflow-wrap:anywhere}summary span{color:#555}"
    ".fail>summary b{color:#b3261e}.warn>summary b{color:#9a6700}"
    "h3{font-size:1rem;margin:.6rem 0}"
    "div.del:before{content:'- '}div.ins:before{content:'+ '}"
    "del{background:#ffd8d4;text-decoration:none}ins{background:#d5f0d5;"
    "text-decoration:none}.verdict{font-size:1.3rem;padding:.6rem .8rem}"
    ".good{background:#d5f0d5}.bad{background:#ffd8d4}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}"
    "pre,.diff{background:#242424}del{background:#6b1f1a}ins{background:"
    "#1d4d25}.good{background:#1d4d25}.bad{background:#6b1f1a}summary span"
    "{color:#aaa}a{color:#8ab4f8}.fail>summary b{color:#ff8a80}"
    ".warn>summary b{color:#e3b341}}";

struct span
page_html(struct arena *a, const struct run *run, const char *folder,
    double seconds)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX);
	struct groups gs;
	size_t i;

	groups_make(a, run, &gs);
	buf_adds(&out, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
		       "<meta charset=\"utf-8\"><meta name=\"viewport\" "
		       "content=\"width=device-width\"><title>chatconf: ");
	html_text(&out, run->target->spec);
	buf_printf(&out, "</title><style>%s</style></head>\n<body>\n"
			 "<h1>chatconf: ",
	    style);
	html_text(&out, run->target->spec);
	buf_printf(&out, "</h1>\n<p class=\"verdict %s\">%s: %s</p>\n",
	    passed(a, run) ? "good" : "bad",
	    passed(a, run) ? "passed" : "failed", tally(a, run));
	buf_printf(&out, "<p>profile %s, chatconf %s, %.1f s</p>\n",
	    run->profile->name, CHATCONF_VERSION, seconds);
	if (run->verdict != NULL) {
		buf_adds(&out, "<p>");
		html_text(&out, run->verdict);
		buf_adds(&out, "</p>\n<p>fix: ");
		html_text(&out, run->remedy);
		buf_adds(&out, "</p>\n");
	}
	if (gs.count > 0)
		buf_printf(&out, "<h2>%zu causes</h2>\n", gs.count);
	for (i = 0; i < gs.count; i++)
		html_group(a, &out, run, &gs.list[i]);
	if (gs.count > 0)
		html_rules(a, &out, &gs, folder);
	buf_adds(&out, "</body></html>\n");
	return mem_take(a, &out);
}

/* ---- Markdown ----------------------------------------------------------- */

/* Between backticks, or in a cell: one line, no '|' and no backtick. */
static const char *
md_code(struct arena *a, const char *text)
{
	char *out = mem_strdup(a, text), *c;

	for (c = out; *c != '\0'; c++)
		if (*c == '`')
			*c = '\'';
		else if (*c == '|')
			*c = '/';
		else if (*c == '\n')
			*c = ' ';
	return out;
}

/* A block with a fence longer than any in the text. */
static void
md_block(struct buf *out, const char *language, const char *text)
{
	const char *fence = strstr(text, "```") == NULL ? "```"
							: "~~~~~~~~";

	buf_printf(out, "%s%s\n%s\n%s\n", fence, language, text, fence);
}

static void
md_group(struct arena *a, struct buf *out, const struct run *run,
    const struct group *g)
{
	const struct group_member *first = &g->members[0];
	struct failure f;

	buf_printf(out, "### %s\n\n%zu %s, %s: `%s`\n\n",
	    md_code(a, outcome_mask(a, run, g->cause)), g->count,
	    g->count == 1 ? "case" : "cases", level_names[g->level],
	    group_member_name(a, first));
	if (!first->live && g->outcome != OUTCOME_KNOWN_PASSES) {
		failure_describe(a, run, first->result, &f);
		md_block(out, "diff",
		    mem_printf(a, "%s\n%s\n- %s\n+ %s", f.request, f.where,
			f.expected, f.got));
		buf_printf(out, "\n%s\n\n", f.source);
		md_block(out, "sh", f.again);
		buf_addc(out, '\n');
	}
	if (g->count > 1)
		buf_printf(out, "also: %s\n\n", group_names(a, g, 10));
}

struct span
page_markdown(struct arena *a, const struct run *run, double seconds)
{
	struct buf out = BUF_INIT(MEM_TEXT_MAX);
	struct groups gs;
	size_t i;

	groups_make(a, run, &gs);
	buf_printf(&out, "## chatconf: %s\n\n%s, profile %s, %.1f s\n\n",
	    passed(a, run) ? "passed" : "FAILED", tally(a, run),
	    run->profile->name, seconds);
	if (run->verdict != NULL)
		buf_printf(&out, "%s\n\nfix: %s\n\n",
		    md_code(a, run->verdict), md_code(a, run->remedy));
	for (i = 0; i < gs.failing; i++)
		md_group(a, &out, run, &gs.list[i]);
	if (gs.failing < gs.count)
		buf_adds(&out, "| warnings | cases |\n|---|---|\n");
	for (; i < gs.count; i++)
		buf_printf(&out, "| `%s` | %zu |\n",
		    md_code(a, outcome_mask(a, run, gs.list[i].cause)),
		    gs.list[i].count);
	return mem_take(a, &out);
}

struct span
page_badge(struct arena *a, const struct run *run)
{
	struct summary s;
	const char *words, *colour;
	size_t bad;

	summary_make(a, run, &s);
	bad = failures(&s);
	if (run->verdict != NULL) {
		words = "not%20tested";
		colour = "lightgrey";
	} else {
		words = bad == 0
		    ? mem_printf(a, "%zu%%20passed", s.counts[OUTCOME_OK])
		    : mem_printf(a, "%zu%%20of%%20%zu%%20failed", bad,
			  bad + s.counts[OUTCOME_OK]);
		colour = bad == 0 ? "brightgreen" : "red";
	}
	return span_of(mem_printf(a,
	    "![chatconf %s](https://img.shields.io/badge/chatconf_%s-%s-%s)\n",
	    run->profile->name, run->profile->name, words, colour));
}

/* ---- several servers ---------------------------------------------------- */


static const struct group *
group_like(const struct matrix_column *column, const struct group *g)
{
	size_t i;

	for (i = 0; i < column->groups.count; i++)
		if (column->groups.list[i].outcome == g->outcome &&
		    strcmp(column->groups.list[i].key, g->key) == 0)
			return &column->groups.list[i];
	return NULL;
}

static void
print_row(const struct matrix_column *columns, size_t count,
    const struct group *g)
{
	const struct group *same;
	size_t i;

	printf("%-5s", outcome_words[g->outcome]);
	for (i = 0; i < count; i++) {
		same = group_like(&columns[i], g);
		if (columns[i].verdict != NULL)
			printf(" %10s", "");
		else if (same == NULL)
			printf(" %10s", "-");
		else
			printf(" %10zu", same->count);
	}
	printf("  %s\n", g->cause);
}

void
matrix_print(const struct matrix_column *columns, size_t count)
{
	size_t i, j, k;

	printf("%-5s", "");
	for (i = 0; i < count; i++)
		printf(" %10.10s", columns[i].name);
	printf("\n%-5s", "ok");
	for (i = 0; i < count; i++)
		printf(" %10zu", columns[i].passed);
	printf("\n%-5s", "FAIL");
	for (i = 0; i < count; i++)
		printf(" %10zu", columns[i].failed);
	fputs("\n\n", stdout);
	for (i = 0; i < count; i++)
		for (j = 0; j < columns[i].groups.count; j++) {
			for (k = 0; k < i; k++)
				if (group_like(&columns[k],
					&columns[i].groups.list[j]) != NULL)
					break;
			if (k == i)
				print_row(columns, count,
				    &columns[i].groups.list[j]);
		}
	for (i = 0; i < count; i++)
		if (columns[i].verdict != NULL)
			printf("FAIL  %s: %s\n", columns[i].name,
			    columns[i].verdict);
}
