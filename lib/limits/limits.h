/*
 * What anybody may do: a list of subjects, each with requests in a minute, an
 * hour, a day, tokens in a day, turns at once.  A key and each of its end
 * users ([key NAME] of parlance.conf), a bot's turns at once ([bot SLUG]), and
 * what a view adds: a visitor, an address, a site.  Days and hours are UTC's;
 * a minute is any minute.
 *
 * A turn reserves what it may use before it begins, in a write transaction,
 * so that any number of processes cannot overspend together; at its end what
 * it really used is counted and the reservation deleted, in one transaction,
 * so that this happens once.  What a process that was killed had reserved is
 * counted as used, by the first that is in need of the room.
 *
 * Tokens.  The sum that is counted for a day never exceeds tokens_per_day,
 * as long as no turn uses more than was reserved for it.  turn_need() and
 * turn_allow() (turn/turn.h) see to that: what is reserved is the bound of
 * the prompt that was built, passages and history included, and an answer as
 * long as the upstream is then told.  The engines of ours know their figures
 * beforehand.  It does not hold for an upstream that tells more than it was
 * allowed or than engine_bound() gives its prompt; and what an upstream does
 * not tell (a call that broke off) is counted as tokens_count() has
 * it.  A turn counts for the day on which it began.
 *
 * A reservation is also over when its process is dead (store/alive.h): no
 * wall clock decides that.
 *
 * An answer is never made shorter for the sake of room that may come back:
 * while others hold it, the turn is refused for two seconds.  Of what is left
 * of a day, a turn gets what there is, if that is worth it (least).
 */
#ifndef PARLANCE_LIMITS_H
#define PARLANCE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "config/config.h"
#include "store/db.h"

#define LIMITS_NAME_MAX 320   /* bytes of a subject's name, with the NUL */
#define LIMITS_OTHERS_MAX 6   /* subjects besides key, user and bot */

enum limits_window { LIMITS_MINUTE, LIMITS_HOUR, LIMITS_DAY, LIMITS_WINDOWS };

/* Whose turns are counted together, and how many there may be; 0: no limit. */
struct limits_subject {
	/* A kind and a name, such as "site:faq"; "key:", "user:" and "bot:"
	 * are ours.  Longer names than LIMITS_NAME_MAX must not be cut: make
	 * a hash of them. */
	const char *name;
	int64_t requests[LIMITS_WINDOWS];
	int64_t tokens_per_day;
	int64_t streams; /* at once */
};

/* A running turn's reservation; zeroed: there is none. */
struct limits_reservation {
	int64_t id;
	int64_t tokens; /* the turn may use so many; 0: no limit */
};

enum limits_refusal {
	LIMITS_ALLOWED,
	LIMITS_REQUESTS,
	LIMITS_TOKENS,
	LIMITS_SIZE, /* more tokens than a whole day has */
	LIMITS_CONCURRENT,
	LIMITS_BOT /* the bot's cap */
};

struct limits_verdict {
	enum limits_refusal refusal;
	int retry_after_s; /* at least 1 when refused */
	/* Which of ask->others refused; NULL: key, user or bot. */
	const struct limits_subject *subject;
};

/* A turn that would begin. */
struct limits_ask {
	const struct key_config *key; /* NULL: no key's limits */
	const struct bot_config *bot; /* NULL: no bot's cap */
	/* The end user's own name; empty when there is none (all of those
	 * are one user). */
	struct span user;
	/* At most LIMITS_OTHERS_MAX. */
	const struct limits_subject *others;
	size_t n_others;
	int64_t min_tokens, max_tokens; /* turn_need() */
	/* The reservation ends by itself after so long. */
	int64_t run_limit_s;
};

/* Is there any limit at all?  Else nothing need be reserved. */
bool limits_any(const struct limits_ask *ask);

/* Do tokens count?  Else a turn's need does not matter. */
bool limits_tokens(const struct limits_ask *ask);

/*
 * Would the turn be refused now, whatever it needs?  Only reads, on any
 * connection: spares the work for a turn that would be refused.  Not to be
 * asked while the pool has a deferred change, which may free a slot.
 */
enum err limits_check(struct db *db, const struct limits_ask *ask,
    struct limits_verdict *verdict) __attribute__((warn_unused_result));

/*
 * Reserves for one turn of all subjects or of none, inside the caller's write
 * transaction, which may be committed or rolled back when the verdict is a
 * refusal: a refused request is not counted.  When several refuse, the
 * verdict is the first one's: key, user, bot, the others as they stand.
 */
enum err limits_reserve(struct db *db, const struct limits_ask *ask,
    struct limits_reservation *reservation, struct limits_verdict *verdict)
    __attribute__((warn_unused_result));

/* Counts what the turn used, inside the caller's write transaction.  Without
 * a reservation, or when it is settled already, nothing happens. */
enum err limits_settle(
    struct db *db, const struct limits_reservation *reservation, int64_t tokens)
    __attribute__((warn_unused_result));

/* The text of a 429. */
const char *limits_text(enum limits_refusal refusal);

#endif
