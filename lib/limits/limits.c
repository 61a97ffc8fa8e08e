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

#define SUBJECT_MAX 320
#define OWNER_MAX 512
#define MINUTE_US 60000000LL
#define ALIVE_US 60000000LL
#define DAY_S 86400
#define KEPT_DAYS 40
#define SOON_S 2     /* when a running turn may give room back */
#define SOON_BOT_S 1 /* ... that of a bot (contracts/chat-messages.md) */
#define REAP_MAX 64

/* Whose limits they are, and which. */
struct subject {
	char name[SUBJECT_MAX];  /* empty: no limits are asked of it */
	const char *running_sql; /* its reservations */
	enum limits_refusal full; /* what is said when it runs too many */
	int64_t requests_per_minute, tokens_per_day, concurrent;
};

enum { OF_KEY, OF_USER, OF_BOT, SUBJECTS };

/* What a subject has in use. */
struct in_use {
	int64_t turns, reserved, used;
};

#define RUNNING(column)                                                        \
	"SELECT COUNT(*), COALESCE(SUM(CASE WHEN day = ?2 THEN tokens ELSE 0"  \
	" END), 0) FROM limit_reservations WHERE " column " = ?1"

bool
limits_tokens(const struct key_config *key)
{
	return key != NULL &&
	    (key->tokens_per_day > 0 || key->user_tokens_per_day > 0);
}

static bool
limits_of_key(const struct key_config *key)
{
	return key != NULL && (limits_tokens(key) ||
	    key->requests_per_minute > 0 || key->concurrent > 0 ||
	    key->user_requests_per_minute > 0 || key->user_concurrent > 0);
}

bool
limits_any(const struct key_config *key, const struct bot_config *bot)
{
	return limits_of_key(key) || (bot != NULL && bot->concurrent > 0);
}

const char *
limits_text(enum limits_refusal refusal)
{
	static const char *const texts[] = {
	    [LIMITS_ALLOWED] = "",
	    [LIMITS_REQUESTS] = "Too many requests. Please try again later.",
	    [LIMITS_TOKENS] =
		"The tokens of this day are used up. Please try again later.",
	    [LIMITS_SIZE] =
		"This request may need more tokens than a day allows.",
	    [LIMITS_CONCURRENT] =
		"Too many requests at once. Please try again later.",
	    [LIMITS_BOT] = "Too many requests. Please try again later.",
	};

	return texts[refusal];
}

static void
name_subjects(const struct limits_ask *ask, struct subject subjects[SUBJECTS])
{
	const struct key_config *key = ask->key;
	char id[UUID_TEXT];

	memset(subjects, 0, SUBJECTS * sizeof(*subjects));
	subjects[OF_KEY].running_sql = RUNNING("key_subject");
	subjects[OF_USER].running_sql = RUNNING("user_subject");
	subjects[OF_BOT].running_sql = RUNNING("bot_subject");
	subjects[OF_KEY].full = subjects[OF_USER].full = LIMITS_CONCURRENT;
	subjects[OF_BOT].full = LIMITS_BOT;
	if (limits_of_key(key)) {
		struct subject *k = &subjects[OF_KEY], *u = &subjects[OF_USER];

		k->requests_per_minute = key->requests_per_minute;
		k->tokens_per_day = key->tokens_per_day;
		k->concurrent = key->concurrent;
		u->requests_per_minute = key->user_requests_per_minute;
		u->tokens_per_day = key->user_tokens_per_day;
		u->concurrent = key->user_concurrent;
		/* A user's name may be long, and is nobody's business. */
		uuid_from_name("limits user", ask->user, id);
		(void)snprintf(k->name, SUBJECT_MAX, "k:%.200s", key->name);
		(void)snprintf(u->name, SUBJECT_MAX, "u:%.200s:%s", key->name,
		    id);
	}
	if (ask->bot != NULL && ask->bot->concurrent > 0) {
		subjects[OF_BOT].concurrent = ask->bot->concurrent;
		(void)snprintf(subjects[OF_BOT].name, SUBJECT_MAX, "b:%.200s",
		    ask->bot->uid);
	}
}

