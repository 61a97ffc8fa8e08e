/*
 * What is in a dataset: documents, their segments, how far their indexing
 * is.  Documents are listed from the index, and before them those of the
 * store that the index does not have yet.
 */
#include "messagesapi/handlers.h"

#include <string.h>

#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/dataset_view.h"
#include "messagesapi/reply.h"

#define PAGE_MAX 100

/* ---- documents ----------------------------------------------------------- */

struct listing {
	struct parse_page page;
	struct browse_filter filter;
	bool waiting; /* list those too */
	int64_t skip; /* still to be skipped */
	size_t room;  /* in the page */
	int64_t total;
};

/* The states that a document is shown in; those that none is ever in here
 * list nothing. */
static bool
read_status(struct span status, struct listing *l)
{
	static const char *const never[] = {"indexing", "paused", "disabled",
	    "archived"};
	bool all = status.len == 0;
	size_t i;

	l->waiting = all || span_is_nocase(status, "queuing");
	l->filter.faulty = all || span_is_nocase(status, "error");
	l->filter.sound = all || span_is_nocase(status, "available") ||
	    span_is_nocase(status, "enabled");
	if (l->waiting || l->filter.faulty || l->filter.sound)
		return true;
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (span_is_nocase(status, never[i]))
			return true;
	return false;
}

static enum err
read_listing(struct exchange *x, struct listing *l)
{
	struct faults faults = FAULTS_INIT;
	struct span status = SPAN_NONE;
	enum err err;

	*l = (struct listing){.total = 0};
	err = parse_page(x, PAGE_MAX, &l->page);
	if (err != ERR_NONE)
		return err;
	(void)request_query(&x->request, "status", &status);
	if (!read_status(status, l))
		faults_add(&faults, "status", "Input should be 'queuing', "
		    "'indexing', 'paused', 'error', 'available', 'disabled' "
		    "or 'archived'");
	l->filter.keyword = l->page.keyword;
	l->skip = (l->page.page - 1) * l->page.limit;
	l->room = (size_t)l->page.limit;
	return faults_answered(&faults, x);
}

/* The documents of the store that the index lacks, newest first. */
struct waiting {
	const struct dataset_document_row **rows;
	size_t n;
};

static enum err
find_waiting(const struct dataset_reader *r, const char *dataset,
    int64_t max, struct waiting *w)
{
	struct arena *arena = r->x->request.arena;
	struct dataset_document_row *page;
	int64_t before = INT64_MAX;
	size_t n = PAGE_MAX, i;
	bool has;
	enum err err = ERR_NONE;

	w->n = 0;
	w->rows = arena_array(arena, (size_t)max, sizeof(*w->rows));
	if (w->rows == NULL)
		return ERR_MEMORY;
	while (err == ERR_NONE && n == PAGE_MAX && w->n < (size_t)max) {
		err = dataset_documents_newest(r->db, dataset, before,
		    PAGE_MAX, arena, &page, &n);
		for (i = 0; i < n && err == ERR_NONE; i++) {
			err = browse_has(&r->index, dataset, page[i].id, &has);
			if (!has && w->n < (size_t)max)
				w->rows[w->n++] = &page[i];
			before = page[i].seq;
		}
	}
	return err;
}

static enum err
put_waiting(const struct dataset_reader *r, const char *dataset,
    struct listing *l, struct buf *out)
{
	struct browse_dataset indexed;
	struct browse_document d;
	struct waiting w = {.n = 0};
	const char *form;
	int64_t stored;
	size_t i;
	enum err err = browse_dataset(&r->index, dataset, &indexed);

	if (err == ERR_NONE)
		err = dataset_documents_count(r->db, dataset,
		    r->x->request.arena, &stored, &form);
	if (err == ERR_NONE && stored > indexed.from_api)
		err = find_waiting(r, dataset, stored - indexed.from_api, &w);
	for (i = 0; i < w.n && err == ERR_NONE; i++) {
		if (!dataset_view_fits(l->filter.keyword, w.rows[i]->name))
			continue;
		l->total++;
		if (l->skip > 0) {
			l->skip--;
		} else if (l->room > 0) {
			l->room--;
			err = dataset_view_lookup(r, w.rows[i], &d);
			d.position = indexed.documents + (int64_t)(w.n - i);
			if (err == ERR_NONE)
				err = dataset_view_document(r, &d, out);
		}
	}
	return err;
}

static enum err
put_indexed(const struct dataset_reader *r, const char *dataset,
    struct listing *l, struct buf *out)
{
	struct browse_document *list;
	int64_t total;
	size_t n, i;
	enum err err = browse_documents(&r->index, dataset, &l->filter,
	    l->skip, l->room, r->x->request.arena, &list, &n, &total);

	for (i = 0; i < n && err == ERR_NONE; i++)
		err = dataset_view_document(r, &list[i], out);
	l->total += total;
	return err;
}

enum err
documents_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct dataset_reader r;
	struct dataset_view d;
	struct listing l;
	enum err err;

	err = dataset_view_find(x, &d);
	if (err == ERR_NONE)
		err = read_listing(x, &l);
	if (err != ERR_NONE)
		return err;
	err = dataset_reader_open(x, &r);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	if (l.waiting)
		err = put_waiting(&r, d.row.id, &l, &body);
	if (err == ERR_NONE)
		err = put_indexed(&r, d.row.id, &l, &body);
	dataset_reader_close(&r);
	buf_addc(&body, ']');
	dataset_view_page(&body, l.page.page, l.page.limit, l.total);
	buf_addc(&body, '}');
	if (err == ERR_NONE)
		return reply_json(x, 200, &body);
	buf_release(&body);
	return err;
}

