/*
 * HTML through Gumbo, which reads any bytes as browsers do.
 *
 * The tree is walked once.  Text collects in a paragraph until a block begins
 * or ends.  A table is data, row by row, when it looks like data; else it lays
 * the page out, and its cells are read like any other blocks.  What is not
 * taken is counted (segmenter_omit), so that every letter of the page is
 * either handed over or accounted for.
 */
#include <gumbo.h>
#include <stdlib.h>
#include <string.h>

#include "documents/read_text.h"

#define DEPTH_MAX 256 /* deeper elements are read without their meaning */
#define TREE_DEPTH_MAX 1000
#define TREE_WORK_MAX 20000000 /* depth times tags */
#define TAGS_MAX 500000
#define ATTRIBUTE_WORK_MAX 20000000 /* comparisons of their names */
#define TEXT_MAX ((size_t)32 << 20)
#define CELL_MAX 500       /* bytes of a cell of data */
#define CELL_HEADED_MAX 2000 /* the same below <th> */
#define CELLS_MAX 256      /* of a row of data */
#define LOOK_NODES 4096    /* of a cell that are looked at */
#define NUMBERS_MAX 131072 /* bytes of line numbers */
#define BLANKS " \t\r\n\f\v"
#define NOTICE_MAX 300     /* bytes of a notice about JavaScript */
#define BUTTON_MAX 20      /* bytes of "Add to cart", unlike a question */

struct page {
	struct segmenter *out;
	struct buf text;  /* of the paragraph so far */
	struct buf row, header;
	int level;        /* of the heading whose text this is; 0: none */
	bool in_pre;
	bool in_subject;  /* below <main> or <article> */
};

static bool
is_element(const GumboNode *node)
{
	return node->type == GUMBO_NODE_ELEMENT ||
	    node->type == GUMBO_NODE_TEMPLATE;
}

static bool
is_text(const GumboNode *node)
{
	return node->type == GUMBO_NODE_TEXT ||
	    node->type == GUMBO_NODE_CDATA ||
	    node->type == GUMBO_NODE_WHITESPACE;
}

static GumboTag
tag_of(const GumboNode *node)
{
	return is_element(node) ? node->v.element.tag : GUMBO_TAG_UNKNOWN;
}

/* What holds no text of the page. */
static bool
is_no_text(GumboTag tag)
{
	switch (tag) {
	case GUMBO_TAG_SCRIPT:
	case GUMBO_TAG_STYLE:
	case GUMBO_TAG_TEMPLATE:
	case GUMBO_TAG_HEAD:
	case GUMBO_TAG_SVG:
	case GUMBO_TAG_IFRAME:
	case GUMBO_TAG_RT: /* how to read the letters before it */
	case GUMBO_TAG_RP:
		return true;
	default:
		return false;
	}
}

/* Elements within a sentence. */
static bool
is_inline(const GumboElement *e)
{
	switch (e->tag) {
	case GUMBO_TAG_A:
	case GUMBO_TAG_ABBR:
	case GUMBO_TAG_ACRONYM:
	case GUMBO_TAG_B:
	case GUMBO_TAG_BDI:
	case GUMBO_TAG_BDO:
	case GUMBO_TAG_BIG:
	case GUMBO_TAG_CITE:
	case GUMBO_TAG_CODE:
	case GUMBO_TAG_DATA:
	case GUMBO_TAG_DEL:
	case GUMBO_TAG_DFN:
	case GUMBO_TAG_EM:
	case GUMBO_TAG_FONT:
	case GUMBO_TAG_I:
	case GUMBO_TAG_IMG:
	case GUMBO_TAG_INS:
	case GUMBO_TAG_KBD:
	case GUMBO_TAG_LABEL:
	case GUMBO_TAG_MARK:
	case GUMBO_TAG_NOBR:
	case GUMBO_TAG_Q:
	case GUMBO_TAG_RUBY:
	case GUMBO_TAG_S:
	case GUMBO_TAG_SAMP:
	case GUMBO_TAG_SMALL:
	case GUMBO_TAG_SPAN:
	case GUMBO_TAG_STRIKE:
	case GUMBO_TAG_STRONG:
	case GUMBO_TAG_SUB:
	case GUMBO_TAG_SUP:
	case GUMBO_TAG_TIME:
	case GUMBO_TAG_TT:
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

static bool
has_attribute(const GumboElement *e, const char *name)
{
	return gumbo_get_attribute(&e->attributes, name) != NULL;
}

/* ---- text ---------------------------------------------------------------- */

static void
put_text(struct buf *to, const char *text, bool keep_lines)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (!text_is_blank(text[i]) ||
		    (keep_lines && text[i] == '\n' && to->len > 0))
			buf_addc(to, text[i]);
		else if (to->len > 0 && to->data[to->len - 1] != ' ' &&
		    to->data[to->len - 1] != '\n')
			buf_addc(to, ' ');
	}
}

