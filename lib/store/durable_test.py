"""What an answer tells of is on the disk before the answer is sent, and what
could not be brought there is not told: a disk that is slow, or fails, put
between the programs and the kernel.

usage: durable_test.py BUILD
"""
import collections
import concurrent.futures
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, FastCGI, Tally, KEY, wait_until  # noqa: E402

# fdatasync takes a while, or fails while the file FAIL is there; each call is
# a byte of the file CALLS: of the log, a folder, the database.
DISK = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int
fdatasync(int fd)
{
	int calls = open(getenv("CALLS"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	char link[64], path[4096];
	ssize_t n;
	struct stat st;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 4 || fstat(fd, &st) != 0)
		abort();
	if (write(calls, S_ISDIR(st.st_mode) ? "f"
		: memcmp(path + n - 4, "-wal", 4) == 0 ? "l" : "d", 1) != 1)
		abort();
	(void)close(calls);
	(void)usleep(SLOW_US);
	if (access(getenv("FAIL"), F_OK) == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}
"""
SLOW_S = 0.25
CONF = """[server]
demo = yes
[engine canned]
kind = replay
recordings = canned.json
[bot demo]
engine = canned
"""
CANNED = '{"recordings": [{"answer": ["One", " two."]}]}'
CROWD = 12
tally = Tally()


def chat(stream=False):
    return "POST", "/v1/chat", {"bot_slug": "demo", "stream": stream,
                                "prompt": "a b", "user_id": "1"}


def message(stream=False):
    return "POST", "/v1/chat-messages", {
        "inputs": {}, "query": "a b", "user": "u",
        "response_mode": "streaming" if stream else "blocking"}


def prepared(slow_s=SLOW_S):
    d = Deployment(sys.argv[1], CONF)
    d.write("canned.json", CANNED)
    source = d.write("disk.c", DISK)
    library = os.path.join(d.folder, "disk.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                    "-DSLOW_US=%d" % (slow_s * 1e6), source], check=True)
    return d, dict(LD_PRELOAD=library, CALLS=d.folder + "/calls",
                   FAIL=d.folder + "/fail")


def deployment(**env):
    d, disk = prepared()
    # The first connections make the schema, at the disk's own speed.
    d.cgi(*chat())
    d.env.update(env, **disk)
    d.start_fcgi(workers=16)
    del d.env["LD_PRELOAD"]
    return d


def calls(d):
    try:
        return os.path.getsize(d.folder + "/calls")
    except FileNotFoundError:
        return 0


def warm(d):
    """All connections of the pool have committed once, each by itself."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: d.fcgi(*message()), range(16)))


def timed(d, request):
    started = time.monotonic()
    reply = d.fcgi(*request)
    return reply, time.monotonic() - started


def slow():
    with deployment() as d:
        warm(d)
        for name, request in (("chat", chat()), ("message", message()),
                              ("streamed chat", chat(True)),
                              ("streamed message", message(True))):
            before = calls(d)
            reply, seconds = timed(d, request)
            tally.equal(name + ": answered", reply.status, 200)
            tally.check(name + ": not before it was on the disk",
                        calls(d) > before and seconds >= SLOW_S * 0.9,
                        (calls(d) - before, seconds))
        for name, request in (("chats", chat()), ("messages", message())):
            # On a busy machine they do not come at once: the best of three.
            for _ in range(3):
                before = calls(d)
                started = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(CROWD) as pool:
                    replies = list(pool.map(lambda i: d.fcgi(*request),
                                            range(CROWD)))
                seconds = time.monotonic() - started
                waits = calls(d) - before
                if waits <= 4 or [r.status for r in replies] != [200] * CROWD:
                    break
            tally.equal("%d %s at once: all answered" % (CROWD, name),
                        [r.status for r in replies], [200] * CROWD)
            tally.check("%d %s at once: share their waits" % (CROWD, name),
                        waits <= 4, (waits, seconds))
        # A stop while an answer waits for the disk: it arrives.
        body, headers = d.encode(chat()[2], {})
        client = FastCGI(d.address)
        before = calls(d)
        client.send(dict(d.params("POST", "/v1/chat", body, headers, KEY),
                         FCGI_ROLE="RESPONDER"), body)
        wait_until(lambda: calls(d) > before)
        d.processes[-1].send_signal(signal.SIGTERM)
        tally.equal("stopped while it waits: answered",
                    client.reply().status, 200)
        tally.equal("and the process ends well",
                    d.processes[-1].wait(timeout=60), 0)


def lazy():
    with deployment(PARLANCE_SERVER_DURABLE="no") as d:
        warm(d)
        before = calls(d)
        for request in (chat(), message(), chat(True), message(True)):
            tally.equal("durable = no: answered",
                        timed(d, request)[0].status, 200)
        tally.equal("durable = no: nothing waits for the disk",
                    calls(d) - before, 0)


def failing():
    with deployment() as d:
        warm(d)
        open(d.folder + "/fail", "w").close()
        reply = d.fcgi(*chat())
        tally.equal("a chat that was not kept: the API's own error",
                    (reply.status, list(reply.json)), (500, ["detail"]))
        tally.equal("with its request id",
                    len(reply.headers.get("x-request-id", "")), 32)
        reply = d.fcgi(*message())
        tally.equal("a message that was not kept: the API's own error",
                    (reply.status, reply.json["code"]),
                    (500, "internal_server_error"))
        tally.equal("a streamed chat ends as failed",
                    d.fcgi(*chat(True)).stream_ends(), ["error"])
        tally.equal("a streamed message ends as failed",
                    d.fcgi(*message(True)).stream_ends(), ["error"])
        tally.check("it is logged", "synced" in d.log("parlance.fcgi"),
                    d.log("parlance.fcgi")[-500:])
        os.unlink(d.folder + "/fail")
        for request in (chat(), message()):
            tally.equal("and the next is answered",
                        d.fcgi(*request).status, 200)


def cgi():
    """A process of one request, over the host's C library."""
    d, disk = prepared(0.05)
    log = os.path.join(d.state, "parlance.db-wal")

    def ask(request, **env):
        """The reply, the calls, and how long it took."""
        before, started = calls(d), time.monotonic()
        reply = d.cgi(*request, env=dict(disk, **env),
                      program="parlance-shared.cgi")
        seconds = time.monotonic() - started
        with open(disk["CALLS"], "a+") as f:
            f.seek(before)
            return reply, f.read(), seconds

    def state():
        with open(log, "rb") as f:
            header = f.read(32)
        return os.path.getsize(log), header == bytes(32)

    with d:
        reply, seen, _ = ask(chat())
        tally.equal("CGI, a new store: answered", reply.status, 200)
        tally.check("its log is on the disk, and the log's name",
                    "lf" in seen and seen[-1] in "lf", seen)
        sizes, emptied = [state()[0]], 0
        for n in range(100):
            if n % 7 == 3:
                # What another boot left of the log's index is not believed.
                with open(os.path.join(d.state, "parlance.db-shm"),
                          "r+b") as f:
                    f.write(os.urandom(32768) if n % 2 else bytes(32768))
            reply, seen, seconds = ask(chat())
            if reply.status != 200 or "l" not in seen or seconds < 0.05:
                tally.check("CGI, chat %d: kept" % n, False,
                            (reply.status, seen, seconds))
            # Only a log that others have made long is known by name.
            if "f" not in seen and sizes[-1] < 10 * 4096:
                tally.check("CGI, chat %d: the log's name" % n, False, seen)
            size, empty = state()
            emptied += empty
            sizes.append(size)
        tally.check("CGI: the log is emptied now and then", emptied > 1,
                    emptied)
        tally.check("and keeps its length", sizes == sorted(sizes) and
                    sizes[-1] < 1 << 20, sizes)
        # None that follows on one that emptied it, or that empties it.
        n = 101
        while state()[1] or n == 101:
            ask(chat())
            n += 1
        seen = ask(chat())[1]
        n += 1
        tally.check("CGI: a chat waits for the disk once",
                    seen == "l" or state()[1], seen)
        tally.equal("CGI: so does a message", ask(message())[1].count("l"),
                    1)
        reply, seen, _ = ask(message(), PARLANCE_SERVER_DURABLE="no")
        tally.equal("CGI, durable = no: answered without",
                    (reply.status, seen), (200, ""))
        open(d.folder + "/fail", "w").close()
        reply, seen, _ = ask(chat())
        tally.check("CGI, a chat that was not kept: the API's own error",
                    seen != "" and reply.status == 500 and
                    list(reply.json) == ["detail"], (reply, seen))
        reply, seen, _ = ask(message())
        tally.check("CGI, a message that was not kept: the same",
                    seen != "" and reply.status == 500 and
                    reply.json["code"] == "internal_server_error",
                    (reply, seen))
        os.unlink(d.folder + "/fail")
        tally.equal("and the next is answered", ask(chat())[0].status, 200)
        with sqlite3.connect(os.path.join(d.state, "parlance.db")) as db:
            tally.equal("CGI: all is there", db.execute(
                "PRAGMA integrity_check").fetchall(), [("ok",)])
            kept = db.execute("SELECT sum(response_words), count(*) FROM "
                              "usage_days").fetchone()
        db.close()
        # "One two." each; the one that failed may be there.
        tally.check("CGI: every chat is counted", kept[1] == 1 and
                    kept[0] in (2 * (n + 1), 2 * (n + 2)), (kept, n))
        tally.check("CGI: the last connection removed the log",
                    not os.path.exists(log))
        tally.check("CGI: a new log's name is on the disk",
                    "lf" in ask(chat())[1])


def mixed():
    """CGI processes and a responder that comes and goes over one store: who
    opens it alone empties the log, and the last to leave removes it."""
    told, refused = collections.Counter(), []
    end = time.monotonic() + 8

    def ask_on(way):
        while time.monotonic() < end:
            kind, request = random.choice((("chat", chat()),
                                           ("message", message())))
            try:
                reply = getattr(d, way)(*request)
            except (OSError, ValueError, TypeError):
                if way == "cgi":
                    raise
                time.sleep(0.01)  # the responder is not there
                continue
            if reply.status == 200:
                told[kind] += 1
            else:
                refused.append((way, reply))

    with prepared()[0] as d:
        d.cgi(*message())
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            crowd = [pool.submit(ask_on, way)
                     for way in ("cgi", "fcgi", "cgi") * 2]
            while time.monotonic() < end:
                d.start_fcgi(workers=8)
                time.sleep(random.uniform(0.2, 1))
                d.processes[-1].send_signal(signal.SIGTERM)
                tally.equal("mixed: the responder ends well",
                            d.processes[-1].wait(timeout=20), 0)
            for one in crowd:
                one.result()
        tally.equal("mixed: all answered", refused, [])
        with sqlite3.connect(os.path.join(d.state, "parlance.db")) as db:
            kept = [db.execute(sql).fetchone()[0] for sql in (
                "PRAGMA integrity_check",
                "SELECT sum(response_words) / 2 FROM usage_days",
                "SELECT count(*) - 1 FROM messages WHERE state = 1")]
        db.close()
        tally.equal("mixed: what was told is there, once", kept,
                    ["ok", told["chat"], told["message"]])


for test in (slow, lazy, failing, cgi, mixed):
    test()
tally.end()
