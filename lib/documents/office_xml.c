/*
 * One pass over the pieces of the XML.  A paragraph collects its text until
 * it ends; text boxes and notes stand inside paragraphs, so paragraphs are
 * kept on a small stack.  A note goes where it is referred to, before the
 * mark that ends the sentence, because an exception that stands in a footnote
 * belongs to what it is an exception of.
 */
#include "documents/office_xml.h"

#include <string.h>

#include "documents/xml.h"

#define ARENA_MAX ((size_t)64 << 20)
#define TEXT_MAX ((size_t)64 << 20)
#define STYLES_MAX 4096
#define STYLE_STEPS_MAX 16
#define NOTES_MAX 65536
#define NOTE_INLINE_MAX 400 /* bytes; a longer note is a paragraph */

/* ---- paragraphs ---------------------------------------------------------- */

void
office_page_init(struct office_page *p, struct buf *out)
{
	size_t i;

	*p = (struct office_page){.out = out};
	arena_init(&p->arena, ARENA_MAX);
	for (i = 0; i < OFFICE_BOXES_MAX; i++)
		buf_init(&p->boxes[i].text, TEXT_MAX);
	buf_init(&p->note, TEXT_MAX);
	buf_init(&p->deferred, TEXT_MAX);
}

enum err
office_page_end(struct office_page *p)
{
	size_t i;

	for (i = 0; i < OFFICE_BOXES_MAX; i++) {
		if (p->err == ERR_NONE)
			p->err = buf_err(&p->boxes[i].text);
		buf_release(&p->boxes[i].text);
	}
	if (p->err == ERR_NONE)
		p->err = buf_err(&p->note);
	if (p->err == ERR_NONE)
		p->err = buf_err(&p->deferred);
	if (p->err == ERR_NONE)
		p->err = buf_err(p->out);
	buf_release(&p->note);
	buf_release(&p->deferred);
	arena_release(&p->arena);
	return p->err;
}

static struct office_box *
box_of(struct office_page *p)
{
	return &p->boxes[p->box];
}

static void
put_escaped(struct span text, struct buf *out)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		switch (text.data[i]) {
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '&':
			buf_adds(out, "&amp;");
			break;
		default:
			buf_addc(out, text.data[i]);
		}
}

static void
put_text(struct office_page *p, const struct xml_piece *piece)
{
	struct buf plain = BUF_INIT(TEXT_MAX);
	struct office_box *b = box_of(p);

	if (b->hidden || b->run_hidden) {
		p->left_out.hidden += segmenter_count(piece->text);
		return;
	}
	if (piece->verbatim)
		buf_add(&plain, piece->text.data, piece->text.len);
	else
		xml_put_text(piece->text, &plain);
	put_escaped((struct span){buf_text(&plain), plain.len}, &b->text);
	if (p->err == ERR_NONE)
		p->err = buf_err(&plain);
	buf_release(&plain);
}

static void
put_mark(struct office_page *p, const char *html)
{
	struct office_box *b = box_of(p);

	if (!b->hidden && !b->run_hidden)
		buf_adds(&b->text, html);
}

static void
begin_paragraph(struct office_page *p)
{
	struct office_box *b = box_of(p);

	buf_reset(&b->text);
	b->level = 0;
	b->hidden = b->run_hidden = false;
}

/* Cells hold one text, of paragraphs between line breaks. */
static void
end_paragraph(struct office_page *p)
{
	struct office_box *b = box_of(p);
	struct span text = span_trim(
	    (struct span){buf_text(&b->text), b->text.len});
	struct buf *to = b->is_note ? &p->note : p->out;

	if (text.len > 0 && (b->is_note || p->cells > 0)) {
		if (b->is_note ? to->len > 0 : p->cell_begun)
			buf_adds(to, b->is_note ? " " : "<br>");
		buf_add(to, text.data, text.len);
		p->cell_begun = p->cell_begun || !b->is_note;
	} else if (text.len > 0) {
		if (b->level > 0)
			buf_printf(to, "<h%d>", b->level);
		else
			buf_adds(to, "<p>");
		buf_add(to, text.data, text.len);
		if (b->level > 0)
			buf_printf(to, "</h%d>\n\n", b->level);
		else
			buf_adds(to, "</p>\n\n");
	}
	buf_reset(&b->text);
	if (p->deferred.len > 0 && !b->is_note) {
		buf_add(p->out, p->deferred.data, p->deferred.len);
		buf_reset(&p->deferred);
	}
}

