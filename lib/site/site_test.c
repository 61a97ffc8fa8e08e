/* The chat page's documents through the router, over requests in memory. */
#include "site/site.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_file.h"
#include "http/gateway_memory.h"
#include "site/site_page.h"

Suite *site_suite(void);

#define N(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static const char conf[] =
    "[bot help]\n"
    "name = </title><script>alert(1)</script>&\"'\n"
    "greeting = </script><!-- <script> & \"hello\"\n"
    "contact = \"><img src=x onerror=alert(1)>\n"
    "suggested_questions = What & why?\n"
    "[site demo]\n"
    "bot = help\n"
    "origins = https://www.my.site, https://*.my.other:8443\n"
    "color = #1B5e8c\n"
    "[site german]\n"
    "bot = help\n"
    "language = de\n";

static char folder[64];
static struct config *config;
static struct gateway_memory memory;
static struct arena arena;
static struct exchange x;

static void
setup(void)
{
	struct buf faults = BUF_INIT(65536);
	char path[128];
	FILE *f;

	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-site-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/parlance.conf", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(conf, f);
	(void)fclose(f);
	ck_assert_msg(config_read(path, &config, &faults) == ERR_NONE, "%s",
	    buf_text(&faults));
	buf_release(&faults);
}

static void
teardown(void)
{
	char command[128];

	config_free(config);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* What nobody of the sites wants. */
static enum err
nobody(struct exchange *other)
{
	response_status(&other->response, 404);
	return response_send(&other->response, "text/plain", SPAN("nobody"));
}

static const struct family rest = {.name = "rest", .unknown_path = nobody};

/* Asks; the status.  One of header is "HTTP_NAME=value", or NULL. */
static int
ask(const char *method, const char *uri, const char *header,
    const char *header2)
{
	static const struct family *const families[] = {&site_family, &rest};
	char params[2][256];
	const char *list[] = {params[0], params[1], header, header2, NULL};

	if (header == NULL)
		list[2] = header2;
	(void)snprintf(params[0], sizeof(params[0]), "REQUEST_METHOD=%s",
	    method);
	(void)snprintf(params[1], sizeof(params[1]), "REQUEST_URI=%s", uri);
	gateway_memory_init(&memory, list, SPAN_NONE);
	arena_init(&arena, 1U << 20);
	memset(&x, 0, sizeof(x));
	x.request.arena = &arena;
	x.config = config;
	ck_assert_int_eq(request_init(&x.request, &arena, &memory.gateway,
	    "/app"), ERR_NONE);
	response_init(&x.response, &memory.gateway, x.request.id,
	    strcmp(method, "HEAD") == 0);
	ck_assert_int_eq(router_serve(families, 2, &x), ERR_NONE);
	return gateway_memory_status(&memory);
}

static void
done(void)
{
	response_release(&x.response);
	gateway_memory_release(&memory);
	arena_release(&arena);
}

static bool
body_has(const char *text)
{
	struct span body = gateway_memory_body(&memory);

	return memmem(body.data, body.len, text, strlen(text)) != NULL;
}

#define BROWSER "HTTP_ACCEPT=text/html,application/xhtml+xml;q=0.9"

static const struct {
	const char *method, *uri, *header;
	int status;
	const char *has; /* in the body */
} rows[] = {
    {"GET", "/chat/demo", NULL, 200, "<html lang=\"en\" dir=\"ltr\">"},
    {"GET", "/chat/demo", "HTTP_ACCEPT_LANGUAGE=ar", 200,
	"<html lang=\"ar\" dir=\"rtl\">"},
    {"GET", "/chat/german", "HTTP_ACCEPT_LANGUAGE=ar", 200,
	"<html lang=\"de\" dir=\"ltr\">"},
    {"GET", "/app/chat/demo", NULL, 200, "<!DOCTYPE html>"},
    {"HEAD", "/chat/demo", NULL, 200, ""},
    {"POST", "/chat/demo", NULL, 405, "\"method_not_allowed\""},
    {"OPTIONS", "/chat/demo", NULL, 405, "\"method_not_allowed\""},
    {"GET", "/chat/none", BROWSER, 404, "There is no chat"},
    {"GET", "/chat/none", NULL, 404, "nobody"},
    {"GET", "/chat/demo/none", NULL, 404, "nobody"},
    {"GET", "/chat/", BROWSER, 404, "nobody"},
    {"POST", "/chat", NULL, 404, "nobody"},
    {"GET", "/chat/embed.js", NULL, 200, "data-site"},
    {"GET", "/", BROWSER, 200, "<a href=\"/chat/demo\">"},
    {"GET", "/app/", BROWSER, 200, "<a href=\"/app/chat/demo\">"},
    {"GET", "/", NULL, 404, "nobody"},
    {"GET", "/", "HTTP_ACCEPT=application/json", 404, "nobody"},
    {"POST", "/", BROWSER, 404, "nobody"},
};

START_TEST(each_address_has_its_document)
{
	ck_assert_int_eq(ask(rows[_i].method, rows[_i].uri, rows[_i].header,
	    NULL), rows[_i].status);
	ck_assert_msg(body_has(rows[_i].has), "%s", rows[_i].uri);
	done();
}
END_TEST

/* Nothing of the configuration is HTML or ends the block of settings. */
START_TEST(settings_are_escaped_where_they_stand)
{
	struct span body;
	const char *at;
	size_t scripts = 0;

	ck_assert_int_eq(ask("GET", "/chat/demo", NULL, NULL), 200);
	ck_assert(body_has("<title>&lt;/title&gt;&lt;script&gt;alert(1)"
			   "&lt;/script&gt;&amp;&quot;&#39;</title>"));
	ck_assert(body_has("\"greeting\":\"\\u003c/script\\u003e\\u003c!-- "
			   "\\u003cscript\\u003e \\u0026 \\\"hello\\\"\""));
	ck_assert(!body_has("<img"));
	ck_assert(!body_has("<!-- "));
	ck_assert(!body_has("{{"));
	body = gateway_memory_body(&memory);
	for (at = body.data; at != NULL && *at != '\0'; scripts++) {
		at = memmem(at, (size_t)(body.data + body.len - at),
		    "</script>", 9);
		if (at == NULL)
			break;
		at++;
	}
	ck_assert_uint_eq(scripts, 2);
	done();
}
END_TEST

START_TEST(the_policy_names_who_may_frame)
{
	struct span policy;

	ck_assert_int_eq(ask("GET", "/chat/demo", NULL, NULL), 200);
	policy = gateway_memory_header(&memory, "Content-Security-Policy");
	ck_assert(span_starts(policy, "default-src 'none'; script-src "
				      "'sha256-"));
	ck_assert(span_ends(policy, "frame-ancestors 'self' "
	    "https://www.my.site https://*.my.other:8443"));
	ck_assert(span_is(gateway_memory_header(&memory, "Vary"),
	    "Accept-Language"));
	ck_assert_ptr_null(gateway_memory_header(&memory,
	    "Access-Control-Allow-Origin").data);
	done();
}
END_TEST

START_TEST(an_unchanged_page_is_not_sent_again)
{
	char header[128];
	struct span etag;

	ck_assert_int_eq(ask("GET", "/chat/demo", NULL, NULL), 200);
	etag = gateway_memory_header(&memory, "ETag");
	(void)snprintf(header, sizeof(header),
	    "HTTP_IF_NONE_MATCH=\"x\", W/%.*s", (int)etag.len, etag.data);
	done();
	ck_assert_int_eq(ask("GET", "/chat/demo", header, NULL), 304);
	ck_assert_uint_eq(gateway_memory_body(&memory).len, 0);
	done();
	ck_assert_int_eq(ask("GET", "/chat/demo", header,
	    "HTTP_ACCEPT_LANGUAGE=ko"), 200);
	done();
}
END_TEST

/* 40 kB in the language it is served in; the script that embeds it 4. */
START_TEST(pages_are_small)
{
	struct buf page = BUF_INIT(SITE_PAGE_MAX);

	site_page_chat(&page, &config->sites[0], &config->bots[0],
	    &site_languages[_i]);
	ck_assert_int_eq(buf_err(&page), ERR_NONE);
	ck_assert_uint_le(page.len, 40000);
	ck_assert_uint_le(site_embed.len, 4000);
	buf_release(&page);
}
END_TEST

Suite *
site_suite(void)
{
	Suite *s = suite_create("site");
	TCase *t = tcase_create("documents");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, each_address_has_its_document, 0, N(rows));
	tcase_add_test(t, settings_are_escaped_where_they_stand);
	tcase_add_test(t, the_policy_names_who_may_frame);
	tcase_add_test(t, an_unchanged_page_is_not_sent_again);
	tcase_add_loop_test(t, pages_are_small, 0, SITE_LANGUAGES);
	suite_add_tcase(s, t);
	return s;
}
