"""The request log and GET /metrics, over CGI and FastCGI together.

usage: observe_test.py BUILD
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, FastCGI, Tally, wait_until

BUILD = sys.argv[1]
tally = Tally()
CONF = """
[server]
demo = yes
%s
[bot first]
engine = recorded
[engine recorded]
kind = replay
recordings = recordings.json
"""
RECORDINGS = json.dumps({"recordings": [
    {"question": "quiet", "answer": ["a ", "b"], "pace_ms": 30000},
    {"question": "fault", "answer": [], "fault": "timeout"},
    {"answer": ["Hello", " CANARYANSWER"],
     "usage": {"prompt_tokens": 5, "completion_tokens": 2}}]})


def deployment(server, env=None):
    d = Deployment(BUILD, CONF % server, env)
    d.write("recordings.json", RECORDINGS)
    return d


def body(prompt="CANARYPROMPT", stream=False):
    return {"bot_slug": "first", "prompt": prompt, "user_id": "CANARYUSER",
            "stream": stream}


def messages(query="CANARYQUERY"):
    return {"inputs": {}, "query": query, "user": "CANARYUSER",
            "response_mode": "blocking"}


def fields(line):
    return {name: value.strip('"') for name, value in
            re.findall(r'(\w+)=("[^"]*"|\S+)', line)}


def log():
    with deployment("request_log = stderr") as d:
        process = d.start_fcgi()
        replies = [
            d.fcgi("POST", "/v1/chat", body()),
            d.fcgi("POST", "/v1/chat", body(stream=True)),
            d.fcgi("POST", "/v1/chat-messages", messages()),
            d.fcgi("POST", "/v1/chat", b"{CANARYBROKEN"),
            d.fcgi("GET", "/v1/CANARYPATH?CANARYQUERY=1"),
            d.fcgi("GET", "/v1/bots", key="CANARYKEY"),
            d.fcgi("CANARY\nM=1", "/v1/bots"),
        ]

        def logged():
            return [fields(line) for line in d.log("parlance.fcgi").split(
                "\n") if line.startswith("time=")]
        # Some are written after the reply.  The health checks of start_fcgi
        # do not come this far.
        wait_until(lambda: len(logged()) >= len(replies))
        ids = [r.headers["x-request-id"] for r in replies]
        lines = sorted(logged(), key=lambda line: (ids + [line["id"]]).index(
            line["id"]))
        tally.equal("one line for each request", len(lines), len(replies))
        for line, reply, api, route in zip(lines, replies, [
                "botapi", "botapi", "messagesapi", "botapi", None, "botapi",
                "botapi"], ["/v1/chat", "/v1/chat", "/v1/chat-messages",
                            "/v1/chat", "", "/v1/bots", None]):
            tally.equal("its id is the answer's", line["id"],
                        reply.headers["x-request-id"])
            tally.equal("its status", int(line["status"]), reply.status)
            tally.equal("its bytes", int(line["bytes"]), len(reply.body))
            if api is not None:
                tally.equal("its API", line["api"], api)
            if route is not None:
                tally.equal("its route", line["route"], route)
        tally.equal("a stream is marked", [l["stream"] for l in lines[:3]],
                    ["no", "yes", "no"])
        tally.equal("the key's name", lines[0]["key"], "demo")
        client = FastCGI(d.address)
        data, headers = d.encode(body("quiet", True), {})
        client.send(dict(d.params("POST", "/v1/chat", data, headers,
                                  "demo-key"), FCGI_ROLE="RESPONDER"), data)
        for kind, piece in client.records():
            if kind == 6 and b"data:" in piece:
                break
        client.close()
        wait_until(lambda: "client=gone" in d.log("parlance.fcgi"))
        text = d.log("parlance.fcgi")
        tally.check("a client that left", "client=gone" in text, text)
        for canary in ("CANARY", "demo-key"):
            tally.check("no words and no key: " + canary,
                        canary not in text, text)
        reply = d.cgi("POST", "/v1/chat", body())
        tally.check("the CGI program logs as well",
                    reply.stderr.count(b"\n") == 1 and reply.headers[
                        "x-request-id"].encode() in reply.stderr,
                    reply.stderr)
    with deployment("") as d:
        reply = d.cgi("POST", "/v1/chat", body())
        tally.equal("off by default", reply.stderr, b"")


def values(text):
    out = {}
    for line in text.strip().split("\n"):
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            out[name] = float(value)
    return out


def metrics():
    with deployment("") as d:
        tally.equal("off by default", d.cgi("GET", "/metrics").status, 404)
    with deployment("metrics = on") as d:
        process = d.start_fcgi()
        for _ in range(3):
            d.fcgi("POST", "/v1/chat", body())
        d.cgi("POST", "/v1/chat-messages", messages())
        d.cgi("POST", "/v1/chat", b"{")
        d.cgi("POST", "/v1/chat", body("fault"))
        clients = []
        for _ in range(2):
            data, headers = d.encode(body("quiet", True), {})
            client = FastCGI(d.address)
            client.send(dict(d.params("POST", "/v1/chat", data, headers,
                                      "demo-key"), FCGI_ROLE="RESPONDER"),
                        data)
            for kind, piece in client.records():
                if kind == 6 and b"data:" in piece:
                    break
            clients.append(client)
        reply = d.fcgi("GET", "/metrics", key=None)
        tally.equal("its type", reply.headers["content-type"],
                    "text/plain; version=0.0.4")
        v = values(reply.text)
        request = 'parlance_requests_total{api="%s",status="%d"}'
        tally.equal("200 of the bot API", v.get(request % ("botapi", 200)),
                    3)
        tally.equal("200 of the messages API",
                    v.get(request % ("messagesapi", 200)), 1)
        tally.equal("422 of the bot API", v.get(request % ("botapi", 422)),
                    1)
        tally.equal("tokens", (v['parlance_tokens_total{kind="prompt"}'] >=
                               20, v['parlance_tokens_total{kind='
                                     '"completion"}']), (True, 8))
        tally.equal("streams", v["parlance_streams_open"], 2)
        tally.equal("first tokens", v["parlance_first_token_seconds_count"],
                    6)
        tally.equal("engine errors", v[
            'parlance_engine_errors_total{kind="timeout"}'], 1)
        tally.check("store waits", v["parlance_store_wait_seconds_count"] >
                    0, v)
        tally.equal("the CGI program sees the same",
                    values(d.cgi("GET", "/metrics").text)[
                        request % ("botapi", 200)], 3)
        for line in reply.text.strip().split("\n"):
            if not re.match(r'(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+='
                            r'"[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+)$',
                            line):
                tally.check("the format", False, line)
        for client in clients:
            client.close()
        process.kill()
        process.wait()
        tally.equal("a killed process holds no streams", values(d.cgi(
            "GET", "/metrics").text)["parlance_streams_open"], 0)
    with deployment("metrics = on\nmetrics_token = t0ken\nname = x") as d:
        tally.equal("without the token", d.cgi("GET", "/metrics",
                                               key=None).status, 404)
        tally.equal("with another", d.cgi("GET", "/metrics",
                                          key="t0ke").status, 404)
        tally.equal("with the token", d.cgi("GET", "/metrics",
                                            key="t0ken").status, 200)
    with Deployment(BUILD, (CONF % "metrics = on").replace(
            "demo = yes", "")) as d:
        d.write("recordings.json", RECORDINGS)
        here = d.params
        d.params = lambda *a: dict(here(*a), REMOTE_ADDR="192.0.2.1")
        tally.equal("from elsewhere",
                    d.cgi("GET", "/metrics", key=None).status, 404)
        d.params = here
        tally.equal("from here", d.cgi("GET", "/metrics", key=None).status,
                    200)


log()
metrics()
tally.end()
