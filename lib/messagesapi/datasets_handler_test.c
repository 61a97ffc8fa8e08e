/* Datasets and their documents over the API. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "messagesapi/api_deployment.h"
#include "store/datasets.h"

Suite *datasets_handler_suite(void);

#define D KEY_DATASET
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)
#define NEWEST "(newest)" /* the path of a dataset that is there */
#define UNKNOWN "/v1/datasets/0d1a5f0e-0000-8000-8000-0000000000ff"

/* A dataset's path, by its name. */
static const char *
make(const char *name)
{
	ck_assert_int_eq(ask(D, "POST", "/v1/datasets",
	    F("{\"name\":\"%s\",\"indexing_technique\":\"economy\"}", name)),
	    200);
	return F("/v1/datasets/%s", text_at("id"));
}

static const char *
add_text(const char *dataset, const char *name, const char *text)
{
	ck_assert_int_eq(ask(D, "POST",
	    F("%s/document/create-by-text", dataset),
	    F("{\"name\":\"%s\",\"text\":\"%s\"}", name, text)), 200);
	return F("%s", text_at("document.id"));
}

START_TEST(a_dataset_is_made_shown_and_deleted)
{
	const char *path = make("Zoo");

	ck_assert_str_eq(text_at("name"), "Zoo");
	ck_assert_str_eq(text_at("provider"), "vendor");
	ck_assert_str_eq(text_at("permission"), "only_me");
	ck_assert_str_eq(text_at("indexing_technique"), "economy");
	ck_assert_str_eq(text_at("document_count"), "0");
	ck_assert_str_eq(text_at("enable_api"), "true");
	ck_assert_str_eq(text_at("retrieval_model_dict.top_k"), "4");
	ck_assert_int_eq(ask(D, "GET", path, NULL), 200);
	ck_assert_str_eq(text_at("name"), "Zoo");
	ck_error(ask(D, "POST", "/v1/datasets", "{\"name\":\"Zoo\"}"), 409,
	    "dataset_name_duplicate", "The dataset name already exists. "
	    "Please modify your dataset name.");
	ck_assert_int_eq(ask(D, "DELETE", path, NULL), 204);
	ck_error(ask(D, "GET", path, NULL), 404, "not_found",
	    "Dataset not found.");
}
END_TEST

