/* The rows of datasets and of their documents. */
#include "store/datasets.h"

#include "store/rows.h"

#define COLUMNS                                                                \
	"seq, id, name, description, permission, technique, "                  \
	"embedding_model, embedding_provider, retrieval_json, created_us, "    \
	"updated_us "
#define DOCUMENT_COLUMNS                                                       \
	"seq, id, dataset, batch, name, file_name, doc_form, created_us "

enum err
datasets_add(struct db *db, const struct dataset_row *row)
{
	static const char sql[] = "INSERT INTO datasets (id, name, "
	    "description, permission, technique, embedding_model, "
	    "embedding_provider, retrieval_json, created_us, updated_us) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, row->id);
	db_bind_cstring(s, 2, row->name);
	db_bind_cstring(s, 3, row->description);
	db_bind_cstring(s, 4, row->permission);
	db_bind_cstring(s, 5, row->technique);
	db_bind_cstring(s, 6, row->embedding_model);
	db_bind_cstring(s, 7, row->embedding_provider);
	db_bind_text(s, 8, row->retrieval_json);
	db_bind_int(s, 9, row->created_us);
	db_bind_int(s, 10, row->updated_us);
	return db_run(s);
}

static enum err
read_dataset(struct db_stmt *s, struct arena *arena, void *into)
{
	struct dataset_row *row = into;

	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->name = db_cstring_copy(s, 2, arena);
	row->description = db_cstring_copy(s, 3, arena);
	row->permission = db_cstring_copy(s, 4, arena);
	row->technique = db_cstring_copy(s, 5, arena);
	row->embedding_model = db_cstring_copy(s, 6, arena);
	row->embedding_provider = db_cstring_copy(s, 7, arena);
	row->retrieval_json = db_text_copy(s, 8, arena);
	row->created_us = db_int(s, 9);
	row->updated_us = db_int(s, 10);
	return row->id == NULL || row->name == NULL ||
		row->description == NULL || row->permission == NULL
	    ? ERR_MEMORY
	    : ERR_NONE;
}

enum err
datasets_find(struct db *db, struct span id, struct arena *arena,
    struct dataset_row *row)
{
	static const char sql[] = "SELECT " COLUMNS
	    "FROM datasets WHERE id = ?";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, id);
	return row_one(s, read_dataset, arena, row, sizeof(*row));
}

#define MATCHING                                                               \
	"FROM datasets WHERE lower(name) LIKE lower(?1) ESCAPE '\\' "          \
	"AND (?2 = 1 OR permission <> 'partial_members') "

static enum err
count_matching(struct db *db, const char *pattern, bool partial,
    int64_t *total)
{
	static const char sql[] = "SELECT count(*) " MATCHING;
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, pattern);
	db_bind_int(s, 2, partial);
	return row_int(s, total);
}

enum err
datasets_page(struct db *db, const struct datasets_filter *filter,
    int64_t skip, size_t limit, struct arena *arena,
    struct dataset_row **rows, size_t *n, int64_t *total)
{
	static const char sql[] = "SELECT " COLUMNS MATCHING
	    "ORDER BY seq DESC LIMIT ?3 OFFSET ?4";
	const char *pattern = row_like_pattern(filter->keyword, arena);
	struct db_stmt *s;
	enum err err;

	*n = 0;
	*rows = NULL;
	if (pattern == NULL)
		return ERR_MEMORY;
	err = count_matching(db, pattern, filter->partial, total);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, sql);
	db_bind_cstring(s, 1, pattern);
	db_bind_int(s, 2, filter->partial);
	db_bind_int(s, 3, (int64_t)limit);
	db_bind_int(s, 4, skip);
	*rows = row_page(s, read_dataset, sizeof(**rows), limit, arena, n,
	    NULL, &err);
	return err;
}

/* A deletion with one bound text. */
static enum err
delete_by(struct db *db, const char *sql, struct span key)
{
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_text(s, 1, key);
	return db_run(s);
}

enum err
datasets_delete(struct db *db, struct span id)
{
	static const char hits[] = "DELETE FROM segment_hits "
	    "WHERE document IN "
	    "(SELECT id FROM dataset_documents WHERE dataset = ?)";
	static const char documents[] =
	    "DELETE FROM dataset_documents WHERE dataset = ?";
	static const char sql[] = "DELETE FROM datasets WHERE id = ?";
	enum err err = delete_by(db, hits, id);

	if (err == ERR_NONE)
		err = delete_by(db, documents, id);
	if (err == ERR_NONE)
		err = delete_by(db, sql, id);
	if (err == ERR_NONE && db_changes(db) == 0)
		err = ERR_NOT_FOUND;
	return err;
}

enum err
datasets_set_technique(struct db *db, const char *id, const char *technique)
{
	static const char sql[] = "UPDATE datasets SET technique = ? "
				  "WHERE id = ? AND technique IS NULL";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, technique);
	db_bind_cstring(s, 2, id);
	return db_run(s);
}

/* ---- documents ----------------------------------------------------------- */

enum err
dataset_documents_add(struct db *db, const struct dataset_document_row *row)
{
	static const char sql[] = "INSERT INTO dataset_documents (id, "
	    "dataset, batch, name, file_name, doc_form, content, created_us) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, row->id);
	db_bind_cstring(s, 2, row->dataset);
	db_bind_cstring(s, 3, row->batch);
	db_bind_cstring(s, 4, row->name);
	db_bind_cstring(s, 5, row->file_name);
	db_bind_cstring(s, 6, row->doc_form);
	row_bind_text(s, 7, row->content);
	db_bind_int(s, 8, row->created_us);
	return db_run(s);
}

