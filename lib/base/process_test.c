#include "base/process.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *process_suite(void);

/* The name a child has, asked for in the child. */
static pid_t
child_named(char *name, size_t size, int *leash)
{
	int told[2], held[2];
	pid_t pid;
	ssize_t n;

	ck_assert_int_eq(pipe(told), 0);
	ck_assert_int_eq(pipe(held), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const char *own = process_self();
		char c;

		(void)close(held[1]);
		if (write(told[1], own, strlen(own)) < 0)
			_exit(1);
		(void)!read(held[0], &c, 1);
		_exit(0);
	}
	(void)close(told[1]);
	(void)close(held[0]);
	n = read(told[0], name, size - 1);
	ck_assert_int_gt(n, 0);
	name[n] = '\0';
	(void)close(told[0]);
	*leash = held[1];
	return pid;
}

START_TEST(a_process_lives_until_it_ends)
{
	char name[512];
	int leash;
	pid_t pid = child_named(name, sizeof(name), &leash);

	ck_assert_int_eq(process_check(name), PROCESS_ALIVE);
	(void)close(leash);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(process_check(name), PROCESS_DEAD);
	ck_assert_int_eq(process_check(process_self()), PROCESS_ALIVE);
}
END_TEST

START_TEST(another_start_of_the_same_id_is_another_process)
{
	char name[512];

	(void)snprintf(name, sizeof(name), "%s", process_self());
	strrchr(name, ' ')[1] = '\0';
	strncat(name, "1", 2);
	ck_assert_int_eq(process_check(name), PROCESS_DEAD);
}
END_TEST

START_TEST(elsewhere_is_unknown)
{
	ck_assert_int_eq(process_check("other boot ns 17 5"), PROCESS_UNKNOWN);
	ck_assert_int_eq(process_check(""), PROCESS_UNKNOWN);
}
END_TEST

Suite *
process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *t = tcase_create("process");

	tcase_add_test(t, a_process_lives_until_it_ends);
	tcase_add_test(t, another_start_of_the_same_id_is_another_process);
	tcase_add_test(t, elsewhere_is_unknown);
	suite_add_tcase(s, t);
	return s;
}