START_TEST(datasets_are_listed)
{
	(void)make("Zoo");
	(void)make("Museum");
	(void)make("Zoology");
	ck_assert_int_eq(ask(D, "GET", "/v1/datasets?limit=2", NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data")), 2);
	ck_assert_str_eq(text_at("data.0.name"), "Zoology");
	ck_assert_str_eq(text_at("has_more"), "true");
	ck_assert_str_eq(text_at("total"), "3");
	ck_assert_int_eq(ask(D, "GET", "/v1/datasets?page=2&limit=2", NULL),
	    200);
	ck_assert_uint_eq(pyjson_count(at("data")), 1);
	ck_assert_str_eq(text_at("has_more"), "false");
	ck_assert_int_eq(ask(D, "GET", "/v1/datasets?keyword=zoo", NULL), 200);
	ck_assert_str_eq(text_at("total"), "2");
}
END_TEST

/* What ?QUERY lists: how many in all, and the names of the page. */
static const struct {
	const char *query, *total, *first;
	size_t n;
} listings[] = {
    {"keyword=ZOO", "2", "Zoology", 2},
    {"keyword=none", "0", "(none)", 0},
    {"keyword=%25", "0", "(none)", 0},
    {"include_all=true", "4", "Private", 4},
    {"include_all=no", "3", "Zoology", 3},
    {"include_all=1&keyword=priv", "1", "Private", 1},
    {"keyword=priv", "0", "(none)", 0},
    {"tag_ids=0d1a5f0e-0000-8000-8000-0000000000ff", "0", "(none)", 0},
    {"tag_ids[]=x&include_all=1", "0", "(none)", 0},
    {"tag_ids=&tag_ids=x", "0", "(none)", 0},
    {"limit=1000", "3", "Zoology", 3},
    {"page=3&limit=1", "3", "Zoo", 1},
    {"page=4&limit=1", "3", "(none)", 0},
};

START_TEST(listings_are_filtered)
{
	(void)make("Zoo");
	(void)make("Museum");
	(void)make("Zoology");
	ck_assert_int_eq(ask(D, "POST", "/v1/datasets",
	    "{\"name\":\"Private\",\"permission\":\"partial_members\"}"),
	    200);
	ck_assert_int_eq(ask(D, "GET",
	    F("/v1/datasets?%s", listings[_i].query), NULL), 200);
	ck_assert_str_eq(text_at("total"), listings[_i].total);
	ck_assert_str_eq(text_at("data.0.name"), listings[_i].first);
	ck_assert_uint_eq(pyjson_count(at("data")), listings[_i].n);
}
END_TEST

START_TEST(a_limit_is_cut)
{
	ck_assert_int_eq(ask(D, "GET", "/v1/datasets?limit=1000", NULL), 200);
	ck_assert_str_eq(text_at("limit"), "100");
}
END_TEST

START_TEST(a_text_is_found_until_it_is_deleted)
{
	const char *path = make("Zoo"), *id, *batch;

	id = add_text(path, "Zebras",
	    "# Zebras\\n\\nZebras graze behind the warehouse.");
	batch = F("%s", text_at("batch"));
	ck_assert_str_eq(text_at("document.name"), "Zebras");
	ck_assert_str_eq(text_at("document.indexing_status"), "completed");
	ck_assert_str_eq(text_at("document.doc_form"), "text_model");
	ck_assert_str_eq(text_at("document.created_from"), "api");
	ck_assert_int_eq(ask(D, "GET",
	    F("%s/documents/%s/indexing-status", path, batch), NULL), 200);
	ck_assert_str_eq(text_at("data.0.id"), id);
	ck_assert_str_eq(text_at("data.0.indexing_status"), "completed");
	ck_assert_str_eq(text_at("data.0.total_segments"), "1");
	ck_assert_int_eq(ask(D, "POST", F("%s/retrieve", path),
	    "{\"query\":\"Where do zebras graze?\"}"), 200);
	ck_assert_str_eq(text_at("query.content"), "Where do zebras graze?");
	ck_assert_str_eq(text_at("records.0.segment.content"),
	    "Zebras graze behind the warehouse.");
	ck_assert_str_eq(text_at("records.0.segment.document.id"), id);
	ck_assert_double_gt(pyjson_double(at("records.0.score")), 0.5);
	ck_assert_int_eq(ask(D, "GET",
	    F("%s/documents/%s/segments", path, id), NULL), 200);
	ck_assert_str_eq(text_at("data.0.content"),
	    "Zebras graze behind the warehouse.");
	ck_assert_str_eq(text_at("total"), "1");
	ck_assert_int_eq(ask(D, "DELETE", F("%s/documents/%s", path, id),
			     NULL), 204);
	ck_error(ask(D, "DELETE", F("%s/documents/%s", path, id), NULL), 404,
	    "not_found", "Document Not Exists.");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents", path), NULL), 200);
	ck_assert_str_eq(text_at("total"), "0");
	ck_error(ask(D, "POST", F("%s/retrieve", path),
	    "{\"query\":\"zebras\"}"), 400, "dataset_not_initialized",
	    "The dataset is still being initialized or indexing. Please wait "
	    "a moment.");
}
END_TEST

/* A moment of the last minute. */
static void
ck_now(const char *text)
{
	int64_t s;

	ck_assert_msg(text_to_int64(span_of(text), 0, INT64_MAX, &s), "%s",
	    text);
	ck_assert_int_le(s, time(NULL));
	ck_assert_int_ge(s, time(NULL) - 60);
}

START_TEST(fields_hold_true_values)
{
	const char *path = make("Zoo"), *id;

	(void)add_text(path, "Lions", "Lions sleep in the shade.");
	id = add_text(path, "Zebras", "# Zebras\\n\\nZebras graze.\\n\\n"
	    "# Water\\n\\nZebras drink at the lake behind the hill.");
	ck_assert_str_eq(text_at("document.position"), "2");
	ck_assert_str_eq(text_at("document.word_count"), "10");
	ck_assert_str_eq(text_at("document.tokens"), "12");
	ck_assert_str_eq(text_at("document.hit_count"), "0");
	ck_now(text_at("document.created_at"));
	ck_assert_int_eq(ask(D, "GET",
	    F("%s/documents/%s/indexing-status", path, text_at("batch")),
	    NULL), 200);
	ck_now(text_at("data.0.processing_started_at"));
	ck_now(text_at("data.0.completed_at"));
	ck_assert_int_eq(ask(D, "GET", F("%s/documents/%s/segments?limit=1",
	    path, id), NULL), 200);
	ck_assert_str_eq(text_at("doc_form"), "text_model");
	ck_assert_str_eq(text_at("total"), "2");
	ck_now(text_at("data.0.created_at"));
	ck_now(text_at("data.0.updated_at"));
	ck_now(text_at("data.0.indexing_at"));
	ck_now(text_at("data.0.completed_at"));
	ck_assert_str_eq(text_at("data.0.content"), "Zebras graze.");
	/* printf 'Zebras graze.None' | sha256sum */
	ck_assert_str_eq(text_at("data.0.index_node_hash"),
	    "6daa470dbf859d75bd1a8328e9fa87223a372d932eff4cab8150b33ac24b150d");
	ck_assert_int_eq(ask(D, "POST", F("%s/retrieve", path),
	    "{\"query\":\"Who sleeps in the shade?\"}"), 200);
	ck_now(text_at("records.0.segment.created_at"));
	ck_now(text_at("records.0.segment.completed_at"));
	ck_assert_int_eq(ask(D, "GET", path, NULL), 200);
	ck_assert_str_eq(text_at("document_count"), "2");
	ck_assert_str_eq(text_at("total_available_documents"), "2");
	ck_assert_str_eq(text_at("word_count"), "15");
	ck_assert_str_eq(text_at("embedding_available"), "true");
}
END_TEST

START_TEST(a_form_is_kept)
{
	const char *path = make("Zoo"), *id;

	ck_assert_int_eq(ask(D, "POST", F("%s/document/create-by-text", path),
	    "{\"name\":\"a\",\"text\":\"Lions sleep.\","
	    "\"doc_form\":\"qa_model\"}"), 200);
	id = F("%s", text_at("document.id"));
	ck_assert_str_eq(text_at("document.doc_form"), "qa_model");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents", path), NULL), 200);
	ck_assert_str_eq(text_at("data.0.doc_form"), "qa_model");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents/%s/segments", path,
	    id), NULL), 200);
	ck_assert_str_eq(text_at("doc_form"), "qa_model");
	ck_assert_int_eq(ask(D, "GET", path, NULL), 200);
	ck_assert_str_eq(text_at("doc_form"), "qa_model");
}
END_TEST

