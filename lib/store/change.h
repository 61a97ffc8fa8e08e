/* A change of rows, and work for the store's own thread: the two types that
 * store.h and what it is made of share. */
#ifndef PARLANCE_CHANGE_H
#define PARLANCE_CHANGE_H

#include "base/err.h"

struct db;

/* Runs inside a transaction, perhaps on another thread, and perhaps more than
 * once: it must not lease or write by itself, nor end the transaction.  A
 * result other than ERR_NONE takes back what it changed. */
typedef enum err (*store_change)(struct db *db, void *arg);

/* See store_when_durable(). */
struct store_job {
	struct store_job *next;
	store_change change; /* NULL: none, what was committed is waited for */
	void *arg;
	enum err err;
	void (*done)(struct store_job *j, enum err err);
};

#endif
