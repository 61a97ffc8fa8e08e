/*
 * Limits over four tables (030_limits.sql, 041_limits_of_subjects.sql).  Each
 * check reads what is there, and is exact: the subjects are locked first, in
 * the order of their names, and written in that order as well, so that two
 * turns never wait for each other in a circle.
 */
#include "limits/limits.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/uuid.h"
#include "store/alive.h"

#define SUBJECTS_MAX (3 + LIMITS_OTHERS_MAX)
#define MINUTE_US 60000000LL
#define HOUR_S 3600
#define DAY_S 86400
#define KEPT_DAYS 40
#define SOON_S 2     /* when a running turn may give room back */
#define SOON_BOT_S 1 /* ... that of a bot (contracts/chat-messages.md) */
#define REAP_MAX 64

static const int64_t window_s[LIMITS_WINDOWS] = {
    [LIMITS_MINUTE] = 60, [LIMITS_HOUR] = HOUR_S, [LIMITS_DAY] = DAY_S};

/* One of a turn's subjects. */
struct party {
	char name[LIMITS_NAME_MAX];
	int64_t requests[LIMITS_WINDOWS], tokens_per_day, streams;
	bool holds;               /* what runs is counted; requests alone
	                           * need no reservation */
	enum limits_refusal full; /* what is said when it runs too many */
	const struct limits_subject *other; /* NULL: key, user or bot */
};

struct parties {
	struct party items[SUBJECTS_MAX]; /* the first that refuses speaks */
	size_t by_name[SUBJECTS_MAX];     /* their indices */
	size_t n;
};

/* What a subject has in use. */
struct in_use {
	int64_t turns, reserved, used;
};

/* ---- whose limits they are ----------------------------------------------- */

static bool
limits_of_key(const struct key_config *key)
{
	return key != NULL && (key->tokens_per_day > 0 ||
	    key->user_tokens_per_day > 0 || key->requests_per_minute > 0 ||
	    key->concurrent > 0 || key->user_requests_per_minute > 0 ||
	    key->user_concurrent > 0);
}

static bool
limits_of_bot(const struct bot_config *bot)
{
	return bot != NULL && bot->concurrent > 0;
}

bool
limits_any(const struct limits_ask *ask)
{
	return limits_of_key(ask->key) || limits_of_bot(ask->bot) ||
	    ask->n_others > 0;
}

