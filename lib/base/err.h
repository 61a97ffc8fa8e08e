/*
 * The outcomes of functions that can fail.
 *
 * A client's mistake is an answer, not an error: the handler writes it and
 * returns ERR_NONE.  An enum err other than ERR_NONE is our own failure, or
 * a fact about the world (disk full, client gone) that the caller handles.
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
	X(CANCELLED, "was cancelled")

enum err {
#define X(name, text) ERR_##name,
	ERR_LIST(X)
#undef X
};

/* A static English text for an outcome, such as "out of memory". */
const char *err_text(enum err err);

#endif
