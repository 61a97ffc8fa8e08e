/* What a pass of changes writes into the index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chat/tokens.h"
#include "index/index_store.h"
#include "store/db.h"
#include "store/rows.h"

static enum err
add_dataset(struct index_store *x, const char *uid, const char *name,
    const char *language, const char *encoding, int64_t *id)
{
	struct db_stmt *s = db_prepare(x->db,
	    "INSERT INTO dataset(uid, name, language, encoding, segments,"
	    " words, languages) VALUES(?, ?, ?, ?, 0, 0, 0) RETURNING id");

	db_bind_cstring(s, 1, uid);
	db_bind_cstring(s, 2, name);
	db_bind_cstring(s, 3, language);
	db_bind_cstring(s, 4, encoding);
	return row_int(s, id);
}

static enum err
rename_dataset(struct index_store *x, int64_t id, const char *name)
{
	struct db_stmt *s = db_prepare(x->db,
	    "UPDATE dataset SET name = ? WHERE id = ?");

	db_bind_cstring(s, 1, name);
	db_bind_int(s, 2, id);
	return db_run(s);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

enum err
index_put_dataset(struct index_store *x, const char *uid, const char *name,
    const char *language, const char *encoding, struct index_dataset *d)
{
	struct index_dataset old;
	struct arena arena;
	enum err err;

	arena_init(&arena, 65536);
	err = index_find_dataset(x, uid, &arena, &old);
	if (err == ERR_NONE && old.id != 0 &&
	    (!same_text(old.language, language) ||
	    !same_text(old.encoding, encoding))) {
		err = index_remove_dataset(x, &old);
		old.id = 0;
	}
	if (err == ERR_NONE && old.id == 0) {
		old = (struct index_dataset){.id = 0};
		err = add_dataset(x, uid, name, language, encoding, &old.id);
	} else if (err == ERR_NONE && strcmp(old.name, name) != 0) {
		err = rename_dataset(x, old.id, name);
	}
	*d = old;
	d->uid = uid;
	d->name = name;
	d->language = language;
	d->encoding = encoding;
	arena_release(&arena);
	return err;
}

enum err
index_begin_document(struct index_store *x,
    const struct index_dataset *dataset, struct index_document *d)
{
	struct db_stmt *s = db_prepare(x->db,
	    "INSERT INTO document(dataset, path, uid, name, size, changed,"
	    " hash, language, fault, again, remark, share, segments, words,"
	    " tokens, started, finished) VALUES(?, ?, ?, ?, ?, ?, ?, ?, NULL,"
	    " 0, NULL, 100, 0, 0, 0, ?, 0) RETURNING id");

	db_bind_int(s, 1, dataset->id);
	db_bind_cstring(s, 2, d->path);
	db_bind_cstring(s, 3, d->uid);
	db_bind_cstring(s, 4, d->name);
	db_bind_int(s, 5, d->size);
	db_bind_int(s, 6, d->changed_ns);
	db_bind_blob(s, 7, d->hash);
	db_bind_cstring(s, 8, d->language);
	db_bind_int(s, 9, clock_now_us());
	d->segments = d->words = d->tokens = 0;
	return row_int(s, &d->id);
}

/* A row's header is the same in every row: it is looked up as a heading. */
static void
split_row(const struct segment *segment, struct buf *heading, struct span *body)
{
	struct span rest = segment->content;

	if (!segment->is_row)
		return;
	rest = span_cut(&rest, '\n');
	buf_addc(heading, '\n');
	buf_add(heading, rest.data, rest.len);
	*body = (struct span){segment->content.data + rest.len,
	    segment->content.len - rest.len};
}

static enum err
look_up_later(struct index_store *x, int64_t id, struct span heading,
    struct span body, bool remove)
{
	struct db_stmt *s = remove
	    ? db_prepare(x->db, "INSERT INTO lookup(lookup, rowid, heading,"
				" body) VALUES('delete', ?, ?, ?)")
	    : db_prepare(x->db, "INSERT INTO lookup(rowid, heading, body)"
				" VALUES(?, ?, ?)");

	x->fts.row = id;
	x->fts.sign = remove ? -1 : 1;
	x->fts.column = 0;
	db_bind_int(s, 1, id);
	db_bind_text(s, 2, heading);
	db_bind_text(s, 3, body);
	return db_run(s);
}

