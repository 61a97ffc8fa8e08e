"""What the chat page costs in a browser, beside plain pages of the same run:
from the arrival of an answer's first word until it is painted, beside a page
that fetches and appends; and how long the page is busy while 500 messages
scroll and a line is typed, beside a page of 500 nodes.

usage: page_bench.py BUILD
"""
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "conformance",
                                   "servers")]
from browser import Browser  # noqa: E402
from deployment import Deployment  # noqa: E402
from site_mock import Mock, Reply, event  # noqa: E402

CONF = """[bot help]
[site demo]
bot = help
"""
WORDS = 40
ROUNDS = 40

# When the first word was read, and when it was on the screen.
WATCH = """
const read = ReadableStreamDefaultReader.prototype.read;
ReadableStreamDefaultReader.prototype.read = function () {
  return read.call(this).then((r) => {
    if (!window.arrived && r.value) window.arrived = performance.now();
    return r;
  });
};
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    if (window.painted || !document.body.textContent.includes("word0 ")) return;
    window.painted = -1;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.painted = performance.now(); };
      channel.port2.postMessage(0);
    });
  }).observe(document.body, { subtree: true, childList: true,
                              characterData: true });
});
window.busy = [];
new PerformanceObserver((list) => {
  for (const e of list.getEntries()) window.busy.push(e.duration);
}).observe({ type: "longtask", buffered: true });
"""
BARE = """<!DOCTYPE html><title>bare</title><p id="out"></p><script>
async function ask() {
  const reply = await fetch("/chat/demo/messages", {method: "POST",
    headers: {"Content-Type": "application/json"}, body: "{}"});
  const reader = reply.body.getReader(), decoder = new TextDecoder();
  for (;;) {
    const piece = await reader.read();
    if (piece.done) break;
    document.getElementById("out").append(decoder.decode(piece.value));
  }
}
</script>"""
TEXT = ("A **bold** word, `code` and [a link](https://example.com/) in the "
        "middle of some words that fill a line or two on the screen.")
PLAIN = ("<!DOCTYPE html><title>plain</title><style>body{margin:0;height:"
         "100vh;display:flex;flex-direction:column}#log{flex:1;overflow:auto}"
         "</style><div id=log>" + ("<p>" + TEXT + "</p>") * 500 +
         "</div><textarea id=question></textarea>")
SCROLL = """
const done = arguments[0], log = document.getElementById("log");
const area = document.getElementById("question");
window.busy = [];
let frame = 0, last = performance.now();
const gaps = [];
const step = () => {
  const now = performance.now();
  gaps.push(now - last);
  last = now;
  log.scrollTop = (frame % 60) / 60 * log.scrollHeight;
  if (frame % 2 === 0) {
    area.setRangeText("x", area.value.length, area.value.length, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (++frame < 120) requestAnimationFrame(step);
  else setTimeout(() => done([window.busy, gaps]), 200);
};
requestAnimationFrame(step);
"""


def p95(values):
    return sorted(values)[int(len(values) * 0.95)] if values else 0.0


def words(_):
    """The answer comes a word at a time."""
    ids = dict(conversation_id="c", message_id="m", task_id="t")
    for i in range(WORDS):
        yield event(event="message", answer="word%d " % i, **ids)
        yield 0.005
    yield event(event="message_end", metadata={}, **ids)


def first_word(b, mock):
    took = {"/chat/demo": [], "/bare": []}
    mock.answer = words
    for _ in range(ROUNDS):
        for path in took:
            b.open(mock.url + path)
            b.script("localStorage.clear(); ask('x')")
            b.wait_script("return window.painted > 0", "the paint")
            took[path].append(b.script("return painted - arrived"))
    ours, bare = (p95(took[p]) for p in took)
    print("first word, arrival to paint, p95: %.1f ms, a bare page %.1f ms: "
          "%.2f times (wanted: at most 2); median %.1f and %.1f" % (
              ours, bare, ours / bare,
              *(statistics.median(took[p]) for p in took)))


def scrolling(b, mock):
    mock.messages = [{"id": "m%d" % i, "question": "Question %d" % i,
                      "answer": TEXT, "status": "normal", "rating": None,
                      "citations": []} for i in range(250)]
    busy = {"/chat/demo": [], "/plain": []}
    gaps = {"/chat/demo": [], "/plain": []}
    b.open(mock.url + "/chat/demo")
    b.script("keep({conversation: 'c1'})")
    for _ in range(5):
        for path in busy:
            b.open(mock.url + path)
            b.wait_script("return document.querySelectorAll('.you').length "
                          "=== 250 || document.title === 'plain'")
            seen = b.script_async(SCROLL)
            busy[path] += seen[0]
            gaps[path] += seen[1]
    print("500 messages scroll, a line is typed: long tasks p95 %.0f ms "
          "(%d of them), a plain page of 500 nodes %.0f ms (%d) (wanted: not "
          "above); frames p95 %.1f and %.1f ms" % (
              p95(busy["/chat/demo"]), len(busy["/chat/demo"]),
              p95(busy["/plain"]), len(busy["/plain"]),
              p95(gaps["/chat/demo"]), p95(gaps["/plain"])))


def main():
    with Deployment(sys.argv[1], CONF) as d:
        page = d.cgi("GET", "/chat/demo")
    mock = Mock(({"Content-Security-Policy":
                  page.headers["content-security-policy"]}, page.body), {
        "/bare": Reply(200, BARE.encode(), "text/html"),
        "/plain": Reply(200, PLAIN.encode(), "text/html")})
    try:
        with Browser() as b:
            b.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            first_word(b, mock)
            scrolling(b, mock)
    finally:
        mock.close()


main()
