/* The deployment that the messages API's tests ask. */
#include "messagesapi/api_deployment.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/drive.h"
#include "auth/caller.h"
#include "config/config.h"
#include "config/config_file.h"
#include "engine/engine.h"
#include "http/exchange.h"
#include "http/router.h"
#include "messagesapi/messagesapi.h"

Suite *api_deployment_suite(void);

const struct config *deployment_config;
struct store_pool *deployment_stores;
struct arena deployment_arena;
const char *deployment_folder;
struct gateway_memory answered;
size_t deployment_gone_after;
size_t deployment_memory;

static struct config *config;
static struct engine_worker *worker;
static const struct pyjson *json;
static char folder[64];

static const char conf[] =
    "[server]\nstate = state\nname = Ada\nmax_body = 65536\n"
    "max_file = 20000\n"
    "[engine recorded]\nkind = replay\nrecordings = recordings.json\n"
    "[bot sky]\nengine = recorded\nname = Sky helper\ntags = science\n"
    "opening_statement = Ask me about the sky.\n"
    "suggested_questions = How far is the Moon?\n\tWhat is a star?\n"
    "suggested_questions_after_answer = yes\n"
    "image_upload = yes\nfile_upload = yes\nfile_limit = 2\n"
    "prompt_unit_price = 0.001\nprompt_price_unit = 0.001\n"
    "completion_unit_price = 0.002\ncompletion_price_unit = 0.001\n"
    "[bot form]\nengine = recorded\nsite_title =\n"
    "opening_statement = Welcome to {{city}}, {{nobody}}.\n"
    "input = city | text-input | City | max_length=5\n"
    "input = size | select | Size | options=small;large\n"
    "input = age | number | Age | default=7\n"
    "input = sure | checkbox | Sure | default=yes\n"
    "input = must | paragraph | Must | required\n"
    "[bot cap]\nengine = recorded\nconcurrent = 1\nsite_title = Capped\n"
    "citations = no\n"
    "[bot filed]\nengine = recorded\ninput = doc | file | Doc\n"
    "input = docs | file-list | Docs | max_length=2\nimage_upload = yes\n"
    "[bot broken]\nengine =\n"
    "[bot off]\nenabled = no\n"
    "[bot api-off]\napi_enabled = no\n";

static const char recordings[] =
    "{\"recordings\":["
    "{\"question\":\"two moons\",\"answer\":[\"Pho\",\"bos \",\"and Deimos."
    "  \"],\"usage\":{\"prompt_tokens\":1033,\"completion_tokens\":128},"
    "\"latency\":0.7682376249867957,\"retriever_resources\":[{"
    "\"dataset_id\":\"d\",\"dataset_name\":\"Sky\",\"document_id\":\"e\","
    "\"document_name\":\"sky.md\",\"segment_id\":\"s\",\"score\":0.5,"
    "\"content\":\"Mars has two moons.\"}]},"
    "{\"question\":\"braces\",\"answer\":\" {{name}} {{ }} \"},"
    "{\"question\":\"slow\",\"answer\":[\"one \",\"two \",\"three\"],"
    "\"pace_ms\":100000},"
    "{\"question\":\"refused\",\"answer\":[],\"fault\":\"refused\","
    "\"message\":\"upstream closed the connection\"},"
    "{\"question\":\"late\",\"answer\":[\"some\"],\"fault\":\"cut\","
    "\"message\":\"cut off\"},"
    "{\"question\":\"credentials\",\"answer\":[],\"fault\":\"credentials\"},"
    "{\"question\":\"quota\",\"answer\":[],\"fault\":\"quota\"},"
    "{\"question\":\"rate\",\"answer\":[],\"fault\":\"rate_limit\"},"
    "{\"question\":\"internal\",\"answer\":[],\"fault\":\"internal\"},"
    "{\"question\":\"model\",\"answer\":[],\"fault\":\"model\"},"
    "{\"answer\":[\"Yes.\"]}]}";

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
add_key(struct buf *text, const char *key, const char *rest)
{
	char hash[KEY_HASH];

	ck_assert_int_eq(key_hash(key, hash), ERR_NONE);
	buf_printf(text, "[key %s]\nhash = %s\n%s", key, hash, rest);
}

