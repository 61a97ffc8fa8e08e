/* Uploads, previews, and files in messages. */
#include "messagesapi/handlers.h"

#include <check.h>
#include <dirent.h>
#include <string.h>

#include "messagesapi/api_deployment.h"

Suite *files_handler_suite(void);

#define C KEY_SKY
#define UNKNOWN_ID "0d1a5f0e-0000-8000-8000-0000000000ff"
#define F(...) arena_printf(&deployment_arena, __VA_ARGS__)
#define FORM "multipart/form-data; boundary=XX"
#define FILE_PART(name, type)                                                  \
	"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\""   \
	name "\"\r\n" type "\r\n"
#define PNG "Content-Type: image/png\r\n"
#define END "--XX--\r\n"
#define USER "--XX\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\n"

static int
upload(const char *body)
{
	return ask_typed(C, "POST", "/v1/files/upload", FORM, span_of(body));
}

static const char *
upload_as(const char *user, const char *name, const char *type,
    const char *bytes)
{
	ck_assert_int_eq(upload(F("--XX\r\nContent-Disposition: form-data; "
	    "name=\"file\"; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n%s"
	    "\r\n" USER "%s\r\n" END, name, type, bytes, user)), 201);
	return text_at("id");
}

static const struct {
	const char *body;
	int status;
	const char *code, *message;
} uploads[] = {
    {USER "u\r\n" END, 400, "no_file_uploaded", "Please upload your file."},
    {FILE_PART("a.png", PNG) "x\r\n" FILE_PART("b.png", PNG) "y\r\n" END, 400,
	"too_many_files", "Only one file is allowed."},
    {FILE_PART("", PNG) "x\r\n" END, 400, "filename_not_exists_error",
	"The specified filename does not exist."},
    {FILE_PART("a/b.png", PNG) "x\r\n" END, 400, "invalid_param",
	"Filename contains invalid characters"},
    {FILE_PART("..\\\\b.png", PNG) "x\r\n" END, 400, "invalid_param",
	"Filename contains invalid characters"},
    {FILE_PART("a.exe", PNG) "x\r\n" END, 400, "invalid_param", "'.exe'"},
    {FILE_PART("a.png", "") "x\r\n" END, 415, "unsupported_file_type",
	"File type not allowed."},
    {FILE_PART("a.png", "Content-Type: nonsense\r\n") "x\r\n" END, 415,
	"unsupported_file_type", "File type not allowed."},
    {"nothing", 400, "bad_request", ""},
};

START_TEST(a_bad_upload_is_refused_and_leaves_nothing)
{
	DIR *folder;

	ck_error(upload(uploads[_i].body), uploads[_i].status,
	    uploads[_i].code, uploads[_i].message);
	folder = opendir(F("%s/state/files", deployment_folder));
	ck_assert_ptr_null(folder);
}
END_TEST

START_TEST(an_upload_over_the_limit_is_413)
{
	static char body[40000];

	memset(body, 'x', sizeof(body));
	ck_error(ask_typed(C, "POST", "/files/upload", FORM,
	    (struct span){body, sizeof(body)}), 413, "file_too_large", "");
	ck_error(ask_typed(C, "POST", "/files/upload", "application/json",
	    SPAN("{}")), 400, "no_file_uploaded", "Please upload your file.");
}
END_TEST

START_TEST(an_upload_answers_with_the_file)
{
	ck_assert_str_ne(upload_as("u", "sky.PNG", "image/png", "bytes"), "");
	ck_assert_str_eq(text_at("name"), "sky.PNG");
	ck_assert_str_eq(text_at("size"), "5");
	ck_assert_str_eq(text_at("extension"), "png");
	ck_assert_str_eq(text_at("mime_type"), "image/png");
	ck_assert_uint_eq(strlen(text_at("created_by")), 36);
	ck_assert_str_eq(text_at("reference"), "null");
	ck_assert_str_eq(text_at("preview_url"), "null");
	ck_assert_str_eq(text_at("source_url"),
	    F("/v1/files/%s/preview", text_at("id")));
	ck_assert_uint_eq(strlen(text_at("tenant_id")), 36);
	ck_assert_uint_eq(pyjson_count(at("")), 15);
}
END_TEST

static int
send_file(const char *user, const char *type, const char *id)
{
	return ask(C, "POST", "/chat-messages",
	    F("{\"query\":\"q\",\"inputs\":{},\"user\":\"%s\",\"files\":[{"
	      "\"type\":\"%s\",\"transfer_method\":\"local_file\","
	      "\"upload_file_id\":\"%s\"}]}", user, type, id));
}

