/* Two hash tables with open addressing: written words, and their forms. */
#include "index/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512 << 20)
#define ARENA_LARGE ((size_t)96 << 20)

void
vocabulary_init(struct vocabulary *v)
{
	*v = (struct vocabulary){.n_entries = 0};
	arena_init(&v->arena, ARENA_MAX);
}

void
vocabulary_release(struct vocabulary *v)
{
	free(v->entries);
	free(v->terms);
	stemmers_release(&v->stemmers);
	arena_release(&v->arena);
	vocabulary_init(v);
}

static size_t
hash_of(struct span s, uintptr_t seed)
{
	uint64_t hash = 14695981039346656037ULL ^ seed;
	size_t i;

	for (i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.data[i]) * 1099511628211ULL;
	return (size_t)(hash ^ (hash >> 29));
}

static size_t
term_slot(const struct vocabulary *v, struct span text)
{
	size_t i = hash_of(text, 0) & (v->terms_size - 1);

	while (v->terms[i] != NULL && !span_equal(v->terms[i]->text, text))
		i = (i + 1) & (v->terms_size - 1);
	return i;
}

static uint32_t
entry_hash(const struct language *language, struct span written)
{
	return (uint32_t)hash_of(written, (uintptr_t)language);
}

static size_t
entry_slot(const struct vocabulary *v, uint32_t hash,
    const struct language *language, struct span written)
{
	size_t i = hash & (v->entries_size - 1);

	while (v->entries[i].entry != NULL &&
	    (v->entries[i].hash != hash ||
		v->entries[i].entry->language != language ||
		!span_equal(v->entries[i].entry->written, written)))
		i = (i + 1) & (v->entries_size - 1);
	return i;
}

static void
move_entry(struct vocabulary *v, const struct vocabulary_slot *from)
{
	v->entries[entry_slot(v, from->hash, from->entry->language,
	    from->entry->written)] = *from;
}

/* Makes room for one more in each table: never more than half full. */
static bool
grow(struct vocabulary *v)
{
	struct vocabulary_slot *old_entries = v->entries, *entries;
	struct vocabulary_term **old_terms = v->terms, **terms;
	size_t old, i;

	if ((v->n_entries + 1) * 2 > v->entries_size) {
		old = v->entries_size;
		entries = calloc(old == 0 ? 4096 : old * 2, sizeof(*entries));
		if (entries == NULL)
			return false;
		v->entries = entries;
		v->entries_size = old == 0 ? 4096 : old * 2;
		for (i = 0; i < old; i++)
			if (old_entries[i].entry != NULL)
				move_entry(v, &old_entries[i]);
		free(old_entries);
	}
	if ((v->n_terms + VOCABULARY_FORMS) * 2 > v->terms_size) {
		old = v->terms_size;
		terms = calloc(old == 0 ? 4096 : old * 2, sizeof(*terms));
		if (terms == NULL)
			return false;
		v->terms = terms;
		v->terms_size = old == 0 ? 4096 : old * 2;
		for (i = 0; i < old; i++)
			if (old_terms[i] != NULL)
				terms[term_slot(v, old_terms[i]->text)] =
				    old_terms[i];
		free(old_terms);
	}
	return true;
}

static struct span
keep(struct vocabulary *v, struct span text)
{
	text.data = arena_strndup(&v->arena, text.data, text.len);
	return text;
}

static struct vocabulary_term *
term_of(struct vocabulary *v, struct span text)
{
	size_t slot = term_slot(v, text);
	struct vocabulary_term *term = v->terms[slot];

	if (term != NULL)
		return term;
	term = arena_alloc(&v->arena, sizeof(*term));
	if (term == NULL)
		return NULL;
	term->text = keep(v, text);
	term->last_row = -1;
	if (term->text.data == NULL)
		return NULL;
	v->terms[slot] = term;
	v->n_terms++;
	return term;
}

const struct vocabulary_entry *
vocabulary_look(struct vocabulary *v, const struct language *language,
    const struct word *word)
{
	struct vocabulary_entry *e;
	struct word_forms forms = {.n = 0};
	size_t slot, i;
	uint32_t hash;

	if (!grow(v))
		return NULL;
	hash = entry_hash(language, word->text);
	slot = entry_slot(v, hash, language, word->text);
	if (v->entries[slot].entry != NULL)
		return v->entries[slot].entry;
	e = arena_alloc(&v->arena, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->written = keep(v, word->text);
	e->language = language;
	if (e->written.data == NULL)
		return NULL;
	wordforms_add(&v->stemmers, language, word, &forms);
	for (i = 0; i < forms.n && e->n < VOCABULARY_FORMS; i++) {
		e->terms[e->n] = term_of(v,
		    (struct span){forms.text[i], forms.len[i]});
		if (e->terms[e->n++] == NULL)
			return NULL;
	}
	v->entries[slot] = (struct vocabulary_slot){hash, e};
	v->n_entries++;
	return e;
}

void
vocabulary_count(struct vocabulary_term *term, int64_t row, int sign)
{
	row = row * 2 + (sign > 0);
	if (term->last_row == row)
		return;
	term->last_row = row;
	term->change += sign;
}

static int
by_text(const void *a, const void *b)
{
	const struct vocabulary_term *const *x = a, *const *y = b;
	size_t len = (*x)->text.len < (*y)->text.len ? (*x)->text.len
						     : (*y)->text.len;
	int order = memcmp((*x)->text.data, (*y)->text.data, len);

	if (order != 0)
		return order;
	return ((*x)->text.len > (*y)->text.len) -
	    ((*x)->text.len < (*y)->text.len);
}

enum err
vocabulary_changes(struct vocabulary *v, struct vocabulary_term ***terms,
    size_t *n)
{
	size_t i;

	*n = 0;
	*terms = calloc(v->n_terms + 1, sizeof(**terms));
	if (*terms == NULL)
		return ERR_MEMORY;
	for (i = 0; i < v->terms_size; i++)
		if (v->terms[i] != NULL && v->terms[i]->change != 0)
			(*terms)[(*n)++] = v->terms[i];
	qsort(*terms, *n, sizeof(**terms), by_text);
	return ERR_NONE;
}

bool
vocabulary_is_large(const struct vocabulary *v)
{
	return v->arena.used > ARENA_LARGE;
}

void
vocabulary_settle(struct vocabulary *v)
{
	size_t i;

	if (vocabulary_is_large(v)) {
		vocabulary_release(v);
		return;
	}
	for (i = 0; i < v->terms_size; i++)
		if (v->terms[i] != NULL) {
			v->terms[i]->change = 0;
			v->terms[i]->last_row = -1;
		}
}
