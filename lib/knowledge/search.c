/*
 * Two steps, so that a search does not grow with the index.
 *
 * First candidates: the segments that hold the rarest words of the question.
 * The table `term` knows how many segments hold each form, so words are
 * taken, rarest first, until their lists together reach CANDIDATES_SCANNED.
 * Commoner words are looked for in headings, and in pairs, over at most
 * COMMON_SCANNED rows each.  The best KEPT by idf and saturated frequency go
 * on.  An index with fewer segments than CANDIDATES_SCANNED is thus searched
 * whole.
 *
 * Then the candidates are read and ranked (rank.h) with what an inverted
 * index does not know: all words, lengths, neighbours, headings, cells.
 */
#include "knowledge/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "knowledge/rank.h"
#include "store/db.h"

#define CANDIDATES_SCANNED 4096
#define COMMON_SCANNED 1024
#define KEPT 48
#define RANK_OFFSET 60 /* of reciprocal rank fusion */
/* Looking for words that are spelt alike. */
#define ALIKE_START 3 /* bytes that must be the same */
#define ALIKE_SCANNED 2000
#define ALIKE_WORDS 8 /* of one question; a pasted page has no typos */
#define ALIKE_FACTOR 0.7
#define PREFIX_MIN 8 /* bytes */
#define PIECE_MIN 4 /* bytes of a part of a compound word */
#define WEIGHTS_MAX (QUERY_TERMS_MAX * WORD_FORMS_MAX)

struct candidate {
	int64_t segment;
	double score;
};

struct search {
	struct index_store *x;
	const struct index_dataset *d;
	struct query *q;
	struct rank_query rank;
	int64_t frequency[QUERY_TERMS_MAX];
	struct candidate kept[KEPT];
	size_t n_kept;
	struct buf match;
	double weights[WEIGHTS_MAX];
	size_t n_weights;
	const struct language *spoken; /* the question's, or NULL */
};

static struct span
indexed_form(const struct search *s, const struct word_forms *forms, size_t i,
    char out[24 + WORD_FORM_BYTES])
{
	size_t n = (size_t)snprintf(out, 24, "%lld:", (long long)s->d->id);

	memcpy(out + n, forms->text[i], forms->len[i]);
	return (struct span){out, n + forms->len[i]};
}

/* In how many segments of the dataset is a form? */
static enum err
count_form(struct search *s, struct span form, bool begins, int64_t *count)
{
	static const char exact[] = "SELECT segments FROM term WHERE word = ?";
	static const char from[] = "SELECT sum(segments) FROM (SELECT segments"
	    " FROM term WHERE word >= ?1 AND word < ?1 || x'F8' LIMIT 200)";
	struct db_stmt *st = db_prepare(s->x->db, begins ? from : exact);
	enum err err;
	bool row;

	db_bind_blob(st, 1, form);
	err = db_step(st, &row);
	*count = err == ERR_NONE && row ? db_int(st, 0) : 0;
	db_done(st);
	return err;
}

/* How alike are a word of the question and an indexed form?  0 is not. */
static int
likeness(struct span a, struct span b)
{
	size_t common = 0, min = a.len < b.len ? a.len : b.len, distance;
	char x[WORD_FORM_BYTES + 1], y[WORD_FORM_BYTES + 1];

	while (common < min && a.data[common] == b.data[common])
		common++;
	/* "donated" and "donation": one begins as the other. */
	if (common >= 5 && common * 4 >= a.len * 3 && common * 4 >= b.len * 3)
		return 50 + (int)common;
	/* "Spülmaschine" is in "spülmaschinenfest". */
	if (common == a.len && a.len >= PREFIX_MIN && a.len * 2 >= b.len)
		return 45;
	if (a.len >= 64 || b.len >= 64 || min < 4 || (min < 5 &&
		(a.data[0] != b.data[0] || a.len < 5)))
		return 0;
	memcpy(x, a.data, a.len);
	memcpy(y, b.data, b.len);
	x[a.len] = y[b.len] = '\0';
	distance = text_distance(x, y);
	if (distance > (min >= 9 ? 2 : 1))
		return 0;
	return 40 - (int)distance;
}

/* A word that no segment has may be one that some have, spelt or inflected
 * otherwise: the most alike of those that begin alike stands in for it. */
