/* The names that the walk left out, then the rows of the index. */
#include "index/report.h"

#include "documents/folder.h"
#include "index/index_store.h"
#include "index/ingest.h"
#include "store/db.h"

static enum err
count_rows(struct index_store *x, int64_t dataset, bool all, size_t *n)
{
	struct db_stmt *s = db_prepare(x->db, "SELECT count(*) FROM document"
	    " WHERE dataset = ? AND (? OR fault IS NOT NULL)");
	enum err err;
	bool row;

	db_bind_int(s, 1, dataset);
	db_bind_int(s, 2, all);
	err = db_step(s, &row);
	*n = err == ERR_NONE && row ? (size_t)db_int(s, 0) : 0;
	db_done(s);
	return err;
}

static enum err
read_rows(struct index_store *x, int64_t dataset, bool all, size_t most,
    struct arena *arena, struct report *r)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT path, fault, remark, segments, share FROM document"
	    " WHERE dataset = ? AND (? OR fault IS NOT NULL)"
	    " AND path NOT LIKE '" INGEST_API_PATH "%' ORDER BY path");
	struct report_file *f;
	enum err err;
	bool row;

	db_bind_int(s, 1, dataset);
	db_bind_int(s, 2, all);
	while ((err = db_step(s, &row)) == ERR_NONE && row && r->n < most) {
		f = &r->files[r->n++];
		f->path = db_cstring_copy(s, 0, arena);
		f->fault = db_cstring_copy(s, 1, arena);
		f->remark = db_cstring_copy(s, 2, arena);
		f->segments = db_int(s, 3);
		f->share = db_int(s, 4);
		if (f->path == NULL) {
			err = ERR_MEMORY;
			break;
		}
	}
	db_done(s);
	return err;
}

enum err
report_read(const struct config *config, const struct knowledge_config *k,
    bool all, struct arena *arena, struct report *r)
{
	struct index_dataset d = {.id = 0};
	struct index_store *x = NULL;
	struct folder_list list;
	size_t named, rows = 0, i;
	enum err err = folder_read(k, arena, &list);

	*r = (struct report){.n = 0};
	if (err != ERR_NONE)
		goto out;
	err = index_open(config, &x);
	if (err == ERR_NONE)
		err = index_find_dataset(x, k->id, arena, &d);
	else if (err == ERR_NOT_FOUND || err == ERR_STORE_CORRUPT)
		err = ERR_NONE;
	if (err == ERR_NONE && d.id != 0)
		err = count_rows(x, d.id, all, &rows);
	if (err != ERR_NONE)
		goto out;
	named = list.n_left_out < FOLDER_NAMED_MAX ? list.n_left_out
						   : FOLDER_NAMED_MAX;
	r->unnamed = list.n_left_out - named;
	r->files = arena_array(arena, named + rows + 1, sizeof(*r->files));
	if (r->files == NULL) {
		err = ERR_MEMORY;
		goto out;
	}
	for (i = 0; i < named; i++)
		r->files[r->n++] = (struct report_file){
		    .path = list.left_out[i].path,
		    .fault = list.left_out[i].why};
	if (d.id != 0)
		err = read_rows(x, d.id, all, named + rows, arena, r);
out:
	index_close(x);
	folder_release(&list);
	return err;
}