/* The node behind `node` in the order of the text, below root; NULL at the
 * end.  Without recursion, because trees are deep and stacks are small. */
static const GumboNode *
next_node(const GumboNode *node, const GumboNode *root, bool enter)
{
	const GumboVector *children;
	size_t at;

	if (enter && is_element(node) && node->v.element.children.length > 0)
		return node->v.element.children.data[0];
	while (node != root) {
		at = node->index_within_parent + 1;
		node = node->parent;
		children = &node->v.element.children;
		if (at < children->length)
			return children->data[at];
	}
	return NULL;
}

/* All text below root on one line, until `to` is full; scripts and the like
 * are none. */
static void
collect(const GumboNode *root, struct buf *to)
{
	const GumboNode *node = root;
	bool enter = true;

	for (; node != NULL && buf_err(to) == ERR_NONE;
	     node = next_node(node, root, enter)) {
		enter = !is_no_text(tag_of(node));
		if (is_text(node))
			put_text(to, node->v.text.text, false);
		else if (is_element(node) && !is_inline(&node->v.element))
			put_text(to, " ", false);
	}
}

static void
omit(struct page *p, enum omission why, const GumboNode *root)
{
	const GumboNode *node = root;
	bool enter = true;

	for (; node != NULL; node = next_node(node, root, enter)) {
		enter = !is_no_text(tag_of(node));
		if (is_text(node))
			segmenter_omit(p->out, why, segmenter_count(
			    span_of(node->v.text.text)));
	}
}

/* What collected is a paragraph, or the heading that it began as. */
static void
end_text(struct page *p)
{
	struct span text = span_trim(
	    (struct span){buf_text(&p->text), p->text.len});

	if (text.len > 0 && p->level > 0) {
		segmenter_heading(p->out, p->level, text);
		p->level = 0;
	} else {
		segmenter_text(p->out, text);
	}
	buf_reset(&p->text);
}

static void walk(struct page *p, const GumboNode *node, int depth);

static void
walk_children(struct page *p, const GumboNode *node, int depth)
{
	const GumboVector *children = &node->v.element.children;
	unsigned int i;

	for (i = 0; i < children->length; i++)
		walk(p, children->data[i], depth + 1);
}

static void
walk_block(struct page *p, const GumboNode *node, int depth)
{
	end_text(p);
	walk_children(p, node, depth);
	end_text(p);
}

/* A heading ends where a block begins in it: without its end tag it would
 * be the whole page. */
static void
walk_heading(struct page *p, const GumboNode *node, int level, int depth)
{
	end_text(p);
	p->level = level;
	walk_children(p, node, depth);
	end_text(p);
	p->level = 0;
}

/* ---- tables -------------------------------------------------------------- */

struct table_look {
	size_t rows, cells_max;   /* rows with a cell */
	bool headed;              /* there is a <th> in the first row */
	bool row_headed;          /* each row: <th>, then <td> */
	bool blocks;              /* more than one paragraph in a cell */
	bool code;                /* a listing */
	bool numbered;            /* its first cells count its lines */
	int64_t last_number;
	size_t longest;           /* bytes of a cell */
};

static bool
is_cell(const GumboNode *node)
{
	return tag_of(node) == GUMBO_TAG_TD || tag_of(node) == GUMBO_TAG_TH;
}

/* Is there text beside `child` in its parent? */
static bool
has_neighbours(const GumboNode *child)
{
	const GumboVector *children = &child->parent->v.element.children;
	unsigned int i;

	for (i = 0; i < children->length; i++) {
		const GumboNode *other = children->data[i];

		if (other != child && other->type != GUMBO_NODE_WHITESPACE &&
		    other->type != GUMBO_NODE_COMMENT)
			return true;
	}
	return false;
}

/* Elements that a cell of data does not have.  One <p> or <div> around the
 * cell's text is how editors write cells. */
