/*
 * A pass over one folder: what is there is compared with what the index
 * knows, by path, size and time; only what differs is opened, and only what
 * differs in its bytes is indexed again.
 */
#include "index/update.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/state_file.h"
#include "base/uuid.h"
#include "index/background.h"
#include "documents/documents.h"
#include "documents/folder.h"
#include "index/ingest.h"
#include "index/progress.h"
#include "index/sync.h"
#include "index/vectors.h"

#define ARENA_MAX ((size_t)256 << 20)
#define QUICK_MS 1000
#define MAX_SECONDS 60 /* between two looks, when nothing is declared */
#define QUICK_BYTES ((int64_t)8 << 20)
#define HASH_BYTES 16
#define TEXT_MAX ((size_t)256 << 20)

enum change { CHANGE_ADD, CHANGE_REPLACE, CHANGE_REMOVE };

struct change_item {
	enum change kind;
	int64_t document; /* the old one */
	const struct folder_file *file;
};

struct pass {
	const struct config *config;
	const struct knowledge_config *k;
	const struct update_options *options;
	struct update_result *result;
	struct arena arena;
	struct folder_list list;
	struct change_item *items;
	size_t n_items;
	int64_t bytes;
	struct index_store *x;
	struct index_dataset dataset;
	struct progress progress;
};

/* ---- what changed -------------------------------------------------------- */

static bool
is_too_large(const struct knowledge_config *k, int64_t size)
{
	return k->max_file_bytes > 0 && size > k->max_file_bytes;
}

static void
add_change(struct pass *p, enum change kind, int64_t document,
    const struct folder_file *file)
{
	p->items[p->n_items++] = (struct change_item){kind, document, file};
	if (file != NULL && !is_too_large(p->k, file->size))
		p->bytes += file->size;
}

/* Of a file that could not be read though nothing was wrong with it: is that
 * so no longer? */
static bool
may_be_readable(struct pass *p, const struct folder_file *f)
{
	char path[4096];

	if (is_too_large(p->k, f->size) ||
	    snprintf(path, sizeof(path), "%s/%s", p->k->folder, f->path) >=
		(int)sizeof(path))
		return false;
	return access(path, R_OK) == 0 && document_can_convert(f->path);
}

/* Both lists are sorted by path; walks them side by side. */
static enum err
compare(struct pass *p, struct index_store *x, int64_t dataset)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT id, path, size, changed, again FROM document"
	    " WHERE dataset = ?"
	    " AND path NOT LIKE '" INGEST_API_PATH "%'"
	    " ORDER BY path COLLATE BINARY");
	size_t i = 0, room = p->list.n;
	struct change_item *grown;
	struct folder_file *f;
	enum err err;
	bool row;
	int order;

	db_bind_int(s, 1, dataset);
	err = db_step(s, &row);
	while (err == ERR_NONE && (row || i < p->list.n)) {
		struct span path = row ? db_text(s, 1) : SPAN_NONE;

		if (p->n_items == room) { /* removals may be any number */
			grown = reallocarray(p->items, room + 1024,
			    sizeof(*p->items));
			if (grown == NULL) {
				err = ERR_MEMORY;
				break;
			}
			p->items = grown;
			room += 1024;
		}
		f = i < p->list.n ? &p->list.files[i] : NULL;
		order = f == NULL ? 1 : !row ? -1 : strncmp(f->path, path.data,
			path.len);
		if (order == 0 && f->path[path.len] != '\0')
			order = 1;
		if (order < 0) {
			add_change(p, CHANGE_ADD, 0, f);
			i++;
			continue;
		}
		if (order > 0)
			add_change(p, CHANGE_REMOVE, db_int(s, 0), NULL);
		else if (f->size != db_int(s, 2) ||
		    f->changed_ns != db_int(s, 3) ||
		    (db_int(s, 4) != 0 && may_be_readable(p, f)))
			add_change(p, CHANGE_REPLACE, db_int(s, 0), f);
		i += order == 0;
		err = db_step(s, &row);
	}
	db_done(s);
	return err;
}

static bool
same_settings(const struct knowledge_config *k, const struct index_dataset *d)
{
	const char *was = d->language == NULL ? "" : d->language;
	const char *coded = d->encoding == NULL ? "" : d->encoding;

	return strcmp(was, k->language == NULL ? "" : k->language) == 0 &&
	    strcmp(coded, k->encoding == NULL ? "" : k->encoding) == 0 &&
	    strcmp(d->name, k->title) == 0;
}

