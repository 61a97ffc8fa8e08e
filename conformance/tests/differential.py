"""Sends the same generated requests to the peer (servers/peer, FastAPI
and pydantic themselves) and to our programs, and compares the answers.

    differential.py BUILD [--fcgi N] [--cgi N] [--http N] [--seed SEED]

Compared: the status; the headers content-type, allow, location,
www-authenticate; that there is an x-request-id, and that content-length is
right; the body of every refusal and list byte for byte; of chats what is
said (both are made to give the same answer) and the form of a stream; of
statistics the words sent and answered, by user and day.
"""
import argparse
import asyncio
import collections
import http.client
import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "conformance", "servers"),
                os.path.join(TOP, "conformance", "servers", "peer")]
import deployment  # noqa: E402
import grammar  # noqa: E402
import app as peer  # noqa: E402

CONF = """[server]
demo = yes
[engine canned]
kind = replay
recordings = canned.json
[bot demo]
uid = EDf826b8-1b75-4f57-bd26-641c897f9c1e
name = Demo
model = canned-1
engine = canned
"""
CANNED = json.dumps({"recordings": [
    {"answer": re.findall(r"\s*\S+", peer.ANSWER)}]})
NAMED = ("content-type", "allow", "location", "www-authenticate")
STREAM = re.compile(r'data: \{"content":""\}\n\n'
                    r'(data: \{"content":"[^\n]+"\}\n\n)+data: \[DONE\]\n\n')
FIXED_SEED = 20230102
SHOWN = 10


def header_bytes(text):
    return text.encode("utf-8", "surrogateescape")