static bool
push_box(struct office_page *p, bool is_note)
{
	if (p->box + 1 == OFFICE_BOXES_MAX)
		return false;
	p->box++;
	begin_paragraph(p);
	box_of(p)->is_note = is_note;
	return true;
}

static void
pop_box(struct office_page *p)
{
	if (p->box == 0)
		return;
	end_paragraph(p);
	p->box--;
}

static void
put_note(struct office_page *p, struct span note)
{
	struct office_box *b = box_of(p);
	char end = '\0';

	note = span_trim(note);
	if (note.len == 0 || b->hidden || b->run_hidden)
		return;
	if (note.len > NOTE_INLINE_MAX) {
		buf_printf(&p->deferred, "<p>");
		buf_add(&p->deferred, note.data, note.len);
		buf_adds(&p->deferred, "</p>\n\n");
		return;
	}
	if (b->text.len > 0 && strchr(".!?,;:",
		b->text.data[b->text.len - 1]) != NULL) {
		end = b->text.data[b->text.len - 1];
		buf_truncate(&b->text, b->text.len - 1);
	}
	if (note.data[note.len - 1] == '.')
		note.len--;
	buf_adds(&b->text, b->text.len == 0 ? "(" : " (");
	buf_add(&b->text, note.data, note.len);
	buf_addc(&b->text, ')');
	if (end != '\0')
		buf_addc(&b->text, end);
}

static void
open_table(struct office_page *p, const struct xml_piece *piece,
    const char *tag)
{
	if (piece->empty || box_of(p)->is_note)
		return;
	buf_adds(p->out, tag);
	if (strcmp(tag, "<td>") == 0) {
		p->cells++;
		p->cell_begun = false;
	}
}

static void
close_table(struct office_page *p, const char *tag)
{
	if (box_of(p)->is_note)
		return;
	buf_adds(p->out, tag);
	if (strcmp(tag, "</td>") == 0 && p->cells > 0)
		p->cells--;
	p->cell_begun = strcmp(tag, "</table>\n") == 0 && p->cells > 0;
}

/* ---- what is passed over ------------------------------------------------- */

static void
skip(struct office_page *p, const struct xml_piece *piece, bool counts,
    bool hidden)
{
	if (piece->empty)
		return;
	p->skipping = 1;
	p->skip_counts = counts;
	p->skip_is_hidden = hidden;
	p->in_text = false;
}

/* Within a skipped element; what counts as its text is counted. */
static void
pass_skipped(struct office_page *p, const struct xml_piece *piece)
{
	if (piece->kind == XML_OPEN && !piece->empty) {
		p->skipping++;
		p->in_text = span_is(piece->name, "t") ||
		    span_is(piece->name, "delText");
	} else if (piece->kind == XML_CLOSE) {
		p->skipping--;
		p->in_text = false;
	} else if (piece->kind == XML_TEXT && p->skip_counts &&
	    (p->in_text || p->skip_is_hidden)) {
		*(p->skip_is_hidden ? &p->left_out.hidden
				    : &p->left_out.deleted) +=
		    segmenter_count(piece->text);
	}
}

/* ---- styles -------------------------------------------------------------- */

static bool
is_on(const struct xml_piece *piece)
{
	struct span val = xml_attribute(piece, "val");

	return !span_is(val, "0") && !span_is(val, "false") &&
	    !span_is(val, "off") && !span_is(val, "none");
}

/* "heading 2", "Heading2", "Überschrift 2" ("berschrift2"), "Title" */
static int
level_by_name(struct span name)
{
	static const char *const names[] = {"heading", "title", "berschrift",
	    "titre", "titolo", "encabezado", "rubrik", "kop", "subtitle"};
	struct span start;
	size_t i, len;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i]);
		start = (struct span){name.data, len};
		if (name.len < len || !span_is_nocase(start, names[i]))
			continue;
		start = span_trim(
		    (struct span){name.data + len, name.len - len});
		if (start.len == 0)
			return strcmp(names[i], "subtitle") == 0 ? 2 : 1;
		if (start.len == 1 && start.data[0] >= '1' &&
		    start.data[0] <= '9')
			return start.data[0] > '6' ? 6 : start.data[0] - '0';
	}
	return -1;
}

static int
outline_level(const struct xml_piece *piece)
{
	struct span val = xml_attribute(piece, "val");

	if (val.len != 1 || !text_is_digit(val.data[0]))
		return -1;
	return val.data[0] == '9' ? 0 : val.data[0] >= '6' ? 6
							   : val.data[0] - '/';
}

