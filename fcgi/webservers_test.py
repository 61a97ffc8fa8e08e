"""The seven web-server set-ups of cgi/ and fcgi/, each with the real server:
the same answers everywhere, streams on time, keys that arrive, clients that
leave, bodies up to the limit.

usage: webservers_test.py BUILD [SERVER...]
"""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance", "servers"))
sys.path.insert(0, HERE)
from deployment import DEMO_CONF, Deployment, Tally, wait_until
from webservers import NAMES, WebServers

BUILD = sys.argv[1]
CONF = """
[server]
demo = yes
state = %s
[bot first]
uid = edf826b8-1b75-4f57-bd26-641c897f9c1e
name = first
engine = recorded
[engine recorded]
kind = replay
recordings = recordings.json
"""
TICKS = 15
RECORDINGS = json.dumps({"recordings": [
    {"question": "ticks", "answer": ["tick "] * TICKS, "pace_ms": 200},
    {"question": "quiet", "answer": ["first ", "last"], "pace_ms": 60000},
    {"answer": ["Hello", " w\u00f6rld"],
     "usage": {"prompt_tokens": 3, "completion_tokens": 2}}]})
LIMIT = 1048576

tally = Tally()
lock = threading.Lock()


def check(server, name, ok, seen=""):
    with lock:
        tally.check("%s: %s" % (server.name, name), ok, seen)
    return ok


def equal(server, name, got, want):
    return check(server, name, got == want, "got %r, wanted %r" % (got, want))


def chat(question="hello", stream=False):
    return {"bot_slug": "first", "prompt": question, "stream": stream}


# ---- one question each -----------------------------------------------------

REQUESTS = [
    ("GET", "/health-check", None, {}, None),
    ("GET", "/v1/bots", None, {}, "demo-key"),
    ("GET", "/v1/bots?x=%2F&y=1", None, {}, "demo-key"),
    ("GET", "/v1/bots", None, {}, None),
    ("GET", "/v1/bots", None, {}, "wrong-key"),
    ("GET", "/v1/bots", None, {"Authorization": "Basic eA=="}, None),
    ("GET", "/v1/nothing", None, {}, "demo-key"),
    ("GET", "/nothing.html", None, {}, None),
    ("GET", "/v1/%62ots", None, {}, "demo-key"),
    ("GET", "/v1/bots/", None, {"Host": "example.org"}, "demo-key"),
    ("PUT", "/v1/chat", b"{}", {}, "demo-key"),
    ("DELETE", "/v1/bots", None, {}, "demo-key"),
    ("POST", "/v1/chat", chat(), {}, "demo-key"),
    ("POST", "/chat", chat(), {}, "demo-key"),
    ("POST", "/v1/chat", chat(stream=True), {}, "demo-key"),
    ("POST", "/v1/chat", b"{broken", {}, "demo-key"),
    ("POST", "/v1/chat", b"", {}, "demo-key"),
    ("POST", "/v1/chat", {"bot_slug": 5}, {}, "demo-key"),
    ("POST", "/v1/chat", dict(chat(), bot_slug="nobody"), {}, "demo-key"),
    ("POST", "/v1/chat", chat(), {"Content-Type": "text/plain"}, "demo-key"),
    ("POST", "/v1/chat", chat(), {}, None),
    ("POST", "/v1/chat", json.dumps(chat("\u00e9\U0001f600")).encode(), {},
     "demo-key"),
    ("POST", "/v1/chat-messages", {"inputs": {}, "user": "u"}, {},
     "demo-key"),
    ("POST", "/v1/chat-messages", b"[", {}, "demo-key"),
    ("GET", "/v1/conversations?user=u", None, {}, "demo-key"),
    ("GET", "/v1/messages?user=u", None, {}, "demo-key"),
    ("GET", "/v1/parameters", None, {}, "demo-key"),
]
# What a server adds of its own, and what differs from request to request.
HEADERS = ("content-type", "allow", "www-authenticate", "location",
           "cache-control", "retry-after")


def without_latency(body):
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, dict):
        value.pop("latency", None)
        return json.dumps(value)
    return body


