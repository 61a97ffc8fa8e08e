/*
 * A turn that is kept in a conversation: an end user asks, what he asked and
 * was answered are rows, what was said before goes along.  The messages API
 * and the sites' chat page are views of it; each embeds a dialogue as its own
 * first member and has a table of what it writes (turn/turn_run.h), most of
 * which is here.
 *
 * One transaction makes the rows of a turn that starts, one completes them
 * before the client is told that it is over: what a client has seen the end
 * of, it can list.  A reply that was broken off is stored as a normal one.
 *
 * A handler fills in what it was asked, looks things up on one short lease
 * (find, annotation, history), sets up, and begins.
 */
#ifndef PARLANCE_DIALOGUE_H
#define PARLANCE_DIALOGUE_H

#include "events/chat_events.h"
#include "store/annotations.h"
#include "store/conversations.h"
#include "store/end_users.h"
#include "store/files.h"
#include "store/messages.h"
#include "turn/turn_run.h"

/* All of it lives in the request's arena. */
struct dialogue {
	struct turn_run run; /* first */

	/* ---- filled in by the handler ---- */
	const char *app_id;  /* within which end users are known */
	struct span user;    /* his name there */
	struct span query;
	bool auto_name;      /* a new conversation gets a title */
	struct span inputs;  /* a JSON object */
	struct span introduction; /* of a new conversation */
	const struct message_file_row *files;
	size_t n_files;
	/* What is told of the annotation that answers; zeroed: nothing. */
	struct chat_annotation annotation_reported;

	/* ---- found or made ---- */
	struct end_user_row end_user; /* seq 0: not seen before */
	struct conversation_row conversation;
	bool new_conversation;
	struct span title; /* for a new one; data NULL: none wanted */
	struct annotation_row annotation; /* that answers; seq 0: none */
	struct chat_ids ids;
	struct message_row message;
};

/* ---- before the turn; db is leased ---- */

/* The end user, and his conversation of that id; "": a new one.
 * ERR_NOT_FOUND: he has no such conversation. */
enum err dialogue_find(struct dialogue *d, struct db *db, struct span id)
    __attribute__((warn_unused_result));
/* An annotation that answers the query instead of a model. */
enum err dialogue_find_annotation(struct dialogue *d, struct db *db)
    __attribute__((warn_unused_result));
/* What was said before, for the prompt. */
enum err dialogue_read_history(struct dialogue *d, struct db *db)
    __attribute__((warn_unused_result));

/* Ids, title and what the turn needs besides its rows. */
enum err dialogue_set_up(struct dialogue *d)
    __attribute__((warn_unused_result));
/* Begins the turn; a new conversation first makes room (store/retention.h). */
enum err dialogue_begin(struct dialogue *d)
    __attribute__((warn_unused_result));

/* ---- of its turn_view ---- */

enum err dialogue_rows_start(struct turn_run *r, struct db *db);
void *dialogue_note_end(struct turn_run *r, size_t *size);
enum err dialogue_rows_end(struct db *db, void *note);
void dialogue_note_lost(const struct turn_run *r, void *note);
enum err dialogue_rows_lost(struct db *db, const void *note);
void dialogue_write_delta(struct turn_run *r, struct span text,
    struct buf *out);
void dialogue_write_broken(struct turn_run *r, char out[TURN_BROKEN_MAX]);

/* How the turn's failure is told. */
struct chat_fault dialogue_fault(const struct turn_run *r);

/* The members that all its views have alike. */
#define DIALOGUE_VIEW                                                          \
	.begins_at_once = true, .pings_always = true,                          \
	.ping = {CHAT_EVENT_PING, sizeof(CHAT_EVENT_PING) - 1},                \
	.rows_start = dialogue_rows_start,                                     \
	.note_end = dialogue_note_end, .rows_end = dialogue_rows_end,          \
	.note_lost = dialogue_note_lost, .rows_lost = dialogue_rows_lost,      \
	.delta = dialogue_write_delta, .broken = dialogue_write_broken

#endif
