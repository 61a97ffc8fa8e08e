/*
 * libFuzzer target for the decoder: any bytes.  Besides crashes it looks for
 * broken promises: a fault outside the text, memory beyond 12 times the
 * body, values that do not come back the same after being written.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "json/pyjson.h"

#define SLACK 4096U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static void
check_fault(struct span text, const struct pyjson_error *e)
{
	must(e->msg != NULL);
	must(e->pos <= utf8_length(text));
	must(e->line >= 1 && e->column <= e->pos + 1);
}

/* Walks everything by the iterator; returns the number of values. */
static size_t
walk(const struct pyjson *v)
{
	struct pyjson_iter *open = calloc(1001, sizeof(*open));
	size_t depth = 1, n = 1;
	struct span name;

	must(open != NULL);
	open[0] = pyjson_iter(v);
	while (depth > 0) {
		if (!pyjson_next(&open[depth - 1], &name, &v)) {
			depth--;
			continue;
		}
		n++;
		must(v != NULL && pyjson_kind(v) != PYJSON_ABSENT);
		must(utf8_valid(name, true));
		must(utf8_valid(pyjson_string(v), true));
		(void)pyjson_double(v);
		if (pyjson_is_array(v) || pyjson_is_object(v)) {
			must(depth < 1001);
			open[depth++] = pyjson_iter(v);
		}
	}
	free(open);
	return n;
}

static void
check_value(const struct pyjson *v, struct arena *arena)
{
	struct buf first = BUF_INIT(1U << 26), second = BUF_INIT(1U << 26);
	const struct pyjson *again;
	size_t n = walk(v);

	pyjson_write(&first, v);
	/* A lone high surrogate before a lone low one has no spelling in JSON
	 * that would not join them: nothing to compare then. */
	if (memmem(first.data, first.len, "\\ud", 3) != NULL) {
		buf_release(&first);
		return;
	}
	must(pyjson_decode(arena, buf_span(&first), NULL,
	    &again, NULL) == ERR_NONE);
	must(walk(again) == n);
	pyjson_write(&second, again);
	must(first.len == second.len &&
	    memcmp(first.data, second.data, first.len) == 0);
	buf_release(&first);
	buf_release(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = {(const char *)data, size}, text;
	struct pyjson_error error;
	const struct pyjson *v;
	struct arena arena;

	/* As it comes, invalid bytes and all: an upstream may send them. */
	arena_init(&arena, 1U << 28);
	switch (pyjson_decode(&arena, body, NULL, &v, &error)) {
	case ERR_NONE:
		must(v != NULL);
		break;
	case ERR_SYNTAX:
		must(v == NULL && error.msg != NULL && error.pos <= size);
		break;
	default:
		must(v == NULL);
	}
	arena_release(&arena);

	if (pyjson_text(&arena, body, &text) == ERR_NONE) {
		must(utf8_valid(text, true));
		switch (pyjson_decode(&arena, text, NULL, &v, &error)) {
		case ERR_NONE:
			must(arena.used <= 12 * size + SLACK);
			check_value(v, &arena);
			break;
		case ERR_SYNTAX:
			check_fault(text, &error);
			break;
		default:
			must(v == NULL);
		}
	}
	arena_release(&arena);
	return 0;
}
