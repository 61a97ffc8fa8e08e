/* The JSON of datasets, documents and segments, member for member. */
#include "messagesapi/dataset_view.h"

#include <nettle/sha2.h>
#include <string.h>
#include <sys/stat.h>

#include "chat/tokens.h"
#include "config/config.h"
#include "engine/engine.h"
#include "json/jsonout.h"
#include "knowledge/knowledge.h"
#include "messagesapi/api_store.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"
#include "store/segment_hits.h"

#define FORM "text_model" /* of files */

void
dataset_view_declared(const struct config *config,
    const struct knowledge_config *k, struct dataset_view *d)
{
	const struct engine_config *e =
	    k->embedding == NULL ? NULL : config_engine(config, k->embedding);

	*d = (struct dataset_view){.declared = k,
	    .row = {.id = k->id, .name = k->title, .description = "",
		.permission = "all_team_members",
		.technique = e == NULL ? "economy" : "high_quality",
		.embedding_model = e == NULL ? NULL : e->model,
		.embedding_provider = e == NULL ? NULL : e->name}};
}

enum err
dataset_view_find(struct exchange *x, struct dataset_view *d)
{
	char text[UUID_TEXT];
	struct span id = api_store_uuid(x->captures[0], text);
	struct db *db;
	enum err err;
	size_t i;

	for (i = 0; i < x->config->n_knowledge; i++)
		if (span_is(id, x->config->knowledge[i].id)) {
			dataset_view_declared(x->config,
			    &x->config->knowledge[i], d);
			return ERR_NONE;
		}
	*d = (struct dataset_view){.declared = NULL};
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = datasets_find(db, id, x->request.arena, &d->row);
	store_return(x->stores, db);
	return err == ERR_NOT_FOUND ? reply_error(x, REPLY_DATASET) : err;
}

bool
dataset_view_fits(struct span keyword, const char *name)
{
	size_t i, k, len = strlen(name);

	for (i = 0; i + keyword.len <= len; i++) {
		for (k = 0; k < keyword.len; k++)
			if (text_lower(name[i + k]) !=
			    text_lower(keyword.data[k]))
				break;
		if (k == keyword.len)
			return true;
	}
	return false;
}

enum err
dataset_reader_open(struct exchange *x, struct dataset_reader *r)
{
	enum err err;

	*r = (struct dataset_reader){.x = x};
	knowledge_check(x->config, NULL);
	err = store_lease(x->stores, &r->db);
	if (err == ERR_NONE)
		err = browse_open(x->config, &r->index);
	if (err != ERR_NONE)
		dataset_reader_close(r);
	return err;
}

void
dataset_reader_close(struct dataset_reader *r)
{
	browse_close(&r->index);
	store_return(r->x->stores, r->db);
	r->db = NULL;
}

enum err
dataset_view_lookup(const struct dataset_reader *r,
    const struct dataset_document_row *row, struct browse_document *out)
{
	struct browse_dataset indexed;
	enum err err = browse_document(&r->index, row->dataset, row->id,
	    r->x->request.arena, out);

	if (err != ERR_NOT_FOUND)
		return err;
	err = browse_dataset(&r->index, row->dataset, &indexed);
	*out = (struct browse_document){.id = row->id, .name = row->name,
	    .from_api = true, .waiting = true,
	    .position = indexed.documents + 1,
	    .created_s = row->created_us / 1000000};
	return err;
}

/* Who made it: the workspace, for there are no accounts. */
static void
put_author(struct exchange *x, const char *name, struct buf *out)
{
	char id[UUID_TEXT];

	messagesapi_tenant(x, id);
	jsonout_member_cstring(out, name, id);
}

static void
put_retrieval(const struct dataset_view *d, struct buf *out)
{
	if (d->row.retrieval_json.data != NULL) {
		jsonout_member_raw(out, "retrieval_model_dict",
		    d->row.retrieval_json);
		return;
	}
	jsonout_name(out, "retrieval_model_dict");
	buf_addc(out, '{');
	jsonout_member_cstring(out, "search_method",
	    d->declared != NULL && d->declared->embedding != NULL
		? "hybrid_search"
		: "keyword_search");
	buf_adds(out, ",\"reranking_enable\":false,\"reranking_mode\":null,"
	    "\"reranking_model\":{\"reranking_provider_name\":\"\","
	    "\"reranking_model_name\":\"\"},\"weights\":null,"
	    "\"top_k\":4,\"score_threshold_enabled\":false,"
	    "\"score_threshold\":null}");
}