class Peer:
    """The ASGI application, called in this process."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def ask(self, q):
        return self.loop.run_until_complete(self.call(q))

    async def call(self, q):
        raw = urllib.parse.quote(q.path, safe="/%")
        scope = {
            "type": "http", "asgi": {"version": "3.0"},
            "http_version": "1.1", "method": q.method, "scheme": "http",
            "path": urllib.parse.unquote(q.path), "raw_path": raw.encode(),
            "query_string": header_bytes(q.query), "root_path": "",
            # As an HTTP server hands them over: without outer blanks.
            "headers": [(n.encode(), header_bytes(v.strip(" \t")))
                        for n, v in q.headers.items()],
            "server": ("localhost", 80), "client": ("127.0.0.1", 1)}
        got = {"body": b""}
        asked = [False]

        async def receive():
            if not asked[0]:
                asked[0] = True
                return {"type": "http.request", "body": q.body,
                        "more_body": False}
            await asyncio.sleep(3600)

        async def send(message):
            if message["type"] == "http.response.start":
                got["status"] = message["status"]
                got["headers"] = {
                    n.decode().lower(): v.decode("latin-1")
                    for n, v in message["headers"]}
            elif message["type"] == "http.response.body":
                got["body"] += message.get("body", b"")
        await peer.app(scope, receive, send)
        if q.method == "HEAD":
            got["body"] = b""
        return deployment.Reply(got["status"], got["headers"], got["body"])


def params(q):
    """The request as CGI meta-variables."""
    out = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
           "SERVER_NAME": "localhost", "SERVER_PORT": "80",
           "REMOTE_ADDR": "127.0.0.1", "REQUEST_METHOD": q.method,
           "REQUEST_URI": q.path + ("?" + q.query if q.query else ""),
           "QUERY_STRING": q.query, "SCRIPT_NAME": "",
           "PATH_INFO": urllib.parse.unquote(q.path),
           "CONTENT_LENGTH": str(len(q.body))}
    for name, value in q.headers.items():
        name = name.upper().replace("-", "_")
        out[name if name == "CONTENT_TYPE" else "HTTP_" + name] = value
    return out


class ByFastCGI:
    def __init__(self, d):
        self.d = d
        d.start_fcgi(workers=2)

    def ask(self, q):
        client = deployment.FastCGI(self.d.address)
        try:
            client.send(dict(params(q), FCGI_ROLE="RESPONDER"), q.body)
            return client.reply()
        finally:
            client.close()


class ByCGI:
    def __init__(self, d):
        self.d = d
        self.program = os.path.join(d.build, "parlance.cgi")
        self.env = {n: v for n, v in d.env.items()
                    if n.startswith("PARLANCE_")}

    def ask(self, q):
        done = subprocess.run([self.program], input=q.body,
                              env=dict(self.env, **params(q)),
                              capture_output=True, timeout=60)
        return deployment.parse_cgi(done.stdout, done.stderr)


class ByHTTP:
    """Through lighttpd, to parlance.fcgi."""

    METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")

    def __init__(self, d):
        self.d = d
        d.start_lighttpd()

    def fit(self, q):
        """The request as a web server can carry it; None when it cannot."""
        if q.method not in self.METHODS:
            return None
        q.path = urllib.parse.quote(q.path, safe="/%")
        q.query = urllib.parse.quote(q.query, safe="%=&?+,;:@!$'()*~/")
        # lighttpd takes the scheme's own port off the Host header.
        q.headers["host"] = re.sub(":80$", "", q.headers["host"])
        if "%zz" in q.query or q.query.endswith("%"):
            return None
        return q

    def ask(self, q):
        client = http.client.HTTPConnection("127.0.0.1", self.d.port,
                                            timeout=60)
        try:
            target = q.path + ("?" + q.query if q.query else "")
            client.putrequest(q.method, target, skip_host=True,
                              skip_accept_encoding=True)
            for name, value in q.headers.items():
                client.putheader(name, value)
            if q.body or q.method not in ("GET", "HEAD"):
                client.putheader("Content-Length", str(len(q.body)))
            client.endheaders(q.body or None)
            reply = client.getresponse()
            return deployment.Reply(
                reply.status, {n.lower(): v for n, v in reply.getheaders()},
                reply.read())
        finally:
            client.close()


def comparable(statistics):
    """With 0 for what each server measures by itself, tokens and what it
    adds to a prompt; with the totals taken apart."""
    for counts in [statistics["total"]] + statistics["items"]:
        for unit in "tokens", "words":
            parts = [counts[part + "_" + unit]
                     for part in ("original", "enchancement", "response")]
            if counts["total_" + unit] != sum(parts) or min(parts) < 0:
                raise ValueError("a total is not the sum of its parts")
            counts["total_" + unit] = counts["enchancement_" + unit] = 0
        counts["original_tokens"] = counts["response_tokens"] = 0
    return statistics


def answer_fault(q, theirs, ours):
    """What is wrong with a 200."""
    if ours.type == "text/event-stream":
        if not STREAM.fullmatch(ours.body.decode("utf-8")):
            return "not a stream"
        said = ["".join(event["content"] for event in reply.events()[:-1])
                for reply in (theirs, ours)]
        return None if said[0] == said[1] else "other answer"
    if urllib.parse.unquote(q.path).endswith("statistics"):
        if comparable(ours.json) != comparable(theirs.json):
            return "other statistics"
        return None
    return None if ours.body == theirs.body else "other body"


def fault(q, theirs, ours):
    """None, or in what the two answers differ."""
    if ours.status != theirs.status:
        return "status"
    for name in NAMED:
        if ours.headers.get(name) != theirs.headers.get(name):
            return name
    if not re.fullmatch("[0-9a-f]{32}", ours.headers.get("x-request-id", "")):
        return "x-request-id"
    length = ours.headers.get("content-length")
    if length is not None and int(length) != len(ours.body) and \
            q.method != "HEAD":
        return "content-length"
    if ours.status == 200:
        return answer_fault(q, theirs, ours)
    return None if ours.body == theirs.body else "body"


def show(q, what, theirs, ours):
    print("DIFFERENT %s\n  request %.1500r\n  peer %s %.600r\n"
          "  ours %s %.600r" % (what, q, theirs.status, theirs.body,
                                ours.status, ours.body), flush=True)
    for name in NAMED:
        if theirs.headers.get(name) != ours.headers.get(name):
            print("  %s: peer %r, ours %r" % (
                name, theirs.headers.get(name), ours.headers.get(name)))


def long_bodies():
    """Bodies at the size limit, and hostile ones of 1 MB."""
    headers = {"host": "oracle.test", "authorization": grammar.GOOD_KEY}
    full = 1048576

    def filled(begin, piece, end):
        times = (full - len(begin) - len(end)) // len(piece)
        text = begin + piece * times + end
        return text + b" " * (full - len(text))
    for body in (filled(b"{}", b" ", b""), filled(b"{} ", b" ", b"") + b" ",
                 filled(b"[", b"1,", b"1]"), filled(b"[", b"[],", b"[]]"),
                 b'{"messages":[' + b'"",' * 4000 + b"1]}",
                 filled(b'{"prompt":"', b"\\n", b'"}'),
                 filled(b'["', b"\xd0\xb6", b"")):
        yield grammar.Request("POST", "/v1/chat", "", headers, body)


class Run:
    def __init__(self):
        self.peer = Peer()
        self.same = self.different = 0
        self.statuses = collections.Counter()

    def one(self, target, q):
        theirs = self.peer.ask(q)
        try:
            ours = target.ask(q)
        except (ValueError, EOFError, http.client.HTTPException) as e:
            ours = deployment.Reply(0, {}, str(e).encode())
        self.statuses[theirs.status] += 1
        try:
            what = fault(q, theirs, ours)
        except (ValueError, KeyError) as e:
            what = repr(e)
        if what is None:
            self.same += 1
            return
        self.different += 1
        if self.different <= SHOWN:
            show(q, what, theirs, ours)

    def many(self, name, target, count, seed):
        begin, before = time.monotonic(), self.different
        g = grammar.Grammar(seed)
        for _ in range(count):
            q = g.request()
            if hasattr(target, "fit"):
                q = target.fit(q)
            if q is not None:
                self.one(target, q)
        seconds = max(time.monotonic() - begin, 0.001)
        print("%s, seed %d: %d requests, %.0f a second, %d different" % (
            name, seed, count, count / seconds, self.different - before),
            flush=True)


def main(argv=None):
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--fcgi", type=int, default=100000)
    p.add_argument("--cgi", type=int, default=1000)
    p.add_argument("--http", type=int, default=1000)
    p.add_argument("--seed", type=int)
    args = p.parse_args(argv)
    fresh = random.SystemRandom().randrange(1 << 32)
    seeds = [FIXED_SEED, fresh] if args.seed is None else [args.seed]
    d = deployment.Deployment(args.build, CONF)
    run = Run()
    try:
        d.write("canned.json", CANNED)
        by_fastcgi = ByFastCGI(d)
        for q in itertools.chain(long_bodies(),
                                 grammar.broken_at_every_position()):
            run.one(by_fastcgi, q)
        print("large, and broken at every position: %d requests, %d "
              "different" % (run.same + run.different, run.different))
        for seed in seeds:
            run.many("fcgi", by_fastcgi, args.fcgi // len(seeds), seed)
            run.many("cgi", ByCGI(d), args.cgi // len(seeds), seed + 1)
        if args.http > 0:
            by_http = ByHTTP(d)
            for seed in seeds:
                run.many("lighttpd", by_http, args.http // len(seeds),
                         seed + 2)
    finally:
        d.close()
    print("statuses: " + ", ".join("%d %d times" % pair for pair in
                                   sorted(run.statuses.items())))
    print("%d passed, %d failed" % (run.same, run.different))
    return 0 if run.different == 0 and run.same > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
