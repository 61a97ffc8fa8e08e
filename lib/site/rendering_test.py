"""What the chat page makes of answers, in a real browser: hostile ones
(fixtures/site/hostile*.json) that must neither run nor load anything; streams
that are cut anywhere; ends that are none.  The page is the program's own, the
answers come from a small server of the test's (site_mock.py)."""
import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path[:0] = [HERE, os.path.join(TOP, "conformance", "servers")]
from browser import Browser, available  # noqa: E402
from deployment import Deployment, Tally  # noqa: E402
from site_mock import Mock, Reply, event, stream  # noqa: E402

# What may stand below an answer, and nothing else.
CHECK = """
const names = new Set("P UL OL LI STRONG EM CODE PRE TABLE THEAD TBODY TR TH TD A BDI HR DIV".split(" "));
const attributes = new Set(["dir", "class", "tabindex", "start", "href", "target", "rel"]);
const classes = new Set(["", "table", "host", "host odd"]);
const wrong = [];
for (const e of arguments[0].querySelectorAll("*")) {
  if (!names.has(e.tagName)) wrong.push(e.tagName);
  for (const a of e.attributes) if (!attributes.has(a.name)) wrong.push(e.tagName + " " + a.name);
  if (!classes.has(e.className)) wrong.push("class " + e.className);
  if (e.tagName === "A") {
    const url = new URL(e.href);
    if (!/^https?:$/.test(url.protocol)) wrong.push(e.href);
    if (e.rel !== "noopener noreferrer nofollow" || e.target !== "_blank") wrong.push("rel " + e.rel);
    if (!e.textContent.includes(url.host)) wrong.push("no host: " + e.textContent);
    if (url.username && !e.querySelector(".odd")) wrong.push("user part: " + e.textContent);
  }
}
if (/[\\u202a-\\u202e\\u2066-\\u2069]/.test(arguments[0].textContent)) wrong.push("text turned around");
return wrong.slice(0, 10);
"""
LAST = "[...document.querySelectorAll('.bot .text')].pop()"

# An answer that grows letter by letter ends as it does at once.
GROW = """
const grown = document.createElement("div"), whole = document.createElement("div");
const view = new AnswerView(grown), text = arguments[0];
for (let i = 1; i < text.length; i++) view.show(text.slice(0, i));
view.show(text);
new AnswerView(whole).show(text);
return grown.innerHTML === whole.innerHTML ? "" : grown.innerHTML + "\\n!==\\n" + whole.innerHTML;
"""

# The bytes of a stream, cut at every place, and one by one.
SPLIT = """
const bytes = new Uint8Array(arguments[0]);
const read = (cuts) => {
  const out = [], reader = new EventReader((e) => out.push([e.name, e.data]));
  let at = 0;
  for (const cut of [...cuts, bytes.length]) { reader.feed(bytes.slice(at, cut)); at = cut; }
  return JSON.stringify(out);
};
const whole = read([]), wrong = [];
for (let i = 0; i <= bytes.length; i++) if (read([i]) !== whole) wrong.push(i);
if (read([...bytes.keys()]) !== whole) wrong.push("all");
return [whole, wrong];
"""

RICH = """# A title

Text with **bold *both* text**, _italic_, `code`, a_b_c and 2 * 3 * 4.

- one
- two
  1. inner
  2. [link](https://a.example/x_y "title")

  still two

| a | b \\| c |
|---|:-:|
| 1 | **2** |
not a | row

~~~js
let x = "```";
~~~
last https://b.example/(x) and \\*stars\\*.
"""
RICH_HTML = (
    '<p dir="auto"><strong>A title</strong></p>'
    '<p dir="auto">Text with <strong>bold <em>both</em> text</strong>, '
    '<em>italic</em>, <code>code</code>, a_b_c and 2 * 3 * 4.</p>')


def page_of(d):
    reply = d.cgi("GET", "/chat/demo", headers={"Accept-Language": "en"})
    return ({"Content-Security-Policy":
             reply.headers["content-security-policy"]}, reply.body)


def text_of(entry):
    text = entry["answer"] if "answer" in entry else "".join(
        part * times for part, times in entry["parts"])
    # Half a pair cannot be sent as UTF-8.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def ask(b, mock, answer):
    """Asks; waits until the answer's end shows."""
    mock.answer = answer
    b.script("clear(); keep({conversation: ''}); ask('x');")
    b.wait_script("return turn === null", "the answer's end", 60)


def hostile(t, b, mock):
    entries = []
    for path in sorted(glob.glob(os.path.join(TOP, "fixtures", "site",
                                              "hostile*.json"))):
        with open(path) as f:
            entries += json.load(f)["answers"]
    t.check("there are at least 40 hostile answers", len(entries) >= 40,
            len(entries))
    b.requests()
    for entry in entries:
        name, text = entry["name"], text_of(entry)
        ask(b, mock, lambda asked: stream(text))
        seen = b.script("const e = %s; return [%s, e.textContent.length, "
                        "window.ran === undefined]" % (LAST, "(function () {"
                        + CHECK + "})(e)"))
        t.equal("%s: only text and harmless elements" % name, seen[0], [])
        t.check("%s: something shows" % name, seen[1] > 0, seen)
        t.check("%s: nothing ran" % name, seen[2])
        shown = b.script("return %s.textContent" % LAST)
        t.check("%s: what it is shows" % name,
                entry.get("shows", "") in shown, shown[:200])
        asked = [u for u in b.requests() if not u.startswith(mock.url + "/")]
        t.equal("%s: nothing was loaded" % name, asked, [])
        if len(text) < 3000:
            t.equal("%s: grows as it is whole" % name,
                    b.script(GROW, text), "")
        t.check("%s: rendering is quick" % name, b.script(
            "const e = document.createElement('div'), s = performance.now();"
            "new AnswerView(e).show(arguments[0]);"
            "return performance.now() - s", text) < 2000)


