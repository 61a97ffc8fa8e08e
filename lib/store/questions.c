#include "store/questions.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "store/rows.h"

#define QUESTIONS                                                              \
	"FROM messages m JOIN conversations c ON c.seq = m.conversation "      \
	"JOIN end_users u ON u.seq = m.end_user "                              \
	"WHERE c.deleted = 0 AND (?1 = '' OR u.app = ?1) "                     \
	"AND m.created_us >= ?2 AND (?3 = 0 OR m.state = 2 OR "                \
	"(m.state = 1 AND (m.answer = '' OR m.resources IN ('', '[]')))) "

static void
bind_filter(struct db_stmt *s, const struct question_filter *filter)
{
	db_bind_cstring(s, 1, filter->app == NULL ? "" : filter->app);
	db_bind_int(s, 2, filter->since_us);
	db_bind_int(s, 3, filter->unanswered);
}

static enum err
read_question(struct db_stmt *s, struct arena *arena, void *row)
{
	struct question_row *q = row;

	q->created_us = db_int(s, 0);
	q->app = db_cstring_copy(s, 1, arena);
	q->bot = db_cstring_copy(s, 2, arena);
	q->conversation_id = db_cstring_copy(s, 3, arena);
	q->query = db_text_copy(s, 4, arena);
	q->answer = db_text_copy(s, 5, arena);
	q->state = (enum message_state)db_int(s, 6);
	q->found = db_int(s, 7) != 0;
	q->rating = db_is_null(s, 8) ? NULL : db_cstring_copy(s, 8, arena);
	if (q->app == NULL || q->bot == NULL || q->conversation_id == NULL ||
	    q->query.data == NULL || q->answer.data == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

enum err
questions_page(struct db *db, const struct question_filter *filter,
    struct arena *arena, struct question_row **rows, size_t *n,
    int64_t *total)
{
	struct db_stmt *s = db_prepare(db, "SELECT COUNT(*) " QUESTIONS);
	enum err err;

	*n = 0;
	bind_filter(s, filter);
	err = row_int(s, total);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "SELECT m.created_us, u.app, m.bot, c.id, m.query, "
	    "m.answer, m.state, CASE WHEN m.resources IN ('', '[]') THEN 0 "
	    "ELSE 1 END, (SELECT f.rating FROM feedback f WHERE f.message = "
	    "m.seq AND f.end_user = m.end_user) " QUESTIONS
	    "ORDER BY m.seq DESC LIMIT ?4 OFFSET ?5");
	bind_filter(s, filter);
	db_bind_int(s, 4, (int64_t)filter->limit);
	db_bind_int(s, 5, filter->skip);
	*rows = row_page(s, read_question, sizeof(**rows), filter->limit,
	    arena, n, NULL, &err);
	return err;
}

/* ---- sums ---------------------------------------------------------------- */

#define DAY_OF "m.created_us / 86400000000"

enum err
questions_keep_sums(struct db *db, int64_t conversation)
{
	struct db_stmt *s = db_prepare(db,
	    "INSERT INTO usage_kept (day, app, bot, currency, price, "
	    "questions, failed, prompt_tokens, answer_tokens) "
	    "SELECT " DAY_OF ", u.app, m.bot, COALESCE(m.currency, ''), "
	    "COALESCE(m.total_price, '0'), COUNT(*), "
	    "SUM(CASE WHEN m.state = 1 THEN 0 ELSE 1 END), "
	    "SUM(m.prompt_tokens), SUM(m.answer_tokens) "
	    "FROM messages m JOIN end_users u ON u.seq = m.end_user "
	    "WHERE m.conversation = ?1 GROUP BY 1, 2, 3, 4, 5 "
	    "ON CONFLICT (day, app, bot, currency, price) DO UPDATE SET "
	    "questions = usage_kept.questions + excluded.questions, "
	    "failed = usage_kept.failed + excluded.failed, "
	    "prompt_tokens = usage_kept.prompt_tokens + "
	    "excluded.prompt_tokens, answer_tokens = "
	    "usage_kept.answer_tokens + excluded.answer_tokens");

	db_bind_int(s, 1, conversation);
	return db_run(s);
}

/* What has been added up so far. */
struct adding {
	struct arena *arena;
	struct question_sum *sums;
	size_t n, room;
	struct decimal price; /* of the last sum */
};

static struct question_sum *
new_sum(struct adding *a)
{
	size_t room = a->room == 0 ? 64 : 2 * a->room;
	struct question_sum *more;

	if (a->n == a->room) {
		more = arena_array(a->arena, room, sizeof(*more));
		if (more == NULL)
			return NULL;
		if (a->n > 0)
			memcpy(more, a->sums, a->n * sizeof(*more));
		a->sums = more;
		a->room = room;
	}
	a->price = (struct decimal){0, 0};
	return &a->sums[a->n++];
}

/* The current row, turns of one price, belongs to the last sum: does it? */
static bool
belongs(const struct adding *a, struct db_stmt *s)
{
	const struct question_sum *last;

	if (a->n == 0)
		return false;
	last = &a->sums[a->n - 1];
	return last->day == db_int(s, 0) && span_is(db_text(s, 1), last->app) &&
	    span_is(db_text(s, 2), last->bot) &&
	    span_is(db_text(s, 3), last->currency);
}

/* A price, as often as it was paid. */
static enum err
add_price(struct adding *a, struct span each, int64_t times,
    struct question_sum *sum)
{
	char text[32], count[24];
	struct decimal price, factor;
	enum err err;

	(void)snprintf(text, sizeof(text), "%.*s", (int)each.len, each.data);
	(void)snprintf(count, sizeof(count), "%lld", (long long)times);
	if (!decimal_parse(text, &price) || !decimal_parse(count, &factor))
		return ERR_TOO_BIG;
	err = decimal_multiply(price, factor, &price);
	if (err == ERR_NONE)
		err = decimal_add(a->price, price, &a->price);
	if (err == ERR_NONE)
		err = decimal_text(a->price, sum->price, sizeof(sum->price));
	return err;
}

static enum err
add_row(struct adding *a, struct db_stmt *s)
{
	struct question_sum *sum;

	if (belongs(a, s)) {
		sum = &a->sums[a->n - 1];
	} else {
		sum = new_sum(a);
		if (sum == NULL)
			return ERR_MEMORY;
		sum->day = db_int(s, 0);
		sum->app = db_cstring_copy(s, 1, a->arena);
		sum->bot = db_cstring_copy(s, 2, a->arena);
		sum->currency = db_cstring_copy(s, 3, a->arena);
		if (sum->app == NULL || sum->bot == NULL ||
		    sum->currency == NULL)
			return ERR_MEMORY;
	}
	sum->questions += db_int(s, 5);
	sum->failed += db_int(s, 6);
	sum->prompt_tokens += db_int(s, 7);
	sum->answer_tokens += db_int(s, 8);
	return add_price(a, db_text(s, 4), db_int(s, 5), sum);
}

/* Of the messages API and the sites. */
static enum err
add_messages(struct db *db, int64_t since_day, struct adding *a)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT day, app, bot, currency, price, "
	    "SUM(questions), SUM(failed), SUM(prompt_tokens), "
	    "SUM(answer_tokens) FROM (SELECT " DAY_OF " AS day, u.app AS app, "
	    "m.bot AS bot, COALESCE(m.currency, '') AS currency, "
	    "COALESCE(m.total_price, '0') AS price, 1 AS questions, "
	    "CASE WHEN m.state = 1 THEN 0 ELSE 1 END AS failed, "
	    "m.prompt_tokens AS prompt_tokens, "
	    "m.answer_tokens AS answer_tokens FROM messages m "
	    "JOIN end_users u ON u.seq = m.end_user UNION ALL "
	    "SELECT day, app, bot, currency, price, questions, failed, "
	    "prompt_tokens, answer_tokens FROM usage_kept) AS all_of_them "
	    "WHERE day >= ? GROUP BY day, app, bot, currency, price "
	    "ORDER BY day DESC, app, bot, currency");
	bool row = true;
	enum err err = ERR_NONE;

	db_bind_int(s, 1, since_day);
	while (err == ERR_NONE && (err = db_step(s, &row)) == ERR_NONE && row)
		err = add_row(a, s);
	db_done(s);
	return err;
}

