/* The way from a bot's question to passages. */
#include "knowledge/knowledge.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "index/index_store.h"
#include "knowledge/query.h"
#include "knowledge/search.h"
#include "index/sync.h"
#include "index/update.h"
#include "index/vectors.h"

#define REFERRED_MAX 3
/* What a follow-up refers to: all of it when it is one question; of several
 * ("the course?", "and for children?", "when is it?") the latest says most. */
#define REFERRED_FACTOR 0.6
#define REFERRED_EARLIER 0.25
#define CONTEXT_FACTOR 0.5
#define CONTEXT_TURNS 4
#define API_DATASETS_MAX 256
#define TOPIC_MAX 80 /* bytes of a heading that is offered */
#define SCORE_FLOOR 0.1 /* below, little more than a stop word fits */

struct finder {
	const struct config *config;
	const struct bot_config *bot;
	struct span question, referred[REFERRED_MAX];
	size_t n_referred;
	const struct chat_message *history;
	size_t n_history, top_k;
	struct arena *arena;
	struct index_store *x;
	struct search_hits best;
	const struct query *query; /* of the best one's dataset */
	const struct knowledge_vectors *given; /* NULL: to be waited for */
	struct knowledge_vectors own;
};

static void
build_query(struct finder *f, const struct index_dataset *d, struct query *q)
{
	const struct language *declared = language_find(d->language);
	uint32_t mask = declared != NULL
	    ? (uint32_t)1 << language_number(declared)
	    : d->languages;
	double factor = REFERRED_FACTOR;
	size_t i, turns = 0;

	query_init(q);
	q->languages = mask;
	query_add(q, &f->x->vocabulary.stemmers, f->question, mask, 1, false);
	for (i = 0; i < f->n_referred; i++, factor *= REFERRED_EARLIER)
		query_add(q, &f->x->vocabulary.stemmers, f->referred[i],
		    mask, factor, false);
	for (i = 0; i < f->n_history && turns < CONTEXT_TURNS; i++)
		if (f->history[i].role == ROLE_SYSTEM && ++turns > 0)
			query_add(q, &f->x->vocabulary.stemmers,
			    f->history[i].content, mask, CONTEXT_FACTOR, true);
}

/* Both lists are sorted; the best of them stay. */
static enum err
merge(struct finder *f, const struct search_hits *more)
{
	struct search_hits out = {.n = 0};
	size_t i = 0, k = 0;

	out.items = arena_array(f->arena, f->best.n + more->n + 1,
	    sizeof(*out.items));
	if (out.items == NULL)
		return ERR_MEMORY;
	while (out.n < f->top_k && (i < f->best.n || k < more->n)) {
		if (k == more->n || (i < f->best.n &&
		    f->best.items[i].passage.score >=
			more->items[k].passage.score))
			out.items[out.n++] = f->best.items[i++];
		else
			out.items[out.n++] = more->items[k++];
	}
	f->best = out;
	return ERR_NONE;
}

/* Whose vectors a declared dataset has; NULL: it has none. */
static const struct engine_config *
engine_of(const struct config *config, const char *uid)
{
	size_t i;

	for (i = 0; i < config->n_knowledge; i++)
		if (strcmp(config->knowledge[i].id, uid) == 0)
			return vectors_engine(config, &config->knowledge[i]);
	return NULL;
}

/* NULL: the dataset has no vectors, or the server did not answer in time;
 * then the words have to do. */
static const struct embed_vector *
question_vector(struct finder *f, const char *uid)
{
	const struct engine_config *engine = engine_of(f->config, uid);
	const struct knowledge_vectors *v = f->given != NULL ? f->given
							     : &f->own;
	struct embed_vector *vector;
	size_t i;

	if (engine == NULL)
		return NULL;
	for (i = 0; i < v->n && v->items[i].engine != engine; i++)
		continue;
	if (i == v->n) {
		if (f->given != NULL || i == KNOWLEDGE_ENGINES_MAX)
			return NULL;
		vector = &f->own.items[i].vector;
		f->own.items[i].engine = engine;
		f->own.n++;
		if (embed_texts(engine, &f->question, 1, KNOWLEDGE_EMBED_MS,
			f->arena, vector) != ERR_NONE)
			vector->n = 0;
	}
	return v->items[i].vector.n > 0 ? &v->items[i].vector : NULL;
}

