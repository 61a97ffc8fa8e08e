/*
 * libFuzzer target for the validator: any body against both models (the
 * first byte chooses).  Besides crashes it looks for broken promises: an
 * error list that is no JSON, two walks that differ, a good body whose
 * values are not what their kinds say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "botapi/botapi_requests.h"
#include "json/jsonout.h"

#define SLACK 8192U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct writing_sink {
	struct field_sink sink;
	struct buf *out;
};

union request {
	struct chat_request chat;
	struct statistics_request statistics;
};

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static void
write_error(struct field_sink *sink, const struct field_error *e)
{
	struct buf *out = ((struct writing_sink *)sink)->out;

	jsonout_comma(out);
	v1_error_json(out, e);
}

static void
check_chat(const struct chat_request *r)
{
	const struct chat_turn *turns = r->messages.items;
	size_t i;

	must(r->bot_uid.len > 0 || r->bot_slug.len > 0);
	must(r->prompt.len > 0 || r->messages.n > 0);
	must(utf8_valid(r->prompt, true) && utf8_valid(r->user_id, true));
	for (i = 0; i < r->messages.n; i++) {
		must(turns[i].role >= ROLE_SYSTEM &&
		    turns[i].role <= ROLE_ASSISTANT);
		must(turns[i].content.data != NULL);
		must(utf8_valid(turns[i].content, true));
	}
	if (r->max_words.given)
		must(r->max_words.digits.len > 0);
}

static void
check_date(const struct field_date *date)
{
	char text[DATE_TEXT];

	must(date->given);
	must(date->day >= -719162 && date->day <= 2932896);
	date_text(date->day, text);
	must(strlen(text) == 10);
}

static void
check_errors(const struct buf *list, size_t n, struct arena *arena)
{
	const struct pyjson *v;

	must(buf_err(list) == ERR_NONE);
	must(pyjson_decode(arena, buf_span(list), NULL,
	    &v, NULL) == ERR_NONE);
	must(pyjson_count(v) == n);
}

static void
check_body(const struct model *model, const struct pyjson *value, size_t size,
    struct arena *arena)
{
	struct buf list = BUF_INIT((size_t)1 << 28);
	struct writing_sink sink = {{write_error}, &list};
	struct validation v = {arena, &sink.sink, 0, false};
	struct validation again = {arena, &field_sink_none, 0, false};
	union request r;
	bool good;

	buf_addc(&list, '[');
	good = validate(&v, model, NULL, value, &r);
	buf_addc(&list, ']');
	must(!v.out_of_memory);
	must(arena->used <= 12 * size + SLACK);
	must(good == (v.errors == 0));
	check_errors(&list, v.errors, arena);
	buf_release(&list);
	must(validate(&again, model, NULL, value, &r) == good);
	must(again.errors == v.errors);
	if (!good)
		return;
	if (model == &chat_request_model) {
		check_chat(&r.chat);
	} else {
		must(r.statistics.user_id.given);
		check_date(&r.statistics.start_date);
		check_date(&r.statistics.end_date);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body, text;
	const struct pyjson *value = NULL;
	struct arena arena;

	if (size == 0)
		return 0;
	body = (struct span){(const char *)data + 1, size - 1};
	arena_init(&arena, (size_t)1 << 28);
	if (pyjson_text(&arena, body, &text) == ERR_NONE &&
	    (body.len == 0 ||
	        pyjson_decode(&arena, text, NULL, &value, NULL) == ERR_NONE))
		check_body(data[0] % 2 == 0 ? &chat_request_model
					    : &statistics_request_model,
		    value, size, &arena);
	arena_release(&arena);
	return 0;
}
