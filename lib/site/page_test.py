"""The chat page in a real browser: by mouse, by keys alone, to a screen
reader, dark, on a phone, right to left, framed by other pages, where storage
is refused.  The page is the program's own, the answers come from a small
server of the test's.  Screenshots go to BUILD/screenshots."""
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "conformance",
                                   "servers")]
from browser import Browser, available, free_port  # noqa: E402
from deployment import Deployment, Tally  # noqa: E402
from site_mock import Mock, Reply, event, stream  # noqa: E402

AXE = "axe-core@4.10.3"
CONF = """[bot help]
name = Help desk
greeting = Hello! Ask me about **bicycles**.
contact = Write to shop@example.com or see https://example.com/contact
suggested_questions = How do I mend a tyre?
	What does a bell cost?
[site demo]
bot = help
origins = http://localhost:%d
privacy_url = https://example.com/privacy
%s
"""
ANSWER = """## Mending a tyre

You need **three** things:

1. a patch,
2. `glue`,
3. patience, see [the guide](https://guide.example/tyre).

| Part | Price |
|---|--:|
| Patch | 2.50 |

```
pump --to 4bar
```
"""
SOURCES = [{"document_name": "tyres.md", "content": "Take a patch.",
            "url": "https://my.site/texts/tyres.md"},
           {"document_name": "tyres.md", "content": "again"},
           {"document_name": "glue.txt", "content": "Glue sticks."}]
LANGUAGES = "en de fr es it pt ru ar hi zh ja ko".split()
FOCUS = "return document.activeElement.id || document.activeElement.className"


class Pages(http.server.BaseHTTPRequestHandler):
    """Somebody's web site: path -> (headers, HTML)."""
    pages = {}

    def do_GET(self):
        headers, html = self.pages.get(self.path, ({}, ""))
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(html.encode())

    def log_message(self, *_):
        pass


def page_of(d, language="en"):
    reply = d.cgi("GET", "/chat/demo", headers={"Accept-Language": language})
    return ({"Content-Security-Policy":
             reply.headers["content-security-policy"]}, reply.body)


def install_axe(t):
    folder = tempfile.mkdtemp(prefix="parlance-axe.")
    try:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-save",
             "--ignore-scripts", "--prefix", folder, AXE],
            capture_output=True, text=True, timeout=240)
        if not t.check("npm install " + AXE, done.returncode == 0,
                       done.stderr[-500:]):
            return None
        with open(os.path.join(folder, "node_modules", "axe-core",
                               "axe.min.js")) as f:
            return f.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def axe(t, b, source, what):
    if source is None:
        return
    b.script(source)
    found = b.script_async(
        "axe.run(document).then((r) => arguments[0](r.violations.map((v) => "
        "[v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + "
        "(n.failureSummary || '').slice(0, 300))])),"
        "(e) => arguments[0](String(e)))")
    t.equal("axe-core finds nothing: " + what, found, [])


def last(b, selector=".bot"):
    return b.script("const a = document.querySelectorAll(arguments[0]);"
                    "return a.length ? a[a.length - 1].textContent : ''",
                    selector)


def answered(b):
    b.wait_script("return turn === null && "
                  "document.querySelector('.rate, .problem') !== null")