static bool
is_block_in_cell(const GumboNode *cell, const GumboNode *node)
{
	switch (tag_of(node)) {
	case GUMBO_TAG_P:
	case GUMBO_TAG_DIV:
		while (node->parent != cell && !has_neighbours(node))
			node = node->parent;
		return node->parent != cell || has_neighbours(node);
	case GUMBO_TAG_BR:
	case GUMBO_TAG_BUTTON:
	case GUMBO_TAG_INPUT:
	case GUMBO_TAG_SELECT:
	case GUMBO_TAG_OPTION:
	case GUMBO_TAG_UNKNOWN:
		return false;
	default:
		return node != cell && !is_no_text(tag_of(node)) &&
		    !is_inline(&node->v.element);
	}
}

static bool
looks_like_code(const GumboNode *node)
{
	const GumboAttribute *a;

	if (tag_of(node) == GUMBO_TAG_PRE || tag_of(node) == GUMBO_TAG_CODE)
		return true;
	if (!is_element(node))
		return false;
	a = gumbo_get_attribute(&node->v.element.attributes, "class");
	return a != NULL && (strstr(a->value, "code") != NULL ||
	    strstr(a->value, "highlight") != NULL ||
	    strstr(a->value, "lineno") != NULL);
}

/* Do the numbers of text go on from *last, and is there nothing else? */
static bool
continues_count(const char *text, int64_t *last)
{
	size_t digits;
	int64_t number;

	if (strnlen(text, NUMBERS_MAX) == NUMBERS_MAX)
		return false;
	for (text += strspn(text, BLANKS); *text != '\0';
	     text += strspn(text, BLANKS)) {
		digits = strspn(text, "0123456789");
		if (!text_to_int64((struct span){text, digits}, 0, 10000000,
			&number) || (*last >= 0 && number != *last + 1))
			return false;
		*last = number;
		text += digits;
	}
	return true;
}

/* One cell: its length, what is in it.  Tables nest, so it looks no further
 * than it must. */
static void
look_at_cell(const GumboNode *cell, size_t column, struct table_look *look)
{
	const GumboNode *node = cell;
	size_t len = 0, nodes = 0;
	bool enter = true;

	for (; node != NULL && nodes < LOOK_NODES;
	     node = next_node(node, cell, enter), nodes++) {
		enter = !is_no_text(tag_of(node));
		if (is_text(node)) {
			len += strnlen(node->v.text.text, CELL_HEADED_MAX + 1);
			if (column == 0 && look->numbered)
				look->numbered = continues_count(
				    node->v.text.text, &look->last_number);
		}
		look->blocks = look->blocks || is_block_in_cell(cell, node);
		look->code = look->code || (column == 1 && look->numbered &&
		    looks_like_code(node));
		if ((look->blocks || len > CELL_HEADED_MAX) &&
		    (!look->numbered || look->code))
			break;
	}
	look->blocks = look->blocks || nodes == LOOK_NODES;
	look->longest = len > look->longest ? len : look->longest;
}

static void
look_at_row(const GumboNode *row, struct table_look *look)
{
	const GumboVector *children = &row->v.element.children;
	size_t cells = 0, heads = 0, i;
	bool first_is_head = false;

	for (i = 0; i < children->length; i++) {
		const GumboNode *cell = children->data[i];

		if (!is_cell(cell))
			continue;
		look_at_cell(cell, cells, look);
		if (tag_of(cell) == GUMBO_TAG_TH) {
			heads++;
			first_is_head = first_is_head || cells == 0;
		}
		cells++;
	}
	if (cells == 0)
		return;
	if (look->rows == 0)
		look->headed = heads > 0;
	if (cells != 2 || heads != 1 || !first_is_head)
		look->row_headed = false;
	look->rows++;
	look->cells_max = cells > look->cells_max ? cells : look->cells_max;
}

/* The next row of this very table behind `row` (NULL: the first). */
static const GumboNode *
next_row(const GumboNode *table, const GumboNode *row)
{
	const GumboNode *node = row == NULL ? table : row;
	bool enter = row == NULL;

	while ((node = next_node(node, table, enter)) != NULL) {
		if (tag_of(node) == GUMBO_TAG_TR)
			return node;
		enter = tag_of(node) == GUMBO_TAG_TBODY ||
		    tag_of(node) == GUMBO_TAG_THEAD ||
		    tag_of(node) == GUMBO_TAG_TFOOT;
	}
	return NULL;
}

static struct table_look
look_at_table(const GumboNode *table)
{
	struct table_look look = {.row_headed = true, .numbered = true,
	    .last_number = -1};
	const GumboNode *row = NULL;

	while ((row = next_row(table, row)) != NULL)
		look_at_row(row, &look);
	look.numbered = look.numbered && look.code && look.cells_max == 2 &&
	    look.last_number >= 0;
	return look;
}

