/* The rows of annotations, of their use, and of the jobs that set it. */
#include "store/annotations.h"

#include "store/rows.h"

#define COLUMNS                                                                \
	"seq, id, question, answer, question_key, hit_count, created_us "

enum err
annotations_add(struct db *db, const char *bot, struct annotation_row *row)
{
	static const char sql[] = "INSERT INTO annotations (id, bot, "
	    "question, question_key, answer, hit_count, created_us) "
	    "VALUES (?, ?, ?, ?, ?, 0, ?) RETURNING seq";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, row->id);
	db_bind_cstring(s, 2, bot);
	row_bind_text(s, 3, row->question);
	row_bind_text(s, 4, row->key);
	row_bind_text(s, 5, row->answer);
	db_bind_int(s, 6, row->created_us);
	return row_int(s, &row->seq);
}

static enum err
read_row(struct db_stmt *s, struct arena *arena, void *into)
{
	struct annotation_row *row = into;

	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->question = db_text_copy(s, 2, arena);
	row->answer = db_text_copy(s, 3, arena);
	row->key = db_text_copy(s, 4, arena);
	row->hit_count = db_int(s, 5);
	row->created_us = db_int(s, 6);
	if (row->id == NULL || row->question.data == NULL ||
	    row->answer.data == NULL || row->key.data == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
annotations_find(struct db *db, const char *bot, struct span id,
    struct arena *arena, struct annotation_row *row)
{
	static const char sql[] = "SELECT " COLUMNS
	    "FROM annotations WHERE id = ? AND bot = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	db_bind_cstring(s, 2, bot);
	return row_one(s, read_row, arena, row, sizeof(*row));
}

enum err
annotations_by_seq(struct db *db, int64_t seq, struct arena *arena,
    struct annotation_row *row)
{
	static const char sql[] = "SELECT " COLUMNS
	    "FROM annotations WHERE seq = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, seq);
	return row_one(s, read_row, arena, row, sizeof(*row));
}

enum err
annotations_update(struct db *db, const struct annotation_row *row)
{
	static const char sql[] = "UPDATE annotations SET question = ?, "
	    "question_key = ?, answer = ? WHERE seq = ?";
	struct db_stmt *s = db_prepare(db, sql);

	row_bind_text(s, 1, row->question);
	row_bind_text(s, 2, row->key);
	row_bind_text(s, 3, row->answer);
	db_bind_int(s, 4, row->seq);
	return row_change(db, s);
}

enum err
annotations_delete(struct db *db, const char *bot, struct span id)
{
	static const char sql[] = "DELETE FROM annotations "
	    "WHERE id = ? AND bot = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	db_bind_cstring(s, 2, bot);
	return row_change(db, s);
}

enum err
annotations_hit(struct db *db, int64_t seq)
{
	static const char sql[] = "UPDATE annotations "
	    "SET hit_count = hit_count + 1 WHERE seq = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, seq);
	return db_run(s);
}

#define OF_BOT "FROM annotations WHERE bot = ?1 "
#define MATCHING                                                               \
	OF_BOT "AND (lower(question) LIKE lower(?2) ESCAPE '\\' "              \
	"OR lower(answer) LIKE lower(?2) ESCAPE '\\') "
/* What is skipped of all is read from the index alone. */
#define PAGE(which, limit, skip)                                               \
	"SELECT " COLUMNS "FROM annotations WHERE seq IN (SELECT seq " which   \
	"ORDER BY created_us DESC, seq DESC LIMIT " limit " OFFSET " skip ") " \
	"ORDER BY created_us DESC, seq DESC"

/* pattern NULL: of all. */
static enum err
count_matching(struct db *db, const char *bot, const char *pattern,
    int64_t *total)
{
	static const char all[] = "SELECT count(*) " OF_BOT;
	static const char some[] = "SELECT count(*) " MATCHING;
	struct db_stmt *s = db_prepare(db, pattern == NULL ? all : some);

	db_bind_cstring(s, 1, bot);
	if (pattern != NULL)
		db_bind_cstring(s, 2, pattern);
	return row_int(s, total);
}

enum err
annotations_page(struct db *db, const char *bot, struct span keyword,
    int64_t skip, size_t limit, struct arena *arena,
    struct annotation_row **rows, size_t *n, int64_t *total)
{
	static const char all[] = PAGE(OF_BOT, "?2", "?3");
	static const char some[] = PAGE(MATCHING, "?3", "?4");
	const char *pattern = NULL;
	struct db_stmt *s;
	int at = 2;
	enum err err;

	*n = 0;
	*total = 0;
	*rows = NULL;
	if (keyword.len > 0) {
		pattern = row_like_pattern(keyword, arena);
		if (pattern == NULL)
			return ERR_MEMORY;
	}
	err = count_matching(db, bot, pattern, total);
	if (limit > (size_t)*total) /* the client may ask for any number */
		limit = (size_t)*total;
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, pattern == NULL ? all : some);
	db_bind_cstring(s, 1, bot);
	if (pattern != NULL)
		db_bind_cstring(s, at++, pattern);
	db_bind_int(s, at++, (int64_t)limit);
	db_bind_int(s, at, skip);
	*rows = row_page(s, read_row, sizeof(**rows), limit, arena, n, NULL,
	    &err);
	return err;
}

enum err
annotations_each(struct db *db, const char *bot,
    bool (*each)(const struct annotation_row *row, void *closure),
    void *closure)
{
	static const char sql[] = "SELECT seq, question_key "
	    "FROM annotations WHERE bot = ? ORDER BY created_us, seq";
	struct db_stmt *s = db_prepare(db, sql);
	struct annotation_row row = {0};
	bool found;
	enum err err;

	db_bind_cstring(s, 1, bot);
	for (;;) {
		err = db_step(s, &found);
		if (err != ERR_NONE || !found)
			break;
		row.seq = db_int(s, 0);
		row.key = db_text(s, 1);
		if (!each(&row, closure))
			break;
	}
	db_done(s);
	return err;
}

enum err
annotation_reply_get(struct db *db, const char *bot, bool *enabled,
    double *threshold)
{
	static const char sql[] = "SELECT enabled, threshold "
	    "FROM annotation_reply WHERE bot = ?";
	struct db_stmt *s = db_prepare(db, sql);
	bool found;
	enum err err;

	db_bind_cstring(s, 1, bot);
	err = db_step(s, &found);
	if (err == ERR_NONE && !found)
		err = ERR_NOT_FOUND;
	if (err == ERR_NONE) {
		*enabled = db_int(s, 0) != 0;
		*threshold = db_double(s, 1);
	}
	db_done(s);
	return err;
}

enum err
annotation_reply_set(struct db *db, const char *bot, bool enabled,
    double threshold)
{
	static const char sql[] = "INSERT INTO annotation_reply (bot, "
	    "enabled, threshold) VALUES (?, ?, ?) "
	    "ON CONFLICT (bot) DO UPDATE SET enabled = excluded.enabled, "
	    "threshold = excluded.threshold";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, bot);
	db_bind_int(s, 2, enabled);
	db_bind_double(s, 3, threshold);
	return db_run(s);
}

enum err
annotation_jobs_add(struct db *db, const char *id, const char *bot,
    const char *action, int64_t now_us)
{
	static const char sql[] = "INSERT INTO annotation_jobs (id, bot, "
	    "action, created_us) VALUES (?, ?, ?, ?)";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, id);
	db_bind_cstring(s, 2, bot);
	db_bind_cstring(s, 3, action);
	db_bind_int(s, 4, now_us);
	return db_run(s);
}

enum err
annotation_jobs_find(struct db *db, struct span id, const char *bot,
    const char *action)
{
	static const char sql[] = "SELECT 1 FROM annotation_jobs "
	    "WHERE id = ? AND bot = ? AND action = ?";
	struct db_stmt *s = db_prepare(db, sql);
	int64_t one;

	db_bind_text(s, 1, id);
	db_bind_cstring(s, 2, bot);
	db_bind_cstring(s, 3, action);
	return row_int(s, &one);
}
