/*
 * Runs the unit tests: every suite, or those named on the command line.
 * A suite is a function `Suite *NAME_suite(void)` in NAME_test.c beside
 * NAME.c; the Makefile finds it by its name.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h" /* SUITES, made by the Makefile from the names */

#define X(name) Suite *name##_suite(void);
SUITES(X)
#undef X

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define X(name) {#name, name##_suite},
    SUITES(X)
#undef X
};

static int
wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc < 2;
}

int
main(int argc, char **argv)
{
	SRunner *runner;
	int failed, ran;
	size_t i;

	/* Seconds for a test; the usual 4 are few on a busy machine. */
	(void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	runner = srunner_create(NULL);
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (wanted(suites[i].name, argc, argv))
			srunner_add_suite(runner, suites[i].make());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	ran = srunner_ntests_run(runner);
	srunner_free(runner);
	printf("%d passed, %d failed\n", ran - failed, failed);
	return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
