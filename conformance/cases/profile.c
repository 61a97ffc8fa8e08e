/* See profile.h. */
#include "profile.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "casefolder.h"
#include "match/matcher.h"
#include "match/mem.h"

struct profile_reading {
	struct arena *arena;
	struct profile *profile;
	unsigned faults;
};

static void
fault(struct profile_reading *r, const struct jv *at, const char *why,
    const char *what)
{
	fprintf(stderr, "%s:%u: %s%s\n", r->profile->file,
	    at == NULL ? 1 : at->line, why, what);
	r->faults++;
}

static const struct jv *
part(struct profile_reading *r, const struct jv *root, const char *name,
    enum jv_kind kind, bool needed)
{
	static const char *const kinds[] = {"null", "a boolean", "a number",
	    "a string", "an array", "an object"};
	const struct jv *v = jv_get(root, name);

	if (v == NULL && needed)
		fault(r, root, "a profile needs ", name);
	if (v == NULL || v->kind == kind)
		return v;
	fault(r, v, mem_printf(r->arena, "%s must be ", name), kinds[kind]);
	return NULL;
}

static void
check_keys(struct profile_reading *r, const struct jv *root)
{
	static const char *const keys[] = {"name", "title", "cases", "method",
	    "path", "headers", "vars", "features", "translate", "signs",
	    "preflight", "url_end", "needs", "feature_vars"};
	size_t i, j, n = sizeof(keys) / sizeof(*keys);

	for (i = 0; i < root->count; i++) {
		for (j = 0; j < n; j++)
			if (span_is(root->names[i], keys[j]))
				break;
		if (j == n)
			fault(r, root->items[i], "unknown key in a profile: ",
			    root->names[i].data);
	}
}

static void
check_members(struct profile_reading *r)
{
	const struct jv *at, *list = r->profile->translate;
	const char *why;
	size_t i;

	for (i = 0; r->profile->cases != NULL && i < r->profile->cases->count;
	     i++)
		if (r->profile->cases->items[i]->kind != JV_STRING)
			fault(r, r->profile->cases, "cases must be globs",
			    "");
	for (i = 0;
	     r->profile->features != NULL && i < r->profile->features->count;
	     i++)
		if (r->profile->features->items[i]->kind != JV_BOOL)
			fault(r, r->profile->features->items[i],
			    "a feature is true or false: ",
			    r->profile->features->names[i].data);
	for (i = 0; list != NULL && i < list->count; i++) {
		if (jv_get(list->items[i], "from") == NULL ||
		    jv_get(list->items[i], "to") == NULL ||
		    jv_get(list->items[i], "from")->kind != JV_OBJECT ||
		    jv_get(list->items[i], "to")->kind != JV_OBJECT) {
			fault(r, list->items[i],
			    "translate needs \"from\" and \"to\"", "");
			continue;
		}
		why = matcher_fault(r->arena, jv_get(list->items[i], "to"),
		    &at);
		if (why != NULL)
			fault(r, at, why, "");
	}
	list = r->profile->signs;
	for (i = 0; list != NULL && i < list->count; i++) {
		if (jv_text(jv_get(list->items[i], "says")) == NULL ||
		    jv_get(list->items[i], "json") == NULL) {
			fault(r, list->items[i],
			    "a sign needs \"says\" and \"json\"", "");
			continue;
		}
		why = matcher_fault(r->arena,
		    jv_get(list->items[i], "json"), &at);
		if (why != NULL)
			fault(r, at, why, "");
	}
}