def by_mouse(t, b, mock, source):
    b.open(mock.url + "/chat/demo")
    t.check("the greeting stands there", "bicycles" in last(b), last(b))
    axe(t, b, source, "a fresh page")
    b.shot("fresh")
    mock.answer = lambda a: stream(ANSWER, 30, SOURCES)
    b.script("window.said = []; new MutationObserver(() => { const s = "
             "document.getElementById('status').textContent; if (s) "
             "said.push(s); }).observe(document.getElementById('status'), "
             "{childList: true, characterData: true, subtree: true})")
    b.click(".chips button")
    answered(b)
    t.equal("a suggested question is asked", mock.asked[-1][0], {
        "question": "How do I mend a tyre?", "conversation_id": None})
    b.wait_script("return said.length >= 2", "the announcement")
    said = b.script("return said")
    t.check("the answer is announced once, when complete",
            len([s for s in said if "patience" in s]) == 1 and
            said[0].startswith("Looking for"), said)
    t.equal("sources stand once each", b.script(
        "return [...document.querySelectorAll('details li > :first-child')]"
        ".map((e) => e.textContent)"), ["tyres.md (my.site)", "glue.txt"])
    b.click("summary")
    axe(t, b, source, "an answer with its sources")
    b.shot("answer")
    b.click(".rate button")
    b.wait_script("return document.querySelector('.rate "
                  "[aria-pressed=true]') !== null")
    b.wait(lambda: mock.rated, "the rating")
    t.equal("thumbs up", mock.rated[-1]["rating"], "like")
    b.click(".rate button")
    b.wait(lambda: len(mock.rated) == 2, "the rating")
    t.equal("and taken back", mock.rated[-1]["rating"], None)
    b.type("#question", "And a bell?")
    b.click("#send")
    b.wait_script("return document.querySelectorAll('.rate').length === 2")
    body, headers = mock.asked[-1]
    t.equal("the conversation goes on", body["conversation_id"], "c1")
    t.equal("the visitor's id goes in a header of its own",
            headers.get("X-Parlance-Visitor"), "v1")
    t.check("no cookie, no key", "Cookie" not in headers and
            "Authorization" not in headers and
            b.script("return document.cookie") == "", headers)
    others = [u for u in b.requests() if u.startswith("http") and
              not u.startswith(mock.url + "/")]
    t.equal("no other host is asked", others, [])


def stays(t, b, mock, source):
    """Reload, new chat, delete."""
    mock.messages = [
        {"id": "m1", "question": "Old question", "answer": "Old **answer**",
         "status": "normal", "rating": "dislike", "citations": SOURCES},
        {"id": "m2", "question": "Another", "answer": "", "status": "error",
         "rating": None, "citations": []}]
    b.reload()
    b.wait_script("return document.querySelectorAll('.you').length === 2")
    t.check("what was said stands there again", "Old answer" in b.script(
        "return document.getElementById('log').textContent"))
    t.check("a failed turn is told",
            "did not work" in last(b, ".problem"), last(b, ".problem"))
    t.equal("the rating too", b.script(
        "return document.querySelector('[aria-pressed=true]').title"),
        "Not helpful")
    b.click("#fresh")
    t.equal("a new chat is empty",
            b.script("return document.querySelectorAll('.you').length"), 0)
    t.equal("and the question has the focus", b.script(FOCUS), "question")
    b.reload()
    b.wait_script("return document.querySelector('.chips') !== null")
    mock.answer = lambda a: stream("New.", 1)
    b.type("#question", "New question")
    b.keys("enter")
    answered(b)
    t.equal("it is a new conversation", mock.asked[-1][0]["conversation_id"],
            None)
    b.click("#delete")
    axe(t, b, source, "the dialogue")
    b.shot("delete")
    t.equal("the harmless button has the focus", b.script(FOCUS), "no")
    b.keys("escape")
    t.equal("Escape keeps it",
            [mock.removed, b.script("return byId('ask').open")], [0, False])
    b.wait_script("return document.activeElement.id === 'delete'",
                  "the focus to return")
    b.keys("enter")
    b.wait_script("return byId('ask').open")
    b.keys("tab", "enter")
    b.wait(lambda: mock.removed == 1, "the removal")
    b.wait_script("return document.querySelectorAll('.you').length === 0")
    t.equal("nothing is kept", b.script("return localStorage.length"), 0)


