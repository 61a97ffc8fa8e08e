/*
 * The outcomes of functions that can fail.
 *
 * A client's mistake is an answer, not an error: whoever finds it writes the
 * answer and returns ERR_ANSWERED, which every caller passes on and the
 * router takes as success.  Any other enum err than ERR_NONE is our own
 * failure, or a fact about the world (disk full, client gone) that the caller
 * handles.
 */
#ifndef PARLANCE_ERR_H
#define PARLANCE_ERR_H

#define ERR_LIST(X)                                                            \
	X(NONE, "no error")                                                    \
	X(MEMORY, "out of memory")                                             \
	X(TOO_BIG, "larger than its limit")                                    \
	X(SYNTAX, "not well formed")                                           \
	X(INPUT, "not acceptable")                                             \
	X(NOT_FOUND, "not found")                                              \
	X(CONFIG, "the configuration is not usable")                           \
	X(IO, "reading or writing failed")                                     \
	X(CLIENT_GONE, "the client has left")                                  \
	X(STORE, "the store failed")                                           \
	X(STORE_BUSY, "the store is busy")                                     \
	X(STORE_FULL, "the disk is full")                                      \
	X(STORE_READONLY, "the store cannot be written")                       \
	X(STORE_CORRUPT, "the store is damaged")                               \
	X(STORE_UNSYNCED, "stored, but perhaps not on the disk")               \
	X(CONFLICT, "another process changed it first")                        \
	X(UPSTREAM, "the upstream failed")                                     \
	X(TIMEOUT, "took too long")                                            \
	X(CANCELLED, "was cancelled")                                          \
	X(ANSWERED, "the client has been answered")

enum err {
#define X(name, text) ERR_##name,
	ERR_LIST(X)
#undef X
};

/* A static English text for an outcome, such as "out of memory". */
const char *err_text(enum err err);

#endif
