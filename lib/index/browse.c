/* Plain reading of the index's tables. */
#include "index/browse.h"

#include "index/index_store.h"
#include "index/ingest.h"
#include "store/rows.h"

enum err
browse_open(const struct config *config, struct browse *b)
{
	enum err err = index_open(config, &b->x);

	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

void
browse_close(struct browse *b)
{
	index_close(b->x);
	b->x = NULL;
}

/* ---- datasets ------------------------------------------------------------ */

enum err
browse_dataset(const struct browse *b, const char *dataset,
    struct browse_dataset *out)
{
	static const char sql[] = "SELECT k.words,"
	    " (SELECT count(*) FROM document WHERE dataset = k.id),"
	    " (SELECT count(*) FROM document WHERE dataset = k.id"
	    " AND path >= '" INGEST_API_PATH "'"
	    " AND path < '" INGEST_API_PATH_END "'),"
	    " (SELECT count(*) FROM document WHERE dataset = k.id"
	    " AND fault IS NOT NULL),"
	    " (SELECT min(changed) FROM document WHERE dataset = k.id),"
	    " (SELECT max(changed) FROM document WHERE dataset = k.id)"
	    " FROM dataset k WHERE k.uid = ?";
	struct db_stmt *s;
	bool row;
	enum err err;

	*out = (struct browse_dataset){.documents = 0};
	if (b->x == NULL)
		return ERR_NONE;
	s = db_prepare(b->x->db, sql);
	db_bind_cstring(s, 1, dataset);
	err = db_step(s, &row);
	if (err == ERR_NONE && row)
		*out = (struct browse_dataset){.words = db_int(s, 0),
		    .documents = db_int(s, 1), .from_api = db_int(s, 2),
		    .faulty = db_int(s, 3),
		    .oldest_s = db_int(s, 4) / 1000000000,
		    .newest_s = db_int(s, 5) / 1000000000};
	db_done(s);
	return err;
}

/* ---- documents ----------------------------------------------------------- */

/* Where a document stands among those of its dataset. */
struct position {
	int64_t dataset, changed_ns, id; /* rows' numbers */
};

#define DOCUMENT                                                               \
	"SELECT d.uid, d.name, d.fault,"                                       \
	" d.path >= '" INGEST_API_PATH "'"                                     \
	" AND d.path < '" INGEST_API_PATH_END "', d.words, d.tokens,"          \
	" d.segments, d.changed, d.started, d.finished, d.dataset, d.id"       \
	" FROM document d JOIN dataset k ON k.id = d.dataset WHERE k.uid = ?1"

static enum err
read_document(struct db_stmt *s, struct arena *arena,
    struct browse_document *d, struct position *position)
{
	*d = (struct browse_document){.id = db_cstring_copy(s, 0, arena),
	    .name = db_cstring_copy(s, 1, arena),
	    .fault = db_cstring_copy(s, 2, arena),
	    .from_api = db_int(s, 3) != 0, .words = db_int(s, 4),
	    .tokens = db_int(s, 5), .segments = db_int(s, 6),
	    .created_s = db_int(s, 7) / 1000000000,
	    .started_s = db_int(s, 8) / 1000000,
	    .finished_s = db_int(s, 9) / 1000000};
	*position = (struct position){.changed_ns = db_int(s, 7),
	    .dataset = db_int(s, 10), .id = db_int(s, 11)};
	return d->id == NULL || d->name == NULL ? ERR_MEMORY : ERR_NONE;
}

/* How many are older than `to` and not older than `from` (NULL: any). */
static enum err
count_between(const struct browse *b, const struct position *from,
    const struct position *to, int64_t *n)
{
	static const char sql[] = "SELECT count(*) FROM document"
	    " WHERE dataset = ?1 AND (changed, id) < (?2, ?3)"
	    " AND (changed, id) >= (?4, ?5)";
	struct db_stmt *s = db_prepare(b->x->db, sql);

	db_bind_int(s, 1, to->dataset);
	db_bind_int(s, 2, to->changed_ns);
	db_bind_int(s, 3, to->id);
	db_bind_int(s, 4, from == NULL ? INT64_MIN : from->changed_ns);
	db_bind_int(s, 5, from == NULL ? 0 : from->id);
	return row_int(s, n);
}

#define MATCHING                                                               \
	" AND (?2 = '' OR instr(lower(d.name), lower(?2)) > 0)"                \
	" AND ((?3 AND d.fault IS NOT NULL) OR (?4 AND d.fault IS NULL))"

static void
bind_filter(struct db_stmt *s, const char *dataset,
    const struct browse_filter *filter)
{
	struct span keyword = filter->keyword;

	db_bind_cstring(s, 1, dataset);
	db_bind_text(s, 2, keyword.data == NULL ? SPAN("") : keyword);
	db_bind_int(s, 3, filter->faulty);
	db_bind_int(s, 4, filter->sound);
}

/* The page's positions: each is known from the one before it. */
static enum err
put_positions(const struct browse *b, struct browse_document *list,
    const struct position *positions, size_t n)
{
	int64_t older;
	size_t i;
	enum err err = ERR_NONE;

	for (i = 0; i < n && err == ERR_NONE; i++) {
		if (i == 0)
			err = count_between(b, NULL, &positions[0], &older);
		else
			err = count_between(b, &positions[i], &positions[i - 1],
			    &older);
		list[i].position = i == 0 ? older + 1
					  : list[i - 1].position - older;
	}
	return err;
}

enum err
browse_documents(const struct browse *b, const char *dataset,
    const struct browse_filter *filter, int64_t skip, size_t limit,
    struct arena *arena, struct browse_document **list, size_t *n,
    int64_t *total)
{
	struct position *positions =
	    arena_array(arena, limit, sizeof(*positions));
	struct db_stmt *s;
	bool row;
	enum err err;

	*n = 0;
	*total = 0;
	*list = arena_array(arena, limit, sizeof(**list));
	if (*list == NULL || positions == NULL)
		return ERR_MEMORY;
	if (b->x == NULL)
		return ERR_NONE;
	s = db_prepare(b->x->db, "SELECT count(*) FROM document d"
	    " JOIN dataset k ON k.id = d.dataset WHERE k.uid = ?1" MATCHING);
	bind_filter(s, dataset, filter);
	err = row_int(s, total);
	s = db_prepare(b->x->db, DOCUMENT MATCHING
	    " ORDER BY d.changed DESC, d.id DESC LIMIT ?5 OFFSET ?6");
	bind_filter(s, dataset, filter);
	db_bind_int(s, 5, (int64_t)limit);
	db_bind_int(s, 6, skip);
	while (err == ERR_NONE && *n < limit) {
		err = db_step(s, &row);
		if (err != ERR_NONE || !row)
			break;
		err = read_document(s, arena, &(*list)[*n], &positions[*n]);
		++*n;
	}
	db_done(s);
	return err == ERR_NONE ? put_positions(b, *list, positions, *n) : err;
}

enum err
browse_document(const struct browse *b, const char *dataset, const char *id,
    struct arena *arena, struct browse_document *out)
{
	struct position position;
	struct db_stmt *s;
	bool row;
	enum err err;

	if (b->x == NULL)
		return ERR_NOT_FOUND;
	s = db_prepare(b->x->db, DOCUMENT " AND d.uid = ?2");
	db_bind_cstring(s, 1, dataset);
	db_bind_cstring(s, 2, id);
	err = db_step(s, &row);
	if (err == ERR_NONE)
		err = row ? read_document(s, arena, out, &position)
			  : ERR_NOT_FOUND;
	db_done(s);
	return err == ERR_NONE ? put_positions(b, out, &position, 1) : err;
}

enum err
browse_has(const struct browse *b, const char *dataset, const char *id,
    bool *has)
{
	struct db_stmt *s;
	enum err err;

	*has = false;
	if (b->x == NULL)
		return ERR_NONE;
	s = db_prepare(b->x->db, "SELECT 1 FROM document d"
	    " JOIN dataset k ON k.id = d.dataset"
	    " WHERE d.uid = ? AND k.uid = ?");
	db_bind_cstring(s, 1, id);
	db_bind_cstring(s, 2, dataset);
	err = db_step(s, has);
	db_done(s);
	return err;
}

/* ---- segments ------------------------------------------------------------ */

static enum err
read_segment(struct db_stmt *s, const char *document, struct arena *arena,
    struct browse_segment *out)
{
	out->position = db_int(s, 0);
	out->words = db_int(s, 1);
	out->content = db_text_copy(s, 2, arena);
	if (out->content.data == NULL)
		return ERR_MEMORY;
	out->id = index_segment_uid(arena, document, out->content);
	return out->id == NULL ? ERR_MEMORY : ERR_NONE;
}

#define SEGMENTS                                                               \
	" FROM segment s JOIN document d ON d.id = s.document"                 \
	" WHERE d.uid = ?1"                                                    \
	" AND (?2 = '' OR instr(lower(s.content), lower(?2)) > 0)"

enum err
browse_segments(const struct browse *b, const char *document,
    struct span keyword, int64_t skip, size_t limit, struct arena *arena,
    struct browse_segment **list, size_t *n, int64_t *total)
{
	struct db_stmt *s;
	bool row;
	enum err err;

	*n = 0;
	*total = 0;
	*list = arena_array(arena, limit, sizeof(**list));
	if (*list == NULL)
		return ERR_MEMORY;
	if (b->x == NULL)
		return ERR_NONE;
	keyword = keyword.data == NULL ? SPAN("") : keyword;
	s = db_prepare(b->x->db, "SELECT count(*)" SEGMENTS);
	db_bind_cstring(s, 1, document);
	db_bind_text(s, 2, keyword);
	err = row_int(s, total);
	s = db_prepare(b->x->db, "SELECT s.position, s.words, s.content"
	    SEGMENTS " ORDER BY s.position LIMIT ?3 OFFSET ?4");
	db_bind_cstring(s, 1, document);
	db_bind_text(s, 2, keyword);
	db_bind_int(s, 3, (int64_t)limit);
	db_bind_int(s, 4, skip);
	while (err == ERR_NONE && *n < limit) {
		err = db_step(s, &row);
		if (err != ERR_NONE || !row)
			break;
		err = read_segment(s, document, arena, &(*list)[(*n)++]);
	}
	db_done(s);
	return err;
}
