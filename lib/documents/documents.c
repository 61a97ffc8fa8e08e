/* One row for each kind of file. */
#include "documents/documents.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "documents/convert.h"
#include "documents/encoding.h"
#include "documents/office.h"
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

static void
read_office_page(struct span page, struct segmenter *s)
{
	struct office_omissions o = office_left_out(page);

	read_html(page, s);
	segmenter_omit(s, OMIT_HIDDEN, o.hidden);
	segmenter_omit(s, OMIT_DELETED, o.deleted);
}

/* Texts that were stored by an earlier version are a DOCX's body as it is. */
static bool
is_word_body(struct span text)
{
	static const char mark[] = "<w:document";
	size_t len = text.len < 4096 ? text.len : 4096;

	return len > 0 &&
	    memmem(text.data, len, mark, sizeof(mark) - 1) != NULL;
}

static void
read_office(struct span text, struct segmenter *s)
{
	struct buf page = BUF_INIT(text.len * 6 + 1024);

	if (!is_word_body(text)) {
		read_office_page(text, s);
		return;
	}
	office_word_body(text, &page);
	read_office_page((struct span){buf_text(&page), page.len}, s);
	if (s->err == ERR_NONE)
		s->err = buf_err(&page);
	buf_release(&page);
}

enum form { FORM_TEXT, FORM_PAGE, FORM_PDF, FORM_ARCHIVE };

static const struct kind {
	const char *ending;
	enum form form;
	void (*read)(struct span text, struct segmenter *s);
	/* FORM_ARCHIVE: makes a page of the bytes. */
	enum err (*unpack)(struct span bytes, struct buf *text,
	    const char **remark);
} kinds[] = {
    {".txt", FORM_TEXT, read_plain, NULL},
    {".text", FORM_TEXT, read_plain, NULL},
    {".md", FORM_TEXT, read_markdown, NULL},
    {".markdown", FORM_TEXT, read_markdown, NULL},
    {".html", FORM_PAGE, read_html, NULL},
    {".htm", FORM_PAGE, read_html, NULL},
    {".xhtml", FORM_PAGE, read_html, NULL},
    {".csv", FORM_TEXT, read_comma, NULL},
    {".tsv", FORM_TEXT, read_tab, NULL},
    {".tab", FORM_TEXT, read_tab, NULL},
    {".pdf", FORM_PDF, read_plain, NULL},
    {".docx", FORM_ARCHIVE, read_office, office_docx},
    {".odt", FORM_ARCHIVE, read_office, office_odt},
    {".epub", FORM_ARCHIVE, read_office, office_epub},
};

/* Texts, but of kinds that are not read. */
static const char *const unread[] = {".doc", ".dot", ".rtf", ".odp", ".ods",
    ".ppt", ".pptx", ".xls", ".xlsx", ".pages", ".key", ".numbers", ".wps",
    ".mobi", ".azw3", ".djvu", ".ps", ".tex", ".rst", ".adoc", ".org",
    ".mht", ".mhtml", ".eml", ".msg", ".xml", ".json", ".php", ".shtml"};

static bool
has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), len = strlen(ending);

	return n > len &&
	    span_is_nocase((struct span){name + n - len, len}, ending);
}

static const struct kind *
kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (has_ending(name, kinds[i].ending))
			return &kinds[i];
	return NULL;
}

bool
document_is_known(const char *name)
{
	return kind_of(name) != NULL;
}

bool
document_is_unread(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
		if (has_ending(name, unread[i]))
			return true;
	return false;
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

bool
document_can_convert(const char *name)
{
	const struct kind *kind = kind_of(name);

	return kind == NULL || kind->form != FORM_PDF || convert_has_pdf();
}

__attribute__((format(printf, 2, 3))) static void
note_remark(struct document_note *note, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(note->remark, sizeof(note->remark), format, args);
	va_end(args);
}

static enum err
decode_text(const struct document_source *source, bool page, struct buf *text,
    struct document_note *note)
{
	struct encoding_found found;

	if (!encoding_to_utf8(source->bytes, page ? ENCODING_PAGE
						  : ENCODING_TEXT,
		source->encoding, text, &found)) {
		note_remark(note, "%s", found.fault);
		return ERR_INPUT;
	}
	if (found.guessed && found.bad > 0)
		note_remark(note, "is no UTF-8; taken for %s, in which "
				  "%lld characters mean nothing",
		    found.name, (long long)found.bad);
	else if (found.guessed)
		note_remark(note, "is no UTF-8; taken for %s", found.name);
	else if (found.bad > 0)
		note_remark(note, "has %lld broken characters in its %s",
		    (long long)found.bad, found.name);
	return buf_err(text);
}

enum err
document_text(const struct document_source *source, struct buf *text,
    struct document_note *note)
{
	const struct kind *kind = kind_of(source->name);
	const char *remark = NULL;
	enum err err;

	*note = (struct document_note){.missing_program = false};
	switch (kind == NULL ? FORM_TEXT : kind->form) {
	case FORM_PDF:
		err = convert_pdf(source->path, source->bytes, text, &remark,
		    &note->missing_program);
		break;
	case FORM_ARCHIVE:
		err = kind->unpack(source->bytes, text, &remark);
		break;
	case FORM_PAGE:
		return decode_text(source, true, text, note);
	default:
		return decode_text(source, false, text, note);
	}
	if (remark != NULL)
		note_remark(note, "%s", remark);
	return err;
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
	    (kind->form == FORM_PAGE || kind->form == FORM_ARCHIVE);
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