void
knowledge_engines(const struct config *config, const struct bot_config *bot,
    struct arena *arena, struct knowledge_vectors *vectors)
{
	const struct engine_config *engine;
	const struct knowledge_config *k;
	struct index_store *x = NULL;
	struct index_dataset d;
	size_t i, at;

	vectors->n = 0;
	for (i = 0; i < bot->knowledge.n && bot->top_k > 0; i++) {
		k = config_knowledge(config, bot->knowledge.items[i]);
		engine = k == NULL ? NULL : vectors_engine(config, k);
		for (at = 0; at < vectors->n; at++)
			if (vectors->items[at].engine == engine)
				break;
		if (engine == NULL || at < vectors->n ||
		    at == KNOWLEDGE_ENGINES_MAX)
			continue;
		if (x == NULL && index_open(config, &x) != ERR_NONE)
			return;
		if (index_find_dataset(x, k->id, arena, &d) != ERR_NONE ||
		    d.id == 0)
			continue;
		vectors->items[vectors->n].engine = engine;
		vectors->items[vectors->n++].vector.n = 0;
	}
	index_close(x);
}

void
knowledge_check(const struct config *config, const struct bot_config *bot)
{
	/* Who makes a document over the API indexes it; the check is for
	 * folders, and for an index that was deleted. */
	if (bot == NULL ? config->n_knowledge > 0
			: bot->knowledge.n > 0 && bot->top_k > 0)
		update_check(config);
}

static enum err
search_one(struct finder *f, const char *uid)
{
	struct index_dataset *d = arena_alloc(f->arena, sizeof(*d));
	struct query *q = arena_alloc(f->arena, sizeof(*q));
	struct search_hits hits;
	enum err err;

	if (d == NULL || q == NULL)
		return ERR_MEMORY;
	err = index_find_dataset(f->x, uid, f->arena, d);
	if (err != ERR_NONE || d->id == 0)
		return err;
	build_query(f, d, q);
	err = search_dataset(f->x, d, q, question_vector(f, uid), f->top_k,
	    f->arena, &hits);
	if (err == ERR_NONE)
		err = merge(f, &hits);
	if (err == ERR_NONE && (f->query == NULL || (f->best.n > 0 &&
		f->best.items[0].dataset == d)))
		f->query = q;
	return err;
}

/* Datasets that were made over the API are every bot's, unless its
 * api_datasets says no. */
static enum err
search_api_datasets(struct finder *f)
{
	struct db_stmt *s = db_prepare(f->x->db,
	    "SELECT uid FROM dataset ORDER BY id");
	const char *uids[API_DATASETS_MAX];
	size_t n = 0, i, k;
	bool row;
	enum err err;

	while ((err = db_step(s, &row)) == ERR_NONE && row &&
	    n < API_DATASETS_MAX) {
		uids[n] = db_cstring_copy(s, 0, f->arena);
		if (uids[n] == NULL)
			continue;
		for (k = 0; k < f->config->n_knowledge; k++)
			if (strcmp(f->config->knowledge[k].id, uids[n]) == 0)
				break;
		n += k == f->config->n_knowledge;
	}
	db_done(s);
	for (i = 0; i < n && err == ERR_NONE; i++)
		err = search_one(f, uids[i]);
	return err;
}

static enum err
search_all(struct finder *f)
{
	const struct knowledge_config *k;
	enum err err = db_begin_read(f->x->db);
	size_t i;

	if (err != ERR_NONE)
		return err;
	for (i = 0; i < f->bot->knowledge.n && err == ERR_NONE; i++) {
		k = config_knowledge(f->config, f->bot->knowledge.items[i]);
		if (k != NULL)
			err = search_one(f, k->id);
	}
	if (err == ERR_NONE && f->bot->api_datasets)
		err = search_api_datasets(f);
	if (err != ERR_NONE) {
		db_rollback(f->x->db);
		return err;
	}
	return db_commit(f->x->db);
}

static double
best_score(const struct search_hits *hits)
{
	return hits->n > 0 ? hits->items[0].passage.score : 0;
}

/* What looked like a follow-up may be a question of its own: "and how do I
 * cancel?".  Then it finds better without the turn before. */
