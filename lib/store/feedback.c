/* The rows of feedback. */
#include "store/feedback.h"

#include "base/uuid.h"
#include "store/rows.h"

enum err
feedback_set(struct db *db, const char *app, int64_t message,
    int64_t end_user, const char *rating, struct span content, int64_t now_us)
{
	static const char sql[] = "INSERT INTO feedback (id, app, message, "
	    "end_user, rating, content, created_us, updated_us) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
	    "ON CONFLICT (message, end_user) DO UPDATE SET "
	    "rating = excluded.rating, content = excluded.content, "
	    "updated_us = excluded.updated_us";
	char id[UUID_TEXT];
	struct db_stmt *s;
	enum err err = uuid_random(id);

	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, sql);
	db_bind_cstring(s, 1, id);
	db_bind_cstring(s, 2, app);
	db_bind_int(s, 3, message);
	db_bind_int(s, 4, end_user);
	db_bind_cstring(s, 5, rating);
	db_bind_text(s, 6, content);
	db_bind_int(s, 7, now_us);
	db_bind_int(s, 8, now_us);
	return db_run(s);
}

enum err
feedback_remove(struct db *db, int64_t message, int64_t end_user)
{
	static const char sql[] = "DELETE FROM feedback "
	    "WHERE message = ? AND end_user = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, message);
	db_bind_int(s, 2, end_user);
	return row_change(db, s);
}

static enum err
read_row(struct db_stmt *s, struct arena *arena, void *into)
{
	struct feedback_row *row = into;

	row->id = db_cstring_copy(s, 0, arena);
	row->conversation_id = db_cstring_copy(s, 1, arena);
	row->message_id = db_cstring_copy(s, 2, arena);
	row->end_user_id = db_cstring_copy(s, 3, arena);
	row->rating = db_cstring_copy(s, 4, arena);
	row->content = db_text_copy(s, 5, arena);
	row->created_us = db_int(s, 6);
	row->updated_us = db_int(s, 7);
	if (row->id == NULL || row->conversation_id == NULL ||
	    row->message_id == NULL || row->end_user_id == NULL ||
	    row->rating == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
feedback_page(struct db *db, const char *app, int64_t skip, size_t limit,
    struct arena *arena, struct feedback_row **rows, size_t *n)
{
	/* What is skipped is read from the index alone. */
	static const char sql[] = "SELECT f.id, c.id, m.id, u.id, f.rating, "
	    "f.content, f.created_us, f.updated_us FROM feedback f "
	    "JOIN messages m ON m.seq = f.message "
	    "JOIN conversations c ON c.seq = m.conversation "
	    "JOIN end_users u ON u.seq = f.end_user "
	    "WHERE f.seq IN (SELECT seq FROM feedback WHERE app = ? "
	    "ORDER BY created_us DESC, id DESC LIMIT ? OFFSET ?) "
	    "ORDER BY f.created_us DESC, f.id DESC";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_cstring(s, 1, app);
	db_bind_int(s, 2, (int64_t)limit);
	db_bind_int(s, 3, skip);
	*rows = row_page(s, read_row, sizeof(**rows), limit, arena, n, NULL,
	    &err);
	return err;
}
