/* Adding and reading usage; the table is in migrations/010_usage.sql. */
#include "usage/usage_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"

#define USER_MAX 100U /* bytes of a user kept as it is */
#define KEPT_USER (USER_MAX + 1)

/* A client may send a megabyte as its user: the index must not hold it. */
static struct span
kept_user(struct span user, char out[KEPT_USER])
{
	char uuid[UUID_TEXT];

	if (user.len == 0)
		return SPAN(USAGE_NOBODY);
	if (user.len <= USER_MAX && !span_starts(user, "long:"))
		return user;
	uuid_from_name("usage user", user, uuid);
	(void)snprintf(out, KEPT_USER, "long:%s", uuid);
	return span_of(out);
}

enum err
usage_rows_add(struct db *db, const char *account, struct span end_user,
    int32_t day, const struct usage_counts *c)
{
	static const char sql[] =
	    "INSERT INTO usage_days (account, end_user, day, original_tokens,"
	    " enhancement_tokens, response_tokens, original_words,"
	    " enhancement_words, response_words)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
	    " ON CONFLICT (account, end_user, day) DO UPDATE SET"
	    " original_tokens = usage_days.original_tokens"
	    " + excluded.original_tokens,"
	    " enhancement_tokens = usage_days.enhancement_tokens"
	    " + excluded.enhancement_tokens,"
	    " response_tokens = usage_days.response_tokens"
	    " + excluded.response_tokens,"
	    " original_words = usage_days.original_words"
	    " + excluded.original_words,"
	    " enhancement_words = usage_days.enhancement_words"
	    " + excluded.enhancement_words,"
	    " response_words = usage_days.response_words"
	    " + excluded.response_words";
	char kept[KEPT_USER];
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, account);
	db_bind_text(s, 2, kept_user(end_user, kept));
	db_bind_int(s, 3, day);
	db_bind_int(s, 4, c->original_tokens);
	db_bind_int(s, 5, c->enhancement_tokens);
	db_bind_int(s, 6, c->response_tokens);
	db_bind_int(s, 7, c->original_words);
	db_bind_int(s, 8, c->enhancement_words);
	db_bind_int(s, 9, c->response_words);
	return db_run(s);
}

static void
read_row(struct db_stmt *s, struct usage_day *d)
{
	d->day = (int32_t)db_int(s, 0);
	d->counts = (struct usage_counts){
	    .original_tokens = db_int(s, 1),
	    .enhancement_tokens = db_int(s, 2),
	    .response_tokens = db_int(s, 3),
	    .original_words = db_int(s, 4),
	    .enhancement_words = db_int(s, 5),
	    .response_words = db_int(s, 6),
	};
}

enum err
usage_rows_days(struct db *db, const char *account, struct span end_user,
    int32_t first, int32_t last, struct arena *arena, struct usage_day **days,
    size_t *n)
{
	static const char sql[] =
	    "SELECT day, original_tokens, enhancement_tokens,"
	    " response_tokens, original_words, enhancement_words,"
	    " response_words FROM usage_days"
	    " WHERE account = ?1 AND end_user = ?2 AND day BETWEEN ?3 AND ?4"
	    " ORDER BY day";
	char kept[KEPT_USER];
	struct db_stmt *s;
	size_t room = last < first ? 0 : (size_t)(last - first) + 1;
	enum err err = ERR_NONE;
	bool row = true;

	*n = 0;
	*days = arena_array(arena, room, sizeof(**days));
	if (*days == NULL)
		return ERR_MEMORY;
	if (room == 0)
		return ERR_NONE;
	s = db_prepare(db, sql);
	db_bind_cstring(s, 1, account);
	db_bind_text(s, 2, kept_user(end_user, kept));
	db_bind_int(s, 3, first);
	db_bind_int(s, 4, last);
	while (row && *n < room) {
		err = db_step(s, &row);
		if (err != ERR_NONE)
			break;
		if (row)
			read_row(s, &(*days)[(*n)++]);
	}
	db_done(s);
	return err;
}

void
usage_counts_add(struct usage_counts *sum, const struct usage_counts *c)
{
	sum->original_tokens += c->original_tokens;
	sum->enhancement_tokens += c->enhancement_tokens;
	sum->response_tokens += c->response_tokens;
	sum->original_words += c->original_words;
	sum->enhancement_words += c->enhancement_words;
	sum->response_words += c->response_words;
}