bool
limits_tokens(const struct limits_ask *ask)
{
	const struct key_config *key = ask->key;
	size_t i;

	for (i = 0; i < ask->n_others; i++)
		if (ask->others[i].tokens_per_day > 0)
			return true;
	return key != NULL &&
	    (key->tokens_per_day > 0 || key->user_tokens_per_day > 0);
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

static struct party *
add_party(struct parties *p, enum limits_refusal full)
{
	struct party *party = &p->items[p->n++];

	memset(party, 0, sizeof(*party));
	party->full = full;
	return party;
}

static void
add_key(struct parties *p, const struct key_config *key, struct span user)
{
	struct party *of_key = add_party(p, LIMITS_CONCURRENT);
	struct party *of_user = add_party(p, LIMITS_CONCURRENT);
	char id[UUID_TEXT];

	of_key->requests[LIMITS_MINUTE] = key->requests_per_minute;
	of_key->tokens_per_day = key->tokens_per_day;
	of_key->streams = key->concurrent;
	of_user->requests[LIMITS_MINUTE] = key->user_requests_per_minute;
	of_user->tokens_per_day = key->user_tokens_per_day;
	of_user->streams = key->user_concurrent;
	/* Together: a limit that is set tomorrow finds what was used. */
	of_key->holds = of_user->holds = key->tokens_per_day > 0 ||
	    key->user_tokens_per_day > 0 || key->concurrent > 0 ||
	    key->user_concurrent > 0;
	/* A user's name may be long, and is nobody's business. */
	uuid_from_name("limits user", user, id);
	(void)snprintf(of_key->name, LIMITS_NAME_MAX, "key:%.200s", key->name);
	(void)snprintf(of_user->name, LIMITS_NAME_MAX, "user:%.200s:%s",
	    key->name, id);
}

static void
sort_by_name(struct parties *p)
{
	size_t i, k;

	for (i = 0; i < p->n; i++) {
		for (k = i; k > 0 && strcmp(p->items[i].name,
		    p->items[p->by_name[k - 1]].name) < 0; k--)
			p->by_name[k] = p->by_name[k - 1];
		p->by_name[k] = i;
	}
}

static void
find_parties(const struct limits_ask *ask, struct parties *p)
{
	struct party *party;
	size_t i;

	p->n = 0;
	if (limits_of_key(ask->key))
		add_key(p, ask->key, ask->user);
	if (limits_of_bot(ask->bot)) {
		party = add_party(p, LIMITS_BOT);
		party->streams = ask->bot->concurrent;
		party->holds = true;
		(void)snprintf(party->name, LIMITS_NAME_MAX, "bot:%.200s",
		    ask->bot->uid);
	}
	assert(ask->n_others <= LIMITS_OTHERS_MAX);
	for (i = 0; i < ask->n_others; i++) {
		const struct limits_subject *other = &ask->others[i];

		assert(strlen(other->name) < LIMITS_NAME_MAX);
		party = add_party(p, LIMITS_CONCURRENT);
		memcpy(party->requests, other->requests,
		    sizeof(party->requests));
		party->tokens_per_day = other->tokens_per_day;
		party->streams = other->streams;
		party->holds = other->streams > 0 || other->tokens_per_day > 0;
		party->other = other;
		(void)snprintf(party->name, LIMITS_NAME_MAX, "%s",
		    other->name);
	}
	sort_by_name(p);
}

/* ---- counting what is settled ------------------------------------------- */

static enum err
add_tokens(struct db *db, int64_t day, const char *subject, int64_t tokens)
{
	struct db_stmt *s = db_prepare(db,
	    "INSERT INTO limit_tokens (day, subject, tokens)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (day, subject) DO UPDATE SET"
	    " tokens = limit_tokens.tokens + excluded.tokens");

	db_bind_int(s, 1, day);
	db_bind_cstring(s, 2, subject);
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

/* What a reservation held; deleting it gives its rows in no order. */
struct held {
	char names[SUBJECTS_MAX][LIMITS_NAME_MAX];
	size_t by_name[SUBJECTS_MAX];
	size_t n;
	int64_t day, tokens;
};

static enum err
delete_holds(struct db *db, int64_t id, struct held *held)
{
	struct db_stmt *s = db_prepare(db, "DELETE FROM limit_holds"
	    " WHERE id = ?1 RETURNING subject, day, tokens");
	struct span name;
	bool row = true;
	enum err err = ERR_NONE;
	size_t k;

	held->n = 0;
	db_bind_int(s, 1, id);
	while ((err = db_step(s, &row)) == ERR_NONE && row &&
	    held->n < SUBJECTS_MAX) {
		name = db_text(s, 0);
		(void)snprintf(held->names[held->n], LIMITS_NAME_MAX, "%.*s",
		    (int)name.len, name.data);
		held->day = db_int(s, 1);
		held->tokens = db_int(s, 2);
		for (k = held->n; k > 0 && strcmp(held->names[held->n],
		    held->names[held->by_name[k - 1]]) < 0; k--)
			held->by_name[k] = held->by_name[k - 1];
		held->by_name[k] = held->n++;
	}
	db_done(s);
	return err;
}

/* tokens negative: what was reserved.  A reservation that another one has
 * settled has no rows. */
static enum err
settle(struct db *db, int64_t id, int64_t tokens)
{
	struct held held;
	enum err err = delete_holds(db, id, &held);
	size_t i;

	if (err != ERR_NONE || held.n == 0)
		return err;
	err = forget_old_days(db, held.day);
	for (i = 0; i < held.n && err == ERR_NONE; i++)
		err = add_tokens(db, held.day, held.names[held.by_name[i]],
		    tokens < 0 ? held.tokens : tokens);
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

/* ---- reservations of the dead ------------------------------------------- */

/* Those of a subject's reservations that nobody will settle. */
static enum err
find_dead(struct db *db, const struct party *party, int64_t dead[REAP_MAX],
    size_t *n)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT id, owner FROM limit_holds WHERE subject = ?1");
	bool row = true;
	enum err err = ERR_NONE;

	*n = 0;
	db_bind_cstring(s, 1, party->name);
	while (*n < REAP_MAX && (err = db_step(s, &row)) == ERR_NONE && row)
		if (alive_is_dead(db, db_text(s, 1)))
			dead[(*n)++] = db_int(s, 0);
	db_done(s);
	return err;
}

/* Settles them: what they had reserved counts as used. */
static enum err
reap(struct db *db, const struct party *party, size_t *n)
{
	int64_t dead[REAP_MAX];
	size_t i;
	enum err err = find_dead(db, party, dead, n);

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
	    "SELECT DISTINCT id, owner FROM limit_holds WHERE expires_us < ?1"
	    " LIMIT 8");
	int64_t late[8];
	size_t n = 0, i;
	bool row = true;
	enum err err = ERR_NONE;

	db_bind_int(s, 1, now_us);
	while (n < 8 && (err = db_step(s, &row)) == ERR_NONE && row)
		if (alive_is_dead(db, db_text(s, 1)))
			late[n++] = db_int(s, 0);
	db_done(s);
	for (i = 0; i < n && err == ERR_NONE; i++)
		err = settle(db, late[i], -1);
	return err;
}

/* ---- the checks --------------------------------------------------------- */

static void
refuse(struct limits_verdict *v, const struct party *party,
    enum limits_refusal why, int64_t seconds)
{
	v->refusal = why;
	v->retry_after_s = seconds < 1 ? 1 : (int)seconds;
	v->subject = party->other;
}

/* In no minute more than so many: is the one that many back a minute old?
 * One that lies further ahead was counted before the clock was set back. */
static enum err
check_minute(struct db *db, const struct party *party, int64_t now_us,
    struct limits_verdict *v)
{
	struct db_stmt *s;
	bool row;
	enum err err;

	if (party->requests[LIMITS_MINUTE] <= 0)
		return ERR_NONE;
	s = db_prepare(db, "SELECT at_us FROM limit_requests"
			   " WHERE subject = ?1 AND at_us > ?2"
			   " AND at_us <= ?4"
			   " ORDER BY at_us DESC LIMIT 1 OFFSET ?3");
	db_bind_cstring(s, 1, party->name);
	db_bind_int(s, 2, now_us - MINUTE_US);
	db_bind_int(s, 3, party->requests[LIMITS_MINUTE] - 1);
	db_bind_int(s, 4, now_us + MINUTE_US);
	err = db_step(s, &row);
	if (err == ERR_NONE && row)
		refuse(v, party, LIMITS_REQUESTS,
		    (db_int(s, 0) + MINUTE_US - now_us + 999999) / 1000000);
	db_done(s);
	return err;
}

/* An hour or a day of the clock: a row has their number. */
static enum err
check_window(struct db *db, const struct party *party,
    enum limits_window window, int64_t now_us, struct limits_verdict *v)
{
	int64_t now_s = now_us / 1000000, length_s = window_s[window];
	struct db_stmt *s;
	bool row;
	enum err err;

	if (party->requests[window] <= 0)
		return ERR_NONE;
	s = db_prepare(db, "SELECT requests FROM limit_counts"
	    " WHERE subject = ?1 AND window_s = ?2 AND number = ?3");
	db_bind_cstring(s, 1, party->name);
	db_bind_int(s, 2, length_s);
	db_bind_int(s, 3, now_s / length_s);
	err = db_step(s, &row);
	if (err == ERR_NONE && row && db_int(s, 0) >= party->requests[window])
		refuse(v, party, LIMITS_REQUESTS,
		    (now_s / length_s + 1) * length_s - now_s);
	db_done(s);
	return err;
}

static enum err
check_requests(struct db *db, const struct party *party, int64_t now_us,
    struct limits_verdict *v)
{
	enum err err = check_minute(db, party, now_us, v);

	if (err == ERR_NONE && v->refusal == LIMITS_ALLOWED)
		err = check_window(db, party, LIMITS_HOUR, now_us, v);
	if (err == ERR_NONE && v->refusal == LIMITS_ALLOWED)
		err = check_window(db, party, LIMITS_DAY, now_us, v);
	return err;
}

static enum err
used_tokens(struct db *db, const struct party *party, int64_t day,
    int64_t *used)
{
	struct db_stmt *s = db_prepare(db, "SELECT tokens FROM limit_tokens"
	    " WHERE day = ?1 AND subject = ?2");
	bool row;
	enum err err;

	db_bind_int(s, 1, day);
	db_bind_cstring(s, 2, party->name);
	err = db_step(s, &row);
	*used = err == ERR_NONE && row ? db_int(s, 0) : 0;
	db_done(s);
	return err;
}

/* What runs, what that has reserved of this day, what is used of it: in this
 * order, so that what is settled meanwhile is seen twice rather than never. */
static enum err
look_at(struct db *db, const struct party *party, int64_t now_us,
    struct in_use *in_use)
{
	int64_t day = now_us / 1000000 / DAY_S;
	struct db_stmt *s;
	bool row;
	enum err err;

	*in_use = (struct in_use){0};
	if (party->tokens_per_day <= 0 && party->streams <= 0)
		return ERR_NONE;
	s = db_prepare(db,
	    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN day = ?2 THEN tokens"
	    " ELSE 0 END), 0) FROM limit_holds WHERE subject = ?1");
	db_bind_cstring(s, 1, party->name);
	db_bind_int(s, 2, day);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		in_use->turns = db_int(s, 0);
		in_use->reserved = db_int(s, 1);
	}
	db_done(s);
	if (err == ERR_NONE && party->tokens_per_day > 0)
		err = used_tokens(db, party, day, &in_use->used);
	return err;
}

