/* The rules between sections; one function a section. */
#include "config/config_check.h"

#include <string.h>

#include "base/text.h"
#include "base/uuid.h"
#include "config/engine_kind.h"

void
config_fault(struct buf *faults, const char *file, int line,
    const char *format, ...)
{
	va_list args;

	if (faults->len > 0)
		buf_addc(faults, '\n');
	if (line > 0)
		buf_printf(faults, "%s:%d: ", file, line);
	else
		buf_printf(faults, "%s: ", file);
	va_start(args, format);
	buf_vprintf(faults, format, args);
	va_end(args);
}

/* "https://my.site:8443/app": what can be put in front of a path. */
static bool
is_address(struct span url)
{
	static const char allowed[] = "-._~:/%[]!$&()*+,;=";
	size_t skip = span_starts(url, "https://") ? 8
	    : span_starts(url, "http://")	   ? 7
						   : 0, i;

	if (skip == 0 || url.len == skip || url.data[skip] == '/')
		return false;
	for (i = skip; i < url.len; i++)
		if (!text_is_alnum(url.data[i]) &&
		    strchr(allowed, url.data[i]) == NULL)
			return false;
	return true;
}

static void
check_server(const struct config *c, const char *file, struct buf *faults)
{
	struct span base = span_of(c->server.base_path);
	struct span secret = span_of(c->server.secret);

	if (base.len > 0 &&
	    (!span_starts(base, "/") || span_ends(base, "/")))
		config_fault(faults, file, c->server.line,
		    "base_path in [server] begins with / and does not end "
		    "with one, such as /app");
	if (c->server.public_url != NULL &&
	    !is_address(span_of(c->server.public_url)))
		config_fault(faults, file, c->server.line,
		    "public_url in [server] is an address such as "
		    "https://my.site or https://my.site/app");
	if (secret.len > 0 && secret.len < CONFIG_SECRET_MIN)
		config_fault(faults, file, c->server.line,
		    "secret in [server] has at least %d characters; make one "
		    "with: openssl rand -hex 32", CONFIG_SECRET_MIN);
}

/* Also a bot that is switched off: its keys stay in the file. */
static bool
is_declared(const struct config *c, const char *slug)
{
	size_t i;

	for (i = 0; i < c->n_bots; i++)
		if (strcmp(c->bots[i].slug, slug) == 0)
			return true;
	return false;
}

static void
check_key(const struct config *c, const struct key_config *key,
    const char *file, struct buf *faults)
{
	struct span hash = span_of(key->hash);

	if (key->hash == NULL)
		config_fault(faults, file, key->line,
		    "[key %s] has no hash; make one with: parlance key new %s",
		    key->name, key->name);
	else if (!span_starts(hash, "sha256:") || hash.len != 7 + 32 + 1 + 64)
		config_fault(faults, file, key->line,
		    "the hash of [key %s] is not what `parlance key new` "
		    "prints; never write the key itself here",
		    key->name);
	if (key->bot != NULL && !is_declared(c, key->bot))
		config_fault(faults, file, key->line,
		    "[key %s] opens the bot \"%s\", which does not exist",
		    key->name, key->bot);
}

static void
check_bot(const struct config *c, size_t index, const char *file,
    struct buf *faults)
{
	const struct bot_config *bot = &c->bots[index];
	const struct price_list *price = &bot->price;
	int prices = (price->prompt_unit_price != NULL) +
	    (price->prompt_price_unit != NULL) +
	    (price->completion_unit_price != NULL) +
	    (price->completion_price_unit != NULL);
	size_t i;

	if (!uuid_is_hyphenated(span_of(bot->uid)))
		config_fault(faults, file, bot->line,
		    "the uid of [bot %s] is not a UUID", bot->slug);
	if (prices != 0 && prices != 4)
		config_fault(faults, file, bot->line,
		    "[bot %s] has some prices but not all four: "
		    "prompt_unit_price, prompt_price_unit, "
		    "completion_unit_price, completion_price_unit",
		    bot->slug);
	for (i = 0; i < bot->engines.n; i++)
		if (config_engine(c, bot->engines.items[i]) == NULL)
			config_fault(faults, file, bot->line,
			    "[bot %s] names the engine \"%s\", which has no "
			    "[engine %s]",
			    bot->slug, bot->engines.items[i],
			    bot->engines.items[i]);
	if (bot->title_engine != NULL &&
	    config_engine(c, bot->title_engine) == NULL)
		config_fault(faults, file, bot->line,
		    "[bot %s] names the title_engine \"%s\", which has no "
		    "[engine %s]",
		    bot->slug, bot->title_engine, bot->title_engine);
	for (i = 0; i < bot->knowledge.n; i++)
		if (config_knowledge(c, bot->knowledge.items[i]) == NULL)
			config_fault(faults, file, bot->line,
			    "[bot %s] names the knowledge \"%s\", which has "
			    "no [knowledge %s]",
			    bot->slug, bot->knowledge.items[i],
			    bot->knowledge.items[i]);
	for (i = 0; i < index; i++) {
		const struct bot_config *other = &c->bots[i];

		/* Clients look bots up by all three (contracts/chat.md 8). */
		if (strcmp(bot->uid, other->uid) == 0 ||
		    strcmp(bot->name, other->name) == 0)
			config_fault(faults, file, bot->line,
			    "[bot %s] has the %s of [bot %s]", bot->slug,
			    strcmp(bot->uid, other->uid) == 0 ? "uid" : "name",
			    other->slug);
	}
}

static void
check_engine(const struct engine_config *engine, const char *file,
    struct buf *faults)
{
	struct span url = span_of(engine->url);

