/* Nine in ten calls that never work have the wrong address, key or model. */
#include "engine/openai_fault.h"

#include <string.h>

#include "config/config.h"
#include "upstream/endpoint.h"

static bool
has(const char *text, const char *word)
{
	return text != NULL && strstr(text, word) != NULL;
}

/* A version in the path, as nearly every server has: /v1, /v4, /v1beta. */
static bool
has_version(const char *url)
{
	const char *at = url;

	while ((at = strstr(at, "/v")) != NULL) {
		if (text_is_digit(at[2]))
			return true;
		at += 2;
	}
	return false;
}

const char *
openai_fault_guess(const struct openai_fault *f)
{
	const char *url = f->at->url;

	if (f->status / 100 == 3)
		return "write the address it leads to into url";
	if (f->fault == FAULT_MODEL)
		return "does model name one that the server has?";
	if (f->status == 401 || f->status == 403)
		return f->at->authorization == NULL
			   ? "it wants a key: set key_file"
			   : "is the key right, and key_header what the "
			     "server wants?";
	if (f->status == 404 || f->status == 405 ||
	    (f->status / 100 == 2 && has(f->content_type, "html")))
		return has_version(url) || has(url, "/openai/")
			   ? "is url right up to /chat/completions?"
			   : "is /v1 missing at the end of url?";
	if (f->status != 0 && f->fault == FAULT_MALFORMED)
		return "does the server speak chat/completions?";
	if (f->status == 0 && has(f->reason, "wrong version number"))
		return "does the server speak http:// and not https://?";
	if (f->status == 0 && f->fault == FAULT_UNREACHABLE &&
	    has(f->reason, "refused"))
		return "does the server run, and listen there?";
	if (f->status == 0 && f->fault == FAULT_CUT &&
	    strncmp(url, "http://", 7) == 0)
		return "does the server want https://?";
	return NULL;
}

void
openai_fault_text(const struct openai_fault *f, struct buf *out)
{
	const char *guess = openai_fault_guess(f);
	char at[ENDPOINT_SHOWN];

	endpoint_show(span_of(f->at->url), at);
	buf_printf(out, "engine %s: %s: ", f->engine->name, at);
	if (f->status != 0 && f->status / 100 != 2)
		buf_printf(out, "refused with status %d", f->status);
	else if (f->reason != NULL && f->reason[0] != '\0')
		buf_adds(out, f->reason);
	else
		buf_adds(out, engine_fault_text(f->fault));
	if (f->redirect != NULL && f->redirect[0] != '\0') {
		endpoint_show(span_of(f->redirect), at);
		buf_printf(out, ", to %s", at);
	}
	if (f->words != NULL && f->words[0] != '\0')
		buf_printf(out, ": \"%s\"", f->words);
	if (guess != NULL)
		buf_printf(out, "; %s", guess);
}
