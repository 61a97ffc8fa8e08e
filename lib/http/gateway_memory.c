/* The gateway of tests; see the header. */
#include "http/gateway_memory.h"

#include <string.h>

#define OUTPUT_MAX (64U * 1024U * 1024U)

static struct gateway_memory *
self(struct gateway *g)
{
	return (struct gateway_memory *)(void *)g;
}

static const char *
memory_param(struct gateway *g, const char *name)
{
	const char *const *p;
	size_t n = strlen(name);

	for (p = self(g)->params; *p != NULL; p++)
		if (strncmp(*p, name, n) == 0 && (*p)[n] == '=')
			return *p + n + 1;
	return NULL;
}

static enum err
memory_read(struct gateway *g, char *data, size_t len, size_t *got)
{
	struct gateway_memory *m = self(g);
	size_t left = m->body.len - m->body_at;

	if (m->read_max > 0 && len > m->read_max)
		len = m->read_max;
	*got = len < left ? len : left;
	if (*got == 0)
		return m->read_end;
	memcpy(data, m->body.data + m->body_at, *got);
	m->body_at += *got;
	return ERR_NONE;
}

static enum err
memory_write(struct gateway *g, const char *data, size_t len)
{
	struct gateway_memory *m = self(g);

	if (m->gone || len > m->write_max - m->output.len) {
		m->gone = true;
		return ERR_CLIENT_GONE;
	}
	m->writes++;
	buf_add(&m->output, data, len);
	return ERR_NONE;
}

static int
memory_client_fd(struct gateway *g, short *events)
{
	(void)g;
	*events = 0;
	return -1;
}

static bool
memory_client_gone(struct gateway *g)
{
	return self(g)->gone;
}

static const char *const *
memory_params(struct gateway *g)
{
	return self(g)->params;
}

void
gateway_memory_init(struct gateway_memory *m, const char *const *params,
    struct span body)
{
	static const struct gateway_ops ops = {.param = memory_param,
	    .params = memory_params,
	    .read = memory_read,
	    .write = memory_write,
	    .client_fd = memory_client_fd,
	    .client_gone = memory_client_gone};

	*m = (struct gateway_memory){.gateway = {.ops = &ops},
	    .params = params,
	    .body = body,
	    .write_max = OUTPUT_MAX};
	buf_init(&m->output, OUTPUT_MAX);
}

void
gateway_memory_release(struct gateway_memory *m)
{
	buf_release(&m->output);
}

struct span
gateway_memory_header(const struct gateway_memory *m, const char *name)
{
	struct span rest = {buf_text(&m->output), m->output.len}, value;

	while (rest.len > 0) {
		value = span_trim(span_cut(&rest, '\n'));
		if (value.len == 0)
			break;
		if (span_is_nocase(span_cut(&value, ':'), name))
			return span_trim(value);
	}
	return SPAN_NONE;
}

int
gateway_memory_status(const struct gateway_memory *m)
{
	struct span value = gateway_memory_header(m, "Status");
	int64_t number = 0;

	(void)text_to_int64(span_cut(&value, ' '), 100, 599, &number);
	return (int)number;
}

struct span
gateway_memory_body(const struct gateway_memory *m)
{
	const char *text = buf_text(&m->output);
	const char *end = strstr(text, "\r\n\r\n");

	if (end == NULL)
		return SPAN_NONE;
	end += 4;
	return (struct span){end, m->output.len - (size_t)(end - text)};
}