/* As if another pass of the index had been running. */
static void
add_waiting(const char *path, const char *id, const char *name)
{
	struct dataset_document_row row = {.id = id, .batch = "b",
	    .dataset = strrchr(path, '/') + 1, .name = name,
	    .file_name = "text.md", .doc_form = "text_model",
	    .content = SPAN("x"), .created_us = INT64_C(1767225600000000)};
	struct db *db;

	ck_assert_int_eq(store_lease(deployment_stores, &db), ERR_NONE);
	ck_assert_int_eq(dataset_documents_add(db, &row), ERR_NONE);
	store_return(deployment_stores, db);
}

/* As if it had been impossible to read. */
static void
break_document(const char *id)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(F("%s/state/index.db",
	    deployment_folder), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, F("UPDATE document SET "
	    "fault = 'cannot be read' WHERE uid = '%s'", id), NULL, NULL,
	    NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

/* Of Alpha (indexed), Beta (broken), Gamma (indexed), Delta and Epsilon
 * (waiting): what ?QUERY lists, as initials and positions. */
static const struct {
	const char *query, *total, *names;
} document_listings[] = {
    {"", "5", "E5 D4 G3 B2 A1 "},
    {"limit=2", "5", "E5 D4 "},
    {"limit=2&page=2", "5", "G3 B2 "},
    {"limit=2&page=3", "5", "A1 "},
    {"limit=2&page=4", "5", ""},
    {"limit=3&page=2", "5", "B2 A1 "},
    {"status=", "5", "E5 D4 G3 B2 A1 "},
    {"status=available", "2", "G3 A1 "},
    {"status=Enabled", "2", "G3 A1 "},
    {"status=error", "1", "B2 "},
    {"status=queuing", "2", "E5 D4 "},
    {"status=queuing&limit=1&page=2", "2", "D4 "},
    {"status=indexing", "0", ""},
    {"status=paused", "0", ""},
    {"status=disabled", "0", ""},
    {"status=archived", "0", ""},
    {"keyword=ET", "1", "B2 "},
    {"keyword=el", "1", "D4 "},
    {"keyword=a&status=available", "2", "G3 A1 "},
    {"keyword=_", "0", ""},
};

START_TEST(documents_are_listed)
{
	struct buf names = BUF_INIT(256);
	const char *path = make("Zoo"), *beta;
	size_t i;

	(void)add_text(path, "Alpha", "Lions sleep in the shade.");
	beta = add_text(path, "Beta", "Zebras graze.");
	(void)add_text(path, "Gamma", "Owls hunt by night.");
	add_waiting(path, "0d1a5f0e-0000-8000-8000-0000000000d0", "Delta");
	add_waiting(path, "0d1a5f0e-0000-8000-8000-0000000000e0", "Epsilon");
	break_document(beta);
	ck_assert_int_eq(ask(D, "GET", F("%s/documents?%s", path,
	    document_listings[_i].query), NULL), 200);
	for (i = 0; i < pyjson_count(at("data")); i++)
		buf_printf(&names, "%c%s ", text_at(F("data.%zu.name", i))[0],
		    text_at(F("data.%zu.position", i)));
	ck_assert_str_eq(buf_text(&names), document_listings[_i].names);
	ck_assert_str_eq(text_at("total"), document_listings[_i].total);
	buf_release(&names);
	ck_assert_int_eq(ask(D, "GET", path, NULL), 200);
	ck_assert_str_eq(text_at("total_documents"), "5");
	ck_assert_str_eq(text_at("total_available_documents"), "2");
}
END_TEST

static const struct {
	const char *query, *total;
} segment_listings[] = {
    {"", "1"}, {"status=", "1"}, {"status=completed", "1"},
    {"status=waiting", "0"}, {"status=error&status=completed", "1"},
    {"status[]=indexing&status[]=completed", "1"}, {"status[]=error", "0"},
    {"keyword=SHADE", "1"}, {"keyword=zebra", "0"}, {"page=2", "1"},
};

START_TEST(segments_are_listed)
{
	const char *path = make("Zoo"), *id;

	id = add_text(path, "Lions", "Lions sleep in the shade.");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents/%s/segments?%s", path,
	    id, segment_listings[_i].query), NULL), 200);
	ck_assert_str_eq(text_at("total"), segment_listings[_i].total);
}
END_TEST

