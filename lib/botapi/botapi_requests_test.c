/* The models of the bot API against the examples of contracts/chat.md,
 * appendix C, as far as they are about a decoded body. */
#include "botapi/botapi_requests.h"

#include <check.h>
#include <string.h>

#include "json/jsonout.h"

Suite *botapi_requests_suite(void);

#define N(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define MISSING "\"msg\":\"field required\",\"type\":\"value_error.missing\"}"
#define NONE                                                                   \
	"\"msg\":\"none is not an allowed value\","                            \
	"\"type\":\"type_error.none.not_allowed\"}"
#define DICT                                                                   \
	"\"msg\":\"value is not a valid dict\","                               \
	"\"type\":\"type_error.dict\"}"
#define STR "\"msg\":\"str type expected\",\"type\":\"type_error.str\"}"
#define NOT_BOOL                                                               \
	"\"msg\":\"value could not be parsed to a boolean\","                  \
	"\"type\":\"type_error.bool\"}"
#define LIST                                                                   \
	"\"msg\":\"value is not a valid list\","                               \
	"\"type\":\"type_error.list\"}"
#define ROLE                                                                   \
	"\"msg\":\"value is not a valid enumeration member; permitted: "       \
	"'system', 'user', 'assistant'\",\"type\":\"type_error.enum\","        \
	"\"ctx\":{\"enum_values\":[\"system\",\"user\",\"assistant\"]}}"
#define NO_BOT                                                                 \
	"{\"loc\":[\"body\",\"__root__\"],\"msg\":"                            \
	"\"Either \\\"bot_uid\\\" or "                                         \
	"\\\"bot_slug\\\" is required\",\"type\":\"value_error\"}"
#define NO_PROMPT                                                              \
	"{\"loc\":[\"body\",\"__root__\"],\"msg\":"                            \
	"\"Either \\\"prompt\\\" or "                                          \
	"\\\"messages\\\" is required\",\"type\":\"value_error\"}"
#define AT(place) "{\"loc\":[\"body\"" place "],"

struct example {
	const char *name, *body, *errors; /* "": accepted */
};

static const struct example chats[] = {
    {"E1", "{}", AT(",\"stream\"") MISSING "," NO_BOT "," NO_PROMPT},
    {"E2", "{\"bot_slug\":\"demo\",\"prompt\":\"hi\"}",
        AT(",\"stream\"") MISSING},
    {"E3", "{\"bot_slug\":\"demo\",\"prompt\":\"hi\",\"stream\":null}",
        AT(",\"stream\"") NONE},
    {"E4", "{\"bot_slug\":\"demo\",\"prompt\":\"hi\",\"stream\":\"yep\"}",
        AT(",\"stream\"") NOT_BOOL},
    {"E5", "{\"bot_slug\":\"demo\",\"stream\":false}", NO_PROMPT},
    {"E6", "{\"bot_slug\":\"demo\",\"stream\":false,\"prompt\":[1,2,3]}",
        AT(",\"prompt\"") STR "," NO_PROMPT},
    {"E7",
        "{\"bot_slug\":\"demo\",\"stream\":false,\"messages\":"
        "{\"key\":\"value\"}}",
        AT(",\"messages\"") LIST "," NO_PROMPT},
    {"E8",
        "{\"bot_slug\":\"demo\",\"stream\":false,\"messages\":[5,\"abc\","
        "null,true,\"\",{\"role\":\"User\",\"content\":[]}]}",
        AT(",\"messages\",0") DICT "," AT(",\"messages\",1") DICT ","
        AT(",\"messages\",2") NONE "," AT(",\"messages\",3") DICT ","
        AT(",\"messages\",4,\"role\"") MISSING ","
        AT(",\"messages\",4,\"content\"") MISSING ","
        AT(",\"messages\",5,\"role\"") ROLE ","
        AT(",\"messages\",5,\"content\"") STR "," NO_PROMPT},
    {"E9",
        "{\"bot_slug\":\"demo\",\"stream\":false,\"prompt\":\"x\","
        "\"messages\":[7]}",
        AT(",\"messages\",0") DICT},
    {"E10",
        "{\"use_search\":2,\"max_words\":\"x\",\"assumptions\":1,"
        "\"language\":{},\"user_id\":[],\"stream\":[],\"messages\":1,"
        "\"prompt\":{},\"bot_slug\":[],\"bot_uid\":{}}",
        AT(",\"bot_uid\"") STR "," AT(",\"bot_slug\"") STR ","
        AT(",\"prompt\"") STR "," AT(",\"messages\"") LIST ","
        AT(",\"stream\"") NOT_BOOL "," AT(",\"user_id\"") STR ","
        AT(",\"language\"") STR "," AT(",\"assumptions\"") DICT ","
        AT(",\"max_words\"") "\"msg\":\"value is not a valid integer\","
        "\"type\":\"type_error.integer\"}," AT(",\"use_search\"") NOT_BOOL
        "," NO_BOT "," NO_PROMPT},
    {"E14", "null", AT("") MISSING},
    {"E15", "\"abc\"", AT("") DICT},
    {"E16",
        "[[\"stream\",false],[\"bot_slug\",\"nobody\"],[\"prompt\",1]]", ""},
    {"E17", "[[1,2]]",
        AT("") "\"msg\":\"keywords must be strings\","
        "\"type\":\"type_error\"}"},
    {"E37", "{\"bot_slug\":\"demo\",\"stream\":false,\"prompt\":\"hi\"}", ""},
    {"empty counts as not given",
        "{\"bot_slug\":\"\",\"bot_uid\":null,\"stream\":0,\"prompt\":\"\","
        "\"messages\":[]}",
        NO_BOT "," NO_PROMPT},
    {"a number is a prompt, blanks are one too",
        "{\"bot_slug\":\" \",\"stream\":0,\"prompt\":0}", ""},
    {"nulls where they are allowed",
        "{\"bot_slug\":\"a\",\"stream\":1,\"prompt\":\"a\",\"bot_uid\":null,"
        "\"messages\":null,\"user_id\":null,\"language\":null,"
        "\"assumptions\":null,\"max_words\":null,\"use_search\":null}", ""},
    {"messages as pairs",
        "{\"bot_slug\":\"a\",\"stream\":1,\"messages\":[[[\"role\",\"user\"],"
        "[\"content\",5]]]}", ""},
    {"null parts of a message",
        "{\"bot_slug\":\"a\",\"stream\":1,\"messages\":[{\"role\":null,"
        "\"content\":null}],\"prompt\":1}",
        AT(",\"messages\",0,\"role\"") NONE ","
        AT(",\"messages\",0,\"content\"") NONE},
    {"the last of two names counts",
        "{\"bot_slug\":\"a\",\"stream\":[],\"prompt\":\"a\",\"stream\":1}",
        ""},
    {"an item with the wrong keys",
        "{\"bot_slug\":\"a\",\"stream\":1,\"prompt\":1,\"messages\":[[[1,2]]]"
        "}", AT(",\"messages\",0") "\"msg\":\"keywords must be strings\","
        "\"type\":\"type_error\"}"},
};

