#include "language/stopwords.h"
#include "language/wordforms.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The words of a text, with '/' between; '+' before a pair that ends a run. */
static const struct {
	const char *name, *text, *words;
} scans[] = {
    {"punctuation separates", "Pay, then (keep) it!", "Pay/then/keep/it"},
    {"digits belong to words", "iPhone 13 A4-B", "iPhone/13/A4/B"},
    {"apostrophes separate", "l'imp\xC3\xB4t don't",
	"l/imp\xC3\xB4t/don/t"},
    {"marks stay on their letter", "e\xCC\x81t\xC3\xA9", "e\xCC\x81t\xC3\xA9"},
    {"Han gives pairs and the last", "税金还", "税金/金还/+还"},
    {"one Han character alone", "茶", "茶"},
    {"Han beside Latin", "USB端口2", "USB/端口/+口/2"},
    {"kana and Han run together", "本を", "本を/+を"},
    {"Hangul gives pairs", "세금 을", "세금/+금/을"},
    {"nothing", " .,!? ", ""},
    {"bytes that are no UTF-8", "a\xFF" "b\xC3", "a/b"},
};

START_TEST(words_are_found)
{
	struct word_scan scan;
	struct word word;
	char out[256] = "";

	word_scan_init(&scan, span_of(scans[_i].text));
	while (word_scan_next(&scan, &word)) {
		if (out[0] != '\0')
			(void)strncat(out, "/", sizeof(out) - strlen(out) - 1);
		if (word.last_of_run)
			(void)strncat(out, "+", sizeof(out) - strlen(out) - 1);
		(void)strncat(out, word.text.data, word.text.len);
		ck_assert_uint_eq(word.end - word.start, word.text.len);
	}
	ck_assert_msg(strcmp(out, scans[_i].words) == 0, "%s: \"%s\"",
	    scans[_i].name, out);
}
END_TEST

/* The forms of one word, with '/' between. */
static const struct {
	const char *language, *word, *forms;
} forms[] = {
    {"en", "Taxes", "tax"},
    {"en", "PAYING", "pay"},
    {"de", "H\xC3\xA4user", "haus"},
    {"de", "Stra\xC3\x9F" "e", "strass"},
    {"es", "declaraci\xC3\xB3n", "declar/declaracion"},
    {"fr", "imp\xC3\xB4ts", "impot"},
    {"ru", "налогов", "налог"},
    {NULL, "налогов", "налог"},
    {NULL, "Caf\xC3\xA9", "cafe"},
    {NULL, "\xEF\xBC\xB4\xEF\xBC\xA1\xEF\xBC\xB8", "tax"}, /* full width */
    {"tr", "IŞIK", "isik"},
    {"pl", "łódź", "lodz"},
    {"zh", "税金", "税金"},
    {"fa", "۱۲۳", "123"}, /* Persian digits */
    {"ar", "١٢٣", "123"},
    {"hi", "१२३", "123"},
};

START_TEST(words_have_forms)
{
	struct stemmers stemmers = {.made = {NULL}};
	struct word_forms found = {.n = 0};
	struct word_scan scan;
	struct word word;
	char out[256] = "";
	size_t i;

	word_scan_init(&scan, span_of(forms[_i].word));
	ck_assert(word_scan_next(&scan, &word));
	wordforms_add(&stemmers, language_find(forms[_i].language), &word,
	    &found);
	for (i = 0; i < found.n; i++) {
		if (i > 0)
			(void)strncat(out, "/", sizeof(out) - strlen(out) - 1);
		(void)strncat(out, found.text[i], found.len[i]);
	}
	ck_assert_msg(strcmp(out, forms[_i].forms) == 0, "%s: \"%s\"",
	    forms[_i].word, out);
	stemmers_release(&stemmers);
}
END_TEST

