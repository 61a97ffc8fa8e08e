"""Memory that runs out: parlance.cgi with its n-th allocation failing, or all
from the n-th on, for requests of both APIs.  It never crashes; what it says
is well-formed and honest (an answer that is told as whole is whole), or it
says nothing; the database stays whole.

usage: memory_test.py BUILD [TRIES]
"""
import collections
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, KEY, Tally, parse_cgi  # noqa: E402

TRIES = int(sys.argv[2]) if len(sys.argv) > 2 else (
    5000 if os.environ.get("LONG") else 70)
EARLY = 30  # of these, all
FAIL = r"""
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static long count, from, until;

static int
fails(void)
{
	static int known;
	long n;

	if (!known) {
		known = 1;
		if (getenv("FAIL_FROM") != NULL) {
			from = strtol(getenv("FAIL_FROM"), NULL, 10);
			until = strtol(getenv("FAIL_UNTIL"), NULL, 10);
		}
	}
	n = __sync_add_and_fetch(&count, 1);
	if (n < from || n > until)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return fails() ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }

__attribute__((destructor)) static void
tell(void)
{
	char text[40];
	int n = snprintf(text, sizeof(text), "\nallocations: %ld\n", count);

	if (write(2, text, (size_t)n) < 0)
		_exit(3);
}
"""
CONF = """[server]
demo = yes
state = state
durable = no
[engine recorded]
kind = replay
recordings = recordings.json
[knowledge sky]
folder = sky
[bot recorded]
engine = recorded
[bot built]
persona = You are Ann.
knowledge = sky
"""
ANSWER = "One, two, three."
RECORDINGS = {"recordings": [{"answer": ["One, ", "two, ", "three."]}]}
FORM = "multipart/form-data; boundary=X"
UPLOAD = b"""--X\r
Content-Disposition: form-data; name="user"\r
\r
u\r
--X\r
Content-Disposition: form-data; name="file"; filename="a.txt"\r
Content-Type: text/plain\r
\r
Hello\r
--X--\r
"""


def chat(bot, stream):
    return "POST", "/v1/chat", {"bot_slug": bot, "prompt": "The Moon?",
                                "stream": stream}


def message(stream):
    return "POST", "/v1/chat-messages", {
        "inputs": {}, "query": "The Moon?", "user": "u",
        "response_mode": "streaming" if stream else "blocking"}


REQUESTS = {
    "a refusal": ("POST", "/v1/chat", {"bot_slug": 1, "messages": [{}]}),
    "a chat": chat("recorded", False),
    "a streamed chat": chat("recorded", True),
    "a chat with knowledge": chat("built", True),
    "a message": message(False),
    "a streamed message": message(True),
    "conversations": ("GET", "/v1/conversations?user=u", None),
    "an upload": ("POST", "/v1/files/upload", UPLOAD),
    "statistics": ("POST", "/v1/user/usage-statistics",
                   {"user_id": 1, "start_date": "2026-01-01",
                    "end_date": "2026-01-02"}),
}


def run(d, request, first, last):
    method, uri, body = request
    body, headers = d.encode(
        body, {"Content-Type": FORM} if body is UPLOAD else {})
    env = dict(d.env, **d.params(method, uri, body, headers, KEY),
               LD_PRELOAD=os.path.join(d.folder, "fail.so"),
               FAIL_FROM=str(first), FAIL_UNTIL=str(last))
    return subprocess.run([os.path.join(d.build, "parlance-shared.cgi")], env=env,
                          input=body or b"", capture_output=True, timeout=60)


def streamed(reply):
    """What is wrong with a stream; None when nothing is: it says how it
    ended, once."""
    text, ends = "", reply.stream_ends()
    for block in reply.text.split("\n\n"):
        if block.startswith("data: {"):
            event = json.loads(block[6:])
            text += event.get("content", event.get("answer", ""))
    if len(ends) != 1:
        return "the ends of %r are %r" % (reply.text[-300:], ends)
    return "half an answer told as whole: %r" % text \
        if ends[0] != "error" and "two" in text and text != ANSWER else None


def verdict(done):
    """(what happened, what is wrong with it or None)"""
    if done.returncode < 0:
        return "signal", "signal %d" % -done.returncode
    if not done.stdout:
        return "silence", None
    try:
        reply = parse_cgi(done.stdout)
        if reply.type == "text/event-stream":
            return "stream", streamed(reply)
        if int(reply.headers["content-length"]) != len(reply.body):
            return "cut", "the length is wrong"
        answer = reply.json.get("content", reply.json.get("answer"))
    except (ValueError, KeyError, AttributeError) as e:
        return "garbage", repr(e)
    if reply.status == 200 and answer and "One" in answer and \
            answer != ANSWER:
        return "half", "half an answer: %r" % answer
    return str(reply.status), None


def around_the_start(d, request, n):
    """The allocations around the first one after which a stream has begun:
    there it is hardest to say how it ends."""
    low, high = 1, n
    while low < high:
        middle = (low + high) // 2
        if verdict(run(d, request, middle, 1 << 40))[0] == "stream":
            high = middle
        else:
            low = middle + 1
    return range(max(low - 5, 1), min(low + 40, n) + 1)


def try_all(t, d, name, request, rng):
    done = run(d, request, 0, -1)
    n = int(re.search(rb"allocations: (\d+)", done.stderr).group(1))
    late = range(EARLY + 1, n + 1)
    places = list(range(1, min(n, EARLY) + 1)) + sorted(
        rng.sample(late, min(TRIES, len(late))))
    if "stream" in name:
        places += around_the_start(d, request, n)
    seen, wrong = collections.Counter(), []
    for place in places:
        for last in (place, 1 << 40):
            what, fault = verdict(run(d, request, place, last))
            seen[what] += 1
            if fault:
                wrong.append((place, last == place, fault))
    t.equal("%s: none of %d tries in %d allocations"
            % (name, sum(seen.values()), n), wrong[:5], [])
    t.check("%s: some were told" % name, len(seen) > 1, seen)


def main():
    t, rng = Tally(), random.Random()
    with Deployment(sys.argv[1], CONF) as d:
        with open(os.path.join(d.build, "parlance-shared.cgi"), "rb") as f:
            if b"__asan_init" in f.read():
                print("left out: the sanitizer has its own allocator")
                print("0 passed, 0 failed")
                return
        d.write("recordings.json", json.dumps(RECORDINGS))
        d.write("sky/moon.md", "# The Moon\n\nThe Moon is a rock.\n")
        compiler = shutil.which("gcc") or shutil.which("clang")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o",
                        os.path.join(d.folder, "fail.so"),
                        d.write("fail.c", FAIL)], check=True)
        for name, request in REQUESTS.items():
            try_all(t, d, name, request, rng)
        db = sqlite3.connect(os.path.join(d.state, "parlance.db"))
        t.equal("the database is whole",
                db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        t.equal("no row that belongs to none",
                db.execute("PRAGMA foreign_key_check").fetchall(), [])
        t.equal("no file without its row, no row without its file",
                db.execute("SELECT count(*) FROM files").fetchone()[0],
                len(os.listdir(os.path.join(d.state, "files"))))
        db.close()
        t.equal("and it answers", d.cgi(*message(False)).status, 200)
    t.end()


main()
