/*
 * Files that a request refers to, remote ones and uploaded ones: looked up,
 * checked against what the bot takes (contracts/chat-messages.md 2, rows 16
 * to 22), and made ready for the engine and for the message's rows.
 */
#ifndef PARLANCE_CHAT_FILES_H
#define PARLANCE_CHAT_FILES_H

#include "engine/engine.h"
#include "http/exchange.h"
#include "json/pyjson.h"
#include "store/files.h"

#define CHAT_FILES_MAX 128

struct chat_files {
	struct chat_file *engine;      /* for the turn */
	struct message_file_row *rows; /* for the store; ids are made */
	size_t n;
	size_t images;
};

/* What a file is by its name or MIME type: "image", "document", "audio",
 * "video" or "custom". */
const char *chat_file_class(struct span name, const char *mime_type);
/* The largest file of a class, in bytes. */
int64_t chat_file_class_limit(const char *class);

/* A member: the address of an uploaded file's preview, below wherever this
 * deployment is mounted. */
void chat_file_address(struct buf *out, const char *name,
    const struct exchange *x, const char *file_id);

/* Does the bot take any files at all? */
bool chat_files_wanted(const struct bot_config *bot);

/*
 * Adds one file as the request describes it (an object).  end_user is the
 * seq of the one who asks, 0 when it has no row yet.  any_type: the bot asks
 * for it in its form, so it takes it whatever its upload switches say.
 *
 * ERR_NONE    added
 * ERR_INPUT   *why is what is wrong with it, for the client
 * other       our own failure
 */
enum err chat_files_add(struct exchange *x, struct db *db, int64_t end_user,
    const struct pyjson *file, bool any_type, struct chat_files *files,
    const char **why) __attribute__((warn_unused_result));

/* All files of an array, then their number.  Outcomes as chat_files_add. */
enum err chat_files_read(struct exchange *x, struct db *db, int64_t end_user,
    const struct pyjson *array, struct chat_files *files, const char **why)
    __attribute__((warn_unused_result));

#endif
