"""What an answer tells of is on the disk before the answer is sent, and what
could not be brought there is not told: a disk that is slow, or fails, put
between the programs and the kernel.

usage: durable_test.py BUILD
"""
import collections
import concurrent.futures
import os
import random
import re
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
ROUTES = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", *p)
          for p in (("messagesapi", "messagesapi_routes.c"),
                    ("botapi", "botapi_routes.c"))]
# What does not change anything, though its method may.
NO_CHANGE = {
    "POST /completion-messages", "POST /completion-messages/{}/stop",
    "POST /workflows/run", "POST /audio-to-text", "POST /text-to-audio",
    "PUT /conversations/{uuid}/variables/{uuid}",
    "PATCH /conversations/{uuid}/variables/{uuid}",
    "POST /datasets/{uuid}/retrieve", "POST /datasets/{uuid}/hit-testing",
    "POST /user/usage-statistics"}
UPLOAD = ("--x\r\nContent-Disposition: form-data; name=\"file\"; "
          "filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nwords\r\n"
          "--x\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
          "--x--\r\n")
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
DATASET_KEY = "demo-dataset-key"
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


def routes_that_write():
    """The rows of the route tables, without those of the same handler."""
    found = set()
    for path in ROUTES:
        with open(path) as f:
            text = re.sub(r"\s+", " ", f.read())
        found |= {"%s %s" % (method, re.sub("^/v1", "", pattern))
                  for method, pattern in re.findall(
                      r'[({]"(POST|PUT|PATCH|DELETE)", "([^"]*)"', text)}
    return found


class Rows:
    """What the requests are about: made with the disk's own speed."""

    def __init__(self, d):
        self.d = d
        self.chat = self.make("POST", "/chat-messages", message()[2])
        self.annotation = self.make("POST", "/apps/annotations", {
            "question": "q?", "answer": "a"})["id"]
        self.dataset = self.make("POST", "/datasets", {"name": "one"},
                                 key=DATASET_KEY)["id"]
        self.spare = self.make("POST", "/datasets", {"name": "spare"},
                               key=DATASET_KEY)["id"]
        self.document = self.make(
            "POST", "/datasets/%s/document/create-by-text" % self.dataset,
            {"name": "n", "text": "t", "indexing_technique": "economy"},
            key=DATASET_KEY)["document"]["id"]
        self.running = self.d.cgi(*message(True)).events()[0]["task_id"]
        # As if it still ran.
        db = sqlite3.connect(os.path.join(d.state, "parlance.db"))
        bot, app = db.execute("SELECT m.bot, u.app FROM messages m JOIN "
                              "end_users u ON u.seq = m.end_user").fetchone()
        db.execute("INSERT INTO tasks (id, bot_uid, end_user, started_us) "
                   "VALUES (?, ?, 'u', ?)", (self.running, app,
                                             time.time() * 1e6))
        db.commit()
        db.close()

    def make(self, *request, **more):
        reply = self.d.cgi(request[0], "/v1" + request[1], *request[2:],
                           **more)
        if reply.status not in (200, 201):
            raise RuntimeError("%r: %r" % (request, reply))
        return reply.json

    def requests(self):
        """For each route the path, the body and more."""
        chat, user = self.chat, {"user": "u"}
        dataset = "/datasets/" + self.dataset
        text = {"name": "n", "text": "t", "indexing_technique": "economy"}
        form = (UPLOAD % ("data", '{"indexing_technique":"economy"}'), FORM)
        key = {"key": DATASET_KEY}
        return {
            "POST /chat": ("/chat", chat_body(), {}),
            "POST /chat-messages": ("/chat-messages", message()[2], {}),
            "POST /chat-messages/{}/stop": (
                "/chat-messages/%s/stop" % self.running, user, {}),
            "POST /messages/{uuid}/feedbacks": (
                "/messages/%s/feedbacks" % chat["message_id"],
                dict(user, rating="like"), {}),
            "POST /conversations/{uuid}/name": (
                "/conversations/%s/name" % chat["conversation_id"],
                dict(user, name="Named"), {}),
            "POST /files/upload": ("/files/upload", UPLOAD % ("user", "u"),
                                   {"headers": FORM}),
            "POST /apps/annotations": (
                "/apps/annotations", {"question": "r?", "answer": "b"}, {}),
            "PUT /apps/annotations/{uuid}": (
                "/apps/annotations/" + self.annotation,
                {"question": "s?", "answer": "c"}, {}),
            "POST /apps/annotation-reply/{}": (
                "/apps/annotation-reply/disable", {
                    "score_threshold": 0.9, "embedding_provider_name": "p",
                    "embedding_model_name": "m"}, {}),
            "DELETE /apps/annotations/{uuid}": (
                "/apps/annotations/" + self.annotation, None, {}),
            "POST /datasets": ("/datasets", {"name": "two"}, key),
            "DELETE /datasets/{uuid}": ("/datasets/" + self.spare, None, key),
            **{"POST /datasets/{uuid}/document/create%sby%stext" % (c, c): (
                dataset + "/document/create%sby%stext" % (c, c), text, key)
               for c in "-_"},
            **{"POST /datasets/{uuid}/document/create%sby%sfile" % (c, c): (
                dataset + "/document/create%sby%sfile" % (c, c), form[0],
                dict(key, headers=form[1])) for c in "-_"},
            "DELETE /datasets/{uuid}/documents/{uuid}": (
                dataset + "/documents/" + self.document, None, key),
            "DELETE /conversations/{uuid}": (
                "/conversations/" + chat["conversation_id"], user, {}),
        }


