/* A configuration that was read: what it holds is found by name. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

bool
config_name_allowed(struct span name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] <= ' ' ||
		    strchr("[]\"'/\\", name.data[i]) != NULL)
			return false;
	return name.len > 0 && name.len <= 64;
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	arena_release(&c->arena);
	free(c);
}

const struct bot_config *
config_bot_by_slug(const struct config *c, const char *slug, size_t len)
{
	size_t i;

	for (i = 0; i < c->n_bots; i++)
		if (c->bots[i].enabled &&
		    span_is((struct span){slug, len}, c->bots[i].slug))
			return &c->bots[i];
	return NULL;
}

const struct bot_config *
config_bot_by_uid(const struct config *c, const char *uid, size_t len)
{
	size_t i;

	for (i = 0; i < c->n_bots; i++)
		if (c->bots[i].enabled &&
		    span_is((struct span){uid, len}, c->bots[i].uid))
			return &c->bots[i];
	return NULL;
}

const struct engine_config *
config_engine(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_engines; i++)
		if (strcmp(c->engines[i].name, name) == 0)
			return &c->engines[i];
	return NULL;
}

const struct knowledge_config *
config_knowledge(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_knowledge; i++)
		if (strcmp(c->knowledge[i].name, name) == 0)
			return &c->knowledge[i];
	return NULL;
}

const struct site_config *
config_site(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_sites; i++)
		if (strcmp(c->sites[i].name, name) == 0)
			return &c->sites[i];
	return NULL;
}
