/*
 * Limits over three tables (030_limits.sql).  Each check reads what is there
 * and is exact, because the caller's transaction is the only one that
 * writes.
 */
#include "limits/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/uuid.h"
#include "engine/engine.h"

#define SUBJECT_MAX 320
#define MINUTE_US 60000000LL
#define DAY_S 86400
#define KEPT_DAYS 40
#define ANSWER_TOKENS 1024 /* of a bot that declares no max_output_tokens */
#define SOON_S 2           /* when a running turn may give room back */
#define REAP_MOST 64

/* Whose limits they are, and which. */
struct subject {
	char name[SUBJECT_MAX];
	const char *reserved_sql; /* sums over its reservations */
	int64_t requests_per_minute, tokens_per_day, concurrent;
};

static const char key_sums[] =
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN day = ?2 THEN tokens ELSE 0"
    " END), 0) FROM limit_reservations WHERE key_subject = ?1";
static const char user_sums[] =
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN day = ?2 THEN tokens ELSE 0"
    " END), 0) FROM limit_reservations WHERE user_subject = ?1";

bool
limits_any(const struct key_config *key)
{
	return key != NULL && (key->requests_per_minute > 0 ||
	    key->tokens_per_day > 0 || key->concurrent > 0 ||
	    key->user_requests_per_minute > 0 ||
	    key->user_tokens_per_day > 0 || key->user_concurrent > 0);
}

int64_t
limits_estimate(const struct bot_config *bot, int64_t asked_tokens)
{
	int64_t answer = bot->max_output_tokens > 0 ? bot->max_output_tokens
						    : ANSWER_TOKENS;

	return asked_tokens + engine_count_tokens(span_of(bot->persona)) +
	    answer;
}

const char *
limits_text(enum limits_refusal refusal)
{
	static const char *const texts[] = {
	    [LIMITS_FREE] = "",
	    [LIMITS_REQUESTS] = "Too many requests. Please try again later.",
	    [LIMITS_TOKENS] =
		"The tokens of this day are used up. Please try again later.",
	    [LIMITS_CONCURRENT] =
		"Too many requests at once. Please try again later.",
	};

	return texts[refusal];
}

/* The key's own and the end user's limits. */
static void
name_subjects(const struct key_config *key, struct span user,
    struct subject subjects[2])
{
	char id[UUID_TEXT];

	subjects[0] = (struct subject){.reserved_sql = key_sums,
	    .requests_per_minute = key->requests_per_minute,
	    .tokens_per_day = key->tokens_per_day,
	    .concurrent = key->concurrent};
	subjects[1] = (struct subject){.reserved_sql = user_sums,
	    .requests_per_minute = key->user_requests_per_minute,
	    .tokens_per_day = key->user_tokens_per_day,
	    .concurrent = key->user_concurrent};
	/* A user's name may be long, and is nobody's business. */
	uuid_from_name("limits user", user, id);
	(void)snprintf(subjects[0].name, SUBJECT_MAX, "k:%.200s", key->name);
	(void)snprintf(subjects[1].name, SUBJECT_MAX, "u:%.200s:%s",
	    key->name, id);
}

/* ---- counting what is settled ------------------------------------------- */

static enum err
add_tokens(struct db *db, int64_t day, struct span subject, int64_t tokens)
{
	struct db_stmt *s = db_prepare(db,
	    "INSERT INTO limit_tokens (day, subject, tokens)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (day, subject) DO UPDATE SET"
	    " tokens = limit_tokens.tokens + excluded.tokens");

	db_bind_int(s, 1, day);
	db_bind_text(s, 2, subject);
	db_bind_int(s, 3, tokens);
	return db_run(s);
}

static enum err
forget_old_days(struct db *db, int64_t day)
{
	struct db_stmt *s = db_prepare(db,
	    "DELETE FROM limit_tokens WHERE day < ?1");

	db_bind_int(s, 1, day - KEPT_DAYS);
	return db_run(s);
}

static enum err
delete_reservation(struct db *db, int64_t id)
{
	struct db_stmt *s = db_prepare(db,
	    "DELETE FROM limit_reservations WHERE id = ?1");

	db_bind_int(s, 1, id);
	return db_run(s);
}

