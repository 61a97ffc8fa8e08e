/* Which process it is, so that another one can tell later whether it still
 * lives: the host and its boot, the namespace of process ids, the id, and
 * when it was started (ids are used again). */
#ifndef PARLANCE_PROCESS_H
#define PARLANCE_PROCESS_H

/* This process, as text without blanks at its ends; the same on every call,
 * from every thread. */
const char *process_self(void);

enum process_state {
	PROCESS_ALIVE,
	PROCESS_DEAD,
	PROCESS_UNKNOWN /* of another host or container */
};

/* Does the process live whose process_self() was `name`? */
enum process_state process_check(const char *name);

#endif
