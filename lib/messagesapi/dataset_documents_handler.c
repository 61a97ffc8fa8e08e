/*
 * Documents of a dataset.  A document is kept as text in the store, and then
 * the index is brought up to date; when that fails (another pass is running,
 * the disk is full) the row stays, its status is "waiting", and the next look
 * indexes it.
 */
#include "messagesapi/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/state_file.h"
#include "config/config.h"
#include "durable/durable_reply.h"
#include "http/multipart.h"
#include "json/jsonout.h"
#include "documents/documents.h"
#include "index/sync.h"
#include "messagesapi/api_store.h"
#include "messagesapi/dataset_view.h"
#include "messagesapi/reply.h"

#define PAGE_MAX 100
#define TEXT_MAX ((size_t)64 << 20)
#define NAME_BYTES_MAX 255

/* ---- adding -------------------------------------------------------------- */

/* The options that texts and files share; ERR_ANSWERED: it is refused. */
static enum err
read_options(struct exchange *x, const struct pyjson *body,
    struct dataset_view *d, struct dataset_document_row *row,
    struct faults *f)
{
	static const char *const techniques[] = {"high_quality", "economy",
	    NULL};
	static const char *const forms[] = {"text_model", "hierarchical_model",
	    "qa_model", NULL};
	const char *technique = parse_choice(body, f, "indexing_technique",
	    techniques, NULL);
	enum err err;

	row->doc_form = parse_choice(body, f, "doc_form", forms, forms[0]);
	err = faults_answered(f, x);
	if (err != ERR_NONE)
		return err;
	if (technique == NULL && d->row.technique == NULL)
		return reply_invalid(x, "indexing_technique",
		    "indexing_technique is required.");
	if (d->row.technique == NULL)
		d->row.technique = technique;
	return ERR_NONE;
}

/* A document and its dataset. */
struct document_change {
	const struct dataset_view *dataset;
	const struct dataset_document_row *row;
	const char *id;
};

/* A store_change. */
static enum err
store_document(struct db *db, void *arg)
{
	const struct document_change *c = arg;
	const struct dataset_view *d = c->dataset;
	enum err err = dataset_documents_add(db, c->row);

	if (err == ERR_NONE && d->declared == NULL)
		err = datasets_set_technique(db, d->row.id, d->row.technique);
	return err;
}

/* Brings the index up to date with the store. */
static enum err
update_index(struct exchange *x)
{
	struct db *db;
	enum err err = store_lease(x->stores, &db);

	if (err == ERR_NONE)
		err = sync_datasets(x->config, db, true);
	store_return(x->stores, db);
	return err;
}

static enum err
keep_document(struct exchange *x, const struct dataset_view *d,
    struct dataset_document_row *row)
{
	struct document_change change = {.dataset = d, .row = row};
	enum err err = durable_reply_write(x, store_document, &change), index;

	if (err != ERR_NONE)
		return err;
	index = update_index(x);
	if (index != ERR_NONE)
		log_error("knowledge: a document waits for the index: %s",
		    err_text(index));
	return ERR_NONE;
}

static enum err
send_document(struct exchange *x, const struct dataset_document_row *row)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct browse_document document;
	struct dataset_reader r;
	enum err err = dataset_reader_open(x, &r);

	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"document\":");
	err = dataset_view_lookup(&r, row, &document);
	if (err == ERR_NONE)
		err = dataset_view_document(&r, &document, &body);
	dataset_reader_close(&r);
	jsonout_member_cstring(&body, "batch", row->batch);
	buf_addc(&body, '}');
	if (err == ERR_NONE)
		return reply_json(x, 200, &body);
	buf_release(&body);
	return err;
}

static enum err
add_document(struct exchange *x, const struct dataset_view *d,
    struct dataset_document_row *row)
{
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
	return err == ERR_NONE ? send_document(x, row) : err;
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

	err = dataset_view_find(x, &d);
	if (err == ERR_NONE)
		err = parse_body(x, &body);
	if (err != ERR_NONE)
		return err;
	name = parse_string(body, &faults, "name", true);
	text = parse_string(body, &faults, "text", true);
	if (name.data != NULL &&
	    (name.len == 0 || name.len > NAME_BYTES_MAX))
		faults_add(&faults, "name",
		    "String should have 1 to %d bytes", NAME_BYTES_MAX);
	err = read_options(x, body, &d, &row, &faults);
	if (err != ERR_NONE)
		return err;
	row.content = parse_without_nul(x->request.arena, text);
	row.name = arena_strndup(x->request.arena, name.data, name.len);
	if (row.content.data == NULL || row.name == NULL)
		return ERR_MEMORY;
	return add_document(x, &d, &row);
}

/* ---- files --------------------------------------------------------------- */

