/*
 * What every request of a chat page to its server goes through, before
 * anything is looked up: is it the page that asks, who is the visitor, what
 * does the body say.
 */
#ifndef PARLANCE_SITE_REQUEST_H
#define PARLANCE_SITE_REQUEST_H

#include "base/uuid.h"
#include "config/config.h"
#include "http/exchange.h"
#include "json/pyjson.h"
#include "site/visitor.h"

struct site_request {
	const struct site_config *site;
	const struct bot_config *bot;   /* NULL: switched off */
	struct visitor visitor;
	const struct pyjson *body;      /* an object; NULL: there is none */
};

/*
 * Reads it; the visitor's renewed token goes into the response's headers.
 * False: it has been answered, and *err says whether that worked.
 *
 * A page of another origin is refused: inside a frame the page's own origin
 * is ours, so Sec-Fetch-Site must be same-origin or, where a browser sends
 * none, Origin must be our own address; a GET is read by nobody else, since
 * no CORS header allows it.
 */
bool site_request_read(struct exchange *x, struct site_request *r,
    enum err *err);

/* Does the request come from a page of our own origin?  (Its method says how
 * strict that must be.) */
bool site_request_is_own(const struct exchange *x);

#endif
