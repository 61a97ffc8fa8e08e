/*
 * All settings, section by section.  This table is what the reader of the
 * file walks, what names the nearest known word, and what the reference
 * (`parlance help config`, the manual page) is printed from.
 */
#include "config/settings.h"

#include "config/config.h"
#include "config/engine_kind.h"

const struct section sections[SECTION_COUNT] = {
    [SECTION_SERVER] = {"server", NULL, "The deployment as a whole."},
    [SECTION_KEY] = {"key", "NAME",
	"An API key, by its hash; make one with `parlance key new NAME`."},
    [SECTION_BOT] = {"bot", "SLUG", "A bot: who answers, from what."},
    [SECTION_ENGINE] = {"engine", "NAME",
	"What makes answers. The engine \"builtin\" needs no section."},
    [SECTION_KNOWLEDGE] = {"knowledge", "NAME",
	"A folder of texts that bots answer from."},
    [SECTION_SITE] = {"site", "NAME",
	"A chat page for visitors of a web site, GET /chat/NAME, without a\n"
	"key: `parlance site NAME` prints the line that puts it on a page."},
};

#define SERVER(field) offsetof(struct server_config, field)
#define KEY(field) offsetof(struct key_config, field)
#define BOT(field) offsetof(struct bot_config, field)
#define ENGINE(field) offsetof(struct engine_config, field)
#define KNOWLEDGE(field) offsetof(struct knowledge_config, field)
#define SITE(field) offsetof(struct site_config, field)

#define TEXT(s, n, at, fallback, help)                                         \
	{s, n, SETTING_TEXT, at, fallback, 0, 0, NULL, help}
#define PATH(s, n, at, fallback, help)                                         \
	{s, n, SETTING_PATH, at, fallback, 0, 0, NULL, help}
#define SECRET(s, n, at, help)                                                 \
	{s, n, SETTING_SECRET, at, NULL, 0, 0, NULL, help}
#define BOOL(s, n, at, fallback, help)                                         \
	{s, n, SETTING_BOOL, at, fallback, 0, 0, NULL, help}
#define INT(s, n, at, fallback, min, max, help)                                \
	{s, n, SETTING_INT, at, fallback, min, max, NULL, help}
#define SHARE(s, n, at, fallback, help)                                        \
	{s, n, SETTING_SHARE, at, fallback, 0, 0, NULL, help}
#define DECIMAL(s, n, at, help)                                                \
	{s, n, SETTING_DECIMAL, at, NULL, 0, 0, NULL, help}
#define CHOICE(s, n, at, fallback, choices, help)                              \
	{s, n, SETTING_CHOICE, at, fallback, 0, 0, choices, help}
#define WORDS(s, n, at, fallback, help)                                        \
	{s, n, SETTING_WORDS, at, fallback, 0, 0, NULL, help}
#define NETWORKS(s, n, at, help)                                               \
	{s, n, SETTING_NETWORKS, at, NULL, 0, 0, NULL, help}
#define LINES(s, n, at, help)                                                  \
	{s, n, SETTING_LINES, at, NULL, 0, 0, NULL, help}

#define DAY_MS 86400000