def keys_alone(t, b, mock):
    b.open(mock.url + "/chat/demo")
    mock.answer = lambda a: list(stream("One moment", 1, end=False)) + \
        [20.0] + list(stream(" later"))
    t.equal("the question has the focus", b.script(FOCUS), "question")
    b.keys(*"Why")
    b.keys("shift+enter")
    b.keys(*"not")
    t.equal("Shift and Enter is a new line",
            b.script("return question.value"), "Why\nnot")
    b.keys("enter")
    b.wait_script("return document.querySelector('.bot:last-child .text')"
                  ".textContent.includes('One moment')")
    t.equal("the log is busy meanwhile",
            b.script("return log.getAttribute('aria-busy')"), "true")
    b.shot("working")
    mock.answer = lambda a: stream("Done.")
    b.keys("escape")
    b.wait_script("return turn === null", "the stop")
    t.equal("Escape stops", mock.stopped[-1], {"task_id": "t1"})
    t.check("it is told", "Stopped." in last(b, ".bot"), last(b, ".bot"))
    t.equal("the focus returns", b.script(FOCUS), "question")
    seen = []
    for _ in range(12):
        b.keys("tab")
        seen.append(b.script(FOCUS))
    t.check("everything is reached by keys", {"log", "fresh", "question"} <=
            set(seen), seen)
    b.script("question.focus()")
    b.type("#question", "x" * 1001)
    t.check("a question too long is told before it is sent",
            "1001" in b.script("return byId('count').textContent") and
            b.script("return byId('send').disabled"))
    before = len(mock.asked)
    b.keys("enter")
    t.equal("and is not sent", len(mock.asked), before)
    b.script("question.value = ''; count()")


def looks(t, b, mock, d, source):
    def overflow():
        return b.script("return document.documentElement.scrollWidth - "
                        "document.documentElement.clientWidth")

    def small():
        return b.script(
            "return [...document.querySelectorAll('button, textarea, "
            "summary')].filter((e) => { const r = e.getBoundingClientRect();"
            "return r.width > 0 && (r.width < 44 || r.height < 44); })"
            ".map((e) => e.outerHTML.slice(0, 100))")

    mock.answer = lambda a: stream(ANSWER, 3, SOURCES)
    for name, width, height, media in (
            ("phone", 360, 640, {}), ("small phone", 320, 480, {}),
            ("dark", 900, 760, {"prefers_color_scheme": "dark"}),
            ("zoomed to 200 %", 450, 380, {})):
        b.resize(width, height, width < 400)
        b.media(**media)
        b.open(mock.url + "/chat/demo")
        b.type("#question", "How?")
        b.keys("enter")
        answered(b)
        b.click("summary")
        t.equal("%s: nothing sticks out" % name, overflow(), 0)
        t.equal("%s: everything is 44 px" % name, small(), [])
        axe(t, b, source, name)
        b.script("log.scrollTop = 0")
        b.shot(name.replace(" ", "-").replace("-%", ""))
    b.resize(900, 760)
    b.media(prefers_reduced_motion="reduce")
    b.script("document.body.insertAdjacentElement('beforeend', "
             "element('div', 'dots')).appendChild(element('i'))")
    t.equal("nothing moves when that is wished", b.script(
        "return getComputedStyle(document.querySelector('.dots i'))"
        ".animationName"), "none")
    b.media()
    t.check("no zoom when the question gets the focus", b.script(
        "return parseFloat(getComputedStyle(question).fontSize)") >= 16)


def colors(t, b, mock, port, build, source):
    for color in ("#ffe600", "#777777", "#d0006f"):
        with Deployment(build, CONF % (port, "color = " + color)) as d:
            mock.page = page_of(d)
        b.open(mock.url + "/chat/demo")
        mock.answer = lambda a: stream("Yes.", 1)
        b.type("#question", "Is it readable?")
        b.keys("enter")
        answered(b)
        axe(t, b, source, "in " + color)
        t.check("the owner's colour is there", b.script(
            "return getComputedStyle(document.querySelector('header'))"
            ".backgroundColor") != "rgb(27, 94, 140)")


