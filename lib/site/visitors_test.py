"""What a chat page may ask of its server, by the program and by
parlance.fcgi: whose page, which visitor, every limit, over processes and
addresses; that nobody sees another's words."""
import json
import os
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, FastCGI, Tally, wait_until  # noqa: E402

CONF = """[server]
durable = no
public_url = https://my.site/app
[engine recorded]
kind = replay
recordings = recordings.json
[bot help]
engine = recorded
[bot off]
engine = recorded
enabled = no
[bot faq]
knowledge = faq
[knowledge faq]
folder = faq
[site demo]
bot = help
visitor_requests_per_minute = 1000
[site other]
bot = help
[site visitor]
bot = help
visitor_requests_per_minute = 2
[site address]
bot = help
address_requests_per_hour = 3
[site day]
bot = help
requests_per_day = 2
[site tokens]
bot = help
tokens_per_day = 12
[site streams]
bot = help
streams = 3
[site short]
bot = help
question_length = 5
[site off]
bot = off
[site faq]
bot = faq
"""
RECORDINGS = {"recordings": [
    {"question": "slow", "answer": ["one ", "two"], "pace_ms": 60000},
    {"question": "fail", "answer": ["half"], "fault": "rate_limit",
     "message": "secret upstream words"},
    {"answer": ["Hello ", "there."]}]}
OWN = {"Sec-Fetch-Site": "same-origin"}
VISITOR = "x-parlance-visitor"


class Page:
    """A visitor's page of one site."""

    def __init__(self, ask, site="demo", address="203.0.113.9"):
        self.way, self.site, self.address = ask, site, address
        self.visitor, self.conversation = None, None

    def call(self, method, path, body=None, headers=None):
        headers = dict(OWN if headers is None else headers)
        if self.visitor:
            headers["X-Parlance-Visitor"] = self.visitor
        reply = self.way(method, "/chat/" + self.site + path, body, headers,
                         self.address)
        self.visitor = reply.headers.get(VISITOR, self.visitor)
        return reply

    def ask(self, question="Hi"):
        reply = self.call("POST", "/messages", {
            "question": question, "conversation_id": self.conversation})
        if reply.status == 200:
            self.conversation = reply.events()[0]["conversation_id"]
        return reply

    def shown(self):
        return [m["question"] for m in self.call(
            "GET", "/messages").json["messages"]]


def ways(d):
    """How a request comes in, with an address of the client's."""
    def cgi(method, uri, body, headers, address):
        return d.cgi(method, uri, body, headers, key=None,
                     env={"REMOTE_ADDR": address})

    def fcgi(method, uri, body, headers, address):
        body, headers = d.encode(body, headers)
        params = dict(d.params(method, uri, body, headers, None),
                      REMOTE_ADDR=address, FCGI_ROLE="RESPONDER")
        client = FastCGI(d.address)
        try:
            client.send(params, body or b"")
            return client.reply()
        finally:
            client.close()
    return {"CGI": cgi, "FastCGI": fcgi}


def code(reply):
    return [reply.status, reply.json["code"]]


def conversation(t, how, ask):
    page = Page(ask)
    reply = page.ask()
    events = reply.events()
    t.equal(how + ": the events", [reply.status, [e["event"] for e in events],
                                   "".join(e.get("answer", "")
                                           for e in events)],
            [200, ["message", "message", "message", "message_end"],
             "Hello there."])
    t.check(how + ": no tokens, no prices, no CORS", "usage" not in reply.text
            and "price" not in reply.text and
            "access-control-allow-origin" not in reply.headers and
            "set-cookie" not in reply.headers, reply.headers)
    page.ask("Again")
    t.equal(how + ": shown again", page.shown(), ["Hi", "Again"])
    t.equal(how + ": rated", page.call("POST", "/feedback", {
        "message_id": events[0]["message_id"], "rating": "like"}).status, 200)
    t.equal(how + ": and the rating is shown", page.call(
        "GET", "/messages").json["messages"][0]["rating"], "like")
    t.equal(how + ": taken back", page.call("POST", "/feedback", {
        "message_id": events[0]["message_id"], "rating": None}).status, 200)
    reply = page.ask("fail")
    t.check(how + ": an error in mid-stream, without upstream words",
            reply.stream_ends() == ["error"] and "secret" not in reply.text,
            reply)
    reply = page.call("DELETE", "/messages")
    t.equal(how + ": removed", [reply.status, reply.json["conversations"],
                                reply.json["messages"]], [200, 1, 3])
    t.equal(how + ": nothing is left", code(page.call("GET", "/messages")),
            [404, "conversation_not_found"])
    t.equal(how + ": going on with what is gone", code(page.ask("More")),
            [404, "conversation_not_found"])


