/*
 * Documents of a dataset.  A document is kept as text in the store, and then
 * the index is brought up to date; when that fails (another pass is running,
 * the disk is full) the row stays, its status is "waiting", and the next look
 * indexes it.
 */
#include "messagesapi/handlers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "http/multipart.h"
#include "json/jsonout.h"
#include "knowledge/documents.h"
#include "knowledge/sync.h"
#include "messagesapi/api_store.h"
#include "messagesapi/dataset_view.h"
#include "messagesapi/reply.h"

#define PAGE_MAX 100
#define TEXT_MAX ((size_t)64 << 20)
#define NAME_BYTES_MAX 255

/* ---- adding -------------------------------------------------------------- */

/* The options that texts and files share; false: answered. */
static bool
read_options(struct exchange *x, const struct pyjson *body,
    struct dataset_view *d, struct dataset_document_row *row,
    struct faults *f, enum err *err)
{
	static const char *const forms[] = {"text_model", "hierarchical_model",
	    "qa_model"};
	struct span technique, form;
	size_t i;

	technique = parse_string(body, f, "indexing_technique", false);
	if (technique.data != NULL && !span_is(technique, "high_quality") &&
	    !span_is(technique, "economy"))
		faults_add(f, "indexing_technique",
		    "Input should be 'high_quality' or 'economy'");
	form = parse_string(body, f, "doc_form", false);
	row->doc_form = forms[0];
	for (i = 0; i < 3 && form.data != NULL; i++)
		if (span_is(form, forms[i]))
			break;
	if (i == 3)
		faults_add(f, "doc_form", "Input should be 'text_model', "
		    "'hierarchical_model' or 'qa_model'");
	else
		row->doc_form = forms[i];
	if (faults_answered(f, x, err))
		return false;
	if (technique.data == NULL && d->row.technique == NULL) {
		*err = reply_invalid(x, "indexing_technique",
		    "indexing_technique is required.");
		return false;
	}
	if (d->row.technique == NULL)
		d->row.technique = span_is(technique, "economy")
		    ? "economy"
		    : "high_quality";
	return true;
}

static enum err
keep_document(struct exchange *x, const struct dataset_view *d,
    struct dataset_document_row *row)
{
	struct db *db;
	enum err err = store_lease(x->stores, &db), index;

	if (err != ERR_NONE)
		return err;
	err = dataset_documents_add(db, row);
	if (err == ERR_NONE && d->declared == NULL)
		err = datasets_set_technique(db, d->row.id, d->row.technique);
	if (err == ERR_NONE) {
		index = sync_datasets(x->config, db, true);
		if (index != ERR_NONE)
			log_error("knowledge: a document waits for the index: "
				  "%s", err_text(index));
	}
	store_return(x->stores, db);
	return err;
}

/* A document of the store that the index does not have yet. */
static enum err
look_up(struct exchange *x, const struct dataset_document_row *row,
    struct browse_document *out)
{
	enum err err = browse_document(x->config, row->dataset, row->id,
	    x->request.arena, out);

	if (err != ERR_NOT_FOUND)
		return err;
	*out = (struct browse_document){.id = row->id, .name = row->name,
	    .from_api = true, .waiting = true, .position = 1,
	    .created_s = row->created_us / 1000000};
	return ERR_NONE;
}

static enum err
add_document(struct exchange *x, const struct dataset_view *d,
    struct dataset_document_row *row)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct browse_document document;
	char id[UUID_TEXT], batch[48];
	enum err err = uuid_random(id);

	row->id = id;
	row->dataset = d->row.id;
	row->batch = batch;
	row->created_us = clock_now_us();
	(void)snprintf(batch, sizeof(batch), "%lld%.6s",
	    (long long)(row->created_us / 1000000), id);
	if (err == ERR_NONE)
		err = keep_document(x, d, row);
	if (err == ERR_NONE)
		err = look_up(x, row, &document);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"document\":");
	dataset_view_document(x, &document, row->doc_form, &body);
	jsonout_member_cstring(&body, "batch", batch);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
document_by_text_post(struct exchange *x)
{
	struct faults faults = FAULTS_INIT;
	struct dataset_document_row row = {.file_name = "text.md"};
	struct dataset_view d;
	const struct pyjson *body;
	struct span name, text;
	enum err err;

	if (!dataset_view_find(x, &d, &err) || !parse_body(x, &body, &err))
		return err;
	name = parse_string(body, &faults, "name", true);
	text = parse_string(body, &faults, "text", true);
	if (name.data != NULL &&
	    (name.len == 0 || name.len > NAME_BYTES_MAX))
		faults_add(&faults, "name",
		    "String should have 1 to %d bytes", NAME_BYTES_MAX);
	if (!read_options(x, body, &d, &row, &faults, &err))
		return err;
	row.content = parse_without_nul(x->request.arena, text);
	row.name = arena_strndup(x->request.arena, name.data, name.len);
	if (row.content.data == NULL || row.name == NULL)
		return ERR_MEMORY;
	return add_document(x, &d, &row);
}

/* ---- files --------------------------------------------------------------- */