/* What a turn found is counted, in one of its two transactions. */
START_TEST(a_turn_counts_hits)
{
	const char *path = make("Zoo"), *id;
	struct db *db;
	int commits;

	(void)add_text(path, "Owls", "Owls hunt by night.");
	id = add_text(path, "Lions", "Lions sleep in the shade.");
	ck_assert_int_eq(chat(KEY_SKY, "Where do lions sleep?", ""), 200);
	deployment_count_commits(&commits);
	ck_assert_int_eq(chat(KEY_SKY, "Where do lions sleep?", ""), 200);
	ck_assert_int_eq(commits, 2);
	ck_assert_int_eq(ask(D, "GET", F("%s/documents", path), NULL), 200);
	ck_assert_str_eq(text_at("data.0.hit_count"), "2");
	ck_assert_str_eq(text_at("data.1.hit_count"), "0");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents/%s/segments", path,
	    id), NULL), 200);
	ck_assert_str_eq(text_at("data.0.hit_count"), "2");
	/* A test of the search is no use of it. */
	ck_assert_int_eq(ask(D, "POST", F("%s/retrieve", path),
	    "{\"query\":\"Where do lions sleep?\"}"), 200);
	ck_assert_str_eq(text_at("records.0.segment.hit_count"), "2");
	(void)unlink(F("%s/state/index.db", deployment_folder));
	(void)add_text(path, "Bears", "Bears eat.");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents/%s/segments", path,
	    id), NULL), 200);
	ck_assert_str_eq(text_at("data.0.hit_count"), "2");
	ck_assert_int_eq(ask(D, "DELETE", path, NULL), 204);
	ck_assert_int_eq(store_lease(deployment_stores, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, "DELETE FROM segment_hits"), ERR_NONE);
	ck_assert_int_eq(db_changes(db), 0);
	store_return(deployment_stores, db);
}
END_TEST