/* What stands in a table beside its rows. */
static void
put_captions(struct page *p, const GumboNode *table, int depth)
{
	const GumboVector *children = &table->v.element.children;
	unsigned int i;

	for (i = 0; i < children->length; i++)
		if (tag_of(children->data[i]) == GUMBO_TAG_CAPTION)
			walk(p, children->data[i], depth + 1);
}

/* The cells of a row with " | " between them, in p->row. */
static void
join_cells(struct page *p, const GumboNode *row, const char *between)
{
	const GumboVector *children = &row->v.element.children;
	struct buf cell = BUF_INIT(TEXT_MAX);
	struct span text;
	size_t i, k, n = 0;

	buf_reset(&p->row);
	for (i = 0; i < children->length; i++) {
		if (!is_cell(children->data[i]))
			continue;
		buf_reset(&cell);
		collect(children->data[i], &cell);
		text = span_trim((struct span){buf_text(&cell), cell.len});
		if (n++ > 0)
			buf_adds(&p->row, between);
		for (k = 0; k < text.len; k++)
			buf_addc(&p->row, text.data[k] == '|' ? '/'
							      : text.data[k]);
	}
	if (p->out->err == ERR_NONE)
		p->out->err = buf_err(&cell);
	buf_release(&cell);
}

static bool
is_empty_row(const struct buf *row)
{
	return buf_text(row)[strspn(buf_text(row), " |")] == '\0';
}

static void
walk_data(struct page *p, const GumboNode *table)
{
	const GumboNode *row = NULL;
	size_t rows = 0;
	struct buf swap;

	buf_reset(&p->header);
	while ((row = next_row(table, row)) != NULL) {
		join_cells(p, row, " | ");
		if (is_empty_row(&p->row))
			continue;
		if (p->header.len == 0) {
			swap = p->header;
			p->header = p->row;
			p->row = swap;
			continue;
		}
		if (rows++ == 0)
			p->out->taken += segmenter_count((struct span){
			    p->header.data, p->header.len});
		segmenter_row(p->out,
		    (struct span){buf_text(&p->header), p->header.len},
		    (struct span){buf_text(&p->row), p->row.len});
	}
	if (rows == 0)
		segmenter_text(p->out,
		    (struct span){buf_text(&p->header), p->header.len});
	buf_reset(&p->header);
}

/* "<th>Monday<td>nine to five": each row says all there is. */
static void
walk_pairs(struct page *p, const GumboNode *table)
{
	const GumboNode *row = NULL;

	while ((row = next_row(table, row)) != NULL) {
		join_cells(p, row, ": ");
		segmenter_text(p->out,
		    (struct span){buf_text(&p->row), p->row.len});
	}
}

/* Line numbers beside code, in two cells of many lines or in many rows of
 * one: the code alone, its lines kept. */
static void
walk_listing(struct page *p, const GumboNode *table, size_t rows, int depth)
{
	const GumboNode *row = NULL;
	const GumboVector *children;
	bool was_pre = p->in_pre, first;
	unsigned int i;

	p->in_pre = true;
	while ((row = next_row(table, row)) != NULL) {
		children = &row->v.element.children;
		first = true;
		for (i = 0; i < children->length; i++) {
			const GumboNode *cell = children->data[i];

			if (!is_cell(cell))
				continue;
			if (first)
				omit(p, OMIT_NUMBERS, cell);
			else if (rows == 1)
				walk_children(p, cell, depth + 2);
			else
				collect(cell, &p->text);
			first = false;
		}
		if (p->text.len > 0)
			buf_addc(&p->text, '\n');
	}
	p->in_pre = was_pre;
	end_text(p);
}

static void
walk_table(struct page *p, const GumboNode *node, int depth)
{
	struct table_look look;

	end_text(p);
	look = look_at_table(node);
	if (!look.numbered && (look.rows < 2 || look.cells_max < 2 ||
	    look.cells_max > CELLS_MAX || look.blocks ||
	    look.longest > (look.headed ? CELL_HEADED_MAX : CELL_MAX))) {
		walk_block(p, node, depth);
		return;
	}
	put_captions(p, node, depth);
	if (look.numbered)
		walk_listing(p, node, look.rows, depth);
	else if (look.row_headed)
		walk_pairs(p, node);
	else
		walk_data(p, node);
}

