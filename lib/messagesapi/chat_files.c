/* Resolving the files of a request. */
#include "messagesapi/chat_files.h"

#include <string.h>

#include "auth/caller.h"
#include "base/uuid.h"
#include "config/config.h"
#include "json/jsonout.h"
#include "store/store.h"

#define MB (INT64_C(1024) * 1024)

static const struct {
	const char *class;
	const char *mime_prefix;
	int64_t limit;
	const char *extensions; /* each between blanks */
} classes[] = {
    {"image", "image/", 10 * MB, " jpg jpeg png webp gif svg "},
    {"audio", "audio/", 50 * MB, " mp3 m4a wav webm amr mpga "},
    {"video", "video/", 100 * MB, " mp4 mov mpeg "},
    {"document", "text/", 15 * MB,
	" txt markdown md mdx pdf html htm xlsx xls vtt properties doc docx "
	"csv eml msg pptx ppt xml epub "},
};

#define N_CLASSES (sizeof(classes) / sizeof(classes[0]))

/* Is the name's extension in the list? */
static bool
has_extension(struct span name, const char *extensions)
{
	char word[16] = " ";
	size_t dot = name.len, i;

	while (dot > 0 && name.data[dot - 1] != '.')
		dot--;
	if (dot == 0 || name.len - dot == 0 || name.len - dot > 12)
		return false;
	for (i = dot; i < name.len; i++)
		word[1 + i - dot] = text_lower(name.data[i]);
	word[1 + name.len - dot] = ' ';
	return strstr(extensions, word) != NULL;
}

const char *
chat_file_class(struct span name, const char *mime_type)
{
	size_t i;

	for (i = 0; i < N_CLASSES; i++)
		if (has_extension(name, classes[i].extensions))
			return classes[i].class;
	for (i = 0; i < N_CLASSES && mime_type != NULL; i++)
		if (span_starts(span_of(mime_type), classes[i].mime_prefix))
			return classes[i].class;
	return "custom";
}

int64_t
chat_file_class_limit(const char *class)
{
	size_t i;

	for (i = 0; i < N_CLASSES; i++)
		if (strcmp(classes[i].class, class) == 0)
			return classes[i].limit;
	return 15 * MB;
}

void
chat_file_address(struct buf *out, const char *name, const struct exchange *x,
    const char *file_id)
{
	struct span mount = x->request.mount;
	const char *address = arena_printf(x->request.arena,
	    "%.*s/v1/files/%s/preview", (int)mount.len,
	    mount.data == NULL ? "" : mount.data, file_id);

	jsonout_member_cstring(out, name, address);
}

bool
chat_files_wanted(const struct bot_config *bot)
{
	return bot->image_upload || bot->file_upload;
}

/* "No matching enum found ..." with the value as the client gave it. */
static enum err
no_such_value(struct exchange *x, const struct pyjson *value,
    const char **why)
{
	struct span text = pyjson_string(value);

	if (value == NULL || !pyjson_given(value))
		text = SPAN("None");
	else if (text.data == NULL)
		text = SPAN("of another type");
	if (text.len > 100)
		text.len = 100;
	*why = arena_printf(x->request.arena,
	    "No matching enum found for value '%.*s'", (int)text.len,
	    text.data);
	return *why == NULL ? ERR_MEMORY : ERR_INPUT;
}

static const char *
known_type(const struct pyjson *value)
{
	static const char *const types[] = {"image", "document", "audio",
	    "video", "custom"};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(pyjson_string(value), types[i]))
			return types[i];
	return NULL;
}

/* The last part of a URL's path, for messages and for the file's name. */
static struct span
name_of_url(struct span url)
{
	struct span rest = url, name = span_cut(&rest, '?');
	size_t i;

	for (i = name.len; i > 0 && name.data[i - 1] != '/';)
		i--;
	return (struct span){name.data + i, name.len - i};
}

static bool
is_web_address(struct span url)
{
	size_t i;

	if (!span_starts(url, "http://") && !span_starts(url, "https://"))
		return false;
	for (i = 0; i < url.len; i++)
		if ((unsigned char)url.data[i] <= ' ' || url.data[i] == 0x7F)
			return false;
	return url.len > 10 && url.len <= 8192;
}

static enum err
read_remote(struct exchange *x, const struct pyjson *file,
    struct message_file_row *row, struct chat_file *engine, const char **why)
{
	struct span url = pyjson_string(pyjson_get(file, "url"));