/* Tokens of this day that are not used. */
static int64_t
left_of(const struct party *party, const struct in_use *in_use)
{
	if (party->tokens_per_day <= 0)
		return INT64_MAX;
	return party->tokens_per_day - in_use->used;
}

/* Is there room for a turn of at least so many tokens?  *granted tokens at
 * the most, which grow less with each subject. */
static void
check_room(const struct party *party, const struct in_use *in_use,
    int64_t now_us, int64_t min, int64_t *granted, struct limits_verdict *v)
{
	int64_t now_s = now_us / 1000000;
	int64_t left = left_of(party, in_use);

	if (left < *granted)
		*granted = left;
	if (left < min)
		refuse(v, party, min > party->tokens_per_day ? LIMITS_SIZE
							      : LIMITS_TOKENS,
		    (now_s / DAY_S + 1) * DAY_S - now_s);
	else if (party->streams > 0 && in_use->turns >= party->streams)
		refuse(v, party, party->full,
		    party->full == LIMITS_BOT ? SOON_BOT_S : SOON_S);
}

/* All subjects as they are now. */
static enum err
check_all(struct db *db, const struct parties *p,
    const struct limits_ask *ask, int64_t now_us, int64_t *granted,
    struct limits_verdict *v)
{
	struct in_use in_use[SUBJECTS_MAX];
	enum err err = ERR_NONE;
	size_t i;