def ask_all(server):
    """What the same requests are answered with; random parts left out."""
    out = []
    for method, uri, body, headers, key in REQUESTS:
        reply = server.http(method, uri, body, dict(headers), key)
        location = reply.headers.get("location")
        if location is not None:
            reply.headers["location"] = location.replace(server.base, "", 1)
        check(server, "%s %s: an id" % (method, uri),
              len(reply.headers.get("x-request-id", "")) == 32, reply)
        out.append((method, uri, reply.status,
                    [(n, reply.headers.get(n)) for n in HEADERS],
                    without_latency(reply.body)))
    return out


# ---- streams ---------------------------------------------------------------

def connect(server, body, chunked=False):
    data = json.dumps(body).encode()
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    c.request("POST", server.base + "/v1/chat",
              iter([data[:5], data[5:]]) if chunked else data,
              {"Content-Type": "application/json",
               "Authorization": "Bearer demo-key"}, encode_chunked=chunked)
    return c


class Noise:
    """How late, in ms, this machine lets a process run: what a stream is
    late beside that is the server's doing."""

    def __enter__(self):
        self.most, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        return self

    def work(self):
        while not self.ended.is_set():
            started = time.monotonic()
            time.sleep(0.01)
            self.most = max(self.most, 1000 * (time.monotonic() - started)
                            - 10)

    def __exit__(self, *exc):
        self.ended.set()
        self.thread.join()


def lateness(server):
    """How late the ticks arrive, in ms, against the first one."""
    c = connect(server, chat("ticks", True))
    r = c.getresponse()
    times = []
    while len(times) < TICKS:
        line = r.fp.readline() if not r.chunked else r.readline()
        if not line:
            break
        if b"tick" in line:
            times.append(time.monotonic())
    rest = r.read()
    c.close()
    late = [1000 * (t - times[0]) - 200 * i for i, t in enumerate(times)]
    return late, rest


def streams(server):
    # The machine may be busy with something else: the best of four.
    for _ in range(4):
        with Noise() as noise:
            late, rest = lateness(server)
        on_time = len(late) == TICKS and max(late) < 50 + noise.most
        if on_time:
            break
    check(server, "ticks on time (at most %.1f ms late)" % max(late),
          on_time, (late, noise.most))
    check(server, "the end of the stream", rest.rstrip().endswith(b"[DONE]"),
          rest)
    with lock:
        print("%-18s at most %5.1f ms late" % (server.name, max(late)))


# ---- clients that leave ----------------------------------------------------

def children(pid):
    out, todo = [], [pid]
    while todo:
        parent = todo.pop()
        try:
            for task in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, task)) as f:
                    todo += [int(p) for p in f.read().split()]
        except OSError:
            continue
        out.append(parent)
    return out


def busy(server):
    """How many turns are running: CGI processes, or connections that a
    responder holds."""
    roots = [server.process.pid]
    if server.backend is not None:
        roots.append(server.backend.pid)
    count = 0
    for root in roots:
        for pid in children(root):
            try:
                program = os.path.basename(os.readlink("/proc/%d/exe" % pid))
                if program == "parlance.cgi":
                    count += 1
                elif program == "parlance.fcgi":
                    count += connections(pid)
            except OSError:
                continue
    return count


def connections(pid):
    """Connected sockets of a responder: those that do not listen."""
    with open("/proc/net/unix") as f:
        listening = {line.split()[6] for line in f.readlines()[1:]
                     if line.split()[3] == "00010000"}
    count = 0
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            link = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        except OSError:
            continue
        if link.startswith("socket:[") and link[8:-1] not in listening \
                and int(fd) > 2:
            count += 1
    return count


def leaving(server):
    """Gone in the middle of a quiet stream: only a ping can tell."""
    wait_until(lambda: busy(server) == 0)
    before = busy(server)
    c = connect(server, chat("quiet", True))
    r = c.getresponse()
    r.readline()
    equal(server, "a turn is running", busy(server), before + 1)
    c.sock.shutdown(socket.SHUT_RDWR) if c.sock else None
    r.close()
    c.close()
    left = time.monotonic()
    gone = wait_until(lambda: busy(server) <= before)
    took = time.monotonic() - left
    # The third one is sent after thirty seconds.
    check(server, "it stops within two pings", gone and took < 27, took)
    with lock:
        print("%-18s gone after %.1f s" % (server.name, took))


# ---- bodies ----------------------------------------------------------------

