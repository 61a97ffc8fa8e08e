/*
 * Matching questions with annotations.  Every annotation of the bot is
 * looked at: they are written by hand, so there are hundreds, not millions,
 * and one comparison takes about a microsecond a word.
 */
#include "dialogue/annotation_match.h"

#include <math.h>
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"

/* Triples are counted in this many slots; those that share one are taken
 * for the same, which at worst makes unlike texts a little more alike. */
#define SLOTS 1024U
/* Bytes of a question that are looked at. */
#define QUESTION_MAX 8192U

enum err
annotation_policy_load(struct db *db, const struct bot_config *bot,
    struct annotation_policy *policy)
{
	enum err err = annotation_reply_get(db, bot->uid, &policy->enabled,
	    &policy->threshold);

	if (err != ERR_NOT_FOUND)
		return err;
	policy->enabled = bot->annotation_reply;
	policy->threshold = bot->annotation_threshold;
	return ERR_NONE;
}

enum err
annotation_policy_read(struct store_pool *stores,
    const struct bot_config *bot, struct annotation_policy *policy)
{
	struct db *db;
	enum err err = store_lease(stores, &db);

	if (err != ERR_NONE)
		return err;
	err = annotation_policy_load(db, bot, policy);
	store_return(stores, db);
	return err;
}

/* Is it part of a word? */
static bool
is_word(utf8proc_int32_t code)
{
	utf8proc_category_t c = utf8proc_category(code);

	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO;
}

struct span
annotation_key(struct arena *arena, struct span question)
{
	static const utf8proc_option_t options = UTF8PROC_DECOMPOSE |
	    UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK;
	utf8proc_int32_t parts[64];
	size_t at = 0, len = 0;
	int boundary = 0;
	utf8proc_ssize_t n, i;
	bool gap = false;
	char *key;

	if (question.len > QUESTION_MAX)
		question.len = QUESTION_MAX;
	/* Folding makes one code point 18 at the most (U+FDFA), each of
	 * them 4 bytes at the most; that one is itself 3 bytes. */
	key = arena_alloc(arena, question.len * 24 + 1);
	if (key == NULL)
		return SPAN_NONE;
	while (at < question.len) {
		uint32_t code = utf8_next(question, &at);

		n = code == UTF8_INVALID || (code >= 0xD800 && code < 0xE000)
		    ? 0
		    : utf8proc_decompose_char((utf8proc_int32_t)code, parts,
			  64, options, &boundary);
		gap = gap || n <= 0;
		for (i = 0; i < n && i < 64; i++) {
			if (!is_word(parts[i])) {
				gap = true;
				continue;
			}
			if (gap && len > 0)
				key[len++] = ' ';
			gap = false;
			len += utf8_put(key + len, (uint32_t)parts[i]);
		}
	}
	return (struct span){key, len};
}

/* Counts the triples of bytes, a blank standing before and behind. */
static void
count_triples(struct span text, uint16_t counts[SLOTS])
{
	uint32_t window = ' ';
	size_t i;

	for (i = 0; i <= text.len; i++) {
		unsigned char c = i < text.len ? (unsigned char)text.data[i]
					       : (unsigned char)' ';

		window = (window << 8 | c) & 0xFFFFFFU;
		if (i == 0)
			continue;
		counts[(window * 2654435761U) >> 22]++;
	}
}

double
annotation_score(struct span a, struct span b)
{
	uint16_t in_a[SLOTS] = {0}, in_b[SLOTS] = {0};
	double both = 0, only_a = 0, only_b = 0;
	size_t i;

	if (a.len == 0 || b.len == 0)
		return 0;
	if (span_equal(a, b))
		return 1;
	a.len = a.len > 60000 ? 60000 : a.len; /* counts stay in range */
	b.len = b.len > 60000 ? 60000 : b.len;
	count_triples(a, in_a);
	count_triples(b, in_b);
	for (i = 0; i < SLOTS; i++) {
		both += (double)in_a[i] * in_b[i];
		only_a += (double)in_a[i] * in_a[i];
		only_b += (double)in_b[i] * in_b[i];
	}
	if (only_a <= 0 || only_b <= 0)
		return 0;
	return both / sqrt(only_a * only_b);
}

struct best {
	struct span key;
	double score;
	int64_t seq;
};

static bool
compare(const struct annotation_row *row, void *closure)
{
	struct best *best = closure;
	double score = annotation_score(best->key, row->key);

	if (score >= best->score && score > 0 &&
	    (best->seq == 0 || score > best->score)) {
		best->score = score;
		best->seq = row->seq;
	}
	return best->score < 1;
}

enum err
annotation_match(struct db *db, const struct bot_config *bot,
    double threshold, struct span question, struct arena *arena,
    struct annotation_row *row)
{
	struct best best = {.score = threshold};
	enum err err;

	*row = (struct annotation_row){0};
	best.key = annotation_key(arena, question);
	if (best.key.data == NULL)
		return ERR_MEMORY;
	err = annotations_each(db, bot->uid, compare, &best);
	if (err != ERR_NONE || best.seq == 0)
		return err;
	err = annotations_by_seq(db, best.seq, arena, row);
	if (err == ERR_NOT_FOUND) /* deleted this moment */
		err = ERR_NONE;
	return err;
}
