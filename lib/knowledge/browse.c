/* Plain reading of the index's tables. */
#include "knowledge/browse.h"

#include "base/uuid.h"
#include "knowledge/index_store.h"
#include "knowledge/ingest.h"

#define DOCUMENT                                                               \
	"SELECT d.uid, d.name, d.fault,"                                       \
	" d.path LIKE '" INGEST_API_PATH "%', d.words, d.segments,"            \
	" d.changed, count(*) OVER () FROM document d"                         \
	" JOIN dataset k ON k.id = d.dataset WHERE k.uid = ?1"

/* No index is an empty one. */
static enum err
open_index(const struct config *config, struct index_store **x)
{
	enum err err = index_open(config, x);

	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

enum err
browse_dataset(const struct config *config, const char *dataset,
    int64_t *documents, int64_t *words)
{
	struct index_store *x;
	struct db_stmt *s;
	bool row;
	enum err err = open_index(config, &x);

	*documents = *words = 0;
	if (err != ERR_NONE || x == NULL)
		return err;
	s = db_prepare(x->db, "SELECT count(*), coalesce(sum(d.words), 0)"
	    " FROM document d JOIN dataset k ON k.id = d.dataset"
	    " WHERE k.uid = ?");
	db_bind_cstring(s, 1, dataset);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		*documents = db_int(s, 0);
		*words = db_int(s, 1);
	}
	db_done(s);
	index_close(x);
	return err;
}

static enum err
read_document(struct db_stmt *s, struct arena *arena,
    struct browse_document *d)
{
	d->id = db_cstring_copy(s, 0, arena);
	d->name = db_cstring_copy(s, 1, arena);
	d->fault = db_cstring_copy(s, 2, arena);
	d->from_api = db_int(s, 3) != 0;
	d->waiting = false;
	d->words = db_int(s, 4);
	d->segments = db_int(s, 5);
	d->created_s = db_int(s, 6) / 1000000000;
	return d->id == NULL || d->name == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err
browse_documents(const struct config *config, const char *dataset,
    struct span keyword, int64_t offset, size_t limit, struct arena *arena,
    struct browse_document **list, size_t *n, int64_t *total)
{
	struct index_store *x;
	struct db_stmt *s;
	bool row;
	enum err err = open_index(config, &x);

	*n = 0;
	*total = 0;
	*list = arena_array(arena, limit + 1, sizeof(**list));
	if (*list == NULL)
		err = err == ERR_NONE ? ERR_MEMORY : err;
	if (err != ERR_NONE || x == NULL) {
		index_close(x);
		return err;
	}
	s = db_prepare(x->db, DOCUMENT " AND (?2 = '' OR"
	    " instr(lower(d.name), lower(?2)) > 0)"
	    " ORDER BY d.id LIMIT ?3 OFFSET ?4");
	db_bind_cstring(s, 1, dataset);
	db_bind_text(s, 2, keyword.data == NULL ? SPAN("") : keyword);
	db_bind_int(s, 3, (int64_t)limit);
	db_bind_int(s, 4, offset);
	while ((err = db_step(s, &row)) == ERR_NONE && row && *n < limit) {
		err = read_document(s, arena, &(*list)[*n]);
		if (err != ERR_NONE)
			break;
		(*n)++;
		(*list)[*n - 1].position = offset + (int64_t)*n;
		*total = db_int(s, 7);
	}
	db_done(s);
	index_close(x);
	return err;
}

enum err
browse_document(const struct config *config, const char *dataset,
    const char *id, struct arena *arena, struct browse_document *out)
{
	struct index_store *x;
	struct db_stmt *s;
	bool row;
	enum err err = open_index(config, &x);

	if (err != ERR_NONE || x == NULL)
		return err == ERR_NONE ? ERR_NOT_FOUND : err;
	s = db_prepare(x->db, DOCUMENT " AND d.uid = ?2");
	db_bind_cstring(s, 1, dataset);
	db_bind_cstring(s, 2, id);
	err = db_step(s, &row);
	if (err == ERR_NONE)
		err = row ? read_document(s, arena, out) : ERR_NOT_FOUND;
	out->position = 1;
	db_done(s);
	index_close(x);
	return err;
}

static enum err
read_segment(struct db_stmt *s, const char *document, struct arena *arena,
    struct browse_segment *out)
{
	char uid[UUID_TEXT], *name;

	out->position = db_int(s, 0);
	out->words = db_int(s, 1);
	out->heading = db_text_copy(s, 2, arena);
	out->content = db_text_copy(s, 3, arena);
	name = arena_printf(arena, "%s\n%.*s", document,
	    (int)out->content.len, out->content.data);
	if (name == NULL || out->content.data == NULL)
		return ERR_MEMORY;
	uuid_from_name("segment", span_of(name), uid);
	out->id = arena_strdup(arena, uid);
	return out->id == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err
browse_segments(const struct config *config, const char *document,
    struct span keyword, int64_t offset, size_t limit, struct arena *arena,
    struct browse_segment **list, size_t *n, int64_t *total)
{
	struct index_store *x;
	struct db_stmt *s;
	bool row;
	enum err err = open_index(config, &x);

	*n = 0;
	*total = 0;
	*list = arena_array(arena, limit + 1, sizeof(**list));
	if (*list == NULL)
		err = err == ERR_NONE ? ERR_MEMORY : err;
	if (err != ERR_NONE || x == NULL) {
		index_close(x);
		return err;
	}
	s = db_prepare(x->db, "SELECT s.position, s.words, s.heading,"
	    " s.content, count(*) OVER () FROM segment s"
	    " JOIN document d ON d.id = s.document WHERE d.uid = ?1"
	    " AND (?2 = '' OR instr(lower(s.content), lower(?2)) > 0)"
	    " ORDER BY s.position LIMIT ?3 OFFSET ?4");
	db_bind_cstring(s, 1, document);
	db_bind_text(s, 2, keyword.data == NULL ? SPAN("") : keyword);
	db_bind_int(s, 3, (int64_t)limit);
	db_bind_int(s, 4, offset);
	while ((err = db_step(s, &row)) == ERR_NONE && row && *n < limit) {
		err = read_segment(s, document, arena, &(*list)[*n]);
		if (err != ERR_NONE)
			break;
		++*n;
		*total = db_int(s, 4);
	}
	db_done(s);
	index_close(x);
	return err;
}