/* Everything is new when there is no index yet. */
static enum err
find_changes(struct pass *p)
{
	struct index_store *x = NULL;
	struct index_dataset d = {.id = 0};
	size_t i;
	enum err err = folder_read(p->k, &p->arena, &p->list);

	if (err == ERR_NOT_FOUND)
		log_error("knowledge: there is no folder %s of [knowledge %s]",
		    p->k->folder, p->k->name);
	else if (err == ERR_IO)
		log_error("knowledge: the folder %s of [knowledge %s] cannot "
			  "be read by this user: %s", p->k->folder, p->k->name,
		    strerror(errno));
	if (err != ERR_NONE)
		return err;
	if (p->list.cut)
		log_error("knowledge: %s has too many files; only %d are read",
		    p->k->folder, FOLDER_FILES_MAX);
	p->items = calloc(p->list.n + 1, sizeof(*p->items));
	if (p->items == NULL)
		return ERR_MEMORY;
	err = index_open(p->config, &x);
	if (err == ERR_NONE)
		err = index_find_dataset(x, p->k->id, &p->arena, &d);
	else if (err == ERR_NOT_FOUND || err == ERR_STORE_CORRUPT)
		err = ERR_NONE;
	if (err == ERR_NONE && d.id != 0 && same_settings(p->k, &d))
		err = compare(p, x, d.id);
	else if (err == ERR_NONE)
		for (i = 0; i < p->list.n; i++)
			add_change(p, CHANGE_ADD, 0, &p->list.files[i]);
	index_close(x);
	return err;
}

/* ---- one document -------------------------------------------------------- */

/* The file's bytes, to free(). */
static enum err
read_file(const char *path, int64_t size, char **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = 0;

	*len = 0;
	*bytes = fd < 0 ? NULL : malloc((size_t)size + 1);
	while (*bytes != NULL && *len < (size_t)size &&
	    (n = read(fd, *bytes + *len, (size_t)size - *len)) > 0)
		*len += (size_t)n;
	if (fd >= 0)
		(void)close(fd);
	if (*bytes == NULL)
		return fd < 0 ? ERR_IO : ERR_MEMORY;
	return n < 0 ? ERR_IO : ERR_NONE;
}

static void
hash_bytes(const char *bytes, size_t len, uint8_t out[HASH_BYTES])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, len, (const uint8_t *)bytes);
	sha256_digest(&c, HASH_BYTES, out);
}

static bool
hash_is_known(struct pass *p, int64_t document, struct span hash)
{
	struct db_stmt *s = db_prepare(p->x->db,
	    "SELECT hash FROM document WHERE id = ? AND fault IS NULL");
	bool row, same;

	db_bind_int(s, 1, document);
	same = db_step(s, &row) == ERR_NONE && row &&
	    span_equal(db_text(s, 0), hash);
	db_done(s);
	return same;
}

/* Reads, cuts and indexes; a document that cannot be read stays listed with
 * its fault, so that it is not tried again until it changes. */
static enum err
put_document(struct pass *p, const char *full, struct span bytes,
    struct index_document *d)
{
	const struct document_source source = {.name = d->path, .path = full,
	    .bytes = bytes, .encoding = p->k->encoding};
	struct document_note note = {.remark = ""};
	struct buf text = BUF_INIT(TEXT_MAX);
	struct span whole;
	enum err err = ERR_NONE;

	if (d->fault == NULL)
		err = document_text(&source, &text, &note);
	if (note.remark[0] != '\0')
		d->remark = note.remark;
	whole = (struct span){buf_text(&text), text.len};
	if (err == ERR_INPUT || err == ERR_TOO_BIG) {
		d->fault = d->remark == NULL ? "is too large" : d->remark;
		d->remark = NULL;
		d->again = note.missing_program;
		err = ERR_NONE;
	}
	if (err == ERR_NONE)
		err = ingest_document(p->x, &p->dataset, d, d->path, whole);
	if (d->fault != NULL)
		progress_skip(&p->progress, d->path, d->fault);
	else if (d->remark != NULL)
		progress_remark(&p->progress, d->path, d->remark);
	buf_release(&text);
	return err;
}