def rendering(t, b, mock):
    ask(b, mock, lambda asked: stream(RICH, 40))
    html = b.script("return %s.innerHTML" % LAST)
    t.check("bold, italic and code are nodes", html.startswith(RICH_HTML),
            html)
    for part in ("<ol dir=\"auto\" start=\"1\"><li dir=\"auto\">inner</li>",
                 "<th dir=\"auto\">b | c</th>", "<strong>2</strong></td>",
                 "let x = \"```\";</code></pre>",
                 "<bdi>https://b.example/(x)</bdi>", "*stars*."):
        t.check("rendered: " + part, part in html, html)
    t.equal("it grows as it is whole", b.script(GROW, RICH), "")


def splits(t, b):
    data = ("\ufeffdata: {\"a\":1}\n\nevent: ping\n\n: ping\n\r\n"
            "data: \u00e9\u4e16\U0001f600\r\ndata:two\rdata\n\r\n"
            "event: x\nid: 3\nretry: 5\ndata: last\n\ndata: cut off"
            ).encode()
    whole, wrong = b.script(SPLIT, list(data))
    t.equal("a stream's events", json.loads(whole), [
        ["", "{\"a\":1}"], ["", "\u00e9\u4e16\U0001f600\ntwo\n"],
        ["x", "last"]])
    t.equal("no split breaks them", wrong, [])


def ends(t, b, mock):
    """Whatever ends a stream, a half answer never passes for a whole one."""
    page = b"<html><h1>500 Internal Server Error</h1></html>"
    half = list(stream("Half an ans", 1, end=False))
    broken = "The answer broke off."
    failed = "That did not work."
    cases = [
        ("a stream that just ends", lambda a: half, broken),
        ("a web server's page behind the events",
         lambda a: half + [page], broken),
        ("an event cut in the middle",
         lambda a: half + [b"data: {\"event\":\"message_e"], broken),
        ("an event that is no JSON", lambda a: half + [b"data: {x\n\n"],
         broken),
        ("an error in mid-stream", lambda a: half + [event(
            event="error", code="completion_request_error", status=400,
            message="<b>secret upstream words</b>")], broken),
        ("an error before any word", lambda a: [event(
            event="error", code="x", status=400, message="secret")], failed),
        ("an empty answer", lambda a: stream("", 1), failed),
        ("a page instead of a stream",
         lambda a: Reply(200, page, "text/html"), failed),
        ("a 502 of the web server", lambda a: Reply(502, page, "text/html"),
         "The chat is not available at the moment."),
        ("the visitor's limit", lambda a: Reply(429, {
            "code": "visitor_limit"}, headers=[("Retry-After", "40")]),
         "Please wait 40 seconds"),
        ("the address's limit", lambda a: Reply(429, {
            "code": "address_limit"}, headers=[("Retry-After", "1800")]),
         "Please wait 30 minutes"),
        ("the day's limit", lambda a: Reply(429, {"code": "site_limit"}),
         "No more questions can be answered here today."),
        ("too many at once", lambda a: Reply(429, {"code": "busy"}),
         "Many people are asking"),
        ("a bot that is off", lambda a: Reply(503, {
            "code": "bot_unavailable"}), "not available at the moment"),
        ("a question too long", lambda a: Reply(400, {
            "code": "question_too_long"}), "at most 1000 are possible"),
        ("a conversation that is gone", lambda a: Reply(404, {
            "code": "conversation_not_found"}), "no longer kept"),
    ]
    for name, answer, words in cases:
        before = len(mock.asked)
        ask(b, mock, answer)
        shown = b.script(
            "const p = document.querySelectorAll('.problem');"
            "return [p.length, p.length ? p[0].textContent : '', "
            "document.querySelectorAll('.rate').length, "
            "document.querySelectorAll('.problem .again').length]")
        t.check("%s is told" % name, shown[0] == 1 and words in shown[1],
                shown)
        t.check("%s: where else to ask" % name,
                "help@example.com" in shown[1], shown)
        t.check("%s: no upstream words" % name, "secret" not in shown[1])
        t.equal("%s: cannot be rated, can be tried again" % name, shown[2:],
                [0, 1])
        t.equal("%s: asked once" % name, len(mock.asked) - before, 1)
    mock.answer = lambda a: stream("A whole answer.")
    b.click(".problem .again")
    b.wait_script("return turn === null && "
                  "document.querySelector('.rate') !== null")
    t.equal("trying again asks the same", mock.asked[-1][0]["question"], "x")
    t.equal("and the problem is gone",
            b.script("return document.querySelectorAll('.problem').length"),
            0)
    ask(b, mock, lambda a: [b"event: ping\n\n"] + list(stream("Fine.")))
    t.check("pings are nothing",
            "Fine." in b.script("return %s.textContent" % LAST))


def main():
    t = Tally()
    if not t.check("chromium and chromium-driver are installed", available()):
        t.end()
    conf = """[bot help]
name = Help
contact = help@example.com
[site demo]
bot = help
"""
    with Deployment(sys.argv[1], conf) as d:
        mock = Mock(page_of(d))
        try:
            with Browser() as b:
                b.open(mock.url + "/chat/demo")
                rendering(t, b, mock)
                splits(t, b)
                ends(t, b, mock)
                hostile(t, b, mock)
                seen = [c for c in b.complaints()
                        if "Failed to load resource" not in c]
                t.equal("the console is quiet", seen, [])
        finally:
            mock.close()
    t.end()


main()
