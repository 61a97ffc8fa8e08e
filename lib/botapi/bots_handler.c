/* GET /v1/bots: the published bots that the key opens, in the order of the
 * configuration file (contracts/chat.md 8). */
#include "auth/caller.h"
#include "botapi/botapi_routes.h"
#include "json/jsonout.h"

#define BOTS_MAX_BYTES ((size_t)16 << 20)

static bool
opens(const struct exchange *x, const struct bot_config *bot)
{
	return bot->enabled && bot->api_enabled &&
	    (x->caller->bot == NULL || x->caller->bot == bot);
}

const struct bot_config *
bots_find(const struct exchange *x, struct span uid, struct span slug)
{
	const struct bot_config *bot;

	if (uid.len > 0)
		bot = config_bot_by_uid(x->config, uid.data, uid.len);
	else
		bot = config_bot_by_slug(x->config, slug.data, slug.len);
	return bot != NULL && opens(x, bot) ? bot : NULL;
}

static void
member(struct buf *out, const char *name, const char *text)
{
	jsonout_member_cstring(out, name, text == NULL ? "" : text);
}

static void
write_bot(struct buf *out, const struct bot_config *bot)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	member(out, "uid", bot->uid);
	member(out, "slug", bot->slug);
	member(out, "model", bot->model);
	member(out, "name", bot->name);
	member(out, "description", bot->description);
	member(out, "welcome_message", bot->welcome_message);
	jsonout_member_cstring(out, "avatar_url", bot->avatar_url);
	buf_addc(out, '}');
}

enum err
bots_get(struct exchange *x)
{
	struct buf body = BUF_INIT(BOTS_MAX_BYTES);
	const struct config *c = x->config;
	enum err err;
	size_t i;

	buf_addc(&body, '[');
	for (i = 0; i < c->n_bots; i++)
		if (c->bots[i].published && opens(x, &c->bots[i]))
			write_bot(&body, &c->bots[i]);
	buf_addc(&body, ']');
	err = response_send_json(&x->response, 200, &body);
	buf_release(&body);
	return err;
}
