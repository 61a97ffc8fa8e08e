/* The rows of messages. */
#include "store/messages.h"

#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "store/alive.h"
#include "store/rows.h"

enum err
messages_add(struct db *db, const char *bot, struct message_row *row)
{
	static const char sql[] = "INSERT INTO messages (id, conversation, "
	    "end_user, bot, state, alive_until_us, created_us, inputs, "
	    "query, answer, resources, n_files, prompt_tokens, "
	    "answer_tokens, latency_s, owner) "
	    "VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?, '', '[]', ?, 0, 0, 0.0, ?) "
	    "RETURNING seq";
	struct db_stmt *s = db_prepare(db, sql);

	row->state = MESSAGE_RUNNING;
	db_bind_cstring(s, 1, row->id);
	db_bind_int(s, 2, row->conversation);
	db_bind_int(s, 3, row->end_user);
	db_bind_cstring(s, 4, bot);
	db_bind_int(s, 5, row->created_us);
	row_bind_text(s, 6, row->inputs);
	row_bind_text(s, 7, row->query);
	db_bind_int(s, 8, row->n_files);
	db_bind_cstring(s, 9, process_self());
	return row_int(s, &row->seq);
}

#define COMPLETE                                                               \
	"UPDATE messages SET state = ?, answer = ?, error = ?, "               \
	"resources = ?, prompt_tokens = ?, answer_tokens = ?, "                \
	"latency_s = ?, total_price = ?, currency = ?, estimated = ? "         \
	"WHERE seq = ? "

static enum err
complete(struct db *db, const char *sql, const struct message_row *row)
{
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_int(s, 1, row->state);
	row_bind_text(s, 2, row->answer);
	db_bind_cstring(s, 3, row->error);
	db_bind_text(s, 4,
	    row->resources.data == NULL ? SPAN("[]") : row->resources);
	db_bind_int(s, 5, row->prompt_tokens);
	db_bind_int(s, 6, row->answer_tokens);
	db_bind_double(s, 7, row->latency_s);
	db_bind_cstring(s, 8, row->total_price);
	db_bind_cstring(s, 9, row->currency);
	db_bind_int(s, 10, row->estimated);
	db_bind_int(s, 11, row->seq);
	err = db_run(s);
	if (err == ERR_NONE && db_changes(db) == 0)
		err = ERR_CONFLICT;
	return err;
}

enum err
messages_finish(struct db *db, const struct message_row *row)
{
	static const char sql[] = COMPLETE "AND state = 0";

	return complete(db, sql, row);
}

enum err
messages_fail(struct db *db, const struct message_row *row)
{
	static const char sql[] = COMPLETE "AND state IN (0, 1)";

	return complete(db, sql, row);
}

#define COLUMNS                                                                \
	"m.seq, m.id, m.conversation, m.end_user, m.state, "                   \
	"m.created_us, m.inputs, m.query, m.answer, "                          \
	"m.error, m.resources, m.n_files, m.prompt_tokens, "                   \
	"m.answer_tokens, m.latency_s, m.total_price, m.currency, "            \
	"f.rating, m.owner "

