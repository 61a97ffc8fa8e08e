/* HTML through Gumbo, which reads any bytes as browsers do. */
#include <gumbo.h>
#include <stdlib.h>
#include <string.h>

#include "documents/read_text.h"

#define DEPTH_MAX 256
#define TREE_DEPTH_MAX 1000
#define TREE_WORK_MAX 20000000 /* depth times tags */
#define TEXT_MAX ((size_t)8 << 20)

struct page {
	struct segmenter *out;
	struct buf text;      /* of the paragraph so far */
	struct buf row;       /* cells of the table row so far */
	struct buf header;    /* of the table; empty: none yet */
	bool in_cell;
	bool headed;          /* there was a heading */
};

static void
add_text(struct page *p, const char *text)
{
	struct buf *to = p->in_cell ? &p->row : &p->text;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (!text_is_blank(text[i]))
			buf_addc(to, text[i] == '|' && p->in_cell ? '/'
								 : text[i]);
		else if (to->len > 0 && to->data[to->len - 1] != ' ' &&
		    to->data[to->len - 1] != '\n')
			buf_addc(to, ' ');
	}
}

static void
end_text(struct page *p)
{
	if (p->in_cell)
		return;
	segmenter_text(p->out,
	    (struct span){buf_text(&p->text), p->text.len});
	buf_reset(&p->text);
}

static bool
is_skipped(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_SCRIPT:
	case GUMBO_TAG_STYLE:
	case GUMBO_TAG_TEMPLATE:
	case GUMBO_TAG_NOSCRIPT:
	case GUMBO_TAG_NAV:
	case GUMBO_TAG_ASIDE:
	case GUMBO_TAG_FOOTER:
	case GUMBO_TAG_HEAD:
	case GUMBO_TAG_BUTTON:
	case GUMBO_TAG_SELECT:
	case GUMBO_TAG_TEXTAREA:
	case GUMBO_TAG_SVG:
	case GUMBO_TAG_IFRAME:
		return true;
	default:
		return false;
	}
}

static bool
is_inline(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_A:
	case GUMBO_TAG_ABBR:
	case GUMBO_TAG_B:
	case GUMBO_TAG_BDI:
	case GUMBO_TAG_BDO:
	case GUMBO_TAG_CITE:
	case GUMBO_TAG_CODE:
	case GUMBO_TAG_DATA:
	case GUMBO_TAG_DFN:
	case GUMBO_TAG_EM:
	case GUMBO_TAG_FONT:
	case GUMBO_TAG_I:
	case GUMBO_TAG_IMG:
	case GUMBO_TAG_KBD:
	case GUMBO_TAG_LABEL:
	case GUMBO_TAG_MARK:
	case GUMBO_TAG_Q:
	case GUMBO_TAG_RUBY:
	case GUMBO_TAG_S:
	case GUMBO_TAG_SAMP:
	case GUMBO_TAG_SMALL:
	case GUMBO_TAG_SPAN:
	case GUMBO_TAG_STRONG:
	case GUMBO_TAG_SUB:
	case GUMBO_TAG_SUP:
	case GUMBO_TAG_TIME:
	case GUMBO_TAG_U:
	case GUMBO_TAG_VAR:
	case GUMBO_TAG_WBR:
		return true;
	default:
		return false;
	}
}

static int
heading_level(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_H1:
		return 1;
	case GUMBO_TAG_H2:
		return 2;
	case GUMBO_TAG_H3:
		return 3;
	case GUMBO_TAG_H4:
		return 4;
	case GUMBO_TAG_H5:
		return 5;
	case GUMBO_TAG_H6:
	case GUMBO_TAG_DT:
	case GUMBO_TAG_SUMMARY:
		return 6;
	default:
		return 0;
	}
}

static void walk(struct page *p, const GumboNode *node, int depth);

static void
walk_children(struct page *p, const GumboElement *e, int depth)
{
	unsigned int i;

	for (i = 0; i < e->children.length; i++)
		walk(p, e->children.data[i], depth + 1);
}

static void
put_row(struct page *p)
{
	struct span row = {buf_text(&p->row), p->row.len};

	if (p->header.len == 0)
		buf_add(&p->header, row.data, row.len);
	else
		segmenter_row(p->out,
		    (struct span){buf_text(&p->header), p->header.len}, row);
}

