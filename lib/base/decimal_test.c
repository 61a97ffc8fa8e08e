#include "base/decimal.h"

#include <check.h>

Suite *decimal_suite(void);

static const struct {
	const char *text;
	const char *out; /* NULL: it is refused */
} texts[] = {
    {"0", "0"},
    {"1", "1"},
    {"0.0010330", "0.0010330"},
    {"007.50", "7.50"},
    {"123456789012.123456789012", "123456789012.123456789012"},
    {"1234567890123", NULL},
    {"0.1234567890123", NULL},
    {"", NULL},
    {".", NULL},
    {"1.", NULL},
    {".5", NULL},
    {"1.2.3", NULL},
    {"-1", NULL},
    {"+1", NULL},
    {"1e3", NULL},
    {" 1", NULL},
};

START_TEST(text_is_read_and_written_as_it_is)
{
	struct decimal d;
	char out[64];

	ck_assert_int_eq(decimal_parse(texts[_i].text, &d),
	    texts[_i].out != NULL);
	if (texts[_i].out == NULL)
		return;
	ck_assert_int_eq(decimal_text(d, out, sizeof(out)), ERR_NONE);
	ck_assert_str_eq(out, texts[_i].out);
}
END_TEST

static struct decimal
of(const char *text)
{
	struct decimal d;

	ck_assert(decimal_parse(text, &d));
	return d;
}

static const struct {
	const char *a, *b, *product, *sum;
} pairs[] = {
    {"2", "3", "6", "5"},
    {"0.001", "1033", "1.033", "1033.001"},
    {"0.10", "0.10", "0.0100", "0.20"},
    {"999999999999", "0.000000000001", "0.999999999999",
	"999999999999.000000000001"},
};

START_TEST(products_and_sums_are_exact)
{
	struct decimal d;
	char out[64];

	ck_assert_int_eq(decimal_multiply(of(pairs[_i].a), of(pairs[_i].b),
	    &d), ERR_NONE);
	ck_assert_int_eq(decimal_text(d, out, sizeof(out)), ERR_NONE);
	ck_assert_str_eq(out, pairs[_i].product);
	ck_assert_int_eq(decimal_add(of(pairs[_i].a), of(pairs[_i].b), &d),
	    ERR_NONE);
	ck_assert_int_eq(decimal_text(d, out, sizeof(out)), ERR_NONE);
	ck_assert_str_eq(out, pairs[_i].sum);
}
END_TEST

static const struct {
	const char *text;
	int places;
	const char *out;
} rounds[] = {
    {"1.004", 2, "1.00"},
    {"1.005", 2, "1.01"},
    {"0.00000004", 7, "0.0000000"},
    {"0.00000005", 7, "0.0000001"},
    {"2", 3, "2.000"},
    {"9.99", 1, "10.0"},
};

START_TEST(half_is_rounded_away_from_zero)
{
	char out[64];

	ck_assert_int_eq(decimal_text(decimal_round(of(rounds[_i].text),
	    rounds[_i].places), out, sizeof(out)), ERR_NONE);
	ck_assert_str_eq(out, rounds[_i].out);
}
END_TEST

START_TEST(what_does_not_fit_is_an_error_and_never_wraps)
{
	struct decimal d = of("999999999999.999999999999");
	char out[8];
	int i;

	ck_assert_int_eq(decimal_text(d, out, sizeof(out)), ERR_TOO_BIG);
	for (i = 0; i < 8; i++)
		if (decimal_multiply(d, d, &d) != ERR_NONE)
			break;
	ck_assert_int_lt(i, 8);
}
END_TEST

Suite *
decimal_suite(void)
{
	Suite *s = suite_create("decimal");
	TCase *t = tcase_create("decimal");

	tcase_add_loop_test(t, text_is_read_and_written_as_it_is, 0,
	    sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(t, products_and_sums_are_exact, 0,
	    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_loop_test(t, half_is_rounded_away_from_zero, 0,
	    sizeof(rounds) / sizeof(rounds[0]));
	tcase_add_test(t, what_does_not_fit_is_an_error_and_never_wraps);
	suite_add_tcase(s, t);
	return s;
}
