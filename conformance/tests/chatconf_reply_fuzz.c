/*
 * Whatever a server answers, the checker must come to a verdict: the input is
 * the output of a CGI program, held against expectations that use every kind
 * of matcher and rule.  The JSON reader is also fed what its writer wrote.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/check.h"
#include "match/wire.h"
#include "match/jsonval.h"
#include "match/mem.h"

static const char *const expectations[] = {
    "{\"status\":200,\"json\":{\"$only\":{\"a\":[\"$int\",\"$text\"],"
    "\"b\":{\"$bag\":[1,\"x\",null]},\"c\":{\"$each\":\"$uuid\"},"
    "\"d\":{\"$in\":[\"$decimal\",\"$epoch\",\"$absent\"]}}},"
    "\"holds\":[{\"sum\":[\"/x\",\"/y\"],\"is\":\"/z\"}]}",
    "{\"json\":{\"$has\":{\"$re\":\"^a+(b|c)*$\"}}}",
    "{\"json\":\"$any\",\"holds\":[{\"product\":[\"/x\",\"/y\",\"/w\"],"
    "\"is\":\"/z\",\"places\":7},{\"counts\":\"/l\",\"at\":\"/p\"}]}",
    "{\"sse\":{\"end\":\"[DONE]\",\"each\":{\"content\":\"$string\"},"
    "\"join\":{\"from\":\"/content\",\"is\":\"$text\"}}}",
    "{\"sse\":{\"name\":\"/event\",\"ignore\":[\"ping\"],\"order\":"
    "[\"message+\",\"message_end\"],\"same\":[\"/id\"],\"at\":{\"message\":"
    "{\"answer\":\"$string\"}}},\"holds\":[{\"equal\":[\"/id\",\"/m\"]},"
    "{\"falls\":\"/l\",\"at\":\"/s\"}]}",
};

static void
write_and_read_again(struct arena *a, const struct jv *value)
{
	struct buf text = BUF_INIT(MEM_TEXT_MAX);
	struct jv_error error;
	const struct jv *again;

	jv_write(&text, value);
	again = jv_parse(a, mem_take(a, &text), false, &error);
	if (again == NULL || !jv_equal(value, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece piece = {size, 700000};
	struct reply reply = {.pieces = &piece, .piece_count = 1};
	struct span text = {(const char *)data, size};
	struct difference difference;
	struct content content;
	struct jv_error error;
	struct arena a;
	const char *why;
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	reply_from_cgi(&a, text, &reply);
	reply.header_fault = NULL;
	for (i = 0; i < sizeof(expectations) / sizeof(*expectations); i++) {
		(void)check_reply(&a,
		    jv_parse(&a, span_of(expectations[i]), true, &error),
		    "POST", &reply, &content, &difference);
		if (content.is_stream)
			(void)sse_live(&a, &content.stream, &why);
		if (content.json != NULL)
			write_and_read_again(&a, content.json);
	}
	arena_release(&a);
	return 0;
}