def languages(t, b, mock, d, source):
    for language in LANGUAGES:
        mock.page = page_of(d, language)
        mock.answer = lambda a: Reply(429, {"code": "visitor_limit"},
                                      headers=[("Retry-After", "30")])
        b.open(mock.url + "/chat/demo")
        b.type("#question", "?")
        b.keys("enter")
        answered(b)
        text = b.script("return document.documentElement.lang + ' ' + "
                        "document.body.innerText")
        t.check("%s: every word is there" % language,
                text.startswith(language) and "undefined" not in text and
                "{wait}" not in text and "30" in last(b, ".problem"),
                last(b, ".problem"))
        t.equal("%s: nothing sticks out on a phone" % language, b.script(
            "return document.documentElement.scrollWidth - innerWidth") <= 0,
            True)
        b.shot("language-" + language)
        if language == "ar":
            axe(t, b, source, "Arabic")
            mock.answer = lambda a: stream("An English answer.\n\n"
                                           "\u0645\u0631\u062d\u0628\u0627")
            b.type("#question", "How?")
            b.keys("enter")
            b.wait_script("return document.querySelector('.rate') !== null")
            t.equal("right to left by message", b.script(
                "return [...document.querySelectorAll('.bot:last-child "
                ".text > *')].map((e) => getComputedStyle(e).direction)"),
                ["ltr", "rtl"])
            b.shot("arabic")


def framed(t, b, mock, port, d, source):
    """On other people's pages."""
    line = ("<script src=\"%s/chat/embed.js\" data-site=\"demo\" "
            "data-label=\"Ask us\" defer></script>" % mock.url)
    page = ("<!DOCTYPE html><meta name=viewport content='width=device-width'>"
            "<title>Shop</title><h1>Shop</h1>%s<p>Bells.")
    strict = ("default-src 'none'; script-src %s; frame-src %s; "
              "style-src 'none'" % (mock.url, mock.url))
    tag = ("<script>const s = document.createElement('script'); s.src = "
           "'%s/chat/embed.js'; s.dataset.site = 'demo'; "
           "s.dataset.open = 'yes'; document.head.appendChild(s);</script>"
           % mock.url)
    Pages.pages = {"/plain": ({}, page % line),
                   "/strict": ({"Content-Security-Policy": strict},
                               page % line),
                   "/tag": ({}, page % tag)}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ours = "http://localhost:%d" % port
    root = ("window.shadow = null; const attach = "
            "Element.prototype.attachShadow; Element.prototype.attachShadow ="
            " function (o) { return window.shadow = attach.call(this, "
            "{ mode: 'open' }); };")
    script = b.cdp("Page.addScriptToEvaluateOnNewDocument", source=root)
    try:
        for path in ("/plain", "/strict"):
            mock.answer = lambda a: stream("Bells cost 5.", 2)
            b.open(ours + path)
            b.complaints()
            button = "return window.shadow.querySelector('button')"
            b.wait_script("return window.shadow !== null")
            t.equal("%s: the button says what it is" % path, b.script(
                button + ".textContent"), "Ask us")
            t.equal("%s: no frame before it is wanted" % path, b.script(
                "return window.shadow.querySelector('iframe')"), None)
            b.script(button + ".focus()")
            b.keys("enter")
            b.wait_script("return window.shadow.querySelector('iframe') !== "
                          "null && document.activeElement !== document.body")
            b.frame_in("return window.shadow.querySelector('iframe')")
            b.wait_script("return typeof turn !== 'undefined' && "
                          "!byId('close').hidden")
            b.wait_script("return document.activeElement.id === 'question'",
                          path + ": the focus in the frame")
            b.keys(*"Bell?")
            b.keys("enter")
            answered(b)
            t.check("%s: it answers within the frame" % path,
                    "Bells cost 5." in last(b), last(b))
            if path == "/plain":
                axe(t, b, source, "in a frame")
            b.shot("embedded" + path.replace("/", "-"))
            headers = mock.asked[-1][1]
            t.equal("%s: the frame asks its own host" % path,
                    [headers["Origin"], headers.get("Sec-Fetch-Site")],
                    [mock.url, "same-origin"])
            b.keys("escape")
            b.frame(None)
            b.wait_script(button + ".getAttribute('aria-expanded') === "
                          "'false'", path + ": Escape to close")
            b.wait_script("return window.shadow.activeElement === "
                          "window.shadow.querySelector('button')",
                          path + ": the focus to return")
            # What is not from the frame is nothing.
            b.script(button + ".click()")
            b.script("postMessage({parlance: 'close'}, '*')")
            b.script("const f = document.createElement('iframe'); "
                     "document.body.append(f); f.contentWindow.eval("
                     "\"parent.postMessage({parlance: 'close'}, '*')\")"
                     if path == "/plain" else "")
            t.equal("%s: only the frame may close it" % path, b.script_async(
                "setTimeout(() => arguments[0](window.shadow.querySelector("
                "'button').getAttribute('aria-expanded')), 100)"), "true")
            t.equal("%s: the page's own policy has nothing to say" % path,
                    [c for c in b.complaints() if "Refused" in c or
                     "violates" in c], [])
        b.open(ours + "/tag")
        b.wait_script("return window.shadow !== null && window.shadow."
                      "querySelector('iframe') !== null")
        t.check("a tag manager's script finds itself, and opens", True)
        b.resize(360, 640, True)
        b.open(ours + "/plain")
        b.wait_script("return window.shadow !== null")
        b.script("window.shadow.querySelector('button').click()")
        t.equal("on a phone it fills the screen", b.script(
            "const r = window.shadow.querySelector('iframe')"
            ".getBoundingClientRect(); return [r.width, r.height]"),
            [360, 640])
        b.shot("embedded-phone")
        b.resize(900, 760)
        # Another origin: the browser does not show it.
        b.open("http://127.0.0.1:%d/plain" % port)
        b.wait_script("return window.shadow !== null")
        b.complaints()
        b.script("window.shadow.querySelector('button').click()")
        b.wait(lambda: any("frame-ancestors" in c or "Framing" in c
                           for c in b.complaints()),
               "the browser to refuse another page's frame")
        t.check("another page may not frame it", True)
    finally:
        b.cdp("Page.removeScriptToEvaluateOnNewDocument",
              identifier=script["identifier"])
        server.shutdown()


