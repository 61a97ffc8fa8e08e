/*
 * The archives: which parts matter, where they are named, what is said when
 * they cannot be read.  What stands in the parts is read by office_xml.c.
 */
#include "documents/office.h"

#include <stdio.h>
#include <string.h>

#include "documents/encoding.h"
#include "documents/office_xml.h"
#include "documents/xml.h"
#include "documents/zip.h"

#define UNPACKED_MAX ((size_t)64 << 20) /* all parts of one file */
#define PATH_MAX_BYTES 512
#define CHAPTERS_MAX 2000

#define MARK "<!--left out: "

/* ---- parts --------------------------------------------------------------- */

/* A part's text as UTF-8, in out. */
static enum err
read_part(struct zip *z, struct span name, struct buf *out)
{
	struct buf raw = BUF_INIT(UNPACKED_MAX);
	struct encoding_found found;
	struct span bytes;
	enum err err = zip_read(z, name, &raw);

	bytes = (struct span){buf_text(&raw), raw.len};
	if (err == ERR_NONE && !encoding_to_utf8(bytes, ENCODING_PAGE, NULL,
		out, &found))
		err = ERR_INPUT;
	if (err == ERR_NONE)
		err = buf_err(out);
	buf_release(&raw);
	return err;
}

/* A target relative to the folder of the part that names it. */
static void
resolve(const char *part, struct span target, char path[PATH_MAX_BYTES])
{
	const char *slash = strrchr(part, '/');
	size_t folder = slash == NULL ? 0 : (size_t)(slash - part) + 1, n;

	if (target.len > 0 && target.data[0] == '/') {
		folder = 0;
		target = (struct span){target.data + 1, target.len - 1};
	}
	while (span_starts(target, "../") && folder > 0) {
		target = (struct span){target.data + 3, target.len - 3};
		for (folder--; folder > 0 && part[folder - 1] != '/';)
			folder--;
	}
	n = folder + target.len < PATH_MAX_BYTES ? target.len : 0;
	(void)snprintf(path, PATH_MAX_BYTES, "%.*s%.*s", (int)folder, part,
	    (int)n, target.data == NULL ? "" : target.data);
}

/* The part that `part` (NULL: the package) names as its `type`, such as
 * "/footnotes"; what path holds already when it names none. */
static enum err
find_related(struct zip *z, const char *part, const char *type,
    char path[PATH_MAX_BYTES])
{
	struct buf xml = BUF_INIT(UNPACKED_MAX);
	char name[PATH_MAX_BYTES + 16];
	const char *slash = part == NULL ? NULL : strrchr(part, '/');
	struct xml_piece piece;
	struct span rest;
	enum err err;

	if (part == NULL)
		(void)snprintf(name, sizeof(name), "_rels/.rels");
	else
		(void)snprintf(name, sizeof(name), "%.*s_rels/%s.rels",
		    slash == NULL ? 0 : (int)(slash - part) + 1, part,
		    slash == NULL ? part : slash + 1);
	err = read_part(z, span_of(name), &xml);
	rest = (struct span){buf_text(&xml), err == ERR_NONE ? xml.len : 0};
	while (xml_next(&rest, &piece) != XML_END) {
		if (piece.kind != XML_OPEN ||
		    !span_is(piece.name, "Relationship") ||
		    !span_ends(xml_attribute(&piece, "Type"), type))
			continue;
		resolve(part == NULL ? "" : part,
		    xml_attribute(&piece, "Target"), path);
		break;
	}
	buf_release(&xml);
	return err == ERR_NOT_FOUND || err == ERR_INPUT ? ERR_NONE : err;
}

static bool
holds_utf16(struct span bytes, const char *word)
{
	char wide[128];
	size_t i, n = strlen(word);

	for (i = 0; i < n; i++) {
		wide[2 * i] = word[i];
		wide[2 * i + 1] = '\0';
	}
	return memmem(bytes.data, bytes.len, wide, 2 * n) != NULL;
}

static enum err
open_archive(struct zip *z, struct span bytes, const char **remark)
{
	if (zip_open(z, bytes, UNPACKED_MAX))
		return ERR_NONE;
	*remark = "is damaged: it is no archive, as such files are";
	if (bytes.len > 8 && memcmp(bytes.data, "\xD0\xCF\x11\xE0", 4) == 0)
		*remark = holds_utf16(bytes, "EncryptedPackage")
		    ? "is locked with a password"
		    : "is in an older format than its name says";
	return ERR_INPUT;
}

