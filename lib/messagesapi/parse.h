/*
 * What the handlers of the messages API read from a request: the JSON body,
 * `user`, query parameters, and the values of fields as pydantic reads them
 * (contracts/chat-messages.md 0 and 2).
 */
#ifndef PARLANCE_PARSE_H
#define PARLANCE_PARSE_H

#include "base/uuid.h"
#include "http/exchange.h"
#include "json/pyjson.h"
#include "messagesapi/reply.h"

/* The body as a JSON object.  ERR_ANSWERED: it is refused (415, 413, 400). */
enum err parse_body(struct exchange *x, const struct pyjson **object)
    __attribute__((warn_unused_result));

/* Longest `user`, in characters. */
#define PARSE_USER_MAX 255
#define PARSE_DEFAULT_USER "DEFAULT-USER"

struct api_user {
	struct span name;
	bool anonymous; /* none was given: the shared user */
};

/* `user` of a JSON body.  ERR_ANSWERED: it is refused. */
enum err parse_user(struct exchange *x, const struct pyjson *object,
    bool required, struct api_user *user)
    __attribute__((warn_unused_result));
/* The same from text that a query or a form had; present: it was there. */
enum err parse_user_text(struct exchange *x, bool present, struct span text,
    bool required, struct api_user *user)
    __attribute__((warn_unused_result));
enum err parse_user_query(struct exchange *x, bool required,
    struct api_user *user) __attribute__((warn_unused_result));

/* true/false, 0/1, "true", "f", "yes", "off" ...; false: it is none. */
bool parse_bool(const struct pyjson *value, bool *out);
bool parse_bool_text(struct span text, bool *out);

/* Query parameters; each adds to the faults. */
/* An integer within [min, max]; fallback when absent. */
int64_t parse_query_int(struct exchange *x, struct faults *f,
    const char *name, int64_t min, int64_t max, int64_t fallback);
/* true/false and its other spellings; fallback when absent. */
bool parse_query_bool(struct exchange *x, struct faults *f, const char *name,
    bool fallback);
/* What a listing asks for: page (from 1), limit (from 1; 20; cut to most)
 * and keyword.  ERR_ANSWERED: it is refused. */
struct parse_page {
	int64_t page, limit;
	struct span keyword; /* SPAN_NONE when absent */
};
enum err parse_page(struct exchange *x, int64_t max, struct parse_page *p)
    __attribute__((warn_unused_result));
/* A UUID in any of its forms; out is "" when absent or empty. */
void parse_query_uuid(struct exchange *x, struct faults *f, const char *name,
    char out[UUID_TEXT]);

/* Members of a body; each adds to the faults. */
/* A string; SPAN_NONE when absent or null and not required. */
struct span parse_string(const struct pyjson *object, struct faults *f,
    const char *name, bool required);
/* One of words (NULL ends them); the fallback when absent or null. */
const char *parse_choice(const struct pyjson *object, struct faults *f,
    const char *name, const char *const *words, const char *fallback);
bool parse_member_bool(const struct pyjson *object, struct faults *f,
    const char *name, bool fallback);

/* text without its NULs, in the arena; data is NULL when out of memory. */
struct span parse_without_nul(struct arena *arena, struct span text);

#endif
