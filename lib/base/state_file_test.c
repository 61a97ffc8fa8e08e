#include "base/state_file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *state_file_suite(void);

static char folder[64], path[96];

static void
set_up(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/state_file.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/new", folder);
}

static void
tear_down(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

START_TEST(a_new_file_is_for_its_owner_alone)
{
	mode_t before = umask(0);
	struct stat st;
	int fd = state_file_open(path, O_RDWR);

	(void)umask(before);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	(void)close(fd);
}
END_TEST

START_TEST(an_old_file_is_opened_as_it_is)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0640);
	struct stat st;

	ck_assert_int_eq(write(fd, "x", 1), 1);
	(void)close(fd);
	fd = state_file_open(path, O_RDWR);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(st.st_size, 1);
	(void)close(fd);
	fd = state_file_open(path, O_WRONLY | O_TRUNC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	(void)close(fd);
}
END_TEST

START_TEST(what_root_makes_is_the_folder_owners)
{
	struct stat st;
	int fd;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(folder, 33, 34), 0);
	fd = state_file_open(path, O_RDWR);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_uid, 33);
	ck_assert_int_eq(st.st_gid, 34);
	(void)close(fd);
}
END_TEST

START_TEST(no_folder_is_no_file)
{
	ck_assert_int_eq(state_file_open("/nonexistent/new", O_RDWR), -1);
}
END_TEST

START_TEST(a_file_is_written_whole_or_not_at_all)
{
	struct rlimit small = {.rlim_cur = 100000, .rlim_max = 100000};
	static char bytes[200000];
	struct stat st;

	ck_assert(state_file_write(path, SPAN("words"), true));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 5);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert(!state_file_write(path, SPAN("others"), true));
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 5);
	ck_assert_int_eq(unlink(path), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert(!state_file_write(path,
	    (struct span){bytes, sizeof(bytes)}, false));
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_published_file_is_the_first_ones)
{
	struct stat st;

	ck_assert(state_file_publish(path, SPAN("first")));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert(!state_file_publish(path, SPAN("second one")));
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 5);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing is left beside it */
	ck_assert(!state_file_publish(path, SPAN("first")));
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *
state_file_suite(void)
{
	Suite *suite = suite_create("state_file");
	TCase *tc = tcase_create("open");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_new_file_is_for_its_owner_alone);
	tcase_add_test(tc, an_old_file_is_opened_as_it_is);
	tcase_add_test(tc, what_root_makes_is_the_folder_owners);
	tcase_add_test(tc, no_folder_is_no_file);
	tcase_add_test(tc, a_file_is_written_whole_or_not_at_all);
	tcase_add_test(tc, a_published_file_is_the_first_ones);
	suite_add_tcase(suite, tc);
	return suite;
}
