/* GET /messages, and questions suggested after an answer. */
#include "messagesapi/handlers.h"

#include <string.h>

#include "auth/caller.h"
#include "base/clock.h"
#include "config/config.h"
#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/chat_files.h"
#include "messagesapi/reply.h"
#include "messagesapi/suggest.h"
#include "store/messages.h"

#define NIL_UUID "00000000-0000-0000-0000-000000000000"
#define US 1000000

struct message_page {
	char conversation_id[UUID_TEXT];
	char first_id[UUID_TEXT];
	bool no_conversation; /* an empty conversation_id: an empty page */
	size_t limit;
	struct message_row *rows;
	struct message_file_row **files; /* of each row */
	size_t *n_files;
	size_t n;
	bool more;
};

static void
file_json(struct buf *out, const struct exchange *x,
    const struct message_file_row *file)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", file->id);
	jsonout_member(out, "filename",
	    file->name.data == NULL ? SPAN("") : file->name);
	jsonout_member_cstring(out, "type", file->type);
	if (file->url != NULL || file->file_id == NULL)
		jsonout_member_cstring(out, "url", file->url);
	else
		chat_file_address(out, "url", x, file->file_id);
	jsonout_member_cstring(out, "mime_type", file->mime_type);
	if (file->file != 0)
		jsonout_member_int(out, "size", file->size);
	else
		jsonout_member_null(out, "size");
	jsonout_member_cstring(out, "transfer_method", file->transfer_method);
	jsonout_member_cstring(out, "belongs_to", "user");
	jsonout_member_cstring(out, "upload_file_id", file->file_id);
	buf_addc(out, '}');
}

static void
message_files_json(struct buf *out, const struct exchange *x,
    const struct message_page *page, size_t i)
{
	size_t k;

	jsonout_name(out, "message_files");
	buf_addc(out, '[');
	for (k = 0; k < page->n_files[i]; k++)
		file_json(out, x, &page->files[i][k]);
	buf_addc(out, ']');
}

static void
message_json(struct buf *out, const struct exchange *x,
    const struct message_page *page, size_t i)
{
	const struct message_row *m = &page->rows[i];

	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", m->id);
	jsonout_member_cstring(out, "conversation_id", page->conversation_id);
	jsonout_member_cstring(out, "parent_message_id", NIL_UUID);
	jsonout_member_raw(out, "inputs", m->inputs);
	jsonout_member(out, "query", m->query);
	jsonout_member(out, "answer", m->answer);
	jsonout_member_cstring(out, "status",
	    m->state == MESSAGE_ERROR ? "error" : "normal");
	jsonout_member_cstring(out, "error", m->error);
	message_files_json(out, x, page, i);
	jsonout_name(out, "feedback");
	if (m->rating == NULL)
		buf_adds(out, "null");
	else
		buf_printf(out, "{\"rating\":\"%s\"}", m->rating);
	jsonout_member_raw(out, "retriever_resources", m->resources);
	jsonout_member_raw(out, "agent_thoughts", SPAN("[]"));
	jsonout_member_int(out, "created_at", m->created_us / US);
	jsonout_member_raw(out, "extra_contents", SPAN("[]"));
	jsonout_member_int(out, "message_tokens", m->prompt_tokens);
	jsonout_member_int(out, "answer_tokens", m->answer_tokens);
	jsonout_member_int(out, "total_tokens",
	    m->prompt_tokens + m->answer_tokens);
	jsonout_member_double(out, "provider_response_latency", m->latency_s);
	jsonout_member_cstring(out, "total_price", m->total_price);
	jsonout_member_cstring(out, "currency", m->currency);
	buf_addc(out, '}');
}

/* The files of the page's messages; most have none. */
static enum err
read_files(struct exchange *x, struct db *db, struct message_page *page)
{
	struct arena *arena = x->request.arena;
	enum err err = ERR_NONE;
	size_t i;

	page->files = arena_array(arena, page->n, sizeof(*page->files));
	page->n_files = arena_array(arena, page->n, sizeof(*page->n_files));
	if (page->files == NULL || page->n_files == NULL)
		return ERR_MEMORY;
	for (i = 0; i < page->n && err == ERR_NONE; i++)
		if (page->rows[i].n_files > 0)
			err = message_files_list(db, page->rows[i].seq,
			    CHAT_FILES_MAX, arena, &page->files[i],
			    &page->n_files[i]);
	return err;
}

