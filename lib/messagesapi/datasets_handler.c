/* Datasets: make, list, show, delete, and search in one. */
#include "messagesapi/handlers.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "config/config.h"
#include "durable/durable_reply.h"
#include "json/jsonout.h"
#include "knowledge/knowledge.h"
#include "index/sync.h"
#include "messagesapi/dataset_view.h"
#include "messagesapi/api_store.h"
#include "messagesapi/reply.h"

#define NAME_CODES_MAX 40
#define DESCRIPTION_CODES_MAX 400
#define QUERY_CODES_MAX 250
#define PAGE_MAX 100
#define TOP_K_MAX 100

/* ---- making -------------------------------------------------------------- */

static const char *
read_text(struct exchange *x, const struct pyjson *body, struct faults *f,
    const char *name, size_t max, const char *fallback)
{
	struct span text = parse_string(body, f, name, false);

	if (text.data == NULL)
		return fallback;
	if (utf8_length(text) > max)
		faults_add(f, name, "String should have at most %zu characters",
		    max);
	return arena_strndup(x->request.arena, text.data, text.len);
}

/* The body of POST /datasets; ERR_ANSWERED: it is refused. */
static enum err
read_dataset(struct exchange *x, struct dataset_row *row)
{
	static const char *const techniques[] = {"high_quality", "economy",
	    NULL};
	static const char *const permissions[] = {"only_me",
	    "all_team_members", "partial_members", NULL};
	static const char *const providers[] = {"vendor", "external", NULL};
	struct faults faults = FAULTS_INIT;
	struct buf json = BUF_INIT(65536);
	const struct pyjson *body, *model;
	struct span name;
	enum err err;

	err = parse_body(x, &body);
	if (err != ERR_NONE)
		return err;
	name = parse_string(body, &faults, "name", true);
	if (name.data != NULL && (name.len == 0 ||
	    utf8_length(name) > NAME_CODES_MAX))
		faults_add(&faults, "name",
		    "String should have 1 to %d characters", NAME_CODES_MAX);
	row->name = arena_strndup(x->request.arena,
	    name.data == NULL ? "" : name.data, name.len);
	row->description = read_text(x, body, &faults, "description",
	    DESCRIPTION_CODES_MAX, "");
	row->technique = parse_choice(body, &faults, "indexing_technique",
	    techniques, NULL);
	row->permission = parse_choice(body, &faults, "permission",
	    permissions, "only_me");
	/* Nobody can declare another's API of knowledge here. */
	if (strcmp(parse_choice(body, &faults, "provider", providers,
		"vendor"), "external") == 0)
		faults_add(&faults, "provider",
		    "External API template not found.");
	row->embedding_model = read_text(x, body, &faults, "embedding_model",
	    200, NULL);
	row->embedding_provider = read_text(x, body, &faults,
	    "embedding_model_provider", 200, NULL);
	model = pyjson_get(body, "retrieval_model");
	if (pyjson_given(model) && !pyjson_is_object(model))
		faults_add(&faults, "retrieval_model",
		    "Input should be an object");
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	if (pyjson_is_object(model)) {
		pyjson_write(&json, model);
		row->retrieval_json.data = arena_strndup(x->request.arena,
		    buf_text(&json), json.len);
		row->retrieval_json.len = json.len;
	}
	err = buf_err(&json);
	buf_release(&json);
	if (row->name == NULL || row->description == NULL)
		return ERR_MEMORY;
	return err;
}

static bool
is_declared_name(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_knowledge; i++)
		if (strcmp(c->knowledge[i].title, name) == 0)
			return true;
	return false;
}

static enum err
send_dataset(struct exchange *x, const struct dataset_view *d)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct dataset_reader r;
	enum err err = dataset_reader_open(x, &r);

	if (err != ERR_NONE)
		return err;
	err = dataset_view_json(&r, d, &body);
	dataset_reader_close(&r);
	if (err == ERR_NONE)
		return reply_json(x, 200, &body);
	buf_release(&body);
	return err;
}

/* A store_change. */
static enum err
add_dataset(struct db *db, void *arg)
{
	return datasets_add(db, arg);
}

enum err
datasets_post(struct exchange *x)
{
	struct dataset_view d = {.declared = NULL};
	char id[UUID_TEXT];
	enum err err;

	err = read_dataset(x, &d.row);
	if (err != ERR_NONE)
		return err;
	if (is_declared_name(x->config, d.row.name))
		return reply_error(x, REPLY_DATASET_NAME);
	err = uuid_random(id);
	d.row.id = id;
	d.row.created_us = d.row.updated_us = clock_now_us();
	if (err == ERR_NONE)
		err = durable_reply_write(x, add_dataset, &d.row);
	if (err == ERR_CONFLICT)
		return reply_error(x, REPLY_DATASET_NAME);
	return err != ERR_NONE ? err : send_dataset(x, &d);
}

