"""Limits against a model that keeps its own ledger: sixty-four clients of both
APIs, streaming and blocking, over two parlance.fcgi and CGI programs on one
database; processes that are killed; and what a hostile holder of a key tries.

usage: limits_crowd_test.py BUILD [SEED [TEST...]]
"""
import copy
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
from deployment import Deployment, FastCGI, Tally, parse_cgi, wait_until
from fake_upstream import FakeUpstream

BUILD = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
CLIENTS = 64
CONF = """[server]
state = state
durable = no
[engine up]
url = %s
retries = 0
[engine down]
url = http://127.0.0.1:9/v1
retries = 0
[engine slow]
url = %s
retries = 0
first_byte_timeout = 10000
idle_timeout = 300
[engine titles]
url = %s
model = tokens=4 count=words obey=yes title=yes
[knowledge sky]
folder = sky
"""
SKY = "".join("# Fact %d\n\nThe Moon moves away by %d centimetres in %d years, "
              "says the table.\n\n" % (i, 4 * i, i) for i in range(1, 60))
tally = Tally()
rng = random.Random(SEED)


class Place(Deployment):
    """bots: {slug: lines}; keys: {name: lines}."""

    def __init__(self, bots, keys, processes=2):
        self.up = FakeUpstream()
        super().__init__(BUILD, CONF % ((self.up.url,) * 3))
        conf = CONF % ((self.up.url,) * 3)
        for slug, lines in bots.items():
            conf += "[bot %s]\nengine = up\n%s\n" % (slug, lines) \
                if "engine" not in lines else "[bot %s]\n%s\n" % (slug, lines)
        self.write("sky/facts.md", SKY)
        self.write("parlance.conf", conf)
        self.keys = {}
        for name, lines in keys.items():
            self.keys[name], section = self.new_key(name, lines)
            conf += section
        self.write("parlance.conf", conf)
        self.cgi("GET", "/health-check")
        self.sockets = []
        for _ in range(processes):
            self.start_one()

    def start_one(self):
        here = copy.copy(self)
        here.address = os.path.join(self.folder,
                                    "%d.sock" % len(self.sockets))
        process = self.spawn(os.path.join(self.build, "parlance.fcgi"),
                             "--socket", here.address, "--workers", "80")

        def ready():
            try:
                FastCGI(here.address).close()
                return True
            except OSError:
                return False
        self.wait_for(ready, "parlance.fcgi", process)
        self.sockets.append((here, process))

    def body(self, api, bot, question="Hello", user="u", stream=False,
             talk=None):
        if api == "bot":
            return "/v1/chat", {"bot_slug": bot, "stream": stream,
                                "user_id": user, "messages":
                                (talk or []) + [{"role": "user",
                                                 "content": question}]}
        out = {"inputs": {}, "query": question, "user": user,
               "auto_generate_name": False,
               "response_mode": "streaming" if stream else "blocking"}
        if talk:
            out["conversation_id"] = talk
        return "/v1/chat-messages", out

    def ask(self, where, key, api, bot, **more):
        """where: a number; CGI for one in six."""
        uri, data = self.body(api, bot, **more)
        if where % 6 == 5:
            return self.cgi("POST", uri, data, key=self.keys[key])
        here = self.sockets[where % len(self.sockets)][0]
        return here.fcgi("POST", uri, data, key=self.keys[key])

    def program(self, started, key, api, bot, **more):
        """A CGI program that somebody may kill: it is put into started."""
        uri, data = self.body(api, bot, **more)
        data, headers = self.encode(data, {})
        process = subprocess.Popen(
            [os.path.join(self.build, "parlance.cgi")],
            env=dict(self.env, **self.params("POST", uri, data, headers,
                                             self.keys[key])),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        started.append(process)
        return parse_cgi(process.communicate(data)[0])

    def begin(self, key, api, bot, where=0, **more):
        """A request whose reply is not waited for; its client."""
        uri, data = self.body(api, bot, **more)
        data, headers = self.encode(data, {})
        client = FastCGI(self.sockets[where % len(self.sockets)][0].address)
        client.send(dict(self.params("POST", uri, data, headers,
                                     self.keys[key]),
                         FCGI_ROLE="RESPONDER"), data)
        return client

    def rows(self, sql, *values):
        db = sqlite3.connect(os.path.join(self.state, "parlance.db"),
                             timeout=20)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def used(self, subject):
        return self.rows("SELECT coalesce(sum(tokens), 0) FROM limit_tokens "
                         "WHERE subject = ?", subject)[0][0]

    def reserved(self):
        return self.rows("SELECT count(*), coalesce(sum(tokens), 0) FROM "
                         "(SELECT DISTINCT id, tokens FROM limit_holds)")[0]

    def settled(self):
        """Waits until nothing runs; what is still reserved."""
        wait_until(lambda: self.reserved()[0] == 0)
        return self.reserved()

    def close(self):
        super().close()
        self.up.close()


def spent(calls):
    return sum(c["prompt"] + c["tokens"] for c in calls)


def most_at_once(calls):
    """How many calls were open at the same time."""
    edges = sorted([(c["start"], 1) for c in calls] +
                   [(c["over"], -1) for c in calls], key=lambda e: e)
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def crowd(n, each):
    """each(i) on n threads at once; what failed."""
    faults = []

    def run(i):
        try:
            each(i)
        except Exception as e:  # told by the check
            faults.append(repr(e))
    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tally.equal("no client failed", faults, [])


def form(api, reply):
    """Is a 429 in its API's form?"""
    after = reply.headers.get("retry-after", "")
    if not after.isdigit() or not 1 <= int(after) <= 86400:
        return False
    if api == "bot":
        return list(reply.json) == ["detail"]
    return (reply.json["code"], reply.json["status"]) == \
        ("too_many_requests", 429) and list(reply.json) == \
        ["code", "message", "status"]


def whole(api, stream, reply):
    """A 200 that came to its end."""
    if reply.status != 200:
        return False
    if not stream:
        return bool(reply.json["content" if api == "bot" else "answer"])
    return reply.text.endswith("data: [DONE]\n\n") if api == "bot" else \
        reply.events()[-1]["event"] == "message_end"


# ---- so many at once --------------------------------------------------------

def at_once():
    # Long enough that all that may be open at once are.
    model = "model = tokens=3 pace_ms=40 count=words obey=yes"
    with Place({"open": model, "capped": model + "\nconcurrent = 5"},
               {"key": "concurrent = 7", "users": "user_concurrent = 2",
                "one": "bot = capped", "two": "bot = capped",
                "both": "bot = capped\nconcurrent = 3"}) as d:
        for name, keys, bot, limit, users in (
                ("a key", ["key"], "open", 7, 1),
                ("each end user", ["users"], "open", 2, 4),
                ("a bot, by two keys", ["one", "two"], "capped", 5, 1),
                ("a key below its bot's cap", ["both"], "capped", 3, 1)):
            counts, wrong, lock = {}, [], threading.Lock()
            del d.up.calls[:]

            def client(i):
                for j in range(8):
                    api = "bot" if (i // 2 + j) % 2 else "messages"
                    stream = (i + j // 2) % 2 == 0
                    user = "user%d" % (i % users)
                    reply = d.ask(i, keys[i // 2 % len(keys)], api, bot,
                                  stream=stream, user=user, question=user)
                    with lock:
                        kind = (api, stream, reply.status)
                        counts[kind] = counts.get(kind, 0) + 1
                        if reply.status == 429 and not form(api, reply) or \
                                reply.status != 429 and \
                                not whole(api, stream, reply):
                            wrong.append(reply)
                    if reply.status == 429:
                        time.sleep(0.08)
            # A busy machine may not get to all that may run: ask again.
            for _ in range(3):
                crowd(CLIENTS, client)
                peaks = [most_at_once(d.up.of(c["model"], c["question"]))
                         for c in {c["question"]: c
                                   for c in d.up.calls}.values()]
                if peaks == [limit] * users:
                    break
            tally.equal("%s: most at once, as the model saw it" % name,
                        peaks, [limit] * users)
            tally.equal("%s: forms" % name, wrong[:2], [])
            tally.check("%s: both APIs, streams and not" % name,
                        all(counts.get((a, s, code), 0) > 0
                            for a in ("bot", "messages")
                            for s in (True, False) for code in (200, 429)),
                        counts)
            tally.equal("%s: nothing is held" % name, d.settled(), (0, 0))
            print("  %-26s %d at once, %d answers, %d refusals" % (
                name, peaks[0], sum(n for k, n in counts.items()
                                    if k[2] == 200),
                sum(n for k, n in counts.items() if k[2] == 429)))
        text = d.ask(0, "one", "messages", "capped")
        tally.equal("and room again", text.status, 200)


# ---- tokens of a day --------------------------------------------------------

def until_used_up(d, key, bot, users=1, give_up=150):
    """64 clients talk on until the day has no room for them.  The replies'
    figures."""
    lock, seen, wrong = threading.Lock(), {"ok": 0, "soon": 0, "over": 0}, []

    def client(i):
        user, talk, n = "user%d" % (i % users), None, 0
        began = time.monotonic()
        api = "bot" if i % 2 else "messages"
        while time.monotonic() - began < give_up:
            stream = (i // 2 + n) % 2 == 0
            reply = d.ask(i, key, api, bot, user=user, stream=stream,
                          talk=talk, question="%s, %d: how far is the Moon "
                          "in %d years?" % (user, n, n + i))
            if reply.status == 429:
                soon = int(reply.headers["retry-after"]) <= 2
                with lock:
                    seen["soon" if soon else "over"] += 1
                    if not form(api, reply):
                        wrong.append(reply)
                if not soon:
                    return
                time.sleep(0.02)
                continue
            n += 1
            with lock:
                seen["ok"] += 1
                if not whole(api, stream, reply):
                    wrong.append(reply)
            if api == "messages":
                talk = reply.events()[0]["conversation_id"] if stream \
                    else reply.json["conversation_id"]
            else:
                talk = (talk or []) + [
                    {"role": "user", "content": "How far is it? " * n},
                    {"role": "assistant", "content": "w0 w1 w2 " * 12}]
        with lock:
            wrong.append("not used up in time")
    crowd(CLIENTS, client)
    tally.equal("%s: whole answers, refusals in form" % key, wrong[:2], [])
    return seen


def tokens():
    """The model's own count: as many tokens as bytes (nothing has more), or
    as words."""
    words = "knowledge = sky\npersona = You are Ann, who knows the sky.\n" \
        "model = tokens=30 count=words obey=yes"
    with Place({"words": words, "bytes": words.replace("=words", "=bytes"),
                "long": words.replace("=30", "=400") +
                "\nmax_output_tokens = 300"},
               {"words": "bot = words\ntokens_per_day = 30000",
                "bytes": "bot = bytes\ntokens_per_day = 150000",
                "long": "bot = long\ntokens_per_day = 40000",
                "users": "bot = words\nuser_tokens_per_day = 8000"}) as d:
        for key, limit in (("words", 30000), ("bytes", 150000),
                           ("long", 40000)):
            before = len(d.up.calls)
            seen = until_used_up(d, key, key)
            used = spent(d.up.calls[before:])
            tally.check("%s: the model's ledger is within the limit" % key,
                        0 < used <= limit, used)
            tally.equal("%s: all of it was settled, once" % key,
                        d.used("key:" + key), used)
            tally.equal("%s: nothing is held" % key, d.settled(), (0, 0))
            # A question without passages or history has a bound of less
            # than 500 and 256 of an answer.
            n = 0
            while limit - spent(d.up.calls[before:]) > 800 and n < 200:
                n += 1
                if d.ask(n % 2, key, "bot", key, question="?").status != 200:
                    break
            left = limit - spent(d.up.calls[before:])
            tally.check("%s: what remains can be used" % key,
                        0 <= left <= 800, left)
            print("  %-6s limit %6d, crowd used %6d in %d turns (%d refused "
                  "for 2 s), at the end %d left" % (
                      key, limit, used, seen["ok"], seen["soon"], left))
        before = len(d.up.calls)
        until_used_up(d, "users", "words", users=4)
        used = [spent(c for c in d.up.calls[before:]
                      if c["question"].startswith("user%d," % i))
                for i in range(4)]
        tally.check("each end user's day", all(4000 < n <= 8000
                                               for n in used), used)
        print("  users  limit   8000, used %r" % used)


# ---- kill -9 ----------------------------------------------------------------

def kills(rounds=14):
    """Each turn costs 14 tokens, so the sum tells how many were settled."""
    model = "model = tokens=3 pace_ms=25 obey=yes"
    with Place({"b": model}, {"k": "bot = b\nconcurrent = 30\n"
                              "tokens_per_day = 100000000"}, 0) as d:
        lost, total = [], 0
        tally.equal("the first turn", d.ask(5, "k", "bot", "b").status, 200)
        for n in range(rounds):
            del d.sockets[:]
            d.start_one()
            d.start_one()
            used, first = d.used("key:k"), len(d.up.calls)
            if n > 0:
                used, first = check_places(d, n, lost)
            seen, lock = {"whole": 0, "tried": 0}, threading.Lock()
            over, programs = threading.Event(), []

            def client(i):
                j = 0
                while not over.is_set():
                    api, stream = "bot" if j % 2 else "messages", i % 4 < 2
                    j += 1
                    with lock:
                        seen["tried"] += 1
                    try:
                        reply = d.ask(i % 2, "k", api, "b", stream=stream) \
                            if i % 6 else d.program(programs, "k", api, "b",
                                                    stream=stream)
                        if whole(api, stream, reply):
                            with lock:
                                seen["whole"] += 1
                    except (OSError, EOFError, ValueError, KeyError,
                            IndexError):
                        return
            threads = [threading.Thread(target=client, args=(i,))
                       for i in range(24)]
            for t in threads:
                t.start()
            wait_until(lambda: len(d.up.calls) > first)
            time.sleep(rng.uniform(0.05, 0.3))
            over.set()
            for process in [p for _, p in d.sockets] + programs[:]:
                process.kill()
            for t in threads:
                t.join()
            for _, process in d.sockets:
                process.wait()
            held, reserved = d.reserved()
            settled = d.used("key:k") - used
            calls = d.up.calls[first:]
            done = sum(c["over"] is not None for c in calls)
            tally.check("kill %d: settled once each" % n, settled % 14 == 0
                        and seen["whole"] <= settled // 14 <= done,
                        (settled / 14, seen, done))
            tally.check("kill %d: none is lost" % n,
                        settled // 14 + held >= len(calls),
                        (settled / 14, held, len(calls)))
            total += held
            lost.append((held, reserved))
        d.start_one()
        del d.sockets[:-1]
        d.start_one()
        check_places(d, rounds, lost)
        tally.check("turns were killed in the middle", total >= rounds, total)
        print("  %d kills of two processes and four programs, %d turns in "
              "the middle, %d calls" % (rounds, total, len(d.up.calls)))


def check_places(d, n, lost):
    """After a kill thirty at once, no fewer, by both new processes; what the
    dead had reserved is used, once."""
    used, calls = d.used("key:k"), len(d.up.calls)
    held, reserved = lost[-1]
    answers, lock = [], threading.Lock()

    def client(i):
        reply = d.ask(i % 2, "k", "bot" if i % 4 < 2 else "messages", "b",
                      stream=i % 8 < 4)
        with lock:
            answers.append(reply.status)
    crowd(30, client)
    tally.equal("kill %d: thirty places" % n, answers, [200] * 30)
    tally.equal("kill %d: nothing is held" % n, d.settled(), (0, 0))
    tally.equal("kill %d: what the dead reserved is used, once" % n,
                d.used("key:k") - used, reserved + 30 * 14)
    tally.equal("kill %d: thirty calls" % n, len(d.up.calls) - calls, 30)
    return d.used("key:k"), len(d.up.calls)


# ---- what else may go wrong -------------------------------------------------

def one_key(name, lines):
    return {name: "bot = %s\n%s" % (name, lines)}


def holes():
    day = "tokens_per_day = 20000\nconcurrent = 1"
    bots, keys = {}, {}
    for name, lines in {
            "down": "engine = down",
            "refused": "model = status=400",
            "faulty": "model = tokens=5 fault=error after=2 count=words",
            "empty": "engine = up, titles\nmodel = fault=empty count=words",
            "stalls": "engine = slow, titles\n"
                      "model = fault=stall count=words",
            "broke": "engine = down, builtin\npersona = I am Ann.",
            "gone": "model = tokens=2 first_ms=60000 count=words",
            "named": "engine = up\ntitle_engine = titles\n"
                     "model = tokens=3 pace_ms=50 count=words",
            "new": "model = tokens=3 max=completion count=words obey=yes",
            "cut": "model = tokens=100000 count=bytes obey=yes",
            "deaf": "model = tokens=20000 count=words usage=no",
            "local": "engine = builtin\nknowledge = sky",
            }.items():
        bots[name] = lines
        keys.update(one_key(name, day))
    keys["cut"] = "bot = cut\ntokens_per_day = 1500"
    keys["cut2"] = "bot = cut\ntokens_per_day = 1500"
    keys["local"] = "bot = local\ntokens_per_day = 1000"
    keys["names"] = "bot = named\nrequests_per_minute = 3"
    keys["few"] = "bot = named\ntokens_per_day = 800"
    with Place(bots, keys) as d:
        def both(name, bot=None, **more):
            """The four replies of both APIs, streamed or not."""
            del d.up.calls[:]
            return [(api, stream, d.ask(i, name, api, bot or name,
                                        stream=stream, **more))
                    for i, (api, stream) in enumerate(
                        [("bot", False), ("bot", True),
                         ("messages", False), ("messages", True)])]

        def settled(name):
            tally.equal("%s: nothing is held" % name, d.settled(), (0, 0))
            return d.used("key:" + name)
        for name in ("down", "refused"):
            replies = both(name)
            tally.check("%s: a place each time" % name, all(
                r.status not in (200, 429) or b'"error"' in r.body
                for _, _, r in replies), replies)
            tally.equal("%s: costs nothing" % name, settled(name), 0)
        both("faulty")
        # Nobody told; counted here: "Hello", and w 0 w 1.
        tally.equal("faulty: what was said counts", settled("faulty"),
                    4 * (1 + 4))
        for name in ("empty", "stalls"):
            replies = both(name)
            tally.check("%s: the next one answers" % name, all(
                whole(*r) for r in replies), replies)
            used = settled(name)
            tally.equal("%s: eight calls" % name, len(d.up.calls), 8)
            # Of a call that stalled its prompt is counted here: one word.
            tally.equal("%s: both count" % name, used, spent(d.up.calls)
                        if name == "empty" else spent(
                            c for c in d.up.calls if "title=" in c["model"])
                        + 4 * 1)
        replies = both("broke", question="Who are you?")
        tally.check("down, then builtin", all(whole(*r) for r in replies),
                    replies)
        settled("broke")
        leave(d)
        names(d)
        del d.up.calls[:]
        replies = both("new")
        tally.check("max_completion_tokens where that is wanted", all(
            whole(*r) for r in replies) and all(
                ("max_tokens" in c["body"]) != ("max_completion_tokens" in
                                                c["body"])
                for c in d.up.calls), replies)
        tally.equal("new: counted", settled("new"), spent(
            c for c in d.up.calls if "max_tokens" not in c["body"]))
        ends(d, both, settled)
        drain(d)


def leave(d):
    """A client that leaves before the first byte."""
    for api in ("bot", "messages"):
        client = d.begin("gone", api, "gone", stream=True)
        wait_until(lambda: d.up.of("tokens=2 first_ms=60000 count=words"))
        tally.equal(api + ": one runs", d.ask(1, "gone", api, "gone").status,
                    429)
        client.close()
        tally.equal(api + ": left before the first byte", d.settled(), (0, 0))
        del d.up.calls[:]


def names(d):
    """A model that names conversations uses tokens too."""
    del d.up.calls[:]
    uri, data = d.body("messages", "named")
    data["auto_generate_name"] = True
    here = d.sockets[0][0]
    reply = here.fcgi("POST", uri, data, key=d.keys["named"])
    tally.equal("an answer and its name", (reply.status, len(d.up.calls)),
                (200, 2))
    tally.equal("both count", (d.settled(), d.used("key:named")),
                ((0, 0), spent(d.up.calls)))
    rename = "/v1/conversations/%s/name" % reply.json["conversation_id"]
    more = {"auto_generate": True, "user": "u"}
    again = here.fcgi("POST", rename, more, key=d.keys["named"])
    tally.equal("a new name counts", (again.status, len(d.up.calls),
                                      d.used("key:named")),
                (200, 3, spent(d.up.calls)))
    reply = here.fcgi("POST", uri, data, key=d.keys["names"])
    rename = "/v1/conversations/%s/name" % reply.json["conversation_id"]
    replies = [here.fcgi("POST", rename, more, key=d.keys["names"])
               for _ in range(4)]
    tally.equal("names are requests", [r.status for r in replies],
                [200, 200, 429, 429])
    tally.check("in the API's form", form("messages", replies[-1]),
                replies[-1])
    del d.up.calls[:]
    reply = here.fcgi("POST", uri, data, key=d.keys["few"])
    tally.equal("no room for a name: an answer without", (
        reply.status, len(d.up.calls)), (200, 1))
    rename = "/v1/conversations/%s/name" % reply.json["conversation_id"]
    for _ in range(40):
        last = here.fcgi("POST", rename, more, key=d.keys["few"])
        if last.status != 200:
            break
    tally.check("names until the day is used up", last.status == 429 and
                int(last.headers["retry-after"]) > 2 and
                0 < spent(d.up.calls) <= 800 and
                d.used("key:few") == spent(d.up.calls),
                (last, spent(d.up.calls)))


def ends(d, both, settled):
    """The end of a day in the middle of an answer."""
    for api, stream, key in (("bot", True, "cut"), ("messages", True, "cut2")):
        del d.up.calls[:]
        reply = d.ask(0, key, api, "cut", stream=stream)
        tally.check("%s: ends as long answers do" % api,
                    whole(api, stream, reply), reply)
        body = d.up.calls[-1]["body"]
        tally.check("%s: is told how long it may be" % api,
                    1300 < body.get("max_completion_tokens",
                                    body.get("max_tokens", 0)) < 1500, body)
        used = settled(key)
        tally.check("%s: within the day" % api, used == spent(d.up.calls) and
                    1300 < used <= 1500, used)
        tally.equal("%s: then none" % api, d.ask(1, key, api, "cut").status,
                    429)
    both("deaf")
    used = settled("deaf")
    sent = max(c["tokens"] for c in d.up.calls)
    tally.check("a model that goes on and on is broken off", sent < 20000,
                (sent, used))
    statuses = [whole(api, stream, reply) for i in range(60)
                for api, stream, reply in both(
                    "local", question="What does the table say of year %d?"
                    % i) if reply.status == 200 or
                reply.headers["retry-after"] == "2"]
    used = settled("local")
    tally.check("the built-in engine's day", all(statuses) and
                700 < used <= 1000, (used, len(statuses)))


def drain(d):
    """SIGTERM: what runs is settled, or belongs to the dead."""
    client = d.begin("named", "messages", "named", stream=True)
    for kind, piece in client.records():
        if kind == 6 and b"data:" in piece:
            break
    d.sockets[0][1].send_signal(signal.SIGTERM)
    rest = b"".join(piece for kind, piece in client.records() if kind == 6)
    d.sockets[0][1].wait(60)
    tally.check("SIGTERM lets it go on", b"message_end" in rest, rest)
    tally.equal("and settles it", d.reserved(), (0, 0))


for test in (at_once, tokens, kills, holes):
    if sys.argv[3:] and test.__name__ not in sys.argv[3:]:
        continue
    started = time.monotonic()
    test()
    print("%-8s %5.1f s" % (test.__name__, time.monotonic() - started),
          flush=True)
print("seed %d" % SEED)
tally.end()