static enum err
search_alone(struct finder *f)
{
	struct search_hits with = f->best;
	const struct query *query = f->query;
	size_t n_referred = f->n_referred;
	enum err err;

	if (n_referred == 0 || best_score(&with) >= KNOWLEDGE_FOUND_SCORE)
		return ERR_NONE;
	f->n_referred = 0;
	f->best = (struct search_hits){.n = 0};
	f->query = NULL;
	err = search_all(f);
	if (best_score(&f->best) < KNOWLEDGE_FOUND_SCORE) {
		f->best = with;
		f->query = query;
	}
	f->n_referred = n_referred;
	return err;
}

/* "https://my.site/texts/" and the document's path, or NULL. */
static const char *
document_url(struct finder *f, const struct passage *p)
{
	static const char plain[] = "-._~/!$&'()*+,;=:@";
	const struct knowledge_config *k = NULL;
	struct buf out = BUF_INIT(16384);
	const char *at, *url = NULL;
	size_t i;

	for (i = 0; i < f->config->n_knowledge && k == NULL; i++)
		if (strcmp(f->config->knowledge[i].id, p->dataset_id) == 0)
			k = &f->config->knowledge[i];
	if (k == NULL || k->url == NULL || k->url[0] == '\0' ||
	    p->document_path == NULL)
		return NULL;
	buf_adds(&out, k->url);
	if (!span_ends(span_of(k->url), "/"))
		buf_addc(&out, '/');
	for (at = p->document_path; *at != '\0'; at++) {
		if (text_is_alnum(*at) || strchr(plain, *at) != NULL)
			buf_addc(&out, *at);
		else
			buf_printf(&out, "%%%02X", (unsigned char)*at);
	}
	if (buf_err(&out) == ERR_NONE)
		url = arena_strndup(f->arena, buf_text(&out), out.len);
	buf_release(&out);
	return url;
}

static enum err
hand_over(struct finder *f, struct passage **passages, size_t *n)
{
	struct passage *list = arena_array(f->arena, f->best.n + 1,
	    sizeof(*list));
	size_t i;

	if (list == NULL)
		return ERR_MEMORY;
	for (i = 0; i < f->best.n; i++)
		if (f->best.items[i].passage.score >= SCORE_FLOOR &&
		    f->best.items[i].passage.score >=
			f->bot->score_threshold) {
			list[*n] = f->best.items[i].passage;
			list[*n].document_url = document_url(f, &list[*n]);
			(*n)++;
		}
	*passages = list;
	return ERR_NONE;
}

static enum err
search_index(struct finder *f)
{
	enum err err;

	f->best = (struct search_hits){.n = 0};
	f->query = NULL;
	err = index_open(f->config, &f->x);
	if (err != ERR_NONE)
		return err;
	f->n_referred = query_refer(f->question, f->history, f->n_history,
	    f->referred, REFERRED_MAX);
	err = search_all(f);
	if (err == ERR_NONE)
		err = search_alone(f);
	if (err == ERR_STORE_CORRUPT)
		index_discard(f->config, f->x);
	else
		index_close(f->x);
	f->x = NULL;
	return err;
}

enum err
knowledge_find(const struct config *config, const struct bot_config *bot,
    struct span question, const struct chat_message *history,
    size_t n_history, size_t top_k, const struct knowledge_vectors *vectors,
    struct arena *arena, struct knowledge_found *found)
{
	struct finder f = {.config = config, .bot = bot, .question = question,
	    .history = history, .n_history = n_history, .top_k = top_k,
	    .given = vectors, .arena = arena};
	enum err err;

	*found = (struct knowledge_found){.n = 0};
	if ((bot->knowledge.n == 0 && !bot->api_datasets) || top_k == 0)
		return ERR_NONE;
	err = search_index(&f);
	if (err == ERR_NOT_FOUND)
		return ERR_NONE;
	found->query = f.query;
	return err == ERR_NONE ? hand_over(&f, &found->passages, &found->n)
			       : err;
}

enum err
knowledge_search(const struct config *config, const struct bot_config *bot,
    struct span question, const struct chat_message *history,
    size_t n_history, size_t top_k, struct arena *arena,
    struct passage **passages, size_t *n)
{
	struct knowledge_found found;
	enum err err;

	knowledge_check(config, bot);
	err = knowledge_find(config, bot, question, history, n_history, top_k,
	    NULL, arena, &found);
	if (err == ERR_STORE_CORRUPT) {
		knowledge_check(config, bot); /* it is built anew */
		err = knowledge_find(config, bot, question, history,
		    n_history, top_k, NULL, arena, &found);
	}
	*passages = found.passages;
	*n = found.n;
	return err;
}