static enum err
find_alike(struct search *s, struct query_term *t, int64_t *count)
{
	char text[24 + WORD_FORM_BYTES], best[WORD_FORM_BYTES];
	struct span whole = indexed_form(s, &t->forms, 0, text), start, form;
	struct db_stmt *st;
	size_t best_len = 0;
	int max = 0, like;
	enum err err;
	bool row;

	start = (struct span){whole.data,
	    whole.len - t->forms.len[0] + ALIKE_START};
	st = db_prepare(s->x->db, "SELECT word, segments FROM term WHERE"
	    " word > ?1 AND word < ?1 || x'FF' AND segments > 0 LIMIT ?2");
	db_bind_blob(st, 1, start);
	db_bind_int(st, 2, ALIKE_SCANNED);
	while ((err = db_step(st, &row)) == ERR_NONE && row) {
		form = db_text(st, 0);
		form.len -= whole.len - t->forms.len[0];
		form.data += whole.len - t->forms.len[0];
		like = form.len > WORD_FORM_BYTES ? 0
		    : likeness((struct span){t->forms.text[0],
			t->forms.len[0]}, form);
		if (like <= max)
			continue;
		max = like;
		memcpy(best, form.data, form.len);
		best_len = form.len;
		*count = db_int(st, 1);
	}
	db_done(st);
	if (err == ERR_NONE && max > 0) {
		memcpy(t->forms.text[0], best, best_len);
		t->forms.len[0] = (unsigned char)best_len;
		t->forms.n = t->own_forms = 1;
		t->factor *= ALIKE_FACTOR;
	}
	return err;
}

/* Is this piece of a word indexed? */
static enum err
count_piece(struct search *s, struct span piece, int64_t *count)
{
	struct word_forms forms = {.n = 1};
	char text[24 + WORD_FORM_BYTES];

	memcpy(forms.text[0], piece.data, piece.len);
	forms.len[0] = (unsigned char)piece.len;
	return count_form(s, indexed_form(s, &forms, 0, text), false, count);
}

/* "Ersatzausweis" is an Ausweis: a long word that no segment has may be made
 * of two that some have, with or without an s or n between. */
static enum err
split_compound(struct search *s, struct query_term *t, int64_t *count)
{
	struct span word = {t->forms.text[0], t->forms.len[0]}, left, right;
	struct concept concept;
	int64_t n_left, n_right;
	size_t i;
	enum err err;

	for (i = PIECE_MIN; i + PIECE_MIN <= word.len; i++) {
		if (((unsigned char)word.data[i] & 0xC0) == 0x80)
			continue;
		right = (struct span){word.data + i, word.len - i};
		left = (struct span){word.data, i};
		err = count_piece(s, right, &n_right);
		if (err != ERR_NONE)
			return err;
		/* "Versandkosten": the costs of Versand. */
		if (n_right == 0 && !(i >= PIECE_MIN + 1 && s->spoken != NULL &&
			concept_of(right, s->spoken, &concept)))
			continue;
		err = count_piece(s, left, &n_left);
		if (err == ERR_NONE && n_left == 0 && left.len > PIECE_MIN &&
		    strchr("sn", left.data[left.len - 1]) != NULL) {
			left.len--;
			err = count_piece(s, left, &n_left);
		}
		if (err != ERR_NONE)
			return err;
		if (n_left == 0)
			continue;
		if (n_right == 0)
			t->kind = concept.kind;
		t->forms.n = t->own_forms = 2;
		t->forms.len[1] = (unsigned char)left.len;
		memcpy(t->forms.text[1], left.data, left.len);
		t->forms.len[0] = (unsigned char)right.len;
		memmove(t->forms.text[0], right.data, right.len);
		t->factor *= ALIKE_FACTOR;
		*count = n_right > n_left ? n_right : n_left;
		return ERR_NONE;
	}
	return ERR_NONE;
}