static const struct example statistics[] = {
    {"E39",
        "{\"user_id\":1,\"start_date\":\"bad_start_date\","
        "\"end_date\":\"bad_end_date\"}",
        AT(",\"start_date\"") "\"msg\":\"invalid date format\","
        "\"type\":\"value_error.date\"}," AT(",\"end_date\"")
        "\"msg\":\"invalid date format\",\"type\":\"value_error.date\"}"},
    {"E40", "{\"user_id\":\"x\",\"start_date\":[],\"end_date\":NaN}",
        AT(",\"user_id\"") "\"msg\":\"value is not a valid integer\","
        "\"type\":\"type_error.integer\"}," AT(",\"start_date\"")
        "\"msg\":\"invalid type; expected date, string, bytes, int or "
        "float\",\"type\":\"type_error\"}," AT(",\"end_date\"")
        "\"msg\":\"cannot convert float NaN to integer\","
        "\"type\":\"value_error\"}"},
    {"E41", "{\"start_date\":\"2000-01-01\",\"end_date\":\"2023-01-01\"}",
        AT(",\"__root__\"") "\"msg\":\"Period must not exceed 3660 days\","
        "\"type\":\"value_error\"}"},
    {"E42", "{\"start_date\":\"2023-01-02\",\"end_date\":\"2023-01-01\"}", ""},
    {"3660 days", "{\"start_date\":0,\"end_date\":316137600}", ""},
    {"3661 days", "{\"start_date\":0,\"end_date\":316224000}",
        AT(",\"__root__\"") "\"msg\":\"Period must not exceed 3660 days\","
        "\"type\":\"value_error\"}"},
    {"nothing given", "{}",
        AT(",\"start_date\"") MISSING "," AT(",\"end_date\"") MISSING},
    {"null user, and no check on the period",
        "{\"user_id\":null,\"start_date\":0,\"end_date\":9e9}",
        AT(",\"user_id\"") NONE},
};

struct writing_sink {
	struct field_sink sink;
	struct buf *out;
};

static void
write_error(struct field_sink *sink, const struct field_error *e)
{
	struct buf *out = ((struct writing_sink *)sink)->out;

	jsonout_comma(out);
	v1_error_json(out, e);
}

static void
check_example(const struct model *model, const struct example *e, void *result)
{
	struct buf out = BUF_INIT(10000);
	struct writing_sink sink = {{write_error}, &out};
	struct arena arena;
	struct validation v = {&arena, &sink.sink, 0, false};
	const struct pyjson *value;

	arena_init(&arena, 1U << 20);
	ck_assert(pyjson_decode(&arena, span_of(e->body), NULL, &value,
	    NULL) == ERR_NONE);
	ck_assert(validate(&v, model, NULL, value, result) ==
	    (*e->errors == '\0'));
	ck_assert_msg(strcmp(buf_text(&out), e->errors) == 0, "%s:\n%s\n%s",
	    e->name, buf_text(&out), e->errors);
	buf_release(&out);
	arena_release(&arena);
}

START_TEST(chat_bodies)
{
	struct chat_request r;

	check_example(&chat_request_model, &chats[_i], &r);
}
END_TEST