/* Members that are the same for every dataset here. */
static void
put_fixed(struct buf *out)
{
	static const char *const nulls[] = {"external_retrieval_model",
	    "pipeline_id", "runtime_mode", "chunk_structure", "icon_info",
	    "summary_index_setting"};
	size_t i;

	for (i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		jsonout_member_null(out, nulls[i]);
	jsonout_member_raw(out, "external_knowledge_info",
	    SPAN("{\"external_knowledge_id\":null,"
		 "\"external_knowledge_api_id\":null,"
		 "\"external_knowledge_api_name\":null,"
		 "\"external_knowledge_api_endpoint\":null}"));
	jsonout_member_raw(out, "tags", SPAN("[]"));
	jsonout_member_raw(out, "doc_metadata", SPAN("[]"));
	jsonout_member_bool(out, "built_in_field_enabled", false);
	jsonout_member_bool(out, "is_published", false);
	jsonout_member_bool(out, "enable_api", true);
	jsonout_member_bool(out, "is_multimodal", false);
}

/* How many bots name it. */
static int64_t
count_apps(const struct config *c, const struct knowledge_config *k)
{
	int64_t n = 0;
	size_t i, j;

	for (i = 0; i < c->n_bots; i++) {
		n += k == NULL && c->bots[i].api_datasets;
		for (j = 0; k != NULL && j < c->bots[i].knowledge.n; j++)
			n += strcmp(c->bots[i].knowledge.items[j], k->name) ==
			    0;
	}
	return n;
}

/* What is counted of a dataset. */
struct counts {
	struct browse_dataset indexed;
	int64_t documents; /* those waiting for the index too */
	const char *form;  /* NULL: there is no document */
	int64_t created_s, updated_s;
};

/*
 * Nobody noted when a declared knowledge was made: it is as old as its oldest
 * document, and changed when the newest did; without any, when its folder
 * did.
 */
static void
find_times(const struct dataset_view *d, struct counts *c)
{
	struct stat st;

	c->created_s = d->row.created_us / 1000000;
	c->updated_s = d->row.updated_us / 1000000;
	if (d->declared == NULL)
		return;
	c->created_s = c->indexed.oldest_s;
	c->updated_s = c->indexed.newest_s;
	if (c->indexed.documents == 0 && d->declared->folder != NULL &&
	    stat(d->declared->folder, &st) == 0)
		c->created_s = c->updated_s = st.st_mtime;
}

static enum err
read_counts(const struct dataset_reader *r, const struct dataset_view *d,
    struct counts *c)
{
	int64_t stored;
	enum err err = browse_dataset(&r->index, d->row.id, &c->indexed);

	if (err == ERR_NONE)
		err = dataset_documents_count(r->db, d->row.id,
		    r->x->request.arena, &stored, &c->form);
	if (err != ERR_NONE)
		return err;
	c->documents = c->indexed.documents;
	if (stored > c->indexed.from_api)
		c->documents += stored - c->indexed.from_api;
	if (c->form == NULL && c->documents > 0)
		c->form = FORM;
	find_times(d, c);
	return ERR_NONE;
}

/* Segments of declared knowledge alone are ever embedded. */
static bool
embedding_works(const struct dataset_view *d)
{
	return d->declared != NULL || d->row.technique == NULL ||
	    strcmp(d->row.technique, "economy") == 0;
}

enum err
dataset_view_json(const struct dataset_reader *r,
    const struct dataset_view *d, struct buf *out)
{
	struct exchange *x = r->x;
	struct counts c;
	enum err err = read_counts(r, d, &c);

	if (err != ERR_NONE)
		return err;
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", d->row.id);
	jsonout_member_cstring(out, "name", d->row.name);
	jsonout_member_cstring(out, "description", d->row.description);
	jsonout_member_cstring(out, "provider", "vendor");
	jsonout_member_cstring(out, "permission", d->row.permission);
	jsonout_member_cstring(out, "data_source_type",
	    c.documents > 0 ? "upload_file" : NULL);
	jsonout_member_cstring(out, "indexing_technique", d->row.technique);
	jsonout_member_int(out, "app_count",
	    count_apps(x->config, d->declared));
	jsonout_member_int(out, "document_count", c.documents);
	jsonout_member_int(out, "word_count", c.indexed.words);
	put_author(x, "created_by", out);
	jsonout_member_cstring(out, "author_name", x->config->server.name);
	jsonout_member_int(out, "created_at", c.created_s);
	put_author(x, "updated_by", out);
	jsonout_member_int(out, "updated_at", c.updated_s);
	jsonout_member_cstring(out, "embedding_model",
	    d->row.embedding_model);
	jsonout_member_cstring(out, "embedding_model_provider",
	    d->row.embedding_provider);
	jsonout_member_bool(out, "embedding_available", embedding_works(d));
	put_retrieval(d, out);
	jsonout_member_cstring(out, "doc_form", c.form);
	jsonout_member_int(out, "total_documents", c.documents);
	jsonout_member_int(out, "total_available_documents",
	    c.indexed.documents - c.indexed.faulty);
	put_fixed(out);
	buf_addc(out, '}');
	return ERR_NONE;
}

/* ---- documents ----------------------------------------------------------- */

enum err
dataset_view_form(const struct dataset_reader *r,
    const struct browse_document *d, const char **form)
{
	enum err err = ERR_NOT_FOUND;

	if (d->from_api)
		err = dataset_documents_form(r->db, d->id,
		    r->x->request.arena, form);
	if (err != ERR_NOT_FOUND)
		return err;
	*form = FORM;
	return ERR_NONE;
}

enum err
dataset_view_document(const struct dataset_reader *r,
    const struct browse_document *d, struct buf *out)
{
	const char *form;
	int64_t hits;
	enum err err = dataset_view_form(r, d, &form);

	if (err == ERR_NONE)
		err = segment_hits_count(r->db, d->id, NULL, &hits);
	if (err != ERR_NONE)
		return err;
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", d->id);
	jsonout_member_int(out, "position", d->position);
	jsonout_member_cstring(out, "data_source_type", "upload_file");
	jsonout_member_raw(out, "data_source_info", SPAN("{}"));
	jsonout_member_raw(out, "data_source_detail_dict", SPAN("{}"));
	jsonout_member_null(out, "dataset_process_rule_id");
	jsonout_member_cstring(out, "name", d->name);
	jsonout_member_cstring(out, "created_from", "api");
	put_author(r->x, "created_by", out);
	jsonout_member_int(out, "created_at", d->created_s);
	jsonout_member_int(out, "tokens", d->tokens);
	jsonout_member_cstring(out, "indexing_status",
	    d->waiting ? "waiting" : d->fault == NULL ? "completed" : "error");
	jsonout_member_cstring(out, "error", d->fault);
	jsonout_member_bool(out, "enabled", true);
	jsonout_member_null(out, "disabled_at");
	jsonout_member_null(out, "disabled_by");
	jsonout_member_bool(out, "archived", false);
	jsonout_member_cstring(out, "display_status",
	    d->waiting ? "queuing" : d->fault == NULL ? "available" : "error");
	jsonout_member_int(out, "word_count", d->words);
	jsonout_member_int(out, "hit_count", hits);
	jsonout_member_cstring(out, "doc_form", form);
	jsonout_member_raw(out, "doc_metadata", SPAN("[]"));
	jsonout_member_null(out, "summary_index_status");
	jsonout_member_bool(out, "need_summary", false);
	buf_addc(out, '}');
	return ERR_NONE;
}

/* ---- segments ------------------------------------------------------------ */

/* The original's hash of a text: SHA-256 of it with "None" behind. */
static void
put_hash(struct span content, struct buf *out)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char text[2 * SHA256_DIGEST_SIZE + 1];
	struct sha256_ctx hash;

	sha256_init(&hash);
	sha256_update(&hash, content.len, (const uint8_t *)content.data);
	sha256_update(&hash, 4, (const uint8_t *)"None");
	sha256_digest(&hash, sizeof(digest), digest);
	text_hex(digest, sizeof(digest), text);
	jsonout_member_cstring(out, "index_node_hash", text);
}