void
office_page_styles(struct office_page *p, struct span xml)
{
	struct office_style *s = NULL;
	struct xml_piece piece;

	p->styles = arena_array(&p->arena, STYLES_MAX, sizeof(*p->styles));
	if (p->styles == NULL) {
		p->err = ERR_MEMORY;
		return;
	}
	while (xml_next(&xml, &piece) != XML_END) {
		if (piece.kind != XML_OPEN)
			continue;
		if (span_is(piece.name, "style") && p->n_styles < STYLES_MAX) {
			s = &p->styles[p->n_styles++];
			*s = (struct office_style){.level = -1,
			    .id = xml_attribute(&piece, "styleId")};
		} else if (s == NULL) {
			continue;
		} else if (span_is(piece.name, "name")) {
			s->level = level_by_name(xml_attribute(&piece, "val"));
		} else if (span_is(piece.name, "basedOn")) {
			s->based_on = xml_attribute(&piece, "val");
		} else if (span_is(piece.name, "outlineLvl")) {
			s->level = outline_level(&piece);
		} else if (span_is(piece.name, "vanish")) {
			s->hidden = is_on(&piece);
		}
	}
}

/* What a style and those it is based on say; the first that says it. */
static struct office_style
style_of(const struct office_page *p, struct span id)
{
	struct office_style found = {.level = -1};
	int steps;
	size_t i;

	for (steps = 0; steps < STYLE_STEPS_MAX && id.len > 0; steps++) {
		for (i = 0; i < p->n_styles; i++)
			if (span_equal(p->styles[i].id, id))
				break;
		if (i == p->n_styles)
			break;
		if (found.level < 0)
			found.level = p->styles[i].level;
		found.hidden = found.hidden || p->styles[i].hidden;
		id = p->styles[i].based_on;
	}
	return found;
}

/* ---- WordprocessingML ---------------------------------------------------- */

static void
refer_to_note(struct office_page *p, enum notes_kind kind, struct span id)
{
	size_t i;

	for (i = 0; i < p->n_notes[kind]; i++)
		if (span_equal(p->notes[kind][i].id, id)) {
			put_note(p, p->notes[kind][i].text);
			return;
		}
}

/* Properties of paragraphs and runs. */
static bool
take_property(struct office_page *p, const struct xml_piece *piece)
{
	struct office_box *b = box_of(p);
	struct span val = xml_attribute(piece, "val");
	struct office_style style;

	if (span_is(piece->name, "pPr")) {
		p->in_paragraph_properties = !piece->empty;
	} else if (span_is(piece->name, "pStyle")) {
		style = style_of(p, val);
		b->level = style.level >= 0 ? style.level : level_by_name(val);
		b->level = b->level < 0 ? 0 : b->level;
		b->hidden = style.hidden;
	} else if (span_is(piece->name, "outlineLvl")) {
		b->level = outline_level(piece);
		b->level = b->level < 0 ? 0 : b->level;
	} else if (span_is(piece->name, "rStyle")) {
		if (!p->in_paragraph_properties)
			b->run_hidden = style_of(p, val).hidden;
	} else if (span_is(piece->name, "vanish")) {
		if (!p->in_paragraph_properties) {
			b->run_hidden = is_on(piece);
			b->hidden = b->hidden && is_on(piece);
		}
	} else if (span_is(piece->name, "r")) {
		b->run_hidden = false;
	} else {
		return false;
	}
	return true;
}