/* "Title > Section": the section. */
static struct span
last_part(struct span heading)
{
	size_t i;

	for (i = heading.len; i >= 3; i--)
		if (memcmp(heading.data + i - 3, " > ", 3) == 0)
			return (struct span){heading.data + i,
			    heading.len - i};
	return heading;
}

static size_t
read_topics(struct index_store *x, const char *uid,
    const struct language *language, struct arena *arena,
    struct span *topics, size_t n, size_t max)
{
	struct db_stmt *s = db_prepare(x->db, "SELECT s.heading FROM document"
	    " d JOIN dataset t ON t.id = d.dataset JOIN segment s ON"
	    " s.document = d.id WHERE t.uid = ?1 AND (?2 = '' OR d.language ="
	    " ?2) AND s.is_row = 0 AND s.heading <> '' ORDER BY d.id,"
	    " s.position LIMIT 100");
	struct span topic;
	size_t i;
	bool row;

	db_bind_text(s, 1, span_of(uid));
	db_bind_text(s, 2, span_of(language == NULL ? "" : language->code));
	while (n < max && db_step(s, &row) == ERR_NONE && row) {
		topic = last_part(db_text(s, 0));
		for (i = 0; i < n && !span_equal(topics[i], topic); i++)
			;
		if (i < n || topic.len == 0 || topic.len > TOPIC_MAX)
			continue;
		topics[n].data = arena_strndup(arena, topic.data, topic.len);
		topics[n].len = topic.len;
		n += topics[n].data != NULL;
	}
	db_done(s);
	return n;
}

size_t
knowledge_topics(const struct config *config, const struct bot_config *bot,
    const struct language *language, struct arena *arena,
    struct span *topics, size_t max)
{
	const struct knowledge_config *k;
	struct index_store *x;
	size_t i, n = 0;

	if (index_open(config, &x) != ERR_NONE)
		return 0;
	for (i = 0; i < bot->knowledge.n; i++) {
		k = config_knowledge(config, bot->knowledge.items[i]);
		if (k != NULL)
			n = read_topics(x, k->id, language, arena, topics, n,
			    max);
	}
	index_close(x);
	return n;
}

enum err
knowledge_retrieve(const struct config *config, const char *dataset,
    struct span question, size_t top_k, struct arena *arena,
    struct passage **passages, size_t *n)
{
	static const struct bot_config anyone = {.score_threshold = 0};
	struct finder f = {.config = config, .bot = &anyone,
	    .question = question, .top_k = top_k, .arena = arena};
	struct passage *list;
	enum err err;
	size_t i;

	*passages = NULL;
	*n = 0;
	err = index_open(config, &f.x);
	if (err == ERR_NOT_FOUND)
		return ERR_NONE;
	if (err != ERR_NONE)
		return err;
	err = search_one(&f, dataset);
	list = arena_array(arena, f.best.n + 1, sizeof(*list));
	if (err == ERR_NONE && list == NULL)
		err = ERR_MEMORY;
	for (i = 0; i < f.best.n && err == ERR_NONE; i++)
		list[(*n)++] = f.best.items[i].passage;
	*passages = list;
	index_close(f.x);
	return err;
}

enum err
knowledge_index(const struct config *config, const char *name, bool verbose)
{
	struct update_options options = {.verbose = verbose, .wait = verbose};
	struct update_result result;
	enum err err = ERR_NONE, one;
	size_t i;

	for (i = 0; i < config->n_knowledge; i++) {
		if (name != NULL &&
		    strcmp(config->knowledge[i].name, name) != 0)
			continue;
		if (config->knowledge[i].folder == NULL)
			continue;
		one = update_folder(config, &config->knowledge[i], &options,
		    &result);
		if (one != ERR_NONE && one != ERR_STORE_BUSY)
			log_error("knowledge: [knowledge %s] cannot be "
				  "indexed: %s", config->knowledge[i].name,
			    err_text(one));
		err = err == ERR_NONE ? one : err;
		if (one == ERR_NONE)
			one = vectors_update(config, &config->knowledge[i],
			    verbose);
		err = err == ERR_NONE ? one : err;
	}
	if (name == NULL)
		sync_check(config);
	return err;
}
