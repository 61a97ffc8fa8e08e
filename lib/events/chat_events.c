/* The JSON and the framing of POST /chat-messages. */
#include "events/chat_events.h"

#include <stdio.h>
#include <string.h>

#include "json/jsonout.h"

static void
count_or_null(struct buf *out, const char *name, int64_t count)
{
	if (count < 0)
		jsonout_member_null(out, name);
	else
		jsonout_member_int(out, name, count);
}

static void
resource_json(struct buf *out, const struct passage *p, size_t position)
{
	static const char *const unknown[] = {"index_node_hash", "page",
	    "doc_metadata", "title", "files", "summary"};
	size_t i;

	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_int(out, "position", (int64_t)position);
	jsonout_member_cstring(out, "dataset_id", p->dataset_id);
	jsonout_member_cstring(out, "dataset_name", p->dataset_name);
	jsonout_member_cstring(out, "document_id", p->document_id);
	jsonout_member_cstring(out, "document_name", p->document_name);
	if (p->document_url != NULL)
		jsonout_member_cstring(out, "url", p->document_url);
	jsonout_member_cstring(out, "data_source_type", "upload_file");
	jsonout_member_cstring(out, "segment_id", p->segment_id);
	jsonout_member_cstring(out, "retriever_from", "api");
	jsonout_member_double(out, "score", p->score);
	count_or_null(out, "hit_count", p->hit_count);
	count_or_null(out, "word_count", p->word_count);
	count_or_null(out, "segment_position",
	    p->segment_position > 0 ? p->segment_position : -1);
	jsonout_member(out, "content",
	    p->content.data == NULL ? SPAN("") : p->content);
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		jsonout_member_null(out, unknown[i]);
	buf_addc(out, '}');
}

void
chat_resources_json(struct buf *out, const struct passage *passages, size_t n)
{
	size_t i;

	buf_addc(out, '[');
	for (i = 0; i < n; i++)
		resource_json(out, &passages[i], i + 1);
	buf_addc(out, ']');
}

void
chat_metadata_json(struct buf *out, const struct chat_metadata *m)
{
	const struct chat_annotation *a = m->annotation;

	buf_addc(out, '{');
	if (a == NULL) {
		jsonout_member_null(out, "annotation_reply");
	} else {
		jsonout_name(out, "annotation_reply");
		buf_addc(out, '{');
		jsonout_member_cstring(out, "id", a->id);
		jsonout_name(out, "account");
		buf_addc(out, '{');
		jsonout_member_cstring(out, "id", a->account_id);
		jsonout_member_cstring(out, "name", a->account_name);
		buf_adds(out, "}}");
	}
	jsonout_member_raw(out, "retriever_resources", m->resources);
	jsonout_name(out, "usage");
	usage_json(out, m->usage);
	buf_addc(out, '}');
}

void
chat_body_json(struct buf *out, const struct chat_ids *ids,
    struct span answer, const struct chat_metadata *m)
{
	buf_addc(out, '{');
	jsonout_member_cstring(out, "event", "message");
	jsonout_member_cstring(out, "task_id", ids->task_id);
	jsonout_member_cstring(out, "id", ids->message_id);
	jsonout_member_cstring(out, "message_id", ids->message_id);
	jsonout_member_cstring(out, "conversation_id", ids->conversation_id);
	jsonout_member_cstring(out, "mode", "chat");
	jsonout_member(out, "answer",
	    answer.data == NULL ? SPAN("") : answer);
	jsonout_name(out, "metadata");
	chat_metadata_json(out, m);
	jsonout_member_int(out, "created_at", ids->created_at);
	buf_addc(out, '}');
}

/* The members that every event but ping begins with. */
static void
event_begin(struct buf *out, const struct chat_ids *ids, const char *event)
{
	buf_adds(out, "data: {");
	jsonout_member_cstring(out, "event", event);
	jsonout_member_cstring(out, "conversation_id", ids->conversation_id);
	jsonout_member_cstring(out, "message_id", ids->message_id);
	jsonout_member_int(out, "created_at", ids->created_at);
}

void
chat_event_message(struct buf *out, const struct chat_ids *ids,
    struct span text)
{
	event_begin(out, ids, "message");
	jsonout_member_cstring(out, "task_id", ids->task_id);
	jsonout_member_cstring(out, "id", ids->message_id);
	jsonout_member(out, "answer", text.data == NULL ? SPAN("") : text);
	jsonout_member_null(out, "from_variable_selector");
	buf_adds(out, "}\n\n");
}

void
chat_event_replace(
    struct buf *out, const struct chat_ids *ids, struct span answer)
{
	event_begin(out, ids, "message_replace");
	jsonout_member_cstring(out, "task_id", ids->task_id);
	jsonout_member(out, "answer",
	    answer.data == NULL ? SPAN("") : answer);
	jsonout_member_cstring(out, "reason", "");
	buf_adds(out, "}\n\n");
}

void
chat_event_end(struct buf *out, const struct chat_ids *ids,
    const struct chat_metadata *m)
{
	event_begin(out, ids, "message_end");
	jsonout_member_cstring(out, "task_id", ids->task_id);
	jsonout_member_cstring(out, "id", ids->message_id);
	jsonout_name(out, "metadata");
	chat_metadata_json(out, m);
	jsonout_member_null(out, "files");
	buf_adds(out, "}\n\n");
}