/* The form, its file and its options; false: answered. */
static bool
read_form(struct exchange *x, struct multipart *form,
    const struct multipart_part **file, const struct pyjson **options,
    enum err *err)
{
	const struct multipart_part *data;
	enum body_state state;

	*err = ERR_NONE;
	if (!multipart_is(x->request.content_type)) {
		*err = reply_error(x, REPLY_NO_FILE);
		return false;
	}
	state = request_read_body(&x->request,
	    (size_t)x->config->server.max_file);
	if (state != BODY_READ) {
		*err = state == BODY_FAILED ? ERR_MEMORY
		    : reply_error(x, state == BODY_TOO_BIG ? REPLY_FILE_LARGE
			    : state == BODY_STALLED ? REPLY_STALLED
						    : REPLY_BAD_REQUEST);
		return false;
	}
	*err = multipart_parse(x->request.content_type, x->request.body,
	    x->request.arena, form);
	if (*err == ERR_SYNTAX || *err == ERR_TOO_BIG)
		*err = reply_error(x, REPLY_BAD_REQUEST);
	if (*err != ERR_NONE || x->response.sent)
		return false;
	*file = multipart_find(form, "file");
	data = multipart_find(form, "data");
	if (data != NULL && data->data.len > 0 &&
	    (pyjson_decode(x->request.arena, data->data, NULL, options,
		 NULL) != ERR_NONE || !pyjson_is_object(*options))) {
		*err = reply_invalid(x, "data", "data: Invalid JSON");
		return false;
	}
	if (*file == NULL || !(*file)->is_file)
		*err = reply_error(x, REPLY_NO_FILE);
	else if ((*file)->filename.len == 0)
		*err = reply_error(x, REPLY_NO_FILENAME);
	else
		return true;
	return false;
}

/* Converters want a file: the bytes under a name of our own. */
static enum err
write_upload(struct exchange *x, const struct multipart_part *file,
    const char *name, const char **path)
{
	const char *dot = strrchr(name, '.');
	char id[UUID_TEXT];
	enum err err = uuid_random(id);
	int fd;

	if (err != ERR_NONE)
		return err;
	*path = arena_printf(x->request.arena, "%s/upload-%s%s",
	    x->config->server.state, id, dot == NULL ? "" : dot);
	if (*path == NULL)
		return ERR_MEMORY;
	fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_STORE_READONLY;
	if (write(fd, file->data.data, file->data.len) !=
	    (ssize_t)file->data.len)
		err = ERR_STORE_FULL;
	(void)close(fd);
	return err;
}

/* The file's text; false: answered, or *err. */
static bool
convert_file(struct exchange *x, const struct multipart_part *file,
    struct dataset_document_row *row, enum err *err)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	const char *path = NULL, *remark = NULL;
	char *name;
	bool good;

	row->file_name = name = arena_strndup(x->request.arena,
	    file->filename.data, file->filename.len);
	if (name == NULL) {
		*err = ERR_MEMORY;
		return false;
	}
	if (strpbrk(name, "/\\") != NULL || strlen(name) != file->filename.len
	    || file->filename.len > NAME_BYTES_MAX) {
		*err = reply_invalid(x, "file",
		    "Filename contains invalid characters");
		return false;
	}
	if (!document_is_known(name)) {
		*err = reply_error(x, REPLY_FILE_TYPE);
		return false;
	}
	*err = write_upload(x, file, name, &path);
	if (*err == ERR_NONE)
		*err = document_text(name, path, file->data, &text, &remark);
	if (path != NULL)
		(void)unlink(path);
	good = *err == ERR_NONE;
	if (good) {
		row->content.data = arena_strndup(x->request.arena,
		    buf_text(&text), text.len);
		row->content.len = text.len;
		row->name = name;
		good = row->content.data != NULL;
		*err = good ? ERR_NONE : ERR_MEMORY;
	} else if (*err == ERR_INPUT) {
		*err = reply_invalid(x, "file", "The file %s.",
		    remark == NULL ? "cannot be read" : remark);
	} else if (*err == ERR_TOO_BIG) {
		*err = reply_error(x, REPLY_FILE_LARGE);
	}
	buf_release(&text);
	return good;
}

enum err
document_by_file_post(struct exchange *x)
{
	struct faults faults = FAULTS_INIT;
	struct dataset_document_row row = {.name = NULL};
	const struct multipart_part *file;
	const struct pyjson *options = NULL;
	struct dataset_view d;
	struct multipart form;
	enum err err;

	if (!dataset_view_find(x, &d, &err) ||
	    !read_form(x, &form, &file, &options, &err) ||
	    !read_options(x, options, &d, &row, &faults, &err) ||
	    !convert_file(x, file, &row, &err))
		return err;
	return add_document(x, &d, &row);
}

/* ---- listing ------------------------------------------------------------- */

