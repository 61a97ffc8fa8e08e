#include "auth/secret.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"

#define AT_ONCE 16

Suite *secret_suite(void);

static char folder[64], path[96];
static struct config config;

static void
set_up(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/secret.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/" SECRET_FILE, folder);
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
}

static void
tear_down(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left there */
}

static void
write_secret(const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

START_TEST(it_is_made_once_for_its_owner_alone)
{
	uint8_t key[SECRET_KEY], again[SECRET_KEY];
	mode_t before = umask(0);
	struct stat st;

	ck_assert_int_eq(secret_key(&config, "visitor", key), ERR_NONE);
	(void)umask(before);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(st.st_size, 65);
	ck_assert_int_eq(secret_key(&config, "visitor", again), ERR_NONE);
	ck_assert_mem_eq(key, again, SECRET_KEY);
}
END_TEST

START_TEST(each_label_has_a_key_of_its_own)
{
	uint8_t visitor[SECRET_KEY], address[SECRET_KEY];

	ck_assert_int_eq(secret_key(&config, "visitor", visitor), ERR_NONE);
	ck_assert_int_eq(secret_key(&config, "address", address), ERR_NONE);
	ck_assert_mem_ne(visitor, address, SECRET_KEY);
}
END_TEST

START_TEST(another_folder_has_other_keys)
{
	uint8_t key[SECRET_KEY], other[SECRET_KEY];

	ck_assert_int_eq(secret_key(&config, "visitor", key), ERR_NONE);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(secret_key(&config, "visitor", other), ERR_NONE);
	ck_assert_mem_ne(key, other, SECRET_KEY);
}
END_TEST

/* All begin when the pipe closes. */
START_TEST(processes_that_begin_at_once_agree)
{
	uint8_t key[SECRET_KEY], theirs[SECRET_KEY];
	int begin[2], results[2], i, status;
	char wait_for;

	ck_assert_int_eq(pipe(begin), 0);
	ck_assert_int_eq(pipe(results), 0);
	for (i = 0; i < AT_ONCE; i++) {
		if (fork() != 0)
			continue;
		(void)close(begin[1]);
		(void)!read(begin[0], &wait_for, 1);
		if (secret_key(&config, "visitor", key) != ERR_NONE)
			_exit(1);
		_exit(write(results[1], key, SECRET_KEY) != SECRET_KEY);
	}
	(void)close(begin[1]);
	for (i = 0; i < AT_ONCE; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(secret_key(&config, "visitor", key), ERR_NONE);
	for (i = 0; i < AT_ONCE; i++) {
		ck_assert_int_eq(read(results[0], theirs, SECRET_KEY),
		    SECRET_KEY);
		ck_assert_mem_eq(key, theirs, SECRET_KEY);
	}
}
END_TEST

/* $(printf visitor | openssl dgst -sha256 -hmac 777...): its first and last
 * byte. */
START_TEST(a_declared_one_is_the_file_copied)
{
	char digits[66];
	uint8_t key[SECRET_KEY], declared[SECRET_KEY];

	memset(digits, '7', 64);
	digits[64] = '\n';
	digits[65] = '\0';
	write_secret(digits);
	ck_assert_int_eq(secret_key(&config, "visitor", key), ERR_NONE);
	digits[64] = '\0';
	config.server.secret = digits;
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(secret_key(&config, "visitor", declared), ERR_NONE);
	ck_assert_mem_eq(key, declared, SECRET_KEY);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_uint_eq(key[0], 0xf6);
	ck_assert_uint_eq(key[SECRET_KEY - 1], 0xc3);
}
END_TEST

static const char *const damaged[] = {"", "7", "not hex, but as long as one "
    "that is: 0123456789012345678901234567", "777777777777777777777777777777"
    "77777777777777777777777777777777g"};

START_TEST(a_damaged_one_is_never_used_nor_replaced)
{
	uint8_t key[SECRET_KEY] = {0}, untouched[SECRET_KEY] = {0};
	struct stat st;

	write_secret(damaged[_i]);
	ck_assert_int_eq(secret_key(&config, "visitor", key), ERR_IO);
	ck_assert_mem_eq(key, untouched, SECRET_KEY);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq((int)st.st_size, (int)strlen(damaged[_i]));
}
END_TEST

START_TEST(without_a_folder_there_is_none)
{
	uint8_t key[SECRET_KEY];

	config.server.state = "/nonexistent/state";
	ck_assert_int_eq(secret_key(&config, "visitor", key), ERR_IO);
}
END_TEST

Suite *
secret_suite(void)
{
	Suite *suite = suite_create("secret");
	TCase *tc = tcase_create("secret");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, it_is_made_once_for_its_owner_alone);
	tcase_add_test(tc, each_label_has_a_key_of_its_own);
	tcase_add_test(tc, another_folder_has_other_keys);
	tcase_add_test(tc, processes_that_begin_at_once_agree);
	tcase_add_test(tc, a_declared_one_is_the_file_copied);
	tcase_add_loop_test(tc, a_damaged_one_is_never_used_nor_replaced, 0,
	    sizeof(damaged) / sizeof(damaged[0]));
	tcase_add_test(tc, without_a_folder_there_is_none);
	suite_add_tcase(suite, tc);
	return suite;
}
