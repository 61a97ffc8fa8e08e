#include "documents/read_text.h"

#include <check.h>
#include <string.h>
#include <time.h>

#include "documents/tables.h"

static enum err
collect(void *arg, const struct segment *s)
{
	struct buf *out = arg;

	if (out->len > 0)
		buf_adds(out, " || ");
	buf_printf(out, "[%.*s]%s%.*s", (int)s->heading.len, s->heading.data,
	    s->is_row ? "#" : "", (int)s->content.len, s->content.data);
	return ERR_NONE;
}

static void
read_guess(struct span text, struct segmenter *s)
{
	read_table(text, '\0', s);
}

static const struct {
	const char *name;
	void (*read)(struct span text, struct segmenter *s);
	const char *text, *segments;
} cases[] = {
    {"headings part segments", read_markdown,
	"# A\n\none\n\n## B\n\ntwo\nlines\n\nthree\n",
	"[A]one || [A > B]two lines\nthree"},
    {"a heading of the same level replaces", read_markdown,
	"# A\n## B\nx\n## C\ny\n", "[A > B]x || [A > C]y"},
    {"emphasis, code and links are text", read_markdown,
	"**Pay** *now* with `curl` at [us](https://a.b) snake_case 2*3\n",
	"[]Pay now with curl at us (https://a.b) snake_case 2*3"},
    {"items are paragraphs", read_markdown, "- one\n- two\n  more\n",
	"[]- one\n- two more"},
    {"a table's row has its header", read_markdown,
	"| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n",
	"[]#| a | b |\n| 1 | 2 | || []#| a | b |\n| 3 | 4 |"},
    {"front matter is not text", read_markdown,
	"---\ntitle: T\nx: y\n---\nbody\n", "[T]body"},
    {"code keeps its lines", read_markdown, "```\na\n  b\n```\n",
	"[]a\n  b"},
    {"an underlined line is a heading", read_plain, "Title\n=====\n\nx\n",
	"[Title]x"},
    {"Q and A", read_plain, "Q: Why?\nA: Because.\n\nQ: How?\nA: So.\n",
	"[Why?]Because. || [How?]So."},
    {"a lone question heads what follows", read_plain,
	"How long?\n\nTwo weeks.\n", "[How long?]Two weeks."},
    {"rows as they stand", read_guess, "\"M\",\"N\"\n\"a, b\",\"c\"\n",
	"[]#\"M\",\"N\"\n\"a, b\",\"c\""},
    {"a quoted cell has two lines", read_guess, "m,n\n\"a\nb\",c\nd,e\n",
	"[]#m,n\n\"a\nb\",c || []#m,n\nd,e"},
    {"semicolons separate", read_guess, "m;n\r\n1,5;2\r\n",
	"[]#m;n\n1,5;2"},
    {"a title above the header", read_guess,
	"Prices, from May\n\nmodel;price\nA;1\nB;2\n",
	"[Prices, from May]#model;price\nA;1 || [Prices, from May]#model;price"
	"\nB;2"},
    {"a title in the first of many cells", read_guess,
	"Prices;;\nm;p;q\nA;1;2\n", "[Prices]#m;p;q\nA;1;2"},
    {"an inch mark", read_guess, "m,size,price\nBeta,65\",599\nGamma,5,1\n",
	"[]#m,size,price\nBeta,65\",599 || []#m,size,price\nGamma,5,1"},
    {"a quote that is never closed", read_guess,
	"m,n\n\"a,1\nb,2\nc,3\n",
	"[]#m,n\n\"a,1 || []#m,n\nb,2 || []#m,n\nc,3"},
    {"sep=", read_guess, "sep=;\nm;n\n1,5;2,5\n", "[]#m;n\n1,5;2,5"},
    {"a header alone", read_guess, "m,n\n", "[]m,n"},
    {"a rule is no front matter", read_markdown,
	"---\n\nWe are open on Monday.\n\n---\n\nAnd on Friday.\n",
	"[]We are open on Monday.\nAnd on Friday."},
    {"a rule above text with a colon", read_markdown,
	"---\nOpening hours: nine to five\n\n---\nx\n",
	"[]Opening hours: nine to five\nx"},
    {"front matter with lists", read_markdown,
	"---\ntitle: \"T\"\ntags:\n  - a\n- b\n# c\n---\nbody\n", "[T]body"},
    {"HTML", read_html,
	"<html><head><title>T</title><style>x</style></head><body><nav>no"
	"</nav><h1>H</h1><p>one <b>two</b></p><ul><li>three</ul><script>x"
	"</script><table><tr><th>a<th>b<tr><td>1<td>2</table></body>",
	"[H]one two\nthree || [H]#a | b\n1 | 2"},
    {"HTML that is not closed", read_html, "<p>a<p>b &amp; c<div>d",
	"[]a\nb & c\nd"},
    {"a table that lays a page out", read_html,
	"<table><tr><td>Menu</td><td><h2>Opening hours</h2><p>The shop is open "
	"from nine to five on Saturday.</p></td></tr></table>",
	"[]Menu || [Opening hours]The shop is open from nine to five on "
	"Saturday."},
    {"tables in a table, text around them", read_html,
	"<table><tr><td>before<table><tr><td>in</td></tr></table>after</td>"
	"</tr><tr><td>row after</td></tr></table>",
	"[]before\nin\nafter\nrow after"},
    {"long cells are blocks", read_html,
	"<table><tr><td>a<td>b<tr><td><p>c<p>d<td>e</table>",
	"[]a\nb\nc\nd\ne"},
    {"one paragraph in a cell is a cell", read_html,
	"<table><tr><td><p>a</p><td>b<tr><td><div><p>1</p></div><td>2</table>",
	"[]#a | b\n1 | 2"},
    {"a head in each row", read_html,
	"<table><tr><th>Mon<td>9-5<tr><th>Tue<td>9-6</table>",
	"[]Mon: 9-5\nTue: 9-6"},
    {"a caption", read_html,
	"<table><caption>Prices</caption><tr><td>a<td>b<tr><td>1<td>2</table>",
	"[]Prices || []#a | b\n1 | 2"},
    {"line numbers beside code", read_html,
	"<table><tr><td><pre>1\n2\n</pre><td class=code><pre>int a;\nint b;\n"
	"</pre></table>", "[]int a;\nint b;"},
    {"numbered lines of code", read_html,
	"<table><tr><td>1<td><code>int a;</code><tr><td>2<td><code>int b;"
	"</code></table>", "[]int a;\nint b;"},
    {"numbers that count nothing", read_html,
	"<table><tr><td>200<td><code>OK</code><tr><td>404<td><code>Not Found"
	"</code></table>", "[]#200 | OK\n404 | Not Found"},
    {"a question in a button", read_html,
	"<h2><button>How long is the guarantee?</button></h2><div>Ten years."
	"</div>", "[How long is the guarantee?]Ten years."},
    {"a button that opens", read_html,
	"<button aria-expanded=false>Returns</button><div>In 30 days.</div>"
	"<button>Add to cart</button>", "[Returns]In 30 days."},
    {"asides and footers of the subject", read_html,
	"<main><article><p>a<aside>b</aside><footer>c</footer></article></main>"
	"<aside>no</aside><footer>no</footer>", "[]a\nb\nc"},
    {"noscript", read_html,
	"<body><noscript>Please enable JavaScript.</noscript><noscript><p>The "
	"lazy part.</p></noscript>", "[]The lazy part."},
    {"a heading that is never closed", read_html, "<h2>T<p>a<p>b", "[T]a\nb"},
    {"a heading with nothing below it", read_html, "<h2>a</h2><h2>b</h2>c",
	"[]a || [b]c"},
    {"nothing", read_markdown, "", ""},
};