static enum err
update_file(struct pass *p, const struct change_item *item)
{
	const struct folder_file *f = item->file;
	struct index_document d = {.path = f->path, .size = f->size,
	    .changed_ns = f->changed_ns};
	uint8_t hash[HASH_BYTES];
	char *bytes = NULL, uid[UUID_TEXT];
	struct span title = document_title(f->path);
	const char *full = arena_printf(&p->arena, "%s/%s", p->k->folder,
	    f->path);
	const char *whole = arena_printf(&p->arena, "%s/%s", p->k->id, f->path);
	size_t len = 0;
	enum err err = ERR_NONE;

	d.name = arena_strndup(&p->arena, title.data, title.len);
	if (full == NULL || whole == NULL || d.name == NULL)
		return ERR_MEMORY;
	uuid_from_name("document", span_of(whole), uid);
	d.uid = uid;
	if (is_too_large(p->k, f->size)) {
		d.fault = "is larger than max_file of its [knowledge]";
	} else {
		err = read_file(full, f->size, &bytes, &len);
		if (err == ERR_MEMORY)
			return err;
		d.again = err == ERR_IO;
		if (err == ERR_IO)
			d.fault = "cannot be read by this user";
		hash_bytes(bytes == NULL ? "" : bytes, len, hash);
		d.hash = (struct span){(const char *)hash, HASH_BYTES};
	}
	d.id = item->document;
	if (item->kind == CHANGE_REPLACE && d.fault == NULL &&
	    hash_is_known(p, d.id, d.hash)) {
		err = index_touch_document(p->x, &d);
	} else {
		err = item->kind == CHANGE_REPLACE
		    ? index_remove_document(p->x, &p->dataset, d.id)
		    : ERR_NONE;
		if (err == ERR_NONE)
			err = put_document(p, full,
			    (struct span){bytes == NULL ? "" : bytes, len},
			    &d);
		p->result->changed++;
	}
	free(bytes);
	progress_add(&p->progress,
	    is_too_large(p->k, f->size) ? 0 : f->size);
	return err;
}

/* ---- the pass ------------------------------------------------------------ */

static bool
out_of_time(const struct pass *p)
{
	return p->options->budget_ms > 0 &&
	    clock_monotonic_ms() - p->progress.start_ms >
	    p->options->budget_ms;
}

static enum err
apply_changes(struct pass *p)
{
	enum err err = ERR_NONE;
	size_t i;

	for (i = 0; i < p->n_items && err == ERR_NONE; i++) {
		const struct change_item *item = &p->items[i];

		if (out_of_time(p)) {
			p->result->complete = false;
			break;
		}
		if (item->kind == CHANGE_REMOVE) {
			err = index_remove_document(p->x, &p->dataset,
			    item->document);
			p->result->changed++;
		} else {
			err = update_file(p, item);
		}
		if (err == ERR_NONE &&
		    vocabulary_is_large(&p->x->vocabulary))
			err = index_settle(p->x, &p->dataset);
	}
	if (err == ERR_NONE)
		err = index_settle(p->x, &p->dataset);
	return err;
}

static enum err
write_changes(struct pass *p)
{
	enum err err = index_open_writer(p->config, p->options->wait,
	    p->options->aside, &p->x);

	if (err != ERR_NONE)
		return err;
	/* Another writer may have done it while we waited. */
	p->n_items = 0;
	p->bytes = 0;
	err = index_put_dataset(p->x, p->k->id, p->k->title, p->k->language,
	    p->k->encoding, &p->dataset);
	if (err == ERR_NONE)
		err = compare(p, p->x, p->dataset.id);
	progress_start(&p->progress, p->k->name, p->options->verbose,
	    (int64_t)p->n_items, p->bytes);
	if (err == ERR_NONE)
		err = apply_changes(p);
	if (err == ERR_NONE)
		err = index_commit(p->x);
	if (err == ERR_NONE)
		progress_end(&p->progress, p->dataset.segments);
	index_close(p->x);
	return err;
}

