/* One row for each kind of file. */
#include "documents/documents.h"

#include <string.h>

#include "documents/convert.h"
#include "documents/encoding.h"
#include "documents/read_text.h"

static void
read_comma(struct span text, struct segmenter *s)
{
	read_table(text, '\0', s);
}

static void
read_tab(struct span text, struct segmenter *s)
{
	read_table(text, '\t', s);
}

static const struct kind {
	const char *ending;
	void (*read)(struct span text, struct segmenter *s);
	/* Makes text of the file; NULL when the bytes are the text. */
	enum err (*convert)(const char *path, struct buf *text,
	    const char **remark);
} kinds[] = {
    {".txt", read_plain, NULL},
    {".text", read_plain, NULL},
    {".md", read_markdown, NULL},
    {".markdown", read_markdown, NULL},
    {".html", read_html, NULL},
    {".htm", read_html, NULL},
    {".xhtml", read_html, NULL},
    {".csv", read_comma, NULL},
    {".tsv", read_tab, NULL},
    {".tab", read_tab, NULL},
    {".pdf", read_plain, convert_pdf},
    {".docx", read_wordxml, convert_docx},
};

static const struct kind *
kind_of(const char *name)
{
	struct span s = span_of(name), end;
	size_t i, len;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		len = strlen(kinds[i].ending);
		if (s.len <= len)
			continue;
		end = (struct span){s.data + s.len - len, len};
		if (span_is_nocase(end, kinds[i].ending))
			return &kinds[i];
	}
	return NULL;
}

bool
document_is_known(const char *name)
{
	return kind_of(name) != NULL;
}

struct span
document_title(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct span name = span_of(slash == NULL ? path : slash + 1);
	size_t i;

	for (i = name.len; i > 1; i--)
		if (name.data[i - 1] == '.')
			return (struct span){name.data, i - 1};
	return name;
}

enum err
document_text(const char *name, const char *path, struct span bytes,
    struct buf *text, const char **remark)
{
	const struct kind *kind = kind_of(name);
	const char *encoding;

	*remark = NULL;
	if (kind != NULL && kind->convert != NULL) {
		*remark = "has no file to convert";
		return path == NULL ? ERR_INPUT
				    : kind->convert(path, text, remark);
	}
	encoding = encoding_to_utf8(bytes, text);
	if (encoding == NULL) {
		*remark = "is not text";
		return ERR_INPUT;
	}
	if (strcmp(encoding, "Latin-1") == 0)
		*remark = "is no UTF-8; taken for Latin-1";
	return buf_err(text);
}

void
document_blocks(const char *name, struct span text, struct segmenter *s)
{
	const struct kind *kind = kind_of(name);

	(kind == NULL ? read_plain : kind->read)(text, s);
}

void
document_sample(const char *name, struct span text, struct buf *sample)
{
	const struct kind *kind = kind_of(name);
	bool marked = kind != NULL &&
	    (kind->read == read_html || kind->read == read_wordxml);
	bool inside = false;
	size_t i;

	for (i = 0; i < text.len && sample->len + 1 < sample->max; i++) {
		if (marked && text.data[i] == '<')
			inside = true;
		if (!inside)
			buf_addc(sample, text.data[i]);
		if (text.data[i] == '>' && inside) {
			inside = false;
			buf_addc(sample, ' ');
		}
	}
}
