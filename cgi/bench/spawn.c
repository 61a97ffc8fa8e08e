/*
 * Runs a CGI program many times, as a web server does: spawn PROGRAM TIMES
 * BODY, with the CGI variables in the environment.  Prints the median and
 * the mean in microseconds from start to exit, the answer read to its end.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One exchange; returns the bytes of the answer, or -1. */
static long
exchange(char *program, const char *body)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = {program, NULL}, answer[8192];
	int in[2], out[2], status;
	long total = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (posix_spawn(&pid, program, &actions, NULL, argv, environ) != 0)
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	if (write(in[1], body, strlen(body)) < 0)
		return -1;
	close(in[1]);
	while ((n = read(out[0], answer, sizeof(answer))) > 0)
		total += n;
	close(out[0]);
	waitpid(pid, &status, 0);
	return status == 0 ? total : -1;
}

int
main(int argc, char **argv)
{
	int times, i;
	double *took, sum = 0;

	if (argc != 4)
		return 2;
	times = (int)strtol(argv[2], NULL, 10);
	took = calloc((size_t)times, sizeof(*took));
	if (took == NULL)
		return 1;
	for (i = 0; i < times; i++) {
		double start = now_us();

		if (exchange(argv[1], argv[3]) <= 0) {
			fprintf(stderr, "%s failed\n", argv[1]);
			return 1;
		}
		took[i] = now_us() - start;
		sum += took[i];
	}
	qsort(took, (size_t)times, sizeof(*took), compare);
	printf("%.1f %.1f\n", took[times / 2], sum / times);
	return 0;
}