/* ---- counting what is settled ------------------------------------------- */

static enum err
add_tokens(struct db *db, int64_t day, struct span subject, int64_t tokens)
{
	struct db_stmt *s;

	if (subject.len == 0)
		return ERR_NONE;
	s = db_prepare(db,
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
limits_settle(struct db *db, const struct limits_reservation *reservation,
    int64_t tokens)
{
	if (reservation->id == 0)
		return ERR_NONE;
	return settle(db, reservation->id, tokens < 0 ? 0 : tokens);
}

enum err
limits_heartbeat(struct db *db, const struct limits_reservation *reservation)
{
	struct db_stmt *s;

	if (reservation->id == 0)
		return ERR_NONE;
	s = db_prepare(db, "UPDATE limit_reservations SET alive_until_us = ?1"
			   " WHERE id = ?2");
	db_bind_int(s, 1, clock_now_us() + ALIVE_US);
	db_bind_int(s, 2, reservation->id);
	return db_run(s);
}

/* ---- reservations of the dead ------------------------------------------- */

/* Columns from `at`: owner, expires_us, alive_until_us. */
static bool
is_dead(struct db_stmt *s, int at, int64_t now_us)
{
	struct span text = db_text(s, at);
	char owner[OWNER_MAX];
	enum process_state state;

	if (db_int(s, at + 1) < now_us)
		return true;
	(void)snprintf(owner, sizeof(owner), "%.*s", (int)text.len, text.data);
	state = process_check(owner);
	return state == PROCESS_DEAD || (state == PROCESS_UNKNOWN &&
	    db_int(s, at + 2) < now_us);
}

/* Those of the subject's reservations that nobody will settle. */
static enum err
find_dead(struct db *db, const struct subject *subject, int64_t now_us,
    int64_t dead[REAP_MAX], size_t *n)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT id, owner, expires_us, alive_until_us"
	    " FROM limit_reservations WHERE key_subject = ?1"
	    " OR user_subject = ?1 OR bot_subject = ?1");
	bool row = true;
	enum err err = ERR_NONE;

	*n = 0;
	db_bind_cstring(s, 1, subject->name);
	while (*n < REAP_MAX && (err = db_step(s, &row)) == ERR_NONE && row)
		if (is_dead(s, 1, now_us))
			dead[(*n)++] = db_int(s, 0);
	db_done(s);
	return err;
}

/* Settles them: what they had reserved counts as used. */
static enum err
reap(struct db *db, const struct subject *subject, int64_t now_us, size_t *n)
{
	int64_t dead[REAP_MAX];
	size_t i;
	enum err err = find_dead(db, subject, now_us, dead, n);

	for (i = 0; i < *n && err == ERR_NONE; i++)
		err = settle(db, dead[i], -1);
	return err;
}

/* Those of the dead that are over their time, whosever they were: of a user
 * who does not come back, say. */
static enum err
sweep(struct db *db, int64_t now_us)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT id FROM limit_reservations WHERE expires_us < ?1 LIMIT 8");
	int64_t late[8];
	size_t n = 0, i;
	bool row = true;
	enum err err = ERR_NONE;

	db_bind_int(s, 1, now_us);
	while (n < 8 && (err = db_step(s, &row)) == ERR_NONE && row)
		late[n++] = db_int(s, 0);
	db_done(s);
	for (i = 0; i < n && err == ERR_NONE; i++)
		err = settle(db, late[i], -1);
	return err;
}

/* ---- the checks --------------------------------------------------------- */

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

/* What runs, what that has reserved of this day, what is used of it. */
static enum err
look_at(struct db *db, const struct subject *subject, int64_t now_us,
    struct in_use *in_use)
{
	int64_t day = now_us / 1000000 / DAY_S;
	struct db_stmt *s;
	bool row;
	enum err err;

