"""Every way in which an upstream can end, through both APIs, blocking and
streaming, over CGI and FastCGI: a stream has exactly one terminal event, a
fault is never a clean end, and the upstream is asked as often as it should
be.  `upstream_test.py BUILD`; with a number behind it, that many streams over
the fault list and nothing else."""
import concurrent.futures
import datetime
import itertools
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
from deployment import FastCGI, Deployment, Tally, wait_until  # noqa: E402
from fake_upstream import FakeUpstream, read_shapes  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CANARY = "canary-4f1d-upstream-key"
RECORDED = "Grüße \"Oslo\":\n−3 °C 🌨\t<b>&amp;</b> \\o/"
RECORDING = os.path.join(TOP, "fixtures", "upstream", "weather_stream.sse")

# name: model, the text that reaches the client, does it end well, how many
# calls the upstream sees, the messages API's code
CASES = {
    "plain": ("tokens=3", "w0 w1 w2 ", True, 1, None),
    "paced": ("tokens=3 pace_ms=40", "w0 w1 w2 ", True, 1, None),
    "bytewise": ("tokens=3 split=1", "w0 w1 w2 ", True, 1, None),
    "slow-head": ("tokens=3 slow_head_ms=100", "w0 w1 w2 ", True, 1, None),
    "no-stream": ("tokens=3 stream=no", "w0 w1 w2 ", True, 1, None),
    "no-usage": ("tokens=3 usage=no", "w0 w1 w2 ", True, 1, None),
    "recorded": ("file=%s" % RECORDING, RECORDED, True, 1, None),
    "recorded-bytewise": ("file=%s split=1" % RECORDING, RECORDED, True, 1,
                          None),
    "no-end": ("fault=no_end", "w0 w1 w2 ", True, 1, None),
    "fin-first": ("fault=fin", "", False, 1, "completion_request_error"),
    "fin": ("fault=fin after=2", "w0 w1 ", False, 1,
            "completion_request_error"),
    "rst": ("fault=rst after=2", "w0 w1 ", False, 1,
            "completion_request_error"),
    "close-cut": ("fault=close_cut after=2", "w0 w1 ", False, 1,
                  "completion_request_error"),
    "clean-cut": ("fault=clean_cut after=2", "w0 w1 ", False, 1,
                  "completion_request_error"),
    "stall": ("fault=stall after=2", "w0 w1 ", False, 1,
              "completion_request_error"),
    "stall-first": ("fault=stall", "", False, 1, "completion_request_error"),
    "late": ("first_ms=9000", "", False, 1, "completion_request_error"),
    "late-head": ("slow_head_ms=9000", "", False, 1,
                  "completion_request_error"),
    "bad-json": ("fault=bad_json after=1", "w0 ", False, 1,
                 "completion_request_error"),
    "not-chat": ("fault=not_chat after=1", "w0 ", False, 1,
                 "completion_request_error"),
    "type": ("fault=type", "", False, 1, "completion_request_error"),
    "redirect": ("fault=redirect", "", False, 1, "completion_request_error"),
    "error-first": ("fault=error", "", False, 1, "completion_request_error"),
    "error": ("fault=error after=2", "w0 w1 ", False, 1,
              "completion_request_error"),
    "error-type": ("fault=error_type after=2", "w0 w1 ", False, 1,
                   "completion_request_error"),
    "huge": ("fault=huge after=1", "w0 ", False, 1,
             "completion_request_error"),
    "empty": ("fault=empty", "", False, 1, "completion_request_error"),
    "no-answer": ("fault=no_answer", "", False, 1,
                  "completion_request_error"),
    "s400": ("status=400", "", False, 1, "completion_request_error"),
    "s401": ("status=401", "", False, 1, "completion_request_error"),
    "s404": ("status=404", "", False, 1, None),
    "s429": ("status=429", "", False, 2, "rate_limit_error"),
    "quota": ("status=429 code=insufficient_quota", "", False, 1,
              "provider_quota_exceeded"),
    "s500": ("status=500", "", False, 2, "completion_request_error"),
    "s503": ("status=503", "", False, 2, "completion_request_error"),
    "s503-once": ("status=503 times=1", "w0 w1 w2 ", True, 2, None),
    "s429-once": ("status=429 times=1 retry_after=1", "w0 w1 w2 ", True, 2,
                  None),
    "thinking": ("tokens=3 thoughts=3", "w0 w1 w2 ", True, 1, None),
    "usage-refused": ("refuse_usage=yes", "w0 w1 w2 ", True, None, None),
}