enum err
documents_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct browse_document *list;
	struct dataset_view d;
	struct parse_page page;
	int64_t total;
	size_t n, i;
	enum err err;

	if (!dataset_view_find(x, &d, &err) ||
	    !parse_page(x, PAGE_MAX, &page, &err))
		return err;
	err = browse_documents(x->config, d.row.id, page.keyword,
	    (page.page - 1) * page.limit, (size_t)page.limit,
	    x->request.arena, &list, &n, &total);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	for (i = 0; i < n; i++)
		dataset_view_document(x, &list[i], "text_model", &body);
	buf_addc(&body, ']');
	dataset_view_page(&body, page.page, page.limit, total);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
document_delete(struct exchange *x)
{
	struct browse_document file;
	struct dataset_view d;
	char text[UUID_TEXT];
	struct span id = api_store_uuid(x->captures[1], text);
	struct db *db;
	enum err err;

	if (!dataset_view_find(x, &d, &err))
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = dataset_documents_delete(db, d.row.id, id.data);
	if (err == ERR_NONE)
		err = sync_datasets(x->config, db, true);
	store_return(x->stores, db);
	if (err == ERR_NONE)
		return reply_nothing(x);
	if (err != ERR_NOT_FOUND)
		return err;
	/* A file of a folder is deleted where it is. */
	err = browse_document(x->config, d.row.id, id.data, x->request.arena,
	    &file);
	if (err == ERR_NONE)
		return reply_error(x, REPLY_DOCUMENT_FIXED);
	return err == ERR_NOT_FOUND ? reply_error(x, REPLY_DOCUMENT) : err;
}

static void
put_status(const struct browse_document *d, struct buf *out)
{
	static const char *const times[] = {"processing_started_at",
	    "parsing_completed_at", "cleaning_completed_at",
	    "splitting_completed_at", "completed_at"};
	size_t i;

	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", d->id);
	jsonout_member_cstring(out, "indexing_status",
	    d->waiting ? "waiting" : d->fault != NULL ? "error" : "completed");
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (d->waiting)
			jsonout_member_null(out, times[i]);
		else
			jsonout_member_int(out, times[i], d->created_s);
	}
	jsonout_member_null(out, "paused_at");
	jsonout_member_cstring(out, "error", d->fault);
	jsonout_member_null(out, "stopped_at");
	jsonout_member_int(out, "completed_segments", d->segments);
	jsonout_member_int(out, "total_segments", d->segments);
	buf_addc(out, '}');
}

/* One page of a batch; *after is where it ends, 0 when nothing is left. */
static enum err
put_batch(struct exchange *x, const char *dataset, const char *batch,
    int64_t *after, struct buf *out)
{
	struct dataset_document_row *rows;
	struct browse_document document;
	struct db *db;
	size_t n = 0, i;
	enum err err = store_lease(x->stores, &db);

	if (err != ERR_NONE)
		return err;
	err = dataset_documents_batch(db, dataset, batch, *after, PAGE_MAX,
	    x->request.arena, &rows, &n);
	store_return(x->stores, db);
	for (i = 0; i < n && err == ERR_NONE; i++) {
		err = look_up(x, &rows[i], &document);
		if (err == ERR_NONE)
			put_status(&document, out);
	}
	*after = n == PAGE_MAX ? rows[n - 1].seq : 0;
	return err;
}

enum err
indexing_status_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct dataset_view d;
	const char *batch;
	int64_t after = 0;
	size_t empty;
	enum err err;

	if (!dataset_view_find(x, &d, &err))
		return err;
	batch = arena_strndup(x->request.arena, x->captures[1].data,
	    x->captures[1].len);
	if (batch == NULL)
		return ERR_MEMORY;
	buf_adds(&body, "{\"data\":[");
	empty = body.len;
	do
		err = put_batch(x, d.row.id, batch, &after, &body);
	while (err == ERR_NONE && after != 0);
	if (err == ERR_NONE && body.len > empty) {
		buf_adds(&body, "]}");
		return reply_json(x, 200, &body);
	}
	buf_release(&body);
	return err == ERR_NONE ? reply_error(x, REPLY_DOCUMENTS) : err;
}

enum err
segments_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct browse_document document;
	struct browse_segment *list;
	struct dataset_view d;
	char text[UUID_TEXT];
	struct parse_page page;
	int64_t total;
	size_t n, i;
	enum err err;

	if (!dataset_view_find(x, &d, &err) ||
	    !parse_page(x, PAGE_MAX, &page, &err))
		return err;
	err = browse_document(x->config, d.row.id,
	    api_store_uuid(x->captures[1], text).data, x->request.arena,
	    &document);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_DOCUMENT_MISSING);
	if (err == ERR_NONE)
		err = browse_segments(x->config, document.id, page.keyword,
		    (page.page - 1) * page.limit, (size_t)page.limit,
		    x->request.arena, &list, &n, &total);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	for (i = 0; i < n; i++) {
		jsonout_comma(&body);
		buf_addc(&body, '{');
		dataset_view_segment(x, document.id, &list[i], &body);
		buf_addc(&body, '}');
	}
	buf_addc(&body, ']');
	jsonout_member_cstring(&body, "doc_form", "text_model");
	dataset_view_page(&body, page.page, page.limit, total);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}
