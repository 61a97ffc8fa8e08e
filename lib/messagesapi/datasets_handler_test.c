/* Datasets and their documents over the API. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "messagesapi/api_deployment.h"

Suite *datasets_handler_suite(void);

#define D KEY_DATASET
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)
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
    {"POST", UNKNOWN "/retrieve", "{\"query\":\"a\"}", 404, "not_found"},
    {"POST", UNKNOWN "/document/create-by-text", "{}", 404, "not_found"},
    {"GET", "/v1/datasets/abc", NULL, 404, "not_found"},
    {"PUT", "/v1/datasets", "{}", 405, "method_not_allowed"},
};

START_TEST(bad_requests_are_refused)
{
	int status = ask(D, refusals[_i].method, refusals[_i].path,
	    refusals[_i].body);

	ck_assert_msg(status == refusals[_i].status, "%s %s: %d",
	    refusals[_i].method, refusals[_i].path, status);
	ck_assert_str_eq(text_at("code"), refusals[_i].code);
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
	tcase_add_test(t, a_lost_index_is_made_again);
	tcase_add_test(t, a_file_is_found);
	tcase_add_loop_test(t, bad_files_are_refused, 0,
	    sizeof(uploads) / sizeof(uploads[0]));
	tcase_add_loop_test(t, bad_requests_are_refused, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(t, a_first_document_decides_the_technique);
	tcase_add_test(t, keys_of_the_other_kind_are_unknown);
	suite_add_tcase(s, t);
	return s;
}
