/*
 * Answers on the wire of CGI: "Status: 200 OK", header lines, an empty line,
 * the body.  Head and a small body go out in one write, so a short answer is
 * one record on a FastCGI connection.
 */
#include "http/response.h"

#include <stdio.h>

#include "base/metrics.h"

#define HEAD_MAX 16384U
#define JOIN_MAX 16384U /* a larger body is not copied behind the head */

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Requested Range Not Satisfiable"},
    {422, "Unprocessable Entity"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *
response_phrase(int status)
{
	static const char *const classes[] = {"Informational", "Success",
	    "Redirection", "Client Error", "Server Error"};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status >= 100 && status < 600 ? classes[status / 100 - 1]
					     : "Unknown";
}

void
response_init(struct response *r, struct gateway *g, const char *request_id,
    bool head_request)
{
	*r = (struct response){.gateway = g, .no_body = head_request};
	buf_init(&r->head, HEAD_MAX);
	/* A failure here sticks in the buffer and is found by the send. */
	if (response_header(r, "x-request-id", span_of(request_id)) !=
	    ERR_NONE)
		return;
	r->id_bytes = r->head.len;
}

void
response_release(struct response *r)
{
	if (r->stream)
		metrics_stream(-1);
	r->stream = false;
	buf_release(&r->head);
}

void
response_restart(struct response *r)
{
	if (r->sent)
		return;
	r->status = 0;
	/* What did not fit, or had no memory, is dropped with the rest. */
	r->head.err = ERR_NONE;
	buf_truncate(&r->head, r->id_bytes);
}

void
response_status(struct response *r, int status)
{
	r->status = status;
}

/* A header name is a token (RFC 9110, 5.6.2). */
static bool
name_is_token(const char *name)
{
	const char *c;

	for (c = name; *c != '\0'; c++)
		if (!text_is_alnum(*c) && *c != '-' && *c != '_')
			return false;
	return c != name;
}

enum err
response_header(struct response *r, const char *name, struct span value)
{
	if (!name_is_token(name) || text_breaks_line(value))
		return ERR_INPUT;
	buf_adds(&r->head, name);
	buf_add(&r->head, ": ", 2);
	buf_add(&r->head, value.data, value.len);
	buf_add(&r->head, "\r\n", 2);
	return buf_err(&r->head);
}

void
response_not_before(struct response *r, enum err (*wait)(void *arg),
    void *arg)
{
	r->wait = wait;
	r->wait_arg = arg;
}

/* Waits for what must come before. */
static enum err
await(struct response *r)
{
	enum err (*wait)(void *arg) = r->wait;

	r->wait = NULL;
	return wait == NULL ? ERR_NONE : wait(r->wait_arg);
}

/* Leaves all of the answer with the gateway, rather than wait. */
static bool
hold(struct response *r, struct span all)
{
	const struct gateway_ops *ops = r->gateway->ops;

	if (r->wait == NULL || ops->hold == NULL ||
	    !ops->hold(r->gateway, all.data, all.len))
		return false;
	r->wait = NULL;
	r->held = true;
	return true;
}

static enum err
put(struct response *r, const char *data, size_t len)
{
	enum err err;

	if (r->gone)
		return ERR_CLIENT_GONE;
	err = r->gateway->ops->write(r->gateway, data, len);
	if (err != ERR_NONE)
		r->gone = true;
	return err;
}

/* The whole head into out: the status line, the headers, the empty line. */
static void
write_head(const struct response *r, struct buf *out)
{
	int status = r->status == 0 ? 200 : r->status;

	if (r->gateway->nph)
		buf_printf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\n",
		    status, response_phrase(status));
	else
		buf_printf(out, "Status: %d %s\r\n", status,
		    response_phrase(status));
	buf_add(out, r->head.data, r->head.len);
	buf_add(out, "\r\n", 2);
}

/* Sends the head, and body behind it; whole: nothing else follows. */
static enum err
send_with(struct response *r, struct span body, bool whole)
{
	struct buf out = BUF_INIT(HEAD_MAX + JOIN_MAX + 256);
	bool joined = body.len <= JOIN_MAX;
	enum err err = buf_err(&r->head);

	if (err != ERR_NONE)
		return err;
	write_head(r, &out);
	if (joined)
		buf_add(&out, body.data, body.len);
	err = buf_err(&out);
	if (err == ERR_NONE && whole && joined)
		r->sent = hold(r, buf_span(&out));
	if (err == ERR_NONE && !r->sent)
		err = await(r);
	if (err == ERR_NONE && !r->held) {
		r->sent = true;
		r->gateway->last = whole && joined;
		err = put(r, out.data, out.len);
	}
	buf_release(&out);
	r->gateway->last = whole;
	if (err == ERR_NONE && !joined)
		err = put(r, body.data, body.len);
	if (err == ERR_NONE)
		r->body_bytes += body.len;
	return err;
}

enum err
response_send(struct response *r, const char *content_type, struct span body)
{
	char length[24];
	size_t before = r->head.len;
	bool bare = r->status == 204 || r->status == 304;
	enum err err = ERR_NONE;

	(void)snprintf(length, sizeof(length), "%zu", body.len);
	if (content_type != NULL && !bare)
		err = response_header(r, "Content-Type",
		    span_of(content_type));
	if (err == ERR_NONE && !bare)
		err = response_header(r, "Content-Length", span_of(length));
	if (err != ERR_NONE)
		return err;
	err = send_with(r, r->no_body || bare ? SPAN_NONE : body, true);
	if (err != ERR_NONE && !r->sent) /* another answer may take its place */
		buf_truncate(&r->head, before);
	return err;
}

enum err
response_send_json(struct response *r, int status, const struct buf *body)
{
	enum err err = buf_err(body);

	if (err != ERR_NONE)
		return err;
	response_status(r, status);
	return response_send(r, "application/json",
	    (struct span){buf_text(body), body->len});
}

enum err
response_begin(struct response *r, const char *content_type, size_t length)
{
	char text[24];
	enum err err = response_header(r, "Content-Type",
	    span_of(content_type));

	(void)snprintf(text, sizeof(text), "%zu", length);
	if (err == ERR_NONE)
		err = response_header(r, "Content-Length", span_of(text));
	if (err != ERR_NONE)
		return err;
	return send_with(r, SPAN_NONE, false);
}

enum err
response_begin_stream(struct response *r, const char *content_type)
{
	enum err err = response_header(r, "Content-Type",
	    span_of(content_type));

	if (err == ERR_NONE)
		err = response_header(r, "Cache-Control", SPAN("no-cache"));
	/* nginx holds a stream back unless it is told not to. */
	if (err == ERR_NONE)
		err = response_header(r, "X-Accel-Buffering", SPAN("no"));
	if (err != ERR_NONE)
		return err;
	r->stream = true;
	metrics_stream(1);
	return send_with(r, SPAN_NONE, false);
}

enum err
response_write(struct response *r, const char *data, size_t len)
{
	enum err err;

	if (!r->sent) /* nobody could read a body without a head */
		return r->gone ? ERR_CLIENT_GONE : ERR_MEMORY;
	if (r->no_body || len == 0)
		return r->gone ? ERR_CLIENT_GONE : ERR_NONE;
	err = await(r);
	if (err == ERR_NONE)
		err = put(r, data, len);
	if (err == ERR_NONE)
		r->body_bytes += len;
	return err;
}
