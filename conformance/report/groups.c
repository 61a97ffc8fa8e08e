/* See groups.h. */
#include "groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/mem.h"

/* ---- what a failure is like --------------------------------------------- */

static bool
is_id(struct span s)
{
	size_t i, digits = 0;

	for (i = 0; i < s.len; i++) {
		digits += text_is_digit(s.data[i]);
		if (!text_is_hex(s.data[i]) && s.data[i] != '-')
			return false;
	}
	return digits > 0;
}

/* "POST /v1/messages/{id}/feedbacks": without query, ids by a mark. */
static const char *
endpoint(struct arena *a, const struct wire_request *request)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	struct span path = span_of(request->path), part;

	path = span_cut(&path, '?');
	buf_printf(&b, "%s ", request->method);
	(void)span_cut(&path, '/');
	while (path.data != NULL) {
		part = span_cut(&path, '/');
		buf_addc(&b, '/');
		if (is_id(part))
			buf_adds(&b, "{id}");
		else
			buf_add(&b, part.data, part.len);
	}
	return mem_take(a, &b).data;
}

/* Numbers that are a position become '*': "/detail/0/msg", "event 12". */
static const char *
place(struct arena *a, const char *where)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const char *c = where;

	while (*c != '\0') {
		if (text_is_digit(*c) && c > where &&
		    (c[-1] == '/' || c[-1] == ' ' || c[-1] == '(')) {
			buf_addc(&b, '*');
			while (text_is_digit(*c))
				c++;
		} else {
			buf_addc(&b, *c++);
		}
	}
	return mem_take(a, &b).data;
}

/* What kind of value a shown text is. */
static char
kind_of(const char *shown)
{
	if (*shown == '-' || text_is_digit(*shown))
		return '0';
	return *shown == 'f' ? 't' : *shown;
}

/* Are the letters and digits the same in both, but for capitals? */
static bool
same_letters(const char *x, const char *y)
{
	for (;;) {
		while (*x != '\0' && !text_is_alnum(*x))
			x++;
		while (*y != '\0' && !text_is_alnum(*y))
			y++;
		if (text_lower(*x) != text_lower(*y))
			return false;
		if (*x == '\0')
			return true;
		x++;
		y++;
	}
}

static const char *
manner(struct arena *a, const struct difference *d)
{
	if (strcmp(d->expected, "(no such member)") == 0)
		return "extra";
	if (strcmp(d->got, "(absent)") == 0)
		return "absent";
	if (same_letters(d->expected, d->got))
		return "spelling";
	return mem_printf(a, "%c%c", kind_of(d->expected), kind_of(d->got));
}

static const char *
cut(struct arena *a, const char *text, size_t max)
{
	struct span s = span_of(text);

	if (s.len <= max)
		return text;
	while (max > 0 && (text[max] & 0xC0) == 0x80)
		max--;
	return mem_printf(a, "%.*s...", (int)max, text);
}

/* The number of a shown status, which the start of the body follows. */
static const char *
status_of(struct arena *a, const char *got)
{
	return mem_printf(a, "%.*s", (int)strcspn(got, " "), got);
}

static void
name_cause(struct arena *a, const struct group_member *m, struct group *g)
{
	const struct result *r = m->result;
	const struct difference *d = &r->difference;
	const char *got, *where;

	if (g->outcome == OUTCOME_KNOWN_PASSES) {
		g->key = g->cause = "in the list of known failures, and "
				    "passes";
		return;
	}
	if (m->live) {
		g->key = "live";
		g->cause = "streams arrive all at once after a silence: a "
			   "web server in front buffers";
		return;
	}
	where = place(a, d->where);
	if (r->verdict == VERDICT_UNTESTED) {
		g->cause = mem_printf(a,
		    "%s refuses the right request that these cases change: "
		    "untested",
		    r->request.path == NULL ? "the server"
					    : endpoint(a, &r->request));
		g->key = mem_printf(a, "0%s", g->cause);
		return;
	}
	if (strcmp(where, "status") == 0) {
		got = status_of(a, d->got);
		if (*d->expected == '2' &&
		    (strcmp(got, "404") == 0 || strcmp(got, "405") == 0 ||
			strcmp(got, "501") == 0)) {
			g->cause = mem_printf(a, "%s answers %s",
			    endpoint(a, &r->request), got);
			g->key = mem_printf(a, "1%s", g->cause);
			return;
		}
		g->cause = mem_printf(a, "status %s, not %s%s%s", got,
		    d->expected, *d->expected == '2' ? ", from " : "",
		    *d->expected == '2' ? endpoint(a, &r->request) : "");
		g->key = mem_printf(a, "2%s", g->cause);
		return;
	}
	g->cause = mem_printf(a, "%s: %s, not %s", where,
	    cut(a, d->got, 48), cut(a, d->expected, 48));
	g->key = mem_printf(a, "2%s %s", where, manner(a, d));
}

