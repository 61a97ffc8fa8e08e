#include "app/report_output.h"

#include <check.h>
#include <string.h>

Suite *report_output_suite(void);

#define N(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static const struct {
	enum report_format format;
	const char *text, *cell;
} cells[] = {
    {REPORT_TEXT, "plain", "plain"},
    {REPORT_TEXT, "a\nb\tc\x1b[31m", "a b c [31m"},
    {REPORT_TEXT, "\xC2\x9B" "31m \xE2\x80\xAE" "x \x7f", " 31m  x  "},
    {REPORT_TEXT, "\xff", "\xEF\xBF\xBD"},
    {REPORT_CSV, "say \"hi\", you", "\"say \"\"hi\"\", you\""},
    {REPORT_CSV, "=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""},
    {REPORT_CSV, "+1", "\"'+1\""},
    {REPORT_CSV, "-1", "\"'-1\""},
    {REPORT_CSV, "@SUM(A1)", "\"'@SUM(A1)\""},
    {REPORT_CSV, "\t=1", "\"' =1\""},
    {REPORT_CSV, "\r\n=1", "\"'  =1\""},
    {REPORT_CSV, "1=1", "\"1=1\""},
    {REPORT_JSON, "a\x1b\xC2\x9B\"", "\"a\\u001b\\u009b\\\"\""},
    {REPORT_JSON, NULL, "null"},
};

START_TEST(cells_are_harmless)
{
	struct buf out = BUF_INIT(1024);

	report_cell(&out, cells[_i].format, span_of(cells[_i].text));
	ck_assert_str_eq(buf_text(&out), cells[_i].cell);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *text;
	int64_t day; /* -1: it is none */
} days[] = {
    {"1970-01-01", 0}, {"1970-03-01", 59}, {"2000-02-29", 11016},
    {"2026-11-28", 20785}, {"2026-13-01", -1}, {"2026-11", -1},
    {"yesterday", -1}, {"2026/11/28", -1}, {"1969-12-31", -1},
};

START_TEST(days_are_read)
{
	int64_t us = -1;
	bool read = report_day(days[_i].text, &us);

	ck_assert_int_eq(read, days[_i].day >= 0);
	if (read)
		ck_assert_int_eq(us / 86400 / 1000000, days[_i].day);
}
END_TEST

Suite *
report_output_suite(void)
{
	Suite *s = suite_create("report_output");
	TCase *t = tcase_create("cells");

	tcase_add_loop_test(t, cells_are_harmless, 0, N(cells));
	tcase_add_loop_test(t, days_are_read, 0, N(days));
	suite_add_tcase(s, t);
	return s;
}
