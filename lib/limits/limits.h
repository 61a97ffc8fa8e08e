/*
 * What a key and each of its end users may do: requests per minute, tokens
 * per (UTC) day, turns at once; [key NAME] of parlance.conf.
 *
 * A turn reserves what it may use before it begins, in a write transaction,
 * so that any number of processes cannot overspend together; at its end what
 * it really used is counted and the reservation deleted, in one transaction,
 * so that this happens once.  What a process that was killed had reserved is
 * counted as used, by the first that is in need of the room.
 */
#ifndef PARLANCE_LIMITS_H
#define PARLANCE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "config/config.h"
#include "store/db.h"

/* A running turn's reservation; zeroed: there is none. */
struct limits_ticket {
	int64_t id;
};

enum limits_refusal {
	LIMITS_FREE,
	LIMITS_REQUESTS,
	LIMITS_TOKENS,
	LIMITS_CONCURRENT
};

struct limits_verdict {
	enum limits_refusal refusal;
	int retry_after_s; /* at least 1 when refused */
};

/* Has the key any limit at all?  Else nothing need be reserved. */
bool limits_any(const struct key_config *key);

/* Tokens a turn may use at the most, as far as it is known before: what was
 * asked, the bot's persona, its longest answer. */
int64_t limits_estimate(const struct bot_config *bot, int64_t asked_tokens);

/*
 * Reserves for one turn, inside the caller's write transaction, which may be
 * committed or rolled back when the verdict is a refusal.  user: the end user's own name,
 * empty when there is none (all of those are one user).  run_limit_s: the
 * reservation ends by itself after so long.
 */
enum err limits_reserve(struct db *db, const struct key_config *key,
    struct span user, int64_t tokens, int64_t run_limit_s,
    struct limits_ticket *ticket, struct limits_verdict *verdict)
    __attribute__((warn_unused_result));

/* Counts what the turn used, inside the caller's write transaction.  Without
 * a reservation, or when it is settled already, nothing happens. */
enum err limits_settle(struct db *db, const struct limits_ticket *ticket,
    int64_t tokens) __attribute__((warn_unused_result));

/* The text of a 429. */
const char *limits_text(enum limits_refusal refusal);

#endif