/* ---- how far indexing is ------------------------------------------------- */

static void
put_status(const struct browse_document *d, struct buf *out)
{
	static const char *const steps[] = {"parsing_completed_at",
	    "cleaning_completed_at", "splitting_completed_at",
	    "completed_at"};
	size_t i;

	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", d->id);
	jsonout_member_cstring(out, "indexing_status",
	    d->waiting ? "waiting" : d->fault != NULL ? "error" : "completed");
	if (d->waiting)
		jsonout_member_null(out, "processing_started_at");
	else
		jsonout_member_int(out, "processing_started_at",
		    d->started_s);
	/* All of it is one step here. */
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (d->waiting || d->fault != NULL)
			jsonout_member_null(out, steps[i]);
		else
			jsonout_member_int(out, steps[i], d->finished_s);
	}
	jsonout_member_null(out, "paused_at");
	jsonout_member_cstring(out, "error", d->fault);
	if (d->fault == NULL)
		jsonout_member_null(out, "stopped_at");
	else
		jsonout_member_int(out, "stopped_at", d->finished_s);
	jsonout_member_int(out, "completed_segments", d->segments);
	jsonout_member_int(out, "total_segments", d->segments);
	buf_addc(out, '}');
}

static enum err
put_batch(const struct dataset_reader *r, const char *dataset,
    struct span name, struct buf *out)
{
	struct arena *arena = r->x->request.arena;
	const char *batch = arena_strndup(arena, name.data, name.len);
	struct dataset_document_row *rows;
	struct browse_document document;
	int64_t after = 0;
	size_t n = PAGE_MAX, i;
	enum err err = batch == NULL ? ERR_MEMORY : ERR_NONE;

	while (err == ERR_NONE && n == PAGE_MAX) {
		err = dataset_documents_batch(r->db, dataset, batch, after,
		    PAGE_MAX, arena, &rows, &n);
		for (i = 0; i < n && err == ERR_NONE; i++) {
			err = dataset_view_lookup(r, &rows[i], &document);
			if (err == ERR_NONE)
				put_status(&document, out);
			after = rows[i].seq;
		}
	}
	return err;
}

enum err
indexing_status_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct dataset_reader r;
	struct dataset_view d;
	size_t empty;
	enum err err;

	err = dataset_view_find(x, &d);
	if (err != ERR_NONE)
		return err;
	err = dataset_reader_open(x, &r);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	empty = body.len;
	err = put_batch(&r, d.row.id, x->captures[1], &body);
	dataset_reader_close(&r);
	if (err == ERR_NONE && body.len > empty) {
		buf_adds(&body, "]}");
		return reply_json(x, 200, &body);
	}
	buf_release(&body);
	return err == ERR_NONE ? reply_error(x, REPLY_DOCUMENTS) : err;
}

/* ---- segments ------------------------------------------------------------ */

/* Every segment is "completed": one that could not be indexed is none.  May
 * it be listed, by the values of `status` (none: it may)? */
static bool
completed_is_asked_for(struct exchange *x)
{
	static const char *const names[] = {"status", "status[]"};
	struct span rest, value;
	bool asked = false;
	size_t i;

	for (i = 0; i < 2; i++) {
		rest = x->request.query;
		while (request_query_next(&x->request, &rest, names[i],
		    &value)) {
			if (span_is(value, "completed"))
				return true;
			asked = asked || value.len > 0;
		}
	}
	return !asked;
}

static enum err
put_segments(const struct dataset_reader *r,
    const struct browse_document *document, const struct parse_page *page,
    struct buf *out, int64_t *total)
{
	struct browse_segment *list;
	size_t n, i;
	enum err err = browse_segments(&r->index, document->id, page->keyword,
	    (page->page - 1) * page->limit, (size_t)page->limit,
	    r->x->request.arena, &list, &n, total);

	for (i = 0; i < n && err == ERR_NONE; i++) {
		jsonout_comma(out);
		buf_addc(out, '{');
		err = dataset_view_segment(r, document, &list[i], out);
		buf_addc(out, '}');
	}
	return err;
}

enum err
segments_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct browse_document document;
	struct dataset_reader r;
	struct dataset_view d;
	struct parse_page page;
	const char *form = NULL;
	char text[UUID_TEXT];
	int64_t total = 0;
	enum err err;

	err = dataset_view_find(x, &d);
	if (err == ERR_NONE)
		err = parse_page(x, PAGE_MAX, &page);
	if (err != ERR_NONE)
		return err;
	err = dataset_reader_open(x, &r);
	if (err != ERR_NONE)
		return err;
	err = browse_document(&r.index, d.row.id,
	    api_store_uuid(x->captures[1], text).data, x->request.arena,
	    &document);
	buf_adds(&body, "{\"data\":[");
	if (err == ERR_NONE)
		err = dataset_view_form(&r, &document, &form);
	if (err == ERR_NONE && completed_is_asked_for(x))
		err = put_segments(&r, &document, &page, &body, &total);
	dataset_reader_close(&r);
	buf_addc(&body, ']');
	jsonout_member_cstring(&body, "doc_form", form);
	dataset_view_page(&body, page.page, page.limit, total);
	buf_addc(&body, '}');
	if (err == ERR_NONE)
		return reply_json(x, 200, &body);
	buf_release(&body);
	return err == ERR_NOT_FOUND ? reply_error(x, REPLY_DOCUMENT_MISSING)
				    : err;
}