/* ERR_NOT_FOUND: the first message does not exist. */
static enum err
read_page(struct exchange *x, struct db *db, int64_t conversation,
    struct message_page *page)
{
	int64_t before = 0;
	enum err err = ERR_NONE;

	if (page->first_id[0] != '\0')
		err = messages_seq(db, conversation, span_of(page->first_id),
		    &before);
	if (err == ERR_NONE)
		err = messages_page(db, conversation, before, page->limit,
		    x->request.arena, &page->rows, &page->n, &page->more);
	if (err == ERR_NONE)
		err = read_files(x, db, page);
	return err;
}

static enum err
send_page(struct exchange *x, const struct message_page *page)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	size_t i;

	buf_addc(&body, '{');
	jsonout_member_int(&body, "limit", (int64_t)page->limit);
	jsonout_member_bool(&body, "has_more", page->more);
	jsonout_name(&body, "data");
	buf_addc(&body, '[');
	for (i = 0; i < page->n; i++)
		message_json(&body, x, page, i);
	buf_adds(&body, "]}");
	return reply_json(x, 200, &body);
}

static enum err
read_query(struct exchange *x, struct message_page *page)
{
	struct faults faults = FAULTS_INIT;
	struct span text;

	if (!request_query(&x->request, "conversation_id", &text))
		faults_add(&faults, "conversation_id", "Field required");
	else
		page->no_conversation = text.len == 0;
	parse_query_uuid(x, &faults, "conversation_id", page->conversation_id);
	parse_query_uuid(x, &faults, "first_id", page->first_id);
	page->limit =
	    (size_t)parse_query_int(x, &faults, "limit", 1, 100, 20);
	return faults_answered(&faults, x);
}

enum err
messages_get(struct exchange *x)
{
	struct conversation_row conversation;
	struct message_page page = {.n = 0};
	struct api_user user;
	struct db *db;
	enum err err;

	err = parse_user_query(x, false, &user);
	if (err == ERR_NONE)
		err = read_query(x, &page);
	if (err != ERR_NONE)
		return err;
	if (page.no_conversation)
		return send_page(x, &page);
	err = api_store_conversation(x, &user, span_of(page.conversation_id),
	    &db, &conversation);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_CONVERSATION);
	if (err != ERR_NONE)
		return err;
	err = read_page(x, db, conversation.seq, &page);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_FIRST_MESSAGE);
	return err != ERR_NONE ? err : send_page(x, &page);
}

/* ---- suggested questions ------------------------------------------------- */

static enum err
send_suggestions(struct exchange *x, const struct suggestions *list)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	size_t i;

	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "result", "success");
	jsonout_name(&body, "data");
	buf_addc(&body, '[');
	for (i = 0; i < list->n; i++) {
		jsonout_comma(&body);
		jsonout_string(&body, list->items[i]);
	}
	buf_adds(&body, "]}");
	return reply_json(x, 200, &body);
}

enum err
suggested_get(struct exchange *x)
{
	const struct bot_config *bot = x->caller->bot;
	struct suggestions list = {.n = 0};
	struct message_pair *pairs = NULL;
	struct end_user_row end_user;
	struct message_row message;
	struct api_user user;
	char uuid[UUID_TEXT];
	struct db *db;
	size_t n = 0;
	enum err err;

	err = parse_user_query(x, true, &user);
	if (err != ERR_NONE)
		return err;
	err = api_store_open(x, &user, &db, &end_user);
	if (err != ERR_NONE)
		return err;
	err = messages_find(db, end_user.seq,
	    api_store_uuid(x->captures[0], uuid), x->request.arena,
	    &message);
	if (err == ERR_NONE)
		err = messages_history(db, message.conversation, 0,
		    SUGGEST_MESSAGES, SUGGEST_BYTES, x->request.arena, &pairs,
		    &n);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_MESSAGE);
	if (err != ERR_NONE)
		return err;
	if (!bot->suggested_after_answer)
		return reply_error(x, REPLY_SUGGESTED_OFF);
	suggest(x->config, bot, x->request.arena, pairs, n, &list);
	return send_suggestions(x, &list);
}