def strangers(t, how, ask, key):
    """Two visitors, two sites, a key's client."""
    ann, ben = Page(ask), Page(ask)
    message = ann.ask("My secret").events()[0]
    ben.ask("Mine")
    ben.conversation = ann.conversation
    t.equal(how + ": another's conversation cannot be gone on with",
            code(ben.ask()), [404, "conversation_not_found"])
    t.equal(how + ": nor be seen", code(ben.call(
        "GET", "/messages?conversation_id=" + ann.conversation)),
        [404, "conversation_not_found"])
    t.equal(how + ": nor be rated", code(ben.call("POST", "/feedback", {
        "message_id": message["message_id"], "rating": "like"})),
        [404, "message_not_found"])
    t.equal(how + ": to remove it removes one's own", ben.call(
        "DELETE", "/messages").json["messages"], 1)
    t.equal(how + ": and leaves the other's", ann.shown(), ["My secret"])
    there = Page(ask, "other")
    there.visitor = ann.visitor
    t.equal(how + ": a visitor is one of his site's", code(there.call(
        "GET", "/messages")), [404, "conversation_not_found"])
    forged = Page(ask)
    forged.visitor = ann.visitor[:-1] + ("0" if ann.visitor[-1] != "0"
                                         else "1")
    t.equal(how + ": a token that we did not sign", code(forged.call(
        "GET", "/messages")), [404, "conversation_not_found"])
    visitor = ann.visitor.split(".")[1]
    key = {"Authorization": "Bearer " + key}
    listed = ask("GET", "/v1/conversations?user=" + visitor, None, key,
                 "127.0.0.1")
    t.equal(how + ": a key's client cannot name a visitor",
            [listed.status, listed.json["data"]], [200, []])
    refused = ask("GET", "/v1/messages?user=%s&conversation_id=%s" % (
        visitor, ann.conversation), None, key, "127.0.0.1")
    t.equal(how + ": nor read his conversation", refused.status, 404)
    t.check(how + ": a visitor cannot use the two APIs", all(
        ask(m, p, b, {"X-Parlance-Visitor": ann.visitor, **OWN},
            "203.0.113.9").status in (401, 403) for m, p, b in (
            ("GET", "/v1/conversations?user=" + visitor, None),
            ("POST", "/v1/chat", {"bot_slug": "help", "prompt": "x"}),
            ("POST", "/v1/chat-messages", {}))))


