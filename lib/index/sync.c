/*
 * The store is what counts, the index is made from it.  Documents over the
 * API never change, so the two are compared by their ids alone.
 */
#include "index/sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "index/ingest.h"
#include "store/datasets.h"

#define ARENA_MAX ((size_t)512 << 20)
#define PAGE 1000

struct sync {
	const struct config *config;
	struct db *db;
	struct arena arena, text;
	/* Of the store, sorted by id; seq, id and dataset alone. */
	struct dataset_document_row *rows;
	size_t n_rows, rows_size;
	struct known {
		int64_t id;
		const char *uid;     /* of the document */
		const char *dataset; /* its uid */
	} *known; /* of the index, sorted by uid */
	size_t n_known;
	struct index_store *x;
	int64_t changes;
};

static int
by_id(const void *a, const void *b)
{
	const struct dataset_document_row *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int
by_uid(const void *uid, const void *known)
{
	return strcmp(uid, ((const struct known *)known)->uid);
}

static int
by_row(const void *uid, const void *row)
{
	return strcmp(uid, ((const struct dataset_document_row *)row)->id);
}

static enum err
add_rows(struct sync *s, const struct dataset_document_row *page, size_t n)
{
	struct dataset_document_row *grown;
	size_t size = s->rows_size;

	if (s->n_rows + n > size) {
		size = size * 2 + PAGE;
		grown = realloc(s->rows, size * sizeof(*grown));
		if (grown == NULL)
			return ERR_MEMORY;
		s->rows = grown;
		s->rows_size = size;
	}
	memcpy(s->rows + s->n_rows, page, n * sizeof(*page));
	s->n_rows += n;
	return ERR_NONE;
}

static enum err
read_store(struct sync *s)
{
	struct dataset_document_row *page;
	int64_t after = 0;
	size_t n = PAGE;
	enum err err = ERR_NONE;

	s->n_rows = 0;
	while (err == ERR_NONE && n == PAGE) {
		err = dataset_documents_ids(s->db, after, PAGE, &s->arena,
		    &page, &n);
		if (err == ERR_NONE && n > 0) {
			after = page[n - 1].seq;
			err = add_rows(s, page, n);
		}
	}
	if (s->n_rows > 0)
		qsort(s->rows, s->n_rows, sizeof(*s->rows), by_id);
	return err;
}

static enum err
read_index(struct sync *s, struct index_store *x)
{
	static const char counting[] = "SELECT count(*) FROM document";
	static const char sql[] = "SELECT d.id, d.uid, k.uid FROM document d"
	    " JOIN dataset k ON k.id = d.dataset"
	    " WHERE d.path LIKE '" INGEST_API_PATH "%' ORDER BY d.uid";
	struct db_stmt *st = db_prepare(x->db, counting);
	int64_t max = 0;
	bool row;
	enum err err = db_step(st, &row);

	if (err == ERR_NONE && row)
		max = db_int(st, 0);
	db_done(st);
	s->n_known = 0;
	s->known = arena_array(&s->arena, (size_t)max + 1, sizeof(*s->known));
	if (s->known == NULL || err != ERR_NONE)
		return s->known == NULL ? ERR_MEMORY : err;
	st = db_prepare(x->db, sql);
	while ((err = db_step(st, &row)) == ERR_NONE && row) {
		struct known *k = &s->known[s->n_known++];

		k->id = db_int(st, 0);
		k->uid = db_cstring_copy(st, 1, &s->arena);
		k->dataset = db_cstring_copy(st, 2, &s->arena);
		if (k->uid == NULL || k->dataset == NULL) {
			err = ERR_MEMORY;
			break;
		}
	}
	db_done(st);
	return err;
}

static bool
store_has(const struct sync *s, const struct known *k)
{
	return s->n_rows > 0 && bsearch(k->uid, s->rows, s->n_rows,
	    sizeof(*s->rows), by_row) != NULL;
}

static bool
index_has(const struct sync *s, const struct dataset_document_row *row)
{
	return s->n_known > 0 && bsearch(row->id, s->known, s->n_known,
	    sizeof(*s->known), by_uid) != NULL;
}

/* Name and language of a dataset.  ERR_NOT_FOUND: nobody knows it. */
static enum err
describe(struct sync *s, const char *uid, struct index_dataset *d)
{
	struct dataset_row row;
	enum err err;
	size_t i;

	for (i = 0; i < s->config->n_knowledge; i++) {
		const struct knowledge_config *k = &s->config->knowledge[i];

		if (strcmp(k->id, uid) == 0) {
			d->name = k->title;
			d->language = k->language;
			d->encoding = k->encoding;
			return ERR_NONE;
		}
	}
	err = datasets_find(s->db, span_of(uid), &s->arena, &row);
	d->name = row.name;
	d->language = NULL;
	d->encoding = NULL;
	return err;
}

static enum err
differs(struct sync *s, bool *differ)
{
	struct index_dataset d;
	size_t i;
	enum err err;

	*differ = true;
	for (i = 0; i < s->n_known; i++)
		if (!store_has(s, &s->known[i]))
			return ERR_NONE;
	for (i = 0; i < s->n_rows; i++) {
		if (index_has(s, &s->rows[i]))
			continue;
		err = describe(s, s->rows[i].dataset, &d);
		if (err != ERR_NOT_FOUND)
			return err;
	}
	*differ = false;
	return ERR_NONE;
}

static enum err
add_document(struct sync *s, const char *id)
{
	struct dataset_document_row row;
	struct index_dataset d = {.id = 0};
	struct index_document document;
	enum err err;

	arena_release(&s->text);
	err = dataset_documents_find(s->db, id, &s->text, &row);
	if (err == ERR_NONE)
		err = describe(s, row.dataset, &d);
	if (err == ERR_NOT_FOUND)
		return ERR_NONE; /* removed meanwhile, or nobody's */
	if (err == ERR_NONE)
		err = index_put_dataset(s->x, row.dataset, d.name, d.language,
		    d.encoding, &d);
	if (err != ERR_NONE)
		return err;
	document = (struct index_document){.uid = row.id, .name = row.name,
	    .path = arena_printf(&s->text, "%s%s", INGEST_API_PATH, row.id),
	    .size = (int64_t)row.content.len,
	    .changed_ns = row.created_us * 1000};
	err = document.path == NULL
	    ? ERR_MEMORY
	    : ingest_document(s->x, &d, &document, row.file_name, row.content);
	return err == ERR_NONE ? index_settle(s->x, &d) : err;
}

static enum err
remove_document(struct sync *s, const struct known *k)
{
	struct index_dataset d;
	enum err err = index_find_dataset(s->x, k->dataset, &s->arena, &d);

	if (err == ERR_NONE)
		err = index_remove_document(s->x, &d, k->id);
	return err == ERR_NONE ? index_settle(s->x, &d) : err;
}

/* Datasets that neither the store nor the configuration has any more. */
static enum err
remove_datasets(struct sync *s)
{
	static const char sql[] = "SELECT uid FROM dataset";
	struct db_stmt *st = db_prepare(s->x->db, sql);
	struct index_dataset d;
	const char *gone[64];
	size_t n = 0;
	bool row;
	enum err err;

	while ((err = db_step(st, &row)) == ERR_NONE && row && n < 64) {
		gone[n] = db_cstring_copy(st, 0, &s->arena);
		err = gone[n] == NULL ? ERR_MEMORY : describe(s, gone[n], &d);
		if (err == ERR_NOT_FOUND)
			n++;
		else if (err != ERR_NONE)
			break;
	}
	db_done(st);
	while (err == ERR_NONE && n > 0) {
		err = index_find_dataset(s->x, gone[--n], &s->arena, &d);
		if (err == ERR_NONE && d.id != 0)
			err = index_remove_dataset(s->x, &d);
	}
	return err;
}

static enum err
apply(struct sync *s, bool wait)
{
	size_t i;
	enum err err = index_open_writer(s->config, wait, false, &s->x);

	/* Both again: much may have happened while we waited. */
	if (err == ERR_NONE)
		err = read_store(s);
	if (err == ERR_NONE)
		err = read_index(s, s->x);
	for (i = 0; i < s->n_known && err == ERR_NONE; i++)
		if (!store_has(s, &s->known[i]))
			err = remove_document(s, &s->known[i]);
	for (i = 0; i < s->n_rows && err == ERR_NONE; i++)
		if (!index_has(s, &s->rows[i]))
			err = add_document(s, s->rows[i].id);
	if (err == ERR_NONE)
		err = remove_datasets(s);
	if (err == ERR_NONE)
		err = index_commit(s->x);
	index_close(s->x);
	return err;
}

enum err
sync_datasets(const struct config *config, struct db *db, bool wait)
{
	struct sync s = {.config = config, .db = db};
	struct index_store *x = NULL;
	bool differ = false;
	enum err err;

	arena_init(&s.arena, ARENA_MAX);
	arena_init(&s.text, ARENA_MAX);
	err = read_store(&s);
	if (err == ERR_NONE) {
		err = index_open(config, &x);
		if (err == ERR_NONE)
			err = read_index(&s, x);
		else if (err == ERR_NOT_FOUND || err == ERR_STORE_CORRUPT)
			err = ERR_NONE;
		index_close(x);
	}
	if (err == ERR_NONE)
		err = differs(&s, &differ);
	if (err == ERR_NONE && differ)
		err = apply(&s, wait);
	free(s.rows);
	arena_release(&s.arena);
	arena_release(&s.text);
	return err;
}

void
sync_check(const struct config *config)
{
	struct db_options options = {.read_only = true,
	    .busy_timeout_ms = config->server.busy_timeout_ms};
	struct db *db = NULL;
	struct stat st;
	char path[4200];
	enum err err;

	(void)snprintf(path, sizeof(path), "%s/parlance.db",
	    config->server.state);
	if (stat(path, &st) != 0 || st.st_size == 0)
		return;
	err = db_open(path, &options, &db, NULL);
	if (err == ERR_NONE && db_has_table(db, "dataset_documents"))
		err = sync_datasets(config, db, false);
	if (err != ERR_NONE && err != ERR_STORE_BUSY)
		log_error("knowledge: documents over the API cannot be "
			  "indexed: %s", err_text(err));
	db_close(db);
}
