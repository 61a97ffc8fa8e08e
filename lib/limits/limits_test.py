"""Limits of keys and end users, from outside: sixty-four clients at once over
three processes on one database, and processes that are killed.  How many run
at once, and what a model counts: limits_crowd_test.py.

usage: limits_test.py BUILD
"""
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, FastCGI, Tally, wait_until

BUILD = sys.argv[1]
tally = Tally()
CONF = """
[server]
name = limits
[bot first]
engine = recorded
max_output_tokens = 2
[engine recorded]
kind = replay
recordings = recordings.json
"""
RECORDINGS = json.dumps({"recordings": [
    {"question": "slow", "answer": ["a ", "b"], "pace_ms": 300,
     "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    {"question": "quiet", "answer": ["a ", "b"], "pace_ms": 60000},
    {"answer": ["Hello", " world"],
     "usage": {"prompt_tokens": 1, "completion_tokens": 2}}]})


def open_deployment(limits):
    d = Deployment(BUILD, CONF)
    d.write("recordings.json", RECORDINGS)
    d.keys = {}
    conf = CONF
    for name, lines in limits.items():
        text, section = d.new_key(name, "bot = first", *lines)
        d.keys[name] = text
        conf += section
    d.write("parlance.conf", conf)
    return d


def start(d, n=2):
    """Several responders on one database; their addresses."""
    out = []
    for _ in range(n):
        name = os.path.join(d.folder, "fcgi%d.sock" % len(out))
        process = d.spawn(os.path.join(d.build, "parlance.fcgi"), "--socket",
                          name, "--workers", "64")
        d.wait_for(lambda: os.path.exists(name), "parlance.fcgi", process)
        out.append(name)
    return out


def body(api, question="hello", user="u", stream=False):
    if api == "bot":
        return "/v1/chat", {"bot_slug": "first", "prompt": question,
                            "user_id": user, "stream": stream}
    return "/v1/chat-messages", {
        "inputs": {}, "query": question, "user": user,
        "response_mode": "streaming" if stream else "blocking"}


def ask(d, address, key, api, **more):
    uri, data = body(api, **more)
    if address is None:
        return d.cgi("POST", uri, data, key=d.keys[key])
    import copy
    client = copy.copy(d)
    client.address = address
    return client.fcgi("POST", uri, data, key=d.keys[key])


def crowd(d, addresses, key, clients, each, **more):
    """What sixty-four clients get: {status: how often}, and the replies."""
    counts, replies, lock = {}, [], threading.Lock()

    def client(i):
        for j in range(each):
            api = "bot" if (i + j) % 2 else "messages"
            kind = dict(more)
            if "users" in kind:
                kind["user"] = "user%d" % (i % kind.pop("users"))
            reply = ask(d, addresses[i % len(addresses)], key, api, **kind)
            with lock:
                counts[reply.status] = counts.get(reply.status, 0) + 1
                replies.append((api, reply))
    threads = [threading.Thread(target=client, args=(i,))
               for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return counts, replies


def exact():
    with open_deployment({
            "minute": ["requests_per_minute = 50"],
            "users": ["user_requests_per_minute = 5"],
            "day": ["tokens_per_day = 100"]}) as d:
        addresses = start(d) + [None]
        counts, replies = crowd(d, addresses, "minute", 64, 2)
        tally.equal("of 128 requests by 64 clients over three processes",
                    counts, {200: 50, 429: 78})
        for api, reply in replies:
            if reply.status != 429:
                continue
            after = int(reply.headers.get("retry-after", 0))
            if not (1 <= after <= 60) or api == "messages" and \
                    reply.json["code"] != "too_many_requests" or \
                    api == "bot" and list(reply.json) != ["detail"]:
                tally.check("the form of a 429", False, reply)
                break
        else:
            tally.check("the form of a 429", True)
        counts, _ = crowd(d, addresses, "users", 64, 1, users=4)
        tally.equal("five for each of four users", counts,
                    {200: 20, 429: 44})
        # A turn uses 3 tokens and reserves as many: "hello" is one, the
        # longest answer two.
        counts, replies = crowd(d, addresses, "day", 64, 1)
        for _ in range(40):
            if counts.get(200, 0) >= 33:
                break
            more, _ = crowd(d, addresses, "day", 8, 1)
            for status, n in more.items():
                counts[status] = counts.get(status, 0) + n
        tally.equal("33 turns of 3 tokens in a day of 100",
                    counts.get(200), 33)
        reply = ask(d, addresses[0], "day", "bot")
        left = 86400 - time.time() % 86400
        tally.check("then none until midnight", reply.status == 429 and abs(
            int(reply.headers["retry-after"]) - left) < 5, reply)


def killed():
    """kill -9 gives the place back; what was reserved counts as used."""
    with open_deployment({"k": ["concurrent = 2", "tokens_per_day = 20"]}
                         ) as d:
        address = start(d, 1)[0]
        process = d.processes[-1]
        clients = []
        for api in ("bot", "messages"):
            uri, data = body(api, "quiet", stream=True)
            data, headers = d.encode(data, {})
            client = FastCGI(address)
            client.send(dict(d.params("POST", uri, data, headers,
                                      d.keys["k"]), FCGI_ROLE="RESPONDER"),
                        data)
            for kind, piece in client.records():
                if kind == 6 and b"data:" in piece:
                    break
            clients.append(client)
        reply = ask(d, None, "k", "bot")
        tally.equal("two are running", reply.status, 429)
        process.kill()
        process.wait()
        statuses = [ask(d, None, "k", "bot").status for _ in range(6)]
        # Two reserved 3 each; then 3 for each turn: 4 fit into 20.
        tally.equal("after kill -9", statuses,
                    [200, 200, 200, 200, 429, 429])
        for client in clients:
            client.close()


def left_early():
    """A client that leaves gives its place back at once."""
    with open_deployment({"k": ["concurrent = 1"]}) as d:
        address = start(d, 1)[0]
        for api in ("bot", "messages"):
            uri, data = body(api, "quiet", stream=True)
            data, headers = d.encode(data, {})
            client = FastCGI(address)
            client.send(dict(d.params("POST", uri, data, headers,
                                      d.keys["k"]), FCGI_ROLE="RESPONDER"),
                        data)
            for kind, piece in client.records():
                if kind == 6 and b"data:" in piece:
                    break
            tally.equal(api + ": one is running",
                        ask(d, address, "k", api).status, 429)
            client.close()
            # Long before the answer's end, and the first ping.
            tally.equal(api + ": its place is free", wait_until(lambda: ask(
                d, address, "k", api).status == 200, 8), True)


for test in (exact, killed, left_early):
    started = time.monotonic()
    test()
    print("%-12s %5.1f s" % (test.__name__, time.monotonic() - started))
tally.end()
