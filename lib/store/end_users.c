/* The rows of end users. */
#include "store/end_users.h"

#include <stddef.h>

#include "base/uuid.h"
#include "store/rows.h"

#define COLUMNS "seq, id, name, anonymous, created_us, updated_us "

static enum err
read_row(struct db_stmt *s, struct arena *arena, void *into)
{
	struct end_user_row *row = into;

	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->name = db_text_copy(s, 2, arena);
	row->anonymous = db_int(s, 3) != 0;
	row->created_us = db_int(s, 4);
	row->updated_us = db_int(s, 5);
	return row->id == NULL || row->name.data == NULL ? ERR_MEMORY
							 : ERR_NONE;
}

enum err
end_users_find(struct db *db, const char *app, struct span name,
    struct arena *arena, struct end_user_row *row)
{
	static const char sql[] = "SELECT " COLUMNS
	    "FROM end_users WHERE app = ? AND name = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, app);
	db_bind_text(s, 2, name);
	return row_one(s, read_row, arena, row, sizeof(*row));
}

enum err
end_users_ensure(struct db *db, const char *app, struct span name,
    bool anonymous, int64_t now_us, struct arena *arena,
    struct end_user_row *row)
{
	/* Another host may have made it meanwhile. */
	static const char sql[] = "INSERT INTO end_users (id, app, name, "
	    "anonymous, created_us, updated_us) VALUES (?, ?, ?, ?, ?, ?) "
	    "ON CONFLICT (app, name) DO UPDATE SET name = excluded.name "
	    "RETURNING " COLUMNS;
	char id[UUID_TEXT];
	struct db_stmt *s;
	enum err err = end_users_find(db, app, name, arena, row);

	if (err != ERR_NOT_FOUND)
		return err;
	err = uuid_random(id);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, sql);
	db_bind_cstring(s, 1, id);
	db_bind_cstring(s, 2, app);
	db_bind_text(s, 3, name);
	db_bind_int(s, 4, anonymous);
	db_bind_int(s, 5, now_us);
	db_bind_int(s, 6, now_us);
	return row_one(s, read_row, arena, row, sizeof(*row));
}

enum err
end_users_get(struct db *db, const char *app, struct span id,
    struct arena *arena, struct end_user_row *row)
{
	static const char sql[] = "SELECT " COLUMNS
	    "FROM end_users WHERE id = ? AND app = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	db_bind_cstring(s, 2, app);
	return row_one(s, read_row, arena, row, sizeof(*row));
}