static enum err
count_terms(struct search *s)
{
	char text[24 + WORD_FORM_BYTES];
	size_t i, k, looked = 0;
	int64_t count;
	enum err err;

	for (i = 0; i < s->q->n; i++) {
		struct query_term *t = &s->q->terms[i];

		s->frequency[i] = 0;
		for (k = 0; k < t->forms.n; k++) {
			err = count_form(s, indexed_form(s, &t->forms, k, text),
			    t->begins, &count);
			if (err != ERR_NONE)
				return err;
			if (count > s->frequency[i])
				s->frequency[i] = count;
		}
		if (s->frequency[i] == 0 && !t->pair && !t->stop &&
		    !t->context && t->forms.n > 0 && t->forms.len[0] >= 5 &&
		    looked++ < ALIKE_WORDS) {
			err = find_alike(s, t, &s->frequency[i]);
			if (err == ERR_NONE && s->frequency[i] == 0)
				err = split_compound(s, t, &s->frequency[i]);
			if (err != ERR_NONE)
				return err;
		}
	}
	return ERR_NONE;
}

/* ---- candidates ---------------------------------------------------------- */

/* Keeps the best KEPT; the worst of them is at the end. */
static void
keep(struct search *s, int64_t segment, double score)
{
	size_t i;

	for (i = 0; i < s->n_kept; i++)
		if (s->kept[i].segment == segment)
			return;
	if (s->n_kept == KEPT && score <= s->kept[KEPT - 1].score)
		return;
	i = s->n_kept < KEPT ? s->n_kept++ : KEPT - 1;
	for (; i > 0 && s->kept[i - 1].score < score; i--)
		s->kept[i] = s->kept[i - 1];
	s->kept[i] = (struct candidate){segment, score};
}

static void
match_start(struct search *s)
{
	buf_reset(&s->match);
	s->n_weights = 0;
}

/* ("12:tax" OR "12:taxe"); letters and digits only, so quotes are safe.  In
 * headings only: "12/tax". */
static void
match_term(struct search *s, size_t term, bool headings)
{
	const struct query_term *t = &s->q->terms[term];
	char text[24 + WORD_FORM_BYTES];
	struct span form;
	size_t k;

	buf_addc(&s->match, '(');
	for (k = 0; k < t->forms.n; k++) {
		form = indexed_form(s, &t->forms, k, text);
		if (headings)
			text[form.len - t->forms.len[k] - 1] = '/';
		buf_adds(&s->match, k == 0 ? "\"" : " OR \"");
		buf_add(&s->match, form.data, form.len);
		buf_adds(&s->match, t->begins ? "\"*" : "\"");
		s->weights[s->n_weights++] = s->rank.weights[term];
	}
	buf_addc(&s->match, ')');
}

static enum err
scan(struct search *s, int64_t max)
{
	struct db_stmt *st = db_prepare(s->x->db,
	    "SELECT rowid, parlance_score(lookup, ?2) FROM lookup"
	    " WHERE lookup MATCH ?1 LIMIT ?3");
	enum err err = buf_err(&s->match);
	bool row;

	if (err == ERR_NONE) {
		db_bind_text(st, 1,
		    (struct span){buf_text(&s->match), s->match.len});
		db_bind_blob(st, 2, (struct span){(const char *)s->weights,
		    s->n_weights * sizeof(double)});
		db_bind_int(st, 3, max);
		while ((err = db_step(st, &row)) == ERR_NONE && row)
			keep(s, db_int(st, 0), db_double(st, 1));
	}
	db_done(st);
	return err;
}