static void
open_word(struct office_page *p, const struct xml_piece *piece)
{
	struct span n = piece->name;

	if (span_is(n, "del") || span_is(n, "moveFrom")) {
		skip(p, piece, true, false);
	} else if (span_is(n, "rt") || span_is(n, "rPrChange") ||
	    span_is(n, "pPrChange") || span_is(n, "delText") ||
	    ((span_is(n, "Fallback") || span_is(n, "Choice")) &&
	    p->choice_taken)) {
		skip(p, piece, false, false);
	} else if (span_is(n, "AlternateContent")) {
		p->choice_taken = false;
	} else if (span_is(n, "Choice")) {
		p->choice_taken = true;
	} else if (span_is(n, "t")) {
		p->in_text = !piece->empty;
	} else if (take_property(p, piece)) {
		return;
	} else if (span_is(n, "p")) {
		if (!piece->empty)
			begin_paragraph(p);
	} else if (span_is(n, "txbxContent")) {
		if (!piece->empty && !push_box(p, box_of(p)->is_note))
			skip(p, piece, true, true);
	} else if (span_is(n, "tbl")) {
		open_table(p, piece, "<table>");
	} else if (span_is(n, "tr")) {
		open_table(p, piece, "<tr>");
	} else if (span_is(n, "tc")) {
		open_table(p, piece, "<td>");
	} else if (span_is(n, "footnoteReference")) {
		refer_to_note(p, NOTES_FOOT, xml_attribute(piece, "id"));
	} else if (span_is(n, "endnoteReference")) {
		refer_to_note(p, NOTES_END, xml_attribute(piece, "id"));
	} else if (span_is(n, "noBreakHyphen")) {
		put_mark(p, "-");
	} else if (span_is(n, "br") || span_is(n, "cr")) {
		put_mark(p, "<br>");
	} else if ((span_is(n, "tab") && !p->in_paragraph_properties) ||
	    span_is(n, "ptab")) {
		put_mark(p, " ");
	}
}

static void
close_word(struct office_page *p, const struct xml_piece *piece)
{
	struct span n = piece->name;

	if (span_is(n, "t"))
		p->in_text = false;
	else if (span_is(n, "pPr"))
		p->in_paragraph_properties = false;
	else if (span_is(n, "p"))
		end_paragraph(p);
	else if (span_is(n, "txbxContent"))
		pop_box(p);
	else if (span_is(n, "tbl"))
		close_table(p, "</table>\n");
	else if (span_is(n, "tr"))
		close_table(p, "</tr>\n");
	else if (span_is(n, "tc"))
		close_table(p, "</td>");
}

static void
take_word(struct office_page *p, const struct xml_piece *piece)
{
	if (p->skipping > 0)
		pass_skipped(p, piece);
	else if (piece->kind == XML_OPEN)
		open_word(p, piece);
	else if (piece->kind == XML_CLOSE)
		close_word(p, piece);
	else if (p->in_text)
		put_text(p, piece);
}

void
office_page_notes(struct office_page *p, enum notes_kind kind, struct span xml)
{
	const char *wanted = kind == NOTES_FOOT ? "footnote" : "endnote";
	struct office_note *note = NULL;
	struct xml_piece piece;
	char *text;

	if (xml.len == 0)
		return;
	p->notes[kind] = arena_array(&p->arena, NOTES_MAX,
	    sizeof(*p->notes[kind]));
	if (p->notes[kind] == NULL) {
		p->err = ERR_MEMORY;
		return;
	}
	box_of(p)->is_note = true;
	while (xml_next(&xml, &piece) != XML_END && p->err == ERR_NONE) {
		bool own = p->skipping == 0 && span_is(piece.name, wanted);

		if (own && piece.kind == XML_OPEN &&
		    p->n_notes[kind] < NOTES_MAX) {
			note = &p->notes[kind][p->n_notes[kind]++];
			*note = (struct office_note){
			    .id = xml_attribute(&piece, "id")};
			buf_reset(&p->note);
		}
		take_word(p, &piece);
		if (!own || piece.kind != XML_CLOSE || note == NULL)
			continue;
		text = arena_strndup(&p->arena, buf_text(&p->note),
		    p->note.len);
		if (text == NULL)
			p->err = ERR_MEMORY;
		else
			note->text = (struct span){text, p->note.len};
	}
	p->box = 0;
	p->skipping = 0;
	p->cells = 0;
	p->in_text = false;
	box_of(p)->is_note = false;
}

void
office_page_word(struct office_page *p, struct span xml)
{
	struct xml_piece piece;

	while (p->err == ERR_NONE && buf_err(p->out) == ERR_NONE &&
	    xml_next(&xml, &piece) != XML_END)
		take_word(p, &piece);
	while (p->box > 0)
		pop_box(p);
	end_paragraph(p);
}

/* ---- OpenDocument -------------------------------------------------------- */