/* The heading under which a segment is found: document, path, header. */
static enum err
put_lookup(struct index_store *x, int64_t id, const char *document,
    const struct segment *segment, bool remove)
{
	struct buf heading = BUF_INIT(SEGMENT_ROW_MAX * 4);
	struct span body = segment->content;
	enum err err;

	buf_adds(&heading, document);
	buf_addc(&heading, '\n');
	buf_add(&heading, segment->heading.data, segment->heading.len);
	split_row(segment, &heading, &body);
	err = buf_err(&heading);
	if (err == ERR_NONE)
		err = look_up_later(x, id,
		    (struct span){buf_text(&heading), heading.len}, body,
		    remove);
	buf_release(&heading);
	return err;
}

/* Ids go on from the highest; one writer at a time. */
static enum err
next_segment(struct index_store *x, int64_t *id)
{
	struct db_stmt *s;
	enum err err = ERR_NONE;
	bool row;

	if (x->last_segment == 0) {
		s = db_prepare(x->db, "SELECT max(id) FROM segment");
		err = db_step(s, &row);
		if (err == ERR_NONE && row)
			x->last_segment = db_int(s, 0);
		db_done(s);
	}
	*id = ++x->last_segment;
	return err;
}

enum err
index_add_segment(struct index_store *x, const struct index_dataset *dataset,
    struct index_document *d, const struct segment *segment)
{
	struct db_stmt *s;
	int64_t id;
	enum err err = next_segment(x, &id);

	x->fts.dataset = dataset->id;
	x->fts.language = language_find(d->language);
	if (err == ERR_NONE)
		err = put_lookup(x, id, d->name, segment, false);
	if (err != ERR_NONE)
		return err;
	d->segments++;
	d->words += x->fts.words; /* the body is read last */
	d->tokens += tokens_count(segment->content);
	s = db_prepare(x->db,
	    "INSERT INTO segment(id, document, position, is_row, words,"
	    " heading, content) VALUES(?, ?, ?, ?, ?, ?, ?)");
	db_bind_int(s, 1, id);
	db_bind_int(s, 2, d->id);
	db_bind_int(s, 3, d->segments);
	db_bind_int(s, 4, segment->is_row);
	db_bind_int(s, 5, x->fts.words);
	db_bind_text(s, 6, segment->heading);
	db_bind_text(s, 7, segment->content);
	return db_run(s);
}

enum err
index_end_document(struct index_store *x, struct index_dataset *dataset,
    const struct index_document *d)
{
	struct db_stmt *s = db_prepare(x->db,
	    "UPDATE document SET fault = ?, segments = ?, words = ?,"
	    " tokens = ?, finished = ?, again = ?, remark = ?, share = ?"
	    " WHERE id = ?");

	db_bind_cstring(s, 1, d->fault);
	db_bind_int(s, 2, d->segments);
	db_bind_int(s, 3, d->words);
	db_bind_int(s, 4, d->tokens);
	db_bind_int(s, 5, clock_now_us());
	db_bind_int(s, 6, d->again);
	db_bind_cstring(s, 7, d->remark);
	db_bind_int(s, 8, d->share);
	db_bind_int(s, 9, d->id);
	dataset->segments += d->segments;
	dataset->words += d->words;
	return db_run(s);
}

enum err
index_touch_document(struct index_store *x, const struct index_document *d)
{
	struct db_stmt *s = db_prepare(x->db,
	    "UPDATE document SET size = ?, changed = ? WHERE id = ?");

	db_bind_int(s, 1, d->size);
	db_bind_int(s, 2, d->changed_ns);
	db_bind_int(s, 3, d->id);
	return db_run(s);
}

/* Takes the forms of one document's segments out of the lookup. */
static enum err
forget_segments(struct index_store *x, int64_t document)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT s.id, s.is_row, s.heading, s.content, d.name, d.language,"
	    " d.dataset FROM segment s JOIN document d ON d.id = s.document"
	    " WHERE s.document = ?");
	struct segment segment;
	struct arena arena;
	enum err err;
	bool row;

	arena_init(&arena, (size_t)1 << 20);
	db_bind_int(s, 1, document);
	while ((err = db_step(s, &row)) == ERR_NONE && row) {
		segment.is_row = db_int(s, 1) != 0;
		segment.heading = db_text(s, 2);
		segment.content = db_text(s, 3);
		x->fts.language =
		    language_find(db_cstring_copy(s, 5, &arena));
		x->fts.dataset = db_int(s, 6);
		err = put_lookup(x, db_int(s, 0),
		    db_cstring_copy(s, 4, &arena), &segment, true);
		arena_release(&arena);
		if (err != ERR_NONE)
			break;
	}
	db_done(s);
	return err;
}

