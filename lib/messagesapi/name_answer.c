/* A view of a turn without a question: a model's name for a conversation. */
#include "messagesapi/name_answer.h"

#include "auth/caller.h"
#include "messagesapi/reply.h"
#include "turn/turn_run.h"

#define LIMIT_MS 30000

struct name_answer {
	struct turn_run run; /* first */
	struct conversation_row *conversation;
	name_answer_json json;
};

static void *
note_end(struct turn_run *r, size_t *size)
{
	*size = 0;
	if (turn_run_gone(r))
		r->title = SPAN("");
	return r;
}

static enum err
rows_end(struct db *db, void *note)
{
	const struct name_answer *n = note;

	return n->run.title.len == 0
	    ? ERR_NONE
	    : conversations_title(db, n->conversation->seq, n->run.title,
		  true);
}

static enum err
refuse(struct turn_run *r, const struct limits_verdict *v)
{
	return reply_too_many(r->x, limits_text(v->refusal),
	    v->retry_after_s);
}

static void
write_end(struct turn_run *r, struct buf *out)
{
	struct name_answer *n = (struct name_answer *)(void *)r;
	struct conversation_row named = *n->conversation;

	if (r->title.len > 0)
		named.name = r->title;
	n->json(out, &named);
}

/* The name could not be stored: the old one stays. */
static enum err
keep_name(struct turn_run *r)
{
	struct name_answer *n = (struct name_answer *)(void *)r;
	struct buf body = BUF_INIT(REPLY_MAX);

	reply_headers(r->x);
	n->json(&body, n->conversation);
	return reply_json(r->x, 200, &body);
}

enum err
name_answer_begin(struct exchange *x, struct span user,
    struct conversation_row *c, struct span query, name_answer_json json)
{
	static const struct turn_view view = {
	    .name = "naming a conversation",
		    .note_end = note_end,
	    .rows_end = rows_end,
	    .refuse = refuse,
	    .end = write_end,
	    .refuse_fault = keep_name,
	};
	struct name_answer *n = arena_alloc(x->request.arena, sizeof(*n));

	if (n == NULL)
		return ERR_MEMORY;
	turn_run_init(&n->run, x, &view, x->caller->bot);
	n->run.no_turn = true;
	n->run.title_query = query;
	n->run.limit_ms = LIMIT_MS;
	n->run.ask.key = x->caller->key;
	n->run.ask.user = user;
	n->conversation = c;
	n->json = json;
	return turn_run_begin(&n->run);
}