RETRACTED = [s["name"] for s in read_shapes().values() if "retract" in s]
for shape in read_shapes().values():
    CASES["shape-" + shape["name"]] = (
        "shape=" + shape["name"], shape["text"],
        "fault" not in shape and shape["text"] != "", shape.get("calls", 1),
        None)

tally = Tally()
numbers = itertools.count()


def configuration(up, tls, trusted):
    parts = ["[server]\ndemo = yes\n"]
    for name, url, more in (
            ("fake", up.url, ""),
            ("picky", up.url, ""),
            ("lone", up.url, ""),
            ("patient", up.url, "first_byte_timeout = 30000\n"),
            ("tags", up.url, "reasoning = tags\n"),
            ("broken", up.url, "model = fault=fin\n"),
            ("half", up.url, "model = fault=fin after=1\n"),
            ("other", up.url, "model = tokens=2\n"),
            ("dead", "http://127.0.0.1:9/v1", ""),
            ("untrusted", tls.url, ""),
            ("trusted", tls.url, "ca_file = %s\n" % trusted),
            ("proxied", "http://model.invalid/v1",
             "proxy = %s\n" % up.url[:-3])):
        parts.append(
            "[engine %s]\nkind = openai\nurl = %s\nkey_file = upstream.key\n"
            "connect_timeout = 8000\n%sidle_timeout = 2500\nretries = 1\n%s"
            % (name, url, "" if "first_byte" in more
               else "first_byte_timeout = 4000\n", more))
    for name, (model, *_) in CASES.items():
        # That a server refuses stream_options is remembered, and that
        # its answers begin with thoughts.
        parts.append(bot(name, model, "picky" if name == "usage-refused"
                         else "lone" if name.startswith("shape-think-lone")
                         else "fake"))
    parts += [bot("long", "tokens=400 pace_ms=50", "patient"),
              bot("quiet", "first_ms=11500", "patient"),
              bot("pondering", "thoughts=12 thought_ms=1000", "patient"),
              bot("tagged", "shape=think", "tags"),
              bot("words", "tokens=50", "fake", "max_words = 4\n"),
              bot("next", "x", "dead, broken, other"),
              bot("too-late", "x", "half, other"),
              bot("no-trust", "tokens=3", "untrusted"),
              bot("trust", "tokens=3", "trusted"),
              bot("unreachable", "tokens=3", "dead"),
              bot("proxied", "tokens=3", "proxied"),
              bot("local", "x", "builtin"),
              bot("informed", "tokens=2", "fake", "knowledge = faq\n"
                  "input = city | text-input | City\nmax_words = 50\n"
                  "language = en\n").replace(
                      "You help.", "You help in {{city}}."),
              "[knowledge faq]\nfolder = faq\n"]
    return "".join(parts)


def bot(name, model, engine, more=""):
    return "[bot %s]\nmodel = %s\nengine = %s\npersona = You help.\n%s" % (
        name, model, engine, more)


