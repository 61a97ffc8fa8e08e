/*
 * Uploaded files, and the files that messages were sent with.  These are the
 * rows; the bytes of a file are in state/files/ID, written before its row.
 */
#ifndef PARLANCE_FILES_H
#define PARLANCE_FILES_H

#include <stddef.h>

#include "store/db.h"

struct file_row {
	int64_t seq;
	const char *id;
	const char *end_user_id;
	struct span name;
	const char *extension; /* without a dot, "" when none */
	const char *mime_type;
	int64_t size, created_us;
};

/* A file of a message. */
struct message_file_row {
	const char *id;
	const char *type;            /* "image", "document", ... */
	const char *transfer_method; /* "remote_url", "local_file" */
	const char *url;             /* NULL unless remote */
	int64_t file;                /* files.seq, 0 unless local */
	/* Of the file, when local; else NULL and 0. */
	const char *file_id, *mime_type;
	struct span name;
	int64_t size;
};

/* Adds the row with everything but seq, which it fills in. */
enum err files_add(struct db *db, const char *app, int64_t end_user,
    struct file_row *row) __attribute__((warn_unused_result));
/* A file that this end user uploaded; ERR_NOT_FOUND. */
enum err files_find(struct db *db, int64_t end_user, struct span id,
    struct arena *arena, struct file_row *row)
    __attribute__((warn_unused_result));
/* Any file of any app.  *same_app: it is this app's; *referenced: a message
 * was sent with it, of a conversation that was not deleted. */
enum err files_lookup(struct db *db, const char *app, struct span id,
    struct arena *arena, struct file_row *row, bool *same_app,
    bool *referenced) __attribute__((warn_unused_result));

struct unneeded_file {
	int64_t seq, size;
	const char *id;
};

/* Of the next `look` files after *reached (a seq), those older than before_us
 * that are not referenced; in the arena.  *reached becomes the last one
 * looked at, 0 behind the last of all. */
enum err files_unneeded(struct db *db, int64_t before_us, int64_t *reached,
    size_t look, struct arena *arena, struct unneeded_file **files,
    size_t *n) __attribute__((warn_unused_result));
/* Takes away the row, and it from messages of deleted conversations.
 * ERR_NOT_FOUND: another message needs it. */
enum err files_remove(struct db *db, int64_t seq)
    __attribute__((warn_unused_result));
enum err files_exist(struct db *db, struct span id, bool *exist)
    __attribute__((warn_unused_result));

/* The files of a message, in the order they were added; at most `most`, in
 * the arena. */
enum err message_files_add(struct db *db, int64_t message,
    const struct message_file_row *row) __attribute__((warn_unused_result));
enum err message_files_list(struct db *db, int64_t message, size_t max,
    struct arena *arena, struct message_file_row **rows, size_t *n)
    __attribute__((warn_unused_result));

#endif
