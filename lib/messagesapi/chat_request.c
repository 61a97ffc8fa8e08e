/* Reading and checking the body of POST /chat-messages. */
#include "messagesapi/chat_request.h"

/* The table: each field with what reads it, in the order of the contract. */
struct reading {
	struct exchange *x;
	struct faults faults;
	struct chat_request *request;
	bool out_of_memory;
};

static void
read_query(struct reading *r, const struct pyjson *value)
{
	if (value == NULL) {
		faults_add(&r->faults, "query", "Field required");
	} else if (!pyjson_is_string(value)) {
		faults_add(&r->faults, "query",
		    "Input should be a valid string");
	} else {
		r->request->query = parse_without_nul(r->x->request.arena,
		    pyjson_string(value));
		r->out_of_memory = r->request->query.data == NULL;
	}
}

static void
read_inputs(struct reading *r, const struct pyjson *value)
{
	r->request->inputs = value;
	if (value == NULL)
		faults_add(&r->faults, "inputs", "Field required");
	else if (!pyjson_is_object(value))
		faults_add(&r->faults, "inputs",
		    "Input should be a valid dictionary");
}

static void
read_response_mode(struct reading *r, const struct pyjson *value)
{
	struct span mode = pyjson_string(value);

	if (!pyjson_given(value))
		return;
	if (span_is(mode, "streaming"))
		r->request->streaming = true;
	else if (!span_is(mode, "blocking"))
		faults_add(&r->faults, "response_mode",
		    "Input should be 'blocking' or 'streaming'");
}

static void
read_conversation_id(struct reading *r, const struct pyjson *value)
{
	struct span id = span_trim(pyjson_string(value));

	if (!pyjson_given(value) || (pyjson_is_string(value) && id.len == 0))
		return;
	if (pyjson_is_string(value) &&
	    uuid_parse(id, r->request->conversation_id))
		return;
	r->request->conversation_id[0] = '\0';
	faults_add(&r->faults, "conversation_id",
	    "Value error, conversation_id must be a valid UUID");
}

static void
read_files(struct reading *r, const struct pyjson *value)
{
	struct pyjson_iter it = pyjson_iter(value);
	const struct pyjson *item;
	const char *path;
	size_t i;

	if (!pyjson_given(value))
		return;
	if (!pyjson_is_array(value)) {
		faults_add(&r->faults, "files",
		    "Input should be a valid list");
		return;
	}
	r->request->files = value;
	for (i = 0; pyjson_next(&it, NULL, &item); i++) {
		if (pyjson_is_object(item))
			continue;
		path = arena_printf(r->x->request.arena, "files.%zu", i);
		if (path == NULL)
			r->out_of_memory = true;
		else if (r->faults.text.len < 4096) /* enough to see */
			faults_add(&r->faults, path,
			    "Input should be a valid dictionary");
	}
}

static void
read_auto_name(struct reading *r, const struct pyjson *value)
{
	r->request->auto_name = true;
	if (value != NULL && !parse_bool(value, &r->request->auto_name))
		faults_add(&r->faults, "auto_generate_name",
		    "Input should be a valid boolean, unable to interpret "
		    "input");
}

static const struct {
	const char *name;
	void (*read)(struct reading *r, const struct pyjson *value);
} fields[] = {
    {"query", read_query},
    {"inputs", read_inputs},
    {"response_mode", read_response_mode},
    {"conversation_id", read_conversation_id},
    {"files", read_files},
    {"auto_generate_name", read_auto_name},
};

enum err
chat_request_read(struct exchange *x, struct chat_request *request)
{
	struct reading r = {.x = x, .faults = FAULTS_INIT, .request = request};
	const struct pyjson *body;
	size_t i;
	enum err err;

	*request = (struct chat_request){.streaming = false};
	err = parse_body(x, &body);
	if (err == ERR_NONE)
		err = parse_user(x, body, true, &request->user);
	if (err != ERR_NONE)
		return err;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fields[i].read(&r, pyjson_get(body, fields[i].name));
	if (r.out_of_memory) {
		buf_release(&r.faults.text);
		return ERR_MEMORY;
	}
	return faults_answered(&r.faults, x);
}
