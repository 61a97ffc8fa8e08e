#include "base/arena.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

Suite *arena_suite(void);

START_TEST(memory_is_zeroed_aligned_and_apart)
{
	struct arena a;
	size_t size, i;
	char *p, *before = NULL;

	arena_init(&a, 1 << 20);
	for (size = 0; size < 3000; size = size * 2 + 1) {
		p = arena_alloc(&a, size);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (i = 0; i < size; i++)
			ck_assert_int_eq(p[i], 0);
		memset(p, 'x', size);
		ck_assert(p != before);
		before = p;
	}
	arena_release(&a);
}
END_TEST

START_TEST(the_maximum_holds_and_a_smaller_size_still_fits)
{
	struct arena a;

	arena_init(&a, 100);
	ck_assert_ptr_null(arena_alloc(&a, 101));
	ck_assert_ptr_nonnull(arena_alloc(&a, 64));
	ck_assert_ptr_null(arena_alloc(&a, 64));
	ck_assert_ptr_nonnull(arena_alloc(&a, 16));
	arena_release(&a);
	ck_assert_ptr_nonnull(arena_alloc(&a, 100));
	arena_release(&a);
}
END_TEST

START_TEST(an_array_that_overflows_is_refused)
{
	struct arena a;

	arena_init(&a, SIZE_MAX);
	ck_assert_ptr_null(arena_array(&a, SIZE_MAX / 2, 4));
	ck_assert_ptr_nonnull(arena_array(&a, 0, 4));
	arena_release(&a);
}
END_TEST

START_TEST(copies_end_in_a_nul_and_may_hold_one)
{
	struct arena a;
	char *copy;

	arena_init(&a, 4096);
	copy = arena_strndup(&a, "a\0b", 3);
	ck_assert_mem_eq(copy, "a\0b", 4);
	ck_assert_str_eq(arena_strndup(&a, NULL, 0), "");
	ck_assert_str_eq(arena_strdup(&a, "text"), "text");
	ck_assert_str_eq(arena_printf(&a, "%s-%d", "n", 7), "n-7");
	arena_release(&a);
}
END_TEST

Suite *
arena_suite(void)
{
	Suite *s = suite_create("arena");
	TCase *t = tcase_create("arena");

	tcase_add_test(t, memory_is_zeroed_aligned_and_apart);
	tcase_add_test(t, the_maximum_holds_and_a_smaller_size_still_fits);
	tcase_add_test(t, an_array_that_overflows_is_refused);
	tcase_add_test(t, copies_end_in_a_nul_and_may_hold_one);
	suite_add_tcase(s, t);
	return s;
}