/* The form, its file and its options; ERR_ANSWERED: it is refused. */
static enum err
read_form(struct exchange *x, struct multipart *form,
    const struct multipart_part **file, const struct pyjson **options)
{
	const struct multipart_part *data;
	enum body_state state;
	enum err err;

	if (!multipart_is(x->request.content_type))
		return reply_error(x, REPLY_NO_FILE);
	state = request_read_body(&x->request,
	    (size_t)x->config->server.max_file);
	if (state != BODY_READ)
		return state == BODY_FAILED ? ERR_MEMORY
		    : reply_error(x, state == BODY_TOO_BIG ? REPLY_FILE_LARGE
			    : state == BODY_STALLED ? REPLY_STALLED
						    : REPLY_BAD_REQUEST);
	err = multipart_parse(x->request.content_type, x->request.body,
	    x->request.arena, form);
	if (err == ERR_SYNTAX || err == ERR_TOO_BIG)
		return reply_error(x, REPLY_BAD_REQUEST);
	if (err != ERR_NONE)
		return err;
	*file = multipart_find(form, "file");
	data = multipart_find(form, "data");
	if (data != NULL && data->data.len > 0 &&
	    (pyjson_decode(x->request.arena, data->data, NULL, options,
		 NULL) != ERR_NONE || !pyjson_is_object(*options)))
		return reply_invalid(x, "data", "data: Invalid JSON");
	if (*file == NULL || !(*file)->is_file)
		return reply_error(x, REPLY_NO_FILE);
	if ((*file)->filename.len == 0)
		return reply_error(x, REPLY_NO_FILENAME);
	return ERR_NONE;
}

/* Converters want a file: the bytes under a name of our own. */
static enum err
write_upload(struct exchange *x, const struct multipart_part *file,
    const char *name, const char **path)
{
	const char *dot = strrchr(name, '.');
	char id[UUID_TEXT];
	enum err err = uuid_random(id);

	if (err != ERR_NONE)
		return err;
	*path = arena_printf(x->request.arena, "%s/upload-%s%s",
	    x->config->server.state, id, dot == NULL ? "" : dot);
	if (*path == NULL)
		return ERR_MEMORY;
	if (state_file_write(*path, file->data, false))
		return ERR_NONE;
	err = errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL
						 : ERR_STORE_READONLY;
	*path = NULL;
	return err;
}

/* The file's text; ERR_ANSWERED: it is refused. */
static enum err
convert_file(struct exchange *x, const struct multipart_part *file,
    struct dataset_document_row *row)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct document_source source = {.path = NULL};
	struct document_note note;
	const char *path = NULL;
	enum err err;
	char *name;

	row->file_name = name = arena_strndup(x->request.arena,
	    file->filename.data, file->filename.len);
	if (name == NULL)
		return ERR_MEMORY;
	if (strpbrk(name, "/\\") != NULL || strlen(name) != file->filename.len
	    || file->filename.len > NAME_BYTES_MAX)
		return reply_invalid(x, "file",
		    "Filename contains invalid characters");
	if (!document_is_known(name))
		return reply_error(x, REPLY_FILE_TYPE);
	err = write_upload(x, file, name, &path);
	if (err == ERR_NONE) {
		source.name = name;
		source.path = path;
		source.bytes = file->data;
		err = document_text(&source, &text, &note);
	}
	if (path != NULL)
		(void)unlink(path);
	if (err == ERR_NONE) {
		row->content.data = arena_strndup(x->request.arena,
		    buf_text(&text), text.len);
		row->content.len = text.len;
		row->name = name;
		err = row->content.data != NULL ? ERR_NONE : ERR_MEMORY;
	} else if (err == ERR_INPUT) {
		err = reply_invalid(x, "file", "The file %s.",
		    note.remark[0] == '\0' ? "cannot be read" : note.remark);
	} else if (err == ERR_TOO_BIG) {
		err = reply_error(x, REPLY_FILE_LARGE);
	}
	buf_release(&text);
	return err;
}

enum err
document_by_file_post(struct exchange *x)
{
	struct faults faults = FAULTS_INIT;
	struct dataset_document_row row = {.name = NULL};
	const struct multipart_part *file = NULL;
	const struct pyjson *options = NULL;
	struct dataset_view d;
	struct multipart form;
	enum err err;

	err = dataset_view_find(x, &d);
	if (err == ERR_NONE)
		err = read_form(x, &form, &file, &options);
	if (err == ERR_NONE)
		err = read_options(x, options, &d, &row, &faults);
	if (err == ERR_NONE)
		err = convert_file(x, file, &row);
	if (err != ERR_NONE)
		return err;
	return add_document(x, &d, &row);
}

/* ---- deleting ------------------------------------------------------------ */

/* A file of a folder is deleted where it is. */
static enum err
refuse_deletion(struct exchange *x, const char *dataset, const char *id)
{
	struct browse index;
	bool known = false;
	enum err err = browse_open(x->config, &index);

	if (err == ERR_NONE)
		err = browse_has(&index, dataset, id, &known);
	browse_close(&index);
	if (err != ERR_NONE)
		return err;
	return reply_error(x, known ? REPLY_DOCUMENT_FIXED : REPLY_DOCUMENT);
}

/* A store_change. */
static enum err
delete_document(struct db *db, void *arg)
{
	const struct document_change *c = arg;

	return dataset_documents_delete(db, c->dataset->row.id, c->id);
}

enum err
document_delete(struct exchange *x)
{
	struct dataset_view d;
	char text[UUID_TEXT];
	struct span id = api_store_uuid(x->captures[1], text);
	struct document_change change = {.dataset = &d, .id = id.data};
	enum err err;

	err = dataset_view_find(x, &d);
	if (err != ERR_NONE)
		return err;
	err = durable_reply_write(x, delete_document, &change);
	if (err == ERR_NONE)
		err = update_index(x);
	if (err == ERR_NONE)
		return reply_nothing(x);
	if (err != ERR_NOT_FOUND)
		return err;
	return refuse_deletion(x, d.row.id, id.data);
}