START_TEST(a_file_is_previewed_once_a_message_has_it)
{
	const char *id = upload_as("u", "sky \xC3\xA9.png", "image/png",
	    "bytes");
	const char *path = F("/v1/files/%s/preview", id);

	ck_error(ask(C, "GET", path, NULL), 404, "file_not_found",
	    "The requested file was not found.");
	ck_error(send_file("v", "image", id), 400, "invalid_param",
	    "Invalid upload file");
	ck_error(send_file("u", "document", id), 400, "invalid_param",
	    "File validation failed for file: sky \xC3\xA9.png");
	ck_assert_int_eq(send_file("u", "image", id), 200);
	ck_assert_int_eq(ask(C, "GET", path, NULL), 200);
	ck_assert(span_is(gateway_memory_body(&answered), "bytes"));
	ck_assert(span_is(gateway_memory_header(&answered, "Content-Type"),
	    "image/png"));
	ck_assert(span_is(gateway_memory_header(&answered, "Content-Length"),
	    "5"));
	ck_assert(span_is(gateway_memory_header(&answered, "Cache-Control"),
	    "public, max-age=3600"));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "X-Content-Type-Options"), "nosniff"));
	ck_assert_int_eq(ask(C, "GET", F("%s?as_attachment=true", path), NULL),
	    200);
	ck_assert(span_is(gateway_memory_header(&answered, "Content-Type"),
	    "application/octet-stream"));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "Content-Disposition"),
	    "attachment; filename*=UTF-8''sky%20%C3%A9.png"));
	ck_error(ask(C, "GET", F("%s?as_attachment=maybe", path), NULL), 400,
	    "invalid_param", "as_attachment: ");
	ck_error(ask(KEY_SKY2, "GET", path, NULL), 403, "file_access_denied",
	    "Access to the requested file is denied.");
	ck_error(ask(C, "GET", "/files/" UNKNOWN_ID "/preview", NULL), 404,
	    "file_not_found", "The requested file was not found.");
}
END_TEST

START_TEST(what_a_browser_could_run_is_only_downloaded)
{
	const char *id = upload_as("u", "a.html", "text/html",
	    "<script>1</script>");

	ck_assert_int_eq(send_file("u", "document", id), 200);
	ck_assert_int_eq(ask(C, "GET", F("/files/%s/preview", id), NULL), 200);
	ck_assert(span_starts(gateway_memory_header(&answered,
	    "Content-Disposition"), "attachment"));
	ck_assert(span_is(gateway_memory_header(&answered,
	    "Content-Security-Policy"), "sandbox; default-src 'none'"));
}
END_TEST

START_TEST(a_message_lists_its_files)
{
	const char *id = upload_as("u", "sky.png", "image/png", "bytes");

	ck_assert_int_eq(chat(C, "q", F(",\"files\":[{\"type\":\"image\","
	    "\"transfer_method\":\"local_file\",\"upload_file_id\":\"%s\"},{"
	    "\"type\":\"document\",\"transfer_method\":\"remote_url\","
	    "\"url\":\"https://example.org/a/b.pdf?x=1\"}]", id)), 200);
	ck_assert_int_eq(ask(C, "GET", F("/messages?user=u&conversation_id=%s",
	    text_at("conversation_id")), NULL), 200);
	ck_assert_uint_eq(pyjson_count(at("data.0.message_files")), 2);
	ck_assert_str_eq(text_at("data.0.message_files.0.filename"),
	    "sky.png");
	ck_assert_str_eq(text_at("data.0.message_files.0.type"), "image");
	ck_assert_str_eq(text_at("data.0.message_files.0.size"), "5");
	ck_assert_str_eq(text_at("data.0.message_files.0.mime_type"),
	    "image/png");
	ck_assert_str_eq(text_at("data.0.message_files.0.upload_file_id"), id);
	ck_assert_str_eq(text_at("data.0.message_files.0.belongs_to"),
	    "user");
	ck_assert_str_eq(text_at("data.0.message_files.1.url"),
	    "https://example.org/a/b.pdf?x=1");
	ck_assert_str_eq(text_at("data.0.message_files.1.transfer_method"),
	    "remote_url");
}
END_TEST

/* As if it were cleaned between being looked up and the message's rows. */
START_TEST(a_file_that_goes_meanwhile_is_no_file)
{
	const char *id = F("%s", upload_as("u", "a.png", "image/png", "x"));
	struct db *db;

	ck_assert_int_eq(store_lease(deployment_stores, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, "CREATE TRIGGER cleaned BEFORE INSERT "
	    "ON message_files BEGIN SELECT RAISE(ABORT, 'no such file'); END"),
	    ERR_NONE);
	store_return(deployment_stores, db);
	ck_error(chat(C, "q", F(",\"files\":[{\"type\":\"image\","
	    "\"transfer_method\":\"local_file\",\"upload_file_id\":\"%s\"}]",
	    id)), 400, "invalid_param", "Invalid upload file");
	ck_assert_int_eq(ask(C, "GET", "/v1/conversations?user=u", NULL), 200);
	ck_assert_str_eq(text_at("data"), "[]");
}
END_TEST

START_TEST(files_are_ignored_where_uploads_are_off)
{
	ck_assert_int_eq(chat(KEY_CAP, "q", ",\"files\":[{\"type\":\"x\"}]"),
	    200);
	ck_assert_int_eq(ask(KEY_CAP, "GET",
	    F("/messages?user=u&conversation_id=%s",
		text_at("conversation_id")), NULL), 200);
	ck_assert_str_eq(text_at("data.0.message_files"), "[]");
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
files_handler_suite(void)
{
	Suite *s = suite_create("files_handler");
	TCase *t = tcase_create("files_handler");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_loop_test(t, a_bad_upload_is_refused_and_leaves_nothing, 0,
	    ROWS(uploads));
	tcase_add_test(t, an_upload_over_the_limit_is_413);
	tcase_add_test(t, an_upload_answers_with_the_file);
	tcase_add_test(t, a_file_is_previewed_once_a_message_has_it);
	tcase_add_test(t, what_a_browser_could_run_is_only_downloaded);
	tcase_add_test(t, a_message_lists_its_files);
	tcase_add_test(t, a_file_that_goes_meanwhile_is_no_file);
	tcase_add_test(t, files_are_ignored_where_uploads_are_off);
	suite_add_tcase(s, t);
	return s;
}
