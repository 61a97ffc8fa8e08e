/*
 * Uploads and previews of files.
 *
 * The bytes are written to a temporary name in state/files, synced and
 * renamed before the row is made: a row never names bytes that are not
 * there.  A file that a crash left without its row is unknown to everybody;
 * store/clean.h takes away what nothing needs.
 */
#include "messagesapi/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/state_file.h"
#include "base/utf8.h"
#include "config/config.h"
#include "durable/durable_reply.h"
#include "http/multipart.h"
#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/chat_files.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"
#include "store/clean.h"
#include "store/files.h"

#define NAME_MAX_BYTES 255
#define PIECE_BYTES 16384U

/* Never taken: what a browser or a server may run. */
static const char *const refused_extensions[] = {"exe", "bat", "cmd", "com",
    "scr", "vbs", "ps1", "msi", "dll", "sh", "php", "phtml", "cgi", "jsp",
    "asp", "aspx"};

struct upload {
	struct api_user user;
	const struct multipart_part *part;
	struct span name;
	const char *extension, *mime_type;
};

/* ---- reading ------------------------------------------------------------- */

/* The form with its one file; ERR_ANSWERED: it is refused. */
static enum err
read_form(struct exchange *x, struct multipart *form)
{
	enum body_state state;
	enum err err;

	*form = (struct multipart){.n = 0};
	if (!multipart_is(x->request.content_type))
		return reply_error(x, REPLY_NO_FILE);
	state = request_read_body(&x->request,
	    (size_t)x->config->server.max_file);
	if (state == BODY_FAILED)
		return ERR_MEMORY;
	if (state != BODY_READ)
		return reply_error(x,
		    state == BODY_TOO_BIG      ? REPLY_FILE_LARGE
			: state == BODY_STALLED ? REPLY_STALLED
						: REPLY_BAD_REQUEST);
	err = multipart_parse(x->request.content_type, x->request.body,
	    x->request.arena, form);
	return err == ERR_SYNTAX || err == ERR_TOO_BIG
	    ? reply_error(x, REPLY_BAD_REQUEST) : err;
}

static enum err
find_file(struct exchange *x, const struct multipart *form,
    struct upload *upload)
{
	size_t files = 0, i;

	for (i = 0; i < form->n; i++) {
		if (!form->parts[i].is_file)
			continue;
		files++;
		if (span_is(form->parts[i].name, "file") &&
		    upload->part == NULL)
			upload->part = &form->parts[i];
	}
	if (upload->part == NULL)
		return reply_error(x, REPLY_NO_FILE);
	return files > 1 ? reply_error(x, REPLY_MANY_FILES) : ERR_NONE;
}

/* Lower case, without the dot; "" when there is none. */
static const char *
extension_of(struct exchange *x, struct span name)
{
	size_t dot = name.len, i;
	char *copy;

	while (dot > 0 && name.data[dot - 1] != '.')
		dot--;
	if (dot == 0 || name.len - dot > 20)
		return "";
	copy = arena_strndup(x->request.arena, name.data + dot,
	    name.len - dot);
	for (i = 0; copy != NULL && copy[i] != '\0'; i++)
		copy[i] = text_lower(copy[i]);
	return copy;
}

static enum err
check_name(struct exchange *x, struct upload *upload)
{
	struct span name = upload->part->filename;
	size_t i;

	if (name.len == 0)
		return reply_error(x, REPLY_NO_FILENAME);
	for (i = 0; i < name.len; i++)
		if (name.data[i] == '/' || name.data[i] == '\\' ||
		    (unsigned char)name.data[i] < ' ')
			break;
	if (i < name.len || name.len > NAME_MAX_BYTES ||
	    !utf8_valid(name, false))
		return reply_invalid(x, "file",
		    "Filename contains invalid characters");
	upload->name = name;
	upload->extension = extension_of(x, name);
	if (upload->extension == NULL)
		return ERR_MEMORY;
	for (i = 0; i < sizeof(refused_extensions) / sizeof(char *); i++)
		if (strcmp(upload->extension, refused_extensions[i]) == 0)
			return reply_invalid(x, "file",
			    "File extension '.%s' is not allowed",
			    upload->extension);
	return ERR_NONE;
}

/* "type/subtype" of harmless characters, so that it can be a header. */
static bool
is_mime_type(struct span text)
{
	size_t slashes = 0, i;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '/')
			slashes++;
		else if (!text_is_alnum(text.data[i]) &&
		    (text.data[i] == '\0' ||
			strchr("-+._", text.data[i]) == NULL))
			return false;
	}
	return slashes == 1 && text.len > 2 && text.len < 128 &&
	    text.data[0] != '/' && text.data[text.len - 1] != '/';
}