const struct setting settings[] = {
    PATH(SECTION_SERVER, "state", SERVER(state), "state",
	"the state folder: conversations, usage, search index"),
    TEXT(SECTION_SERVER, "base_path", SERVER(base_path), "",
	"the path this deployment is mounted under, such as /app"),
    TEXT(SECTION_SERVER, "name", SERVER(name), "Parlance",
	"who runs this deployment; author_name in GET /info"),
    INT(SECTION_SERVER, "max_body", SERVER(max_body), "1048576", 1024,
	67108864, "largest request body, in bytes"),
    INT(SECTION_SERVER, "max_file", SERVER(max_file), "16777216", 1024,
	1073741824, "largest upload request, in bytes"),
    INT(SECTION_SERVER, "upload_days", SERVER(upload_days), "30", 0, 36500,
	"how long an upload is kept that no message needs: it was never sent,\n"
	"or its conversation was deleted; in days, 0: for ever"),
    INT(SECTION_SERVER, "conversation_days", SERVER(conversation_days), "0",
	0, 36500,
	"how long a conversation is kept after its last question, in days;\n"
	"0: for ever. Sites have their own"),
    INT(SECTION_SERVER, "turn_limit", SERVER(turn_limit_s), "1200", 1, 86400,
	"longest run time of one answer, in seconds; then it is stopped"),
    INT(SECTION_SERVER, "busy_timeout", SERVER(busy_timeout_ms), "8000", 0,
	60000, "how long to wait for the store, in milliseconds"),
    BOOL(SECTION_SERVER, "durable", SERVER(durable), "yes",
	"every stored answer survives a power cut; no: the last may be lost"),
    BOOL(SECTION_SERVER, "demo", SERVER(demo), "no",
	"knows the key demo-key; answers on loopback only"),
    CHOICE(SECTION_SERVER, "request_log", SERVER(request_log), "off",
	"off|stderr|syslog", "a line for each request, without its words"),
    CHOICE(SECTION_SERVER, "metrics", SERVER(metrics), "off", "off|on",
	"GET /metrics, in Prometheus's format; to this machine alone"),
    SECRET(SECTION_SERVER, "metrics_token", SERVER(metrics_token),
	"who sends it as a bearer token sees the metrics from anywhere"),
    TEXT(SECTION_SERVER, "public_url", SERVER(public_url), NULL,
	"the address that people use, such as https://my.site/app; absent:\n"
	"what each request says"),
    NETWORKS(SECTION_SERVER, "trusted_proxies", SERVER(trusted_proxies),
	"whose X-Forwarded-For, X-Forwarded-Proto and Forwarded are believed:\n"
	"addresses such as 127.0.0.1, 10.0.0.0/8, unix:; what they pass on is\n"
	"never this machine asking"),
    SECRET(SECTION_SERVER, "secret", SERVER(secret),
	"signs what visitors are given; at least 32 characters; absent: one\n"
	"is made in the state folder. Hosts that share a store declare the\n"
	"same"),

    TEXT(SECTION_KEY, "hash", KEY(hash), NULL,
	"the key's hash, as `parlance key new` printed it"),
    TEXT(SECTION_KEY, "bot", KEY(bot), NULL,
	"the slug of the one bot it opens; absent: all bots"),
    CHOICE(SECTION_KEY, "kind", KEY(kind), "app", "app|dataset",
	"app: chat; dataset: the knowledge endpoints"),
    BOOL(SECTION_KEY, "enabled", KEY(enabled), "yes",
	"no: the key is unknown"),
    INT(SECTION_KEY, "requests_per_minute", KEY(requests_per_minute), "0", 0,
	100000000, "limit of this key; 0: none"),
    INT(SECTION_KEY, "tokens_per_day", KEY(tokens_per_day), "0", 0,
	1000000000000,
	"limit of this key, for a UTC day, never exceeded: a turn reserves\n"
	"its prompt's and its longest answer's tokens; 0: none"),
    INT(SECTION_KEY, "concurrent", KEY(concurrent), "0", 0, 1000000,
	"answers of this key running at once; 0: no limit"),
    INT(SECTION_KEY, "user_requests_per_minute",
	KEY(user_requests_per_minute), "0", 0, 100000000,
	"limit of each end user of this key; 0: none"),
    INT(SECTION_KEY, "user_tokens_per_day", KEY(user_tokens_per_day), "0", 0,
	1000000000000, "the same for each end user of this key; 0: none"),
    INT(SECTION_KEY, "user_concurrent", KEY(user_concurrent), "0", 0,
	1000000, "answers of one end user running at once; 0: no limit"),

    TEXT(SECTION_BOT, "uid", BOT(uid), NULL,
	"the bot's UUID; absent: made from the slug"),
    TEXT(SECTION_BOT, "name", BOT(name), NULL,
	"the bot's name; absent: the slug"),
    TEXT(SECTION_BOT, "description", BOT(description), "", "what it is for"),
    TEXT(SECTION_BOT, "welcome_message", BOT(welcome_message), "",
	"shown before the first question"),
    TEXT(SECTION_BOT, "avatar_url", BOT(avatar_url), NULL, "its picture"),
    TEXT(SECTION_BOT, "model", BOT(model), "builtin",
	"the model's name, told to clients and to upstreams"),
    TEXT(SECTION_BOT, "persona", BOT(persona), "",
	"who it is and how it speaks: the system prompt; {{variable}} is\n"
	"replaced by the caller's input"),
    TEXT(SECTION_BOT, "language", BOT(language), NULL,
	"the language to answer in, unless the caller names one"),
    WORDS(SECTION_BOT, "tags", BOT(tags), "", "for GET /info"),
    WORDS(SECTION_BOT, "engine", BOT(engines), "builtin",
	"the engine that answers; further ones are fall-backs"),
    TEXT(SECTION_BOT, "title_engine", BOT(title_engine), NULL,
	"the engine that names new conversations, beside the answer;\n"
	"absent: the name is the first question"),
    WORDS(SECTION_BOT, "knowledge", BOT(knowledge), "",
	"the knowledge it answers from"),
    BOOL(SECTION_BOT, "api_datasets", BOT(api_datasets), "yes",
	"it answers from datasets made over the API too"),
    BOOL(SECTION_BOT, "published", BOT(published), "yes",
	"listed by GET /v1/bots"),
    BOOL(SECTION_BOT, "enabled", BOT(enabled), "yes",
	"no: the bot is not found"),
    BOOL(SECTION_BOT, "api_enabled", BOT(api_enabled), "yes",
	"no: the messages API answers 403, the bot API does not find it"),
    DECIMAL(SECTION_BOT, "prompt_unit_price", BOT(price.prompt_unit_price),
	"price of prompt tokens, such as 0.001"),
    DECIMAL(SECTION_BOT, "prompt_price_unit", BOT(price.prompt_price_unit),
	"its multiplier: 0.001 is per thousand tokens"),
    DECIMAL(SECTION_BOT, "completion_unit_price",
	BOT(price.completion_unit_price), "price of completion tokens"),
    DECIMAL(SECTION_BOT, "completion_price_unit",
	BOT(price.completion_price_unit), "its multiplier"),
    TEXT(SECTION_BOT, "currency", BOT(price.currency), "USD",
	"the currency of the prices"),
    INT(SECTION_BOT, "context_size", BOT(context_size), "0", 0, 100000000,
	"the model's context in tokens; 0: unknown"),
    INT(SECTION_BOT, "max_output_tokens", BOT(max_output_tokens), "0", 0,
	100000000,
	"largest answer in tokens; 0: the upstream's own limit, and 2,048\n"
	"for a key with a limit of tokens"),
    INT(SECTION_BOT, "max_words", BOT(max_words), "0", 0, 1000000,
	"largest answer in words; 0: no limit"),
    DECIMAL(SECTION_BOT, "temperature", BOT(temperature),
	"sent upstream; absent: the upstream's own"),
    INT(SECTION_BOT, "concurrent", BOT(concurrent), "0", 0, 1000000,
	"answers running at once, through either API; more get 429;\n"
	"0: no cap"),
    TEXT(SECTION_BOT, "opening_statement", BOT(opening_statement), "",
	"how a conversation begins; {{variable}} is replaced"),
    TEXT(SECTION_BOT, "greeting", BOT(greeting), NULL,
	"what a greeting is answered with, and what a site's page says before\n"
	"the first question; absent: opening_statement, else welcome_message"),
    TEXT(SECTION_BOT, "contact", BOT(contact), NULL,
	"where people can be asked instead, a whole sentence: said to\n"
	"complaints and to who wants a person, by the built-in engine, and\n"
	"shown when something does not work"),
    TEXT(SECTION_BOT, "unknown_answer", BOT(unknown_answer), NULL,
	"what the built-in engine says when the texts hold no answer; absent:\n"
	"\"I do not know the answer to that.\" in the question's language"),
    LINES(SECTION_BOT, "suggested_questions", BOT(suggested_questions),
	"offered at the start, one a line"),
    BOOL(SECTION_BOT, "suggested_questions_after_answer",
	BOT(suggested_after_answer), "no", "offer questions after an answer"),
    BOOL(SECTION_BOT, "citations", BOT(citations), "yes",
	"answers name the segments they were made from"),
    INT(SECTION_BOT, "top_k", BOT(top_k), "4", 1, 100,
	"passages looked at for one question"),
    SHARE(SECTION_BOT, "score_threshold", BOT(score_threshold), "0",
	"passages with a lower score are left out"),
    {SECTION_BOT, "input", SETTING_FORM, BOT(form), NULL, 0, 0, NULL,
	"a control of the input form: VARIABLE | KIND | LABEL, and any of\n"
	"required, default=TEXT, max_length=N, options=A;B;C"},
    BOOL(SECTION_BOT, "image_upload", BOT(image_upload), "no",
	"users may attach images"),
    BOOL(SECTION_BOT, "file_upload", BOT(file_upload), "no",
	"users may attach other files"),
    INT(SECTION_BOT, "file_limit", BOT(file_limit), "3", 1, 100,
	"files in one message"),
    BOOL(SECTION_BOT, "annotation_reply", BOT(annotation_reply), "no",
	"answer from annotations that match"),
    SHARE(SECTION_BOT, "annotation_threshold", BOT(annotation_threshold),
	"0.9", "how well an annotation must match"),
    TEXT(SECTION_BOT, "site_title", BOT(site_title), NULL, "for GET /site"),
    TEXT(SECTION_BOT, "icon", BOT(icon), "", "for GET /site"),
    TEXT(SECTION_BOT, "icon_background", BOT(icon_background), "#FFEAD5",
	"for GET /site"),
    TEXT(SECTION_BOT, "copyright", BOT(copyright), "", "for GET /site"),
    TEXT(SECTION_BOT, "privacy_policy", BOT(privacy_policy), "",
	"for GET /site"),
    TEXT(SECTION_BOT, "input_placeholder", BOT(input_placeholder), NULL,
	"for GET /site"),
    TEXT(SECTION_BOT, "disclaimer", BOT(disclaimer), "", "for GET /site"),
    TEXT(SECTION_BOT, "color_theme", BOT(color_theme), "", "for GET /site"),

    CHOICE(SECTION_ENGINE, "kind", ENGINE(kind), "openai",
	ENGINE_KIND_CHOICES, "what it is"),
    TEXT(SECTION_ENGINE, "url", ENGINE(url), NULL,
	"openai: the address before /chat/completions, such as\n"
	"http://127.0.0.1:8000/v1; a query (?api-version=...) stays one"),
    TEXT(SECTION_ENGINE, "path", ENGINE(path), NULL,
	"openai: what stands behind url instead of /chat/completions"),
    SECRET(SECTION_ENGINE, "key", ENGINE(key),
	"openai: the upstream's key; better in a file"),
    TEXT(SECTION_ENGINE, "key_env", ENGINE(key_env), NULL,
	"openai: the environment variable that holds the key"),
    TEXT(SECTION_ENGINE, "key_header", ENGINE(key_header), NULL,
	"openai: the header the key is sent in, such as api-key (Azure);\n"
	"absent: Authorization, as a bearer token"),
    TEXT(SECTION_ENGINE, "model", ENGINE(model), NULL,
	"openai: sent instead of the bot's model"),
    TEXT(SECTION_ENGINE, "proxy", ENGINE(proxy), "",
	"openai: a proxy's address; absent: none, whatever the environment"),
    PATH(SECTION_ENGINE, "ca_file", ENGINE(ca_file), NULL,
	"openai: certificates to trust instead of the system's"),
    BOOL(SECTION_ENGINE, "tls_verify", ENGINE(tls_verify), "yes",
	"openai: no trusts any certificate; for tests only"),
    INT(SECTION_ENGINE, "connect_timeout", ENGINE(connect_timeout_ms),
	"10000", 1, DAY_MS, "openai: milliseconds to connect"),
    INT(SECTION_ENGINE, "first_byte_timeout", ENGINE(first_byte_timeout_ms),
	"90000", 1, DAY_MS, "openai: milliseconds to the first byte"),
    INT(SECTION_ENGINE, "idle_timeout", ENGINE(idle_timeout_ms), "60000", 1,
	DAY_MS, "openai: milliseconds between bytes"),
    INT(SECTION_ENGINE, "total_timeout", ENGINE(total_timeout_ms), "600000",
	1, DAY_MS, "openai: milliseconds for one answer"),
    INT(SECTION_ENGINE, "max_answer", ENGINE(max_answer_bytes), "4194304",
	1024, 1073741824, "openai: largest reply, in bytes"),
    INT(SECTION_ENGINE, "retries", ENGINE(retries), "2", 0, 2,
	"openai: further tries before the first byte of an answer"),
    BOOL(SECTION_ENGINE, "vision", ENGINE(vision), "no",
	"openai: the model takes images"),
    BOOL(SECTION_ENGINE, "include_usage", ENGINE(include_usage), "yes",
	"openai: ask for token counts in streams"),
    CHOICE(SECTION_ENGINE, "reasoning", ENGINE(reasoning), "hide",
	"hide|tags|pass",
	"openai: what becomes of a model's thoughts. hide: users see none;\n"
	"tags: between <think> and </think> in front of the answer; pass:\n"
	"what the model writes into its text. Never sent back to it"),
    BOOL(SECTION_ENGINE, "thinks_first", ENGINE(thinks_first), "no",
	"openai: answers begin with thoughts and end them with </think>,\n"
	"without a <think> before them"),
    INT(SECTION_ENGINE, "bytes_per_token", ENGINE(bytes_per_token), "1", 1,
	16,
	"openai: bytes of a prompt that a token stands for, at least; what\n"
	"is reserved under a limit of tokens is reckoned with it. 1 is true\n"
	"of every model and text; 3 of most prose"),
    PATH(SECTION_ENGINE, "recordings", ENGINE(recordings), NULL,
	"replay: the file of recorded answers"),

    PATH(SECTION_KNOWLEDGE, "folder", KNOWLEDGE(folder), NULL,
	"the folder of texts"),
    TEXT(SECTION_KNOWLEDGE, "language", KNOWLEDGE(language), NULL,
	"the texts' language, for word stems: en, de, fr, ...; absent: each "
	"document's own, guessed"),
    TEXT(SECTION_KNOWLEDGE, "id", KNOWLEDGE(id), NULL,
	"dataset_id in citations; absent: made from the name"),
    TEXT(SECTION_KNOWLEDGE, "title", KNOWLEDGE(title), NULL,
	"dataset_name in citations; absent: the name"),
    WORDS(SECTION_KNOWLEDGE, "files", KNOWLEDGE(patterns), "",
	"file names to read, such as *.md; absent: every known kind"),
    INT(SECTION_KNOWLEDGE, "max_file", KNOWLEDGE(max_file_bytes), "33554432",
	1024, 1073741824, "larger files are left out, in bytes"),
    TEXT(SECTION_KNOWLEDGE, "encoding", KNOWLEDGE(encoding), NULL,
	"the charset of texts that are no UTF-8 and do not name one, such as\n"
	"windows-1251; absent: it is guessed"),
    BOOL(SECTION_KNOWLEDGE, "outside_links", KNOWLEDGE(outside_links), "no",
	"read files outside the folder that links in it lead to"),
    TEXT(SECTION_KNOWLEDGE, "embedding", KNOWLEDGE(embedding), NULL,
	"the engine that makes vectors for semantic search"),
    INT(SECTION_KNOWLEDGE, "check_seconds", KNOWLEDGE(check_seconds), "60", 0,
	86400, "how often changed files are looked for"),
    TEXT(SECTION_KNOWLEDGE, "url", KNOWLEDGE(url), NULL,
	"where visitors find this folder, such as https://my.site/texts/;\n"
	"citations are links then: this address and the document's path"),

    TEXT(SECTION_SITE, "bot", SITE(bot), NULL,
	"the slug of the bot that answers; needed"),
    WORDS(SECTION_SITE, "origins", SITE(origins), "",
	"origins of further pages that may embed it, such as\n"
	"https://www.my.site; the page's own origin always may"),
    TEXT(SECTION_SITE, "title", SITE(title), NULL,
	"the page's title; absent: the bot's name"),
    TEXT(SECTION_SITE, "color", SITE(color), NULL,
	"the colour of its head and buttons, such as #1b5e8c"),
    TEXT(SECTION_SITE, "privacy_url", SITE(privacy_url), NULL,
	"the address of your privacy notice, linked below"),
    CHOICE(SECTION_SITE, "language", SITE(language), NULL,
	"en|de|fr|es|it|pt|ru|ar|hi|zh|ja|ko",
	"the language of the page's own words; absent: the browser's"),
    INT(SECTION_SITE, "remember", SITE(remember_hours), "24", 0, 8760,
	"hours that a visitor's browser keeps his conversation after his\n"
	"last question; 0: as long as the tab is open"),
    INT(SECTION_SITE, "conversation_days", SITE(conversation_days), "30", 0,
	36500,
	"how long its conversations are kept here after their last question,\n"
	"in days; 0: for ever"),
    INT(SECTION_SITE, "visitor_requests_per_minute",
	SITE(visitor_requests_per_minute), "6", 1, 1000000,
	"questions of one visitor"),
    INT(SECTION_SITE, "address_requests_per_hour",
	SITE(address_requests_per_hour), "60", 1, 100000000,
	"questions from one network address (IPv6: from one /64); people of\n"
	"one office may share it"),
    INT(SECTION_SITE, "requests_per_day", SITE(requests_per_day), "1000", 1,
	100000000, "questions of all visitors, in a UTC day"),
    INT(SECTION_SITE, "tokens_per_day", SITE(tokens_per_day), "500000", 1,
	1000000000000,
	"tokens of all visitors' questions and answers, in a UTC day, never\n"
	"exceeded"),
    INT(SECTION_SITE, "question_length", SITE(question_length), "1000", 1,
	100000, "longest question, in characters"),
    INT(SECTION_SITE, "visitor_streams", SITE(visitor_streams), "1", 1, 1000,
	"answers to one visitor running at once"),
    INT(SECTION_SITE, "streams", SITE(streams), "8", 1, 1000000,
	"answers to all visitors running at once; each costs a CGI\n"
	"deployment one process"),
};

const size_t settings_count = sizeof(settings) / sizeof(settings[0]);
