/* Text, language, blocks, segments, rows. */
#include "index/ingest.h"

#include <stdio.h>
#include <stdlib.h>

#include "documents/documents.h"
#include "language/stopwords.h"

/* Of a document that does not tell, such as a list of names and numbers. */
#define FALLBACK_LANGUAGE "en"
#define SHARE_REMARKED 50 /* percent of its text taken, below which */

/* Where segments go; equal ones of a document are kept once. */
struct sink {
	struct index_store *x;
	const struct index_dataset *dataset;
	struct index_document *d;
	uint64_t *seen;
	size_t n_seen, seen_size;
};

static bool
seen_before(struct sink *k, struct span text, enum err *err)
{
	uint64_t hash = 14695981039346656037ULL, *grown;
	size_t i;

	for (i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) *
		    1099511628211ULL;
	hash |= hash == 0;
	if ((k->n_seen + 1) * 2 > k->seen_size) {
		size_t size = k->seen_size == 0 ? 256 : k->seen_size * 2, j;

		grown = calloc(size, sizeof(*grown));
		if (grown == NULL) {
			*err = ERR_MEMORY;
			return true;
		}
		for (i = 0; i < k->seen_size; i++) {
			if (k->seen[i] == 0)
				continue;
			for (j = k->seen[i] & (size - 1); grown[j] != 0;)
				j = (j + 1) & (size - 1);
			grown[j] = k->seen[i];
		}
		free(k->seen);
		k->seen = grown;
		k->seen_size = size;
	}
	for (i = hash & (k->seen_size - 1); k->seen[i] != 0;
	     i = (i + 1) & (k->seen_size - 1))
		if (k->seen[i] == hash)
			return true;
	k->seen[i] = hash;
	k->n_seen++;
	return false;
}

static enum err
take_segment(void *arg, const struct segment *segment)
{
	struct sink *k = arg;
	enum err err = ERR_NONE;

	if (seen_before(k, segment->content, &err))
		return err;
	return index_add_segment(k->x, k->dataset, k->d, segment);
}

static const char *
language_of(const struct index_dataset *dataset, const char *file_name,
    struct span text)
{
	struct buf sample = BUF_INIT(4096);
	const struct language *l = language_find(dataset->language);

	if (l == NULL) {
		document_sample(file_name, text, &sample);
		l = language_guess(
		    (struct span){buf_text(&sample), sample.len});
	}
	buf_release(&sample);
	return l == NULL ? FALLBACK_LANGUAGE : l->code;
}

/* Below half, more was left out than taken: then what was left out may be
 * the subject.  Pages with much navigation around it lie above. */
static void
remark_share(struct index_document *d, const struct segmenter *s,
    char remark[INDEX_SAID_MAX])
{
	enum omission why;

	d->share = segmenter_share(s, &why);
	if (d->share < SHARE_REMARKED && d->remark == NULL) {
		(void)snprintf(remark, INDEX_SAID_MAX,
		    "gives %lld %% of its text; the rest is mostly %s",
		    (long long)d->share, omission_text(why));
		d->remark = remark;
	}
}

static enum err
cut(struct index_store *x, const struct index_dataset *dataset,
    struct index_document *d, const char *file_name, struct span text,
    char remark[INDEX_SAID_MAX])
{
	struct sink sink = {.x = x, .dataset = dataset, .d = d};
	struct segmenter segmenter;
	enum err err;

	segmenter_init(&segmenter, take_segment, &sink);
	document_blocks(file_name, text, &segmenter);
	err = segmenter_end(&segmenter);
	if (segmenter.remark != NULL)
		d->remark = segmenter.remark;
	else if (segmenter.long_rows > 0)
		d->remark = "has rows that are too long; cut like paragraphs";
	remark_share(d, &segmenter, remark);
	free(sink.seen);
	return err;
}

enum err
ingest_document(struct index_store *x, struct index_dataset *dataset,
    struct index_document *d, const char *file_name, struct span text)
{
	enum err err;

	d->share = d->fault == NULL ? 100 : 0;

	d->said[0] = '\0';
	if (d->fault == NULL)
		d->language = language_of(dataset, file_name, text);
	err = index_begin_document(x, dataset, d);
	if (err == ERR_NONE && d->fault == NULL)
		err = cut(x, dataset, d, file_name, text, d->said);
	if (d->fault == NULL && d->remark == NULL && d->segments == 0)
		d->remark = "holds no text";
	return err == ERR_NONE ? index_end_document(x, dataset, d) : err;
}