START_TEST(statistics_bodies)
{
	struct statistics_request r;

	check_example(&statistics_request_model, &statistics[_i], &r);
	if (*statistics[_i].errors == '\0')
		ck_assert_int_eq(r.user_id.value, -1);
}
END_TEST

START_TEST(a_chat_is_filled)
{
	struct arena arena;
	struct validation v = {&arena, &field_sink_none, 0, false};
	struct chat_request r;
	const struct pyjson *value;
	const struct chat_turn *turns;

	arena_init(&arena, 1U << 20);
	ck_assert(pyjson_decode(&arena, SPAN("{\"bot_uid\":42,"
	    "\"stream\":\"on\","
	    "\"prompt\":1.5,\"messages\":[{\"role\":\"assistant\",\"content\":"
	    "true},{\"content\":\"b\",\"role\":\"system\"}],\"user_id\":\"u\","
	    "\"language\":\"de\",\"assumptions\":[],\"max_words\":\"1_0\","
	    "\"use_search\":1,\"other\":[]}"), NULL, &value, NULL) ==
	    ERR_NONE);
	ck_assert(validate(&v, &chat_request_model, NULL, value, &r));
	ck_assert(span_is(r.bot_uid, "42"));
	ck_assert_ptr_null(r.bot_slug.data);
	ck_assert(span_is(r.prompt, "1.5"));
	ck_assert(r.stream && r.assumptions && r.use_search);
	ck_assert(span_is(r.user_id, "u") && span_is(r.language, "de"));
	ck_assert(r.max_words.given && r.max_words.value == 10);
	ck_assert_uint_eq(r.messages.n, 2);
	turns = r.messages.items;
	ck_assert_int_eq(turns[0].role, ROLE_ASSISTANT);
	ck_assert(span_is(turns[0].content, "True"));
	ck_assert_int_eq(turns[1].role, ROLE_SYSTEM);
	arena_release(&arena);
}
END_TEST

/* A body that is wrong at every second byte costs no memory for it. */
START_TEST(errors_cost_no_memory)
{
	struct buf body = BUF_INIT(2U << 20);
	struct arena arena;
	struct validation v = {&arena, &field_sink_none, 0, false};
	const struct pyjson *value;
	struct chat_request r;
	size_t before;

	arena_init(&arena, 1U << 26);
	buf_adds(&body, "{\"messages\":[1");
	while (body.len < 1U << 20)
		buf_adds(&body, ",\"\"");
	buf_adds(&body, "]}");
	ck_assert(pyjson_decode(&arena, buf_span(&body),
	    NULL, &value, NULL) == ERR_NONE);
	before = arena.used;
	ck_assert(!validate(&v, &chat_request_model, NULL, value, &r));
	ck_assert_uint_gt(v.errors, 600000);
	ck_assert_uint_le(arena.used - before, 1000);
	arena_release(&arena);
	buf_release(&body);
}
END_TEST

/* Decodes and validates with an arena that fails somewhere on the way. */
static enum err
read_within(size_t max, const char *body)
{
	struct arena arena;
	struct validation v = {&arena, &field_sink_none, 0, false};
	const struct pyjson *value;
	union {
		struct chat_request chat;
		struct statistics_request statistics;
	} r;
	enum err err;

	arena_init(&arena, max);
	err = pyjson_decode(&arena, span_of(body), NULL, &value, NULL);
	if (err == ERR_NONE && !validate(&v, strstr(body, "date") != NULL
		    ? &statistics_request_model
		    : &chat_request_model, NULL, value, &r)) {
		ck_assert(v.out_of_memory);
		err = ERR_MEMORY;
	}
	arena_release(&arena);
	return err;
}

START_TEST(no_memory_is_told_wherever_it_ends)
{
	static const char *const bodies[] = {
	    "[[\"stream\",true],[\"bot_slug\",1.5],[\"prompt\",\"\\n\"],\"ab\","
	    "[\"messages\",[{\"role\":\"user\",\"content\":2.5}]],"
	    "[\"max_words\",\" 1_0 \"],{\"user_id\":0,\"x\":0}]",
	    "{\"user_id\":1e22,\"start_date\":\"1_0\",\"end_date\":\"2.5\"}",
	};
	size_t max = 0, failures = 0;
	enum err err;

	do {
		err = read_within(max, bodies[_i]);
		ck_assert(err == ERR_NONE || err == ERR_MEMORY);
		failures += err == ERR_MEMORY;
		max += 16;
	} while (err != ERR_NONE && max < 100000);
	ck_assert(err == ERR_NONE);
	ck_assert_uint_gt(failures, 10);
}
END_TEST

Suite *
botapi_requests_suite(void)
{
	Suite *s = suite_create("botapi_requests");
	TCase *t = tcase_create("botapi_requests");

	tcase_add_loop_test(t, chat_bodies, 0, N(chats));
	tcase_add_loop_test(t, statistics_bodies, 0, N(statistics));
	tcase_add_test(t, a_chat_is_filled);
	tcase_add_test(t, errors_cost_no_memory);
	tcase_add_loop_test(t, no_memory_is_told_wherever_it_ends, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