	if (engine_is_remote(engine)) {
		if (!span_starts(url, "http://") &&
		    !span_starts(url, "https://"))
			config_fault(faults, file, engine->line,
			    "[engine %s] needs url = http://... or "
			    "https://..., the address before "
			    "/chat/completions",
			    engine->name);
		if (engine->key != NULL && engine->key_env != NULL)
			config_fault(faults, file, engine->line,
			    "[engine %s] has both key and key_env",
			    engine->name);
		if (engine->key != NULL &&
		    text_breaks_line(span_of(engine->key)))
			config_fault(faults, file, engine->line,
			    "the key of [engine %s] is not one line",
			    engine->name);
	}
	if (engine_kind(engine) == ENGINE_REPLAY &&
	    engine->recordings == NULL)
		config_fault(faults, file, engine->line,
		    "[engine %s] needs recordings = FILE", engine->name);
}

/* An address that a page may link to or a header may name: http or https,
 * and nothing that ends it where it stands. */
static bool
is_web_address(struct span text)
{
	size_t i;

	if (!span_starts(text, "http://") && !span_starts(text, "https://"))
		return false;
	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] <= ' ' ||
		    text.data[i] == 0x7f ||
		    strchr("\"'<>\\^`{|};,", text.data[i]) != NULL)
			return false;
	return true;
}

static void
check_knowledge(const struct config *c, const struct knowledge_config *k,
    const char *file, struct buf *faults)
{
	if (!uuid_is_hyphenated(span_of(k->id)))
		config_fault(faults, file, k->line,
		    "the id of [knowledge %s] is not a UUID", k->name);
	if (k->folder == NULL)
		config_fault(faults, file, k->line,
		    "[knowledge %s] needs folder = PATH", k->name);
	if (k->url != NULL && !is_web_address(span_of(k->url)))
		config_fault(faults, file, k->line,
		    "the url of [knowledge %s] is no address of http:// or "
		    "https://",
		    k->name);
	if (k->embedding != NULL && config_engine(c, k->embedding) == NULL)
		config_fault(faults, file, k->line,
		    "[knowledge %s] names the engine \"%s\", which has no "
		    "[engine %s]",
		    k->name, k->embedding, k->embedding);
}

/* "#1b5e8c" */
static bool
is_color(struct span text)
{
	size_t i;

	if (text.len != 7 || text.data[0] != '#')
		return false;
	for (i = 1; i < text.len; i++)
		if (!text_is_hex(text.data[i]))
			return false;
	return true;
}

/* "https://www.my.site:8443"; "*." may stand before the host. */
static bool
is_origin(struct span text)
{
	struct span host = text;
	size_t i;

	if (!is_web_address(text))
		return false;
	i = span_starts(text, "https://") ? 8 : 7;
	host = (struct span){text.data + i, text.len - i};
	if (span_starts(host, "*."))
		host = (struct span){host.data + 2, host.len - 2};
	for (i = 0; i < host.len; i++)
		if (!text_is_alnum(host.data[i]) &&
		    strchr(".-:[]", host.data[i]) == NULL)
			return false;
	return host.len > 0;
}

/* Its name stands in addresses as it is. */
static bool
is_site_name(struct span name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (!text_is_alnum(name.data[i]) && name.data[i] != '-' &&
		    name.data[i] != '_')
			return false;
	return !span_is(name, "embed");
}

static void
check_site(const struct config *c, const struct site_config *site,
    const char *file, struct buf *faults)
{
	size_t i;

	if (!is_site_name(span_of(site->name)))
		config_fault(faults, file, site->line,
		    "[site %s]: a site's name is of letters, digits, - and _, "
		    "and is not \"embed\"",
		    site->name);
	if (site->bot == NULL)
		config_fault(faults, file, site->line,
		    "[site %s] needs bot = SLUG, the bot that answers",
		    site->name);
	else if (!is_declared(c, site->bot))
		config_fault(faults, file, site->line,
		    "[site %s] asks the bot \"%s\", which does not exist",
		    site->name, site->bot);
	for (i = 0; i < site->origins.n; i++)
		if (!is_origin(span_of(site->origins.items[i])))
			config_fault(faults, file, site->line,
			    "\"%s\" in origins of [site %s] is no origin; "
			    "write https://www.my.site, without a path, and a "
			    "comma between two",
			    site->origins.items[i], site->name);
	if (site->color != NULL && !is_color(span_of(site->color)))
		config_fault(faults, file, site->line,
		    "the color of [site %s] is written such as #1b5e8c",
		    site->name);
	if (site->privacy_url != NULL &&
	    !is_web_address(span_of(site->privacy_url)))
		config_fault(faults, file, site->line,
		    "the privacy_url of [site %s] is no address of http:// or "
		    "https://",
		    site->name);
}

void
config_check(const struct config *c, const char *file, struct buf *faults)
{
	size_t i;

	check_server(c, file, faults);
	for (i = 0; i < c->n_keys; i++)
		check_key(c, &c->keys[i], file, faults);
	for (i = 0; i < c->n_bots; i++)
		check_bot(c, i, file, faults);
	for (i = 0; i < c->n_engines; i++)
		check_engine(&c->engines[i], file, faults);
	for (i = 0; i < c->n_knowledge; i++)
		check_knowledge(c, &c->knowledge[i], file, faults);
	for (i = 0; i < c->n_sites; i++)
		check_site(c, &c->sites[i], file, faults);
	if (c->n_bots == 0)
		config_fault(faults, file, 0,
		    "there is no bot; add a section such as [bot help]");
}
