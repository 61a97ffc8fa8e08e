/*
 * Names for conversations (contracts/chat-messages.md 5, "Name"), made from
 * the first question: by the bot's title_engine, beside the answer, or, when
 * there is none or it has not finished by then, from the question's words.
 */
#ifndef PARLANCE_TITLE_H
#define PARLANCE_TITLE_H

#include "engine/engine.h"

/* Longest name that a person may give, in characters. */
#define TITLE_MAX 255

/* The question on one line; more than 50 characters become the first 47 and
 * "...".  Empty when it has none; data is NULL when out of memory. */
struct span title_from_query(struct arena *arena, struct span query);

/* What a model said, as a name: its first line with words, without quotes,
 * at most 75 characters and then "...".  Empty when there is none; data is
 * NULL when out of memory. */
struct span title_from_answer(struct arena *arena, struct span answer);

/* A title that is being made.  It waits like an engine run. */
struct title_job;

/* Tokens that it may use; 0 for NULL. */
int64_t title_job_max(const struct title_job *job);
/* Holds it to that many; before the first step. */
void title_job_allow(struct title_job *job);
/* Tokens that it has used, once it is over. */
int64_t title_job_spent(const struct title_job *job);

/* Lives in the arena.  May block; nobody is asked before its first step.
 * *job is NULL when the bot has no title_engine, or when it cannot be
 * started: there will be no title. */
void title_job_start(const struct config *config,
    const struct bot_config *bot, struct engine_worker *worker,
    struct arena *arena, struct span query, struct title_job **job);
/* Takes what has come; true when it is over.  NULL is over. */
bool title_job_step(struct title_job *job, int64_t now_ms,
    const struct interests *ready);
void title_job_interests(struct title_job *job, struct interests *in);
/* The title; empty when it is not over, or failed. */
struct span title_job_text(const struct title_job *job);
/* Breaks it off.  NULL is fine, and so is twice. */
void title_job_end(struct title_job *job);

#endif