struct profile *
profile_load(struct arena *a, const char *folder, const char *name)
{
	struct profile *p = mem_new(a, sizeof(*p));
	struct profile_reading r = {a, p, 0};
	const struct jv *root;

	p->file = strchr(name, '/') != NULL || strstr(name, ".json") != NULL
	    ? name
	    : mem_printf(a, "%s/profiles/%s.json", folder, name);
	root = casefolder_read_json(a, p->file);
	if (root == NULL)
		return NULL;
	if (root->kind != JV_OBJECT) {
		fault(&r, root, "a profile is an object", "");
		return NULL;
	}
	check_keys(&r, root);
	p->name = jv_text(part(&r, root, "name", JV_STRING, true));
	p->title = jv_text(part(&r, root, "title", JV_STRING, false));
	p->method = jv_text(part(&r, root, "method", JV_STRING, true));
	p->path = jv_text(part(&r, root, "path", JV_STRING, true));
	p->cases = part(&r, root, "cases", JV_ARRAY, true);
	p->headers = part(&r, root, "headers", JV_OBJECT, true);
	p->vars = part(&r, root, "vars", JV_OBJECT, false);
	p->features = part(&r, root, "features", JV_OBJECT, false);
	p->needs = part(&r, root, "needs", JV_OBJECT, false);
	p->feature_vars = part(&r, root, "feature_vars", JV_OBJECT, false);
	p->translate = part(&r, root, "translate", JV_ARRAY, false);
	p->signs = part(&r, root, "signs", JV_ARRAY, false);
	p->preflight = part(&r, root, "preflight", JV_ARRAY, false);
	p->url_end = jv_text(part(&r, root, "url_end", JV_STRING, false));
	check_members(&r);
	return r.faults == 0 ? p : NULL;
}

bool
profile_chooses(const struct profile *profile, const char *name)
{
	size_t i;

	for (i = 0; i < profile->cases->count; i++)
		if (fnmatch(jv_text(profile->cases->items[i]), name, 0) == 0)
			return true;
	return false;
}

const char *
profile_lacks(const struct profile *profile, const struct vars *vars,
    struct span feature)
{
	const char *name = jv_text(jv_get_span(profile->needs, feature));
	const struct jv *value;
	enum vars_layer layer;

	if (name == NULL)
		return NULL;
	value = vars_get(vars, span_of(name), &layer);
	return value == NULL || value->kind == JV_NULL ? name : NULL;
}

/* ---- translation -------------------------------------------------------- */

static bool
holds_all(const struct jv *object, const struct jv *from)
{
	const struct jv *member;
	size_t i;

	for (i = 0; i < from->count; i++) {
		member = jv_get_span(object, from->names[i]);
		if (member == NULL || !jv_equal(member, from->items[i]))
			return false;
	}
	return true;
}

static const struct jv *
replace_members(struct arena *a, const struct jv *object,
    const struct jv *from, const struct jv *to)
{
	const struct jv *out = object;
	size_t i, j;

	for (i = 0; i < from->count; i++)
		for (j = 0; j < out->count; j++)
			if (span_equal(out->names[j], from->names[i])) {
				out = jv_replace(a, out, j, NULL);
				break;
			}
	for (i = 0; i < to->count; i++) {
		for (j = 0; j < out->count; j++)
			if (span_equal(out->names[j], to->names[i]))
				break;
		out = j < out->count
		    ? jv_replace(a, out, j, to->items[i])
		    : jv_append(a, out, to->names[i].data, to->items[i]);
	}
	return out;
}

const struct jv *
profile_translate(struct arena *a, const struct profile *profile,
    const struct jv *expect)
{
	const struct jv *list = profile->translate, *entry, *out = expect;
	const struct jv *item;
	size_t i;

	if (list == NULL)
		return expect;
	for (i = 0; i < expect->count; i++) {
		item = profile_translate(a, profile, expect->items[i]);
		if (item != expect->items[i])
			out = jv_replace(a, out, i, item);
	}
	if (out->kind != JV_OBJECT)
		return out;
	for (i = 0; i < list->count; i++) {
		entry = list->items[i];
		if (holds_all(out, jv_get(entry, "from")))
			return replace_members(a, out, jv_get(entry, "from"),
			    jv_get(entry, "to"));
	}
	return out;
}