	*granted = ask->max_tokens;
	*v = (struct limits_verdict){.refusal = LIMITS_ALLOWED};
	for (i = 0; i < p->n && err == ERR_NONE &&
	     v->refusal == LIMITS_ALLOWED; i++) {
		const struct party *party = &p->items[i];

		err = check_requests(db, party, now_us, v);
		if (err == ERR_NONE && v->refusal == LIMITS_ALLOWED)
			err = look_at(db, party, now_us, &in_use[i]);
		if (err == ERR_NONE && v->refusal == LIMITS_ALLOWED)
			check_room(party, &in_use[i], now_us,
			    ask->min_tokens, granted, v);
	}
	/* What is reserved may come back: no less is given because of it. */
	for (i = 0; i < p->n && err == ERR_NONE &&
	     v->refusal == LIMITS_ALLOWED; i++)
		if (p->items[i].tokens_per_day > 0 && in_use[i].reserved >
			left_of(&p->items[i], &in_use[i]) - *granted)
			refuse(v, &p->items[i], LIMITS_TOKENS, SOON_S);
	return err;
}

/* ---- reserving ---------------------------------------------------------- */

static enum err
note_minute(struct db *db, const struct party *party, int64_t now_us)
{
	struct db_stmt *s;
	enum err err;

	if (party->requests[LIMITS_MINUTE] <= 0)
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
	db_bind_cstring(s, 1, party->name);
	db_bind_int(s, 2, now_us);
	return db_run(s);
}