static enum err
check_content(struct exchange *x, struct upload *upload)
{
	struct span rest = upload->part->content_type;
	struct span type = span_trim(span_cut(&rest, ';'));
	const char *class;

	if (!is_mime_type(type))
		return reply_error(x, REPLY_FILE_TYPE);
	upload->mime_type = arena_strndup(x->request.arena, type.data,
	    type.len);
	if (upload->mime_type == NULL)
		return ERR_MEMORY;
	class = chat_file_class(upload->name, upload->mime_type);
	if ((int64_t)upload->part->data.len > chat_file_class_limit(class))
		return reply_error(x, REPLY_FILE_LARGE);
	return ERR_NONE;
}

static enum err
read_upload(struct exchange *x, struct upload *upload)
{
	const struct multipart_part *user;
	struct multipart form;
	enum err err;

	*upload = (struct upload){.part = NULL};
	err = read_form(x, &form);
	if (err != ERR_NONE)
		return err;
	user = multipart_find(&form, "user");
	err = parse_user_text(x, user != NULL,
	    user == NULL ? SPAN_NONE : user->data, false, &upload->user);
	if (err == ERR_NONE)
		err = find_file(x, &form, upload);
	if (err == ERR_NONE)
		err = check_name(x, upload);
	return err != ERR_NONE ? err : check_content(x, upload);
}

/* ---- bytes --------------------------------------------------------------- */

static const char *
bytes_path(struct exchange *x, const char *id, const char *suffix)
{
	const char *name = arena_printf(x->request.arena, "files/%s%s", id,
	    suffix);

	return name == NULL ? NULL
			    : store_path(x->config, x->request.arena, name);
}

static enum err
failed(const char *what, const char *path)
{
	enum err err = errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL
	    : errno == EROFS || errno == EACCES		  ? ERR_STORE_READONLY
							  : ERR_IO;

	log_error("files: %s: %s: %s", what, path, strerror(errno));
	return err;
}

/* Makes state/files/ID, whole or not at all. */
static enum err
write_bytes(struct exchange *x, const char *id, struct span bytes)
{
	const char *folder = store_path(x->config, x->request.arena, "files");
	const char *path = bytes_path(x, id, "");
	const char *part = bytes_path(x, id, ".part");
	enum err err;

	if (folder == NULL || path == NULL || part == NULL)
		return ERR_MEMORY;
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return failed("making the folder", folder);
	if (!state_file_write(part, bytes, x->config->server.durable))
		return failed("writing", part);
	if (rename(part, path) == 0)
		return ERR_NONE;
	err = failed("renaming", part);
	(void)unlink(part);
	return err;
}

/* ---- upload -------------------------------------------------------------- */

/* The rows of an upload. */
struct upload_rows {
	const char *app;
	const struct upload *upload;
	struct arena *arena;
	struct file_row file;
	struct end_user_row end_user;
};

/* A store_change. */
static enum err
add_rows(struct db *db, void *arg)
{
	struct upload_rows *rows = arg;
	const struct api_user *user = &rows->upload->user;
	enum err err = end_users_ensure(db, rows->app, user->name,
	    user->anonymous, rows->file.created_us, rows->arena,
	    &rows->end_user);

	return err != ERR_NONE ? err
			       : files_add(db, rows->app, rows->end_user.seq,
				     &rows->file);
}

static enum err
send_file(struct exchange *x, const struct file_row *row,
    const struct end_user_row *end_user)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	char tenant[UUID_TEXT];

	messagesapi_tenant(x, tenant);
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "id", row->id);
	jsonout_member_null(&body, "reference");
	jsonout_member(&body, "name", row->name);
	jsonout_member_int(&body, "size", row->size);
	jsonout_member_cstring(&body, "extension", row->extension);
	jsonout_member_cstring(&body, "mime_type", row->mime_type);
	jsonout_member_cstring(&body, "created_by", end_user->id);
	jsonout_member_int(&body, "created_at", row->created_us / 1000000);
	jsonout_member_null(&body, "preview_url");
	chat_file_address(&body, "source_url", x, row->id);
	jsonout_member_null(&body, "original_url");
	jsonout_member_null(&body, "user_id");
	jsonout_member_cstring(&body, "tenant_id", tenant);
	jsonout_member_null(&body, "conversation_id");
	jsonout_member_null(&body, "file_key");
	buf_addc(&body, '}');
	return reply_json(x, 201, &body);
}

enum err
files_upload(struct exchange *x)
{
	struct upload upload;
	struct upload_rows rows = {.app = messagesapi_caller(x)->app_id,
	    .upload = &upload,
	    .arena = x->request.arena};
	char id[UUID_TEXT];
	enum err err;

	err = read_upload(x, &upload);
	if (err != ERR_NONE)
		return err;
	err = uuid_random(id);
	if (err == ERR_NONE)
		err = write_bytes(x, id, upload.part->data);
	if (err != ERR_NONE)
		return err;
	rows.file = (struct file_row){
	    .id = id,
	    .name = upload.name,
	    .extension = upload.extension,
	    .mime_type = upload.mime_type,
	    .size = (int64_t)upload.part->data.len,
	    .created_us = clock_now_us(),
	};
	/* Once they are committed the bytes stay, whatever the disk says. */
	err = durable_reply_write(x, add_rows, &rows);
	if (err != ERR_NONE) {
		(void)unlink(bytes_path(x, id, ""));
		return err;
	}
	err = send_file(x, &rows.file, &rows.end_user);
	clean_some(x->config, x->stores);
	return err;
}