void
chat_event_error(struct buf *out, const struct chat_ids *ids, int status,
    const char *code, const char *message)
{
	event_begin(out, ids, "error");
	jsonout_member_cstring(out, "code", code);
	jsonout_member_int(out, "status", status);
	jsonout_member_cstring(out, "message", message);
	buf_adds(out, "}\n\n");
}

/* Table T.  A NULL message is the engine's own words, else the default. */
#define CREDENTIALS_TEXT                                                       \
	"No valid model provider credentials found. Please go to Settings "   \
	"-> Model Provider to complete your provider credentials."
#define QUOTA_TEXT(provider)                                                   \
	"Your quota for Dify Hosted " provider " has been exhausted. Please " \
	"go to Settings -> Model Provider to complete your own provider "     \
	"credentials."
#define FAILED_TEXT "Completion request failed."
#define BROKEN_TEXT                                                            \
	"The server encountered an internal error and was unable to "         \
	"complete your request. Either the server is overloaded or there is " \
	"an error in the application."
#define BROKEN_STREAM_TEXT "Internal Server Error, please contact support."

static const struct {
	enum engine_fault fault;
	int status;
	const char *code;
	bool told; /* the engine's own words come first */
	const char *message;
	const char *in_stream; /* NULL: the same */
} fault_table[] = {
    {FAULT_NOT_CONFIGURED, 400, "provider_not_initialize", false,
	CREDENTIALS_TEXT, NULL},
    {FAULT_CREDENTIALS, 400, "completion_request_error", false,
	"Incorrect API key provided", NULL},
    {FAULT_QUOTA, 400, "provider_quota_exceeded", false,
	QUOTA_TEXT("OpenAI"), QUOTA_TEXT("Model Provider")},
    {FAULT_RATE_LIMIT, 429, "rate_limit_error", true, "Rate Limit Error",
	NULL},
    /* The contract's text is about a trial of Dify's own hosting. */
    {FAULT_MODEL, 400, "model_currently_not_support", true, FAILED_TEXT,
	NULL},
    {FAULT_ADDRESS, 400, "completion_request_error", true, FAILED_TEXT, NULL},
    {FAULT_FILTERED, 400, "completion_request_error", true, FAILED_TEXT,
	NULL},
    {FAULT_REFUSED, 400, "completion_request_error", true, FAILED_TEXT, NULL},
    {FAULT_UNREACHABLE, 400, "completion_request_error", true, FAILED_TEXT,
	NULL},
    {FAULT_TIMEOUT, 400, "completion_request_error", true, FAILED_TEXT, NULL},
    {FAULT_CUT, 400, "completion_request_error", true, FAILED_TEXT, NULL},
    {FAULT_MALFORMED, 400, "completion_request_error", true, FAILED_TEXT,
	NULL},
    {FAULT_TOO_BIG, 400, "completion_request_error", true, FAILED_TEXT, NULL},
    {FAULT_INTERNAL, 500, "internal_server_error", false, BROKEN_TEXT,
	BROKEN_STREAM_TEXT},
};

struct chat_fault
chat_fault_of(enum engine_fault fault, const char *told, bool in_stream)
{
	size_t n = sizeof(fault_table) / sizeof(fault_table[0]), i;
	struct chat_fault f;

	for (i = 0; i < n - 1; i++)
		if (fault_table[i].fault == fault)
			break;
	f.status = fault_table[i].status;
	f.code = fault_table[i].code;
	f.message = fault_table[i].message;
	if (in_stream && fault_table[i].in_stream != NULL)
		f.message = fault_table[i].in_stream;
	if (fault_table[i].told && told != NULL && told[0] != '\0')
		f.message = told;
	return f;
}

void
chat_event_broken(char *out, const struct chat_ids *ids)
{
	struct chat_fault f = chat_fault_of(FAULT_INTERNAL, NULL, true);

	(void)snprintf(out, CHAT_EVENT_BROKEN_MAX,
	    "data: {\"event\":\"error\",\"conversation_id\":\"%s\","
	    "\"message_id\":\"%s\",\"created_at\":%lld,\"code\":\"%s\","
	    "\"status\":%d,\"message\":\"%s\"}\n\n",
	    ids->conversation_id, ids->message_id,
	    (long long)ids->created_at, f.code, f.status, f.message);
}

/* The length of {{name}} at the start of text; 0 when there is none. */
static size_t
mark_length(struct span text)
{
	size_t i = 2;

	if (text.len < 5 || text.data[0] != '{' || text.data[1] != '{')
		return 0;
	if (!text_is_alpha(text.data[2]) && text.data[2] != '_')
		return 0;
	while (i < text.len && i < 32 &&
	    (text_is_alnum(text.data[i]) || text.data[i] == '_'))
		i++;
	if (text.len - i < 2 || text.data[i] != '}' || text.data[i + 1] != '}')
		return 0;
	return i + 2;
}

struct span
chat_stored_answer(struct arena *arena, struct span answer)
{
	struct span text = span_trim(answer);
	size_t i = 0, at = 0, n;
	char *copy = arena_alloc(arena, text.len + 1);

	if (copy == NULL)
		return SPAN_NONE;
	while (i < text.len) {
		n = mark_length((struct span){text.data + i, text.len - i});
		if (n == 0) {
			copy[at++] = text.data[i++];
			continue;
		}
		memcpy(copy + at, text.data + i + 1, n - 2);
		at += n - 2;
		i += n;
	}
	return (struct span){copy, at};
}