/* What is more than a day old is nobody's business any more; the first of a
 * subject in its hour or day sees to it. */
static enum err
forget_windows(struct db *db, int64_t length_s, int64_t number)
{
	struct db_stmt *s = db_prepare(db, "DELETE FROM limit_counts"
	    " WHERE window_s = ?1 AND number < ?2");

	db_bind_int(s, 1, length_s);
	db_bind_int(s, 2, number - DAY_S / length_s);
	return db_run(s);
}

static enum err
note_window(struct db *db, const struct party *party,
    enum limits_window window, int64_t now_us)
{
	int64_t length_s = window_s[window];
	int64_t number = now_us / 1000000 / length_s;
	struct db_stmt *s;
	bool row, first;
	enum err err;

	if (party->requests[window] <= 0)
		return ERR_NONE;
	s = db_prepare(db,
	    "INSERT INTO limit_counts (subject, window_s, number, requests)"
	    " VALUES (?1, ?2, ?3, 1) ON CONFLICT (subject, window_s, number)"
	    " DO UPDATE SET requests = limit_counts.requests + 1"
	    " RETURNING requests");
	db_bind_cstring(s, 1, party->name);
	db_bind_int(s, 2, length_s);
	db_bind_int(s, 3, number);
	err = db_step(s, &row);
	first = err == ERR_NONE && row && db_int(s, 0) == 1;
	db_done(s);
	return first ? forget_windows(db, length_s, number) : err;
}

static enum err
note_request(struct db *db, const struct party *party, int64_t now_us)
{
	enum err err = note_minute(db, party, now_us);

	if (err == ERR_NONE)
		err = note_window(db, party, LIMITS_HOUR, now_us);
	if (err == ERR_NONE)
		err = note_window(db, party, LIMITS_DAY, now_us);
	return err;
}

