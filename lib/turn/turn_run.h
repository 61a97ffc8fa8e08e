/*
 * The life of one turn, whatever API it is asked through: it is the answer
 * (http/answer.h) that a handler leaves.  It searches, reserves what the
 * limits allow, asks the engine, hands its words on, pings, gives signs of
 * life, notices stop requests and a client that leaves, stores the end, and
 * says it.
 *
 * An API is a view of it: a table of what it writes and which rows it keeps.
 * A handler reads its request, refuses what is wrong with it, fills in a
 * turn_run (which it embeds as its own first member), and begins it.
 *
 *	search, reserve, rows_start		work
 *	refuse, or begin
 *	delta, delta ... ping ... delta		heartbeat now and then: work
 *	rows_end				work
 *	end, or fail
 *
 * Functions of the view that write run on the driver's thread and must not
 * block; those of rows run where work is done, within a write transaction.
 * They never run at the same time.
 */
#ifndef PARLANCE_TURN_RUN_H
#define PARLANCE_TURN_RUN_H

#include "base/buf.h"
#include "http/exchange.h"
#include "limits/limits.h"
#include "store/store.h"
#include "store/tasks.h"
#include "turn/title.h"
#include "turn/turn.h"

struct turn_run;

/* Why there is no (whole) answer. */
struct turn_fault {
	enum engine_fault fault; /* FAULT_NONE: there is one */
	const char *message;     /* the engine's words, or NULL */
	int retry_after_s;
	enum err err;            /* ours (fault is FAULT_INTERNAL) */
};

/* What view->broken has room for. */
#define TURN_BROKEN_MAX 400

struct turn_view {
	const char *name; /* in the log */
	/* The stream's head is sent before the engine's first word; else with
	 * it, so that a failure before it is an ordinary HTTP error. */
	bool begins_at_once;
	/* A ping every ten seconds; else after ten seconds of silence. */
	bool pings_always;
	struct span ping;        /* one write of a stream */
	/* What an answer without a word that was stopped is to the client;
	 * NULL: an answer. */
	const char *empty_text;

	/* ---- rows; all may be NULL ---- */
	/* With the reservation, when that was granted.  Another result than
	 * ERR_NONE takes all back. */
	enum err (*rows_start)(struct turn_run *r, struct db *db);
	/* Answers the client when they could not be made for a reason of
	 * his; else gives `why` back. */
	enum err (*refuse_start)(struct turn_run *r, enum err why);
	/*
	 * What is stored at the end, with the settling of the reservation.
	 * note: what it needs, in the request's arena (NULL: no memory).
	 * *size bytes without pointers to what goes with the request, or 0:
	 * it has some.
	 */
	void *(*note_end)(struct turn_run *r, size_t *size);
	enum err (*rows_end)(struct db *db, void *note);
	/* What is stored later when that failed: TURN_NOTE_MAX bytes, without
	 * pointers to what goes with the request.  None with a *size above. */
	void (*note_lost)(const struct turn_run *r, void *note);
	enum err (*rows_lost)(struct db *db, const void *note);

	/* ---- writing ---- */
	/* 429; ERR_ANSWERED. */
	enum err (*refuse)(struct turn_run *r, const struct limits_verdict *v);
	/* What a stream begins with, behind its head; NULL: nothing. */
	void (*begin)(struct turn_run *r, struct buf *out);
	/* An event of a stream. */
	void (*delta)(struct turn_run *r, struct span text, struct buf *out);
	/* The last event of a stream, or the body of a 200. */
	void (*end)(struct turn_run *r, struct buf *out);
	/* The last event of a stream that failed; the same for when there is
	 * no memory for it, as text. */
	void (*fail)(struct turn_run *r, struct buf *out);
	void (*broken)(struct turn_run *r, char out[TURN_BROKEN_MAX]);
	/* Answers with an error: nothing was sent yet. */
	enum err (*refuse_fault)(struct turn_run *r);
};

#define TURN_NOTE_MAX 128

enum turn_run_phase {
	RUN_PREPARE, /* search, reserve */
	RUN_BEGIN,
	RUN_ANSWER,
	RUN_STORE,   /* the end */
	RUN_CLOSE,
	RUN_OVER
};

struct turn_run {
	struct answer answer; /* first: what the exchange holds */
	struct exchange *x;
	const struct turn_view *view;

	/* ---- filled in by the handler before turn_run_begin() ---- */
	struct turn_setup setup;   /* the rest; turn_run_init() began it */
	bool no_turn;              /* `said` is the answer */
	struct span said;          /* goes out character by character */
	struct limits_ask ask;     /* key, bot, user, others */
	bool stream;
	struct span title_query;   /* for the bot's title_engine; data NULL:
	                            * it is not asked */
	const char *task_id;       /* that a stop request names; NULL: none */
	int64_t limit_ms;          /* in all; turn_run_init(): turn_limit */

	/* ---- for the view to read ---- */
	struct turn_result result; /* complete from rows_end on */
	struct span title;         /* what a model said, by then; else empty */
	struct turn_fault fault;   /* from rows_end on */
	bool complete;             /* the engine came to its end */
	int64_t spent;             /* tokens, the title's among them */

	/* ---- its own ---- */
	enum turn_run_phase phase;
	struct turn *turn;
	struct title_job *title_job;
	size_t said_at;
	struct turn_need need;
	struct limits_reservation reservation;
	struct limits_verdict verdict;
	struct task_watch watch;
	struct buf out;
	enum err err;              /* of the start, or of storing the end */
	enum err broken;           /* an event could not be built */
	bool begun, stopped;
	bool more;                 /* the quota of a step was used up */
	bool heartbeat_due, watch_due, turn_works; /* work to do */
	int64_t started_us, until_ms;
	int64_t next_ping_ms, next_heartbeat_ms;
};

/* All of it.  The rest is for the handler to fill in. */
void turn_run_init(struct turn_run *r, struct exchange *x,
    const struct turn_view *view, const struct bot_config *bot);

/*
 * Refuses what has no chance, before any work, by r->ask with this key and
 * bot (NULL: without).  db NULL: one is leased.  ERR_ANSWERED: it is refused.
 */
enum err turn_run_check(struct turn_run *r, struct db *db,
    const struct key_config *key, const struct bot_config *bot)
    __attribute__((warn_unused_result));

/* Leaves it in x->answer. */
enum err turn_run_begin(struct turn_run *r)
    __attribute__((warn_unused_result));

/* Has the client left? */
bool turn_run_gone(const struct turn_run *r);

#endif
