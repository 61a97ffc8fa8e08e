"""The chat page as visitors have it: in a real browser, on somebody's page,
behind each web server of fcgi/webservers.py with the files that people are
told to use.

usage: site_servers_test.py BUILD [SERVER...]

Screenshots go to BUILD/screenshots."""
import http.server
import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path[:0] = [HERE, os.path.join(TOP, "conformance", "servers"),
                os.path.join(TOP, "fcgi")]
from browser import Browser, available, free_port  # noqa: E402
from deployment import Deployment, Tally  # noqa: E402
from webservers import NAMES, WebServers  # noqa: E402

CONF = """[server]
demo = yes
state = %s
durable = no
[engine recorded]
kind = replay
recordings = recordings.json
[bot help]
name = Help desk
engine = recorded
greeting = Hello!
contact = shop@example.com
[site demo]
bot = help
origins = http://localhost:%d
visitor_requests_per_minute = 12
[site german]
bot = help
language = de
visitor_requests_per_minute = 1
"""
RECORDINGS = {"recordings": [
    {"question": "slow", "answer": ["w%d " % i for i in range(400)],
     "pace_ms": 100},
    {"question": "ticks", "answer": ["tick "] * 8, "pace_ms": 250},
    {"question": "break", "answer": ["half an ", "answer"], "pace_ms": 50,
     "fault": "rate_limit", "message": "secret"},
    {"answer": ["Hello **there**.", " <b>Not bold.</b>"]}]}
LAST = "[...document.querySelectorAll('.bot .text')].pop()"


def serve_page(port, urls):
    """A shop's page for each web server: /NAME."""
    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urls.get(self.path[1:], "")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(("<!DOCTYPE html><title>Shop</title><h1>Shop"
                              "</h1><script src=\"%s/chat/embed.js\" "
                              "data-site=\"demo\" data-open=\"yes\" defer>"
                              "</script>" % url).encode())

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Shop)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Session:
    def __init__(self, t, b, server):
        self.t, self.b, self.name = t, b, server.name
        self.url = server.url

    def check(self, what, ok, seen=""):
        self.t.check("%s: %s" % (self.name, what), ok, seen)

    def ask(self, question):
        self.b.type("#question", question)
        self.b.keys("enter")

    def over(self):
        self.b.wait_script("return turn === null", "the end", 60)

    def text(self):
        return self.b.script("const e = %s; return e ? e.textContent : ''"
                             % LAST)

    def told(self):
        return self.b.script("const p = document.querySelectorAll("
                             "'.problem'); return p.length ? "
                             "p[p.length - 1].textContent : ''")


def talk(s, b):
    b.open(s.url + "/chat/demo")
    s.ask("Hi")
    s.over()
    s.check("it answers", s.text() == "Hello there. <b>Not bold.</b>",
            [s.text(), s.told()])
    b.script("window.lengths = new Set(); window.timer = setInterval(() => "
             "lengths.add((%s || {textContent: ''}).textContent.length), 50)"
             % LAST)
    s.ask("ticks")
    s.over()
    seen = b.script("clearInterval(timer); return lengths.size")
    s.check("words come as they are said", seen >= 5, seen)
    b.click(".rate:last-child button")
    b.wait_script("return document.querySelector('[aria-pressed=true]') !== "
                  "null")
    b.reload()
    b.wait_script("return document.querySelectorAll('.you').length === 2",
                  "what was said")
    s.check("after a reload all stands there again", "tick" in s.text())
    s.check("the rating too", b.script(
        "return document.querySelectorAll('[aria-pressed=true]').length") ==
        1)
    s.ask("slow")
    b.wait_script("return document.querySelector('.bot:last-child .text')"
                  ".textContent.includes('w2')", "its third word")
    b.click("#stop")
    s.over()
    s.check("it stops when told to", "Stopped." in b.script(
        "return document.querySelector('.bot:last-child').textContent") and
        "w399" not in s.text(), s.text()[-100:])
    s.ask("break")
    s.over()
    s.check("an answer that broke off is told as such",
            "The answer broke off." in s.told() and
            "shop@example.com" in s.told() and "secret" not in s.told(),
            s.told())
    b.shot("server-" + s.name)


