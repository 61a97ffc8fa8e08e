/*
 * The bot API through its router, over a request in memory: the worked
 * examples E1 to E42 of contracts/chat.md byte for byte, then streams,
 * faults, accounting and routing.
 */
#include "botapi/botapi.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "config/config_file.h"
#include "engine/engine.h"
#include "http/gateway_memory.h"
#include "store/store.h"

Suite *botapi_suite(void);

#define N(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define KEY "Bearer demo-key"
#define TOO_LONG {NULL, 26}
#define TOO_DEEP {NULL, 27}
#define NOW_US INT64_C(1767225600000000) /* 2026-01-01 */

static const char conf[] =
    "[server]\n"
    "demo = yes\n"
    "[engine canned]\n"
    "kind = replay\n"
    "recordings = canned.json\n"
    "[bot demo]\n"
    "uid = 11B8ca51-52F6-4d0e-9c0f-6d1d0b9a4cEE\n"
    "name = Demo\n"
    "model = canned-1\n"
    "engine = canned\n"
    "[bot hidden]\n"
    "published = no\n"
    "engine = canned\n"
    "[bot off]\n"
    "enabled = no\n"
    "engine = canned\n";

static const char recordings[] =
    "{\"recordings\": ["
    "{\"question\": \"fail first\", \"answer\": [], \"fault\": \"rate_limit\","
    " \"message\": \"Busy.\"},"
    "{\"question\": \"time out\", \"answer\": [], \"fault\": \"timeout\","
    " \"message\": \"Too slow.\"},"
    "{\"question\": \"fail later\", \"answer\": [\"half \", \"an\"],"
    " \"fault\": \"cut\", \"message\": \"Cut off.\"},"
    "{\"question\": \"say nothing\", \"answer\": []},"
    "{\"question\": \"wait\", \"answer\": [\"late\"],"
    " \"delay_ms\": 25000},"
    "{\"answer\": [\"Hello\", \" there\", \".\"]}]}";

static char folder[64];
static struct config *config;
static struct store_pool *pool;
static struct engine_worker *worker;
static struct gateway_memory memory;
static struct arena arena;

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void
setup(void)
{
	struct buf faults = BUF_INIT(65536);
	char path[128];

	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-botapi-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)setenv("PARLANCE_STATE", folder, 1);
	write_file("canned.json", recordings);
	write_file("parlance.conf", conf);
	(void)snprintf(path, sizeof(path), "%s/parlance.conf", folder);
	ck_assert_msg(config_read(path, &config, &faults) == ERR_NONE, "%s",
	    buf_text(&faults));
	buf_release(&faults);
	pool = store_pool_new(config, 1);
	worker = engine_worker_new(config);
	clock_pin_us(NOW_US);
}