/* Of the bot API. */
static enum err
add_accounts(struct db *db, int64_t since_day, struct adding *a)
{
	struct db_stmt *s = db_prepare(db, "SELECT day, account, "
	    "SUM(original_tokens + enhancement_tokens), SUM(response_tokens) "
	    "FROM usage_days WHERE day >= ? GROUP BY day, account "
	    "ORDER BY day DESC, account");
	struct question_sum *sum;
	bool row = true;
	enum err err = ERR_NONE;

	db_bind_int(s, 1, since_day);
	while (err == ERR_NONE && (err = db_step(s, &row)) == ERR_NONE &&
	    row) {
		sum = new_sum(a);
		if (sum == NULL) {
			err = ERR_MEMORY;
			break;
		}
		sum->day = db_int(s, 0);
		sum->account = db_cstring_copy(s, 1, a->arena);
		sum->prompt_tokens = db_int(s, 2);
		sum->answer_tokens = db_int(s, 3);
		sum->currency = "";
		if (sum->account == NULL)
			err = ERR_MEMORY;
	}
	db_done(s);
	return err;
}

/* Both lists are in order of their days, the newest first. */
static void
merge(const struct question_sum *a, size_t n_a, const struct question_sum *b,
    size_t n_b, struct question_sum *out)
{
	size_t i = 0, k = 0;

	while (i < n_a || k < n_b)
		if (k == n_b || (i < n_a && a[i].day >= b[k].day))
			*out++ = a[i++];
		else
			*out++ = b[k++];
}

enum err
questions_sums(struct db *db, int64_t since_day, struct arena *arena,
    struct question_sum **sums, size_t *n)
{
	struct adding messages = {.arena = arena}, accounts = {.arena = arena};
	enum err err = add_messages(db, since_day, &messages);

	*n = 0;
	if (err == ERR_NONE)
		err = add_accounts(db, since_day, &accounts);
	if (err != ERR_NONE)
		return err;
	*sums = arena_array(arena, messages.n + accounts.n, sizeof(**sums));
	if (*sums == NULL)
		return ERR_MEMORY;
	merge(messages.sums, messages.n, accounts.sums, accounts.n, *sums);
	*n = messages.n + accounts.n;
	return ERR_NONE;
}