static enum err
count_out(struct index_store *x, struct index_dataset *dataset,
    int64_t document)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT segments, words FROM document WHERE id = ?");
	enum err err;
	bool row;

	db_bind_int(s, 1, document);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		dataset->segments -= db_int(s, 0);
		dataset->words -= db_int(s, 1);
	}
	db_done(s);
	return err;
}

enum err
index_remove_document(struct index_store *x, struct index_dataset *dataset,
    int64_t document)
{
	enum err err = count_out(x, dataset, document);
	struct db_stmt *s;

	if (err == ERR_NONE)
		err = forget_segments(x, document);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(x->db, "DELETE FROM vector WHERE segment IN"
	    " (SELECT id FROM segment WHERE document = ?)");
	db_bind_int(s, 1, document);
	err = db_run(s);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(x->db, "DELETE FROM segment WHERE document = ?");
	db_bind_int(s, 1, document);
	err = db_run(s);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(x->db, "DELETE FROM document WHERE id = ?");
	db_bind_int(s, 1, document);
	return db_run(s);
}

static enum err
write_terms(struct index_store *x, int64_t dataset)
{
	struct vocabulary_term **terms;
	struct db_stmt *s;
	char word[24 + WORD_FORM_BYTES];
	size_t n, i, prefix;
	enum err err = vocabulary_changes(&x->vocabulary, &terms, &n);

	prefix = (size_t)snprintf(word, sizeof(word), "%lld:",
	    (long long)dataset);
	for (i = 0; i < n && err == ERR_NONE; i++) {
		memcpy(word + prefix, terms[i]->text.data,
		    terms[i]->text.len);
		s = db_prepare(x->db,
		    "INSERT INTO term(word, segments) VALUES(?, ?)"
		    " ON CONFLICT(word) DO UPDATE"
		    " SET segments = segments + excluded.segments");
		db_bind_blob(s, 1,
		    (struct span){word, prefix + terms[i]->text.len});
		db_bind_int(s, 2, terms[i]->change);
		err = db_run(s);
	}
	free(terms);
	return err;
}

/* Which languages the documents are in, as a mask. */
static enum err
find_languages(struct index_store *x, struct index_dataset *dataset)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT DISTINCT language FROM document"
	    " WHERE dataset = ? AND language IS NOT NULL");
	const struct language *language;
	struct arena arena;
	enum err err;
	bool row;

	arena_init(&arena, 65536);
	dataset->languages = 0;
	db_bind_int(s, 1, dataset->id);
	while ((err = db_step(s, &row)) == ERR_NONE && row) {
		language = language_find(db_cstring_copy(s, 0, &arena));
		if (language != NULL)
			dataset->languages |= (uint32_t)1
			    << language_number(language);
	}
	db_done(s);
	arena_release(&arena);
	return err;
}

enum err
index_settle(struct index_store *x, struct index_dataset *dataset)
{
	enum err err = write_terms(x, dataset->id);
	struct db_stmt *s;

	if (err == ERR_NONE)
		err = find_languages(x, dataset);
	if (err != ERR_NONE)
		return err;
	vocabulary_settle(&x->vocabulary);
	s = db_prepare(x->db,
	    "UPDATE dataset SET segments = ?, words = ?, languages = ?"
	    " WHERE id = ?");
	db_bind_int(s, 1, dataset->segments);
	db_bind_int(s, 2, dataset->words);
	db_bind_int(s, 3, dataset->languages);
	db_bind_int(s, 4, dataset->id);
	return db_run(s);
}

/* Every document of it, in turns that fit into memory. */
static enum err
next_document(struct index_store *x, int64_t dataset, int64_t *document)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT id FROM document WHERE dataset = ? LIMIT 1");
	enum err err;
	bool row;

	db_bind_int(s, 1, dataset);
	err = db_step(s, &row);
	*document = err == ERR_NONE && row ? db_int(s, 0) : 0;
	db_done(s);
	return err;
}

enum err
index_remove_dataset(struct index_store *x, const struct index_dataset *d)
{
	struct index_dataset copy = *d;
	int64_t document;
	enum err err;
	struct db_stmt *s;

	while ((err = next_document(x, d->id, &document)) == ERR_NONE &&
	    document != 0) {
		err = index_remove_document(x, &copy, document);
		if (err == ERR_NONE && vocabulary_is_large(&x->vocabulary))
			err = index_settle(x, &copy);
		if (err != ERR_NONE)
			return err;
	}
	if (err == ERR_NONE)
		err = index_settle(x, &copy);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(x->db, "DELETE FROM dataset WHERE id = ?");
	db_bind_int(s, 1, d->id);
	return db_run(s);
}