/* Says why a part could not be read. */
static enum err
explain(enum err err, const char *missing, const char **remark)
{
	switch (err) {
	case ERR_NOT_FOUND:
		*remark = missing;
		return ERR_INPUT;
	case ERR_INPUT:
		*remark = "is damaged: a part of it cannot be unpacked";
		return ERR_INPUT;
	case ERR_TOO_BIG:
		*remark = "unpacks to more than 64 MB";
		return ERR_INPUT;
	default:
		return err;
	}
}

/* ---- DOCX ---------------------------------------------------------------- */

/* A part that may be absent. */
static enum err
read_optional(struct zip *z, const char *main_part, const char *type,
    const char *usual, struct buf *out)
{
	char path[PATH_MAX_BYTES];
	enum err err;

	resolve(main_part, span_of(usual), path);
	err = find_related(z, main_part, type, path);
	if (err == ERR_NONE)
		err = read_part(z, span_of(path), out);
	if (err == ERR_NOT_FOUND)
		err = ERR_NONE;
	return err;
}

static void
put_left_out(const struct office_page *page, struct buf *out)
{
	if (page->left_out.hidden > 0 || page->left_out.deleted > 0)
		buf_printf(out, MARK "%lld %lld-->",
		    (long long)page->left_out.hidden,
		    (long long)page->left_out.deleted);
}

enum err
office_docx(struct span bytes, struct buf *out, const char **remark)
{
	struct buf body = BUF_INIT(UNPACKED_MAX), styles = body, notes = body,
		   ends = body;
	char path[PATH_MAX_BYTES] = "word/document.xml";
	struct office_page page;
	struct zip z;
	enum err err = open_archive(&z, bytes, remark);

	if (err != ERR_NONE)
		return err;
	err = find_related(&z, NULL, "/officeDocument", path);
	if (err == ERR_NONE)
		err = read_part(&z, span_of(path), &body);
	if (err != ERR_NONE)
		goto out;
	err = read_optional(&z, path, "/styles", "styles.xml", &styles);
	if (err == ERR_NONE)
		err = read_optional(&z, path, "/footnotes", "footnotes.xml",
		    &notes);
	if (err == ERR_NONE)
		err = read_optional(&z, path, "/endnotes", "endnotes.xml",
		    &ends);
	if (err != ERR_NONE)
		goto out;
	office_page_init(&page, out);
	office_page_styles(&page,
	    (struct span){buf_text(&styles), styles.len});
	office_page_notes(&page, NOTES_FOOT,
	    (struct span){buf_text(&notes), notes.len});
	office_page_notes(&page, NOTES_END,
	    (struct span){buf_text(&ends), ends.len});
	office_page_word(&page, (struct span){buf_text(&body), body.len});
	put_left_out(&page, out);
	err = office_page_end(&page);
out:
	buf_release(&body);
	buf_release(&styles);
	buf_release(&notes);
	buf_release(&ends);
	return explain(err, "is no DOCX: its main part is missing", remark);
}

void
office_word_body(struct span xml, struct buf *out)
{
	struct office_page page;

	office_page_init(&page, out);
	office_page_word(&page, xml);
	put_left_out(&page, out);
	if (office_page_end(&page) != ERR_NONE && buf_err(out) == ERR_NONE)
		out->err = ERR_MEMORY;
}

struct office_omissions
office_left_out(struct span page)
{
	struct office_omissions o = {0, 0};
	const char *at = page.len == 0
	    ? NULL
	    : memmem(page.data, page.len, MARK, strlen(MARK));
	struct span rest, hidden;

	if (at == NULL)
		return o;
	rest = (struct span){at + strlen(MARK),
	    page.len - (size_t)(at - page.data) - strlen(MARK)};
	hidden = span_cut(&rest, ' ');
	rest = span_cut(&rest, '-');
	if (!text_to_int64(hidden, 0, INT64_MAX, &o.hidden) ||
	    !text_to_int64(rest, 0, INT64_MAX, &o.deleted))
		return (struct office_omissions){0, 0};
	return o;
}

/* ---- ODT ----------------------------------------------------------------- */

enum err
office_odt(struct span bytes, struct buf *out, const char **remark)
{
	struct buf body = BUF_INIT(UNPACKED_MAX);
	struct office_page page;
	struct zip z;
	enum err err = open_archive(&z, bytes, remark);

	if (err != ERR_NONE)
		return err;
	err = read_part(&z, SPAN("content.xml"), &body);
	if (err == ERR_NONE) {
		office_page_init(&page, out);
		office_page_odt(&page,
		    (struct span){buf_text(&body), body.len});
		put_left_out(&page, out);
		err = office_page_end(&page);
	}
	buf_release(&body);
	return explain(err, "is no ODT: it has no content.xml", remark);
}