/* ---- elements ------------------------------------------------------------ */

/* A button that opens what follows is its heading; "Add to cart" is no text
 * of the page. */
static void
walk_button(struct page *p, const GumboNode *node, int depth)
{
	const GumboElement *e = &node->v.element;
	struct buf label = BUF_INIT(TEXT_MAX);
	struct span text;

	if (p->level > 0) {
		walk_children(p, node, depth);
		return;
	}
	collect(node, &label);
	text = span_trim((struct span){buf_text(&label), label.len});
	if (text.len > 0 && (has_attribute(e, "aria-expanded") ||
	    has_attribute(e, "aria-controls") || span_ends(text, "?") ||
	    span_ends(text, "？") || span_ends(text, "؟"))) {
		end_text(p);
		segmenter_heading(p->out, SEGMENT_LEVELS, text);
	} else if (text.len > BUTTON_MAX) {
		walk_block(p, node, depth);
	} else {
		omit(p, OMIT_CONTROL, node);
	}
	buf_release(&label);
}

/* What is shown without JavaScript: the text itself, or the advice to
 * switch it on. */
static void
walk_noscript(struct page *p, const GumboNode *node, int depth)
{
	struct buf text = BUF_INIT(NOTICE_MAX);
	bool notice;

	collect(node, &text);
	notice = buf_err(&text) == ERR_NONE &&
	    strcasestr(buf_text(&text), "javascript") != NULL;
	buf_release(&text);
	if (notice)
		omit(p, OMIT_SCRIPT_ONLY, node);
	else
		walk_block(p, node, depth);
}

static void
walk_subject(struct page *p, const GumboNode *node, int depth)
{
	bool was = p->in_subject;

	p->in_subject = true;
	walk_block(p, node, depth);
	p->in_subject = was;
}

static void
walk_element(struct page *p, const GumboNode *node, int depth)
{
	const GumboElement *e = &node->v.element;
	bool was_pre = p->in_pre;

	if (is_no_text(e->tag))
		return;
	switch (e->tag) {
	case GUMBO_TAG_NAV:
		omit(p, OMIT_NAVIGATION, node);
		return;
	case GUMBO_TAG_ASIDE:
	case GUMBO_TAG_FOOTER:
		if (p->in_subject)
			walk_block(p, node, depth);
		else
			omit(p, OMIT_ASIDE, node);
		return;
	case GUMBO_TAG_SELECT:
	case GUMBO_TAG_TEXTAREA:
		omit(p, OMIT_CONTROL, node);
		return;
	case GUMBO_TAG_BUTTON:
		walk_button(p, node, depth);
		return;
	case GUMBO_TAG_NOSCRIPT:
		walk_noscript(p, node, depth);
		return;
	case GUMBO_TAG_MAIN:
	case GUMBO_TAG_ARTICLE:
		walk_subject(p, node, depth);
		return;
	case GUMBO_TAG_TABLE:
		walk_table(p, node, depth);
		return;
	case GUMBO_TAG_BR:
		if (p->text.len > 0)
			buf_addc(&p->text, p->level > 0 ? ' ' : '\n');
		return;
	case GUMBO_TAG_PRE:
		p->in_pre = true;
		walk_block(p, node, depth);
		p->in_pre = was_pre;
		return;
	default:
		break;
	}
	if (heading_level(e->tag) > 0)
		walk_heading(p, node, heading_level(e->tag), depth);
	else if (is_inline(e))
		walk_children(p, node, depth);
	else
		walk_block(p, node, depth);
}

static void
walk(struct page *p, const GumboNode *node, int depth)
{
	if (is_text(node)) {
		put_text(&p->text, node->v.text.text, p->in_pre &&
			p->level == 0);
	} else if (is_element(node) && depth > DEPTH_MAX) {
		if (!is_no_text(node->v.element.tag))
			put_text(&p->text, " ", false);
		collect(node, &p->text);
	} else if (is_element(node)) {
		walk_element(p, node, depth);
	}
	/* A paragraph of a whole page is one nobody wrote as such. */
	if (p->text.len > TEXT_MAX / 4)
		end_text(p);
}

/* The text of <title>, a heading above all others. */
static void
put_title(struct page *p, const GumboNode *root)
{
	const GumboNode *node = root;
	struct buf title = BUF_INIT(TEXT_MAX);
	bool enter = true;

	for (; node != NULL; node = next_node(node, root, enter)) {
		enter = tag_of(node) == GUMBO_TAG_HTML ||
		    tag_of(node) == GUMBO_TAG_HEAD;
		if (tag_of(node) != GUMBO_TAG_TITLE)
			continue;
		collect(node, &title);
		if (title.len > 0)
			segmenter_title(p->out,
			    (struct span){buf_text(&title), title.len});
		break;
	}
	buf_release(&title);
}

