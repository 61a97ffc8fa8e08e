/* One row a process, however many turns it runs. */
#include "store/heartbeat.h"

#include "base/process.h"
#include "store/rows.h"

enum err
heartbeat_raise(struct db *db, void *arg)
{
	static const char sql[] = "INSERT INTO processes (name, heartbeats, "
	    "dead) VALUES (?, 1, 0) ON CONFLICT (name) DO UPDATE SET "
	    "heartbeats = processes.heartbeats + 1, dead = 0";
	struct db_stmt *s = db_prepare(db, sql);

	(void)arg;
	db_bind_cstring(s, 1, process_self());
	return db_run(s);
}
