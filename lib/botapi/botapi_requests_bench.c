/*
 * Decoding and validating a chat's body, against json-c's plain parse of the
 * same bytes in the same run: time from 1 KB to 1 MB, memory at 1 MB.
 *
 * Exits with failure when a shape of 1 MB takes more than 3 times json-c's
 * time or more than 12 times the body's memory, the body included.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "botapi/botapi_requests.h"

#define ARENA_MAX ((size_t)96 << 20)
#define FULL ((size_t)1 << 20)
#define TIME_MAX 3.0
#define MEMORY_MAX 12.0
#define ROUNDS 7

static const struct {
	const char *name, *before, *piece, *after;
} shapes[] = {
    {"a conversation",
        "{\"bot_slug\":\"demo\",\"stream\":true,\"messages\":[",
        "{\"role\":\"user\",\"content\":\"Explain how to pay taxes in the "
        "state of Texas, and what papers I have to gather for it.\"},",
        "{\"role\":\"user\",\"content\":\"x\"}]}"},
    {"one long prompt", "{\"bot_slug\":\"demo\",\"stream\":true,\"prompt\":\"",
        "Explain how to pay taxes in the state of Texas. ", "\"}"},
    {"a prompt in Cyrillic",
        "{\"bot_slug\":\"demo\",\"stream\":true,\"prompt\":\"",
        "\xD0\x9A\xD0\xB0\xD0\xBA \xD0\xBF\xD0\xBB\xD0\xB0\xD1\x82\xD0\xB8"
        "\xD1\x82\xD1\x8C ",
        "\"}"},
    {"escapes", "{\"bot_slug\":\"demo\",\"stream\":true,\"prompt\":\"",
        "\\u041a\\n\\ud83d\\ude00\\\\", "\"}"},
    {"ones", "[", "1,", "1]"},
    {"empty arrays", "[", "[],", "[]]"},
    {"empty objects", "[", "{},", "{}]"},
    {"floats", "[", "-12.5e3,", "1]"},
    {"wrong messages", "{\"messages\":[", "\"\",", "1]}"},
    {"pairs", "[", "\"ab\",", "\"ab\"]"},
    {"one name again", "{", "\"\":1,", "\"\":1}"},
    {"deep pieces", "[", "[[[[[[[[[[]]]]]]]]]],", "1]"},
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* Many different names, which no repeated piece gives. */
static void
fill_names(struct buf *out, size_t size)
{
	size_t i;

	buf_addc(out, '{');
	for (i = 0; out->len + 20 < size; i++)
		buf_printf(out, "\"%zx\":1,", i);
	buf_adds(out, "\"\":1}");
}

static void
fill(struct buf *out, size_t shape, size_t size)
{
	buf_reset(out);
	if (shape == N_SHAPES) {
		fill_names(out, size);
		return;
	}
	buf_adds(out, shapes[shape].before);
	while (out->len + strlen(shapes[shape].piece) +
	        strlen(shapes[shape].after) <= size)
		buf_adds(out, shapes[shape].piece);
	buf_adds(out, shapes[shape].after);
}

static void
read_ours(struct span body)
{
	struct arena arena;
	struct validation v = {&arena, &field_sink_none, 0, false};
	struct chat_request r;
	const struct pyjson *value;
	struct span text;

	arena_init(&arena, ARENA_MAX);
	if (pyjson_text(&arena, body, &text) != ERR_NONE ||
	    pyjson_decode(&arena, text, NULL, &value, NULL) != ERR_NONE)
		abort();
	(void)validate(&v, &chat_request_model, NULL, value, &r);
	arena_release(&arena);
}

static void
read_json_c(struct span body)
{
	struct json_tokener *t = json_tokener_new_ex(1000);
	struct json_object *o;

	o = json_tokener_parse_ex(t, body.data, (int)body.len);
	if (json_tokener_get_error(t) != json_tokener_success)
		abort();
	json_object_put(o);
	json_tokener_free(t);
}

/* Microseconds of one call, the best of several. */
static double
best_us(void (*read)(struct span), struct span body)
{
	size_t calls = FULL / 8 / (body.len + 1) + 1, i;
	double best = 1e18;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		int64_t begin = clock_monotonic_us();
		double us;

		for (i = 0; i < calls; i++)
			read(body);
		us = (double)(clock_monotonic_us() - begin) / (double)calls;
		if (us < best)
			best = us;
	}
	return best;
}

/* A line of /proc/self/status in kB. */
static long
status_kb(const char *name)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	long kb = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtol(line + strlen(name), NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kb;
}

/* In a fresh process: the peak while one of the two reads a shape of 1 MB,
 * the body counted too, as a multiple of the body. */
static int
print_memory(size_t shape, bool ours)
{
	struct buf body = BUF_INIT(2 * FULL);
	long before;

	fill(&body, shape, FULL);
	before = status_kb("VmRSS:");
	(ours ? read_ours : read_json_c)(buf_span(&body));
	printf("%.2f\n", 1 + (double)(status_kb("VmHWM:") - before) * 1024 /
	        (double)body.len);
	buf_release(&body);
	return EXIT_SUCCESS;
}

static double
memory_factor(size_t shape, bool ours)
{
	char command[64], line[32] = "";
	double factor = 1e9; /* not measured is not good */
	FILE *f;

	(void)snprintf(command, sizeof(command), "/proc/%ld/exe %zu %s",
	    (long)getpid(), shape, ours ? "ours" : "json-c");
	f = popen(command, "r");
	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		factor = strtod(line, NULL);
	if (f != NULL)
		(void)pclose(f);
	return factor;
}

/* One shape; false when it is beyond a limit at 1 MB. */
static bool
measure(size_t shape, struct buf *body)
{
	static const size_t sizes[] = {1024, 16384, 131072, FULL};
	double first = 0, ours = 0, floor = 0, memory;
	struct span bytes = SPAN_NONE;
	size_t i;

	printf("%-22s", shape == N_SHAPES ? "many names"
					  : shapes[shape].name);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fill(body, shape, sizes[i]);
		bytes = buf_span(body);
		ours = best_us(read_ours, bytes);
		floor = best_us(read_json_c, bytes);
		if (i == 0)
			first = ours / (double)bytes.len;
		printf(" %9.1f %5.2f", ours, ours / floor);
	}
	memory = memory_factor(shape, true);
	printf(" %8.2f %7.1f %7.1f\n", ours / (double)bytes.len / first, memory,
	    memory_factor(shape, false));
	return ours / floor <= TIME_MAX && memory <= MEMORY_MAX;
}

int
main(int argc, char **argv)
{
	struct buf body = BUF_INIT(2 * FULL);
	bool good = true;
	size_t shape;

	if (argc == 3)
		return print_memory((size_t)strtoul(argv[1], NULL, 10),
		    strcmp(argv[2], "ours") == 0);
	printf("decode and validate: microseconds, and as a multiple of "
	       "json-c's plain parse\n%-22s %15s %15s %15s %15s %8s %7s %7s\n",
	    "", "1 KB", "16 KB", "128 KB", "1 MB", "growth", "memory",
	    "json-c");
	for (shape = 0; shape <= N_SHAPES; shape++)
		good = measure(shape, &body) && good;
	printf("growth: time per byte at 1 MB over that at 1 KB; memory: peak "
	       "at 1 MB\nwith the body, in bodies; limits: %.0f times json-c, "
	       "%.0f bodies: %s\n", TIME_MAX, MEMORY_MAX,
	    good ? "kept" : "NOT KEPT");
	buf_release(&body);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