/* ---- listing ------------------------------------------------------------- */

struct listing {
	struct parse_page page;
	struct datasets_filter filter;
	bool nothing; /* asked for what no dataset has */
};

/*
 * Nobody can put a tag on a dataset here, so no dataset has the tags that a
 * client asks for.  Whoever holds a dataset key is the workspace's owner: of
 * the permissions only partial_members hides a dataset from him, until he
 * asks for all.
 */
static enum err
read_listing(struct exchange *x, struct listing *l)
{
	struct faults faults = FAULTS_INIT;
	struct span tag;
	enum err err;

	err = parse_page(x, PAGE_MAX, &l->page);
	if (err != ERR_NONE)
		return err;
	l->filter.keyword = l->page.keyword;
	l->filter.partial = parse_query_bool(x, &faults, "include_all", false);
	l->nothing = request_query(&x->request, "tag_ids", &tag) ||
	    request_query(&x->request, "tag_ids[]", &tag);
	return faults_answered(&faults, x);
}

/* The declared ones that fit, from the skip-th, at most limit; *n: all. */
static enum err
put_declared(const struct dataset_reader *r, struct span keyword,
    int64_t skip, int64_t limit, struct buf *out, int64_t *n)
{
	const struct config *config = r->x->config;
	struct dataset_view d;
	enum err err = ERR_NONE;
	size_t i;

	*n = 0;
	for (i = 0; i < config->n_knowledge && err == ERR_NONE; i++) {
		dataset_view_declared(config, &config->knowledge[i], &d);
		if (!dataset_view_fits(keyword, d.row.name))
			continue;
		if (*n >= skip && *n < skip + limit)
			err = dataset_view_json(r, &d, out);
		(*n)++;
	}
	return err;
}

/* Those made over the API, newest first, then the declared ones. */
static enum err
put_page(const struct dataset_reader *r, const struct listing *l,
    struct buf *out, int64_t *total)
{
	int64_t skip = (l->page.page - 1) * l->page.limit, declared = 0;
	struct dataset_row *rows;
	struct dataset_view d;
	size_t n, i;
	enum err err = datasets_page(r->db, &l->filter, skip,
	    (size_t)l->page.limit, r->x->request.arena, &rows, &n, total);

	for (i = 0; i < n && err == ERR_NONE; i++) {
		d = (struct dataset_view){.row = rows[i]};
		err = dataset_view_json(r, &d, out);
	}
	skip = skip > *total ? skip - *total : 0;
	if (err == ERR_NONE)
		err = put_declared(r, l->filter.keyword, skip,
		    l->page.limit - (int64_t)n, out, &declared);
	*total += declared;
	return err;
}

enum err
datasets_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct dataset_reader r;
	struct listing l;
	int64_t total = 0;
	enum err err;

	err = read_listing(x, &l);
	if (err != ERR_NONE)
		return err;
	err = dataset_reader_open(x, &r);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	if (!l.nothing)
		err = put_page(&r, &l, &body, &total);
	dataset_reader_close(&r);
	buf_addc(&body, ']');
	dataset_view_page(&body, l.page.page, l.page.limit, total);
	buf_addc(&body, '}');
	if (err == ERR_NONE)
		return reply_json(x, 200, &body);
	buf_release(&body);
	return err;
}

enum err
dataset_get(struct exchange *x)
{
	struct dataset_view d;
	enum err err;

	err = dataset_view_find(x, &d);
	return err != ERR_NONE ? err : send_dataset(x, &d);
}

/* A store_change. */
static enum err
delete_dataset(struct db *db, void *arg)
{
	const struct dataset_row *row = arg;

	return datasets_delete(db, span_of(row->id));
}

enum err
dataset_delete(struct exchange *x)
{
	struct dataset_view d;
	struct db *db;
	enum err err;

	err = dataset_view_find(x, &d);
	if (err != ERR_NONE)
		return err;
	if (d.declared != NULL)
		return reply_error(x, REPLY_DATASET_USED);
	err = durable_reply_write(x, delete_dataset, &d.row);
	if (err == ERR_NONE) {
		err = store_lease(x->stores, &db);
		if (err == ERR_NONE)
			err = sync_datasets(x->config, db, true);
		store_return(x->stores, db);
	}
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_DATASET);
	return err != ERR_NONE ? err : reply_nothing(x);
}