/* ---- gathering ---------------------------------------------------------- */

static void
add_member(struct arena *a, struct groups *gs, const struct result *r,
    bool live, enum outcome outcome)
{
	struct group_member member = {r, live};
	struct group found = {.outcome = outcome, .level = r->test->level};
	struct group *g;
	size_t i;

	if (live)
		found.level = LEVEL_SHOULD;
	/* Untested is a kind of failed; the key tells them apart. */
	if (outcome == OUTCOME_UNTESTED)
		found.outcome = OUTCOME_FAILED;
	name_cause(a, &member, &found);
	for (i = 0; i < gs->count; i++)
		if (gs->list[i].outcome == found.outcome &&
		    strcmp(gs->list[i].key, found.key) == 0)
			break;
	if (i == gs->count) {
		gs->list = mem_grow(gs->list, gs->count, sizeof(*gs->list));
		gs->list[gs->count++] = found;
	}
	g = &gs->list[i];
	if (found.level < g->level)
		g->level = found.level;
	g->members = mem_grow(g->members, g->count, sizeof(*g->members));
	g->members[g->count++] = member;
}

static bool
is_shown(enum outcome outcome)
{
	return outcome == OUTCOME_FAILED || outcome == OUTCOME_UNTESTED ||
	    outcome == OUTCOME_KNOWN_PASSES || outcome == OUTCOME_WARNING;
}

static int
by_importance(const void *x, const void *y)
{
	const struct group *a = x, *b = y;

	if ((a->outcome == OUTCOME_WARNING) != (b->outcome == OUTCOME_WARNING))
		return a->outcome == OUTCOME_WARNING ? 1 : -1;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->key[0] != b->key[0])
		return a->key[0] < b->key[0] ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->key, b->key);
}

/* The lists move from malloc, where they grew, into the arena. */
static void *
moved(struct arena *a, void *list, size_t count, size_t size)
{
	void *out = mem_array(a, count + 1, size);

	if (count > 0)
		memcpy(out, list, count * size);
	free(list);
	return out;
}

void
groups_make(struct arena *a, const struct run *run, struct groups *gs)
{
	const struct result *r;
	enum outcome outcome;
	size_t i;

	*gs = (struct groups){.count = 0};
	for (i = 0; i < run->count; i++) {
		r = &run->results[i];
		if (!r->done)
			continue;
		outcome = outcome_of(run, r);
		if (is_shown(outcome))
			add_member(a, gs, r, false, outcome);
		outcome = outcome_of_live(run, r);
		if (is_shown(outcome))
			add_member(a, gs, r, true, outcome);
	}
	for (i = 0; i < gs->count; i++)
		gs->list[i].members = moved(a, gs->list[i].members,
		    gs->list[i].count, sizeof(struct group_member));
	gs->list = moved(a, gs->list, gs->count, sizeof(*gs->list));
	if (gs->count > 0)
		qsort(gs->list, gs->count, sizeof(*gs->list), by_importance);
	while (gs->failing < gs->count &&
	    gs->list[gs->failing].outcome != OUTCOME_WARNING)
		gs->failing++;
}

const char *
group_member_name(struct arena *a, const struct group_member *m)
{
	return m->live ? mem_printf(a, "%s~live", m->result->test->name)
		       : m->result->test->name;
}

const char *
group_names(struct arena *a, const struct group *g, size_t max)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i;

	for (i = 1; i < g->count && i <= max; i++)
		buf_printf(&b, "%s%s", i == 1 ? "" : ", ",
		    group_member_name(a, &g->members[i]));
	if (g->count > max + 1)
		buf_printf(&b, ", and %zu more", g->count - max - 1);
	return mem_take(a, &b).data;
}