static enum err
note_hold(struct db *db, const struct party *party,
    const struct limits_ask *ask, int64_t now_us, int64_t tokens, int64_t id)
{
	struct db_stmt *s;

	if (!party->holds)
		return ERR_NONE;
	s = db_prepare(db,
	    "INSERT INTO limit_holds (subject, id, day, tokens, owner,"
	    " expires_us, alive_until_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	db_bind_cstring(s, 1, party->name);
	db_bind_int(s, 2, id);
	db_bind_int(s, 3, now_us / 1000000 / DAY_S);
	db_bind_int(s, 4, tokens);
	db_bind_cstring(s, 5, process_self());
	db_bind_int(s, 6, now_us + (ask->run_limit_s + 60) * 1000000);
	db_bind_int(s, 7, 0); /* of programs before store/alive.h */
	return db_run(s);
}

/* Settles what the dead hold of any of the subjects; *n of them. */
static enum err
reap_all(struct db *db, const struct parties *p, size_t *n)
{
	size_t i, more = 0;
	enum err err = ERR_NONE;

	*n = 0;
	for (i = 0; i < p->n && err == ERR_NONE; i++) {
		err = reap(db, &p->items[p->by_name[i]], &more);
		*n += more;
	}
	return err;
}

/* The turn may begin: it is counted, and holds what it may use. */
static enum err
note_turn(struct db *db, const struct parties *p, const struct limits_ask *ask,
    int64_t now_us, int64_t tokens, struct limits_reservation *reservation)
{
	const struct party *party;
	bool any = false;
	int64_t id;
	enum err err;
	size_t i;

	for (i = 0; i < p->n; i++)
		any = any || p->items[i].holds;
	err = random_bytes(&id, sizeof(id));
	/* Not the next number: one that is never used again. */
	id = (id & INT64_MAX) | 1;
	if (err == ERR_NONE && any)
		err = sweep(db, now_us);
	for (i = 0; i < p->n && err == ERR_NONE; i++) {
		party = &p->items[p->by_name[i]];
		err = note_request(db, party, now_us);
		if (err == ERR_NONE)
			err = note_hold(db, party, ask, now_us, tokens, id);
	}
	if (err != ERR_NONE)
		return err;
	if (any)
		reservation->id = id;
	if (limits_tokens(ask))
		reservation->tokens = tokens;
	return ERR_NONE;
}

enum err
limits_reserve(struct db *db, const struct limits_ask *ask,
    struct limits_reservation *reservation, struct limits_verdict *verdict)
{
	int64_t now_us = clock_now_us(), granted = 0;
	enum err err = ERR_NONE;
	struct parties p;
	size_t i, reaped = 0;

	*reservation = (struct limits_reservation){0};
	*verdict = (struct limits_verdict){.refusal = LIMITS_ALLOWED};
	if (!limits_any(ask))
		return ERR_NONE;
	find_parties(ask, &p);
	for (i = 0; i < p.n && err == ERR_NONE; i++)
		err = db_lock(db, p.items[p.by_name[i]].name);
	if (err == ERR_NONE)
		err = check_all(db, &p, ask, now_us, &granted, verdict);
	/* No room: does a process hold it that is no more? */
	if (err == ERR_NONE && verdict->refusal != LIMITS_ALLOWED &&
	    verdict->refusal != LIMITS_REQUESTS) {
		err = reap_all(db, &p, &reaped);
		if (err == ERR_NONE && reaped > 0)
			err = check_all(db, &p, ask, now_us, &granted,
			    verdict);
	}
	if (err != ERR_NONE || verdict->refusal != LIMITS_ALLOWED)
		return err;
	return note_turn(db, &p, ask, now_us, granted, reservation);
}

enum err
limits_check(struct db *db, const struct limits_ask *ask,
    struct limits_verdict *verdict)
{
	struct limits_ask any = *ask;
	int64_t now_us = clock_now_us(), granted, dead[REAP_MAX];
	struct parties p;
	size_t i, n = 0;
	enum err err;

	*verdict = (struct limits_verdict){.refusal = LIMITS_ALLOWED};
	if (!limits_any(ask))
		return ERR_NONE;
	any.min_tokens = any.max_tokens = 1;
	find_parties(&any, &p);
	err = check_all(db, &p, &any, now_us, &granted, verdict);
	/* What the dead hold, a transaction must settle first. */
	for (i = 0; i < p.n && err == ERR_NONE && n == 0 &&
	     verdict->refusal != LIMITS_ALLOWED &&
	     verdict->refusal != LIMITS_REQUESTS; i++)
		err = find_dead(db, &p.items[i], dead, &n);
	if (n > 0)
		*verdict = (struct limits_verdict){.refusal = LIMITS_ALLOWED};
	/* Each statement sees its own moment: what was full may have been
	 * settled before the dead were looked for. */
	else if (err == ERR_NONE && verdict->refusal != LIMITS_ALLOWED)
		err = check_all(db, &p, &any, now_us, &granted, verdict);
	return err;
}