static void
teardown(void)
{
	char command[128];

	clock_pin_us(-1);
	engine_worker_free(worker);
	store_pool_free(pool);
	config_free(config);
	(void)unsetenv("PARLANCE_STATE");
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* ---- one request ------------------------------------------------------ */

struct asked {
	const char *method, *uri, *type, *authorization, *host;
	struct span body;
	size_t gone_after; /* bytes; 0: never */
};

/* Takes every step of an answer; waits by setting the clock on. */
static void
drive(struct answer *a)
{
	int64_t now_ms = clock_monotonic_ms();
	enum answer_state state;
	struct interests in;
	int i;

	for (i = 0; i < 1000; i++) {
		state = answer_step(a, now_ms, NULL);
		if (state == ANSWER_DONE)
			break;
		if (state == ANSWER_WORK) {
			answer_work(a);
			continue;
		}
		interests_none(&in);
		a->ops->interests(a, &in);
		ck_assert_int_ne(in.wake_ms, INTERESTS_NEVER);
		if (in.wake_ms > now_ms)
			now_ms = in.wake_ms;
	}
	ck_assert_int_lt(i, 1000);
	a->ops->release(a);
}

static int
ask(const struct asked *q)
{
	static const struct family *const families[] = {&botapi_family};
	static char text[6][256];
	const char *params[8];
	char length[24];
	struct exchange x;
	size_t n = 0, t = 0;

#define PARAM(name, value)                                                     \
	do {                                                                   \
		(void)snprintf(text[t], sizeof(text[t]), name "=%s", value);   \
		params[n++] = text[t++];                                       \
	} while (0)

	PARAM("REQUEST_METHOD", q->method == NULL ? "POST" : q->method);
	PARAM("REQUEST_URI", q->uri == NULL ? "/v1/chat" : q->uri);
	PARAM("HTTP_HOST", q->host == NULL ? "oracle.test" : q->host);
	if (q->type == NULL || q->type[0] != '\0')
		PARAM("CONTENT_TYPE", q->type == NULL ? "application/json"
						      : q->type);
	(void)snprintf(length, sizeof(length), "%zu", q->body.len);
	PARAM("CONTENT_LENGTH", length);
	if (q->authorization != NULL)
		PARAM("HTTP_AUTHORIZATION", q->authorization);
	params[n] = NULL;
	gateway_memory_init(&memory, params, q->body);
	if (q->gone_after > 0)
		memory.write_max = q->gone_after;
	arena_init(&arena, (size_t)96 << 20);
	memset(&x, 0, sizeof(x));
	x.config = config;
	x.stores = pool;
	x.worker = worker;
	ck_assert_int_eq(request_init(&x.request, &arena, &memory.gateway,
	    ""), ERR_NONE);
	response_init(&x.response, &memory.gateway, x.request.id,
	    strcmp(x.request.method, "HEAD") == 0);
	ck_assert_int_eq(router_serve(families, 1, &x), ERR_NONE);
	if (x.answer != NULL)
		drive(x.answer);
	response_release(&x.response);
	arena_release(&arena);
	return gateway_memory_status(&memory);
}

static const char *
body_text(void)
{
	return gateway_memory_body(&memory).data;
}

static int
chat(const char *json)
{
	const struct asked q = {.authorization = KEY, .body = span_of(json)};

	return ask(&q);
}

static void
done(void)
{
	gateway_memory_release(&memory);
}

/* ---- the worked examples ---------------------------------------------- */

static const struct {
	const char *name, *method, *uri, *type, *authorization;
	struct span body;
	int status;
	const char *header, *value, *answer;
} examples[] = {
    {"E1", NULL, NULL, NULL, KEY,
        SPAN("{}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"stream\"],\"msg\":\"field requir"
        "ed\",\"type\":\"value_error.missing\"},{\"loc\":[\"body\",\"__root"
        "__\"],\"msg\":\"Either \\\"bot_uid\\\" or \\\"bot_slug\\\" is requ"
        "ired\",\"type\":\"value_error\"},{\"loc\":[\"body\",\"__root__\"],"
        "\"msg\":\"Either \\\"prompt\\\" or \\\"messages\\\" is required\","
        "\"type\":\"value_error\"}]}"},
    {"E2", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"prompt\":\"hi\"}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"stream\"],\"msg\":\"field requir"
        "ed\",\"type\":\"value_error.missing\"}]}"},
    {"E3", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"prompt\":\"hi\",\"stream\":null}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"stream\"],\"msg\":\"none is not "
        "an allowed value\",\"type\":\"type_error.none.not_allowed\"}]}"},
    {"E4", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"prompt\":\"hi\",\"stream\":\"yep\"}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"stream\"],\"msg\":\"value could "
        "not be parsed to a boolean\",\"type\":\"type_error.bool\"}]}"},
    {"E5", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"stream\":false}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"__root__\"],\"msg\":\"Either \\"
        "\"prompt\\\" or \\\"messages\\\" is required\",\"type\":\"value_er"
        "ror\"}]}"},
    {"E6", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"stream\":false,\"prompt\":[1,2,3]}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"str type exp"
        "ected\",\"type\":\"type_error.str\"},{\"loc\":[\"body\",\"__root__"
        "\"],\"msg\":\"Either \\\"prompt\\\" or \\\"messages\\\" is require"
        "d\",\"type\":\"value_error\"}]}"},
    {"E7", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"stream\":false,"
        "\"messages\":{\"key\":\"value\"}}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"messages\"],\"msg\":\"value is n"
        "ot a valid list\",\"type\":\"type_error.list\"},{\"loc\":[\"body\""
        ",\"__root__\"],\"msg\":\"Either \\\"prompt\\\" or \\\"messages\\\""
        " is required\",\"type\":\"value_error\"}]}"},
    {"E8", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"stream\":false,\"messages\":[5,"
        "\"abc\",null,true,\"\",{\"role\":\"User\",\"content\":[]}]}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"messages\",0],\"msg\":\"value is"
        " not a valid dict\",\"type\":\"type_error.dict\"},{\"loc\":[\"body"
        "\",\"messages\",1],\"msg\":\"value is not a valid dict\",\"type\":"
        "\"type_error.dict\"},{\"loc\":[\"body\",\"messages\",2],\"msg\":\""
        "none is not an allowed value\",\"type\":\"type_error.none.not_allo"
        "wed\"},{\"loc\":[\"body\",\"messages\",3],\"msg\":\"value is not a"
        " valid dict\",\"type\":\"type_error.dict\"},{\"loc\":[\"body\",\"m"
        "essages\",4,\"role\"],\"msg\":\"field required\",\"type\":\"value_"
        "error.missing\"},{\"loc\":[\"body\",\"messages\",4,\"content\"],\""
        "msg\":\"field required\",\"type\":\"value_error.missing\"},{\"loc"
        "\":[\"body\",\"messages\",5,\"role\"],\"msg\":\"value is not a val"
        "id enumeration member; permitted: 'system', 'user', 'assistant'\","
        "\"type\":\"type_error.enum\",\"ctx\":{\"enum_values\":[\"system\","
        "\"user\",\"assistant\"]}},{\"loc\":[\"body\",\"messages\",5,\"cont"
        "ent\"],\"msg\":\"str type expected\",\"type\":\"type_error.str\"},"
        "{\"loc\":[\"body\",\"__root__\"],\"msg\":\"Either \\\"prompt\\\" o"
        "r \\\"messages\\\" is required\",\"type\":\"value_error\"}]}"},
    {"E9", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"stream\":false,\"prompt\":\"x\","
        "\"messages\":[7]}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"messages\",0],\"msg\":\"value is"
        " not a valid dict\",\"type\":\"type_error.dict\"}]}"},
    {"E10", NULL, NULL, NULL, KEY,
        SPAN("{\"use_search\":2,\"max_words\":\"x\",\"assumptions\":1,"
        "\"language"
        "\":{},\"user_id\":[],\"stream\":[],\"messages\":1,\"prompt\":{},\""
        "bot_slug\":[],\"bot_uid\":{}}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"bot_uid\"],\"msg\":\"str type ex"
        "pected\",\"type\":\"type_error.str\"},{\"loc\":[\"body\",\"bot_slu"
        "g\"],\"msg\":\"str type expected\",\"type\":\"type_error.str\"},{"
        "\"loc\":[\"body\",\"prompt\"],\"msg\":\"str type expected\",\"type"
        "\":\"type_error.str\"},{\"loc\":[\"body\",\"messages\"],\"msg\":\""
        "value is not a valid list\",\"type\":\"type_error.list\"},{\"loc\""
        ":[\"body\",\"stream\"],\"msg\":\"value could not be parsed to a bo"
        "olean\",\"type\":\"type_error.bool\"},{\"loc\":[\"body\",\"user_id"
        "\"],\"msg\":\"str type expected\",\"type\":\"type_error.str\"},{\""
        "loc\":[\"body\",\"language\"],\"msg\":\"str type expected\",\"type"
        "\":\"type_error.str\"},{\"loc\":[\"body\",\"assumptions\"],\"msg\""
        ":\"value is not a valid dict\",\"type\":\"type_error.dict\"},{\"lo"
        "c\":[\"body\",\"max_words\"],\"msg\":\"value is not a valid intege"
        "r\",\"type\":\"type_error.integer\"},{\"loc\":[\"body\",\"use_sear"
        "ch\"],\"msg\":\"value could not be parsed to a boolean\",\"type\":"
        "\"type_error.bool\"},{\"loc\":[\"body\",\"__root__\"],\"msg\":\"Ei"
        "ther \\\"bot_uid\\\" or \\\"bot_slug\\\" is required\",\"type\":\""
        "value_error\"},{\"loc\":[\"body\",\"__root__\"],\"msg\":\"Either "
        "\\\"prompt\\\" or \\\"messages\\\" is required\",\"type\":\"value_"
        "error\"}]}"},
    {"E11", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"nobody\",\"stream\":false,\"prompt\":\"x\"}"),
        404, NULL, NULL,
        "{\"detail\":\"Bot not found\"}"},
    {"E12", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_uid\":42,\"bot_slug\":\"demo\",\"stream\":false,"
        "\"prompt\":\"x\"}"),
        404, NULL, NULL,
        "{\"detail\":\"Bot not found\"}"},
    {"E13", NULL, NULL, NULL, KEY,
        {NULL, 0},
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\",\"type"
        "\":\"value_error.missing\"}]}"},
    {"E14", NULL, NULL, NULL, KEY,
        SPAN("null"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\",\"type"
        "\":\"value_error.missing\"}]}"},
    {"E15", NULL, NULL, NULL, KEY,
        SPAN("\"abc\""),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"value is not a valid di"
        "ct\",\"type\":\"type_error.dict\"}]}"},
    {"E16", NULL, NULL, NULL, KEY,
        SPAN("[[\"stream\",false],[\"bot_slug\",\"nobody\"],[\"prompt\",1]]"),
        404, NULL, NULL,
        "{\"detail\":\"Bot not found\"}"},
    {"E17", NULL, NULL, NULL, KEY,
        SPAN("[[1,2]]"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"keywords must be string"
        "s\",\"type\":\"type_error\"}]}"},
    {"E18", NULL, NULL, "text/plain", KEY,
        SPAN("{}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"value is not a valid di"
        "ct\",\"type\":\"type_error.dict\"}]}"},
    {"E19", NULL, NULL, NULL, KEY,
        SPAN("{\"a\":1,}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",7],\"msg\":\"Expecting property na"
        "me enclosed in double quotes: line 1 column 8 (char 7)\",\"type\":"
        "\"value_error.jsondecode\",\"ctx\":{\"msg\":\"Expecting property n"
        "ame enclosed in double quotes\",\"doc\":\"{\\\"a\\\":1,}\",\"pos\""
        ":7,\"lineno\":1,\"colno\":8}}]}"},
    {"E20", NULL, NULL, NULL, KEY,
        SPAN("\"\303\251\360\237\230\200\"\r\n  x"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",8],\"msg\":\"Extra data: line 2 co"
        "lumn 3 (char 8)\",\"type\":\"value_error.jsondecode\",\"ctx\":{\"m"
        "sg\":\"Extra data\",\"doc\":\"\\\"\303\251\360\237\230\200\\\"\\r"
        "\\n  x\",\"pos\":8,\"lineno\":2,\"colno\":3}}]}"},
    {"E21", NULL, NULL, NULL, KEY,
        SPAN("{\"a\":\"x\ty\"}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",7],\"msg\":\"Invalid control chara"
        "cter at: line 1 column 8 (char 7)\",\"type\":\"value_error.jsondec"
        "ode\",\"ctx\":{\"msg\":\"Invalid control character at\",\"doc\":\""
        "{\\\"a\\\":\\\"x\\ty\\\"}\",\"pos\":7,\"lineno\":1,\"colno\":8}}]}"},
    {"E22", NULL, NULL, NULL, KEY,
        SPAN("{\"a\":\"\\u00e9"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",7],\"msg\":\"Invalid \\\\uXXXX esc"
        "ape: line 1 column 8 (char 7)\",\"type\":\"value_error.jsondecode"
        "\",\"ctx\":{\"msg\":\"Invalid \\\\uXXXX escape\",\"doc\":\"{\\\"a"
        "\\\":\\\"\\\\u00e9\",\"pos\":7,\"lineno\":1,\"colno\":8}}]}"},
    {"E23", NULL, NULL, NULL, KEY,
        SPAN("{\"a\":\"\377\"}"),
        400, NULL, NULL,
        "{\"detail\":\"There was an error parsing the body\"}"},
    {"E24", NULL, NULL, NULL, KEY,
        SPAN("\377\376{\000\"\000\351\000\"\000}\000"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",4],\"msg\":\"Expecting ':' delimit"
        "er: line 1 column 5 (char 4)\",\"type\":\"value_error.jsondecode\""
        ",\"ctx\":{\"msg\":\"Expecting ':' delimiter\",\"doc\":\"{\\\"\303"
        "\251\\\"}\",\"pos\":4,\"lineno\":1,\"colno\":5}}]}"},
    {"E25", NULL, NULL, NULL, KEY,
        SPAN("\"\355\240\200"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",0],\"msg\":\"Unterminated string s"
        "tarting at: line 1 column 1 (char 0)\",\"type\":\"value_error.json"
        "decode\",\"ctx\":{\"msg\":\"Unterminated string starting at\",\"do"
        "c\":\"\\\"\\ud800\",\"pos\":0,\"lineno\":1,\"colno\":1}}]}"},
    {"E26", NULL, NULL, NULL, KEY,
        TOO_LONG,
        400, NULL, NULL,
        "{\"detail\":\"There was an error parsing the body\"}"},
    {"E27", NULL, NULL, NULL, KEY,
        TOO_DEEP,
        400, NULL, NULL,
        "{\"detail\":\"There was an error parsing the body\"}"},
    {"E28", NULL, NULL, NULL, NULL,
        SPAN("{}"),
        403, NULL, NULL,
        "{\"detail\":\"Not authenticated\"}"},
    {"E29", NULL, NULL, NULL, NULL,
        SPAN("{"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",1],\"msg\":\"Expecting property na"
        "me enclosed in double quotes: line 1 column 2 (char 1)\",\"type\":"
        "\"value_error.jsondecode\",\"ctx\":{\"msg\":\"Expecting property n"
        "ame enclosed in double quotes\",\"doc\":\"{\",\"pos\":1,\"lineno\""
        ":1,\"colno\":2}}]}"},
    {"E30", NULL, NULL, NULL, "Basic dXNlcg==",
        SPAN("{}"),
        403, NULL, NULL,
        "{\"detail\":\"Invalid authentication credentials\"}"},
    {"E31", NULL, NULL, NULL, "Bearer",
        SPAN("{}"),
        403, NULL, NULL,
        "{\"detail\":\"Not authenticated\"}"},
    {"E32", NULL, NULL, NULL, "Bearer nope",
        SPAN("{}"),
        401, "www-authenticate", "Bearer",
        "{\"detail\":\"Invalid API key\"}"},
    {"E33", "GET", NULL, NULL, KEY,
        {NULL, 0},
        405, "allow", "POST",
        "{\"detail\":\"Method Not Allowed\"}"},
    {"E34", "PUT", "/v1/bots", NULL, NULL,
        {NULL, 0},
        405, "allow", "GET",
        "{\"detail\":\"Method Not Allowed\"}"},
    {"E35", NULL, "/v1/chat/?x=1", NULL, NULL,
        {NULL, 0},
        307, "location", "http://oracle.test/v1/chat?x=1",
        ""},
    {"E36", NULL, "/v1/chats", NULL, NULL,
        {NULL, 0},
        404, NULL, NULL,
        "{\"detail\":\"Not Found\"}"},
    {"E37", NULL, NULL, NULL, KEY,
        SPAN("{\"bot_slug\":\"demo\",\"stream\":false,\"prompt\":\"hi\"}"),
        200, NULL, NULL,
        "{\"content\":\"Hello there.\"}"},
    {"E38", "GET", "/health-check", NULL, NULL,
        {NULL, 0},
        200, NULL, NULL,
        "{\"status\":\"ok\"}"},
    {"E39", NULL, "/v1/user/usage-statistics", NULL, KEY,
        SPAN("{\"user_id\":1,\"start_date\":\"bad_start_date\","
        "\"end_date\":\"bad_end_date\"}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"start_date\"],\"msg\":\"invalid "
        "date format\",\"type\":\"value_error.date\"},{\"loc\":[\"body\",\""
        "end_date\"],\"msg\":\"invalid date format\",\"type\":\"value_error"
        ".date\"}]}"},
    {"E40", NULL, "/v1/user/usage-statistics", NULL, KEY,
        SPAN("{\"user_id\":\"x\",\"start_date\":[],\"end_date\":NaN}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"user_id\"],\"msg\":\"value is no"
        "t a valid integer\",\"type\":\"type_error.integer\"},{\"loc\":[\"b"
        "ody\",\"start_date\"],\"msg\":\"invalid type; expected date, strin"
        "g, bytes, int or float\",\"type\":\"type_error\"},{\"loc\":[\"body"
        "\",\"end_date\"],\"msg\":\"cannot convert float NaN to integer\","
        "\"type\":\"value_error\"}]}"},
    {"E41", NULL, "/v1/user/usage-statistics", NULL, KEY,
        SPAN("{\"start_date\":\"2000-01-01\",\"end_date\":\"2023-01-01\"}"),
        422, NULL, NULL,
        "{\"detail\":[{\"loc\":[\"body\",\"__root__\"],\"msg\":\"Period mus"
        "t not exceed 3660 days\",\"type\":\"value_error\"}]}"},
    {"E42", NULL, "/v1/user/usage-statistics", NULL, KEY,
        SPAN("{\"start_date\":\"2023-01-02\",\"end_date\":\"2023-01-01\"}"),
        200, NULL, NULL,
        "{\"total\":{\"original_tokens\":0,\"enchancement_tokens\":0,\"resp"
        "onse_tokens\":0,\"total_tokens\":0,\"original_words\":0,\"enchance"
        "ment_words\":0,\"response_words\":0,\"total_words\":0},\"items\":["
        "]}"},
};

static struct span
long_body(size_t which, struct buf *out)
{
	int i;

	if (which == 26)
		buf_adds(out, "{\"prompt\":");
	for (i = 0; i < (which == 26 ? 4301 : 1200); i++)
		buf_addc(out, which == 26 ? '9' : '[');
	if (which == 26)
		buf_addc(out, '}');
	return buf_span(out);
}

START_TEST(worked_examples)
{
	struct buf body = BUF_INIT(10000);
	struct asked q = {examples[_i].method, examples[_i].uri,
	    examples[_i].type, examples[_i].authorization, NULL,
	    examples[_i].body, 0};
	struct span value;

	if (q.body.data == NULL && q.body.len > 0)
		q.body = long_body(q.body.len, &body);
	ck_assert_msg(ask(&q) == examples[_i].status, "%s: %d %s",
	    examples[_i].name, gateway_memory_status(&memory), body_text());
	ck_assert_msg(strcmp(body_text(), examples[_i].answer) == 0,
	    "%s:\n%s\n%s", examples[_i].name, body_text(),
	    examples[_i].answer);
	value = gateway_memory_header(&memory, "x-request-id");
	ck_assert_uint_eq(value.len, 32);
	value = gateway_memory_header(&memory, "Content-Type");
	if (examples[_i].status == 307)
		ck_assert_ptr_null(value.data);
	else
		ck_assert(span_is(value, "application/json"));
	if (examples[_i].header != NULL)
		ck_assert(span_is(gateway_memory_header(&memory,
		    examples[_i].header), examples[_i].value));
	buf_release(&body);
	done();
}
END_TEST

/* ---- bodies ----------------------------------------------------------- */

static const struct {
	const char *type;
	bool json;
} types[] = {
    {"", true}, {"application/json", true}, {"Application/JSON", true},
    {" application/json ; charset=latin-1", true},
    {"application/json;", true}, {"application/x+json", true},
    {"application/+json", true}, {"application/vnd.a.b+JSON;q", true},
    {"application/jsonx", false}, {"application/json/x", false},
    {"application", false}, {"text/json", false}, {"application/ json", false},
    {"application /json", false}, {"application/xjson", false},
    {"text/plain", false}, {";application/json", false}, {"+json", false},
};

START_TEST(content_types)
{
	const struct asked q = {.type = types[_i].type, .authorization = KEY,
	    .body = SPAN("{")};

	ck_assert_int_eq(ask(&q), 422);
	ck_assert_msg((strstr(body_text(), "jsondecode") != NULL) ==
	        types[_i].json, "%s", types[_i].type);
	ck_assert((strstr(body_text(), "{\"detail\":[{\"loc\":[\"body\"],"
	    "\"msg\":\"value is not a valid dict\"") != NULL) !=
	    types[_i].json);
	done();
}
END_TEST

START_TEST(a_body_has_its_limit)
{
	struct buf body = BUF_INIT(2U << 20);
	struct asked q = {.authorization = KEY};

	buf_adds(&body, "{}");
	while (body.len < 1048576)
		buf_addc(&body, ' ');
	q.body = buf_span(&body);
	ck_assert_int_eq(ask(&q), 422);
	done();
	buf_addc(&body, ' ');
	q.body = buf_span(&body);
	ck_assert_int_eq(ask(&q), 413);
	ck_assert_str_eq(body_text(),
	    "{\"detail\":\"Request Entity Too Large\"}");
	done();
	buf_release(&body);
}
END_TEST

/* Hundreds of thousands of errors: all told, in pieces, with their length. */
START_TEST(a_long_error_list_is_whole)
{
	struct buf body = BUF_INIT(1048576);
	struct asked q = {.authorization = KEY};
	struct span got, length;
	int64_t announced;

	buf_adds(&body, "{\"bot_slug\":1,\"stream\":1,\"prompt\":1,"
	    "\"messages\":[1");
	while (body.len < 1048000)
		buf_adds(&body, ",1");
	buf_adds(&body, "]}");
	q.body = buf_span(&body);
	ck_assert_int_eq(ask(&q), 422);
	got = gateway_memory_body(&memory);
	length = gateway_memory_header(&memory, "Content-Length");
	ck_assert(text_to_int64(length, 0, INT64_MAX, &announced));
	ck_assert_int_eq(announced, (int64_t)got.len);
	ck_assert(span_starts(got, "{\"detail\":[{\"loc\":[\"body\","
	    "\"messages\",0],\"msg\":\"value is not a valid dict\","
	    "\"type\":\"type_error.dict\"},{\"loc\":"));
	ck_assert(span_ends(got, "\"type\":\"type_error.dict\"}]}"));
	ck_assert(memmem(got.data, got.len, "\"messages\",523000]", 18) !=
	    NULL);
	done();
	buf_release(&body);
}
END_TEST

/* ---- routing ---------------------------------------------------------- */

static const struct {
	const char *method, *uri, *host;
	int status;
	const char *location;
} routes[] = {
    {"GET", "/chat", NULL, 405, NULL},
    {"HEAD", "/v1/bots", NULL, 405, NULL},
    {"OPTIONS", "/v1/chat", NULL, 405, NULL},
    {"POST", "/health-check", NULL, 405, NULL},
    {"GET", "/bots", NULL, 403, NULL},
    {"GET", "/v1/%62ots", NULL, 403, NULL},
    {"GET", "/v1/Bots", NULL, 404, NULL},
    {"GET", "//v1/bots", NULL, 404, NULL},
    {"GET", "/v1//bots", NULL, 404, NULL},
    {"GET", "/user/usage-statistics", NULL, 404, NULL},
    {"GET", "/v1/health-check", NULL, 404, NULL},
    {"GET", "/docs", NULL, 404, NULL},
    {"GET", "/openapi.json", NULL, 404, NULL},
    {"GET", "/", NULL, 404, NULL},
    {"GET", "/v1/bots///", NULL, 307, "http://oracle.test/v1/bots"},
    {"DELETE", "/bots/", "h:8080", 307, "http://h:8080/bots"},
    {"GET", "/chat/?a=b%20c&d=\xC3\xA9\"x", NULL, 307,
        "http://oracle.test/chat?a=b%20c&d=%C3%A9%22x"},
    {"GET", "/chat/?", NULL, 307, "http://oracle.test/chat"},
    {"GET", "/v1/chats/", NULL, 404, NULL},
    {"GET", "/v1/", NULL, 404, NULL},
};

START_TEST(paths_and_methods)
{
	const struct asked q = {.method = routes[_i].method,
	    .uri = routes[_i].uri, .host = routes[_i].host, .type = ""};

	ck_assert_msg(ask(&q) == routes[_i].status, "%s", routes[_i].uri);
	if (routes[_i].location != NULL) {
		ck_assert(span_is(gateway_memory_header(&memory, "Location"),
		    routes[_i].location));
		ck_assert(span_is(gateway_memory_header(&memory,
		    "Content-Length"), "0"));
	}
	done();
}
END_TEST

static const struct {
	const char *authorization;
	int status;
	const char *detail;
} tokens[] = {
    {NULL, 403, "Not authenticated"},
    {"", 403, "Not authenticated"},
    {"Bearer", 403, "Not authenticated"},
    {"Bearer ", 403, "Not authenticated"},
    {"  ", 403, "Not authenticated"},
    {"demo-key", 403, "Not authenticated"},
    {"Bearer\tdemo-key", 403, "Not authenticated"},
    {"Basic demo-key", 403, "Invalid authentication credentials"},
    {"Bearerx demo-key", 403, "Invalid authentication credentials"},
    {"Bearer  demo-key", 401, "Invalid API key"},
    {"Bearer demo-kez", 401, "Invalid API key"},
    {"Bearer demo-key x", 401, "Invalid API key"},
    {"Bearer DEMO-KEY", 401, "Invalid API key"},
    {"Bearer demo-key", 200, NULL},
    {" bEARER demo-key  ", 200, NULL},
};

START_TEST(tokens_are_looked_at)
{
	const struct asked q = {.method = "GET", .uri = "/v1/bots",
	    .type = "", .authorization = tokens[_i].authorization};

	ck_assert_msg(ask(&q) == tokens[_i].status, "%s",
	    tokens[_i].authorization);
	if (tokens[_i].detail != NULL)
		ck_assert_ptr_nonnull(strstr(body_text(), tokens[_i].detail));
	done();
}
END_TEST

START_TEST(bots_are_listed)
{
	const struct asked q = {.method = "GET", .uri = "/bots", .type = "",
	    .authorization = KEY};

	ck_assert_int_eq(ask(&q), 200);
	ck_assert_str_eq(body_text(),
	    "[{\"uid\":\"11B8ca51-52F6-4d0e-9c0f-6d1d0b9a4cEE\","
	    "\"slug\":\"demo\",\"model\":\"canned-1\","
	    "\"name\":\"Demo\",\"description\":\"\",\"welcome_message\":\"\","
	    "\"avatar_url\":null}]");
	done();
}
END_TEST

/* ---- answers ---------------------------------------------------------- */

static const struct {
	const char *body;
	int status;
	const char *answer;
} answers[] = {
    {"{\"bot_slug\":\"demo\",\"stream\":true,\"prompt\":\"hi\"}", 200,
        "data: {\"content\":\"\"}\n\ndata: {\"content\":\"Hello\"}\n\n"
        "data: {\"content\":\" there\"}\n\ndata: {\"content\":\".\"}\n\n"
        "data: [DONE]\n\n"},
    {"{\"bot_uid\":\"11B8ca51-52F6-4d0e-9c0f-6d1d0b9a4cEE\","
        "\"stream\":0,\"prompt\":\"hi\"}", 200,
        "{\"content\":\"Hello there.\"}"},
    {"{\"bot_uid\":\"11b8ca51-52f6-4d0e-9c0f-6d1d0b9a4cee\","
        "\"stream\":0,\"prompt\":\"hi\"}", 404,
        "{\"detail\":\"Bot not found\"}"},
    {"{\"bot_slug\":\"hidden\",\"stream\":0,\"prompt\":\"hi\"}", 200,
        "{\"content\":\"Hello there.\"}"},
    {"{\"bot_slug\":\"off\",\"stream\":0,\"prompt\":\"hi\"}", 404,
        "{\"detail\":\"Bot not found\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"hi\",\"max_words\":1}",
        200, "{\"content\":\"Hello\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"hi\","
     "\"max_words\":-1}",
        200, "{\"content\":\"Hello there.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"fail first\"}", 429,
        "{\"detail\":\"Busy.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"fail first\"}", 429,
        "{\"detail\":\"Busy.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"time out\"}", 504,
        "{\"detail\":\"Too slow.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"fail later\"}", 502,
        "{\"detail\":\"Cut off.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"fail later\"}", 200,
        "data: {\"content\":\"\"}\n\ndata: {\"content\":\"half \"}\n\n"
        "data: {\"content\":\"an\"}\n\n"
        "event: error\ndata: {\"detail\":\"Cut off.\"}\n\n"},
    {"{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"say nothing\"}", 502,
        "{\"detail\":\"The model gave no answer.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"wait\"}", 200,
        "data: {\"content\":\"\"}\n\n: ping\n\n: ping\n\n"
        "data: {\"content\":\"late\"}\n\ndata: [DONE]\n\n"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"wait\"}", 200,
        "{\"content\":\"late\"}"},
    /* The last turn of the user is the question. */
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"messages\":[{\"role\":\"user\","
     "\"content\":\"fail first\"},{\"role\":\"assistant\",\"content\":\"no\"}"
     "]}",
        429, "{\"detail\":\"Busy.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"hi\",\"messages\":"
     "[{\"role\":\"user\",\"content\":\"fail first\"}]}",
        200, "{\"content\":\"Hello there.\"}"},
    {"{\"bot_slug\":\"demo\",\"stream\":0,\"messages\":[{\"role\":\"system\","
     "\"content\":\"fail first\"}]}",
        429, "{\"detail\":\"Busy.\"}"},
};

START_TEST(chats_are_answered)
{
	ck_assert_msg(chat(answers[_i].body) == answers[_i].status, "%s: %d",
	    answers[_i].body, gateway_memory_status(&memory));
	ck_assert_str_eq(body_text(), answers[_i].answer);
	if (strncmp(answers[_i].answer, "data:", 5) == 0)
		ck_assert(span_is(gateway_memory_header(&memory,
		    "Content-Type"), "text/event-stream; charset=utf-8"));
	done();
}
END_TEST

START_TEST(each_block_is_one_write)
{
	ck_assert_int_eq(chat(answers[0].body), 200);
	/* the head, five blocks */
	ck_assert_uint_eq(memory.writes, 6);
	done();
}
END_TEST

/* ---- accounting ------------------------------------------------------- */

/* The words of today, as the API tells them. */
static void
check_words(const char *user, int original, int response)
{
	char json[200], want[400];
	const struct asked q = {.uri = "/v1/user/usage-statistics",
	    .authorization = KEY, .body = {json, 0}};
	struct asked full = q;

	(void)snprintf(json, sizeof(json),
	    "{\"user_id\":%s,\"start_date\":\"2025-12-31\","
	    "\"end_date\":\"2026-01-02\"}",
	    user);
	full.body = span_of(json);
	ck_assert_int_eq(ask(&full), 200);
	(void)snprintf(want, sizeof(want),
	    "\"original_words\":%d,\"enchancement_words\":0,"
	    "\"response_words\":%d,\"total_words\":%d,"
	    "\"date\":\"2026-01-01\"}",
	    original, response, original + response);
	ck_assert_msg(strstr(body_text(), want) != NULL, "%s\n%s",
	    body_text(), want);
	ck_assert_ptr_nonnull(strstr(body_text(), "\"date\":\"2025-12-31\"}"));
	ck_assert_ptr_nonnull(
	    strstr(body_text(), "\"date\":\"2026-01-02\"}]}"));
	done();
}

START_TEST(usage_is_counted_for_the_user)
{
	static const char *const chats[] = {
	    "{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"a b c\","
	    "\"user_id\":42}",
	    "{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"a b\","
	    "\"user_id\":\"42\"}",
	    "{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"a b\","
	    "\"user_id\":42.0}",
	    "{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"a b\","
	    "\"user_id\":\"042\"}",
	    "{\"bot_slug\":\"demo\",\"stream\":1,\"prompt\":\"d\","
	    "\"messages\":[{\"role\":\"system\",\"content\":\"a b c\"}]}",
	    "{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"a\","
	    "\"user_id\":\"\"}",
	    "{\"bot_slug\":\"demo\",\"stream\":0,\"prompt\":\"a\","
	    "\"user_id\":null}",
	};
	int i;

	for (i = 0; i < N(chats); i++) {
		ck_assert_int_eq(chat(chats[i]), 200);
		done();
	}
	check_words("42", 5, 4);
	check_words("\"+4_2\"", 5, 4);
	check_words("-1", 6, 6);
	check_words("43", 0, 0);
}
END_TEST

START_TEST(a_broken_answer_is_counted_as_far_as_it_went)
{
	struct asked q = {.authorization = KEY,
	    .body = SPAN("{\"bot_slug\":\"demo\",\"stream\":1,"
	        "\"prompt\":\"hi\",\"user_id\":8}"),
	    .gone_after = 240};

	ck_assert_int_eq(chat("{\"bot_slug\":\"demo\",\"stream\":1,"
	    "\"prompt\":\"fail later\",\"user_id\":7}"), 200);
	done();
	check_words("7", 2, 2);
	(void)ask(&q);
	ck_assert_ptr_null(strstr(memory.output.data, "[DONE]"));
	done();
	check_words("8", 1, 2);
	ck_assert_int_eq(chat("{\"bot_slug\":\"demo\",\"stream\":1,"
	    "\"prompt\":\"fail first\",\"user_id\":9}"), 429);
	done();
	check_words("9", 0, 0);
}
END_TEST

Suite *
botapi_suite(void)
{
	Suite *s = suite_create("botapi");
	TCase *t = tcase_create("botapi");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, worked_examples, 0, N(examples));
	tcase_add_loop_test(t, content_types, 0, N(types));
	tcase_add_test(t, a_body_has_its_limit);
	tcase_add_test(t, a_long_error_list_is_whole);
	tcase_add_loop_test(t, paths_and_methods, 0, N(routes));
	tcase_add_loop_test(t, tokens_are_looked_at, 0, N(tokens));
	tcase_add_test(t, bots_are_listed);
	tcase_add_loop_test(t, chats_are_answered, 0, N(answers));
	tcase_add_test(t, each_block_is_one_write);
	tcase_add_test(t, usage_is_counted_for_the_user);
	tcase_add_test(t, a_broken_answer_is_counted_as_far_as_it_went);
	suite_add_tcase(s, t);
	return s;
}