static enum err
read_document(struct db_stmt *s, struct arena *arena, void *into)
{
	struct dataset_document_row *row = into;

	row->seq = db_int(s, 0);
	row->id = db_cstring_copy(s, 1, arena);
	row->dataset = db_cstring_copy(s, 2, arena);
	row->batch = db_cstring_copy(s, 3, arena);
	row->name = db_cstring_copy(s, 4, arena);
	row->file_name = db_cstring_copy(s, 5, arena);
	row->doc_form = db_cstring_copy(s, 6, arena);
	row->created_us = db_int(s, 7);
	return row->id == NULL || row->dataset == NULL ||
		row->batch == NULL || row->name == NULL ||
		row->file_name == NULL || row->doc_form == NULL
	    ? ERR_MEMORY
	    : ERR_NONE;
}

enum err
dataset_documents_find(struct db *db, const char *id, struct arena *arena,
    struct dataset_document_row *row)
{
	static const char sql[] = "SELECT " DOCUMENT_COLUMNS
	    ", content FROM dataset_documents WHERE id = ?";
	struct db_stmt *s = db_prepare(db, sql);
	bool found;
	enum err err;

	*row = (struct dataset_document_row){0};
	db_bind_cstring(s, 1, id);
	err = db_step(s, &found);
	if (err == ERR_NONE)
		err = found ? read_document(s, arena, row) : ERR_NOT_FOUND;
	if (err == ERR_NONE) {
		row->content = db_text_copy(s, 8, arena);
		err = row->content.data == NULL ? ERR_MEMORY : ERR_NONE;
	}
	db_done(s);
	return err;
}

static enum err
read_ids(struct db_stmt *s, struct arena *arena, void *into)
{
	struct dataset_document_row *row = into;

	*row = (struct dataset_document_row){.seq = db_int(s, 0),
	    .id = db_cstring_copy(s, 1, arena),
	    .dataset = db_cstring_copy(s, 2, arena)};
	return row->id == NULL || row->dataset == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err
dataset_documents_batch(struct db *db, const char *dataset,
    const char *batch, int64_t after, size_t limit, struct arena *arena,
    struct dataset_document_row **rows, size_t *n)
{
	static const char sql[] = "SELECT " DOCUMENT_COLUMNS
	    "FROM dataset_documents WHERE dataset = ? AND batch = ? "
	    "AND seq > ? ORDER BY seq LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_cstring(s, 1, dataset);
	db_bind_cstring(s, 2, batch);
	db_bind_int(s, 3, after);
	db_bind_int(s, 4, (int64_t)limit);
	*rows = row_page(s, read_document, sizeof(**rows), limit, arena, n,
	    NULL, &err);
	return err;
}

enum err
dataset_documents_ids(struct db *db, int64_t after, size_t limit,
    struct arena *arena, struct dataset_document_row **rows, size_t *n)
{
	static const char sql[] = "SELECT seq, id, dataset "
	    "FROM dataset_documents WHERE seq > ? ORDER BY seq LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_int(s, 1, after);
	db_bind_int(s, 2, (int64_t)limit);
	*rows = row_page(s, read_ids, sizeof(**rows), limit, arena, n,
	    NULL, &err);
	return err;
}

enum err
dataset_documents_newest(struct db *db, const char *dataset, int64_t before,
    size_t limit, struct arena *arena, struct dataset_document_row **rows,
    size_t *n)
{
	static const char sql[] = "SELECT " DOCUMENT_COLUMNS
	    "FROM dataset_documents WHERE dataset = ? AND seq < ? "
	    "ORDER BY seq DESC LIMIT ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_cstring(s, 1, dataset);
	db_bind_int(s, 2, before);
	db_bind_int(s, 3, (int64_t)limit);
	*rows = row_page(s, read_document, sizeof(**rows), limit, arena, n,
	    NULL, &err);
	return err;
}

enum err
dataset_documents_count(struct db *db, const char *dataset,
    struct arena *arena, int64_t *n, const char **form)
{
	static const char sql[] = "SELECT count(*), (SELECT doc_form "
	    "FROM dataset_documents WHERE dataset = ?1 ORDER BY seq LIMIT 1) "
	    "FROM dataset_documents WHERE dataset = ?1";
	struct db_stmt *s = db_prepare(db, sql);
	bool row;
	enum err err;

	*n = 0;
	*form = NULL;
	db_bind_cstring(s, 1, dataset);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		*n = db_int(s, 0);
		*form = db_cstring_copy(s, 1, arena);
	}
	db_done(s);
	return err;
}

enum err
dataset_documents_form(struct db *db, const char *id, struct arena *arena,
    const char **form)
{
	static const char sql[] =
	    "SELECT doc_form FROM dataset_documents WHERE id = ?";
	struct db_stmt *s = db_prepare(db, sql);
	bool row;
	enum err err;

	*form = NULL;
	db_bind_cstring(s, 1, id);
	err = db_step(s, &row);
	if (err == ERR_NONE && row)
		*form = db_cstring_copy(s, 0, arena);
	if (err == ERR_NONE && *form == NULL)
		err = row ? ERR_MEMORY : ERR_NOT_FOUND;
	db_done(s);
	return err;
}

enum err
dataset_documents_delete(struct db *db, const char *dataset, const char *id)
{
	static const char hits[] =
	    "DELETE FROM segment_hits WHERE document = ?";
	static const char sql[] = "DELETE FROM dataset_documents "
				  "WHERE dataset = ? AND id = ?";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_cstring(s, 1, dataset);
	db_bind_cstring(s, 2, id);
	err = db_run(s);
	if (err == ERR_NONE && db_changes(db) == 0)
		err = ERR_NOT_FOUND;
	if (err == ERR_NONE)
		err = delete_by(db, hits, span_of(id));
	return err;
}
