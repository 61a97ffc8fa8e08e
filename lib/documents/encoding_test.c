#include "documents/encoding.h"

#include <check.h>
#include <string.h>

#define RU1251 "\xCC\xE0\xF1\xF2\xE5\xF0\xF1\xEA\xE0\xFF \xEE\xF2\xEA\xF0" \
	"\xFB\xF2\xE0 \xF1 \xE4\xE5\xF1\xFF\xF2\xE8 \xE4\xEE \xF8\xE5\xF1" \
	"\xF2\xE8."
#define RUKOI8 "\xED\xC1\xD3\xD4\xC5\xD2\xD3\xCB\xC1\xD1 \xCF\xD4\xCB\xD2" \
	"\xD9\xD4\xC1 \xD3 \xC4\xC5\xD3\xD1\xD4\xC9 \xC4\xCF \xDB\xC5\xD3" \
	"\xD4\xC9."
#define RU "Мастерская открыта с десяти до шести."
#define GB "\xC9\xCC\xB5\xEA\xC3\xBF\xCC\xEC\xD3\xAA\xD2\xB5"

static const struct {
	const char *name;
	struct span bytes;
	enum encoding_kind kind;
	const char *owner;
	const char *encoding; /* NULL: no text */
	const char *text;
	int bad;
} cases[] = {
    {"UTF-8", SPAN("h\xC3\xA9"), ENCODING_TEXT, NULL, "UTF-8", "hé", 0},
    {"UTF-8 with its mark", SPAN("\xEF\xBB\xBFhi"), ENCODING_TEXT, NULL,
	"UTF-8", "hi", 0},
    {"UTF-16 with its mark", SPAN("\xFF\xFEh\0\xE9\0"), ENCODING_TEXT, NULL,
	"UTF-16LE", "hé", 0},
    {"UTF-16, big", SPAN("\xFE\xFF\0h\xD8\x3D\xDE\x42"), ENCODING_TEXT, NULL,
	"UTF-16BE", "h\xF0\x9F\x99\x82", 0},
    {"UTF-16 without its mark", SPAN("h\0i\0 \0y\0o\0u\0"), ENCODING_TEXT,
	NULL, "UTF-16LE", "hi you", 0},
    {"Cyrillic UTF-16 without its mark",
	SPAN("\x14\x04\x30\x04 \0\x3D\x04\x35\x04\x42\x04.\0\n\0"),
	ENCODING_TEXT, NULL, "UTF-16LE", "Да нет.\n", 0},
    {"UTF-32 with its mark", SPAN("\xFF\xFE\0\0h\0\0\0i\0\0\0"),
	ENCODING_TEXT, NULL, "UTF-32LE", "hi", 0},
    {"few letters of Western Europe", SPAN("caf\xE9 \x80"), ENCODING_TEXT,
	NULL, "windows-1252", "café €", 0},
    {"an apostrophe of Windows", SPAN("We don\x92t open on Monday."),
	ENCODING_TEXT, NULL, "windows-1252", "We don’t open on Monday.", 0},
    {"a price in pounds", SPAN("The mug is \xA3" "12 and the plate \xA3" "20."),
	ENCODING_TEXT, NULL, "windows-1252",
	"The mug is £12 and the plate £20.", 0},
    {"line ends", SPAN("a\r\nb\rc"), ENCODING_TEXT, NULL, "UTF-8", "a\nb\nc",
	0},
    {"one zero byte", SPAN("The shop is\0open."), ENCODING_TEXT, NULL,
	"UTF-8", "The shop is open.", 0},
    {"windows-1251", SPAN(RU1251), ENCODING_TEXT, NULL, "windows-1251", RU, 0},
    {"KOI8-R", SPAN(RUKOI8), ENCODING_TEXT, NULL, "KOI8-R", RU, 0},
    {"UTF-8 with one foreign byte", SPAN("Грядка и лейка, don\x92t, чайник"),
	ENCODING_TEXT, NULL, "UTF-8",
	"Грядка и лейка, don\xEF\xBF\xBDt, чайник", 1},
    {"UTF-8 cut in its last character", SPAN("Ein Käse kostet 3 \xE2\x82"),
	ENCODING_TEXT, NULL, "UTF-8", "Ein Käse kostet 3 \xEF\xBF\xBD", 1},
    {"a page's own charset",
	SPAN("<html><head><meta charset=gb2312></head>" GB), ENCODING_PAGE,
	NULL, "GB18030",
	"<html><head><meta charset=gb2312></head>商店每天营业", 0},
    {"a page's http-equiv",
	SPAN("<META http-equiv=\"Content-Type\" content=\"text/html; "
	     "charset=windows-1251\">\xC4\xE0"), ENCODING_PAGE, NULL,
	"windows-1251",
	"<META http-equiv=\"Content-Type\" content=\"text/html; "
	"charset=windows-1251\">Да", 0},
    {"an XML declaration",
	SPAN("<?xml version='1.0' encoding='koi8-r'?><p>\xE4\xC1</p>"),
	ENCODING_PAGE, NULL, "KOI8-R",
	"<?xml version='1.0' encoding='koi8-r'?><p>Да</p>", 0},
    {"a page that is UTF-8 whatever it says",
	SPAN("<meta charset=iso-8859-1>Käse über Öl"), ENCODING_PAGE, NULL,
	"UTF-8", "<meta charset=iso-8859-1>Käse über Öl", 0},
    {"a text says nothing of its charset",
	SPAN("<meta charset=gb2312>" RU1251), ENCODING_TEXT, NULL,
	"windows-1251", "<meta charset=gb2312>" RU, 0},
    {"the owner's word", SPAN("\x84\xA0"), ENCODING_TEXT, "cp866", "IBM866",
	"Да", 0},
    {"the owner's word is not for UTF-8", SPAN("Да"), ENCODING_TEXT, "cp866",
	"UTF-8", "Да", 0},
    {"a page's charset before the owner's",
	SPAN("<meta charset=windows-1251>\xC4\xE0"), ENCODING_PAGE, "cp866",
	"windows-1251", "<meta charset=windows-1251>Да", 0},
    {"Big5", SPAN("\xB0\xD3\xA9\xB1\xA8" "C\xA4\xD1\xC0\xE7\xB7\x7E"),
	ENCODING_TEXT, "big5", "Big5", "商店每天營業", 0},
    {"Shift_JIS", SPAN("\x93\x58\x82\xCD\x8A\x4A\x82\xA2\x82\xC4 \xB1"),
	ENCODING_TEXT, "sjis", "Shift_JIS", "店は開いて ｱ", 0},
    {"EUC-KR", SPAN("\xB0\xA1\xB0\xD4"), ENCODING_TEXT, "euc-kr", "EUC-KR",
	"가게", 0},
    {"ISO-2022-JP", SPAN("\033$BE9$O3+$$$F$$$^$9!#\033(B ok"), ENCODING_TEXT,
	NULL, "ISO-2022-JP", "店は開いています。 ok", 0},
    {"HZ", SPAN("~{ILKD~} ok ~{C?Ll~}"), ENCODING_PAGE, NULL, "HZ-GB-2312",
	"商四 ok 每天", 0},
    {"four bytes of GB18030", SPAN("\x81\x30\x84\x36 \x90\x30\x81\x30"),
	ENCODING_TEXT, "gb18030", "GB18030", "\xC2\xA5 \xF0\x90\x80\x80", 0},
    {"binary", SPAN("\0\1\2\3\4\0\1"), ENCODING_TEXT, NULL, NULL, "", 0},
    {"noise", SPAN("\x8F\xC1\xAA\xE9\xD3\xA6\xF7\xB9\xE0\xCB\xBC\xD9\xAC\xFB"
	"\xA4\xDC\xF0\x9E\xC7\xBE\xAF\xD0\xEE\xA8\xB5\xE7\xC2\xD7\xAE\xF9\xD5"
	"\xBA\xF2\x8D\x9D\x81\xFF\xA1\xC8\xF8\xB6\xD9\xE3\xAC\xC5\xB8\xF1"),
	ENCODING_TEXT, NULL, NULL, "", 0},
    {"nothing", SPAN(""), ENCODING_TEXT, NULL, "UTF-8", "", 0},
};

START_TEST(texts_become_utf8)
{
	struct buf out = BUF_INIT(1000);
	struct encoding_found found;
	bool good = encoding_to_utf8(cases[_i].bytes, cases[_i].kind,
	    cases[_i].owner, &out, &found);

	ck_assert_msg(good == (cases[_i].encoding != NULL), "%s: %s",
	    cases[_i].name, good ? found.name : found.fault);
	if (good) {
		ck_assert_msg(strcmp(found.name, cases[_i].encoding) == 0,
		    "%s: %s: %s", cases[_i].name, found.name, buf_text(&out));
		ck_assert_msg(found.bad == cases[_i].bad, "%s: %d",
		    cases[_i].name, (int)found.bad);
	}
	ck_assert_msg(strcmp(buf_text(&out), cases[_i].text) == 0, "%s: %s",
	    cases[_i].name, buf_text(&out));
	buf_release(&out);
}
END_TEST

Suite *encoding_suite(void);

Suite *
encoding_suite(void)
{
	Suite *s = suite_create("encoding");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, texts_become_utf8, 0,
	    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, t);
	return s;
}
