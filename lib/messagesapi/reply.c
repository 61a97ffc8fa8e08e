/* The messages API's answers and its error envelope. */
#include "messagesapi/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "json/jsonout.h"

static const struct {
	int status;
	const char *code, *message;
} errors[] = {
#define X(name, status, code, message) {status, code, message},
    REPLY_ERRORS(X)
#undef X
};

void
reply_headers(struct exchange *x)
{
	/* Constant texts: they cannot break a header line. */
	(void)response_header(&x->response, "Access-Control-Allow-Origin",
	    SPAN("*"));
	(void)response_header(&x->response, "Access-Control-Expose-Headers",
	    SPAN("X-Request-Id, X-Version, X-Env"));
}

enum err
reply_json(struct exchange *x, int status, struct buf *body)
{
	enum err err = response_send_json(&x->response, status, body);

	buf_release(body);
	return err;
}

enum err
reply_success(struct exchange *x)
{
	struct buf body = BUF_INIT(64);

	buf_adds(&body, "{\"result\":\"success\"}");
	return reply_json(x, 200, &body);
}

enum err
reply_nothing(struct exchange *x)
{
	response_status(&x->response, 204);
	return response_send(&x->response, NULL, SPAN_NONE);
}

enum err
reply_envelope(struct exchange *x, int status, const char *code,
    struct span message, const char *params)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	enum err err;

	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "code", code);
	jsonout_member(&body, "message",
	    message.data == NULL ? SPAN("") : message);
	if (params != NULL)
		jsonout_member_cstring(&body, "params", params);
	jsonout_member_int(&body, "status", status);
	buf_addc(&body, '}');
	if (status == 401)
		(void)response_header(&x->response, "WWW-Authenticate",
		    SPAN("Bearer realm=\"api\""));
	err = reply_json(x, status, &body);
	return err == ERR_NONE ? ERR_ANSWERED : err;
}

enum err
reply_error(struct exchange *x, enum reply_error which)
{
	if (which == REPLY_TOO_MANY || which == REPLY_UNAVAILABLE)
		(void)response_header(&x->response, "Retry-After", SPAN("1"));
	return reply_envelope(x, errors[which].status, errors[which].code,
	    span_of(errors[which].message), NULL);
}

enum err
reply_too_many(struct exchange *x, const char *message, int retry_after_s)
{
	char seconds[16];
	enum err err;

	(void)snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
	err = response_header(&x->response, "Retry-After", span_of(seconds));
	if (err != ERR_NONE)
		return err;
	return reply_envelope(x, 429, "too_many_requests", span_of(message),
	    NULL);
}

enum err
reply_invalid(struct exchange *x, const char *params, const char *format, ...)
{
	struct buf text = BUF_INIT(64 * 1024);
	va_list args;
	enum err err;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	err = reply_envelope(x, 400, "invalid_param",
	    (struct span){buf_text(&text), text.len}, params);
	buf_release(&text);
	return err;
}

enum err
reply_failure(struct exchange *x, enum err why)
{
	log_error("%s %.*s: %s", x->request.method, (int)x->request.path.len,
	    x->request.path.data, err_text(why));
	response_restart(&x->response);
	reply_headers(x);
	return reply_error(x,
	    why == ERR_STORE_BUSY	? REPLY_UNAVAILABLE
		: why == ERR_STORE_FULL ? REPLY_STORAGE
					: REPLY_INTERNAL);
}

void
faults_add(struct faults *f, const char *path, const char *format, ...)
{
	va_list args;

	if (f->first == NULL)
		f->first = path;
	else
		buf_adds(&f->text, "; ");
	buf_printf(&f->text, "%s: ", path);
	va_start(args, format);
	buf_vprintf(&f->text, format, args);
	va_end(args);
}

enum err
faults_answered(struct faults *f, struct exchange *x)
{
	enum err err = ERR_NONE;

	if (f->first != NULL)
		err = reply_envelope(x, 400, "invalid_param",
		    (struct span){buf_text(&f->text), f->text.len}, f->first);
	buf_release(&f->text);
	return err;
}