def bodies(server):
    body = json.dumps(chat()).encode()
    full = body + b" " * (LIMIT - len(body))
    for name, data, want in [("the largest body", full, 200),
                             ("one byte more", full + b" ", 413)]:
        try:
            reply = server.http("POST", "/v1/chat", data)
            equal(server, name, reply.status, want)
            if want == 413:
                equal(server, name + ", ours", reply.body,
                      b'{"detail":"Request Entity Too Large"}')
        except OSError as e:
            check(server, name, False, repr(e))
    c = connect(server, chat(), chunked=True)
    r = c.getresponse()
    text = r.read()
    check(server, "a chunked body", r.status == 200 and b"Hello" in text,
          (r.status, text[:300]))
    c.close()
    # Half a body, then nothing: the server goes on serving.
    s = socket.create_connection(("127.0.0.1", server.port))
    s.sendall(b"POST %s/v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 500"
              b"\r\n\r\n{" % server.base.encode())
    s.close()
    equal(server, "served after half a body",
          server.http("GET", "/health-check").status, 200)


def secrets(server):
    """What lies beside the program is not served."""
    for name in ("/parlance.conf", "/.htaccess", "/recordings.json",
                 "/parlance.cgi/../parlance.conf"):
        reply = server.http("GET", name, key=None)
        check(server, name + " is not shown", reply.status in (400, 403, 404)
              and b"replay" not in reply.body, reply)


def test(server, answers):
    try:
        answers[server.name] = ask_all(server)
        bodies(server)
        secrets(server)
        leaving(server)
    except Exception as e:
        check(server, "went through", False, "%r %s" % (e, server.log()))


# ---- the conformance suite -------------------------------------------------

def demo_conf(d):
    """The demo deployment, with its texts where the web server's user may
    read them: this checkout may be in a home folder that is closed."""
    folder = os.path.join(d.folder, "demo")
    shutil.copytree(os.path.dirname(DEMO_CONF), folder)
    with open(DEMO_CONF) as f:
        text = f.read()
    text = re.sub(r"(?m)^(folder|recordings) = ", r"\1 = %s/" % folder, text)
    return re.sub(r"(?m)^state = .*", "state = " + d.state, text)


def chatconf(server, profile):
    """A busy machine, or mod_fcgid that waits for a process, may once hold a
    stream back; a server that does it does so each time."""
    for _ in range(3):
        done = subprocess.run(
            [os.path.join(BUILD, "chatconf"), server.url, "-p", profile,
             "--strict", "--house", "-j", "4"]
            + ["-s", "mount=" + server.base] * (profile == "v1"),
            capture_output=True, text=True, timeout=240,
            stdin=subprocess.DEVNULL,
            env=dict(os.environ, CHATCONF_KEY="demo-key"))
        failed = re.findall(r"(?m)^FAIL +(\S+)", done.stdout)
        if not failed or not all(n.endswith("~live") for n in failed):
            break
    return done


def conformance(server):
    """All levels of the suite, for both APIs."""
    for profile in ("v1", "dify"):
        try:
            done = chatconf(server, profile)
        except subprocess.TimeoutExpired as e:
            check(server, "conformance, " + profile, False, e)
            continue
        check(server, "conformance, " + profile, done.returncode == 0,
              "\n".join(line for line in done.stdout.split("\n")
                        if not line.startswith("ok "))[-1500:] + done.stderr)
        with lock:
            print("%-18s %s: %s" % (server.name, profile,
                                    done.stdout.strip().split("\n")[-1]))


def in_parallel(function, servers, *args):
    threads = [threading.Thread(target=function, args=(s,) + args)
               for s in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


names = sys.argv[2:] or NAMES
with Deployment(BUILD, "") as d:
    d.write("parlance.conf", demo_conf(d))
    for server in WebServers(d).start_all(names):
        conformance(server)

with Deployment(BUILD, "") as d:
    d.write("parlance.conf", CONF % d.state)
    d.write("recordings.json", RECORDINGS)
    servers = WebServers(d).start_all(names)
    answers = {}
    in_parallel(test, servers, answers)
    for server in servers:
        try:
            streams(server)
        except Exception as e:
            check(server, "streams", False, "%r %s" % (e, server.log()))
    first = answers.get(servers[0].name)
    for server in servers[1:]:
        for one, other in zip(first or [], answers.get(server.name) or []):
            equal(server, "%s %s is answered as by %s" % (
                one[0], one[1], servers[0].name), other, one)
tally.end()