def apart(s, b):
    """Another visitor sees nothing of it; what is removed is gone."""
    kept = b.script("return Object.entries(localStorage)")
    b.script("localStorage.clear()")
    b.reload()
    b.wait_script("return document.querySelector('.bot') !== null")
    s.ask("Hi")
    s.over()
    mine = b.script("return memory.conversation")
    b.script("localStorage.clear(); for (const [k, v] of arguments[0]) "
             "localStorage.setItem(k, v)", kept)
    b.reload()
    b.wait_script("return document.querySelectorAll('.you').length === 4")
    status = b.script_async(
        "fetch(here + '/messages?conversation_id=' + arguments[0], {headers:"
        " {'X-Parlance-Visitor': memory.visitor}}).then((r) => "
        "arguments[1](r.status))", mine)
    s.check("two visitors do not see each other", status == 404, status)
    b.click("#fresh")
    s.ask("Hi")
    s.over()
    s.check("a new chat begins anew", b.script(
        "return document.querySelectorAll('.you').length") == 1)
    b.click("#delete")
    b.click("#yes")
    b.wait_script("return document.querySelectorAll('.you').length === 0 && "
                  "localStorage.length === 0", "the removal")
    s.check("what is removed is gone", True)


def embedded(s, b, shop):
    b.cdp("Page.addScriptToEvaluateOnNewDocument", source=(
        "{ const attach = Element.prototype.attachShadow; "
        "Element.prototype.attachShadow = function () { return window.shadow"
        " = attach.call(this, { mode: 'open' }); }; }"))
    b.events()
    b.open("http://localhost:%d/%s" % (shop, s.name))
    b.wait_script("return window.shadow && window.shadow.querySelector("
                  "'iframe') !== null", "the frame")
    b.frame_in("return window.shadow.querySelector('iframe')")
    b.wait_script("return typeof turn !== 'undefined' && "
                  "!byId('close').hidden")
    s.ask("Hi")
    s.over()
    s.check("it answers on somebody's page", s.text().startswith("Hello"),
            s.text() + s.told())
    b.frame(None)
    b.shot("server-embedded-" + s.name)
    others = [u for u in b.requests() if u.startswith("http") and
              not u.startswith(s.url) and
              not u.startswith("http://localhost:%d/" % shop)]
    s.check("no other host is asked", others == [], others)
    b.complaints()
    b.open("http://127.0.0.1:%d/%s" % (shop, s.name))
    b.wait_script("return window.shadow && window.shadow.querySelector("
                  "'iframe') !== null")
    b.wait(lambda: any("ancestor" in c for c in b.complaints()),
           "the refusal to frame it on another origin")
    s.check("another origin may not embed it", True)


def limited(s, b):
    b.open(s.url + "/chat/german")
    s.ask("Hi")
    s.over()
    s.ask("Hi")
    s.over()
    s.check("a limit is told in the visitor's language",
            "Bitte warten Sie" in s.told() and
            "shop@example.com" in s.told(), s.told())


def buffered(t, d, b):
    """A web server that holds streams back."""
    servers = WebServers(d, without=["server.stream-response-body = 1"])
    s = Session(t, b, servers.start("lighttpd-fcgi"))
    s.name = "a web server that buffers"
    b.open(s.url + "/chat/demo")
    s.ask("ticks")
    time.sleep(1)
    s.check("something says that an answer is looked for", b.script(
        "return document.querySelector('.dots') !== null && turn !== null"))
    s.over()
    s.check("then the whole answer", s.text() == "tick " * 8 and
            s.told() == "", [s.text(), s.told()])


def main():
    t = Tally()
    build, names = sys.argv[1], sys.argv[2:] or NAMES
    if not t.check("chromium and chromium-driver are installed", available()):
        t.end()
    shots = os.path.join(build, "screenshots")
    os.makedirs(shots, exist_ok=True)
    port = free_port()
    with Deployment(build, "") as d:
        d.write("parlance.conf", CONF % (d.state, port))
        d.write("recordings.json", json.dumps(RECORDINGS))
        servers = WebServers(d).start_all(names)
        shop = serve_page(port, {s.name: s.url for s in servers})
        for server in servers:
            with Browser(shots=shots) as b:
                s = Session(t, b, server)
                talk(s, b)
                apart(s, b)
                embedded(s, b, port)
                limited(s, b)
        shop.shutdown()
    with Deployment(build, "") as d:
        d.write("parlance.conf", CONF % (d.state, port))
        d.write("recordings.json", json.dumps(RECORDINGS))
        with Browser() as b:
            buffered(t, d, b)
    t.end()


main()