	*in_use = (struct in_use){0};
	if (subject->tokens_per_day <= 0 && subject->concurrent <= 0)
		return ERR_NONE;
	s = db_prepare(db, subject->running_sql);
	db_bind_cstring(s, 1, subject->name);
	db_bind_int(s, 2, day);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		in_use->turns = db_int(s, 0);
		in_use->reserved = db_int(s, 1);
	}
	db_done(s);
	if (err == ERR_NONE)
		err = used_tokens(db, subject, day, &in_use->used);
	return err;
}

/* Tokens of this day that are not used. */
static int64_t
left_of(const struct subject *subject, const struct in_use *in_use)
{
	if (subject->tokens_per_day <= 0)
		return INT64_MAX;
	return subject->tokens_per_day - in_use->used;
}

/* Is there room for a turn of at least so many tokens?  *granted tokens at
 * the most, which grow less with each subject. */
static void
check_room(const struct subject *subject, const struct in_use *in_use,
    int64_t now_us, int64_t min, int64_t *granted, struct limits_verdict *v)
{
	int64_t now_s = now_us / 1000000;
	int64_t left = left_of(subject, in_use);

	if (left < *granted)
		*granted = left;
	if (left < min)
		refuse(v, min > subject->tokens_per_day ? LIMITS_SIZE
							 : LIMITS_TOKENS,
		    (now_s / DAY_S + 1) * DAY_S - now_s);
	else if (subject->concurrent > 0 &&
	    in_use->turns >= subject->concurrent)
		refuse(v, subject->full,
		    subject->full == LIMITS_BOT ? SOON_BOT_S : SOON_S);
}

/* All subjects as they are now. */
static enum err
check_all(struct db *db, const struct subject subjects[SUBJECTS],
    const struct limits_ask *ask, int64_t now_us, int64_t *granted,
    struct limits_verdict *v)
{
	struct in_use in_use[SUBJECTS];
	enum err err = ERR_NONE;
	size_t i;

	*granted = ask->max_tokens;
	*v = (struct limits_verdict){LIMITS_ALLOWED, 0};
	for (i = 0; i < SUBJECTS && err == ERR_NONE &&
	     v->refusal == LIMITS_ALLOWED; i++) {
		err = check_requests(db, &subjects[i], now_us, v);
		if (err == ERR_NONE && v->refusal == LIMITS_ALLOWED)
			err = look_at(db, &subjects[i], now_us, &in_use[i]);
		if (err == ERR_NONE && v->refusal == LIMITS_ALLOWED)
			check_room(&subjects[i], &in_use[i], now_us,
			    ask->min_tokens, granted, v);
	}
	/* What is reserved may come back: no less is given because of it. */
	for (i = 0; i < SUBJECTS && err == ERR_NONE &&
	     v->refusal == LIMITS_ALLOWED; i++)
		if (subjects[i].tokens_per_day > 0 && in_use[i].reserved >
			left_of(&subjects[i], &in_use[i]) - *granted)
			refuse(v, LIMITS_TOKENS, SOON_S);
	return err;
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
note_turn(struct db *db, const struct subject subjects[SUBJECTS],
    const struct limits_ask *ask, int64_t now_us, int64_t tokens,
    struct limits_reservation *reservation)
{
	struct db_stmt *s;
	int64_t id;
	enum err err = random_bytes(&id, sizeof(id));

