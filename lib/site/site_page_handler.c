/*
 * The documents: the chat page, the script that embeds it, and the short page
 * at /.  Each has an ETag of its very bytes and of what decides over them, so
 * that a browser asks again and gets 304.
 */
#include <stdio.h>
#include <string.h>

#include "site/site.h"
#include "site/site_handlers.h"
#include "site/site_page.h"

#define ETAG_SIZE 64
#define POLICY_MAX 8192U

/* FNV-1a, which tells pages apart; nobody gains by making two alike. */
static uint64_t
hash(struct span bytes, uint64_t h)
{
	size_t i;

	for (i = 0; i < bytes.len; i++)
		h = (h ^ (unsigned char)bytes.data[i]) * 0x100000001b3U;
	return h;
}

/* Does If-None-Match name it? */
static bool
is_known(const struct exchange *x, const char *etag)
{
	struct span rest =
	    span_of(request_header(&x->request, "If-None-Match"));
	struct span one;

	while (rest.data != NULL) {
		one = span_trim(span_cut(&rest, ','));
		if (span_starts(one, "W/"))
			one = (struct span){one.data + 2, one.len - 2};
		if (span_is(one, etag) || span_is(one, "*"))
			return true;
	}
	return false;
}

struct document {
	const char *type;
	struct span body;
	const char *policy;  /* NULL: none */
	const char *vary;    /* NULL: nothing */
	const char *caching; /* Cache-Control */
};

static enum err
send_document(struct exchange *x, int status, const struct document *d)
{
	struct response *r = &x->response;
	char etag[ETAG_SIZE];
	uint64_t h = hash(d->body, 0xcbf29ce484222325U);

	h = hash(span_of(d->policy), h);
	(void)snprintf(etag, sizeof(etag), "\"%s-%016llx\"", site_version,
	    (unsigned long long)h);
	if (d->policy != NULL)
		(void)response_header(r, "Content-Security-Policy",
		    span_of(d->policy));
	if (d->vary != NULL)
		(void)response_header(r, "Vary", span_of(d->vary));
	(void)response_header(r, "Cache-Control", span_of(d->caching));
	(void)response_header(r, "X-Content-Type-Options", SPAN("nosniff"));
	(void)response_header(r, "Referrer-Policy", SPAN("no-referrer"));
	if (status == 200) {
		(void)response_header(r, "ETag", span_of(etag));
		if (is_known(x, etag))
			status = 304;
	}
	response_status(r, status);
	return response_send(r, d->type, d->body);
}

static const struct site_language *
language_for(const struct exchange *x, const struct site_config *site)
{
	return site_page_language(site,
	    request_header(&x->request, "Accept-Language"));
}

static enum err
send_page(struct exchange *x, int status, const struct buf *page,
    const char *policy, const char *vary)
{
	enum err err = buf_err(page);
	const struct document d = {
	    .type = "text/html; charset=utf-8",
	    .body = {buf_text(page), page->len},
	    .policy = policy,
	    .vary = vary,
	    .caching = "no-cache",
	};

	return err != ERR_NONE ? err : send_document(x, status, &d);
}

enum err
site_home_get(struct exchange *x)
{
	struct buf page = BUF_INIT(SITE_PAGE_MAX);
	enum err err;

	site_page_home(&page, x->config, x->request.mount,
	    language_for(x, NULL));
	err = send_page(x, 200, &page, SITE_PAGE_PLAIN_POLICY,
	    "Accept, Accept-Language");
	buf_release(&page);
	return err;
}

enum err
site_page_get(struct exchange *x)
{
	const struct site_config *site = site_of(x);
	struct buf page = BUF_INIT(SITE_PAGE_MAX);
	struct buf policy = BUF_INIT(POLICY_MAX);
	enum err err;

	if (site == NULL) {
		site_page_unknown(&page, language_for(x, NULL));
		err = send_page(x, 404, &page, SITE_PAGE_PLAIN_POLICY,
		    "Accept, Accept-Language");
		buf_release(&page);
		return err;
	}
	site_page_chat(&page, site, site_bot(x->config, site),
	    language_for(x, site));
	site_page_policy(&policy, site);
	err = buf_err(&policy);
	if (err == ERR_NONE)
		err = send_page(x, 200, &page, buf_text(&policy),
		    site->language == NULL ? "Accept-Language" : NULL);
	buf_release(&policy);
	buf_release(&page);
	return err;
}

enum err
site_embed_get(struct exchange *x)
{
	const struct document d = {
	    .type = "text/javascript; charset=utf-8",
	    .body = site_embed,
	    .caching = "max-age=3600",
	};
	/* A page that isolates itself may still load it. */
	enum err err = response_header(&x->response,
	    "Cross-Origin-Resource-Policy", SPAN("cross-origin"));

	return err != ERR_NONE ? err : send_document(x, 200, &d);
}