/* tokens negative: what was reserved. */
static enum err
settle(struct db *db, int64_t id, int64_t tokens)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT key_subject, user_subject, day, tokens"
	    " FROM limit_reservations WHERE id = ?1");
	char key[SUBJECT_MAX], user[SUBJECT_MAX];
	struct span text;
	int64_t day = 0;
	bool row = false;
	enum err err;

	db_bind_int(s, 1, id);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		text = db_text(s, 0);
		(void)snprintf(key, sizeof(key), "%.*s", (int)text.len,
		    text.data);
		text = db_text(s, 1);
		(void)snprintf(user, sizeof(user), "%.*s", (int)text.len,
		    text.data);
		day = db_int(s, 2);
		if (tokens < 0)
			tokens = db_int(s, 3);
	}
	db_done(s);
	if (err != ERR_NONE || !row)
		return err;
	err = delete_reservation(db, id);
	if (err == ERR_NONE)
		err = forget_old_days(db, day);
	if (err == ERR_NONE)
		err = add_tokens(db, day, span_of(key), tokens);
	if (err == ERR_NONE)
		err = add_tokens(db, day, span_of(user), tokens);
	return err;
}

enum err
limits_settle(struct db *db, const struct limits_ticket *ticket,
    int64_t tokens)
{
	if (ticket->id == 0)
		return ERR_NONE;
	return settle(db, ticket->id, tokens < 0 ? 0 : tokens);
}

/* ---- reservations of the dead ------------------------------------------- */

/* Settles what nobody will: *n of the subject's reservations. */
static enum err
reap(struct db *db, const struct subject *subject, int64_t now_us, size_t *n)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT id, owner, expires_us FROM limit_reservations"
	    " WHERE key_subject = ?1 OR user_subject = ?1");
	int64_t dead[REAP_MOST];
	char owner[512];
	struct span text;
	size_t i;
	bool row = true;
	enum err err = ERR_NONE;

	*n = 0;
	db_bind_cstring(s, 1, subject->name);
	while (*n < REAP_MOST && (err = db_step(s, &row)) == ERR_NONE && row) {
		text = db_text(s, 1);
		(void)snprintf(owner, sizeof(owner), "%.*s", (int)text.len,
		    text.data);
		if (db_int(s, 2) < now_us ||
		    process_look(owner) == PROCESS_DEAD)
			dead[(*n)++] = db_int(s, 0);
	}
	db_done(s);
	for (i = 0; i < *n && err == ERR_NONE; i++)
		err = settle(db, dead[i], -1);
	return err;
}

/* ---- the three checks --------------------------------------------------- */

static void
refuse(struct limits_verdict *v, enum limits_refusal why, int64_t seconds)
{
	v->refusal = why;
	v->retry_after_s = seconds < 1 ? 1 : (int)seconds;
}

/* In no minute more than so many: is the one that many back a minute old?
 * One that lies further ahead was counted before the clock was set back. */
static enum err
check_requests(struct db *db, const struct subject *subject, int64_t now_us,
    struct limits_verdict *v)
{
	struct db_stmt *s;
	bool row;
	enum err err;

	if (subject->requests_per_minute <= 0)
		return ERR_NONE;
	s = db_prepare(db, "SELECT at_us FROM limit_requests"
			   " WHERE subject = ?1 AND at_us > ?2"
			   " AND at_us <= ?4"
			   " ORDER BY at_us DESC LIMIT 1 OFFSET ?3");
	db_bind_cstring(s, 1, subject->name);
	db_bind_int(s, 2, now_us - MINUTE_US);
	db_bind_int(s, 3, subject->requests_per_minute - 1);
	db_bind_int(s, 4, now_us + MINUTE_US);
	err = db_step(s, &row);
	if (err == ERR_NONE && row)
		refuse(v, LIMITS_REQUESTS,
		    (db_int(s, 0) + MINUTE_US - now_us + 999999) / 1000000);
	db_done(s);
	return err;
}

static enum err
used_tokens(struct db *db, const struct subject *subject, int64_t day,
    int64_t *used)
{
	struct db_stmt *s = db_prepare(db, "SELECT tokens FROM limit_tokens"
	    " WHERE day = ?1 AND subject = ?2");
	bool row;
	enum err err;

	db_bind_int(s, 1, day);
	db_bind_cstring(s, 2, subject->name);
	err = db_step(s, &row);
	*used = err == ERR_NONE && row ? db_int(s, 0) : 0;
	db_done(s);
	return err;
}

/* Running turns, and what they have reserved of this day. */
static enum err
reserved(struct db *db, const struct subject *subject, int64_t day,
    int64_t *turns, int64_t *tokens)
{
	struct db_stmt *s = db_prepare(db, subject->reserved_sql);
	bool row;
	enum err err;

	db_bind_cstring(s, 1, subject->name);
	db_bind_int(s, 2, day);
	err = db_step(s, &row);
	*turns = err == ERR_NONE && row ? db_int(s, 0) : 0;
	*tokens = err == ERR_NONE && row ? db_int(s, 1) : 0;
	db_done(s);
	return err;
}

