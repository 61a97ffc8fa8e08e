/* The rows of files and of messages' files. */
#include "store/files.h"

#include "store/rows.h"

enum err
files_add(struct db *db, const char *app, int64_t end_user,
    struct file_row *row)
{
	static const char sql[] = "INSERT INTO files (id, app, end_user, "
	    "name, extension, mime_type, size, created_us) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, row->id);
	db_bind_cstring(s, 2, app);
	db_bind_int(s, 3, end_user);
	row_bind_text(s, 4, row->name);
	db_bind_cstring(s, 5, row->extension);
	db_bind_cstring(s, 6, row->mime_type);
	db_bind_int(s, 7, row->size);
	db_bind_int(s, 8, row->created_us);
	return row_int(s, &row->seq);
}

#define COLUMNS                                                                \
	"f.seq, f.id, u.id, f.name, f.extension, f.mime_type, f.size, "        \
	"f.created_us "

#define REFERENCED                                                             \
	"EXISTS (SELECT 1 FROM message_files r "                               \
	"JOIN messages m ON m.seq = r.message "                                \
	"JOIN conversations c ON c.seq = m.conversation "                      \
	"WHERE r.file = f.seq AND c.deleted = 0) "

static enum err
read_row(struct db_stmt *s, struct arena *arena, void *into)
{
	struct file_row *row = into;

	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->end_user_id = db_cstring_copy(s, 2, arena);
	row->name = db_text_copy(s, 3, arena);
	row->extension = db_cstring_copy(s, 4, arena);
	row->mime_type = db_cstring_copy(s, 5, arena);
	row->size = db_int(s, 6);
	row->created_us = db_int(s, 7);
	if (row->id == NULL || row->end_user_id == NULL ||
	    row->name.data == NULL || row->extension == NULL ||
	    row->mime_type == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
files_find(struct db *db, int64_t end_user, struct span id,
    struct arena *arena, struct file_row *row)
{
	static const char sql[] = "SELECT " COLUMNS "FROM files f "
	    "JOIN end_users u ON u.seq = f.end_user "
	    "WHERE f.id = ? AND f.end_user = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	db_bind_int(s, 2, end_user);
	return row_one(s, read_row, arena, row, sizeof(*row));
}

enum err
files_lookup(struct db *db, const char *app, struct span id,
    struct arena *arena, struct file_row *row, bool *same_app,
    bool *referenced)
{
	static const char sql[] = "SELECT " COLUMNS ", f.app = ?, "
	    REFERENCED "FROM files f JOIN end_users u ON u.seq = f.end_user "
	    "WHERE f.id = ?";
	struct db_stmt *s = db_prepare(db, sql);
	bool found;
	enum err err;

	*row = (struct file_row){0};
	*same_app = *referenced = false;
	db_bind_cstring(s, 1, app);
	db_bind_text(s, 2, id);
	err = db_step(s, &found);
	if (err == ERR_NONE)
		err = found ? read_row(s, arena, row) : ERR_NOT_FOUND;
	if (err == ERR_NONE) {
		*same_app = db_int(s, 8) != 0;
		*referenced = db_int(s, 9) != 0;
	}
	db_done(s);
	return err;
}

static enum err
read_unneeded(struct db_stmt *s, int64_t before_us, struct arena *arena,
    struct unneeded_file *files, size_t *n)
{
	struct unneeded_file *file = &files[*n];

	if (db_int(s, 4) != 0 || db_int(s, 3) >= before_us)
		return ERR_NONE;
	file->seq = db_int(s, 0);
	file->id = db_cstring_copy(s, 1, arena);
	file->size = db_int(s, 2);
	++*n;
	return file->id == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err
files_unneeded(struct db *db, int64_t before_us, int64_t *reached,
    size_t look, struct arena *arena, struct unneeded_file **files, size_t *n)
{
	static const char sql[] = "SELECT f.seq, f.id, f.size, f.created_us, "
	    REFERENCED "FROM files f WHERE f.seq > ? ORDER BY f.seq LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	size_t looked = 0;
	enum err err = ERR_NONE;
	bool row;

	*n = 0;
	*files = arena_array(arena, look, sizeof(**files));
	if (*files == NULL)
		err = ERR_MEMORY;
	db_bind_int(s, 1, *reached);
	db_bind_int(s, 2, (int64_t)look);
	while (err == ERR_NONE && looked < look) {
		err = db_step(s, &row);
		if (err != ERR_NONE || !row)
			break;
		looked++;
		*reached = db_int(s, 0);
		err = read_unneeded(s, before_us, arena, *files, n);
	}
	db_done(s);
	if (looked < look)
		*reached = 0;
	return err;
}

enum err
files_remove(struct db *db, int64_t seq)
{
	static const char references[] =
	    "DELETE FROM message_files WHERE file = ? AND EXISTS "
	    "(SELECT 1 FROM messages m "
	    "JOIN conversations c ON c.seq = m.conversation "
	    "WHERE m.seq = message_files.message AND c.deleted = 1)";
	static const char sql[] = "DELETE FROM files WHERE seq = ? AND "
	    "NOT EXISTS (SELECT 1 FROM message_files "
	    "WHERE message_files.file = files.seq)";
	struct db_stmt *s = db_prepare(db, references);
	enum err err;

	db_bind_int(s, 1, seq);
	err = db_run(s);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, sql);
	db_bind_int(s, 1, seq);
	return row_change(db, s);
}

enum err
files_exist(struct db *db, struct span id, bool *exist)
{
	static const char sql[] = "SELECT 1 FROM files WHERE id = ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_text(s, 1, id);
	err = db_step(s, exist);
	db_done(s);
	return err;
}

enum err
message_files_add(struct db *db, int64_t message,
    const struct message_file_row *row)
{
	static const char sql[] = "INSERT INTO message_files (id, message, "
	    "type, transfer_method, url, file) VALUES (?, ?, ?, ?, ?, ?)";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, row->id);
	db_bind_int(s, 2, message);
	db_bind_cstring(s, 3, row->type);
	db_bind_cstring(s, 4, row->transfer_method);
	db_bind_cstring(s, 5, row->url);
	if (row->file == 0)
		db_bind_null(s, 6);
	else
		db_bind_int(s, 6, row->file);
	return db_run(s);
}

static enum err
read_message_file(struct db_stmt *s, struct arena *arena, void *into)
{
	struct message_file_row *row = into;

	row->id = db_cstring_copy(s, 0, arena);
	row->type = db_cstring_copy(s, 1, arena);
	row->transfer_method = db_cstring_copy(s, 2, arena);
	row->url = db_cstring_copy(s, 3, arena);
	row->file = db_int(s, 4);
	row->file_id = db_cstring_copy(s, 5, arena);
	row->mime_type = db_cstring_copy(s, 6, arena);
	row->name = db_text_copy(s, 7, arena);
	row->size = db_int(s, 8);
	if (row->id == NULL || row->type == NULL ||
	    row->transfer_method == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
message_files_list(struct db *db, int64_t message, size_t max,
    struct arena *arena, struct message_file_row **rows, size_t *n)
{
	static const char sql[] = "SELECT m.id, m.type, m.transfer_method, "
	    "m.url, m.file, f.id, f.mime_type, f.name, f.size "
	    "FROM message_files m LEFT JOIN files f ON f.seq = m.file "
	    "WHERE m.message = ? ORDER BY m.seq LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_int(s, 1, message);
	db_bind_int(s, 2, (int64_t)max);
	*rows = row_page(s, read_message_file, sizeof(**rows), max, arena, n,
	    NULL, &err);
	return err;
}
