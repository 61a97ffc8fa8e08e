/* The JSON of datasets, documents and segments, member for member. */
#include "messagesapi/dataset_view.h"

#include <string.h>

#include "config/config.h"
#include "engine/engine.h"
#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"

void
dataset_view_declared(const struct knowledge_config *k,
    struct dataset_view *d)
{
	*d = (struct dataset_view){.declared = k,
	    .row = {.id = k->id, .name = k->title, .description = "",
		.permission = "all_team_members", .technique = "economy"}};
}

bool
dataset_view_find(struct exchange *x, struct dataset_view *d, enum err *err)
{
	char text[UUID_TEXT];
	struct span id = api_store_uuid(x->captures[0], text);
	struct db *db;
	size_t i;

	*err = ERR_NONE;
	for (i = 0; i < x->config->n_knowledge; i++)
		if (span_is(id, x->config->knowledge[i].id)) {
			dataset_view_declared(&x->config->knowledge[i], d);
			return true;
		}
	*d = (struct dataset_view){.declared = NULL};
	*err = store_lease(x->stores, &db);
	if (*err == ERR_NONE) {
		*err = datasets_find(db, id, x->request.arena, &d->row);
		store_return(x->stores, db);
	}
	if (*err == ERR_NOT_FOUND)
		*err = reply_error(x, REPLY_DATASET);
	else if (*err == ERR_NONE)
		return true;
	return false;
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
	jsonout_member_raw(out, "retrieval_model_dict",
	    SPAN("{\"search_method\":\"keyword_search\","
		 "\"reranking_enable\":false,\"reranking_mode\":null,"
		 "\"reranking_model\":{\"reranking_provider_name\":\"\","
		 "\"reranking_model_name\":\"\"},\"weights\":null,"
		 "\"top_k\":4,\"score_threshold_enabled\":false,"
		 "\"score_threshold\":null}"));
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

enum err
dataset_view_json(struct exchange *x, const struct dataset_view *d,
    struct buf *out)
{
	int64_t documents, words;
	enum err err = browse_dataset(x->config, d->row.id, &documents,
	    &words);

	if (err != ERR_NONE)
		return err;
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", d->row.id);
	jsonout_member_cstring(out, "name", d->row.name);
	jsonout_member_cstring(out, "description", d->row.description);
	jsonout_member_cstring(out, "provider", "vendor");
	jsonout_member_cstring(out, "permission", d->row.permission);
	if (documents > 0)
		jsonout_member_cstring(out, "data_source_type", "upload_file");
	else
		jsonout_member_null(out, "data_source_type");
	jsonout_member_cstring(out, "indexing_technique", d->row.technique);
	jsonout_member_int(out, "app_count",
	    count_apps(x->config, d->declared));
	jsonout_member_int(out, "document_count", documents);
	jsonout_member_int(out, "word_count", words);
	put_author(x, "created_by", out);
	jsonout_member_cstring(out, "author_name", x->config->server.name);
	jsonout_member_int(out, "created_at", d->row.created_us / 1000000);
	put_author(x, "updated_by", out);
	jsonout_member_int(out, "updated_at", d->row.updated_us / 1000000);
	jsonout_member_cstring(out, "embedding_model",
	    d->row.embedding_model);
	jsonout_member_cstring(out, "embedding_model_provider",
	    d->row.embedding_provider);
	jsonout_member_bool(out, "embedding_available", false);
	put_retrieval(d, out);
	jsonout_member_cstring(out, "doc_form",
	    documents > 0 ? "text_model" : NULL);
	jsonout_member_int(out, "total_documents", documents);
	jsonout_member_int(out, "total_available_documents", documents);
	put_fixed(out);
	buf_addc(out, '}');
	return ERR_NONE;
}

void
dataset_view_document(struct exchange *x, const struct browse_document *d,
    const char *doc_form, struct buf *out)
{
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
	put_author(x, "created_by", out);
	jsonout_member_int(out, "created_at", d->created_s);
	jsonout_member_int(out, "tokens", d->words);
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
	jsonout_member_int(out, "hit_count", 0);
	jsonout_member_cstring(out, "doc_form", doc_form);
	jsonout_member_raw(out, "doc_metadata", SPAN("[]"));
	jsonout_member_null(out, "summary_index_status");
	jsonout_member_bool(out, "need_summary", false);
	buf_addc(out, '}');
}

void
dataset_view_segment(struct exchange *x, const char *document,
    const struct browse_segment *s, struct buf *out)
{
	static const char *const nulls[] = {"disabled_at", "disabled_by",
	    "error", "stopped_at", "summary"};
	size_t i;

	jsonout_member_cstring(out, "id", s->id);
	jsonout_member_int(out, "position", s->position);
	jsonout_member_cstring(out, "document_id", document);
	jsonout_member(out, "content", s->content);
	jsonout_member(out, "sign_content", s->content);
	jsonout_member_cstring(out, "answer", "");
	jsonout_member_int(out, "word_count", s->words);
	jsonout_member_int(out, "tokens", engine_count_tokens(s->content));
	jsonout_member_raw(out, "keywords", SPAN("[]"));
	jsonout_member_cstring(out, "index_node_id", s->id);
	jsonout_member_cstring(out, "index_node_hash", s->id);
	jsonout_member_int(out, "hit_count", 0);
	jsonout_member_bool(out, "enabled", true);
	for (i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		jsonout_member_null(out, nulls[i]);
	jsonout_member_cstring(out, "status", "completed");
	put_author(x, "created_by", out);
	put_author(x, "updated_by", out);
	jsonout_member_int(out, "created_at", 0);
	jsonout_member_int(out, "updated_at", 0);
	jsonout_member_null(out, "indexing_at");
	jsonout_member_null(out, "completed_at");
	jsonout_member_raw(out, "child_chunks", SPAN("[]"));
	jsonout_member_raw(out, "attachments", SPAN("[]"));
}

void
dataset_view_page(struct buf *out, int64_t page, int64_t limit, int64_t total)
{
	jsonout_member_bool(out, "has_more", page * limit < total);
	jsonout_member_int(out, "limit", limit);
	jsonout_member_int(out, "total", total);
	jsonout_member_int(out, "page", page);
}