def chat_body():
    return chat()[2]


def routes(way):
    """No route that writes answers before its change is on the disk."""
    d, disk = prepared(0.1)
    with d:
        rows = Rows(d)
        requests = rows.requests()
        tally.equal("every route that writes is looked at",
                    set(requests) | NO_CHANGE, routes_that_write())
        if way == "fcgi":
            d.env.update(disk)
            d.start_fcgi(workers=1)
            del d.env["LD_PRELOAD"]
            warm(d)
            extra = {}
        else:
            extra = {"env": disk, "program": "parlance-shared.cgi"}
        for route, (path, body, more) in requests.items():
            method = route.split()[0]
            before, started = calls(d), time.monotonic()
            reply = getattr(d, way)(method, "/v1" + path, body, **more,
                                    **extra)
            seconds = time.monotonic() - started
            with open(disk["CALLS"]) as f:
                seen = f.read()[before:]
            tally.check("%s, %s: answered when it was on the disk" % (
                way, route), reply.status in (200, 201, 204) and
                "l" in seen and seconds >= 0.09, (reply, seen, seconds))
        # What the disk does not keep is not told.
        open(d.folder + "/fail", "w").close()
        for route, (path, body, more) in Rows.requests(rows).items():
            method = route.split()[0]
            if method == "POST" and "/stop" not in route:
                reply = getattr(d, way)(method, "/v1" + path, body, **more,
                                        **extra)
                tally.check("%s, %s: no success without the disk" % (
                    way, route), reply.status >= 400, reply)
        os.unlink(d.folder + "/fail")


def unsynced():
    """An upload that the disk did not keep has its bytes as long as it has
    its row, and a chat that was answered 500 is none that went well."""
    for way in ("fcgi", "cgi"):
        d, disk = prepared(0.01)
        with d:
            d.cgi(*message())
            extra = {"env": disk, "program": "parlance-shared.cgi"}
            if way == "fcgi":
                d.env.update(disk)
                d.start_fcgi(workers=1)
                del d.env["LD_PRELOAD"]
                d.fcgi(*message())
                extra = {}
            ask = getattr(d, way)
            open(d.folder + "/fail", "w").close()
            statuses = [ask("POST", "/v1/files/upload",
                            UPLOAD % ("user", "u"), FORM, **extra).status
                        for _ in range(3)]
            statuses += [ask(*message(), **extra).status for _ in range(3)]
            tally.check(way + ": refused while the disk fails",
                        set(statuses) <= {500, 503}, statuses)
            os.unlink(d.folder + "/fail")
            tally.equal(way + ": and the next is answered",
                        ask(*message(), **extra).status, 200)
            if way == "fcgi":
                d.processes[-1].send_signal(signal.SIGTERM)
                d.processes[-1].wait(timeout=60)
            db = sqlite3.connect(os.path.join(d.state, "parlance.db"))
            ids = [row[0] for row in db.execute("SELECT id FROM files")]
            tally.check(way + ": no upload without its bytes", all(
                os.path.exists(os.path.join(d.state, "files", i))
                for i in ids), ids)
            normal = db.execute("SELECT count(*) FROM messages WHERE "
                                "state <> 2").fetchone()[0]
            tally.equal(way + ": what was told went well, nothing else",
                        normal, 3 if way == "fcgi" else 2)
            db.close()


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


for test in (slow, lazy, failing, cgi, unsynced, mixed):
    test()
for program in ("fcgi", "cgi"):
    routes(program)
tally.end()