START_TEST(documents_become_segments)
{
	struct buf out = BUF_INIT(65536);
	struct segmenter s;

	segmenter_init(&s, collect, &out);
	cases[_i].read(span_of(cases[_i].text), &s);
	ck_assert_int_eq(segmenter_end(&s), ERR_NONE);
	ck_assert_msg(strcmp(buf_text(&out), cases[_i].segments) == 0,
	    "%s: %s", cases[_i].name, buf_text(&out));
	buf_release(&out);
}
END_TEST

START_TEST(a_deep_page_is_read_without_its_tags)
{
	struct buf text = BUF_INIT((size_t)4 << 20), out = BUF_INIT(65536);
	struct segmenter s;
	size_t i;

	for (i = 0; i < 300000; i++)
		buf_adds(&text, "<div>");
	buf_adds(&text, "at the bottom");
	segmenter_init(&s, collect, &out);
	read_html((struct span){buf_text(&text), text.len}, &s);
	ck_assert_int_eq(segmenter_end(&s), ERR_NONE);
	ck_assert_str_eq(buf_text(&out), "[]at the bottom");
	buf_release(&text);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *name, *before, *each, *after;
	size_t times;
} heavy[] = {
    {"attributes", "<div ", "a%zu=1 ", ">in the middle</div>", 60000},
    {"tags with attributes", "", "<p a b c d e f g h i j k l>",
	"in the middle", 200000},
    {"tags", "", "<i></i>", "in the middle", 600000},
    {"open formatting", "", "<b id=%zu><p>", "in the middle", 100000},
    {"nested tables", "", "<table><tr><td>", "in the middle", 100000},
    {"scripts that never end", "<b><i>", "<script ", "in the middle", 100000},
    {"cells", "<table>", "<tr><td>a<td>b", "<tr><td>in the middle</table>",
	200000},
};