/* The words candidates are looked for by, rarest first. */
static size_t
order_terms(const struct search *s, size_t order[QUERY_TERMS_MAX])
{
	bool stops = true;
	size_t n = 0, i, k;

	for (i = 0; i < s->q->n; i++)
		if (!s->q->terms[i].stop && !s->q->terms[i].context &&
		    s->frequency[i] > 0)
			stops = false;
	for (i = 0; i < s->q->n; i++) {
		if (s->frequency[i] <= 0 || s->q->terms[i].context ||
		    (s->q->terms[i].stop && !stops))
			continue;
		for (k = n++; k > 0 && s->frequency[order[k - 1]] >
		     s->frequency[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	return n;
}

static enum err
scan_common(struct search *s, const size_t *common, size_t n)
{
	enum err err;
	size_t i;

	match_start(s);
	for (i = 0; i < n && i < 4; i++) {
		if (i > 0)
			buf_adds(&s->match, " OR ");
		match_term(s, common[i], true);
	}
	err = scan(s, COMMON_SCANNED);
	for (i = 0; i + 1 < n && i < 3 && err == ERR_NONE; i++) {
		match_start(s);
		match_term(s, common[i], false);
		buf_adds(&s->match, " AND ");
		match_term(s, common[i + 1], false);
		err = scan(s, COMMON_SCANNED);
	}
	if (n == 1 && err == ERR_NONE) {
		match_start(s);
		match_term(s, common[0], false);
		err = scan(s, COMMON_SCANNED);
	}
	return err;
}

static enum err
find_candidates(struct search *s)
{
	size_t order[QUERY_TERMS_MAX], n = order_terms(s, order), rare = 0;
	int64_t total = 0;
	enum err err = ERR_NONE;

	match_start(s);
	while (rare < n &&
	    total + s->frequency[order[rare]] <= CANDIDATES_SCANNED) {
		total += s->frequency[order[rare]];
		if (rare > 0)
			buf_adds(&s->match, " OR ");
		match_term(s, order[rare++], false);
	}
	if (rare > 0)
		err = scan(s, CANDIDATES_SCANNED);
	if (rare < n && err == ERR_NONE)
		err = scan_common(s, order + rare, n - rare);
	return err;
}

/* ---- ranking ------------------------------------------------------------- */

static enum err
load(struct search *s, int64_t segment, struct arena *arena,
    struct rank_segment *out)
{
	struct db_stmt *st = db_prepare(s->x->db,
	    "SELECT s.position, s.is_row, s.words, s.heading, s.content,"
	    " d.name, d.uid, d.language, d.path FROM segment s"
	    " JOIN document d ON d.id = s.document WHERE s.id = ?");
	enum err err;
	bool row;

	db_bind_int(st, 1, segment);
	err = db_step(st, &row);
	if (err == ERR_NONE && !row)
		err = ERR_NOT_FOUND;
	if (err == ERR_NONE) {
		out->position = db_int(st, 0);
		out->is_row = db_int(st, 1) != 0;
		out->words = db_int(st, 2);
		out->heading = db_text_copy(st, 3, arena);
		out->content = db_text_copy(st, 4, arena);
		out->document_name = db_cstring_copy(st, 5, arena);
		out->document_uid = db_cstring_copy(st, 6, arena);
		out->language =
		    language_find(db_cstring_copy(st, 7, arena));
		out->document_path = db_cstring_copy(st, 8, arena);
		if (out->content.data == NULL || out->document_uid == NULL ||
		    out->document_name == NULL)
			err = ERR_MEMORY;
	}
	db_done(st);
	return err;
}

static enum err
make_hit(struct search *s, const struct rank_segment *r, double score,
    struct arena *arena, struct search_hit *hit)
{
	struct passage *p = &hit->passage;

	*p = (struct passage){.dataset_id = s->d->uid,
	    .dataset_name = s->d->name, .document_id = r->document_uid,
	    .document_name = r->document_name,
	    .document_path = r->document_path,
	    .segment_id = index_segment_uid(arena, r->document_uid,
		r->content),
	    .segment_position = r->position, .score = score,
	    .heading = r->heading, .content = r->content,
	    .is_row = r->is_row,
	    .language = r->language == NULL ? NULL : r->language->code,
	    .hit_count = -1, .word_count = r->words};
	hit->dataset = s->d;
	return p->segment_id == NULL ? ERR_MEMORY : ERR_NONE;
}

static void
sort_hits(struct search_hits *hits)
{
	struct search_hit hit;
	size_t i, k;

	for (i = 1; i < hits->n; i++) {
		hit = hits->items[i];
		for (k = i; k > 0 && (hits->items[k - 1].passage.score <
		     hit.passage.score || (hits->items[k - 1].passage.score ==
		     hit.passage.score && hits->items[k - 1].segment >
		     hit.segment)); k--)
			hits->items[k] = hits->items[k - 1];
		hits->items[k] = hit;
	}
}

static enum err
rank_candidates(struct search *s, struct arena *arena,
    struct search_hits *hits)
{
	struct rank_segment segment;
	enum err err = ERR_NONE;
	double score;
	size_t i;

	hits->items = arena_array(arena, 2 * KEPT, sizeof(*hits->items));
	if (hits->items == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->n_kept && err == ERR_NONE; i++) {
		err = load(s, s->kept[i].segment, arena, &segment);
		if (err == ERR_NOT_FOUND) {
			err = ERR_NONE;
			continue;
		}
		if (err != ERR_NONE)
			break;
		score = rank_score(&s->rank, &s->x->vocabulary, &segment);
		hits->items[hits->n].segment = s->kept[i].segment;
		err = make_hit(s, &segment, score, arena,
		    &hits->items[hits->n]);
		hits->n += err == ERR_NONE;
	}
	sort_hits(hits);
	return err;
}

/* ---- joining both orders ------------------------------------------------- */

static struct search_hit *
find_hit(struct search_hits *hits, int64_t segment)
{
	size_t i;

	for (i = 0; i < hits->n; i++)
		if (hits->items[i].segment == segment)
			return &hits->items[i];
	return NULL;
}

/* A segment that only its vector found. */
static enum err
add_hit(struct search *s, int64_t id, struct arena *arena,
    struct search_hits *hits)
{
	struct search_hit *hit = &hits->items[hits->n];
	struct rank_segment segment;
	enum err err = load(s, id, arena, &segment);

	if (err == ERR_NONE)
		err = make_hit(s, &segment, 0, arena, hit);
	if (err != ERR_NONE)
		return err == ERR_NOT_FOUND ? ERR_NONE : err;
	hit->segment = id;
	hit->joined = 0;
	hits->n++;
	return ERR_NONE;
}

static void
sort_joined(struct search_hits *hits)
{
	struct search_hit hit;
	size_t i, k;

	for (i = 1; i < hits->n; i++) {
		hit = hits->items[i];
		for (k = i; k > 0 && hits->items[k - 1].joined < hit.joined;
		     k--)
			hits->items[k] = hits->items[k - 1];
		hits->items[k] = hit;
	}
	for (i = 1; i < hits->n; i++)
		if (hits->items[i].passage.score >
		    hits->items[i - 1].passage.score)
			hits->items[i].passage.score =
			    hits->items[i - 1].passage.score;
}

static enum err
join_vectors(struct search *s, const struct embed_vector *v,
    struct arena *arena, struct search_hits *hits)
{
	struct vector_hit near[KEPT];
	struct search_hit *hit;
	size_t n, i;
	enum err err = vectors_nearest(s->x, s->d->id, v, near, KEPT, &n);

	if (err != ERR_NONE || n == 0)
		return err;
	for (i = 0; i < hits->n; i++)
		hits->items[i].joined = 1 / (RANK_OFFSET + (double)i + 1);
	for (i = 0; i < n && err == ERR_NONE; i++) {
		if (find_hit(hits, near[i].segment) == NULL)
			err = add_hit(s, near[i].segment, arena, hits);
		hit = find_hit(hits, near[i].segment);
		if (hit == NULL)
			continue;
		hit->joined += 1 / (RANK_OFFSET + (double)i + 1);
		if (near[i].cosine > hit->passage.score)
			hit->passage.score = near[i].cosine > 1
			    ? 1
			    : near[i].cosine;
	}
	sort_joined(hits);
	return err;
}

enum err
search_dataset(struct index_store *x, const struct index_dataset *d,
    struct query *q, const struct embed_vector *v, size_t max,
    struct arena *arena, struct search_hits *hits)
{
	struct search *s = calloc(1, sizeof(*s));
	enum err err;
	size_t i;

	*hits = (struct search_hits){.n = 0};
	if (s == NULL)
		return ERR_MEMORY;
	s->x = x;
	s->d = d;
	s->q = q;
	s->spoken = q->spoken;
	buf_init(&s->match, 65536);
	err = count_terms(s);
	q->segments = d->segments;
	for (i = 0; i < q->n; i++)
		q->terms[i].frequency = s->frequency[i];
	if (err == ERR_NONE) {
		rank_prepare(&s->rank, q, s->frequency, d->segments, d->words);
		err = find_candidates(s);
	}
	if (err == ERR_NONE)
		err = rank_candidates(s, arena, hits);
	if (err == ERR_NONE && v != NULL)
		err = join_vectors(s, v, arena, hits);
	if (hits->n > max)
		hits->n = max;
	buf_release(&s->match);
	free(s);
	return err;
}
