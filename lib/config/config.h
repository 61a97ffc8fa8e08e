/*
 * parlance.conf: one INI file that declares a deployment.
 *
 *   [server] [key NAME] [bot SLUG] [engine NAME] [knowledge NAME] [site NAME]
 *
 * The settings are rows of one table (settings.c): section, name, kind,
 * where it is kept, what it means.  A new setting is a new row.  Everything
 * read stays unchanged until config_free(), so threads may share it.
 */
#ifndef PARLANCE_CONFIG_H
#define PARLANCE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/net_address.h"
#include "base/text.h"

#define CONFIG_LIST_MAX 64
#define CONFIG_SECRET_MIN 32 /* bytes of a declared secret, at least */

/* A list of texts: "a, b, c", or the same name given several times. */
struct config_list {
	const char *items[CONFIG_LIST_MAX];
	size_t n;
};

/* A price list entry as configured; all NULL when there is no list. */
struct price_list {
	const char *prompt_unit_price, *prompt_price_unit;
	const char *completion_unit_price, *completion_price_unit;
	const char *currency;
};

struct server_config {
	int line;                 /* of [server]; 0: there is none */
	const char *state;        /* the state folder, absolute */
	const char *base_path;    /* "" or "/app" */
	int64_t max_body;         /* bytes; 1 MiB */
	int64_t max_file;         /* bytes of an uploaded file's request */
	int64_t upload_days;      /* an unneeded upload is kept; 0: always */
	int64_t conversation_days; /* after its last turn; 0: always */
	int64_t turn_limit_s;     /* a turn's run time cap; 1200 */
	int64_t busy_timeout_ms;  /* how long to wait for the store; 8000 */
	bool demo;                /* accepts demo-key; loopback only */
	bool durable;             /* synchronous=FULL; else NORMAL */
	const char *name;         /* workspace name, for author_name */
	const char *request_log;  /* "off", "stderr", "syslog" */
	const char *metrics;      /* "off", "on" */
	const char *metrics_token; /* NULL: loopback may see them */
	const char *public_url;   /* "https://my.site/app"; NULL: unknown */
	struct net_ranges trusted_proxies; /* whose word about the client
	                                    * counts */
	const char *secret;       /* NULL: made in the state folder
				   * (auth/secret.h) */
};

/* Which bots a key opens, and where. */
struct key_config {
	const char *name;
	int line;
	const char *hash;         /* "sha256:..." by `parlance key new` */
	const char *bot;          /* slug, or NULL for all bots */
	const char *kind;         /* "app" (default) or "dataset" */
	bool enabled;
	int64_t requests_per_minute, tokens_per_day, concurrent; /* 0: none */
	int64_t user_requests_per_minute, user_tokens_per_day;
	int64_t user_concurrent;
};

/* One control of a bot's input form: "name | kind | required | ..." */
struct form_control {
	const char *variable, *kind, *label;
	bool required;
	const char *fallback;     /* the default, or NULL */
	int64_t max_length;       /* 0: none */
	struct config_list options;
};

struct bot_config {
	const char *slug;
	int line;
	const char *uid;          /* declared, else made from the slug */
	const char *name, *description, *welcome_message, *avatar_url;
	const char *model;        /* what GET /bots and upstreams are told */
	const char *persona;      /* system prompt; {{variable}} filled */
	const char *language;     /* default language, or NULL */
	struct config_list tags;
	struct config_list engines;   /* names; the later ones are fall-backs */
	struct config_list knowledge; /* names */
	bool api_datasets;        /* it answers from those too */
	const char *title_engine; /* names conversations, or NULL */
	bool published, enabled, api_enabled;
	struct price_list price;
	int64_t context_size;     /* tokens; 0: unknown */
	int64_t max_output_tokens; /* 0: the upstream's own */
	int64_t max_words;        /* 0: no limit */
	const char *temperature;  /* decimal text or NULL */
	int64_t concurrent;       /* answers at once; 0: no cap */
	const char *opening_statement;
	const char *greeting;     /* what greets visitors, or NULL */
	const char *contact;      /* where people are asked instead, or NULL */
	const char *unknown_answer; /* NULL: in the question's language */
	struct config_list suggested_questions;
	bool suggested_after_answer;
	bool citations;           /* retriever_resource */
	int64_t top_k;            /* passages for one question; 4 */
	double score_threshold;   /* passages below it are dropped; 0 */
	struct form_control *form;
	size_t n_form;
	bool image_upload, file_upload;
	int64_t file_limit;       /* number_limits; 3 */
	bool annotation_reply;
	double annotation_threshold;
	/* GET /site */
	const char *site_title, *icon, *icon_background, *copyright,
	    *privacy_policy, *input_placeholder, *disclaimer, *color_theme;
};

