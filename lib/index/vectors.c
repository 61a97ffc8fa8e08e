/* Vectors are rows of 4-byte floats in this machine's order. */
#include "index/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LIMIT_MS 60000

const struct engine_config *
vectors_engine(const struct config *config, const struct knowledge_config *k)
{
	return k == NULL || k->embedding == NULL
	    ? NULL
	    : config_engine(config, k->embedding);
}

enum err
vectors_missing(struct index_store *x, int64_t dataset, int64_t *n)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT (SELECT segments FROM dataset WHERE id = ?1) -"
	    " (SELECT count(*) FROM vector WHERE dataset = ?1)");
	bool row;
	enum err err;

	db_bind_int(s, 1, dataset);
	err = db_step(s, &row);
	*n = err == ERR_NONE && row ? db_int(s, 0) : 0;
	db_done(s);
	return err;
}

struct batch {
	int64_t segments[EMBED_TEXTS_MAX];
	struct span contents[EMBED_TEXTS_MAX], texts[EMBED_TEXTS_MAX];
	struct embed_vector vectors[EMBED_TEXTS_MAX];
	size_t n;
	int64_t dataset;
};

/* Segments without a vector, behind `after`. */
static enum err
read_batch(struct index_store *x, int64_t after, struct arena *arena,
    struct batch *b)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT s.id, s.content, s.heading FROM segment s"
	    " JOIN document d ON d.id = s.document WHERE d.dataset = ?1"
	    " AND s.id > ?2 AND NOT EXISTS (SELECT 1 FROM vector v"
	    " WHERE v.segment = s.id) ORDER BY s.id LIMIT ?3");
	struct span heading;
	char *text;
	bool row;
	enum err err;

	b->n = 0;
	db_bind_int(s, 1, b->dataset);
	db_bind_int(s, 2, after);
	db_bind_int(s, 3, EMBED_TEXTS_MAX);
	while ((err = db_step(s, &row)) == ERR_NONE && row &&
	    b->n < EMBED_TEXTS_MAX) {
		b->segments[b->n] = db_int(s, 0);
		b->contents[b->n] = db_text_copy(s, 1, arena);
		heading = db_text(s, 2);
		text = arena_printf(arena, "%.*s\n%.*s", (int)heading.len,
		    heading.data, (int)b->contents[b->n].len,
		    b->contents[b->n].data);
		if (text == NULL || b->contents[b->n].data == NULL) {
			err = ERR_MEMORY;
			break;
		}
		b->texts[b->n++] = span_trim(span_of(text));
	}
	db_done(s);
	return err;
}

/* A segment may have gone, or its number may be another's by now. */
static enum err
write_batch(const struct config *config, const struct batch *b)
{
	struct index_store *x;
	struct db_stmt *s;
	size_t i;
	enum err err = index_open_writer(config, true, false, &x);

	for (i = 0; i < b->n && err == ERR_NONE; i++) {
		s = db_prepare(x->db,
		    "INSERT OR REPLACE INTO vector(segment, dataset, numbers)"
		    " SELECT id, ?2, ?3 FROM segment WHERE id = ?1"
		    " AND content = ?4");
		db_bind_int(s, 1, b->segments[i]);
		db_bind_int(s, 2, b->dataset);
		db_bind_blob(s, 3, (struct span){
		    (const char *)b->vectors[i].numbers,
		    b->vectors[i].n * sizeof(float)});
		db_bind_text(s, 4, b->contents[i]);
		err = db_run(s);
	}
	if (err == ERR_NONE)
		err = index_commit(x);
	index_close(x);
	return err;
}

/* One batch; *last is the last segment it had, 0 when there is none left. */
static enum err
one_batch(const struct config *config, const struct knowledge_config *k,
    const struct engine_config *engine, int64_t *last)
{
	struct index_store *x = NULL;
	struct index_dataset d;
	struct arena arena;
	struct batch *b;
	enum err err;

	arena_init(&arena, (size_t)256 << 20);
	b = arena_alloc(&arena, sizeof(*b));
	err = b == NULL ? ERR_MEMORY : index_open(config, &x);
	if (err == ERR_NONE)
		err = index_find_dataset(x, k->id, &arena, &d);
	if (err == ERR_NONE) {
		b->dataset = d.id;
		err = read_batch(x, *last, &arena, b);
	}
	index_close(x);
	*last = err == ERR_NONE && b->n > 0 ? b->segments[b->n - 1] : 0;
	if (err == ERR_NONE && b->n > 0)
		err = embed_texts(engine, b->texts, b->n, LIMIT_MS, &arena,
		    b->vectors);
	if (err == ERR_NONE && b->n > 0)
		err = write_batch(config, b);
	arena_release(&arena);
	return err;
}

enum err
vectors_update(const struct config *config, const struct knowledge_config *k,
    bool verbose)
{
	const struct engine_config *engine = vectors_engine(config, k);
	int64_t last = 0, batches = 0;
	enum err err = ERR_NONE;

	if (engine == NULL)
		return ERR_NONE;
	do {
		err = one_batch(config, k, engine, &last);
		if (verbose && last != 0)
			(void)fprintf(stderr, "%s: %lld vectors made\n",
			    k->name,
			    (long long)(++batches * EMBED_TEXTS_MAX));
	} while (err == ERR_NONE && last != 0);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

/* Eight sums at once: one after the other would wait for each addition. */
static double
product(const float *a, const float *b, size_t n)
{
	float sums[8] = {0}, rest = 0;
	size_t i, k;

	for (i = 0; i + 8 <= n; i += 8)
		for (k = 0; k < 8; k++)
			sums[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		rest += a[i] * b[i];
	for (k = 0; k < 8; k++)
		rest += sums[k];
	return (double)rest;
}

enum err
vectors_nearest(struct index_store *x, int64_t dataset,
    const struct embed_vector *v, struct vector_hit *hits, size_t max,
    size_t *n)
{
	/* Not on the stack, nor in each thread: that is 32 KB a worker. */
	float *numbers = calloc(v->n + 1, sizeof(*numbers));
	struct db_stmt *s;
	struct span bytes;
	double cosine;
	size_t i;
	bool row;
	enum err err;

	*n = 0;
	if (numbers == NULL)
		return ERR_MEMORY;
	s = db_prepare(x->db,
	    "SELECT segment, numbers FROM vector WHERE dataset = ?");
	db_bind_int(s, 1, dataset);
	while ((err = db_step(s, &row)) == ERR_NONE && row) {
		bytes = db_text(s, 1);
		if (bytes.len != v->n * sizeof(float))
			continue; /* of another model */
		memcpy(numbers, bytes.data, bytes.len); /* aligned */
		cosine = product(numbers, v->numbers, v->n);
		if (*n == max && cosine <= hits[max - 1].cosine)
			continue;
		i = *n < max ? (*n)++ : max - 1;
		for (; i > 0 && hits[i - 1].cosine < cosine; i--)
			hits[i] = hits[i - 1];
		hits[i] = (struct vector_hit){db_int(s, 0), cosine};
	}
	db_done(s);
	free(numbers);
	return err;
}