def refused_storage(t, b, mock):
    script = b.cdp(
        "Page.addScriptToEvaluateOnNewDocument", source="for (const n of "
        "['localStorage', 'sessionStorage']) Object.defineProperty(window, n,"
        " { get() { throw new DOMException('no', 'SecurityError'); } });")
    try:
        mock.answer = lambda a: stream("Yes.", 1)
        b.open(mock.url + "/chat/demo")
        for _ in range(2):
            b.script("question.focus()")
            b.keys(*"Hm?")
            b.keys("enter")
            b.wait_script("return turn === null && question.value === ''")
        t.equal("without storage the visitor stays in memory",
                [mock.asked[-1][1].get("X-Parlance-Visitor"),
                 mock.asked[-1][0]["conversation_id"]], ["v1", "c1"])
    finally:
        b.cdp("Page.removeScriptToEvaluateOnNewDocument",
              identifier=script["identifier"])


def main():
    t = Tally()
    build = sys.argv[1]
    if not t.check("chromium and chromium-driver are installed", available()):
        t.end()
    shots = os.path.join(build, "screenshots")
    os.makedirs(shots, exist_ok=True)
    source = install_axe(t)
    port = free_port()
    with Deployment(build, CONF % (port, "")) as d:
        mock = Mock(page_of(d), {"/chat/embed.js": Reply(
            200, d.cgi("GET", "/chat/embed.js").body,
            "text/javascript; charset=utf-8")})
        try:
            with Browser(shots=shots) as b:
                by_mouse(t, b, mock, source)
                stays(t, b, mock, source)
                keys_alone(t, b, mock)
                looks(t, b, mock, d, source)
                framed(t, b, mock, port, d, source)
                refused_storage(t, b, mock)
                languages(t, b, mock, d, source)
                colors(t, b, mock, port, build, source)
        finally:
            mock.close()
    t.end()


main()