START_TEST(a_lost_index_is_made_again)
{
	const char *path = make("Zoo");

	(void)add_text(path, "Zebras", "Zebras graze behind the warehouse.");
	(void)unlink(F("%s/state/index.db", deployment_folder));
	(void)unlink(F("%s/state/index.db-wal", deployment_folder));
	(void)unlink(F("%s/state/index.db-shm", deployment_folder));
	(void)add_text(path, "Lions", "Lions sleep in the shade.");
	ck_assert_int_eq(ask(D, "GET", F("%s/documents", path), NULL), 200);
	ck_assert_str_eq(text_at("total"), "2");
}
END_TEST

#define PART(type, name, more)                                                 \
	"--b\r\nContent-Disposition: form-data; name=\"" name "\"" more        \
	"\r\nContent-Type: " type "\r\n\r\n"

START_TEST(a_file_is_found)
{
	const char *path = make("List");

	ck_assert_int_eq(ask_typed(D, "POST",
	    F("%s/document/create-by-file", path),
	    "multipart/form-data; boundary=b",
	    SPAN(PART("text/csv", "file", "; filename=\"phones.csv\"")
		"Model,Battery\nAlpha 3,3240 mAh\nAlpha 4,4000 mAh\n\r\n"
		PART("text/plain", "data", "")
		"{\"indexing_technique\":\"economy\"}\r\n--b--\r\n")), 200);
	ck_assert_str_eq(text_at("document.name"), "phones.csv");
	ck_assert_int_eq(ask(D, "POST", F("%s/hit-testing", path),
	    "{\"query\":\"battery of the Alpha 3\","
	    "\"retrieval_model\":{\"top_k\":1}}"), 200);
	ck_assert_uint_eq(pyjson_count(at("records")), 1);
	ck_assert_str_eq(text_at("records.0.segment.content"),
	    "Model,Battery\nAlpha 3,3240 mAh");
}
END_TEST

static const struct {
	const char *name, *part, *code;
	int status;
} uploads[] = {
    {"no file", PART("text/plain", "data", "") "{}\r\n--b--\r\n",
	"no_file_uploaded", 400},
    {"a picture", PART("image/png", "file", "; filename=\"a.png\"")
	"x\r\n--b--\r\n", "unsupported_file_type", 415},
    {"no text", PART("text/plain", "file", "; filename=\"a.txt\"")
	"\1\2\3\4\5\6\7\1\2\3\r\n--b--\r\n", "invalid_param", 400},
    {"bad options", PART("text/plain", "file", "; filename=\"a.txt\"")
	"x\r\n" PART("text/plain", "data", "") "{\r\n--b--\r\n",
	"invalid_param", 400},
    {"a path", PART("text/plain", "file", "; filename=\"a/b.txt\"")
	"x\r\n--b--\r\n", "invalid_param", 400},
};

START_TEST(bad_files_are_refused)
{
	const char *path = make("List");
	int status = ask_typed(D, "POST",
	    F("%s/document/create_by_file", path),
	    "multipart/form-data; boundary=b", span_of(uploads[_i].part));

	ck_assert_msg(status == uploads[_i].status, "%s: %d", uploads[_i].name,
	    status);
	ck_assert_str_eq(text_at("code"), uploads[_i].code);
}
END_TEST

static const struct {
	const char *method, *path, *body;
	int status;
	const char *code;
} refusals[] = {
    {"POST", "/v1/datasets", "{}", 400, "invalid_param"},
    {"POST", "/v1/datasets", "{\"name\":\"\"}", 400, "invalid_param"},
    {"POST", "/v1/datasets",
	"{\"name\":\"12345678901234567890123456789012345678901\"}", 400,
	"invalid_param"},
    {"POST", "/v1/datasets", "{\"name\":\"a\",\"permission\":\"x\"}", 400,
	"invalid_param"},
    {"POST", "/v1/datasets", "{\"name\":\"a\",\"retrieval_model\":5}", 400,
	"invalid_param"},
    {"GET", "/v1/datasets?limit=0", NULL, 400, "invalid_param"},
    {"GET", "/v1/datasets?include_all=maybe", NULL, 400, "invalid_param"},
    {"GET", UNKNOWN, NULL, 404, "not_found"},
    {"DELETE", UNKNOWN, NULL, 404, "not_found"},
    {"GET", UNKNOWN "/documents", NULL, 404, "not_found"},
    {"GET", NEWEST "/documents?status=lost", NULL, 400, "invalid_param"},
    {"POST", UNKNOWN "/retrieve", "{\"query\":\"a\"}", 404, "not_found"},
    {"POST", UNKNOWN "/document/create-by-text", "{}", 404, "not_found"},
    {"GET", "/v1/datasets/abc", NULL, 404, "not_found"},
    {"PUT", "/v1/datasets", "{}", 405, "method_not_allowed"},
};