/* Styles that hide text: <style:text-properties text:display="none">. */
static void
note_style(struct office_page *p, const struct xml_piece *piece)
{
	struct office_style *s;

	if (p->styles == NULL)
		p->styles = arena_array(&p->arena, STYLES_MAX,
		    sizeof(*p->styles));
	if (p->styles == NULL)
		p->err = ERR_MEMORY;
	else if (span_is(piece->name, "style") && p->n_styles < STYLES_MAX)
		p->styles[p->n_styles++] = (struct office_style){.level = -1,
		    .id = xml_attribute(piece, "name"),
		    .based_on = xml_attribute(piece, "parent-style-name")};
	else if (span_is(piece->name, "text-properties") && p->n_styles > 0) {
		s = &p->styles[p->n_styles - 1];
		s->hidden = span_is(xml_attribute(piece, "display"), "none");
	}
}

static bool
is_hidden_odt(const struct office_page *p, const struct xml_piece *piece)
{
	return span_is(xml_attribute(piece, "display"), "none") ||
	    style_of(p, xml_attribute(piece, "style-name")).hidden;
}

static void
begin_odt_paragraph(struct office_page *p, const struct xml_piece *piece)
{
	struct span level = xml_attribute(piece, "outline-level");

	begin_paragraph(p);
	p->in_text = !piece->empty;
	if (!span_is(piece->name, "h"))
		return;
	box_of(p)->level = level.len == 1 && level.data[0] >= '1' &&
		level.data[0] <= '6'
	    ? level.data[0] - '0'
	    : level.len > 0 ? 6 : 1;
}

static void
open_odt(struct office_page *p, const struct xml_piece *piece)
{
	struct span n = piece->name;

	if (span_is(n, "tracked-changes")) {
		skip(p, piece, false, false);
	} else if (span_is(n, "note-citation") || span_is(n, "annotation")) {
		skip(p, piece, false, false);
		p->in_text = p->in_text || !piece->empty;
	} else if (span_is(n, "style") || span_is(n, "text-properties")) {
		note_style(p, piece);
	} else if ((span_is(n, "span") || span_is(n, "p") || span_is(n, "h") ||
	    span_is(n, "section")) && is_hidden_odt(p, piece)) {
		skip(p, piece, true, true);
	} else if (span_is(n, "p") || span_is(n, "h")) {
		begin_odt_paragraph(p, piece);
	} else if (span_is(n, "note-body") || span_is(n, "text-box")) {
		if (!piece->empty && !push_box(p, span_is(n, "note-body")))
			skip(p, piece, true, true);
		else if (span_is(n, "note-body"))
			buf_reset(&p->note);
	} else if (span_is(n, "s") || span_is(n, "tab")) {
		put_mark(p, " ");
	} else if (span_is(n, "line-break")) {
		put_mark(p, "<br>");
	} else if (span_is(n, "table")) {
		open_table(p, piece, "<table>");
	} else if (span_is(n, "table-row")) {
		open_table(p, piece, "<tr>");
	} else if (span_is(n, "table-cell")) {
		open_table(p, piece, "<td>");
	}
}

static void
close_odt(struct office_page *p, const struct xml_piece *piece)
{
	struct buf note = BUF_INIT(TEXT_MAX);
	struct span n = piece->name;

	if (span_is(n, "p") || span_is(n, "h")) {
		end_paragraph(p);
		p->in_text = p->box > 0;
	} else if (span_is(n, "text-box")) {
		pop_box(p);
		p->in_text = true;
	} else if (span_is(n, "note-body")) {
		pop_box(p);
		p->in_text = true;
		buf_add(&note, buf_text(&p->note), p->note.len);
		put_note(p, (struct span){buf_text(&note), note.len});
		if (p->err == ERR_NONE)
			p->err = buf_err(&note);
	} else if (span_is(n, "table")) {
		close_table(p, "</table>\n");
	} else if (span_is(n, "table-row")) {
		close_table(p, "</tr>\n");
	} else if (span_is(n, "table-cell")) {
		close_table(p, "</td>");
	}
	buf_release(&note);
}

void
office_page_odt(struct office_page *p, struct span xml)
{
	struct xml_piece piece;
	bool was_text = false;

	while (p->err == ERR_NONE && buf_err(p->out) == ERR_NONE &&
	    xml_next(&xml, &piece) != XML_END) {
		if (p->skipping > 0) {
			pass_skipped(p, &piece);
			if (p->skipping == 0)
				p->in_text = was_text;
		} else if (piece.kind == XML_OPEN) {
			was_text = p->in_text;
			open_odt(p, &piece);
		} else if (piece.kind == XML_CLOSE) {
			close_odt(p, &piece);
		} else if (p->in_text) {
			put_text(p, &piece);
		}
	}
	while (p->box > 0)
		pop_box(p);
	end_paragraph(p);
}