/* ---- pages that Gumbo should not see ------------------------------------- */

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

/* The attributes of the tag at *at, at most; moves behind the tag. */
static int64_t
count_attributes(struct span text, size_t *at)
{
	int64_t n = 0;
	size_t i = *at;
	char quote = '\0';

	for (; i < text.len && (quote != '\0' || text.data[i] != '>'); i++) {
		char c = text.data[i];

		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if ((c == '"' || c == '\'') && text.data[i - 1] == '=')
			quote = c;
		else if ((text_is_blank(c) || c == '/' || c == '"' ||
		    c == '\'') && i + 1 < text.len &&
		    !text_is_blank(text.data[i + 1]))
			n++;
	}
	*at = i;
	return n;
}

/* Gumbo frees its tree by recursion, and a worker's stack is small; it
 * repeats open <font>s and the like in every paragraph, as browsers do; and it
 * compares each attribute with all others of its tag. */
static bool
is_too_much(struct span text)
{
	size_t i, start, depth = 0, deepest = 0, tags = 0;
	int64_t attributes, work = 0;
	bool end;

	for (i = 0; i + 1 < text.len; i++) {
		if (text.data[i] != '<')
			continue;
		end = text.data[i + 1] == '/';
		start = i + 1 + end;
		for (i = start; i < text.len && text_is_alnum(text.data[i]);)
			i++;
		if (i == start)
			continue;
		tags++;
		if (!never_nests((struct span){text.data + start, i - start})) {
			if (!end && ++depth > TREE_DEPTH_MAX)
				return true;
			depth -= end && depth > 0;
			deepest = depth > deepest ? depth : deepest;
		}
		start = i;
		attributes = count_attributes(text, &start);
		work += attributes * attributes;
		if (work > ATTRIBUTE_WORK_MAX)
			return true;
		i--;
	}
	return deepest * tags > TREE_WORK_MAX || tags > TAGS_MAX;
}

/* Moves *at to the end of <script>...</script> when it stands there. */
static bool
skip_raw(struct span text, size_t *at, bool closed[2])
{
	static const char *const ends[] = {"</script", "</style"};
	size_t i, len, end;

	for (i = 0; i < 2; i++) {
		len = strlen(ends[i]);
		if (!closed[i] || text.len - *at < len ||
		    strncasecmp(text.data + *at + 1, ends[i] + 2,
			len - 2) != 0)
			continue;
		for (end = *at + len; end + len <= text.len; end++)
			if (text.data[end] == '<' &&
			    strncasecmp(text.data + end, ends[i], len) == 0) {
				*at = end;
				return true;
			}
		closed[i] = false; /* it is text, and so are later ones */
		return false;
	}
	return false;
}

/* Tags become blanks: all that is left of a page that is too much. */
static void
read_without_tags(struct span text, struct segmenter *s)
{
	struct buf plain = BUF_INIT(text.len + 1);
	bool closed[2] = {true, true};
	size_t i = 0, start;

	while (i < text.len) {
		start = i;
		while (i < text.len && text.data[i] != '<')
			i++;
		buf_add(&plain, text.data + start, i - start);
		if (i == text.len || skip_raw(text, &i, closed))
			continue;
		while (i < text.len && text.data[i] != '>')
			i++;
		i += i < text.len;
		buf_addc(&plain, ' ');
	}
	s->remark = "is read without its structure: it has too many tags";
	read_plain((struct span){buf_text(&plain), plain.len}, s);
	if (s->err == ERR_NONE)
		s->err = buf_err(&plain);
	buf_release(&plain);
}

void
read_html(struct span text, struct segmenter *s)
{
	struct page p = {.out = s};
	GumboOutput *tree;

	if (is_too_much(text)) {
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
	buf_init(&p.row, TEXT_MAX);
	buf_init(&p.header, TEXT_MAX);
	put_title(&p, tree->root);
	walk(&p, tree->root, 0);
	end_text(&p);
	if (s->err == ERR_NONE)
		s->err = buf_err(&p.text);
	buf_release(&p.text);
	buf_release(&p.row);
	buf_release(&p.header);
	gumbo_destroy_output(&kGumboDefaultOptions, tree);
}
