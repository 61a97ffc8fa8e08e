/*
 * The rows of conversations.  A page is one range of an index: four orders
 * over two indexes, each with and without a row to start after.
 */
#include "store/conversations.h"

#include "store/rows.h"

#define COLUMNS                                                                \
	"seq, id, name, named, inputs, introduction, created_us, updated_us "

static enum err
read_row(struct db_stmt *s, struct arena *arena, void *into)
{
	struct conversation_row *row = into;

	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->name = db_text_copy(s, 2, arena);
	row->named = (enum conversation_named)db_int(s, 3);
	row->inputs = db_text_copy(s, 4, arena);
	row->introduction = db_text_copy(s, 5, arena);
	row->created_us = db_int(s, 6);
	row->updated_us = db_int(s, 7);
	if (row->id == NULL || row->name.data == NULL ||
	    row->inputs.data == NULL || row->introduction.data == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
conversations_find(struct db *db, int64_t end_user, struct span id,
    struct arena *arena, struct conversation_row *row)
{
	static const char sql[] = "SELECT " COLUMNS "FROM conversations "
	    "WHERE id = ? AND end_user = ? AND deleted = 0";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	db_bind_int(s, 2, end_user);
	return row_one(s, read_row, arena, row, sizeof(*row));
}

enum err
conversations_add(struct db *db, int64_t end_user,
    struct conversation_row *row)
{
	static const char sql[] = "INSERT INTO conversations (id, end_user, "
	    "name, named, inputs, introduction, created_us, updated_us) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, row->id);
	db_bind_int(s, 2, end_user);
	row_bind_text(s, 3, row->name);
	db_bind_int(s, 4, row->named);
	row_bind_text(s, 5, row->inputs);
	row_bind_text(s, 6, row->introduction);
	db_bind_int(s, 7, row->created_us);
	db_bind_int(s, 8, row->updated_us);
	return row_int(s, &row->seq);
}

enum err
conversations_touch(struct db *db, int64_t seq, int64_t now_us)
{
	static const char sql[] = "UPDATE conversations SET updated_us = ? "
	    "WHERE seq = ? AND deleted = 0";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, now_us);
	db_bind_int(s, 2, seq);
	return row_change(db, s);
}

enum err
conversations_rename(struct db *db, int64_t seq, struct span name,
    int64_t now_us)
{
	static const char sql[] = "UPDATE conversations SET name = ?, "
	    "named = 2, updated_us = ? WHERE seq = ? AND deleted = 0";
	struct db_stmt *s = db_prepare(db, sql);

	row_bind_text(s, 1, name);
	db_bind_int(s, 2, now_us);
	db_bind_int(s, 3, seq);
	return row_change(db, s);
}

enum err
conversations_title(struct db *db, int64_t seq, struct span title, bool asked)
{
	static const char sql[] = "UPDATE conversations SET name = ?, "
	    "named = 1 WHERE seq = ? AND named <= ?";
	struct db_stmt *s = db_prepare(db, sql);

	row_bind_text(s, 1, title);
	db_bind_int(s, 2, seq);
	db_bind_int(s, 3, asked ? NAMED_BY_HAND : NAMED_NOT);
	return db_run(s);
}

enum err
conversations_delete(struct db *db, int64_t seq)
{
	static const char sql[] = "UPDATE conversations SET deleted = 1 "
	    "WHERE seq = ? AND deleted = 0";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, seq);
	return row_change(db, s);
}

#define PAGE_FROM                                                              \
	"SELECT " COLUMNS "FROM conversations "                                \
	"WHERE end_user = ? AND deleted = 0 "

/* [order][has a row to start after]; the number of rows is the last value. */
static const char *const page_sql[4][2] = {
    [BY_CREATION] = {PAGE_FROM "ORDER BY created_us, seq LIMIT ?",
	PAGE_FROM "AND (created_us, seq) > (?, ?) "
		  "ORDER BY created_us, seq LIMIT ?"},
    [BY_CREATION_DOWN] =
	{PAGE_FROM "ORDER BY created_us DESC, seq DESC LIMIT ?",
	    PAGE_FROM "AND (created_us, seq) < (?, ?) "
		      "ORDER BY created_us DESC, seq DESC LIMIT ?"},
    [BY_UPDATE] = {PAGE_FROM "ORDER BY updated_us, seq LIMIT ?",
	PAGE_FROM "AND (updated_us, seq) > (?, ?) "
		  "ORDER BY updated_us, seq LIMIT ?"},
    [BY_UPDATE_DOWN] = {PAGE_FROM
	"ORDER BY updated_us DESC, seq DESC LIMIT ?",
	PAGE_FROM "AND (updated_us, seq) < (?, ?) "
		  "ORDER BY updated_us DESC, seq DESC LIMIT ?"},
};

enum err
conversations_page(struct db *db, int64_t end_user,
    enum conversation_order order, const struct conversation_row *after,
    size_t limit, struct arena *arena, struct conversation_row **rows,
    size_t *n, bool *more)
{
	struct db_stmt *s = db_prepare(db, page_sql[order][after != NULL]);
	bool by_creation = order == BY_CREATION || order == BY_CREATION_DOWN;
	enum err err;
	int at = 1;

	db_bind_int(s, at++, end_user);
	if (after != NULL) {
		db_bind_int(s, at++,
		    by_creation ? after->created_us : after->updated_us);
		db_bind_int(s, at++, after->seq);
	}
	db_bind_int(s, at, (int64_t)limit + 1);
	*rows = row_page(s, read_row, sizeof(**rows), limit, arena, n, more,
	    &err);
	return err;
}