struct engine_config {
	const char *name;
	int line;
	const char *kind;         /* "builtin", "replay", "openai" */
	const char *url;          /* openai: base, ".../v1" */
	const char *key;          /* the upstream's; from key, key_file */
	const char *key_env;      /* name of an environment variable */
	const char *key_header;   /* the key's; NULL: a bearer token */
	const char *path;         /* behind url; NULL: the usual one */
	const char *model;        /* sent instead of the bot's */
	const char *proxy;        /* "" none */
	const char *ca_file;      /* NULL: the system's */
	bool tls_verify;
	int64_t connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms,
	    total_timeout_ms;
	int64_t max_answer_bytes;
	int64_t retries;
	bool vision;              /* images may be sent to it */
	bool include_usage;       /* ask with stream_options */
	const char *reasoning;    /* "hide", "tags", "pass" */
	bool thinks_first;        /* answers begin with untagged thoughts */
	int64_t bytes_per_token;  /* of its prompts, at least; 1 */
	const char *recordings;   /* replay: a file, absolute */
};

struct knowledge_config {
	const char *name;
	int line;
	const char *folder;       /* absolute, or NULL */
	const char *language;     /* for stemming: "en", "german", ...; NULL:
	                           * each document's own, guessed */
	const char *id;           /* dataset id: declared or from the name */
	const char *title;        /* dataset_name; the section's name */
	struct config_list patterns; /* file names, "*.md"; none: all known */
	int64_t max_file_bytes;
	const char *encoding;     /* of texts that do not tell, or NULL */
	bool outside_links;       /* links to files elsewhere are read */
	const char *embedding;    /* an engine's name, or NULL */
	int64_t check_seconds;    /* how often changes are looked for */
	const char *url;          /* where visitors find the folder, or NULL */
};

/* A chat page for a web site's visitors; every limit is above 0. */
struct site_config {
	const char *name;
	int line;
	const char *app_id;       /* whose end users its visitors are */
	const char *bot;          /* slug of the bot that answers */
	struct config_list origins; /* further pages that may embed it */
	const char *title;        /* the bot's name when not given */
	const char *color;        /* "#1b5e8c", or NULL */
	const char *privacy_url;  /* or NULL */
	const char *language;     /* "en" ...; NULL: the browser's */
	int64_t remember_hours;   /* in the browser; 0: the tab */
	int64_t conversation_days; /* in the store; 0: for ever */
	int64_t visitor_requests_per_minute, address_requests_per_hour,
	    requests_per_day, tokens_per_day;
	int64_t question_length;  /* code points */
	int64_t visitor_streams, streams; /* answers running at once */
};

struct config {
	struct arena arena;
	const char *path;         /* the file, absolute */
	const char *folder;       /* where relative paths start */
	struct server_config server;
	struct key_config *keys;
	size_t n_keys;
	struct bot_config *bots;  /* in the file's order */
	size_t n_bots;
	struct engine_config *engines;
	size_t n_engines;
	struct knowledge_config *knowledge;
	size_t n_knowledge;
	struct site_config *sites; /* in the file's order */
	size_t n_sites;
};

void config_free(struct config *c); /* NULL is fine */

/* May a section be called so?  1 to 64 bytes, no space, bracket, quote or
 * slash: [key NAME]. */
bool config_name_allowed(struct span name);

/* NULL when there is none; a bot that is switched off is not found. The
 * result is the configuration's. */
const struct bot_config *config_bot_by_slug(const struct config *c,
    const char *slug, size_t len);
const struct bot_config *config_bot_by_uid(const struct config *c,
    const char *uid, size_t len);
const struct engine_config *config_engine(const struct config *c,
    const char *name);
const struct knowledge_config *config_knowledge(const struct config *c,
    const char *name);

const struct site_config *config_site(const struct config *c,
    const char *name);

#endif
