"""The messages API across processes: a session over the CGI program, over
parlance.fcgi and through lighttpd; stop requests that reach another process;
many turns at once; a killed process in the middle of a turn; a client that
leaves; the cap of a bot; what an upstream is told of a conversation."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, FastCGI, Tally, parse_cgi, wait_until  # noqa: E402
from fake_upstream import FakeUpstream  # noqa: E402

RECORDINGS = {"recordings": [
    {"question": "slow", "answer": ["one ", "two ", "three ", "four"],
     "pace_ms": 60000},
    {"question": "steady", "answer": ["w "] * 400, "pace_ms": 50},
    {"question": "late", "answer": ["at last"], "delay_ms": 11500},
    {"question": "long", "answer": ["begun", " ended"], "pace_ms": 90000},
    {"question": "short", "answer": ["a", "b", "c"], "pace_ms": 150},
    {"answer": ["Yes."]}]}

CONF = """[server]
demo = yes
state = state
durable = no
[engine recorded]
kind = replay
recordings = recordings.json
[engine model]
kind = openai
url = %s
[bot sky]
engine = recorded
suggested_questions = How far is the Moon?
suggested_questions_after_answer = yes
image_upload = yes
[bot capped]
engine = recorded
concurrent = 2
[engine seeing]
kind = openai
url = %s
vision = yes
[bot seer]
engine = seeing
model = tokens=1
image_upload = yes
[engine title]
kind = openai
url = %s
model = tokens=3 pace_ms=1
[engine slow-title]
kind = openai
url = %s
model = tokens=3 first_ms=20000
[engine no-title]
kind = openai
url = %s
model = status=500
retries = 0
[bot titled]
engine = model
model = tokens=4 pace_ms=600
title_engine = title
[bot slowly-titled]
engine = recorded
title_engine = slow-title
[bot not-titled]
engine = recorded
title_engine = no-title
[bot talker]
engine = model
model = tokens=4 pace_ms=10
image_upload = yes
"""


class Stream:
    """A streaming POST /chat-messages that is read while it runs."""

    def __init__(self, d, via, query, key="demo-key", **more):
        body = json.dumps(dict({"query": query, "inputs": {}, "user": "u",
                                "response_mode": "streaming"}, **more))
        body, headers = d.encode(body, {})
        params = d.params("POST", "/v1/chat-messages", body, headers, key)
        self.out, self.process, self.client = b"", None, None
        self.done = threading.Event()
        if via == "cgi":
            self.process = subprocess.Popen(
                [os.path.join(d.build, "parlance.cgi")],
                env=dict(d.env, **params), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.process.stdin.write(body)
            self.process.stdin.close()
        else:
            self.client = FastCGI(d.address, timeout=60)
            self.client.send(dict(params, FCGI_ROLE="RESPONDER"), body)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            if self.process:
                while True:
                    data = os.read(self.process.stdout.fileno(), 65536)
                    if not data:
                        break
                    self.out += data
                self.process.wait()
            else:
                for kind, data in self.client.records():
                    if kind == 6:
                        self.out += data
        except (OSError, EOFError, ValueError):
            pass
        self.done.set()

    def reply(self):
        return parse_cgi(self.out)

    def wait_for(self, what):
        wait_until(lambda: what in self.out or self.done.is_set())
        return what in self.out

    def first(self):
        """The first event."""
        self.wait_for(b"\n\n")
        return self.reply().events()[0]

    def close(self):
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.thread.join(60)
            self.process.wait()
            self.process.stdout.close()
        else:
            self.client.close()


def chat(ask, query="q", **more):
    key = more.pop("key", "demo-key")
    return ask("POST", "/v1/chat-messages",
               dict({"query": query, "inputs": {}, "user": "u"}, **more),
               key=key)


def messages(ask, conversation, key="demo-key", limit=100):
    r = ask("GET", "/v1/messages?user=u&limit=%d&conversation_id=%s"
            % (limit, conversation), key=key)
    return r.json["data"]


def session(t, via, ask):
    """Every call once, as a client makes them."""
    user = "session-" + via
    r = ask("POST", "/v1/chat-messages",
            {"query": "first", "inputs": {}, "user": user})
    t.equal(via + " blocking", (r.status, r.type), (200, "application/json"))
    conversation, message = r.json["conversation_id"], r.json["message_id"]
    r = ask("POST", "/chat-messages",
            {"query": "second", "inputs": {}, "user": user, "files": None,
             "response_mode": "streaming", "conversation_id": conversation})
    t.equal(via + " stream type", r.headers["content-type"],
            "text/event-stream; charset=utf-8")
    events = r.events()
    t.equal(via + " events", [e["event"] for e in events],
            ["message", "message_end"])
    t.equal(via + " same conversation",
            {e["conversation_id"] for e in events}, {conversation})
    r = ask("GET", "/v1/messages?user=%s&conversation_id=%s"
            % (user, conversation))
    t.equal(via + " queries", [m["query"] for m in r.json["data"]],
            ["first", "second"])
    t.equal(via + " answers", [m["answer"] for m in r.json["data"]],
            ["Yes.", "Yes."])
    r = ask("POST", "/v1/messages/%s/feedbacks" % message,
            {"rating": "like", "user": user, "content": "good"})
    t.equal(via + " feedback", r.json, {"result": "success"})
    r = ask("GET", "/v1/messages/%s/suggested?user=%s" % (message, user))
    t.equal(via + " suggested", r.json["data"], ["How far is the Moon?"])
    r = ask("GET", "/v1/conversations?user=%s" % user)
    t.equal(via + " title", [c["name"] for c in r.json["data"]], ["first"])
    r = ask("POST", "/v1/conversations/%s/name" % conversation,
            {"name": "Mine", "user": user})
    t.equal(via + " rename", (r.status, r.json["name"]), (200, "Mine"))
    for path, member in (("parameters", "opening_statement"),
                         ("info", "name"), ("meta", "tool_icons"),
                         ("site", "title"), ("app/feedbacks", "data")):
        r = ask("GET", "/v1/" + path)
        t.check(via + " " + path, r.status == 200 and member in r.json, r)
    r = ask("DELETE", "/v1/conversations/%s" % conversation, {"user": user})
    t.equal(via + " delete", (r.status, r.body), (204, b""))
    r = ask("GET", "/v1/messages?user=%s&conversation_id=%s"
            % (user, conversation))
    t.equal(via + " gone", (r.status, r.json["code"]), (404, "not_found"))
    r = ask("GET", "/v1/messages/nothing/there")
    t.equal(via + " unknown path", (r.status, r.json["code"]),
            (404, "not_found"))
    t.equal(via + " another API's path", ask("GET", "/v1/x").json,
            {"detail": "Not Found"})
    r = ask("GET", "/v1/", key=None)
    t.equal(via + " welcome", r.json["welcome"], "Dify OpenAPI")
    r = ask("OPTIONS", "/v1/chat-messages", key=None)
    t.equal(via + " options",
            (r.status, r.headers["access-control-allow-origin"]), (200, "*"))
    r = ask("GET", "/v1/info", key=None)
    t.equal(via + " no key",
            (r.status, r.json["code"], r.headers["www-authenticate"]),
            (401, "unauthorized", 'Bearer realm="api"'))


def send_file(ask, name, kind, data, key="demo-key"):
    part = "----x\r\nContent-Disposition: form-data; name="
    body = (part + '"file"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
            % (name, kind)).encode() + data + (
            "\r\n" + part + '"user"\r\n\r\nu\r\n----x--\r\n').encode()
    return ask("POST", "/v1/files/upload", body,
               {"Content-Type": "multipart/form-data; boundary=--x"}, key=key)


def upload(t, via, ask):
    """A file of every byte goes in and comes out as it was."""
    data = bytes(range(256)) * 40
    r = send_file(ask, "a.png", "image/png", data)
    t.equal(via + " upload", (r.status, r.json.get("size")),
            (201, len(data)))
    file = r.json["id"]
    r = ask("POST", "/v1/chat-messages", {
        "query": "q", "inputs": {}, "user": "u", "files": [
            {"type": "image", "transfer_method": "local_file",
             "upload_file_id": file}]})
    t.equal(via + " a message with it", r.status, 200)
    r = ask("GET", "/v1/files/%s/preview" % file)
    t.equal(via + " preview", (r.status, r.type, r.body == data),
            (200, "image/png", True))


def seen(t, d, up, key):
    """An image of a message reaches a model that takes images."""
    r = send_file(d.cgi, "a.png", "image/png", b"bytes", key)
    r = chat(d.fcgi, "look", key=key, files=[
        {"type": "image", "transfer_method": "local_file",
         "upload_file_id": r.json["id"]},
        {"type": "image", "transfer_method": "remote_url",
         "url": "http://127.0.0.1/b.png"}])
    t.equal("image: answered", r.status, 200)
    parts = up.calls[-1]["body"]["messages"][-1]["content"]
    t.equal("image: what the model is sent",
            [p.get("text") or p["image_url"]["url"] for p in parts],
            ["look", "data:image/png;base64,Ynl0ZXM=",
             "http://127.0.0.1/b.png"])


def storm(t, d):
    """Processes are killed at any moment; what was told to be stored is."""
    rng = random.Random(7)
    conversation = chat(d.cgi, "start").json["conversation_id"]
    ended, started = set(), 0
    for _ in range(6):
        streams = [Stream(d, "cgi", "short", conversation_id=conversation)
                   for _ in range(4)]
        for s in streams[1:]:
            s.done.wait(rng.uniform(0.01, 0.2))
            s.process.kill()
        streams[0].done.wait(60)
        for s in streams:
            s.close()
            started += 1
            if b'"message_end"' in s.out:
                ended.add(s.reply().events()[-1]["message_id"])
    db = database(d)
    t.equal("storm: the database is sound",
            db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
    db.close()
    rows = messages(d.cgi, conversation)[1:]
    t.check("storm: some ended, some did not",
            6 <= len(ended) < started, (len(ended), started))
    t.check("storm: none twice, none that was not asked",
            len({m["id"] for m in rows}) == len(rows) <= started, len(rows))
    whole = {m["id"] for m in rows if m["answer"] == "abc"}
    t.check("storm: none lost whose end was told", ended <= whole,
            ended - whole)
    t.equal("storm: the rest are errors", [m for m in rows if (
        m["id"] in whole) != (m["status"] == "normal")], [])


def stop(t, d, runner, stopper):
    """A stream that one process runs is stopped by another."""
    name = "stop %s by %s" % (runner, stopper.__name__)
    # The machine may be busy with something else: the best of three.
    for _ in range(3):
        s = Stream(d, runner, "slow")
        first = s.first()
        path = "/v1/chat-messages/%s/stop" % first["task_id"]
        r = stopper("POST", path, {"user": "someone else"})
        t.equal(name + ", another user", r.json, {"result": "success"})
        time.sleep(0.7)
        t.check(name + ": goes on", not s.done.is_set(), s.out)
        began = time.monotonic()
        r = stopper("POST", path, {"user": "u"})
        t.equal(name, (r.status, r.json), (200, {"result": "success"}))
        t.check(name + ": ends", s.done.wait(30), s.out)
        took = time.monotonic() - began
        s.close()
        if took < 1.5:
            break
    t.check(name + ": within 1.5 s", took < 1.5, took)
    events = s.reply().events()
    t.equal(name + ": events", [e["event"] for e in events],
            ["message", "message_end"])
    rows = messages(d.cgi, first["conversation_id"])
    t.equal(name + ": stored", [(m["answer"], m["status"]) for m in rows],
            [("one", "normal")])


def leave(t, d, runner):
    """A client that leaves: the part that was made is kept."""
    s = Stream(d, runner, "steady")
    conversation = s.first()["conversation_id"]
    if s.process:
        s.process.send_signal(signal.SIGTERM)
    else:
        s.client.socket.shutdown(2)

    def answered():
        rows = messages(d.cgi, conversation)
        return rows if rows[0]["answer"] else []
    rows = wait_until(answered, 15)
    s.close()
    t.check(runner + " leaving keeps the part",
            rows and rows[0]["answer"].startswith("w")
            and len(rows[0]["answer"]) < 700
            and rows[0]["status"] == "normal", rows)


def together(t, d):
    """Turns of several processes at once, in one conversation."""
    conversation = chat(d.cgi, "start").json["conversation_id"]
    replies, lock = [], threading.Lock()

    def turn(ask, n):
        r = chat(ask, "short" if n % 3 == 0 else "q %d" % n,
                 conversation_id=conversation)
        with lock:
            replies.append(r)

    threads = [threading.Thread(target=turn,
                                args=((d.cgi, d.fcgi)[n % 2], n))
               for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.equal("together: all answered", [r.status for r in replies],
            [200] * 24)
    rows = messages(d.cgi, conversation)
    t.equal("together: none lost, none twice",
            sorted(m["id"] for m in rows[1:]),
            sorted(r.json["message_id"] for r in replies))
    t.equal("together: all finished",
            {(m["status"], bool(m["answer"])) for m in rows},
            {("normal", True)})
    paged, first = [], ""
    while True:
        page = d.cgi("GET", "/v1/messages?user=u&limit=7&conversation_id="
                     "%s&first_id=%s" % (conversation, first)).json
        paged = [m["id"] for m in page["data"]] + paged
        if not page["has_more"]:
            break
        first = page["data"][0]["id"]
    t.equal("together: pages give the same", paged, [m["id"] for m in rows])


def database(d):
    return sqlite3.connect(os.path.join(d.state, "parlance.db"), timeout=20)


def killed(t, d):
    """kill -9 in the middle of a turn."""
    s = Stream(d, "cgi", "slow")
    first = s.first()
    conversation = first["conversation_id"]
    s.process.kill()
    s.close()
    rows = messages(d.cgi, conversation)
    t.check("killed: seen as an error at once",
            rows[0]["status"] == "error" and rows[0]["error"]
            and rows[0]["answer"] == "", rows)
    # As if it had run on another host, where nobody can look.
    db = database(d)
    db.execute("UPDATE messages SET owner = 'elsewhere' WHERE id = ?",
               (first["message_id"],))
    db.commit()
    rows = messages(d.cgi, conversation)
    t.equal("killed: elsewhere it may still run",
            [(m["status"], m["answer"]) for m in rows], [("normal", "")])
    # That it did not move for a minute is seen by the next who looks.
    t.equal("killed: it is noted when it was seen first", db.execute(
        "UPDATE sightings SET since_ms = since_ms - 60000 WHERE name = "
        "'elsewhere'").rowcount, 1)
    db.commit()
    db.close()
    messages(d.cgi, conversation)
    rows = messages(d.cgi, conversation)
    t.check("killed: then it is an error",
            rows[0]["status"] == "error" and rows[0]["error"], rows)
    r = chat(d.cgi, "q", conversation_id=conversation)
    t.equal("killed: the conversation goes on", r.status, 200)
    t.equal("killed: nothing lost or doubled",
            [m["status"] for m in messages(d.cgi, conversation)],
            ["error", "normal"])


def capped(t, d, key):
    """At most two answers at once, whoever runs them."""
    streams = [Stream(d, ("cgi", "fcgi")[n % 2], "slow", key=key)
               for n in range(6)]
    for s in streams:
        s.wait_for(b"\n\n")
    replies = [s.reply() for s in streams]
    t.equal("cap: two run", sorted(r.status for r in replies),
            [200, 200, 429, 429, 429, 429])
    for r in replies:
        if r.status == 429:
            t.equal("cap: refusal",
                    (r.json["code"], r.headers["retry-after"], r.type),
                    ("too_many_requests", "1", "application/json"))
    for s, r in zip(streams, replies):
        if r.status == 200:
            d.cgi("POST", "/chat-messages/%s/stop"
                  % r.events()[0]["task_id"], {"user": "u"}, key=key)
            s.done.wait(60)
    t.equal("cap: free again", chat(d.cgi, key=key).status, 200)
    for s in streams:
        s.close()
    streams = [Stream(d, "cgi", "slow", key=key) for n in range(2)]
    for s in streams:
        s.first()
    t.equal("cap: full", chat(d.cgi, key=key).status, 429)
    for s in streams:
        s.process.kill()
        s.close()
    t.equal("cap: the killed do not count", chat(d.fcgi, key=key).status,
            200)


def upstream(t, d, up, key):
    """What a model is told: the conversation, without what failed."""
    r = chat(d.fcgi, "first", key=key)
    conversation = r.json["conversation_id"]
    t.equal("upstream: answer", r.json["answer"], "w0 w1 w2 w3 ")
    db = database(d)
    db.execute("INSERT INTO messages (id, conversation, end_user, bot, "
               "state, alive_until_us, created_us, inputs, query, answer, "
               "resources, n_files, prompt_tokens, answer_tokens, latency_s)"
               " SELECT 'x', conversation, end_user, bot, 0, 1, created_us, "
               "'{}', 'killed', '', '[]', 0, 0, 0, 0.0 FROM messages "
               "WHERE id = ?", (r.json["message_id"],))
    db.commit()
    db.close()
    chat(d.fcgi, "second", key=key, conversation_id=conversation)
    sent = [(m["role"], m["content"]) for m in
            up.calls[-1]["body"]["messages"] if m["role"] != "system"]
    t.equal("upstream: history", sent,
            [("user", "first"), ("assistant", "w0 w1 w2 w3"),
             ("user", "second")])


def titles(t, d, keys):
    """A model names the conversation beside the reply, never after it."""
    def talk(name, auto=True):
        r = chat(d.fcgi, "What is it?", key=keys[name],
                 auto_generate_name=auto)
        page = d.cgi("GET", "/v1/conversations?user=u", key=keys[name]).json
        return r, page["data"][0]

    r, c = talk("titled")
    t.equal("title: by the model", c["name"], "w0 w1 w2")
    path = "/v1/conversations/%s/name" % c["id"]
    r = d.fcgi("POST", path, {"user": "u", "name": "Mine"},
               key=keys["titled"])
    r = d.fcgi("POST", path, {"user": "u", "auto_generate": True},
               key=keys["titled"])
    t.equal("title: on demand", (r.status, r.json["name"]),
            (200, "w0 w1 w2"))
    r, c = talk("titled", False)
    t.equal("title: not wanted", c["name"], "New conversation")
    began = time.monotonic()
    r, c = talk("slowly-titled")
    took = time.monotonic() - began
    t.check("title: a slow one does not hold the reply",
            r.json["answer"] == "Yes." and took < 10, (took, r))
    t.equal("title: then it is the question", c["name"], "What is it?")
    r, c = talk("not-titled")
    t.equal("title: a failing model", (r.status, c["name"]),
            (200, "What is it?"))
    r = d.fcgi("POST", "/v1/conversations/%s/name" % c["id"],
               {"user": "u", "auto_generate": True}, key=keys["not-titled"])
    t.equal("title: a failing model on demand keeps the name",
            (r.status, r.json["name"]), (200, "What is it?"))


def named_meanwhile(t, d, key):
    """A name given while the reply still runs is kept."""
    s = Stream(d, "fcgi", "q", key=key)
    conversation = s.first()["conversation_id"]
    r = d.cgi("POST", "/v1/conversations/%s/name" % conversation,
              {"user": "u", "name": "By hand"}, key=key)
    t.check("title: named before the end",
            r.status == 200 and not s.done.is_set(), r)
    s.done.wait(60)
    page = d.cgi("GET", "/v1/conversations?user=u", key=key).json["data"]
    t.equal("title: the hand wins", [c["name"] for c in page
            if c["id"] == conversation], ["By hand"])
    s.close()


def beats(d, process):
    """The heartbeats of the process with this number."""
    db = database(d)
    n = db.execute("SELECT coalesce(sum(heartbeats), 0) FROM processes "
                   "WHERE name LIKE ?", ("%% %d %%" % process,)).fetchone()[0]
    db.close()
    return n


def heartbeats(t, d, long, began, first_beats):
    """A process says every 20 s that it lives, and pings each 10 s."""
    first = long.first()
    wait_until(lambda: beats(d, d.processes[-1].pid) > first_beats)
    t.check("heartbeat: one for all of its answers",
            beats(d, d.processes[-1].pid) <= 1 + (time.monotonic() - began) /
            19, beats(d, d.processes[-1].pid))
    time.sleep(max(0, began + 21.5 - time.monotonic()))
    d.cgi("POST", "/v1/chat-messages/%s/stop" % first["task_id"],
          {"user": "u"})
    long.done.wait(60)
    took = time.monotonic() - began
    pings = long.reply().text.count("event: ping\n\n")
    t.check("a ping each ten seconds", pings >= 2 and
            0 < took - 10 * pings < 12, (pings, took))
    t.equal("heartbeat: stopped", [e["event"] for e in long.reply().events()],
            ["message", "message_end"])
    long.close()


def pings(t, late):
    """A ping after ten silent seconds, with no data line."""
    late.done.wait(60)
    text = late.reply().text
    t.check("ping", text.startswith("event: ping\n\ndata: {"), text[:200])
    t.equal("one ping", text.count("event: ping\n\n"), 1)
    t.equal("ping: the answer comes", late.reply().events()[0]["answer"],
            "at last")
    late.close()


def limited(t, build):
    """The run-time cap acts like a stop."""
    with Deployment(build, "[server]\ndemo = yes\nturn_limit = 1\n"
                    "[engine recorded]\nkind = replay\nrecordings = "
                    "recordings.json\n[bot sky]\nengine = recorded\n") as d:
        d.write("recordings.json", json.dumps(RECORDINGS))
        began = time.monotonic()
        r = chat(d.cgi, "slow", response_mode="streaming")
        took = time.monotonic() - began
        t.check("limit: after a second", 0.9 < took < 15, took)
        t.equal("limit: the events", [e["event"] for e in r.events()],
                ["message", "message_end"])
        r = chat(d.cgi, "slow")
        t.equal("limit: blocking", (r.status, r.json["answer"]),
                (200, "one "))


def main():
    t = Tally()
    up = FakeUpstream()
    d = Deployment(sys.argv[1], CONF % ((up.url,) * 5))
    d.write("recordings.json", json.dumps(RECORDINGS))
    keys = {}
    for bot in ("capped", "talker", "titled", "slowly-titled", "not-titled",
                "seer"):
        keys[bot], section = d.new_key(bot, "bot = " + bot)
        with open(d.conf, "a") as f:
            f.write(section)
    try:
        d.start_fcgi(workers=16)
        late = Stream(d, "fcgi", "late")
        began, long = time.monotonic(), Stream(d, "fcgi", "long")
        long.first()
        until = beats(d, d.processes[-1].pid)
        d.start_lighttpd()
        for via, ask in (("cgi", d.cgi), ("fcgi", d.fcgi),
                         ("http", d.http)):
            session(t, via, ask)
            upload(t, via, ask)
        stop(t, d, "fcgi", d.cgi)
        stop(t, d, "cgi", d.fcgi)
        leave(t, d, "fcgi")
        leave(t, d, "cgi")
        together(t, d)
        killed(t, d)
        capped(t, d, keys["capped"])
        upstream(t, d, up, keys["talker"])
        seen(t, d, up, keys["seer"])
        storm(t, d)
        titles(t, d, keys)
        named_meanwhile(t, d, keys["titled"])
        limited(t, sys.argv[1])
        pings(t, late)
        heartbeats(t, d, long, began, until)
    finally:
        d.close()
        up.close()
    t.end()


if __name__ == "__main__":
    main()