enum err
update_folder(const struct config *config, const struct knowledge_config *k,
    const struct update_options *options, struct update_result *result)
{
	struct pass p = {.config = config, .k = k, .options = options,
	    .result = result};
	enum err err;

	*result = (struct update_result){.complete = true};
	if (k->language != NULL && language_find(k->language) == NULL)
		log_error("knowledge: [knowledge %s] language = %s is not "
			  "known; it is guessed", k->name, k->language);
	arena_init(&p.arena, ARENA_MAX);
	err = find_changes(&p);
	result->large = options->quick_bytes > 0 &&
	    p.bytes > options->quick_bytes;
	if (err == ERR_NONE && result->large)
		result->complete = false;
	else if (err == ERR_NONE && p.n_items > 0)
		err = write_changes(&p);
	else if (err == ERR_NONE && options->verbose)
		(void)fprintf(stderr, "%s: %zu files, nothing new\n", k->name,
		    p.list.n);
	if (options->verbose && p.list.others > 0)
		(void)fprintf(stderr,
		    "%s: %zu files of other kinds are not read, such as %s\n",
		    k->name, p.list.others, p.list.other);
	free(p.items);
	folder_release(&p.list);
	arena_release(&p.arena);
	return err;
}

/* ---- before a search ----------------------------------------------------- */

/* How long ago was the last look?  The time is that of a file, because a
 * CGI process remembers nothing. */
static bool
look_is_due(const struct config *config, const char *stamp)
{
	int64_t seconds = MAX_SECONDS;
	struct timespec now;
	struct stat st;
	size_t i;

	for (i = 0; i < config->n_knowledge; i++)
		if (config->knowledge[i].check_seconds < seconds)
			seconds = config->knowledge[i].check_seconds;
	if (stat(stamp, &st) != 0)
		return true;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec - st.st_mtim.tv_sec >= seconds ||
	    now.tv_sec < st.st_mtim.tv_sec;
}

static void
set_stamp(const char *stamp)
{
	int fd = state_file_open(stamp, O_WRONLY);

	if (fd < 0)
		return;
	(void)futimens(fd, NULL);
	(void)close(fd);
}

static bool
lacks_vectors(const struct config *config, const struct knowledge_config *k)
{
	struct index_dataset d;
	struct index_store *x;
	struct arena arena;
	int64_t missing = 0;

	if (vectors_engine(config, k) == NULL ||
	    index_open(config, &x) != ERR_NONE)
		return false;
	arena_init(&arena, 65536);
	if (index_find_dataset(x, k->id, &arena, &d) != ERR_NONE ||
	    d.id == 0 || vectors_missing(x, d.id, &missing) != ERR_NONE)
		missing = 0;
	arena_release(&arena);
	index_close(x);
	return missing > 0;
}

/* Every folder; *large: one has more to read than is quick.  False: not
 * all is done. */
static bool
look_at_folders(const struct config *config, int64_t quick_bytes, bool *large)
{
	struct update_options options = {.budget_ms = QUICK_MS,
	    .quick_bytes = quick_bytes};
	struct update_result result;
	bool complete = true;
	enum err err;
	size_t i;

	*large = false;
	for (i = 0; i < config->n_knowledge; i++) {
		if (config->knowledge[i].folder == NULL)
			continue;
		err = update_folder(config, &config->knowledge[i], &options,
		    &result);
		if (err != ERR_NONE && err != ERR_STORE_BUSY &&
		    err != ERR_NOT_FOUND)
			log_error("knowledge: [knowledge %s] cannot be "
				  "indexed: %s", config->knowledge[i].name,
			    err_text(err));
		complete = complete && (err != ERR_NONE || result.complete);
		/* Vectors come over the network: never while one waits. */
		if (err == ERR_NONE && lacks_vectors(config,
			&config->knowledge[i]))
			*large = true;
		*large = *large || (err == ERR_NONE && result.large);
	}
	return complete;
}

void
update_check(const struct config *config)
{
	char stamp[4200];
	bool complete, large;

	(void)snprintf(stamp, sizeof(stamp), "%s/index.checked",
	    config->server.state);
	if (!look_is_due(config, stamp))
		return;
	/* First the stamp: one process looks, the others go on. */
	set_stamp(stamp);
	complete = look_at_folders(config, QUICK_BYTES, &large);
	if (large && background_index(config))
		complete = true; /* it is being seen to */
	else if (large)
		complete = look_at_folders(config, 0, &large);
	sync_check(config);
	if (!complete)
		(void)unlink(stamp); /* the next search goes on with it */
}
