/*
 * Over HTTP with libcurl: one handle per worker, reused, so connections stay
 * open between cases.  Nothing is followed, unpacked or tidied up: the server
 * gets the path as it was written and we get what it sent.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "match/mem.h"
#include "match/shown.h"
#include "target.h"

struct transfer {
	struct arena *arena;
	struct growing body;
	struct reply *reply;
	bool too_big;
};

static const char *
http_open(struct arena *a, struct target *target)
{
	(void)a;
	if (strncmp(target->rest, "http://", 7) != 0 &&
	    strncmp(target->rest, "https://", 8) != 0)
		return "a target's URL begins with http:// or https://";
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return "libcurl does not start";
	return NULL;
}

static void
http_close(struct target *target)
{
	(void)target;
	curl_global_cleanup();
}

static void *
http_connect(struct target *target)
{
	(void)target;
	return must(curl_easy_init());
}

static void
http_disconnect(void *connection)
{
	curl_easy_cleanup(connection);
}

static size_t
on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	struct span line = {data, size * count};

	while (line.len > 0 && (line.data[line.len - 1] == '\n' ||
				   line.data[line.len - 1] == '\r'))
		line.len--;
	if (span_starts(line, "HTTP/")) {
		t->reply->header_count = 0; /* after 100 Continue: anew */
		t->reply->headers = NULL;
	} else if (line.len > 0) {
		reply_add_header(t->arena, t->reply, line);
	}
	return size * count;
}

static size_t
on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;

	if (growing_add(&t->body, data, size * count))
		return size * count;
	t->too_big = true;
	return 0;
}

static char *
url_of(struct arena *a, const struct target *target, const char *path)
{
	size_t len = strlen(target->rest);

	while (len > 0 && target->rest[len - 1] == '/')
		len--;
	return mem_printf(a, "%.*s%s", (int)len, target->rest, path);
}

static bool
is_loopback(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return strncmp(host, "127.", 4) == 0 ||
	    strncmp(host, "localhost", 9) == 0 ||
	    strncmp(host, "[::1]", 5) == 0;
}

/* Everything the request does not set is switched off. */
static struct curl_slist *
header_list(struct arena *a, const struct wire_request *request)
{
	struct curl_slist *list = NULL;
	const struct header *h;
	size_t i;

	list = must(curl_slist_append(list, "Expect:"));
	if (wire_request_header(request, "Content-Type").data == NULL)
		list = must(curl_slist_append(list, "Content-Type:"));
	for (i = 0; i < request->header_count; i++) {
		h = &request->headers[i];
		list = must(curl_slist_append(list, h->value.len == 0
			? mem_printf(a, "%s;", h->name.data)
			: mem_printf(a, "%s: %s", h->name.data,
			      h->value.data)));
	}
	return list;
}

static void
set_request(struct arena *a, CURL *curl, const struct target *target,
    const struct wire_request *request)
{
	curl_easy_setopt(curl, CURLOPT_URL,
	    url_of(a, target, request->path));
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "chatconf/0.1");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
	    (long)target->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
	/* As curl: for servers whose certificate is signed at home. */
	if (getenv("CURL_CA_BUNDLE") != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO,
		    getenv("CURL_CA_BUNDLE"));
	if (is_loopback(target->rest))
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (request->body.data != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
		    request->body.data);
	} else if (strcmp(request->method, "POST") == 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)0);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	}
	if (strcmp(request->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
note_failure(struct arena *a, CURLcode rc, const char *detail,
    const struct transfer *t, struct reply *reply)
{
	if (rc == CURLE_OK)
		return;
	reply->unreachable = rc == CURLE_COULDNT_CONNECT ||
	    rc == CURLE_COULDNT_RESOLVE_HOST ||
	    rc == CURLE_SSL_CONNECT_ERROR ||
	    rc == CURLE_PEER_FAILED_VERIFICATION;
	if (t->too_big)
		reply->failure = "a reply of more than 64 MB";
	else if (rc == CURLE_OPERATION_TIMEDOUT)
		reply->failure = "the reply did not end in time";
	else
		reply->failure = mem_printf(a, "%s%s%s",
		    curl_easy_strerror(rc), *detail == '\0' ? "" : ": ",
		    detail);
}

static void
http_send(struct arena *a, struct target *target, void *connection,
    const struct wire_request *request, struct reply *reply)
{
	struct transfer t = {.arena = a, .reply = reply};
	char detail[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers;
	CURL *curl = connection;
	long status = 0;
	CURLcode rc;

	curl_easy_reset(curl);
	set_request(a, curl, target, request);
	headers = header_list(a, request);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t);
	growing_init(&t.body, a, request);
	rc = curl_easy_perform(curl);
	growing_end(&t.body, reply);
	note_failure(a, rc, detail, &t, reply);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	reply->status = (int)status;
	curl_slist_free_all(headers);
}

static bool
is_usual(const struct target *target, const struct header *h)
{
	size_t i;

	for (i = 0; i < target->usual_count; i++)
		if (span_is_nocase(target->usual[i].name, h->name.data) &&
		    span_equal(target->usual[i].value, h->value))
			return true;
	return false;
}

static char *
http_again(struct arena *a, const struct target *target,
    const struct wire_request *request)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const struct header *h;
	bool rc = false, plain = shown_is_plain(request->body, SHOWN_LINES);
	size_t i;

	if (!plain)
		buf_printf(&b, "%s | ", shell_print(a, request->body));
	buf_printf(&b, "curl -isS %s",
	    shell_quote(a, span_of(url_of(a, target, request->path))));
	for (i = 0; i < request->header_count; i++) {
		h = &request->headers[i];
		if (is_usual(target, h)) {
			rc = true;
			continue;
		}
		buf_printf(&b, " -H %s",
		    shell_quote(a, span_of(mem_printf(a, "%s%s%s",
			h->name.data, h->value.len == 0 ? ";" : ": ",
			h->value.data))));
	}
	if (rc)
		buf_adds(&b, " -K chatconf.rc");
	if (strcmp(request->method, "HEAD") == 0)
		buf_adds(&b, " -I");
	else if (strcmp(request->method,
		     request->body.data == NULL ? "GET" : "POST") != 0)
		buf_printf(&b, " -X %s", request->method);
	if (request->body.data == NULL)
		;
	else if (!plain)
		buf_adds(&b, " --data-binary @-");
	else
		buf_printf(&b, " --data-binary %s",
		    shell_quote(a, request->body));
	return (char *)(uintptr_t)mem_take(a, &b).data;
}

const struct target_kind target_http = {"http", http_open, http_close,
    http_connect, http_disconnect, http_send, http_again};
