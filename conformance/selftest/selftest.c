/*
 * A case tested: its samples must satisfy it, then every part that it expects
 * is broken in turn (breaking.c, breaking_stream.c).
 */
#include "selftest.h"

#include <stdlib.h>
#include <string.h>

#include "breaking_stream.h"
#include "match/mem.h"

static const int wrong_statuses[] = {200, 201, 204, 302, 400, 401, 403, 404,
    405, 409, 413, 415, 422, 429, 500, 502, 503};

static const char *const wrong_types[] = {"text/html", "text/plain",
    "application/octet-stream", "application/jsonx"};

/* ---- the parts of an expectation ---------------------------------------- */

static bool
expects_status(const struct jv *status, int number)
{
	size_t i;

	if (status->kind == JV_NUMBER)
		return strtol(status->text.data, NULL, 10) == number;
	for (i = 0; i < status->count; i++)
		if (strtol(status->items[i]->text.data, NULL, 10) == number)
			return true;
	return false;
}

static void
break_status(struct testing *t)
{
	const struct jv *status = jv_get(t->p->expect, "status");
	size_t i;

	for (i = 0; status != NULL &&
	     i < sizeof(wrong_statuses) / sizeof(*wrong_statuses);
	     i++)
		if (!expects_status(status, wrong_statuses[i]))
			selftest_break_at(t, t->p->sample, "/status",
			    jv_number(&t->arena,
				mem_printf(&t->arena, "%d",
				    wrong_statuses[i])));
}

static void
break_type(struct testing *t)
{
	const struct jv *type = jv_get(t->p->expect, "type");
	size_t i;

	if (type == NULL)
		return;
	for (i = 0; i < sizeof(wrong_types) / sizeof(*wrong_types); i++)
		if (strcmp(type->text.data, wrong_types[i]) != 0)
			selftest_break_at(t, t->p->sample, "/type",
			    jv_cstring(&t->arena, wrong_types[i]));
	if (*type->text.data != '\0')
		selftest_break_at(t, t->p->sample, "/type", NULL);
}

static void
break_headers(struct testing *t)
{
	const struct jv *headers = jv_get(t->p->expect, "headers"), *m;
	const struct jv *other;
	const char *path;
	size_t i;

	for (i = 0; headers != NULL && i < headers->count; i++) {
		m = headers->items[i];
		path = breaking_path(t, "/headers", headers->names[i]);
		if (matcher_is_word(m, "$absent")) {
			selftest_refuse(t,
			    jv_with(&t->arena,
				jv_get(t->p->sample, "headers") == NULL
				    ? jv_with(&t->arena, t->p->sample,
					  SPAN("/headers"),
					  jv_object(&t->arena, NULL, NULL,
					      0))
				    : t->p->sample,
				span_of(path), jv_cstring(&t->arena, "x")),
			    DAMAGE_NONE, path, "present");
			continue;
		}
		selftest_break_at(t, t->p->sample, path, NULL);
		other = jv_cstring(&t->arena, "chatconf other value");
		if (!breaking_admits(m, other))
			selftest_break_at(t, t->p->sample, path, other);
	}
}

/* A text body is a string, so only what is a string can be put there. */
static void
break_text(struct testing *t, const struct jv *m)
{
	const struct jv *sample = t->p->sample;
	const struct jv *operand;

	selftest_break_at(t, sample, "/text",
	    jv_cstring(&t->arena, "\001chatconf"));
	if (matcher_operator(m, &operand) == NULL && m->text.len > 0 &&
	    !matcher_is_word(m, "$text"))
		selftest_break_at(t, sample, "/text",
		    jv_string(&t->arena,
			(struct span){m->text.data, m->text.len - 1}));
}

