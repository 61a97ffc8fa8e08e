"""kill -9 at random moments: parlance.fcgi and parlance.cgi die in the middle
of turns of both APIs, streamed and blocking, and each time another process
goes on.  Afterwards the database is whole, what a client saw the end of is
stored as it saw it, nothing runs for ever, and no place is taken by the dead.

usage: kill_test.py BUILD [SEED]
"""
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, FastCGI, Tally, parse_cgi, wait_until  # noqa: E402

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
TIMES = 20 if os.environ.get("LONG") else 1
FCGI_KILLS, CGI_KILLS, CLIENTS = 30 * TIMES, 60 * TIMES, 6
RECORDINGS = {"recordings": [
    {"question": "slowly", "answer": ["one ", "two ", "three ", "four"],
     "pace_ms": 15, "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
    {"answer": ["Yes, ", "indeed."],
     "usage": {"prompt_tokens": 3, "completion_tokens": 4}}]}
CONF = """[server]
state = state
durable = no
[engine recorded]
kind = replay
recordings = recordings.json
[knowledge sky]
folder = sky
[bot replayed]
engine = recorded
max_output_tokens = 4
[bot built]
persona = You are Ann.
knowledge = sky
max_output_tokens = 4
"""


class Seen:
    """What clients saw: answers that were complete, and how many began."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = {}  # message id -> (user, conversation, text, usage)
        self.conversations = {}  # (bot, user) -> its last conversation
        self.chats = {}    # bot -> complete answers of the bot API
        self.tried = {}
        self.other = []

    def refused(self, what):
        with self.lock:
            self.other.append(what)


def sample(rng, seen, client):
    """One request to come: bot, uri, body."""
    bot = rng.choice(["replayed", "built"])
    question = rng.choice(["slowly", "What is the Moon?", "Who are you?"])
    stream = rng.random() < 0.6
    user = "user%d" % client
    with seen.lock:
        old = seen.conversations.get((bot, user))
    if rng.random() < 0.4:
        return bot, "/v1/chat", {"bot_slug": bot, "prompt": question,
                                 "user_id": user, "stream": stream}
    body = {"inputs": {}, "query": question, "user": user,
            "response_mode": "streaming" if stream else "blocking"}
    if old and rng.random() < 0.6:
        body["conversation_id"] = old
    return bot, "/v1/chat-messages", body


def note_message(seen, bot, user, reply):
    if reply.type == "text/event-stream":
        blocks = [line for line in reply.text.split("\n\n")
                  if line.startswith("data: ") and line.endswith("}")]
        events = [json.loads(block[6:]) for block in blocks]
        if not events or events[-1]["event"] != "message_end":
            return False
        last = events[-1]
        text = "".join(e["answer"] for e in events if e["event"] == "message")
    else:
        if len(reply.body) != int(reply.headers.get("content-length",
                                                    len(reply.body))):
            return False
        last, text = reply.json, reply.json["answer"]
    seen.answers[last["message_id"] if "message_id" in last else last["id"]] \
        = (bot, user, last["conversation_id"], text,
           last["metadata"]["usage"])
    seen.conversations[bot, user] = last["conversation_id"]
    return True


def note(seen, bot, uri, body, out):
    """Counts an answer whose end was seen; out: all bytes that came."""
    try:
        reply = parse_cgi(out)
    except ValueError:
        return
    with seen.lock:
        if reply.status != 200:
            seen.other.append((uri, body, reply))
            return
        try:
            if uri == "/v1/chat-messages":
                note_message(seen, bot, body["user"], reply)
            elif (reply.body.endswith(b"data: [DONE]\n\n")
                  if body["stream"] else "content" in reply.json):
                seen.chats[bot] = seen.chats.get(bot, 0) + 1
        except ValueError:
            pass  # a body that was cut


def output(client):
    out = b""
    try:
        for kind, data in client.records():
            out += data if kind == 6 else b""
    except (OSError, EOFError):
        pass
    return out


def ask_fcgi(d, keys, seen, rng, n):
    bot, uri, body = sample(rng, seen, n)
    data, headers = d.encode(body, {})
    params = dict(d.params("POST", uri, data, headers, keys[bot]),
                  FCGI_ROLE="RESPONDER")
    with seen.lock:
        seen.tried[bot] = seen.tried.get(bot, 0) + 1
    try:
        client = FastCGI(d.address)
    except OSError:
        return False
    try:
        client.send(params, data)
        note(seen, bot, uri, body, output(client))
    except OSError:
        return False
    finally:
        client.close()
    return True


def kill_fcgi(d, keys, seen, rng):
    process = d.start_fcgi(workers=16)
    over = threading.Event()

    def client(n, seed):
        own = random.Random(seed)
        while not over.is_set() and ask_fcgi(d, keys, seen, own, n):
            pass
    threads = [threading.Thread(target=client, args=(n, rng.random()))
               for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.005, 0.35))
    process.kill()
    process.wait()
    over.set()
    for thread in threads:
        thread.join()
    os.unlink(d.address)


def kill_cgi(d, keys, seen, rng):
    """Several at once; some are killed, some end by themselves."""
    def one(n, seed):
        own = random.Random(seed)
        bot, uri, body = sample(own, seen, n)
        data, headers = d.encode(body, {})
        with seen.lock:
            seen.tried[bot] = seen.tried.get(bot, 0) + 1
        process = subprocess.Popen(
            [os.path.join(d.build, "parlance.cgi")],
            env=dict(d.env, **d.params("POST", uri, data, headers,
                                       keys[bot])),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        timer = threading.Timer(own.uniform(0.001, 0.06), process.kill)
        timer.start()
        out, _ = process.communicate(data)
        timer.cancel()
        note(seen, bot, uri, body, out)
    threads = [threading.Thread(target=one, args=(n, rng.random()))
               for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check_rows(t, d):
    db = sqlite3.connect(os.path.join(d.state, "parlance.db"), timeout=20)

    def count(sql):
        return db.execute("SELECT count(*) FROM " + sql).fetchone()[0]
    t.equal("integrity", db.execute("PRAGMA integrity_check").fetchall(),
            [("ok",)])
    t.equal("foreign keys", db.execute("PRAGMA foreign_key_check").fetchall(),
            [])
    t.equal("no conversation without a message",
            count("conversations c WHERE NOT EXISTS (SELECT 1 FROM messages"
                  " m WHERE m.conversation = c.seq)"), 0)
    t.equal("no finished answer without its price and text",
            count("messages WHERE state = 1 AND (answer = '' OR total_price "
                  "IS NULL)"), 0)
    db.close()


def pages(d, key, uri, cursor):
    """All rows of a list, in the order they came."""
    out, at = [], ""
    while True:
        page = d.fcgi("GET", "%s&limit=100&%s=%s" % (uri, cursor, at),
                      key=key).json
        out += page["data"]
        if not page["has_more"]:
            return out
        # Messages come page by page backwards, oldest first in each.
        at = page["data"][0 if cursor == "first_id" else -1]["id"]


def check_messages(t, d, keys, seen):
    """Through the API: every answer that was seen, as it was seen."""
    rows, twice, running, failed = {}, [], [], 0
    for bot in keys:
        for user in ("user%d" % n for n in range(CLIENTS)):
            for talk in pages(d, keys[bot], "/v1/conversations?user=" + user,
                              "last_id"):
                for m in pages(d, keys[bot], "/v1/messages?user=%s&"
                               "conversation_id=%s" % (user, talk["id"]),
                               "first_id"):
                    if m["id"] in rows:
                        twice.append(m["id"])
                    rows[m["id"]] = m
                    failed += m["status"] == "error"
                    if m["status"] == "normal" and not m["answer"]:
                        running.append(m["id"])
    wrong = []
    for key, (_, _, talk, text, usage) in seen.answers.items():
        m = rows.get(key)
        if m is None:
            wrong.append(("lost", key))
        elif (m["status"], m["answer"], m["conversation_id"]) != (
                "normal", text, talk):
            wrong.append((m, text))
    t.equal("all %d answers that were seen are stored" % len(seen.answers),
            wrong, [])
    t.equal("none twice", twice, [])
    t.equal("none runs for ever", running, [])
    t.check("turns were killed in the middle", failed > 0, failed)


def check_usage(t, d, keys, seen):
    today = int(time.time() // 86400)
    db = sqlite3.connect(os.path.join(d.state, "parlance.db"), timeout=20)
    for bot in keys:
        words = db.execute(
            "SELECT sum(response_words) FROM usage_days WHERE account = ? "
            "AND day >= ?", (bot, today - 1)).fetchone()[0] or 0
        done = seen.chats.get(bot, 0)
        t.check("%s: usage of %d answers" % (bot, done),
                done * 2 <= words and done > 0, (words, done))
        spent = db.execute("SELECT sum(tokens) FROM limit_tokens WHERE "
                           "subject LIKE 'key:%'").fetchone()[0]
    used = sum(u["total_tokens"] for *_, u in seen.answers.values())
    t.check("tokens of the day", spent >= used, (spent, used))
    db.close()


def check_places(t, d, keys, process):
    """As many at once as allowed: the dead hold no place."""
    for bot, key in keys.items():
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(
            d.fcgi("POST", "/v1/chat-messages",
                   {"inputs": {}, "query": "slowly", "user": "last",
                    "response_mode": "blocking"}, key=key).status))
            for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        t.equal("%s: %d at once" % (bot, CLIENTS), replies, [200] * CLIENTS)
    db = sqlite3.connect(os.path.join(d.state, "parlance.db"), timeout=20)
    t.equal("every turn that ended gave its place back", wait_until(
        lambda: db.execute("SELECT count(*) FROM limit_holds "
                           "WHERE owner LIKE ?", ("%% %d %%" % process.pid,)
                           ).fetchone() == (0,)), True)
    db.close()


def main():
    t, rng, seen = Tally(), random.Random(SEED), Seen()
    began = time.monotonic()
    with Deployment(sys.argv[1], CONF) as d:
        d.write("recordings.json", json.dumps(RECORDINGS))
        d.write("sky/moon.md", "# The Moon\n\nThe Moon is a rock.\n")
        keys, conf = {}, CONF
        for bot in ("replayed", "built"):
            keys[bot], section = d.new_key(
                bot, "bot = " + bot, "concurrent = %d" % CLIENTS,
                "tokens_per_day = 10000000")
            conf += section
        d.write("parlance.conf", conf)
        for _ in range(FCGI_KILLS):
            kill_fcgi(d, keys, seen, rng)
        for _ in range(CGI_KILLS // CLIENTS):
            kill_cgi(d, keys, seen, rng)
        check_rows(t, d)
        process = d.start_fcgi(workers=16)
        t.equal("nothing but answers", seen.other[:3], [])
        check_messages(t, d, keys, seen)
        check_usage(t, d, keys, seen)
        check_places(t, d, keys, process)
        print("seed %d: %d requests, %d kills, %d answers seen whole, %.1f s"
              % (SEED, sum(seen.tried.values()), FCGI_KILLS + CGI_KILLS,
                 len(seen.answers) + sum(seen.chats.values()),
                 time.monotonic() - began))
    t.end()


main()
