/* Any bytes through every reader, the sentences, the words and the cells:
 * what comes out must be within its limits and no longer than what went in
 * allows.  The first byte chooses the reader. */
#include <stdint.h>
#include <stdlib.h>

#include "documents/encoding.h"
#include "documents/office.h"
#include "knowledge/query.h"
#include "documents/read_text.h"
#include "documents/tables.h"

#define BYTES_MAX 65536

static void
require(bool good)
{
	if (!good)
		abort();
}

static enum err
take(void *arg, const struct segment *s)
{
	struct stemmers *stemmers = arg;
	struct span rest = s->content, cells[16];
	static struct query query;
	struct arena arena;
	size_t end;

	require(s->content.len > 0);
	require(s->content.len <= SEGMENT_ROW_MAX + 1);
	require(s->is_row || s->content.len <= SEGMENT_MAX + SEGMENT_GOAL);
	while (rest.len > 0) {
		end = sentence_end(rest);
		require(end > 0 && end <= rest.len);
		rest = (struct span){rest.data + end, rest.len - end};
	}
	arena_init(&arena, (size_t)1 << 20);
	(void)table_cells(s->content, table_separator(s->content), &arena,
	    cells, 16);
	arena_release(&arena);
	query_init(&query);
	query_add(&query, stemmers, s->content, 0, 1, false);
	query_add(&query, stemmers, s->heading,
	    (uint32_t)1 << (s->content.len % (size_t)language_count()), 1,
	    true);
	require(query.n <= QUERY_TERMS_MAX);
	(void)query_referred(s->content, NULL, 0);
	return ERR_NONE;
}

/* The XML of a DOCX's body, as earlier indexes kept it. */
static void
read_word(struct span text, struct segmenter *s)
{
	struct buf page = BUF_INIT(BYTES_MAX * 32);

	office_word_body(text, &page);
	(void)office_left_out((struct span){buf_text(&page), page.len});
	read_html((struct span){buf_text(&page), page.len}, s);
	buf_release(&page);
}

static void
read_guess(struct span text, struct segmenter *s)
{
	read_table(text, '\0', s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct span, struct segmenter *) = {
	    read_plain, read_markdown, read_guess, read_html, read_word};
	struct stemmers stemmers = {.made = {NULL}};
	struct buf text = BUF_INIT(BYTES_MAX * 8);
	struct encoding_found found;
	enum omission why;
	struct segmenter s;

	if (size < 1 || size > BYTES_MAX)
		return 0;
	if (encoding_to_utf8((struct span){(const char *)data + 1, size - 1},
		data[0] & 8 ? ENCODING_PAGE : ENCODING_TEXT, NULL, &text,
		&found)) {
		segmenter_init(&s, take, &stemmers);
		readers[data[0] % 5]((struct span){buf_text(&text), text.len},
		    &s);
		require(segmenter_end(&s) == ERR_NONE);
		require(segmenter_share(&s, &why) >= 0);
	}
	buf_release(&text);
	stemmers_release(&stemmers);
	return 0;
}
