#include "base/utf8.h"

#include <check.h>

Suite *utf8_suite(void);

/* RFC 3629, and surrogates as ED A0 80 .. ED BF BF. */
static const struct {
	const char *bytes;
	size_t len;
	uint32_t code; /* of the first */
	size_t used;
	bool valid, valid_with_surrogates; /* the whole */
} rows[] = {
    {"a", 1, 'a', 1, true, true},
    {"\0", 1, 0, 1, true, true},
    {"\x7F", 1, 0x7F, 1, true, true},
    {"\xC2\x80", 2, 0x80, 2, true, true},
    {"\xDF\xBF", 2, 0x7FF, 2, true, true},
    {"\xE0\xA0\x80", 3, 0x800, 3, true, true},
    {"\xEF\xBF\xBF", 3, 0xFFFF, 3, true, true},
    {"\xF0\x90\x80\x80", 4, 0x10000, 4, true, true},
    {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF, 4, true, true},
    {"\xED\xA0\x80", 3, 0xD800, 3, false, true},
    {"\xED\xBF\xBF", 3, 0xDFFF, 3, false, true},
    {"\xC0\x80", 2, UTF8_INVALID, 1, false, false},
    {"\xC1\xBF", 2, UTF8_INVALID, 1, false, false},
    {"\xE0\x9F\xBF", 3, UTF8_INVALID, 1, false, false},
    {"\xF0\x8F\xBF\xBF", 4, UTF8_INVALID, 1, false, false},
    {"\xF4\x90\x80\x80", 4, UTF8_INVALID, 1, false, false},
    {"\xF5\x80\x80\x80", 4, UTF8_INVALID, 1, false, false},
    {"\x80", 1, UTF8_INVALID, 1, false, false},
    {"\xC2", 1, UTF8_INVALID, 1, false, false},
    {"\xE2\x82", 2, UTF8_INVALID, 1, false, false},
    {"\xE2\x82z", 3, UTF8_INVALID, 1, false, false},
    {"\xFF", 1, UTF8_INVALID, 1, false, false},
};

START_TEST(a_code_point_is_read_or_one_byte_is_invalid)
{
	struct span s = {rows[_i].bytes, rows[_i].len};
	size_t at = 0;

	ck_assert_uint_eq(utf8_next(s, &at), rows[_i].code);
	ck_assert_uint_eq(at, rows[_i].used);
	ck_assert_int_eq(utf8_valid(s, false), rows[_i].valid);
	ck_assert_int_eq(utf8_valid(s, true), rows[_i].valid_with_surrogates);
}
END_TEST

START_TEST(every_code_point_survives_being_written_and_read)
{
	uint32_t code;
	char out[4];
	size_t at, n;

	for (code = 0; code <= 0x10FFFF; code++) {
		n = utf8_put(out, code);
		at = 0;
		if (utf8_next((struct span){out, n}, &at) != code || at != n)
			ck_abort_msg("U+%04X", (unsigned)code);
	}
}
END_TEST

START_TEST(a_prefix_ends_between_code_points)
{
	struct span s = SPAN("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");

	ck_assert_uint_eq(utf8_length(s), 5);
	ck_assert_uint_eq(utf8_prefix(s, 0).len, 0);
	ck_assert_uint_eq(utf8_prefix(s, 2).len, 3);
	ck_assert_uint_eq(utf8_prefix(s, 4).len, 10);
	ck_assert_uint_eq(utf8_prefix(s, 9).len, s.len);
	ck_assert_uint_eq(utf8_length(SPAN("\xFF\xFF")), 2);
}
END_TEST

Suite *
utf8_suite(void)
{
	Suite *s = suite_create("utf8");
	TCase *t = tcase_create("utf8");

	tcase_add_loop_test(t, a_code_point_is_read_or_one_byte_is_invalid, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, every_code_point_survives_being_written_and_read);
	tcase_add_test(t, a_prefix_ends_between_code_points);
	suite_add_tcase(s, t);
	return s;
}
