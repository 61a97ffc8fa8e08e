/* The documents that visitors get: whole pages, in one language each. */
#ifndef PARLANCE_SITE_PAGE_H
#define PARLANCE_SITE_PAGE_H

#include "base/buf.h"
#include "config/config.h"
#include "site/site_parts.h"

#define SITE_PAGE_MAX ((size_t)1 << 20)

/* The language for a visitor whose Accept-Language header (or NULL) this is;
 * a site's own language goes first.  site may be NULL. */
const struct site_language *site_page_language(const struct site_config *site,
    const char *header);

/* The chat page of a site.  bot is NULL when it is switched off. */
void site_page_chat(struct buf *out, const struct site_config *site,
    const struct bot_config *bot, const struct site_language *language);

/* Its Content-Security-Policy: nothing but its own style and script, and the
 * origins that may frame it. */
void site_page_policy(struct buf *out, const struct site_config *site);

/* "There is no chat at this address." */
void site_page_unknown(struct buf *out, const struct site_language *language);

/* The short page at /: what this is, the sites, where the APIs are.  mount is
 * the base path. */
void site_page_home(struct buf *out, const struct config *c,
    struct span mount, const struct site_language *language);

/* The policy of the last two. */
#define SITE_PAGE_PLAIN_POLICY "default-src 'none'; frame-ancestors 'none'"

#endif
