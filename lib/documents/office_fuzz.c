/* Any bytes as a DOCX, an ODT, an EPUB: archive, relations, parts, XML. */
#include <stdint.h>
#include <stdlib.h>

#include "documents/documents.h"

#define PAGE_MAX ((size_t)8 << 20)

static enum err
take(void *arg, const struct segment *s)
{
	(void)arg;
	if (s->content.len == 0 || s->content.len > SEGMENT_ROW_MAX + 1)
		abort();
	return ERR_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a.docx", "a.odt", "a.epub"};
	struct document_source source = {.path = NULL};
	struct document_note note;
	struct buf text = BUF_INIT(PAGE_MAX);
	struct segmenter s;
	size_t i;

	for (i = 0; i < 3; i++) {
		buf_reset(&text);
		source.name = names[i];
		source.bytes = (struct span){(const char *)data, size};
		if (document_text(&source, &text, &note) != ERR_NONE)
			continue;
		segmenter_init(&s, take, NULL);
		document_blocks(names[i],
		    (struct span){buf_text(&text), text.len}, &s);
		if (segmenter_end(&s) != ERR_NONE)
			abort();
	}
	buf_release(&text);
	return 0;
}