/* ---- searching ----------------------------------------------------------- */

struct retrieval {
	struct span query;
	int64_t top_k;
	double threshold;
};

static enum err
read_retrieval(struct exchange *x, struct retrieval *r)
{
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body, *model, *value;
	bool limited = false;
	enum err err;

	err = parse_body(x, &body);
	if (err != ERR_NONE)
		return err;
	r->query = parse_string(body, &faults, "query", true);
	if (utf8_length(r->query) > QUERY_CODES_MAX)
		faults_add(&faults, "query",
		    "String should have at most %d characters",
		    QUERY_CODES_MAX);
	model = pyjson_get(body, "retrieval_model");
	r->top_k = 4;
	value = pyjson_get(model, "top_k");
	if (pyjson_given(value) && (!pyjson_int64(value, &r->top_k) ||
	    r->top_k < 1 || r->top_k > TOP_K_MAX))
		faults_add(&faults, "retrieval_model.top_k",
		    "Input should be an integer from 1 to %d", TOP_K_MAX);
	(void)pyjson_bool(pyjson_get(model, "score_threshold_enabled"),
	    &limited);
	r->threshold = pyjson_double(pyjson_get(model, "score_threshold"));
	if (!limited || isnan(r->threshold))
		r->threshold = 0;
	return faults_answered(&faults, x);
}

static enum err
put_record(const struct dataset_reader *r, const struct passage *p,
    struct buf *out)
{
	struct browse_segment s = {.id = p->segment_id,
	    .position = p->segment_position, .words = p->word_count,
	    .content = p->content};
	struct browse_document d;
	enum err err = browse_document(&r->index, p->dataset_id,
	    p->document_id, r->x->request.arena, &d);

	if (err == ERR_NOT_FOUND)
		return ERR_NONE; /* removed since it was found */
	if (err != ERR_NONE)
		return err;
	jsonout_comma(out);
	buf_adds(out, "{\"segment\":{");
	err = dataset_view_segment(r, &d, &s, out);
	jsonout_name(out, "document");
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", p->document_id);
	jsonout_member_cstring(out, "data_source_type", "upload_file");
	jsonout_member_cstring(out, "name", p->document_name);
	jsonout_member_null(out, "doc_type");
	jsonout_member_null(out, "doc_metadata");
	buf_adds(out, "}}");
	jsonout_member_raw(out, "child_chunks", SPAN("[]"));
	jsonout_member_double(out, "score", p->score);
	jsonout_member_null(out, "tsne_position");
	jsonout_member_raw(out, "files", SPAN("[]"));
	jsonout_member_null(out, "summary");
	buf_addc(out, '}');
	return err;
}

static enum err
put_records(const struct dataset_reader *r, const struct retrieval *asked,
    const struct passage *passages, size_t n, struct buf *out)
{
	enum err err = ERR_NONE;
	size_t i;

	buf_adds(out, "{\"query\":{");
	jsonout_member(out, "content", asked->query);
	buf_adds(out, "},\"records\":[");
	for (i = 0; i < n && err == ERR_NONE; i++)
		if (passages[i].score >= asked->threshold)
			err = put_record(r, &passages[i], out);
	buf_adds(out, "]}");
	return err;
}

enum err
dataset_retrieve(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct browse_dataset counts;
	struct dataset_reader r;
	struct dataset_view d;
	struct retrieval asked;
	struct passage *passages;
	size_t n;
	enum err err;

	err = dataset_view_find(x, &d);
	if (err == ERR_NONE)
		err = read_retrieval(x, &asked);
	if (err != ERR_NONE)
		return err;
	knowledge_check(x->config, NULL);
	/* Before anything is opened: it may ask an engine upstream. */
	err = knowledge_retrieve(x->config, d.row.id, asked.query,
	    (size_t)asked.top_k, x->request.arena, &passages, &n);
	if (err == ERR_NONE)
		err = dataset_reader_open(x, &r);
	if (err != ERR_NONE)
		return err;
	err = browse_dataset(&r.index, d.row.id, &counts);
	if (err == ERR_NONE && counts.documents > 0)
		err = put_records(&r, &asked, passages, n, &body);
	dataset_reader_close(&r);
	if (err == ERR_NONE && counts.documents > 0)
		return reply_json(x, 200, &body);
	buf_release(&body);
	return err == ERR_NONE ? reply_error(x, REPLY_DATASET_EMPTY) : err;
}
