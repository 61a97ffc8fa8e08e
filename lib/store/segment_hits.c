/* The rows of hits of segments. */
#include "store/segment_hits.h"

#include "store/rows.h"

enum err
segment_hits_add(struct db *db, const char *document, const char *segment)
{
	static const char sql[] = "INSERT INTO segment_hits (document, "
	    "segment, hits) VALUES (?, ?, 1) "
	    "ON CONFLICT (document, segment) DO UPDATE "
	    "SET hits = segment_hits.hits + 1";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, document);
	db_bind_cstring(s, 2, segment);
	return db_run(s);
}

enum err
segment_hits_count(struct db *db, const char *document, const char *segment,
    int64_t *hits)
{
	static const char one[] = "SELECT hits FROM segment_hits "
	    "WHERE document = ? AND segment = ?";
	static const char all[] = "SELECT coalesce(sum(hits), 0) "
	    "FROM segment_hits WHERE document = ?";
	struct db_stmt *s = db_prepare(db, segment == NULL ? all : one);
	enum err err;

	db_bind_cstring(s, 1, document);
	if (segment != NULL)
		db_bind_cstring(s, 2, segment);
	err = row_int(s, hits);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}
