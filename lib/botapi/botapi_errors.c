/* Refusals; see the header. */
#include "botapi/botapi_errors.h"

#include "base/log.h"
#include "json/jsonout.h"
#include "validate/v1_kinds.h"

/* A body's echo in a syntax error: each byte may become six. */
#define REFUSAL_MAX ((size_t)64 << 20)
/* What is held of an error list before it is sent in pieces. */
#define HELD_MAX ((size_t)65536)

enum err
botapi_refuse(struct exchange *x, int status, const char *detail)
{
	struct buf body = BUF_INIT(4096);
	enum err err;

	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "detail", detail);
	buf_addc(&body, '}');
	err = response_send_json(&x->response, status, &body);
	buf_release(&body);
	return err == ERR_NONE ? ERR_ANSWERED : err;
}

enum err
botapi_refuse_syntax(struct exchange *x, struct span text,
    const struct pyjson_error *e)
{
	struct buf body = BUF_INIT(REFUSAL_MAX);
	const char *p;
	enum err err;

	buf_printf(&body, "{\"detail\":[{\"loc\":[\"body\",%zu]", e->pos);
	jsonout_name(&body, "msg");
	buf_addc(&body, '"');
	/* The messages hold no quotes; the backslash of \escape is doubled. */
	for (p = e->msg; *p != '\0'; p++) {
		if (*p == '\\')
			buf_addc(&body, '\\');
		buf_addc(&body, *p);
	}
	buf_printf(&body, ": line %zu column %zu (char %zu)\"", e->line,
	    e->column, e->pos);
	jsonout_member_cstring(&body, "type", "value_error.jsondecode");
	jsonout_name(&body, "ctx");
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "msg", e->msg);
	jsonout_member(&body, "doc", text);
	jsonout_member_int(&body, "pos", (int64_t)e->pos);
	jsonout_member_int(&body, "lineno", (int64_t)e->line);
	jsonout_member_int(&body, "colno", (int64_t)e->column);
	buf_adds(&body, "}}]}");
	err = response_send_json(&x->response, 422, &body);
	buf_release(&body);
	return err == ERR_NONE ? ERR_ANSWERED : err;
}

/* ---- the list of errors -------------------------------------------------- */

/*
 * A body of 1 MB can be wrong half a million times, and the answer is then
 * 50 MB.  The first walk counts its bytes and holds the list while it is
 * short, as nearly all are; for a long one a second walk sends it.
 */
struct list_sink {
	struct field_sink sink;
	struct exchange *x;
	struct buf held;
	size_t sent;    /* bytes gone from held */
	bool sending;   /* the second walk */
	enum err err;
};

static void
pass_on(struct list_sink *s)
{
	if (s->sending && s->err == ERR_NONE)
		s->err = response_write(&s->x->response, s->held.data,
		    s->held.len);
	s->sent += s->held.len;
	buf_reset(&s->held);
}

static void
add_error(struct field_sink *sink, const struct field_error *e)
{
	struct list_sink *s = (struct list_sink *)sink;

	if (s->err != ERR_NONE)
		return;
	buf_addc(&s->held, s->sent == 0 && s->held.len == 0 ? '[' : ',');
	v1_error_json(&s->held, e);
	if (s->held.len > HELD_MAX)
		pass_on(s);
}

static enum err
send_short(struct list_sink *s)
{
	struct buf body = BUF_INIT(2 * HELD_MAX);
	enum err err;

	buf_adds(&body, "{\"detail\":");
	buf_add(&body, s->held.data, s->held.len);
	buf_adds(&body, "]}");
	err = response_send_json(&s->x->response, 422, &body);
	buf_release(&body);
	return err;
}

static enum err
send_long(struct list_sink *s, struct validation *v,
    const struct model *model, void *result)
{
	static const struct span before = {"{\"detail\":", 10};
	struct response *r = &s->x->response;
	enum err err;

	response_status(r, 422);
	err = response_begin(r, "application/json",
	    before.len + s->sent + s->held.len + 2);
	if (err == ERR_NONE)
		err = response_write(r, before.data, before.len);
	if (err != ERR_NONE)
		return err;
	buf_reset(&s->held);
	s->sent = 0;
	s->sending = true;
	(void)validate(v, model, NULL, s->x->json, result);
	buf_adds(&s->held, "]}");
	pass_on(s);
	return s->err;
}

enum err
botapi_read(struct exchange *x, const struct model *model, void *result)
{
	struct list_sink sink = {.sink = {add_error}, .x = x};
	struct validation v = {.arena = x->request.arena, .sink = &sink.sink};
	enum err err = ERR_NONE;
	bool good;

	buf_init(&sink.held, 2 * HELD_MAX);
	good = validate(&v, model, NULL, x->json, result);
	if (v.out_of_memory || buf_err(&sink.held) != ERR_NONE)
		err = ERR_MEMORY;
	else if (!good)
		err = sink.sent == 0 ? send_short(&sink)
				     : send_long(&sink, &v, model, result);
	buf_release(&sink.held);
	return err == ERR_NONE && !good ? ERR_ANSWERED : err;
}

/* ---- our own failures, and the engine's ---------------------------------- */

enum err
botapi_failed(struct exchange *x, enum err why)
{
	bool later = why == ERR_STORE_BUSY || why == ERR_STORE_READONLY;

	if (why == ERR_STORE_FULL)
		return botapi_refuse(x, 507, "Insufficient Storage");
	if (!later)
		return botapi_refuse(x, 500, "Internal Server Error");
	if (why == ERR_STORE_BUSY)
		(void)response_header(&x->response, "Retry-After", SPAN("1"));
	return botapi_refuse(x, 503, "Service Unavailable");
}

int
botapi_fault_status(enum engine_fault fault)
{
	switch (fault) {
	case FAULT_RATE_LIMIT:
		return 429;
	case FAULT_TIMEOUT:
		return 504;
	case FAULT_NOT_CONFIGURED:
	case FAULT_QUOTA:
		return 503;
	case FAULT_NONE:
	case FAULT_INTERNAL:
		return 500;
	default:
		return 502;
	}
}