START_TEST(a_long_word_is_cut_between_characters)
{
	struct stemmers stemmers = {.made = {NULL}};
	struct word_forms found = {.n = 0};
	char text[400];
	struct word word = {.text = {text, 0}};
	size_t i;

	for (i = 0; i < 100; i++)
		memcpy(text + 2 * i, "\xD0\xB6", 2); /* a Cyrillic letter */
	word.text.len = 200;
	wordforms_add(&stemmers, NULL, &word, &found);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_le(found.len[0], WORD_FORM_BYTES);
	ck_assert_uint_eq(found.len[0] % 2, 0);
	stemmers_release(&stemmers);
}
END_TEST

/* The same word from two keyboards. */
static const char *const alike[][2] = {
    {"کتاب", "كتاب"}, {"ایران", "ايران"}, {"یک", "يك"},
    {"راہ", "راه"}, {"علی", "على"}, {"۲۰۲۶", "٢٠٢٦"}, {"کی‌بورد", "كيبورد"},
};

static const struct {
	const char *text, *code;
} guesses[] = {
    {"The office is open on weekdays and closed on Sundays.", "en"},
    {"Wie lange ist das Büro am Samstag geöffnet?", "de"},
    {"¿Cuánto cuesta la renovación del carné?", "es"},
    {"Où se trouve la salle des enfants ?", "fr"},
    {"Когда открывается филиал?", "ru"},
    {"图书馆几点开门？", "zh"},
    {"図書館は何時に開きますか", "ja"},
    {"도서관은 언제 여나요?", "ko"},
    {"متى تفتح المكتبة؟", "ar"},
    {"पुस्तकालय कब खुलता है?", "hi"},
    {"Model RAM Storage Battery", NULL},
    {"", NULL},
};

START_TEST(languages_are_guessed)
{
	const struct language *l = language_guess(span_of(guesses[_i].text));

	if (guesses[_i].code == NULL)
		ck_assert_msg(l == NULL, "%s: %s", guesses[_i].text,
		    l == NULL ? "" : l->code);
	else
		ck_assert_msg(l != NULL && strcmp(l->code, guesses[_i].code) ==
			0, "%s: %s", guesses[_i].text,
		    l == NULL ? "none" : l->code);
}
END_TEST

START_TEST(languages_have_names)
{
	ck_assert_str_eq(language_find("German")->code, "de");
	ck_assert_str_eq(language_find("de-AT")->code, "de");
	ck_assert_str_eq(language_find("deutsch")->code, "de");
	ck_assert_ptr_null(language_find("klingon"));
	ck_assert_ptr_null(language_find(NULL));
	ck_assert_int_le(language_count(), LANGUAGES_MAX);
}
END_TEST

static void
forms_of(const char *text, struct word_forms *out)
{
	struct stemmers stemmers = {.made = {NULL}};
	struct word_scan scan;
	struct word word;

	out->n = 0;
	word_scan_init(&scan, span_of(text));
	ck_assert(word_scan_next(&scan, &word));
	wordforms_add(&stemmers, NULL, &word, out);
	stemmers_release(&stemmers);
}

START_TEST(keyboards_meet)
{
	struct word_forms a, b;
	size_t i, k, same = 0;

	forms_of(alike[_i][0], &a);
	forms_of(alike[_i][1], &b);
	for (i = 0; i < a.n; i++)
		for (k = 0; k < b.n; k++)
			same += a.len[i] == b.len[k] &&
			    memcmp(a.text[i], b.text[k], a.len[i]) == 0;
	ck_assert_msg(same > 0, "%s, %s", alike[_i][0], alike[_i][1]);
}
END_TEST

Suite *wordforms_suite(void);

Suite *
wordforms_suite(void)
{
	Suite *s = suite_create("wordforms");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, words_are_found, 0,
	    sizeof(scans) / sizeof(scans[0]));
	tcase_add_loop_test(t, words_have_forms, 0,
	    sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(t, a_long_word_is_cut_between_characters);
	tcase_add_loop_test(t, languages_are_guessed, 0,
	    sizeof(guesses) / sizeof(guesses[0]));
	tcase_add_test(t, languages_have_names);
	tcase_add_loop_test(t, keyboards_meet, 0,
	    sizeof(alike) / sizeof(alike[0]));
	suite_add_tcase(s, t);
	return s;
}