/* Seconds on a slow machine, where they were minutes. */
START_TEST(heavy_pages_end)
{
	struct buf text = BUF_INIT((size_t)32 << 20);
	struct buf out = BUF_INIT((size_t)64 << 20);
	struct timespec from, to;
	struct segmenter s;
	size_t i;

	buf_adds(&text, heavy[_i].before);
	for (i = 0; i < heavy[_i].times; i++) {
		const char *number = strstr(heavy[_i].each, "%zu");

		if (number == NULL) {
			buf_adds(&text, heavy[_i].each);
			continue;
		}
		buf_add(&text, heavy[_i].each,
		    (size_t)(number - heavy[_i].each));
		buf_printf(&text, "%zu%s", i, number + 3);
	}
	buf_adds(&text, heavy[_i].after);
	segmenter_init(&s, collect, &out);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	read_html((struct span){buf_text(&text), text.len}, &s);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ck_assert_int_eq(segmenter_end(&s), ERR_NONE);
	ck_assert_msg(strstr(buf_text(&out), "in the middle") != NULL ||
	    strstr(heavy[_i].name, "script") != NULL, "%s", heavy[_i].name);
	ck_assert_msg(to.tv_sec - from.tv_sec < 4, "%s", heavy[_i].name);
	buf_release(&text);
	buf_release(&out);
}
END_TEST

static enum err
check_length(void *arg, const struct segment *s)
{
	size_t *total = arg;

	ck_assert_uint_le(s->content.len, SEGMENT_MAX);
	*total += s->content.len;
	return ERR_NONE;
}

START_TEST(a_long_paragraph_is_cut_between_sentences)
{
	struct buf text = BUF_INIT(100000);
	struct segmenter s;
	size_t total = 0, i;

	for (i = 0; i < 500; i++)
		buf_adds(&text, "This sentence is about as long as most. ");
	segmenter_init(&s, check_length, &total);
	read_plain((struct span){buf_text(&text), text.len}, &s);
	ck_assert_int_eq(segmenter_end(&s), ERR_NONE);
	ck_assert_int_gt(s.segments, 20);
	ck_assert_uint_gt(total, text.len * 95 / 100);
	buf_release(&text);
}
END_TEST

static const struct {
	const char *text;
	size_t end;
} sentences[] = {
    {"One. Two.", 4}, {"It costs 3.50 euro. Yes.", 19},
    {"Dr. Who came. He left.", 13}, {"Am 3. Mai ist frei. Gut.", 19},
    {"Really?! Yes.", 8}, {"He said \"no.\" Then", 13},
    {"no end", 6}, {"line\nnext", 4},
    {"\xE7\xA8\x8E\xE3\x80\x82\xE4\xBA\x8C\xE3\x80\x82", 6}, {"", 0},
};

START_TEST(sentences_end)
{
	ck_assert_uint_eq(sentence_end(span_of(sentences[_i].text)),
	    sentences[_i].end);
}
END_TEST

START_TEST(cells_are_unquoted)
{
	struct span cells[8];
	struct arena arena;

	arena_init(&arena, 4096);
	ck_assert_uint_eq(table_cells(SPAN(" a ,\"b, \"\"c\"\"\",,d"), ',',
			      &arena, cells, 8), 4);
	ck_assert(span_is(cells[0], "a"));
	ck_assert(span_is(cells[1], "b, \"c\""));
	ck_assert(span_is(cells[2], ""));
	ck_assert(span_is(cells[3], "d"));
	ck_assert_uint_eq(table_cells(SPAN("| a | b |"), '|', &arena, cells,
			      8), 2);
	ck_assert(span_is(cells[1], "b"));
	ck_assert_uint_eq(table_cells(SPAN("Beta,65\",599"), ',', &arena,
			      cells, 8), 3);
	ck_assert(span_is(cells[1], "65\""));
	ck_assert(span_is(cells[2], "599"));
	ck_assert_uint_eq(table_cells(SPAN("| 5\" | \"b |"), '|', &arena,
			      cells, 8), 2);
	ck_assert_uint_eq(table_cells(SPAN("a,b,c"), ',', &arena, cells, 2),
	    2);
	arena_release(&arena);
}
END_TEST

Suite *read_text_suite(void);

Suite *
read_text_suite(void)
{
	Suite *s = suite_create("read_text");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, documents_become_segments, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, heavy_pages_end, 0,
	    sizeof(heavy) / sizeof(heavy[0]));
	tcase_add_test(t, a_deep_page_is_read_without_its_tags);
	tcase_add_test(t, a_long_paragraph_is_cut_between_sentences);
	tcase_add_loop_test(t, sentences_end, 0,
	    sizeof(sentences) / sizeof(sentences[0]));
	tcase_add_test(t, cells_are_unquoted);
	suite_add_tcase(s, t);
	return s;
}