static enum err
read_row(struct db *db, struct db_stmt *s, struct arena *arena,
    struct message_row *row)
{
	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->conversation = db_int(s, 2);
	row->end_user = db_int(s, 3);
	row->state = (enum message_state)db_int(s, 4);
	row->created_us = db_int(s, 5);
	row->inputs = db_text_copy(s, 6, arena);
	row->query = db_text_copy(s, 7, arena);
	row->answer = db_text_copy(s, 8, arena);
	row->error = db_cstring_copy(s, 9, arena);
	row->resources = db_text_copy(s, 10, arena);
	row->n_files = db_int(s, 11);
	row->prompt_tokens = db_int(s, 12);
	row->answer_tokens = db_int(s, 13);
	row->latency_s = db_double(s, 14);
	row->total_price = db_cstring_copy(s, 15, arena);
	row->currency = db_cstring_copy(s, 16, arena);
	row->rating = db_cstring_copy(s, 17, arena);
	if (row->state == MESSAGE_RUNNING &&
	    alive_is_dead(db, db_text(s, 18))) {
		row->state = MESSAGE_ERROR;
		row->error = MESSAGE_LOST;
	}
	if (row->id == NULL || row->inputs.data == NULL ||
	    row->query.data == NULL || row->answer.data == NULL ||
	    row->resources.data == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
messages_find(struct db *db, int64_t end_user, struct span id,
    struct arena *arena, struct message_row *row)
{
	static const char sql[] = "SELECT " COLUMNS ", c.id FROM messages m "
	    "JOIN conversations c ON c.seq = m.conversation AND c.deleted = 0 "
	    "LEFT JOIN feedback f ON f.message = m.seq "
	    "AND f.end_user = m.end_user "
	    "WHERE m.id = ? AND m.end_user = ?";
	struct db_stmt *s = db_prepare(db, sql);
	bool found;
	enum err err;

	*row = (struct message_row){0};
	db_bind_text(s, 1, id);
	db_bind_int(s, 2, end_user);
	err = db_step(s, &found);
	if (err == ERR_NONE)
		err = found ? read_row(db, s, arena, row) : ERR_NOT_FOUND;
	if (err == ERR_NONE) {
		row->conversation_id = db_cstring_copy(s, 19, arena);
		if (row->conversation_id == NULL)
			err = ERR_MEMORY;
	}
	db_done(s);
	return err;
}

static void
reverse(struct message_row *rows, size_t n)
{
	struct message_row keep;
	size_t i;

	for (i = 0; i < n / 2; i++) {
		keep = rows[i];
		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = keep;
	}
}

enum err
messages_page(struct db *db, int64_t conversation, int64_t before,
    size_t limit, struct arena *arena, struct message_row **rows,
    size_t *n, bool *more)
{
	static const char sql[] = "SELECT " COLUMNS "FROM messages m "
	    "LEFT JOIN feedback f ON f.message = m.seq "
	    "AND f.end_user = m.end_user "
	    "WHERE m.conversation = ? AND m.seq < ? "
	    "ORDER BY m.seq DESC LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err = ERR_NONE;

	*n = 0;
	*more = false;
	*rows = arena_array(arena, limit, sizeof(**rows));
	db_bind_int(s, 1, conversation);
	db_bind_int(s, 2, before == 0 ? INT64_MAX : before);
	db_bind_int(s, 3, (int64_t)limit + 1);
	if (*rows == NULL)
		err = ERR_MEMORY;
	while (err == ERR_NONE) {
		err = db_step(s, more);
		if (err != ERR_NONE || !*more || *n == limit)
			break;
		err = read_row(db, s, arena, &(*rows)[(*n)++]);
	}
	db_done(s);
	if (err == ERR_NONE)
		reverse(*rows, *n);
	return err;
}

enum err
messages_seq(struct db *db, int64_t conversation, struct span id, int64_t *seq)
{
	static const char sql[] = "SELECT seq FROM messages "
	    "WHERE id = ? AND conversation = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	db_bind_int(s, 2, conversation);
	return row_int(s, seq);
}

enum err
messages_first_query(struct db *db, int64_t conversation, struct arena *arena,
    struct span *query)
{
	static const char sql[] = "SELECT query FROM messages "
	    "WHERE conversation = ? ORDER BY seq LIMIT 1";
	struct db_stmt *s = db_prepare(db, sql);
	bool found;
	enum err err;

	*query = SPAN_NONE;
	db_bind_int(s, 1, conversation);
	err = db_step(s, &found);
	if (err == ERR_NONE && !found)
		err = ERR_NOT_FOUND;
	if (err == ERR_NONE) {
		*query = db_text_copy(s, 0, arena);
		if (query->data == NULL)
			err = ERR_MEMORY;
	}
	db_done(s);
	return err;
}

/* Copies the current row's pair; false when it does not fit any more. */
static enum err
read_pair(struct db_stmt *s, size_t *bytes_left, struct arena *arena,
    struct message_pair *pair, bool *fits)
{
	size_t len = db_text(s, 0).len + db_text(s, 1).len;

	*fits = len <= *bytes_left;
	if (!*fits)
		return ERR_NONE;
	*bytes_left -= len;
	pair->query = db_text_copy(s, 0, arena);
	pair->answer = db_text_copy(s, 1, arena);
	return pair->query.data == NULL || pair->answer.data == NULL
	    ? ERR_MEMORY
	    : ERR_NONE;
}

enum err
messages_history(struct db *db, int64_t conversation, int64_t before,
    size_t max, size_t max_bytes, struct arena *arena,
    struct message_pair **pairs, size_t *n)
{
	static const char sql[] = "SELECT query, answer FROM messages "
	    "WHERE conversation = ? AND seq < ? AND state = 1 "
	    "AND answer <> '' ORDER BY seq DESC LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	struct message_pair *found = arena_array(arena, max, sizeof(*found));
	bool row = true;
	size_t i = max;
	enum err err = found == NULL ? ERR_MEMORY : ERR_NONE;

	db_bind_int(s, 1, conversation);
	db_bind_int(s, 2, before == 0 ? INT64_MAX : before);
	db_bind_int(s, 3, (int64_t)max);
	/* Filled from the end, so that the oldest stands first. */
	while (err == ERR_NONE && i > 0) {
		err = db_step(s, &row);
		if (err != ERR_NONE || !row)
			break;
		err = read_pair(s, &max_bytes, arena, &found[i - 1], &row);
		if (!row)
			break;
		i--;
	}
	db_done(s);
	*pairs = found == NULL ? NULL : found + i;
	*n = found == NULL ? 0 : max - i;
	return err;
}