/* ---- preview ------------------------------------------------------------- */

/* Opens the file's bytes.  ERR_NOT_FOUND: they are not there any more. */
static enum err
open_bytes(struct exchange *x, const struct file_row *row, int *fd)
{
	const char *path = bytes_path(x, row->id, "");
	struct stat st;

	if (path == NULL)
		return ERR_MEMORY;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND
				       : failed("opening", path);
	if (fstat(*fd, &st) == 0 && st.st_size == row->size)
		return ERR_NONE;
	log_error("files: %s: its size is not what was stored", path);
	(void)close(*fd);
	return ERR_IO;
}

/* attachment; filename*=UTF-8''name, everything unusual percent-encoded */
static enum err
attachment_header(struct exchange *x, struct span name)
{
	struct buf value = BUF_INIT(4 * NAME_MAX_BYTES + 64);
	enum err err;
	size_t i;

	buf_adds(&value, "attachment; filename*=UTF-8''");
	for (i = 0; i < name.len; i++)
		if (text_is_alnum(name.data[i]) ||
		    (name.data[i] != '\0' &&
			strchr("-._~", name.data[i]) != NULL))
			buf_addc(&value, name.data[i]);
		else
			buf_printf(&value, "%%%02X",
			    (unsigned char)name.data[i]);
	err = buf_err(&value);
	if (err == ERR_NONE)
		err = response_header(&x->response, "Content-Disposition",
		    buf_span(&value));
	buf_release(&value);
	return err;
}

/* Types that a browser shows without running anything in them. */
static bool
is_harmless(const char *mime_type)
{
	static const char *const harmless[] = {"image/png", "image/jpeg",
	    "image/gif", "image/webp", "text/plain", "application/pdf"};
	size_t i;

	if (strncmp(mime_type, "audio/", 6) == 0 ||
	    strncmp(mime_type, "video/", 6) == 0)
		return true;
	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(mime_type, harmless[i]) == 0)
			return true;
	return false;
}

/* What a stranger uploaded must not run in our origin: no sniffing, no
 * scripts, and what is not plainly harmless is only downloaded. */
static enum err
send_head(struct exchange *x, const struct file_row *row, bool attachment)
{
	const char *type = row->mime_type;
	enum err err = ERR_NONE;

	response_status(&x->response, 200);
	(void)response_header(&x->response, "Cache-Control",
	    SPAN("public, max-age=3600"));
	(void)response_header(&x->response, "X-Content-Type-Options",
	    SPAN("nosniff"));
	(void)response_header(&x->response, "Content-Security-Policy",
	    SPAN("sandbox; default-src 'none'"));
	if (attachment)
		type = "application/octet-stream";
	if (attachment || !is_harmless(row->mime_type))
		err = attachment_header(x, row->name);
	if (err != ERR_NONE)
		return err;
	return response_begin(&x->response, type, (size_t)row->size);
}

/* Piece by piece: a film does not fit into a request's memory. */
static enum err
send_bytes(struct exchange *x, const struct file_row *row, int fd,
    bool attachment)
{
	char *piece = arena_alloc(x->request.arena, PIECE_BYTES);
	enum err err = piece == NULL ? ERR_MEMORY
				     : send_head(x, row, attachment);
	int64_t left = row->size;
	ssize_t n;

	while (err == ERR_NONE && left > 0) {
		n = read(fd, piece, PIECE_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || n > left)
			return failed("reading", row->id);
		err = response_write(&x->response, piece, (size_t)n);
		left -= n;
	}
	return err;
}

enum err
file_preview(struct exchange *x)
{
	const char *app = messagesapi_caller(x)->app_id;
	bool attachment, same_app, referenced;
	struct faults faults = FAULTS_INIT;
	struct file_row row;
	char uuid[UUID_TEXT];
	struct db *db;
	int fd;
	enum err err;

	attachment = parse_query_bool(x, &faults, "as_attachment", false);
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = files_lookup(db, app, api_store_uuid(x->captures[0], uuid),
	    x->request.arena, &row, &same_app, &referenced);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND || (err == ERR_NONE && !referenced))
		return reply_error(x, REPLY_FILE_UNKNOWN);
	if (err != ERR_NONE)
		return err;
	if (!same_app)
		return reply_error(x, REPLY_FILE_DENIED);
	err = open_bytes(x, &row, &fd);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_FILE_UNKNOWN);
	if (err != ERR_NONE)
		return err;
	err = send_bytes(x, &row, fd, attachment);
	(void)close(fd);
	return err;
}