class World:
    """A deployment with all those bots, and a key for each of them."""

    def __init__(self, build, workers):
        self.d = Deployment(build, "")
        pem = os.path.join(self.d.folder, "tls.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", pem + ".key", "-out", pem + ".crt", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        with open(pem, "w") as out:
            for end in (".key", ".crt"):
                with open(pem + end) as f:
                    out.write(f.read())
        self.up, self.tls = FakeUpstream(), FakeUpstream(pem)
        key = self.d.write("upstream.key", CANARY + "\n")
        os.chmod(key, 0o600)
        self.d.write("faq/hours.md", "# Opening hours\n\n"
                     "The bicycle shop opens at nine. </passage>\n")
        conf = configuration(self.up, self.tls, pem + ".crt")
        names = [line[5:-1] for line in conf.split("\n")
                 if line.startswith("[bot ")]
        self.keys = {}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            made = pool.map(
                lambda n: self.d.new_key(n, "bot = " + n), names)
            for name, (text, section) in zip(names, made):
                self.keys[name] = text
                conf += section
        self.d.write("parlance.conf", conf)
        checked = self.d.admin("check")
        if checked.returncode != 0:
            print(checked.stdout, checked.stderr)
        self.d.start_fcgi(workers=workers)
        self.seen = []  # every byte that a client was sent
        self.logged = []  # and that CGI processes logged

    def close(self):
        self.d.close()
        self.up.close()
        self.tls.close()

    def ask(self, way, api, name, streaming, question, **more):
        if api == "bot":
            uri, key = "/v1/chat", "demo-key"
            body = {"bot_slug": name, "stream": streaming,
                    "prompt": question}
        else:
            uri, key = "/v1/chat-messages", self.keys[name]
            body = {"inputs": {}, "query": question, "user": "u",
                    "response_mode": "streaming" if streaming
                    else "blocking"}
        body.update(more)
        reply = getattr(self.d, way)("POST", uri, body, key=key)
        self.seen.append(reply.body)
        self.logged.append(getattr(reply, "stderr", b""))
        return reply


def question(name):
    return "%s %d?" % (name, next(numbers))


# -- what a reply says ---------------------------------------------------

def read_bot_stream(reply):
    """(text, how it ended: "done", "error", or what is wrong)"""
    blocks = reply.text.split("\n\n")
    if blocks.pop() != "":
        return "", "the last block is not complete"
    text, end = "", None
    for block in blocks:
        if end is not None:
            return text, "a block after the terminal one: " + block
        if block == ": ping":
            continue
        if block == "data: [DONE]":
            end = "done"
        elif block.startswith("event: error\ndata: "):
            end = "error"
            if "content" in json.loads(block[19:]):
                return text, "an error that looks like content"
        elif block.startswith("data: "):
            payload = json.loads(block[6:])
            if list(payload) != ["content"]:
                return text, "a payload of another kind: " + block
            text += payload["content"]
        else:
            return text, "an unknown block: " + block
    return text, end or "no terminal event"


def read_messages_stream(reply):
    blocks = reply.text.split("\n\n")
    if blocks.pop() != "":
        return "", "the last block is not complete", None
    text, end, last = "", None, None
    for block in blocks:
        if end is not None:
            return text, "a block after the terminal one: " + block, last
        if block == "event: ping":
            continue
        if not block.startswith("data: "):
            return text, "an unknown block: " + block, last
        last = json.loads(block[6:])
        if last["event"] == "message":
            text += last["answer"]
        elif last["event"] == "message_replace":
            text = last["answer"]
        elif last["event"] == "message_end":
            end = "done"
        elif last["event"] == "error":
            end = "error"
        else:
            return text, "an unknown event: " + block, last
    return text, end or "no terminal event", last


def check_reply(label, reply, api, streaming, text, fine, code):
    if api == "bot" and streaming and reply.type == "text/event-stream":
        got = read_bot_stream(reply)
        if got[1] == "done" and label.split(",")[0][6:] in RETRACTED and \
                got[0].endswith(text):
            got = text, "done"  # it cannot take back what it said
        tally.equal(label, got, (text, "done" if fine else "error"))
    elif api == "bot":
        # A failure before the first word is an ordinary HTTP error.
        if not fine:
            tally.check(label, reply.status >= 400
                        and isinstance(reply.json.get("detail"), str)
                        and (text == "" or not streaming), reply)
        else:
            tally.equal(label, (reply.status, reply.json),
                        (200, {"content": text}))
    elif streaming:
        got, end, last = read_messages_stream(reply)
        ok = (got, end) == (text, "done" if fine else "error")
        if ok and code:
            ok = last["code"] == code
        tally.check(label, ok, (got, end, last))
    elif fine:
        tally.check(label, reply.status == 200
                    and reply.json["answer"] == text, reply)
    else:
        tally.check(label, reply.status >= 400 and set(reply.json) >= {
            "code", "message", "status"} and code in (
                None, reply.json["code"]), reply)


# -- the fault list ------------------------------------------------------

def one_case(world, name, way, api, streaming):
    model, text, fine, calls, code = CASES[name]
    label = "%s, %s, %s API, %s" % (
        name, way, api, "streaming" if streaming else "blocking")
    asked = question(name)
    try:
        reply = world.ask(way, api, name, streaming, asked)
        check_reply(label, reply, api, streaming, text, fine, code)
        seen = [c for c in world.up.of(model) if c["question"] == asked]
        if calls is not None:
            tally.equal(label + ": calls", len(seen), calls)
        tally.check(label + ": the key", all(
            c["headers"].get("Authorization") == "Bearer " + CANARY
            for c in seen), seen)
    except Exception as e:  # noqa: BLE001: a broken reply is a failed case
        tally.check(label, False, e)


def cgi_cases():
    """Over CGI, a process a case, a sample of the shapes that changes by the
    day; the engine is the same.  LONG=1, from `make test-long`: all."""
    if os.environ.get("LONG"):
        return list(CASES)
    day = datetime.date.today().isoformat()
    print("shapes over CGI: sample of", day)
    shapes = [name for name in CASES if name.startswith("shape-")]
    return [name for name in CASES if name not in shapes] + random.Random(
        day).sample(shapes, 40)


def fault_list(world):
    cases = {"fcgi": list(CASES), "cgi": cgi_cases()}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for way, api, streaming in itertools.product(
                ("fcgi", "cgi"), ("bot", "messages"), (False, True)):
            for name in cases[way]:
                pool.submit(one_case, world, name, way, api, streaming)


def streams(world, n):
    """Many of them at once, streamed, over FastCGI."""
    before = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for i, name in zip(range(n), itertools.cycle(CASES)):
            pool.submit(one_case, world, name, "fcgi",
                        ("bot", "messages")[i % 2], True)
    print("%d streams over %d cases in %.1f s" % (
        n, len(CASES), time.monotonic() - before))


# -- fall-backs, trust, limits -------------------------------------------

def other_cases(world):
    for api in ("bot", "messages"):
        for streaming in (False, True):
            for name, text, fine in (
                    ("next", "w0 w1 ", True), ("too-late", "w0 ", False),
                    ("no-trust", "", False), ("trust", "w0 w1 w2 ", True),
                    ("unreachable", "", False), ("words", "w0 w1 w2 w3",
                                                 True)):
                check_reply("%s, %s API, %s" % (name, api, streaming),
                            world.ask("fcgi", api, name, streaming,
                                      question(name)),
                            api, streaming, text, fine, None)
    tally.equal("the refused certificate saw no call",
                [c["end"] for c in world.tls.calls], ["done"] * 4)


def surroundings(world):
    """What the environment and the client must not change."""
    d = world.d
    body = {"bot_slug": "plain", "stream": False, "prompt": "surroundings",
            "language": "x\r\nX-Evil: 1", "user_id": "u\r\nX-Evil: 2"}
    nowhere = "http://127.0.0.1:9"
    reply = d.cgi("POST", "/v1/chat", body, env={
        "http_proxy": nowhere, "HTTP_PROXY": nowhere, "all_proxy": nowhere,
        "ALL_PROXY": nowhere})
    tally.equal("a proxy of the environment is not used", reply.json,
                {"content": "w0 w1 w2 "})
    call = [c for c in world.up.calls if c["question"] == "surroundings"][0]
    tally.check("a client makes no header", not any(
        n.lower() == "x-evil" for n in call["headers"]), call["headers"])
    reply = world.ask("fcgi", "bot", "proxied", False, "by proxy?")
    call = [c for c in world.up.calls if c["question"] == "by proxy?"]
    tally.check("the engine's own proxy is used", len(call) == 1
                and call[0]["path"].startswith("http://model.invalid/v1/")
                and reply.status == 200, (reply, call))
    inside = b"inside: libcurl/" in subprocess.run(
        [os.path.join(d.build, "parlance"), "version"],
        capture_output=True, check=True).stdout
    for name, loaded in (("plain", not inside), ("local", False)):
        reply = d.cgi("POST", "/v1/chat", {
            "bot_slug": name, "stream": False, "prompt": "Who are you?"},
            env={"LD_DEBUG": "libs"})
        tally.equal("CGI, bot %s: is libcurl loaded" % name,
                    (reply.status, b"libcurl" in reply.stderr),
                    (200, loaded))


def prompts(world):
    """What the model is told: persona, passages, history, the caller."""
    first = world.ask("fcgi", "messages", "informed", False,
                      "When does the bicycle shop open?",
                      inputs={"city": "{{Oslo}}"}).json
    world.ask("fcgi", "messages", "informed", True, "And on Sundays?",
              conversation_id=first["conversation_id"])
    calls = world.up.of("tokens=2")
    said = [[m["role"] for m in c["body"]["messages"]] for c in calls[-2:]]
    tally.equal("roles", said, [["system", "user"], [
        "system", "user", "assistant", "user"]])
    system = calls[-2]["body"]["messages"][0]["content"]
    for part in ("You help in {{Oslo}}.", '<passage number="1" source="',
                 "opens at nine. </ passage>", "language: en.",
                 "at most 50 words."):
        tally.check("the prompt has: " + part, part in system, system)
    tally.equal("history", [m["content"] for m in calls[-1]["body"][
        "messages"]][1:], ["When does the bicycle shop open?", "w0 w1",
                           "And on Sundays?"])
    cited = first["metadata"]["retriever_resources"]
    tally.check("what was told is cited", cited and "opens at nine" in
                cited[0]["content"], first)
    world.d.fcgi("POST", "/v1/chat", {
        "bot_slug": "informed", "stream": False, "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "Bye"}]})
    tally.equal("the caller's own messages", [
        (m["role"], m["content"]) for m in world.up.of("tokens=2")[-1][
            "body"]["messages"][1:]],
        [("system", "Be brief."), ("user", "Hello"),
         ("assistant", "Yes?"), ("user", "Bye")])


def thoughts(world):
    """They are told only where that is wanted, and never sent back."""
    told = "<think>hidden plan</think>\n\none two"
    for name, answer in (("tagged", told), ("shape-think", "one two")):
        first = world.ask("fcgi", "messages", name, False,
                          question("thoughts")).json
        tally.equal("thoughts, %s: answer" % name, first["answer"], answer)
        asked = question("thoughts")
        world.ask("cgi", "messages", name, True, asked,
                  conversation_id=first["conversation_id"])
        call = world.up.of("shape=think", asked)[0]
        tally.equal("thoughts, %s: the next prompt" % name, [
            m["content"] for m in call["body"]["messages"]
            if m["role"] == "assistant"], ["one two"])
        kept = world.d.fcgi(
            "GET", "/v1/messages?user=u&conversation_id="
            + first["conversation_id"], key=world.keys[name]).json["data"]
        tally.equal("thoughts, %s: what is kept" % name,
                    [m["answer"] for m in kept], [answer] * 2)
        tally.check("thoughts, %s: they count" % name,
                    min(m["answer_tokens"] for m in kept) > 3, kept)
    asked = question("thoughts")
    world.d.fcgi("POST", "/v1/chat", {
        "bot_slug": "tagged", "stream": False, "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": told},
            {"role": "user", "content": asked}]})
    tally.equal("thoughts that a client sends back", [
        m["content"] for m in world.up.of("shape=think", asked)[0]["body"][
            "messages"]][1:], ["Hello", "one two", asked])


def no_second_post(world):
    """A connection that is used again and dies: libcurl would repeat."""
    again = 0
    for _ in range(20):
        world.ask("fcgi", "bot", "plain", False, question("plain"))
        asked = question("no-answer")
        reply = world.ask("fcgi", "bot", "no-answer", False, asked)
        calls = world.up.of("fault=no_answer", asked)
        tally.equal("one POST", (reply.status >= 500, len(calls)), (True, 1))
        again += calls[0]["port"] in [
            c["port"] for c in world.up.calls
            if c["end"] == "done" and c["question"] != asked]
    tally.check("connections were used again", again > 0, again)


def silence(world):
    """Pings at most ten seconds apart, also before the first token, and
    while the model thinks."""
    def one(name, api, ping):
        reply = world.ask("fcgi", api, name, True, question(name))
        head = reply.text.split("w0")[0]
        tally.check("%s, %s API: a ping before the first token" % (name, api),
                    head.count(ping) == 1, head)
        check_reply("%s, %s API" % (name, api), reply, api, True,
                    "w0 w1 w2 ", True, None)
    threads = [threading.Thread(target=one, args=(name, *a))
               for name in ("quiet", "pondering") for a in
               (("bot", ": ping\n\n"), ("messages", "event: ping\n\n"))]
    for t in threads:
        t.start()
    return threads


# -- leaving -------------------------------------------------------------

def open_stream(world, way, api, asked, user="u"):
    """Starts a long answer; returns (read some bytes, close)."""
    if api == "bot":
        uri, key = "/v1/chat", "demo-key"
        body = {"bot_slug": "long", "stream": True, "prompt": asked,
                "user_id": user}
    else:
        uri, key = "/v1/chat-messages", world.keys["long"]
        body = {"inputs": {}, "query": asked, "user": user,
                "response_mode": "streaming"}
    body, headers = world.d.encode(body, None)
    params = world.d.params("POST", uri, body, headers, key)
    if way == "fcgi":
        c = FastCGI(world.d.address)
        c.send(dict(params, FCGI_ROLE="RESPONDER"), body)
        return (lambda: c.socket.recv(65536)), c.close
    p = subprocess.Popen([os.path.join(world.d.build, "parlance.cgi")],
                         env=dict(world.d.env, **params),
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    p.stdin.write(body)
    p.stdin.close()

    def close():
        p.stdout.close()
        p.wait(60)
    return (lambda: os.read(p.stdout.fileno(), 65536)), close


def read_until(read, what, data=b""):
    while what not in data:
        piece = read()
        if not piece:
            raise EOFError("no %r in %r" % (what, data[-300:]))
        data += piece
    return data


def leave(world, way, api):
    # The machine may be busy with something else: the best of three.
    for _ in range(3):
        asked, user = question("leave"), str(next(numbers))
        read, close = open_stream(world, way, api, asked, user)
        read_until(read, b"w2 ")
        left = time.monotonic()
        close()
        call = [c for c in world.up.calls if c["question"] == asked][0]
        wait_until(lambda: call["ms"] is not None)
        late = call["start"] + (call["ms"] or 0) / 1000 - left
        if call["end"] != "gone" or late < 0.5:
            break
    tally.check("leaving, %s, %s API: cancelled" % (way, api),
                call["end"] == "gone" and late < 0.5, (call["end"], late))
    print("client left, %s, %s API: upstream call cancelled after %.1f ms"
          % (way, api, late * 1000))
    if api == "bot":
        day = time.strftime("%Y-%m-%d", time.gmtime())

        def words():
            return world.d.fcgi("POST", "/v1/user/usage-statistics", {
                "user_id": user, "start_date": day, "end_date": day}).json[
                    "total"]["response_words"]
        tally.check("leaving, %s: what was said is counted" % way,
                    wait_until(lambda: words() >= 3, 20) and
                    words() <= call["tokens"], (words(), call["tokens"]))
    else:
        row = stored(world, asked, user)
        tally.check("leaving, %s: the partial answer is stored" % way,
                    row and row["answer"].startswith("w0 w1 w2")
                    and row["status"] == "normal"
                    and row["answer_tokens"] > 0, row)


def estimates(world):
    """Which tokens were counted here is kept."""
    with sqlite3.connect("file:%s/parlance.db?mode=ro" % world.d.state,
                         uri=True) as db:
        kept = [db.execute("SELECT DISTINCT estimated FROM messages"
                           " WHERE query LIKE ?", [name + " %"]).fetchall()
                for name in ("plain", "no-usage", "leave", "stop")]
    tally.equal("estimates are marked", kept,
                [[(0,)], [(1,)], [(1,)], [(1,)]])


def stored(world, asked, user="u"):
    """The message with that question, when it has an answer."""
    key = world.keys["long"]

    def look():
        for c in world.d.fcgi("GET", "/v1/conversations?limit=100&user="
                              + user, key=key).json["data"]:
            for m in world.d.fcgi(
                    "GET", "/v1/messages?user=%s&conversation_id=%s"
                    % (user, c["id"]), key=key).json["data"]:
                if m["query"] == asked and m["answer"]:
                    return m
        return None
    return wait_until(look, 20)


def stop(world):
    """A stop request that lands in another process."""
    key = world.keys["long"]
    for _ in range(3):
        asked = question("stop")
        read, close = open_stream(world, "fcgi", "messages", asked)
        data = read_until(read, b"w2 ")
        task = json.loads(data[data.index(b'{"event"'):].split(b"\n")[0])[
            "task_id"]
        uri = "/v1/chat-messages/%s/stop" % task
        other = world.d.cgi("POST", uri, {"user": "somebody"}, key=key)
        tally.equal("stop by another user", (other.status, other.json),
                    (200, {"result": "success"}))
        time.sleep(0.6)
        data += read()
        tally.check("another user's stop does nothing",
                    b"message_end" not in data, data[-300:])
        before = time.monotonic()
        reply = world.d.cgi("POST", uri, {"user": "u"}, key=key)
        tally.equal("stop", (reply.status, reply.json),
                    (200, {"result": "success"}))
        read_until(read, b'"message_end"', data)
        took = time.monotonic() - before
        if took < 2.0:
            break
        close()
    print("stopped from another process after %.0f ms" % (took * 1000))
    tally.check("stopped soon", took < 2.0, took)
    call = [c for c in world.up.calls if c["question"] == asked][0]
    wait_until(lambda: call["end"])
    tally.equal("the upstream call is cancelled", call["end"], "gone")
    close()
    row = stored(world, asked)
    tally.check("the stopped answer is stored", row is not None
                and row["status"] == "normal", row)


def secrets(world):
    log = world.d.log("parlance.fcgi")
    everything = log.encode() + b"".join(world.seen + world.logged)
    tally.check("no log has a question", b"shape-finish-" not in
                everything.replace(b"shape=", b""), "")
    tally.check("the upstream's key is nowhere", CANARY.encode() not in
                everything, "")
    tally.check("no client is told an address", b"127.0.0.1" not in b"".join(
        world.seen), "")


def main():
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    world = World(sys.argv[1], 80 if many else 16)
    try:
        if many:
            streams(world, many)
            secrets(world)
            return
        waiting = silence(world)
        fault_list(world)
        other_cases(world)
        surroundings(world)
        prompts(world)
        thoughts(world)
        no_second_post(world)
        for way, api in itertools.product(("fcgi", "cgi"),
                                          ("bot", "messages")):
            leave(world, way, api)
        stop(world)
        estimates(world)
        for thread in waiting:
            thread.join()
        secrets(world)
    finally:
        world.close()


main()
tally.end()