	if (err != ERR_NONE)
		return err;
	/* Not the next number: one that is never used again. */
	id = (id & INT64_MAX) | 1;
	s = db_prepare(db,
	    "INSERT INTO limit_reservations (key_subject, user_subject,"
	    " bot_subject, day, tokens, owner, expires_us, alive_until_us, id)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
	db_bind_cstring(s, 1, subjects[OF_KEY].name);
	db_bind_cstring(s, 2, subjects[OF_USER].name);
	db_bind_cstring(s, 3, subjects[OF_BOT].name);
	db_bind_int(s, 4, now_us / 1000000 / DAY_S);
	db_bind_int(s, 5, tokens);
	db_bind_cstring(s, 6, process_self());
	db_bind_int(s, 7, now_us + (ask->run_limit_s + 60) * 1000000);
	db_bind_int(s, 8, now_us + ALIVE_US);
	db_bind_int(s, 9, id);
	err = db_run(s);
	if (err == ERR_NONE)
		reservation->id = id;
	return err;
}

/* Settles what the dead hold of any of the subjects; *n of them. */
static enum err
reap_all(struct db *db, const struct subject subjects[SUBJECTS],
    int64_t now_us, size_t *n)
{
	size_t i, more = 0;
	enum err err = ERR_NONE;

	*n = 0;
	for (i = 0; i < SUBJECTS && err == ERR_NONE; i++) {
		if (subjects[i].name[0] == '\0')
			continue;
		err = reap(db, &subjects[i], now_us, &more);
		*n += more;
	}
	return err;
}

enum err
limits_reserve(struct db *db, const struct limits_ask *ask,
    struct limits_reservation *reservation, struct limits_verdict *verdict)
{
	struct subject subjects[SUBJECTS];
	int64_t now_us = clock_now_us(), granted = 0;
	enum err err = ERR_NONE;
	size_t i, reaped = 0;
	bool counts = false;

	*reservation = (struct limits_reservation){0};
	*verdict = (struct limits_verdict){LIMITS_ALLOWED, 0};
	if (!limits_any(ask->key, ask->bot))
		return ERR_NONE;
	name_subjects(ask, subjects);
	err = check_all(db, subjects, ask, now_us, &granted, verdict);
	/* No room: does a process hold it that is no more? */
	if (err == ERR_NONE && verdict->refusal != LIMITS_ALLOWED &&
	    verdict->refusal != LIMITS_REQUESTS) {
		err = reap_all(db, subjects, now_us, &reaped);
		if (err == ERR_NONE && reaped > 0)
			err = check_all(db, subjects, ask, now_us, &granted,
			    verdict);
	}
	if (err != ERR_NONE || verdict->refusal != LIMITS_ALLOWED)
		return err;
	for (i = 0; i < SUBJECTS && err == ERR_NONE; i++) {
		counts |= subjects[i].concurrent > 0 ||
		    subjects[i].tokens_per_day > 0;
		err = note_request(db, &subjects[i], now_us);
	}
	if (!counts || err != ERR_NONE)
		return err;
	err = sweep(db, now_us);
	if (err == ERR_NONE)
		err =
		    note_turn(db, subjects, ask, now_us, granted, reservation);
	if (limits_tokens(ask->key))
		reservation->tokens = granted;
	return err;
}

enum err
limits_check(struct db *db, const struct limits_ask *ask,
    struct limits_verdict *verdict)
{
	struct limits_ask any = *ask;
	struct subject subjects[SUBJECTS];
	int64_t now_us = clock_now_us(), granted, dead[REAP_MAX];
	size_t i, n = 0;
	enum err err;

	*verdict = (struct limits_verdict){LIMITS_ALLOWED, 0};
	if (!limits_any(ask->key, ask->bot))
		return ERR_NONE;
	any.min_tokens = any.max_tokens = 1;
	name_subjects(&any, subjects);
	err = check_all(db, subjects, &any, now_us, &granted, verdict);
	/* What the dead hold, a transaction must settle first. */
	for (i = 0; i < SUBJECTS && err == ERR_NONE && n == 0 &&
	     verdict->refusal != LIMITS_ALLOWED &&
	     verdict->refusal != LIMITS_REQUESTS; i++)
		if (subjects[i].name[0] != '\0')
			err = find_dead(db, &subjects[i], now_us, dead, &n);
	if (n > 0)
		verdict->refusal = LIMITS_ALLOWED;
	/* Each statement sees its own moment: what was full may have been
	 * settled before the dead were looked for. */
	else if (err == ERR_NONE && verdict->refusal != LIMITS_ALLOWED)
		err = check_all(db, subjects, &any, now_us, &granted, verdict);
	return err;
}