static void
read_config(void)
{
	struct buf text = BUF_INIT(65536), faults = BUF_INIT(65536);
	char path[128];
	enum err err;

	buf_adds(&text, conf);
	add_key(&text, KEY_SKY, "bot = sky\n");
	add_key(&text, KEY_SKY2, "bot = sky\n");
	add_key(&text, KEY_FREE, "");
	add_key(&text, KEY_FORM, "bot = form\n");
	add_key(&text, KEY_CAP, "bot = cap\n");
	add_key(&text, KEY_FILED, "bot = filed\n");
	add_key(&text, KEY_BROKEN, "bot = broken\n");
	add_key(&text, KEY_OFF, "bot = off\n");
	add_key(&text, KEY_API_OFF, "bot = api-off\n");
	add_key(&text, KEY_DATASET, "kind = dataset\n");
	write_file("parlance.conf", buf_text(&text));
	write_file("recordings.json", recordings);
	(void)snprintf(path, sizeof(path), "%s/state", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/parlance.conf", folder);
	err = config_read(path, &config, &faults);
	ck_assert_msg(err == ERR_NONE, "%s", buf_text(&faults));
	buf_release(&text);
	buf_release(&faults);
}

void
deployment_open(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-api-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	deployment_folder = folder;
	read_config();
	deployment_config = config;
	deployment_stores = store_pool_new(config, 2);
	worker = engine_worker_new(config);
	arena_init(&deployment_arena, (size_t)256 << 20);
	deployment_gone_after = deployment_memory = 0;
}

void
deployment_close(void)
{
	char command[128];

	gateway_memory_release(&answered);
	engine_worker_free(worker);
	store_pool_free(deployment_stores);
	config_free(config);
	arena_release(&deployment_arena);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const char *
param(const char *name, const char *value)
{
	return arena_printf(&deployment_arena, "%s=%s", name, value);
}

/* One request from its bytes to its bytes. */
static void
serve(void)
{
	static const struct family *const families[] = {&messagesapi_family};
	struct arena arena;
	struct exchange x;

	arena_init(&arena, deployment_memory > 0 ? deployment_memory
						 : (size_t)96 << 20);
	memset(&x, 0, sizeof(x));
	x.config = config;
	x.stores = deployment_stores;
	x.worker = worker;
	x.request.arena = &arena;
	if (request_init(&x.request, &arena, &answered.gateway, "") !=
	    ERR_NONE) {
		ck_assert_uint_gt(deployment_memory, 0);
		arena_release(&arena);
		return;
	}
	response_init(&x.response, &answered.gateway, x.request.id, false);
	(void)router_serve(families, 1, &x);
	if (x.answer != NULL) {
		drive_answer(x.answer, &answered.gateway);
		x.answer->ops->release(x.answer);
	}
	response_release(&x.response);
	arena_release(&arena);
}

/* A copy of text as JSON; NULL when it is none. */
static const struct pyjson *
decode(struct span text)
{
	const struct pyjson *value = NULL;

	text.data = arena_strndup(&deployment_arena, text.data, text.len);
	ck_assert_ptr_nonnull(text.data);
	return pyjson_decode(&deployment_arena, text, NULL, &value, NULL) ==
		ERR_NONE
	    ? value
	    : NULL;
}

static int
ask_whole(const char *authorization, const char *method, const char *path,
    const char *content_type, struct span body)
{
	static const char *params[16];
	struct span text;
	char length[24];
	size_t n = 0;

	(void)snprintf(length, sizeof(length), "%zu", body.len);
	params[n++] = param("REQUEST_METHOD", method);
	params[n++] = param("REQUEST_URI", path);
	params[n++] = param("SERVER_PROTOCOL", "HTTP/1.1");
	params[n++] = param("HTTP_HOST", "localhost");
	if (body.data != NULL)
		params[n++] = param("CONTENT_LENGTH", length);
	if (content_type != NULL)
		params[n++] = param("CONTENT_TYPE", content_type);
	if (authorization != NULL)
		params[n++] = param("HTTP_AUTHORIZATION", authorization);
	params[n] = NULL;
	gateway_memory_release(&answered);
	gateway_memory_init(&answered, params, body);
	if (deployment_gone_after > 0)
		answered.write_max = deployment_gone_after;
	serve();
	text = gateway_memory_body(&answered);
	json = NULL;
	if (text.len > 0)
		json = decode(text);
	return gateway_memory_status(&answered);
}

int
ask_typed(const char *key, const char *method, const char *path,
    const char *content_type, struct span body)
{
	const char *authorization = NULL;

	if (key != NULL)
		authorization = arena_printf(&deployment_arena, "Bearer %s",
		    key);
	return ask_whole(authorization, method, path, content_type, body);
}

int
ask_authorized(const char *authorization, const char *method,
    const char *path)
{
	return ask_whole(authorization, method, path, NULL, SPAN_NONE);
}

static int
count_commit(void *counter)
{
	++*(int *)counter;
	return 0;
}

void
deployment_count_commits(int *commits)
{
	struct db *dbs[2]; /* as many as the pool has */
	int i;

	*commits = 0;
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(store_lease(deployment_stores, &dbs[i]),
		    ERR_NONE);
		(void)sqlite3_commit_hook(db_native(dbs[i]), count_commit,
		    commits);
	}
	for (i = 0; i < 2; i++)
		store_return(deployment_stores, dbs[i]);
}

int
ask(const char *key, const char *method, const char *path, const char *body)
{
	return ask_typed(key, method, path,
	    body == NULL ? NULL : "application/json",
	    body == NULL ? SPAN_NONE : span_of(body));
}

int
chat(const char *key, const char *query, const char *members)
{
	return ask(key, "POST", "/v1/chat-messages",
	    arena_printf(&deployment_arena,
		"{\"query\":\"%s\",\"inputs\":{},\"user\":\"u\"%s}", query,
		members));
}

const struct pyjson *
at(const char *path)
{
	struct span rest = span_of(path), part;
	const struct pyjson *v = json;
	int64_t index;

	while (rest.len > 0) {
		part = span_cut(&rest, '.');
		if (pyjson_is_array(v) &&
		    text_to_int64(part, 0, 100000, &index))
			v = pyjson_item(v, (size_t)index);
		else
			v = pyjson_get_span(v, part);
	}
	return v;
}

const char *
text_at(const char *path)
{
	const struct pyjson *v = at(path);
	struct buf out = BUF_INIT((size_t)1 << 20);
	const char *copy;

	if (v == NULL)
		return "(none)";
	if (pyjson_is_string(v))
		return pyjson_cstring(v, &deployment_arena);
	pyjson_write(&out, v);
	copy = arena_strdup(&deployment_arena, buf_text(&out));
	buf_release(&out);
	return copy;
}

bool
event(size_t n)
{
	struct span text = gateway_memory_body(&answered), line;

	while (text.len > 0) {
		line = span_cut(&text, '\n');
		if (!span_starts(line, "data: ") || n-- > 0)
			continue;
		line.data += 6;
		line.len -= 6;
		json = decode(line);
		ck_assert_ptr_nonnull(json);
		return true;
	}
	return false;
}

size_t
count_of(const char *needle)
{
	const char *body = gateway_memory_body(&answered).data, *p;
	size_t n = 0;

	for (p = body; p != NULL && (p = strstr(p, needle)) != NULL; p++)
		n++;
	return n;
}

void
ck_error(int status, int expected, const char *code, const char *message)
{
	ck_assert_msg(status == expected, "status %d: %s", status,
	    gateway_memory_body(&answered).data);
	ck_assert_str_eq(text_at("code"), code);
	ck_assert_msg(strstr(text_at("message"), message) != NULL,
	    "message: %s", text_at("message"));
	ck_assert_int_eq((int)pyjson_double(at("status")), expected);
	ck_assert(span_is(gateway_memory_header(&answered, "Content-Type"),
	    "application/json"));
}

START_TEST(the_deployment_answers)
{
	ck_assert_int_eq(ask(NULL, "GET", "/v1/", NULL), 200);
	ck_assert_str_eq(text_at("welcome"), "Dify OpenAPI");
	ck_assert_str_eq(text_at("none.of.these"), "(none)");
}
END_TEST

Suite *
api_deployment_suite(void)
{
	Suite *s = suite_create("api_deployment");
	TCase *t = tcase_create("api_deployment");

	tcase_add_checked_fixture(t, deployment_open, deployment_close);
	tcase_add_test(t, the_deployment_answers);
	suite_add_tcase(s, t);
	return s;
}
