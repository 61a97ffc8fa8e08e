/*
 * libFuzzer target: any body against POST /chat-messages, up to where the
 * store would be asked, and then against an input form.  Besides crashes it
 * looks for broken promises: a refusal that is no JSON envelope, a query
 * with a NUL, stored inputs that are no JSON object.
 */
#include "messagesapi/chat_request.h"

#include <stdlib.h>
#include <string.h>

#include "auth/caller.h"
#include "base/utf8.h"
#include "config/config.h"
#include "http/gateway_memory.h"
#include "messagesapi/form_inputs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct form_control form[] = {
    {.variable = "a", .kind = "text-input", .max_length = 5},
    {.variable = "b", .kind = "number", .fallback = "7"},
    {.variable = "c", .kind = "checkbox"},
    {.variable = "d",
	.kind = "select",
	.options = {.items = {"x", "y's"}, .n = 2}},
    {.variable = "e", .kind = "paragraph", .required = true},
};
static const struct bot_config bot = {.slug = "s", .form = form, .n_form = 5};
static const struct caller caller = {.bot = &bot};

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static const struct pyjson *
decoded(struct arena *arena, struct span text)
{
	const struct pyjson *value = NULL;

	must(pyjson_decode(arena, text, NULL, &value, NULL) == ERR_NONE);
	return value;
}

static void
check_inputs(struct exchange *x, const struct chat_request *request)
{
	struct chat_files files = {.n = 0};
	struct form_inputs inputs;
	const char *why = NULL;
	struct span filled;
	enum err err = form_inputs_read(x, NULL, 0, request->inputs, &files,
	    &inputs, &why);

	must(err == ERR_NONE || err == ERR_INPUT || err == ERR_MEMORY ||
	    err == ERR_TOO_BIG);
	must((err == ERR_INPUT) == (why != NULL));
	if (err != ERR_NONE)
		return;
	must(pyjson_is_object(decoded(x->request.arena, inputs.json)));
	must(inputs.n <= bot.n_form);
	filled = form_inputs_fill(x->request.arena, "{{a}} {{ e }} {{z}} {{",
	    &inputs);
	must(filled.data != NULL && span_ends(filled, " {{z}} {{"));
}

static void
check_answer(struct exchange *x, const struct gateway_memory *m)
{
	const struct pyjson *body = decoded(x->request.arena,
	    gateway_memory_body(m));
	int64_t status = 0;

	must(pyjson_int64(pyjson_get(body, "status"), &status));
	must(status == gateway_memory_status(m) && status >= 400);
	must(pyjson_is_string(pyjson_get(body, "code")));
	must(pyjson_is_string(pyjson_get(body, "message")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const params[] = {"REQUEST_METHOD=POST",
	    "REQUEST_URI=/v1/chat-messages", "SERVER_PROTOCOL=HTTP/1.1",
	    "HTTP_TRANSFER_ENCODING=chunked",
	    "CONTENT_TYPE=application/json", NULL};
	struct config config = {.server = {.max_body = 1 << 20}};
	struct chat_request request;
	struct gateway_memory m;
	struct exchange x;
	struct arena arena;
	enum err err;

	arena_init(&arena, (size_t)96 << 20);
	gateway_memory_init(&m, params,
	    (struct span){(const char *)data, size});
	memset(&x, 0, sizeof(x));
	x.config = &config;
	x.caller = &caller;
	x.request.arena = &arena;
	must(request_init(&x.request, &arena, &m.gateway, "") == ERR_NONE);
	response_init(&x.response, &m.gateway, x.request.id, false);
	err = chat_request_read(&x, &request);
	if (err == ERR_NONE) {
		must(utf8_valid(request.query, true));
		must(memchr(request.query.data, '\0', request.query.len) ==
		    NULL);
		must(request.user.name.len > 0);
		must(request.conversation_id[0] == '\0' ||
		    uuid_is_hyphenated(span_of(request.conversation_id)));
		check_inputs(&x, &request);
	} else if (err == ERR_ANSWERED) {
		check_answer(&x, &m);
	}
	response_release(&x.response);
	gateway_memory_release(&m);
	arena_release(&arena);
	return 0;
}