static void
break_bytes(struct testing *t)
{
	static const enum damage json_damages[] = {DAMAGE_CUT, DAMAGE_MORE,
	    DAMAGE_NOT_UTF8, DAMAGE_EMPTY};
	static const enum damage stream_damages[] = {DAMAGE_CUT, DAMAGE_MORE,
	    DAMAGE_NOT_UTF8, DAMAGE_MARK, DAMAGE_LINE, DAMAGE_NUL};
	const struct jv *sample = t->p->sample;
	size_t i;

	selftest_refuse(t, sample, DAMAGE_HEADER, "a header line without ':'",
	    "");
	for (i = 0; jv_get(sample, "json") != NULL && i < 4; i++)
		selftest_refuse(t, sample, json_damages[i],
		    mem_printf(&t->arena, "damaged JSON, kind %d",
			json_damages[i]),
		    "");
	for (i = 0; jv_get(sample, "data") != NULL && i < 6; i++)
		selftest_refuse(t, sample, stream_damages[i],
		    mem_printf(&t->arena, "a damaged stream, kind %d",
			stream_damages[i]),
		    "");
}


/* ---- a case ------------------------------------------------------------- */

/* Later steps use what the sample's reply would have given. */
static void
capture_sample(struct testing *t, const struct content *content,
    struct vars *vars, struct arena *kept)
{
	const struct jv *capture = t->test->steps[t->step].capture;
	const struct jv *captured = vars->layers[VARS_CAPTURED], *value;
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	struct jv_error unused;
	size_t i;

	if (captured == NULL)
		captured = jv_object(kept, NULL, NULL, 0);
	for (i = 0; capture != NULL && i < capture->count; i++) {
		value = check_capture(&t->arena, content,
		    capture->items[i]->text);
		if (value == NULL) {
			selftest_error(t, "the sample has no value to capture",
			    capture->names[i].data);
			value = jv_cstring(&t->arena, "captured");
		}
		jv_write(&b, value); /* a copy that outlives the step */
		captured = jv_with(kept, captured,
		    span_of(mem_printf(kept, "/%s", capture->names[i].data)),
		    jv_parse(kept, mem_take(kept, &b), false, &unused));
	}
	vars->layers[VARS_CAPTURED] = captured;
}

static void
test_step(struct testing *t, struct content *content)
{
	const struct jv *m = jv_get(t->p->expect, "json");
	struct difference d;

	t->score->samples++;
	if (!selftest_read(t, t->p->sample, DAMAGE_NONE, content,
		&d)) {
		selftest_error(t, "the sample does not satisfy expect",
		    mem_printf(&t->arena, "%s\n  - %s\n  + %s", d.where,
			d.expected, d.got));
		return;
	}
	break_status(t);
	break_type(t);
	break_headers(t);
	break_bytes(t);
	if (m != NULL)
		selftest_break(t, t->p->sample, m, "/json");
	m = jv_get(t->p->expect, "text");
	if (m != NULL && jv_get(t->p->sample, "text") != NULL)
		break_text(t, m);
	selftest_break_stream(t);
	selftest_break_holds(t);
}

void
selftest_case(const struct profile *profile, const struct vars *vars,
    const struct testcase *test, struct selftest_score *score)
{
	struct testing t = {.test = test, .score = score};
	struct vars all = *vars;
	struct prepared p;
	struct content content;
	struct arena kept;
	const char *why;

	score->cases++;
	arena_init(&kept, MEM_ARENA_MAX);
	for (t.step = 0; t.step < test->step_count; t.step++) {
		arena_init(&t.arena, MEM_ARENA_MAX);
		t.p = &p;
		content = (struct content){.json = NULL};
		why = step_prepare(&t.arena, profile, &all, test, t.step,
		    &p);
		if (why == NULL && p.sample == NULL)
			why = "there is no sample";
		if (why != NULL) {
			selftest_error(&t, why, "");
			arena_release(&t.arena);
			break;
		}
		test_step(&t, &content);
		capture_sample(&t, &content, &all, &kept);
		arena_release(&t.arena);
	}
	arena_release(&kept);
}
