/*
 * From files to a flat list of cases.  Faults are collected, with file and
 * line, so that an author sees all of them at once.
 */
#include "casefile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "casefolder.h"
#include "match/check.h"
#include "match/mem.h"

const char *const level_names[] = {"must", "should", "house"};

struct loading {
	struct arena *arena;
	struct casebook *book;
	struct suite *suite; /* the one being read */
	unsigned faults;
};

static void
fault(struct loading *l, const struct jv *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
fault(struct loading *l, const struct jv *at, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", l->suite->file,
	    at == NULL ? 1 : at->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	l->faults++;
}

static void
check_keys(struct loading *l, const struct jv *object, const char *what,
    const char *const *keys)
{
	const char *nearest;
	size_t i, j, best, distance;

	for (i = 0; i < object->count; i++) {
		nearest = NULL;
		best = 4;
		for (j = 0; keys[j] != NULL; j++) {
			distance = text_distance(object->names[i].data,
			    keys[j]);
			if (distance < best) {
				best = distance;
				nearest = keys[j];
			}
		}
		if (nearest != NULL && best == 0)
			continue;
		fault(l, object->items[i], "unknown key \"%s\" in %s%s%s%s",
		    object->names[i].data, what,
		    nearest == NULL ? "" : "; did you mean \"",
		    nearest == NULL ? "" : nearest,
		    nearest == NULL ? "" : "\"?");
	}
}

/* A member of the right kind, or NULL. */
static const struct jv *
part(struct loading *l, const struct jv *object, const char *name,
    enum jv_kind kind, bool needed)
{
	static const char *const kinds[] = {"null", "a boolean", "a number",
	    "a string", "an array", "an object"};
	const struct jv *v = jv_get(object, name);

	if (v == NULL && needed)
		fault(l, object, "\"%s\" is missing", name);
	if (v == NULL || v->kind == kind)
		return v;
	fault(l, v, "\"%s\" must be %s", name, kinds[kind]);
	return NULL;
}

static bool
is_id(const char *id, bool slashes)
{
	if (id == NULL || *id == '\0')
		return false;
	for (; *id != '\0'; id++)
		if (!text_is_alnum(*id) && strchr("-_.", *id) == NULL &&
		    !(slashes && *id == '/'))
			return false;
	return true;
}

/* ---- steps -------------------------------------------------------------- */

static void
check_request(struct loading *l, const struct jv *request)
{
	static const char *const keys[] = {"method", "path", "headers",
	    "json", "text", "hex", "pad", NULL};
	const struct jv *hex;
	size_t i;

	if (request->kind != JV_OBJECT) {
		fault(l, request, "a request is an object");
		return;
	}
	check_keys(l, request, "a request", keys);
	if ((jv_get(request, "json") != NULL) +
		(jv_get(request, "text") != NULL) +
		(jv_get(request, "hex") != NULL) >
	    1)
		fault(l, request, "json, text and hex exclude each other");
	part(l, request, "method", JV_STRING, false);
	part(l, request, "path", JV_STRING, false);
	part(l, request, "text", JV_STRING, false);
	part(l, request, "headers", JV_OBJECT, false);
	hex = part(l, request, "hex", JV_STRING, false);
	for (i = 0; hex != NULL && i < hex->text.len; i++)
		if (!text_is_hex(hex->text.data[i]) &&
		    strchr(" {}", hex->text.data[i]) == NULL &&
		    memchr(hex->text.data, '{', hex->text.len) == NULL) {
			fault(l, hex, "hex has digits and blanks only");
			return;
		}
}

static void
check_change(struct loading *l, const struct jv *change)
{
	static const char *const keys[] = {"set", "drop", NULL};
	const struct jv *drop;
	size_t i;

	if (change->kind != JV_OBJECT || change->count == 0) {
		fault(l, change, "a change is an object with set or drop");
		return;
	}
	check_keys(l, change, "a change", keys);
	/* A row may supply it whole. */
	if (jv_text(jv_get(change, "set")) == NULL)
		part(l, change, "set", JV_OBJECT, false);
	drop = part(l, change, "drop", JV_ARRAY, false);
	for (i = 0; drop != NULL && i < drop->count; i++)
		if (drop->items[i]->kind != JV_STRING)
			fault(l, drop->items[i], "drop has pointers only");
	if (l->suite->base == NULL)
		fault(l, change, "a change needs the file's \"base\"");
	else if (jv_get(l->suite->base, "json") == NULL)
		fault(l, change, "a change needs a base with \"json\"");
}

static void
check_sample(struct loading *l, const struct jv *sample)
{
	static const char *const keys[] = {"status", "type", "headers",
	    "json", "text", "data", NULL};

	check_keys(l, sample, "a sample", keys);
	part(l, sample, "type", JV_STRING, false);
	part(l, sample, "headers", JV_OBJECT, false);
	part(l, sample, "text", JV_STRING, false);
	part(l, sample, "data", JV_ARRAY, false);
	if ((jv_get(sample, "json") != NULL) +
		(jv_get(sample, "text") != NULL) +
		(jv_get(sample, "data") != NULL) >
	    1)
		fault(l, sample, "json, text and data exclude each other");
}

static void
check_captures(struct loading *l, const struct jv *capture)
{
	size_t i;

	for (i = 0; i < capture->count; i++) {
		if (!vars_is_name(capture->names[i]))
			fault(l, capture->items[i],
			    "\"%s\" cannot be a variable",
			    capture->names[i].data);
		if (capture->items[i]->kind != JV_STRING ||
		    !check_is_capture(capture->items[i]->text))
			fault(l, capture->items[i],
			    "a capture is a JSON Pointer or \"$join\", "
			    "\"trimmed \" or \"upper \" before it");
	}
}

static void
read_step(struct loading *l, const struct jv *def, struct case_step *step)
{
	step->line = def->line;
	step->request = jv_get(def, "request");
	step->change = jv_get(def, "change");
	if ((step->request == NULL) == (step->change == NULL))
		fault(l, def, "needs either \"request\" or \"change\"");
	else if (step->request != NULL)
		check_request(l, step->request);
	else
		check_change(l, step->change);
	step->expect = part(l, def, "expect", JV_OBJECT, true);
	step->capture = part(l, def, "capture", JV_OBJECT, false);
	if (step->capture != NULL)
		check_captures(l, step->capture);
	step->sample = part(l, def, "sample", JV_OBJECT, false);
	if (step->sample != NULL)
		check_sample(l, step->sample);
}

static void
read_times(struct loading *l, const struct jv *def, size_t i,
    struct case_step *step)
{
	const struct jv *during = part(l, def, "during", JV_NUMBER, false);
	const struct jv *goes_on = part(l, def, "goes_on", JV_BOOL, false);
	const struct jv *pause = part(l, def, "pause", JV_NUMBER, false);
	int64_t ms;

	step->goes_on = goes_on != NULL && goes_on->truth;
	if (pause != NULL && text_to_int64(pause->text, 1, 10000, &ms))
		step->pause_ms = (int)ms;
	else if (pause != NULL)
		fault(l, pause, "\"pause\" is at most 10000 milliseconds");
	if (during == NULL)
		return;
	if (!text_to_int64(during->text, 1, 600000, &ms))
		fault(l, during, "\"during\" is a number of milliseconds");
	else if (i == 0 || step[-1].during_ms != 0 ||
	    step[-1].capture == NULL)
		fault(l, during, "\"during\" needs a step before it that "
				 "captures something");
	else
		step->during_ms = (int)ms;
}

static void
read_steps(struct loading *l, const struct jv *def, struct testcase *test)
{
	static const char *const keys[] = {"request", "change", "expect",
	    "capture", "sample", "during", "goes_on", "pause", NULL};
	const struct jv *steps = part(l, def, "steps", JV_ARRAY, false);
	size_t i;

	test->step_count = steps == NULL ? 1 : steps->count;
	test->steps = mem_array(l->arena, test->step_count,
	    sizeof(*test->steps));
	if (steps == NULL) {
		read_step(l, def, test->steps);
		return;
	}
	if (steps->count == 0)
		fault(l, steps, "steps must not be empty");
	for (i = 0; keys[i] != NULL; i++)
		if (jv_get(def, keys[i]) != NULL)
			fault(l, def, "\"%s\" belongs into the steps",
			    keys[i]);
	for (i = 0; i < steps->count; i++) {
		if (steps->items[i]->kind != JV_OBJECT) {
			fault(l, steps->items[i], "a step is an object");
			test->step_count = i;
			return;
		}
		check_keys(l, steps->items[i], "a step", keys);
		read_step(l, steps->items[i], &test->steps[i]);
		read_times(l, steps->items[i], i, &test->steps[i]);
	}
}

/* ---- cases -------------------------------------------------------------- */

static enum level
read_level(struct loading *l, const struct jv *def, enum level inherited)
{
	const struct jv *v = part(l, def, "level", JV_STRING, false);
	int i;

	if (v == NULL)
		return inherited;
	for (i = 0; i < 3; i++)
		if (span_is(v->text, level_names[i]))
			return (enum level)i;
	fault(l, v, "a level is must, should or house");
	return inherited;
}

static void
add_case(struct loading *l, const struct testcase *test)
{
	struct casebook *book = l->book;
	size_t i;

	for (i = 0; i < book->count; i++)
		if (strcmp(book->cases[i].name, test->name) == 0) {
			fprintf(stderr, "%s:%u: the name %s is taken\n",
			    l->suite->file, test->line, test->name);
			l->faults++;
			return;
		}
	book->cases = mem_grow(book->cases, book->count,
	    sizeof(*book->cases));
	book->cases[book->count++] = *test;
}

static void
add_rows(struct loading *l, const struct jv *rows,
    const struct testcase *pattern)
{
	struct testcase test;
	const struct jv *row;
	const char *id;
	size_t i, j;

	if (rows->count == 0)
		fault(l, rows, "rows must not be empty");
	for (i = 0; i < rows->count; i++) {
		row = rows->items[i];
		id = jv_text(jv_get(row, "id"));
		if (!is_id(id, false)) {
			fault(l, row, "a row needs an id of letters, "
				      "digits and '-', '_', '.'");
			continue;
		}
		for (j = 0; j < row->count; j++)
			if (!vars_is_name(row->names[j]))
				fault(l, row->items[j],
				    "\"%s\" cannot be a variable",
				    row->names[j].data);
		test = *pattern;
		test.row = row;
		test.line = row->line;
		test.level = read_level(l, row, pattern->level);
		test.name = mem_printf(l->arena, "%s/%s", pattern->name, id);
		add_case(l, &test);
	}
}

static void
read_case(struct loading *l, const struct jv *def)
{
	static const char *const keys[] = {"id", "title", "source", "level",
	    "requires", "request", "change", "steps", "expect", "capture",
	    "sample", "rows", NULL};
	struct testcase test = {.suite = l->suite, .line = def->line};
	const struct jv *id, *v;
	size_t i;

	if (def->kind != JV_OBJECT) {
		fault(l, def, "a case is an object");
		return;
	}
	check_keys(l, def, "a case", keys);
	id = part(l, def, "id", JV_STRING, true);
	if (!is_id(jv_text(id), false)) {
		fault(l, def, "a case needs an id of letters, digits and "
			      "'-', '_', '.'");
		return;
	}
	test.name = mem_printf(l->arena, "%s/%s", l->suite->name,
	    jv_text(id));
	v = part(l, def, "title", JV_STRING, true);
	test.title = v == NULL ? "" : jv_text(v);
	v = part(l, def, "source", JV_STRING, false);
	test.source = v == NULL ? l->suite->source : jv_text(v);
	if (test.source == NULL)
		fault(l, def, "neither the case nor the file has a source");
	test.level = read_level(l, def, LEVEL_MUST);
	test.requires = part(l, def, "requires", JV_ARRAY, false);
	for (i = 0; test.requires != NULL && i < test.requires->count; i++)
		if (test.requires->items[i]->kind != JV_STRING)
			fault(l, test.requires, "requires names features");
	read_steps(l, def, &test);
	v = part(l, def, "rows", JV_ARRAY, false);
	if (v != NULL)
		add_rows(l, v, &test);
	else
		add_case(l, &test);
}

static void
read_suite(struct loading *l, const struct jv *root)
{
	static const char *const keys[] = {"suite", "source", "base",
	    "cases", NULL};
	struct casebook *book = l->book;
	struct suite *suite = l->suite;
	const struct jv *name, *cases;
	size_t i;

	if (root->kind != JV_OBJECT) {
		fault(l, root, "a case file is an object");
		return;
	}
	check_keys(l, root, "a case file", keys);
	name = part(l, root, "suite", JV_STRING, true);
	if (!is_id(jv_text(name), true)) {
		fault(l, root, "the suite needs a name of letters, digits "
			       "and '-', '_', '.', '/'");
		return;
	}
	suite->name = jv_text(name);
	suite->source = jv_text(part(l, root, "source", JV_STRING, false));
	suite->base = part(l, root, "base", JV_OBJECT, false);
	if (suite->base != NULL)
		check_request(l, suite->base);
	book->suites = mem_grow(book->suites, book->suite_count,
	    sizeof(struct suite *));
	suite->index = book->suite_count;
	book->suites[book->suite_count++] = suite;
	cases = part(l, root, "cases", JV_ARRAY, true);
	for (i = 0; cases != NULL && i < cases->count; i++)
		read_case(l, cases->items[i]);
}

bool
casebook_load(struct arena *a, const char *folder, struct casebook *book)
{
	struct loading l = {.arena = a, .book = book};
	char **paths = casefolder_find_cases(a, folder);
	const struct jv *root;
	size_t i;

	*book = (struct casebook){.count = 0};
	if (paths == NULL || paths[0] == NULL) {
		fprintf(stderr, "chatconf: no cases in %s\n", folder);
		return false;
	}
	for (i = 0; paths[i] != NULL; i++) {
		l.suite = mem_new(a, sizeof(*l.suite));
		l.suite->file = paths[i];
		root = casefolder_read_json(a, paths[i]);
		if (root == NULL)
			l.faults++;
		else
			read_suite(&l, root);
	}
	return l.faults == 0;
}

void
casebook_release(struct casebook *book)
{
	free(book->cases);
	free(book->suites);
	*book = (struct casebook){.count = 0};
}