static void
walk_table(struct page *p, const GumboElement *e, int depth)
{
	if (e->tag == GUMBO_TAG_TABLE) {
		end_text(p);
		buf_reset(&p->header);
		walk_children(p, e, depth);
		buf_reset(&p->header);
		return;
	}
	if (e->tag == GUMBO_TAG_TR) {
		end_text(p);
		buf_reset(&p->row);
		walk_children(p, e, depth);
		p->in_cell = false;
		if (p->row.len > 0)
			put_row(p);
		buf_reset(&p->row);
		return;
	}
	if (p->row.len > 0)
		buf_adds(&p->row, " | ");
	p->in_cell = true;
	walk_children(p, e, depth);
	p->in_cell = false;
}

static void
walk_heading(struct page *p, const GumboElement *e, int level, int depth)
{
	end_text(p);
	walk_children(p, e, depth);
	if (p->text.len > 0) {
		segmenter_heading(p->out, level,
		    (struct span){buf_text(&p->text), p->text.len});
		p->headed = true;
	}
	buf_reset(&p->text);
}

static void
walk_element(struct page *p, const GumboElement *e, int depth)
{
	int level = heading_level(e->tag);

	if (is_skipped(e->tag))
		return;
	if (e->tag == GUMBO_TAG_BR) {
		if (p->in_cell)
			add_text(p, " ");
		else if (p->text.len > 0)
			buf_addc(&p->text, '\n');
		return;
	}
	if (level > 0 && !p->in_cell) {
		walk_heading(p, e, level, depth);
		return;
	}
	if (e->tag == GUMBO_TAG_TABLE || e->tag == GUMBO_TAG_TR ||
	    e->tag == GUMBO_TAG_TD || e->tag == GUMBO_TAG_TH) {
		walk_table(p, e, depth);
		return;
	}
	if (is_inline(e->tag)) {
		walk_children(p, e, depth);
		return;
	}
	end_text(p);
	walk_children(p, e, depth);
	end_text(p);
}

static void
walk(struct page *p, const GumboNode *node, int depth)
{
	if (depth > DEPTH_MAX)
		return;
	if (node->type == GUMBO_NODE_ELEMENT)
		walk_element(p, &node->v.element, depth);
	else if (node->type == GUMBO_NODE_TEXT ||
	    node->type == GUMBO_NODE_CDATA ||
	    node->type == GUMBO_NODE_WHITESPACE)
		add_text(p, node->v.text.text);
	else if (node->type == GUMBO_NODE_DOCUMENT)
		walk_children(p, &node->v.element, depth);
}

/* The text of <title>, a heading above all others. */
static void
put_title(struct page *p, const GumboNode *node, int depth)
{
	const GumboElement *e;
	unsigned int i;

	if (node->type != GUMBO_NODE_ELEMENT || depth > 2)
		return;
	e = &node->v.element;
	if (e->tag == GUMBO_TAG_TITLE && e->children.length > 0) {
		const GumboNode *text = e->children.data[0];

		if (text->type == GUMBO_NODE_TEXT)
			segmenter_heading(p->out, 1,
			    span_of(text->v.text.text));
		return;
	}
	if (e->tag == GUMBO_TAG_HTML || e->tag == GUMBO_TAG_HEAD)
		for (i = 0; i < e->children.length; i++)
			put_title(p, e->children.data[i], depth + 1);
}