def pages(t, how, ask):
    """Whose page asks?"""
    body = {"question": "Hi"}
    for name, headers, status in (
            ("our own", {"Sec-Fetch-Site": "same-origin"}, 200),
            ("our own, by an old browser", {"Origin": "http://localhost"},
             200),
            ("our public address", {"Origin": "https://my.site"}, 200),
            ("another", {"Sec-Fetch-Site": "cross-site"}, 403),
            ("a sibling", {"Sec-Fetch-Site": "same-site"}, 403),
            ("a bookmark", {"Sec-Fetch-Site": "none"}, 403),
            ("another, by an old browser", {"Origin": "https://evil.example"},
             403),
            ("one that looks alike",
             {"Origin": "https://my.site.evil.example"}, 403),
            ("one without a name", {"Origin": "null"}, 403),
            ("nobody's", {}, 403),
            ("another that says ours as well",
             {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
             403)):
        reply = ask("POST", "/chat/demo/messages", body, headers,
                    "198.51.100.7")
        t.equal("%s: a question of %s page" % (how, name), reply.status,
                status)
        reply = ask("DELETE", "/chat/demo/messages", None, headers,
                    "198.51.100.7")
        t.equal("%s: a removal by %s page" % (how, name), reply.status,
                status)
    for kind, status in (("text/plain", 415), ("", 415),
                         ("application/json; charset=utf-8", 200),
                         ("application/x-www-form-urlencoded", 415)):
        reply = ask("POST", "/chat/demo/messages", json.dumps(body),
                    {**OWN, "Content-Type": kind}, "198.51.100.7")
        t.equal("%s: a body of %s" % (how, kind or "no type"), reply.status,
                status)
    reply = ask("OPTIONS", "/chat/demo/messages", None, {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST"}, "198.51.100.7")
    t.check(how + ": no CORS for other pages", reply.status == 405 and not
            [h for h in reply.headers if h.startswith("access-control")],
            reply.headers)


def bad_input(t, how, ask):
    def post(body, site="demo"):
        return ask("POST", "/chat/%s/messages" % site, body, OWN,
                   "198.51.100.8")
    for name, body in (("no JSON", "{"), ("a list", "[]"),
                       ("no question", "{}"), ("null", {"question": None}),
                       ("a number", {"question": 5}),
                       ("an empty question", {"question": ""}),
                       ("blanks", {"question": " \n\t"}),
                       ("NULs alone", {"question": "\0\0"})):
        t.equal("%s: %s" % (how, name), code(post(body)),
                [400, "bad_request"])
    t.equal(how + ": a question too long",
            code(post({"question": "123456"}, "short")),
            [400, "question_too_long"])
    t.equal(how + ": characters count, not bytes", post(
        {"question": "\U0001f600" * 5}, "short").status, 200)
    t.equal(how + ": a body beyond all measure", code(post(
        {"question": "x" * 100000}, "short")), [413, "question_too_long"])
    for value in ("x", "' OR 1=1 --", "00000000-0000-0000-0000-000000000000"):
        t.equal("%s: conversation %s" % (how, value), code(post(
            {"question": "Hi", "conversation_id": value})),
            [404, "conversation_not_found"])
    t.equal(how + ": a bot that is off", code(post({"question": "Hi"},
                                                   "off")),
            [503, "bot_unavailable"])
    page = ask("GET", "/chat/none", None, {
        "Accept": "text/html", "Accept-Language": "de"}, "198.51.100.8")
    t.check(how + ": an unknown site is a plain 404 page",
            page.status == 404 and page.type == "text/html" and
            "keinen Chat" in page.text, page)
    for path in ("/messages", "/feedback", "/stop"):
        t.equal(how + ": an unknown site's " + path, ask(
            "POST", "/chat/none" + path, {}, {**OWN, "Accept": "text/html"},
            "198.51.100.8").status, 404)
    t.equal(how + ": stopping what is not there", ask(
        "POST", "/chat/demo/stop",
        {"task_id": "00000000-0000-0000-0000-000000000000"}, OWN,
        "198.51.100.8").status, 200)


def limits(t, how, ask, base):
    """Each one; ids and addresses that a script would make."""
    def wait_of(reply):
        return int(reply.headers["retry-after"])

    page = Page(ask, "visitor", base + ".1")
    page.ask(), page.ask()
    reply = page.ask()
    t.check(how + ": a visitor's minute", code(reply) ==
            [429, "visitor_limit"] and 0 < wait_of(reply) <= 60, reply)
    t.equal(how + ": another visitor of the address still may",
            Page(ask, "visitor", base + ".1").ask().status, 200)
    for i in range(3):
        Page(ask, "address", base + ".2").ask()
    reply = Page(ask, "address", base + ".2").ask()
    t.check(how + ": an address's hour, whatever the visitor", code(reply) ==
            [429, "address_limit"] and 0 < wait_of(reply) <= 3600, reply)
    t.equal(how + ": refused ones cost nothing", [
        Page(ask, "address", base + ".2").ask().status,
        Page(ask, "address", base + ".3").ask().status], [429, 200])
    v6 = "2001:db8:%x:%x" % (len(how), 7)
    for i in range(3):
        Page(ask, "address", "%s::%x" % (v6, i + 1)).ask()
    t.equal(how + ": IPv6 counts by /64", [
        Page(ask, "address", v6 + "::ffff").ask().status,
        Page(ask, "address", v6[:-1] + "8::1").ask().status], [429, 200])


def site_limits(t, how, ask):
    """Of all visitors: once, whichever way they come."""
    seen = [code(r) if r.status != 200 else 200 for r in (
        Page(ask, "day", "192.0.2.%d" % i).ask() for i in range(4))]
    t.equal(how + ": the site's day", seen,
            [200, 200, [429, "site_limit"], [429, "site_limit"]])
    seen = [r.status for r in (
        Page(ask, "tokens", "192.0.2.%d" % i).ask() for i in range(20))]
    last = Page(ask, "tokens", "192.0.2.99").ask()
    t.check(how + ": the site's tokens", seen[0] == 200 and
            code(last) == [429, "site_limit"] and
            int(last.headers["retry-after"]) > 60, [seen, last])


def streams(t, d, asks):
    """One visitor has one answer at a time, all visitors some: so many
    processes, and no more, over both programs."""
    one = Page(asks["FastCGI"], "streams", "192.0.2.1")
    one.call("GET", "/messages")

    def slow(page):
        try:
            page.ask("slow")
        except EOFError:
            pass  # it ends with the responder
    pages_ = [one] + [Page(asks["FastCGI"], "streams", "192.0.2.%d" % i)
                      for i in (2, 3)]
    threads = [threading.Thread(target=slow, args=(p,)) for p in pages_]
    for thread in threads:
        thread.start()

    def running():
        db = sqlite3.connect(os.path.join(d.state, "parlance.db"))
        try:
            return [r[0] for r in db.execute("SELECT id FROM tasks")]
        finally:
            db.close()
    tasks = wait_until(lambda: len(running()) == 3 and running())
    t.check("three answers run", tasks, running())
    second = Page(asks["CGI"], "streams", "192.0.2.1")
    second.visitor = one.visitor
    t.equal("one visitor has one answer at a time",
            code(second.ask()), [429, "busy"])
    t.equal("all visitors have as many as the site allows",
            code(Page(asks["CGI"], "streams", "192.0.2.8").ask()),
            [429, "busy"])
    t.equal("another site still answers",
            Page(asks["CGI"], "other", "192.0.2.8").ask().status, 200)
    for task in tasks:
        Page(asks["CGI"], "streams").call("POST", "/stop",
                                          {"task_id": task})
    t.equal("nobody stops another's answer", len(running()), 3)
    for page, task in [(p, task) for p in pages_ for task in tasks]:
        stopper = Page(asks["CGI"], "streams")
        stopper.visitor = page.visitor
        stopper.call("POST", "/stop", {"task_id": task})
    # The new ones have no token before their answer: only the first stops.
    wait_until(lambda: len(running()) == 2)
    t.equal("one's own is stopped, by another process", len(running()), 2)
    return threads


def main():
    t = Tally()
    with Deployment(sys.argv[1], CONF) as d:
        d.write("recordings.json", json.dumps(RECORDINGS))
        d.write("faq/prices.md", "# Bells\n\nA bell costs 5 euros.\n")
        key, section = d.new_key("client")
        d.write("parlance.conf", CONF + section)
        d.start_fcgi(workers=16)
        asks = ways(d)
        for how, base in (("CGI", "203.0.113"), ("FastCGI", "198.18.0")):
            conversation(t, how, asks[how])
            strangers(t, how, asks[how], key)
            pages(t, how, asks[how])
            bad_input(t, how, asks[how])
            limits(t, how, asks[how], base)
        site_limits(t, "CGI", asks["CGI"])
        reply = Page(asks["FastCGI"], "faq").ask("What does a bell cost?")
        t.check("citations come with the end", reply.events()[-1]["metadata"]
                ["retriever_resources"][0]["content"].startswith("A bell"),
                reply.text[-600:])
        t.check("no address is stored", b"203.0.113." not in open(
            os.path.join(d.state, "parlance.db"), "rb").read())
        # Those that still run end with the responder.
        threads = streams(t, d, asks)
        d.processes[0].kill()
        for thread in threads:
            thread.join(60)
    t.end()


main()
