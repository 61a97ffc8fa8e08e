/*
 * The refusals of the bot API: {"detail": ...}, a text or the list of
 * FastAPI's validation errors (contracts/chat.md 4.4, 6.5).
 */
#ifndef PARLANCE_BOTAPI_ERRORS_H
#define PARLANCE_BOTAPI_ERRORS_H

#include "engine/engine.h"
#include "http/exchange.h"
#include "json/pyjson.h"
#include "validate/field.h"

/* Sends status and {"detail":"<detail>"}; ERR_ANSWERED. */
enum err botapi_refuse(struct exchange *x, int status, const char *detail);

/* 422 for text that is no JSON; text is the whole decoded body.
 * ERR_ANSWERED. */
enum err botapi_refuse_syntax(struct exchange *x, struct span text,
    const struct pyjson_error *e);

/*
 * Reads x->json by model into result.  ERR_ANSWERED: a 422 with every error
 * was sent, however many they are, without holding them.
 */
enum err botapi_read(struct exchange *x, const struct model *model,
    void *result) __attribute__((warn_unused_result));

/* Our own failure, before anything was sent: 500, or 503 when the store will
 * be back. */
enum err botapi_failed(struct exchange *x, enum err why);

/* The status for an engine that failed before its first word. */
int botapi_fault_status(enum engine_fault fault);

#endif