/* Elements that do not nest in themselves, or have no end. */
static bool
never_nests(struct span name)
{
	static const char *const names[] = {"area", "base", "br", "col",
	    "embed", "hr", "img", "input", "link", "meta", "param", "source",
	    "track", "wbr", "p", "li", "dt", "dd", "tr", "td", "th", "thead",
	    "tbody", "tfoot", "option", "optgroup", "colgroup", "html",
	    "head", "body"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

/* Gumbo frees its tree by recursion, and a worker's stack is small; and it
 * repeats open <font>s and the like in every paragraph, as browsers do. */
static bool
is_too_deep(struct span text)
{
	size_t i, start, depth = 0, deepest = 0, tags = 0;
	bool end;

	for (i = 0; i + 1 < text.len; i++) {
		if (text.data[i] != '<')
			continue;
		end = text.data[i + 1] == '/';
		start = i + 1 + end;
		for (i = start; i < text.len && text_is_alnum(text.data[i]);)
			i++;
		tags += i > start;
		if (i == start || never_nests((struct span){
			text.data + start, i - start}))
			continue;
		if (!end && ++depth > TREE_DEPTH_MAX)
			return true;
		depth -= end && depth > 0;
		deepest = depth > deepest ? depth : deepest;
		i--;
	}
	return deepest * tags > TREE_WORK_MAX;
}

/* Tags become blanks: all that is left of a page that is too deep. */
static void
read_without_tags(struct span text, struct segmenter *s)
{
	struct buf plain = BUF_INIT(text.len + 1);
	bool inside = false;
	size_t i;

	for (i = 0; i < text.len; i++) {
		inside = inside || text.data[i] == '<';
		buf_addc(&plain, inside ? ' ' : text.data[i]);
		inside = inside && text.data[i] != '>';
	}
	read_plain((struct span){buf_text(&plain), plain.len}, s);
	buf_release(&plain);
}

void
read_html(struct span text, struct segmenter *s)
{
	struct page p = {.out = s};
	GumboOutput *tree;

	if (is_too_deep(text)) {
		read_without_tags(text, s);
		return;
	}
	tree = gumbo_parse_with_options(&kGumboDefaultOptions, text.data,
	    text.len);
	if (tree == NULL) {
		s->err = ERR_MEMORY;
		return;
	}
	buf_init(&p.text, TEXT_MAX);
	buf_init(&p.row, SEGMENT_ROW_MAX);
	buf_init(&p.header, SEGMENT_ROW_MAX);
	put_title(&p, tree->root, 0);
	walk(&p, tree->root, 0);
	end_text(&p);
	if (s->err == ERR_NONE)
		s->err = buf_err(&p.text);
	buf_release(&p.text);
	buf_release(&p.row);
	buf_release(&p.header);
	gumbo_destroy_output(&kGumboDefaultOptions, tree);
}

/* ---- the body of a DOCX -------------------------------------------------- */

struct word_body {
	struct segmenter *out;
	struct buf text;
	int level; /* of the paragraph's heading style; 0 */
};

static void
put_entity(struct span *rest, struct buf *out)
{
	static const struct {
		const char *name;
		char c;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'},
	    {"&quot;", '"'}, {"&apos;", '\''}};
	size_t i, len;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i].name);
		if (!span_starts(*rest, names[i].name))
			continue;
		buf_addc(out, names[i].c);
		*rest = (struct span){rest->data + len, rest->len - len};
		return;
	}
	buf_addc(out, '&');
	*rest = (struct span){rest->data + 1, rest->len - 1};
}

static void
put_xml_text(struct span text, struct buf *out)
{
	while (text.len > 0) {
		const char *amp = memchr(text.data, '&', text.len);
		size_t plain = amp == NULL ? text.len
					   : (size_t)(amp - text.data);

		buf_add(out, text.data, plain);
		text = (struct span){text.data + plain, text.len - plain};
		if (text.len > 0)
			put_entity(&text, out);
	}
}

/* w:val="Heading2" of a paragraph's style */
static int
style_level(struct span tag)
{
	static const char *const styles[] = {"w:val=\"Heading", "w:val=\"Title",
	    "w:val=\"berschrift", "w:val=\"heading "};
	const char *at;
	size_t i;

	for (i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		at = memmem(tag.data, tag.len, styles[i], strlen(styles[i]));
		if (at == NULL)
			continue;
		at += strlen(styles[i]);
		if (at < tag.data + tag.len && *at >= '1' && *at <= '6')
			return *at - '0';
		return 1;
	}
	return 0;
}

static void
take_word_tag(struct word_body *b, struct span tag)
{
	struct span text;

	if (span_starts(tag, "w:pStyle")) {
		b->level = style_level(tag);
	} else if (span_starts(tag, "w:tab/") || span_starts(tag, "w:tab ")) {
		buf_addc(&b->text, ' ');
	} else if (span_starts(tag, "w:br")) {
		buf_addc(&b->text, '\n');
	} else if (span_starts(tag, "/w:tc")) {
		buf_addc(&b->text, ' ');
	} else if (span_is(tag, "/w:p")) {
		text = (struct span){buf_text(&b->text), b->text.len};
		if (b->level > 0)
			segmenter_heading(b->out, b->level, text);
		else
			segmenter_text(b->out, text);
		buf_reset(&b->text);
		b->level = 0;
	}
}

void
read_wordxml(struct span text, struct segmenter *s)
{
	struct word_body b = {.out = s};
	bool in_text = false;
	const char *open, *close;
	struct span tag;

	buf_init(&b.text, TEXT_MAX);
	while (text.len > 0 && s->err == ERR_NONE) {
		open = memchr(text.data, '<', text.len);
		if (open == NULL)
			break;
		if (in_text)
			put_xml_text((struct span){text.data,
			    (size_t)(open - text.data)}, &b.text);
		close = memchr(open, '>',
		    text.len - (size_t)(open - text.data));
		if (close == NULL)
			break;
		tag = (struct span){open + 1, (size_t)(close - open) - 1};
		in_text = span_is(tag, "w:t") || span_starts(tag, "w:t ");
		take_word_tag(&b, tag);
		text.len -= (size_t)(close + 1 - text.data);
		text.data = close + 1;
	}
	buf_release(&b.text);
}