START_TEST(bad_requests_are_refused)
{
	const char *path = refusals[_i].path, *newest = make("Newest");
	int status;

	if (strncmp(path, NEWEST, strlen(NEWEST)) == 0)
		path = F("%s%s", newest, path + strlen(NEWEST));
	status = ask(D, refusals[_i].method, path, refusals[_i].body);

	ck_assert_msg(status == refusals[_i].status, "%s %s: %d",
	    refusals[_i].method, refusals[_i].path, status);
	ck_assert_str_eq(text_at("code"), refusals[_i].code);
}
END_TEST

START_TEST(a_choice_names_what_there_is)
{
	ck_error(ask(D, "POST", "/v1/datasets",
	    "{\"name\":\"Old\",\"permission\":7,\"provider\":\"x\"}"), 400,
	    "invalid_param", "permission: Input should be 'only_me', "
	    "'all_team_members' or 'partial_members'; provider: Input should "
	    "be 'vendor' or 'external'");
	ck_error(ask(D, "POST", "/v1/datasets",
	    "{\"name\":\"Old\",\"provider\":\"external\"}"), 400,
	    "invalid_param", "provider: External API template not found.");
}
END_TEST

START_TEST(a_first_document_decides_the_technique)
{
	const char *path;

	ck_assert_int_eq(ask(D, "POST", "/v1/datasets", "{\"name\":\"New\"}"),
	    200);
	ck_assert_str_eq(text_at("indexing_technique"), "null");
	path = F("/v1/datasets/%s", text_at("id"));
	ck_error(ask(D, "POST", F("%s/document/create-by-text", path),
	    "{\"name\":\"a\",\"text\":\"b\"}"), 400, "invalid_param",
	    "indexing_technique is required.");
	ck_assert_int_eq(ask(D, "POST", F("%s/document/create_by_text", path),
	    "{\"name\":\"a\",\"text\":\"b\","
	    "\"indexing_technique\":\"economy\"}"), 200);
	ck_assert_int_eq(ask(D, "GET", path, NULL), 200);
	ck_assert_str_eq(text_at("indexing_technique"), "economy");
}
END_TEST

START_TEST(keys_of_the_other_kind_are_unknown)
{
	ck_assert_int_eq(ask(KEY_SKY, "GET", "/v1/datasets", NULL), 401);
	ck_assert_int_eq(ask(KEY_DATASET, "GET", "/v1/info", NULL), 401);
}
END_TEST

Suite *
datasets_handler_suite(void)
{
	Suite *s = suite_create("datasets_handler");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_test(t, a_dataset_is_made_shown_and_deleted);
	tcase_add_test(t, datasets_are_listed);
	tcase_add_loop_test(t, listings_are_filtered, 0,
	    sizeof(listings) / sizeof(listings[0]));
	tcase_add_test(t, a_limit_is_cut);
	tcase_add_test(t, a_text_is_found_until_it_is_deleted);
	tcase_add_test(t, fields_hold_true_values);
	tcase_add_test(t, a_form_is_kept);
	tcase_add_loop_test(t, documents_are_listed, 0,
	    sizeof(document_listings) / sizeof(document_listings[0]));
	tcase_add_loop_test(t, segments_are_listed, 0,
	    sizeof(segment_listings) / sizeof(segment_listings[0]));
	tcase_add_test(t, a_turn_counts_hits);
	tcase_add_test(t, a_lost_index_is_made_again);
	tcase_add_test(t, a_file_is_found);
	tcase_add_loop_test(t, bad_files_are_refused, 0,
	    sizeof(uploads) / sizeof(uploads[0]));
	tcase_add_loop_test(t, bad_requests_are_refused, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(t, a_choice_names_what_there_is);
	tcase_add_test(t, a_first_document_decides_the_technique);
	tcase_add_test(t, keys_of_the_other_kind_are_unknown);
	suite_add_tcase(s, t);
	return s;
}