	if (url.data == NULL)
		url = pyjson_string(pyjson_get(file, "remote_url"));
	*why = "Invalid file url";
	if (!is_web_address(url))
		return ERR_INPUT;
	row->transfer_method = "remote_url";
	row->url = arena_strndup(x->request.arena, url.data, url.len);
	row->name = name_of_url(url);
	engine->url = row->url;
	return row->url == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
read_local(struct exchange *x, struct db *db, int64_t end_user,
    const struct pyjson *file, struct message_file_row *row,
    struct chat_file *engine, const char **why)
{
	struct span text = pyjson_string(pyjson_get(file, "upload_file_id"));
	struct file_row found;
	char id[UUID_TEXT];
	enum err err;

	*why = "Invalid upload file";
	if (!uuid_parse(text, id))
		return ERR_INPUT;
	err = files_find(db, end_user, span_of(id), x->request.arena, &found);
	if (err != ERR_NONE)
		return err == ERR_NOT_FOUND ? ERR_INPUT : err;
	row->transfer_method = "local_file";
	row->file = found.seq;
	row->file_id = found.id;
	row->name = found.name;
	row->mime_type = found.mime_type;
	row->size = found.size;
	engine->mime_type = found.mime_type;
	engine->path = store_path(x->config, x->request.arena,
	    arena_printf(x->request.arena, "files/%s", found.id));
	return engine->path == NULL ? ERR_MEMORY : ERR_NONE;
}

/* Does the bot take this file as what it is said to be? */
static enum err
check_type(struct exchange *x, const struct message_file_row *row,
    const char **why)
{
	const struct bot_config *bot = x->caller->bot;
	bool image = strcmp(row->type, "image") == 0;
	const char *class;

	*why = arena_printf(x->request.arena,
	    "File validation failed for file: %.*s",
	    (int)(row->name.len > 200 ? 200 : row->name.len), row->name.data);
	if (*why == NULL)
		return ERR_MEMORY;
	if (!(image ? bot->image_upload : bot->file_upload))
		return ERR_INPUT;
	if (row->file == 0)
		return ERR_NONE;
	class = chat_file_class(row->name, row->mime_type);
	if (image != (strcmp(class, "image") == 0))
		return ERR_INPUT;
	return ERR_NONE;
}

/* Makes room for one more. */
static bool
grow(struct exchange *x, struct chat_files *files)
{
	if (files->rows == NULL) {
		files->rows = arena_array(x->request.arena, CHAT_FILES_MAX,
		    sizeof(*files->rows));
		files->engine = arena_array(x->request.arena, CHAT_FILES_MAX,
		    sizeof(*files->engine));
	}
	return files->rows != NULL && files->engine != NULL;
}

enum err
chat_files_add(struct exchange *x, struct db *db, int64_t end_user,
    const struct pyjson *file, bool any_type, struct chat_files *files,
    const char **why)
{
	const struct pyjson *method = pyjson_get(file, "transfer_method");
	const struct pyjson *type = pyjson_get(file, "type");
	struct message_file_row *row;
	struct chat_file *engine;
	char id[UUID_TEXT];
	enum err err;

	if (files->n == CHAT_FILES_MAX) {
		*why = "Too many files";
		return ERR_INPUT;
	}
	if (!grow(x, files))
		return ERR_MEMORY;
	row = &files->rows[files->n];
	engine = &files->engine[files->n];
	if (span_is(pyjson_string(method), "remote_url"))
		err = read_remote(x, file, row, engine, why);
	else if (span_is(pyjson_string(method), "local_file"))
		err = read_local(x, db, end_user, file, row, engine, why);
	else
		return no_such_value(x, method, why);
	if (err != ERR_NONE)
		return err;
	row->type = known_type(type);
	if (row->type == NULL && pyjson_given(type))
		return no_such_value(x, type, why);
	if (row->type == NULL)
		row->type = chat_file_class(row->name, row->mime_type);
	if (!any_type)
		err = check_type(x, row, why);
	if (err == ERR_NONE)
		err = uuid_random(id);
	if (err != ERR_NONE)
		return err;
	row->id = arena_strdup(x->request.arena, id);
	engine->type = row->type;
	files->images += strcmp(row->type, "image") == 0;
	files->n++;
	return row->id == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err
chat_files_read(struct exchange *x, struct db *db, int64_t end_user,
    const struct pyjson *array, struct chat_files *files, const char **why)
{
	struct pyjson_iter it = pyjson_iter(array);
	int64_t limit = x->caller->bot->file_limit;
	const struct pyjson *file;
	enum err err;

	while (pyjson_next(&it, NULL, &file)) {
		err = chat_files_add(x, db, end_user, file, false, files,
		    why);
		if (err != ERR_NONE)
			return err;
	}
	if ((int64_t)files->n <= limit)
		return ERR_NONE;
	*why = arena_printf(x->request.arena,
	    files->images == files->n
		? "Number of image files exceeds the maximum limit %lld"
		: "Number of files exceeds the maximum limit %lld",
	    (long long)limit);
	return *why == NULL ? ERR_MEMORY : ERR_INPUT;
}