/* ---- EPUB ---------------------------------------------------------------- */

/* The first element of xml called name; its attribute. */
static struct span
first_attribute(struct span xml, const char *name, const char *attribute)
{
	struct xml_piece piece;

	while (xml_next(&xml, &piece) != XML_END)
		if (piece.kind == XML_OPEN && span_is(piece.name, name))
			return xml_attribute(&piece, attribute);
	return SPAN_NONE;
}

/* The file of the item of this id, as the package names it. */
static struct span
item_file(struct span package, struct span id)
{
	struct xml_piece piece;

	while (xml_next(&package, &piece) != XML_END)
		if (piece.kind == XML_OPEN && span_is(piece.name, "item") &&
		    span_equal(xml_attribute(&piece, "id"), id))
			return xml_attribute(&piece, "href");
	return SPAN_NONE;
}

/* What stands between <body> and </body>. */
static struct span
body_of(struct span page)
{
	struct span rest = page, before = page;
	struct xml_piece piece;
	const char *start = NULL;

	for (; xml_next(&rest, &piece) != XML_END; before = rest) {
		if (!span_is(piece.name, "body"))
			continue;
		if (piece.kind == XML_OPEN)
			start = rest.data;
		else if (start != NULL)
			return (struct span){start,
			    (size_t)(before.data - start)};
	}
	return page;
}

static enum err
put_chapter(struct zip *z, const char *package_path, struct span file,
    struct buf *out)
{
	struct buf page = BUF_INIT(UNPACKED_MAX), name = BUF_INIT(1024);
	char path[PATH_MAX_BYTES];
	struct span body, text;
	size_t i;
	enum err err;

	/* "chapter%201.xhtml#start" */
	file = span_cut(&file, '#');
	for (i = 0; i < file.len; i++) {
		if (file.data[i] == '%' && i + 2 < file.len &&
		    text_hex_value(file.data[i + 1]) >= 0 &&
		    text_hex_value(file.data[i + 2]) >= 0) {
			buf_addc(&name, (char)(
			    text_hex_value(file.data[i + 1]) * 16 +
			    text_hex_value(file.data[i + 2])));
			i += 2;
		} else {
			buf_addc(&name, file.data[i]);
		}
	}
	resolve(package_path, (struct span){buf_text(&name), name.len}, path);
	err = read_part(z, span_of(path), &page);
	text = (struct span){buf_text(&page), page.len};
	if (err == ERR_NONE) {
		body = body_of(text);
		buf_adds(out, "<div>");
		buf_add(out, body.data, body.len);
		buf_adds(out, "</div>\n");
	}
	buf_release(&page);
	buf_release(&name);
	return err;
}

static enum err
put_chapters(struct zip *z, const char *package_path, struct span package,
    struct buf *out)
{
	struct span rest = package, file;
	struct xml_piece piece;
	enum err err = ERR_NONE;
	size_t n = 0, read = 0;

	while (err == ERR_NONE && n < CHAPTERS_MAX &&
	    xml_next(&rest, &piece) != XML_END) {
		if (piece.kind != XML_OPEN || !span_is(piece.name, "itemref"))
			continue;
		file = item_file(package, xml_attribute(&piece, "idref"));
		n++;
		if (file.len == 0)
			continue;
		err = put_chapter(z, package_path, file, out);
		read += err == ERR_NONE;
		if (err == ERR_NOT_FOUND)
			err = ERR_NONE;
	}
	return err == ERR_NONE && read == 0 ? ERR_NOT_FOUND : err;
}

enum err
office_epub(struct span bytes, struct buf *out, const char **remark)
{
	struct buf container = BUF_INIT(UNPACKED_MAX), package = container;
	char path[PATH_MAX_BYTES] = "";
	struct zip z;
	enum err err = open_archive(&z, bytes, remark);

	if (err != ERR_NONE)
		return err;
	if (zip_has(&z, SPAN("META-INF/rights.xml"))) {
		*remark = "is locked: only its shop's reader opens it";
		return ERR_INPUT;
	}
	err = read_part(&z, SPAN("META-INF/container.xml"), &container);
	if (err == ERR_NONE) {
		resolve("", first_attribute((struct span){
		    buf_text(&container), container.len}, "rootfile",
		    "full-path"), path);
		err = read_part(&z, span_of(path), &package);
	}
	if (err == ERR_NONE)
		err = put_chapters(&z, path,
		    (struct span){buf_text(&package), package.len}, out);
	buf_release(&container);
	buf_release(&package);
	return explain(err, "is no EPUB: its chapters are missing", remark);
}