static enum err
check_room(struct db *db, const struct subject *subject, int64_t now_us,
    int64_t tokens, struct limits_verdict *v)
{
	int64_t now_s = now_us / 1000000, day = now_s / DAY_S;
	int64_t turns, taken, used = 0;
	enum err err;

	if (subject->tokens_per_day <= 0 && subject->concurrent <= 0)
		return ERR_NONE;
	err = reserved(db, subject, day, &turns, &taken);
	if (err == ERR_NONE)
		err = used_tokens(db, subject, day, &used);
	if (err != ERR_NONE)
		return err;
	if (subject->tokens_per_day > 0 &&
	    used + tokens > subject->tokens_per_day)
		refuse(v, LIMITS_TOKENS, (day + 1) * DAY_S - now_s);
	else if (subject->tokens_per_day > 0 &&
	    used + taken + tokens > subject->tokens_per_day)
		refuse(v, LIMITS_TOKENS, SOON_S);
	else if (subject->concurrent > 0 && turns >= subject->concurrent)
		refuse(v, LIMITS_CONCURRENT, SOON_S);
	return ERR_NONE;
}

static enum err
check(struct db *db, const struct subject *subject, int64_t now_us,
    int64_t tokens, struct limits_verdict *v)
{
	size_t reaped = 0;
	enum err err = check_requests(db, subject, now_us, v);

	if (err != ERR_NONE || v->refusal != LIMITS_FREE)
		return err;
	err = check_room(db, subject, now_us, tokens, v);
	if (err != ERR_NONE || v->refusal == LIMITS_FREE)
		return err;
	/* No room: does a process hold it that is no more? */
	err = reap(db, subject, now_us, &reaped);
	if (err != ERR_NONE || reaped == 0)
		return err;
	v->refusal = LIMITS_FREE;
	return check_room(db, subject, now_us, tokens, v);
}

/* ---- reserving ---------------------------------------------------------- */

static enum err
note_request(struct db *db, const struct subject *subject, int64_t now_us)
{
	struct db_stmt *s;
	enum err err;

	if (subject->requests_per_minute <= 0)
		return ERR_NONE;
	s = db_prepare(db, "DELETE FROM limit_requests WHERE at_us <= ?1"
			   " OR at_us > ?2");
	db_bind_int(s, 1, now_us - MINUTE_US);
	db_bind_int(s, 2, now_us + MINUTE_US);
	err = db_run(s);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "INSERT INTO limit_requests (subject, at_us)"
			   " VALUES (?1, ?2)");
	db_bind_cstring(s, 1, subject->name);
	db_bind_int(s, 2, now_us);
	return db_run(s);
}

static enum err
note_turn(struct db *db, const struct subject subjects[2], int64_t now_us,
    int64_t tokens, int64_t run_limit_s, struct limits_ticket *ticket)
{
	struct db_stmt *s;
	int64_t id;
	enum err err = random_bytes(&id, sizeof(id));

	if (err != ERR_NONE)
		return err;
	/* Not the next number: one that is never used again. */
	id = (id & INT64_MAX) | 1;
	s = db_prepare(db,
	    "INSERT INTO limit_reservations (key_subject, user_subject, day,"
	    " tokens, owner, expires_us, id)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	db_bind_cstring(s, 1, subjects[0].name);
	db_bind_cstring(s, 2, subjects[1].name);
	db_bind_int(s, 3, now_us / 1000000 / DAY_S);
	db_bind_int(s, 4, tokens);
	db_bind_cstring(s, 5, process_self());
	db_bind_int(s, 6, now_us + (run_limit_s + 60) * 1000000);
	db_bind_int(s, 7, id);
	err = db_run(s);
	if (err == ERR_NONE)
		ticket->id = id;
	return err;
}

enum err
limits_reserve(struct db *db, const struct key_config *key, struct span user,
    int64_t tokens, int64_t run_limit_s, struct limits_ticket *ticket,
    struct limits_verdict *verdict)
{
	struct subject subjects[2];
	int64_t now_us = clock_now_us();
	enum err err = ERR_NONE;
	size_t i;

	*ticket = (struct limits_ticket){0};
	*verdict = (struct limits_verdict){LIMITS_FREE, 0};
	if (!limits_any(key))
		return ERR_NONE;
	name_subjects(key, user, subjects);
	for (i = 0; i < 2 && err == ERR_NONE &&
	     verdict->refusal == LIMITS_FREE; i++)
		err = check(db, &subjects[i], now_us, tokens, verdict);
	if (err != ERR_NONE || verdict->refusal != LIMITS_FREE)
		return err;
	for (i = 0; i < 2 && err == ERR_NONE; i++)
		err = note_request(db, &subjects[i], now_us);
	if (err == ERR_NONE)
		err = note_turn(db, subjects, now_us, tokens, run_limit_s,
		    ticket);
	return err;
}