enum err
dataset_view_segment(const struct dataset_reader *r,
    const struct browse_document *d, const struct browse_segment *s,
    struct buf *out)
{
	static const char *const nulls[] = {"disabled_at", "disabled_by",
	    "error", "stopped_at", "summary"};
	int64_t hits;
	size_t i;
	enum err err = segment_hits_count(r->db, d->id, s->id, &hits);

	if (err != ERR_NONE)
		return err;
	jsonout_member_cstring(out, "id", s->id);
	jsonout_member_int(out, "position", s->position);
	jsonout_member_cstring(out, "document_id", d->id);
	jsonout_member(out, "content", s->content);
	jsonout_member(out, "sign_content", s->content);
	jsonout_member_cstring(out, "answer", "");
	jsonout_member_int(out, "word_count", s->words);
	jsonout_member_int(out, "tokens", tokens_count(s->content));
	jsonout_member_raw(out, "keywords", SPAN("[]"));
	jsonout_member_cstring(out, "index_node_id", s->id);
	put_hash(s->content, out);
	jsonout_member_int(out, "hit_count", hits);
	jsonout_member_bool(out, "enabled", true);
	for (i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		jsonout_member_null(out, nulls[i]);
	jsonout_member_cstring(out, "status", "completed");
	put_author(r->x, "created_by", out);
	put_author(r->x, "updated_by", out);
	jsonout_member_int(out, "created_at", d->created_s);
	jsonout_member_int(out, "updated_at", d->created_s);
	jsonout_member_int(out, "indexing_at", d->started_s);
	jsonout_member_int(out, "completed_at", d->finished_s);
	jsonout_member_raw(out, "child_chunks", SPAN("[]"));
	jsonout_member_raw(out, "attachments", SPAN("[]"));
	return ERR_NONE;
}

void
dataset_view_page(struct buf *out, int64_t page, int64_t limit, int64_t total)
{
	jsonout_member_bool(out, "has_more", page * limit < total);
	jsonout_member_int(out, "limit", limit);
	jsonout_member_int(out, "total", total);
	jsonout_member_int(out, "page", page);
}
