#include "usage/pricing.h"

#include <check.h>

#include "base/decimal.h"

Suite *pricing_suite(void);

/* The vectors of contracts/chat-messages.md 4. */
static const struct {
	int64_t tokens;
	const char *unit_price, *price_unit, *price;
} rows[] = {
    {1033, "0.001", "0.001", "0.0010330"},
    {128, "0.002", "0.001", "0.0002560"},
    {1, "0.00015", "0.001", "0.0000002"},
    {1, "0.000149", "0.001", "0.0000001"},
    {7, "2.50", "0.000001", "0.0000175"},
    {3, "0.15", "0.000001", "0.0000005"},
    {1, "0.04", "0.000001", "0.0000000"},
    {2000000, "2.50", "0.000001", "5.0000000"},
    {0, "2.50", "0.000001", "0.0000000"},
};

START_TEST(prices_are_exact_and_round_half_up)
{
	struct price_list list = {rows[_i].unit_price, rows[_i].price_unit,
	    rows[_i].unit_price, rows[_i].price_unit, "USD"};
	struct usage usage;

	ck_assert_int_eq(pricing_apply(&list, rows[_i].tokens, 0, &usage),
	    ERR_NONE);
	ck_assert_str_eq(usage.prompt_price, rows[_i].price);
	ck_assert_str_eq(usage.total_price, rows[_i].price);
	ck_assert_int_eq(pricing_apply(&list, 0, rows[_i].tokens, &usage),
	    ERR_NONE);
	ck_assert_str_eq(usage.completion_price, rows[_i].price);
}
END_TEST

START_TEST(the_documented_example_comes_out_word_for_word)
{
	struct price_list list = {"0.001", "0.001", "0.002", "0.001", "USD"};
	struct buf out = BUF_INIT(4096);
	struct usage usage;

	ck_assert_int_eq(pricing_apply(&list, 1033, 128, &usage), ERR_NONE);
	usage.latency_s = 0.7682376249867957;
	usage_json(&out, &usage);
	ck_assert_str_eq(buf_text(&out),
	    "{\"prompt_tokens\":1033,\"prompt_unit_price\":\"0.001\","
	    "\"prompt_price_unit\":\"0.001\",\"prompt_price\":\"0.0010330\","
	    "\"completion_tokens\":128,\"completion_unit_price\":\"0.002\","
	    "\"completion_price_unit\":\"0.001\","
	    "\"completion_price\":\"0.0002560\",\"total_tokens\":1161,"
	    "\"total_price\":\"0.0012890\",\"currency\":\"USD\","
	    "\"latency\":0.7682376249867957}");
	buf_release(&out);
}
END_TEST

START_TEST(the_total_is_the_sum_of_rounded_prices)
{
	/* 0.00000005 each rounds up to 0.0000001; unrounded, the sum too is
	 * 0.0000001. */
	struct price_list list = {"0.05", "0.000001", "0.05", "0.000001",
	    "EUR"};
	struct usage usage;

	ck_assert_int_eq(pricing_apply(&list, 1, 1, &usage), ERR_NONE);
	ck_assert_str_eq(usage.total_price, "0.0000002");
	ck_assert_str_eq(usage.currency, "EUR");
}
END_TEST

START_TEST(without_a_list_everything_is_zero)
{
	struct usage usage;

	ck_assert_int_eq(pricing_apply(NULL, 5, 6, &usage), ERR_NONE);
	ck_assert_str_eq(usage.prompt_unit_price, "0.0");
	ck_assert_str_eq(usage.total_price, "0.0");
	ck_assert_str_eq(usage.currency, "USD");
	ck_assert_int_eq(usage.total_tokens, 11);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
} decimals[] = {
    {"0.001", true}, {"12", true}, {"999999999999.999999999999", true},
    {"", false}, {".", false}, {".5", false}, {"5.", false}, {"-1", false},
    {"1e3", false}, {"1.2.3", false}, {"1234567890123", false},
    {" 1", false},
};

START_TEST(only_plain_decimals_are_prices)
{
	struct decimal d;

	ck_assert_int_eq(decimal_parse(decimals[_i].text, &d),
	    decimals[_i].ok);
}
END_TEST

START_TEST(prices_that_do_not_fit_are_refused)
{
	struct price_list list = {"999999999999.999999999999",
	    "999999999999.999999999999", "1", "1", "USD"};
	struct usage usage;

	ck_assert_int_eq(pricing_apply(&list, INT64_MAX / 2, 0, &usage),
	    ERR_TOO_BIG);
}
END_TEST

Suite *
pricing_suite(void)
{
	Suite *s = suite_create("pricing");
	TCase *t = tcase_create("pricing");

	tcase_add_loop_test(t, prices_are_exact_and_round_half_up, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, the_documented_example_comes_out_word_for_word);
	tcase_add_test(t, the_total_is_the_sum_of_rounded_prices);
	tcase_add_test(t, without_a_list_everything_is_zero);
	tcase_add_loop_test(t, only_plain_decimals_are_prices, 0,
	    sizeof(decimals) / sizeof(decimals[0]));
	tcase_add_test(t, prices_that_do_not_fit_are_refused);
	suite_add_tcase(s, t);
	return s;
}
