"""parlance.fcgi at the level of its protocol: odd and hostile peers, signals,
reloads, hand-over, and many idle workers.

usage: fcgi_test.py BUILD
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "conformance", "servers"))
from deployment import (Deployment, FastCGI, Tally, free_port, signals,
                        wait_started, wait_until)

BUILD = sys.argv[1]
tally = Tally()

# A slow answer: twenty pieces, one every 100 ms.
RECORDINGS = """{"recordings": [
  {"question": "slow", "answer": [%s], "pace_ms": 100},
  {"question": "quiet", "answer": ["first ", "last"], "pace_ms": 20000},
  {"answer": ["Hello", " world"]}]}""" % ", ".join(
    '"word%d "' % i for i in range(20))


def conf(bot="first"):
    return """
[server]
demo = yes
[bot %s]
name = %s
engine = recorded
[engine recorded]
kind = replay
recordings = recordings.json
""" % (bot, bot)


def deployment(bot="first"):
    d = Deployment(BUILD, conf(bot))
    d.write("recordings.json", RECORDINGS)
    return d


def chat(question, stream=True, bot="first"):
    return {"bot_slug": bot, "prompt": question, "stream": stream}


def request_params(d, method="POST", uri="/v1/chat", length=None, **more):
    params = d.params(method, uri, None, {"Content-Type": "application/json"},
                      "demo-key")
    params["FCGI_ROLE"] = "RESPONDER"
    if length is not None:
        params["CONTENT_LENGTH"] = str(length)
    params.update(more)
    return params


def open_stream(d, question="slow"):
    """A client whose answer has begun to stream."""
    body, headers = d.encode(chat(question), {})
    client = FastCGI(d.address)
    client.send(dict(d.params("POST", "/v1/chat", body, headers, "demo-key"),
                     FCGI_ROLE="RESPONDER"), body)
    for kind, data in client.records():
        if kind == 6 and b"data:" in data:
            return client
    raise RuntimeError("no stream")


def healthy(d, seconds=20):
    started = time.monotonic()
    try:
        reply = d.fcgi("GET", "/health-check", key=None)
    except (OSError, EOFError) as e:
        return "error %r" % e
    if reply.status != 200:
        return "status %d" % reply.status
    took = time.monotonic() - started
    return True if took < seconds else "took %.1f s" % took


def rss_kb(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            if line.startswith("Rss:"):
                return int(line.split()[1])
    return 0


def threads(pid):
    return len(os.listdir("/proc/%d/task" % pid))


def is_healthy(d):
    return healthy(d) is True


def ends(process, seconds=30):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return "still running"


# ---- plain requests --------------------------------------------------------

def plain():
    with deployment() as d:
        d.start_fcgi()
        reply = d.fcgi("POST", "/v1/chat", chat("slow"))
        tally.equal("a stream ends with DONE", reply.events()[-1], "[DONE]")
        tally.check("a stream is not cached or buffered",
                    reply.headers.get("x-accel-buffering") == "no", reply)
        body, headers = d.encode(chat("hello", False), {})
        for size in (1, 7, 300):
            client = FastCGI(d.address)
            data = client.record(1, struct.pack(">HB5x", 1, 0)) \
                + client.stream(4, client.pairs(request_params(
                    d, length=len(body)))) + client.stream(5, body)
            for i in range(0, len(data), size):
                client.socket.sendall(data[i:i + size])
            tally.equal("in pieces of %d bytes" % size,
                        client.reply().status, 200)
            client.close()


def bodies():
    """CONTENT_LENGTH against what really comes."""
    with deployment() as d:
        d.start_fcgi()
        body = b'{"bot_slug":"first","prompt":"hello","stream":false}'
        cases = [
            ("exact", str(len(body)), body, 200),
            ("shorter than announced", str(len(body) + 45), body, 400),
            ("not a number", "12x", body, 400),
            ("negative", "-1", body, 400),
            ("beyond the limit", str(1048577), body, 413),
            ("a number beyond numbers", "9" * 30, body, 413),
        ]
        for name, length, data, want in cases:
            client = FastCGI(d.address)
            client.send(request_params(d, CONTENT_LENGTH=length), data)
            tally.equal("body: " + name, client.reply().status, want)
            client.close()


# ---- peers that misbehave --------------------------------------------------

def stream(kind, data):
    return b"".join(FastCGI.record(kind, data[i:i + 65535])
                    for i in range(0, len(data), 65535)) \
        + FastCGI.record(kind)


def begin(role=1):
    return FastCGI.record(1, struct.pack(">HB5x", role, 0))


def hostile():
    """More bad peers than would fit in the workers, had each one its own;
    all the others are served meanwhile."""
    with deployment() as d:
        process = d.start_fcgi(workers=12)
        held = []

        def peer(data):
            client = FastCGI(d.address)
            client.socket.sendall(data)
            held.append(client)
            return client
        peer(b"")
        peer(b"\x01\x01\x00")
        peer(begin() + b"\x01\x04\x00\x01\x00\x50\x00\x00abc")
        peer(begin() + FastCGI.record(4, b"\x84\x00\x00\x00\x02xx"))
        peer(begin() + stream(4, FastCGI.pairs(
            request_params(d, length=100))))
        stalled = peer(begin() + stream(4, FastCGI.pairs(
            request_params(d, length=100))) + FastCGI.record(5, b"{"))
        tally.equal("served beside six stalled peers", healthy(d), True)
        stalled.close()

        # Gone in the middle of everything.
        whole = begin() + stream(4, FastCGI.pairs(
            request_params(d, length=9))) + FastCGI.record(5, b"{}")
        for cut in range(0, len(whole), 37):
            client = FastCGI(d.address)
            client.socket.sendall(whole[:cut])
            client.close()
        tally.equal("served after peers that vanished", healthy(d), True)

        for name, data in [
                ("garbage", b"GET / HTTP/1.1\r\n\r\n" * 10),
                ("zeros", bytes(4096)),
                ("a wrong version", b"\x07\x01\x00\x01\x00\x08\x00\x00"
                 + bytes(8)),
                ("the role of an authorizer", begin(2) + stream(
                    4, FastCGI.pairs(request_params(d))) +
                 FastCGI.record(5)),
                ("the role of a filter", begin(3) + stream(
                    4, FastCGI.pairs(request_params(d)))
                 + FastCGI.record(5) + FastCGI.record(8)),
                ("an unknown role", begin(77)),
                ("a huge header", begin() + stream(
                    4, FastCGI.pairs({"HTTP_X": "x" * 400000}))),
                ("two thousand headers", begin() + stream(
                    4, FastCGI.pairs(dict(
                        ("HTTP_X%d" % i, "y" * 200) for i in range(2000))))),
                ("an empty request", begin() + FastCGI.record(4)
                 + FastCGI.record(5))]:
            client = FastCGI(d.address, timeout=3)
            try:
                client.socket.sendall(data)
                client.socket.shutdown(socket.SHUT_WR)
                while client.socket.recv(65536):
                    pass
            except OSError:
                pass
            client.close()
            tally.equal("served after " + name, healthy(d), True)
        tally.equal("it still runs", process.poll(), None)
        for client in held:
            client.close()


def abort():
    """ABORT_REQUEST and a closed connection stop the answer."""
    with deployment() as d:
        process = d.start_fcgi(workers=2)
        for name, leave in [
                ("ABORT", lambda c: c.socket.sendall(c.record(2))),
                ("a half-closed connection",
                 lambda c: c.socket.shutdown(socket.SHUT_WR)),
                ("a closed connection", lambda c: c.close())]:
            clients = [open_stream(d, "quiet"), open_stream(d, "quiet")]
            for client in clients:
                leave(client)
            # Both workers are free again long before the answers' end, and
            # before the first ping.
            tally.equal("free after " + name, healthy(d, 8), True)
            for client in clients:
                client.close()
        tally.equal("it still runs after aborts", process.poll(), None)


# ---- signals ---------------------------------------------------------------

def stop_gently():
    with deployment() as d:
        process = d.start_fcgi()
        client = open_stream(d)
        process.send_signal(signal.SIGTERM)
        rest = b"".join(data for kind, data in client.records() if kind == 6)
        tally.check("SIGTERM lets a stream finish",
                    b"word19" in rest and b"[DONE]" in rest, rest[-200:])
        tally.equal("and then ends with 0", ends(process), 0)
        tally.check("its socket is gone", not os.path.exists(d.address))

        process = d.start_fcgi("--stop-seconds", "1")
        client = open_stream(d, "quiet")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        tally.equal("the limit ends it", ends(process), 0)
        # The stream's own end comes after twenty seconds.
        tally.check("about when it should",
                    0.8 < time.monotonic() - started < 10,
                    time.monotonic() - started)
        client.close()

        process = d.start_fcgi()
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        tally.equal("an idle one ends", ends(process), 0)
        tally.check("at once", time.monotonic() - started < 10,
                    time.monotonic() - started)

        process = d.start_fcgi()
        client = open_stream(d, "quiet")
        process.send_signal(signal.SIGTERM)
        # Two that wait at once are one.
        wait_until(lambda: signal.SIGTERM not in signals(process.pid,
                                                         "ShdPnd"))
        process.send_signal(signal.SIGTERM)
        tally.equal("asked twice, it ends now", ends(process, 10), 0)
        client.close()
        tally.check("and says what it cut", "1 answer aborted" in
                    d.log("parlance.fcgi"), d.log("parlance.fcgi"))

        # Workers that wait for a request are no answers.
        process = d.start_fcgi()
        d.fcgi("GET", "/health-check")
        said = d.log("parlance.fcgi").count(" aborted")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: process.poll() is not None or signal.SIGTERM
                   not in signals(process.pid, "ShdPnd"))
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        tally.equal("asked twice, an idle one ends", ends(process, 10), 0)
        tally.equal("and cuts nothing",
                    d.log("parlance.fcgi").count(" aborted"), said)


def names(d):
    return [b["slug"] if isinstance(b, dict) else b
            for b in d.fcgi("GET", "/v1/bots").json]


def reload():
    with deployment("first") as d:
        process = d.start_fcgi()
        client = open_stream(d)
        tally.equal("before the reload", names(d), ["first"])
        d.write("parlance.conf", conf("second"))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: names(d) == ["second"])
        tally.equal("the new configuration is served", names(d), ["second"])
        rest = b"".join(data for kind, data in client.records() if kind == 6)
        tally.check("the answer of the old one goes on to its end",
                    b"word19" in rest and b"[DONE]" in rest, rest[-200:])
        d.write("parlance.conf", "[server]\nnonsense = 1\n")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "old one stays" in d.log("parlance.fcgi"))
        tally.equal("a bad one changes nothing", names(d), ["second"])
        log = d.log("parlance.fcgi")
        tally.check("and says so", "nonsense" in log and
                    "old one stays" in log, log)
        before = rss_kb(process.pid)
        d.write("parlance.conf", conf("third"))
        for _ in range(30):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.03)
            healthy(d)
        tally.equal("after thirty reloads", wait_until(
            lambda: names(d) == ["third"]), True)
        if "build-sanitize" not in BUILD:
            tally.check("their memory was freed", wait_until(
                lambda: rss_kb(process.pid) - before < 4000, 20),
                "%d -> %d kB" % (before, rss_kb(process.pid)))
        tally.equal("it still runs after reloads", process.poll(), None)


# ---- sockets ---------------------------------------------------------------

def run_fcgi(d, *options, **more):
    return subprocess.run(
        [os.path.join(d.build, "parlance.fcgi"), *options], env=d.env,
        capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL, **more)


def sockets():
    with deployment() as d:
        done = run_fcgi(d)
        tally.check("no socket is said clearly", done.returncode == 1 and
                    "--socket" in done.stderr, done.stderr)
        done = run_fcgi(d, "--socket", "192.0.2.1:9000")
        tally.check("only this machine's addresses", done.returncode == 1
                    and "127.0.0.1" in done.stderr, done.stderr)
        done = run_fcgi(d, "--workers", "0")
        tally.check("a worker is needed", done.returncode == 2, done.stderr)
        done = run_fcgi(d, "--socket", "/nonexistent/x.sock")
        tally.check("the folder must exist", done.returncode == 1, done)

        path = d.write("precious.txt", "keep me")
        done = run_fcgi(d, "--socket", path)
        with open(path) as f:
            tally.check("a file is never removed", done.returncode == 1 and
                        f.read() == "keep me", done.stderr)
        other = socket.socket(socket.AF_UNIX)
        path = os.path.join(d.folder, "other.sock")
        other.bind(path)
        other.listen()
        done = run_fcgi(d, "--socket", path)
        tally.check("another program's socket is left to it",
                    done.returncode == 1 and "another program" in done.stderr
                    and os.path.exists(path), done.stderr)
        other.close()

        # That socket is stale now; ours may take its place.
        d.address = path
        process = d.spawn(os.path.join(d.build, "parlance.fcgi"),
                          "--socket", path)
        wait_until(lambda: is_healthy(d))
        tally.equal("a stale socket is replaced", healthy(d), True)
        tally.equal("its mode", oct(os.stat(path).st_mode & 0o777), "0o660")
        done = run_fcgi(d, "--socket", path)
        tally.check("a second process is told whose it is",
                    done.returncode == 1 and str(process.pid) in done.stderr
                    and "--take-over" in done.stderr, done.stderr)
        process.kill()
        process.wait()
        process = d.spawn(os.path.join(d.build, "parlance.fcgi"),
                          "--socket", path)
        wait_until(lambda: is_healthy(d))
        tally.equal("after kill -9 the next one starts", healthy(d), True)

        d.address = ("127.0.0.1", free_port())
        process = d.spawn(os.path.join(d.build, "parlance.fcgi"),
                          "--socket", "127.0.0.1:%d" % d.address[1])
        wait_until(lambda: is_healthy(d))
        tally.equal("an address is served", healthy(d), True)


def given_sockets():
    """Descriptor 0, systemd's descriptor 3, and two processes on one."""
    with deployment() as d:
        for name in ("descriptor 0", "LISTEN_FDS"):
            listener = socket.socket(socket.AF_UNIX)
            d.address = os.path.join(d.folder, name.replace(" ", "") + ".s")
            listener.bind(d.address)
            listener.listen(64)
            fd = listener.fileno()
            started = []
            for _ in range(2):
                if name == "descriptor 0":
                    command = ["sh", "-c", 'exec "$0" --workers 3 <&%d' % fd,
                               os.path.join(d.build, "parlance.fcgi")]
                else:
                    command = ["sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=1'
                               '; exec 3<&%d "$0" --workers 3' % fd,
                               os.path.join(d.build, "parlance.fcgi")]
                started.append(subprocess.Popen(
                    command, env=d.env, pass_fds=[fd],
                    stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            d.processes += started
            for process in started:
                wait_started(process)
            replies = [healthy(d) for _ in range(20)]
            tally.equal("two processes on " + name, replies, [True] * 20)
            started[0].send_signal(signal.SIGTERM)
            tally.equal("the first one ends", ends(started[0]), 0)
            tally.equal("the second serves on",
                        [healthy(d) for _ in range(5)], [True] * 5)
            started[1].send_signal(signal.SIGTERM)
            tally.equal("the second one ends", ends(started[1]), 0)
            tally.check("a given socket is not removed",
                        os.path.exists(d.address))
            listener.close()


class Askers:
    """Clients that keep asking until they are ended."""

    def __init__(self, d):
        self.d, self.stop = d, threading.Event()
        self.failures, self.served = [], 0
        self.threads = [threading.Thread(target=self.ask) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.stop.is_set():
            result = healthy(self.d)
            if result is True:
                self.served += 1
            else:
                self.failures.append(result)

    def more(self):
        """Until some more were served."""
        so_far = self.served
        wait_until(lambda: self.failures or self.served > so_far + 20)

    def end(self, when):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        tally.check("no request failed in %s (%d served)"
                    % (when, self.served),
                    not self.failures and self.served > 100,
                    self.failures[:3])


def restart_behind_a_socket():
    """The socket is systemd's: a service that is stopped and started again
    under load refuses nobody."""
    with deployment() as d:
        listener = socket.socket(socket.AF_UNIX)
        d.address = os.path.join(d.folder, "given.sock")
        listener.bind(d.address)
        listener.listen(128)
        fd = listener.fileno()

        def start():
            return d.spawn("sh", "-c", 'exec "$0" --workers 8 <&%d' % fd,
                           os.path.join(d.build, "parlance.fcgi"),
                           pass_fds=[fd])
        process = start()
        askers = Askers(d)
        for _ in range(5):
            time.sleep(0.2)
            askers.more()
            process.send_signal(signal.SIGTERM)
            tally.equal("it ends", ends(process), 0)
            process = start()
        askers.more()
        askers.end("five restarts")
        listener.close()


def locked_by(path):
    with open(path + ".lock") as f:
        text = f.read().strip()
    return int(text) if text else None


def take_over():
    """One process relieves another while clients keep asking."""
    with deployment() as d:
        process = d.start_fcgi(workers=16)
        askers = Askers(d)
        client = open_stream(d)
        for _ in range(4):
            time.sleep(0.2)
            following = d.spawn(os.path.join(d.build, "parlance.fcgi"),
                                "--socket", d.address, "--workers", "16",
                                "--take-over")
            # The stream of the first keeps that one until its end.
            time.sleep(0.4)
            if client is not None:
                rest = b"".join(data for kind, data in client.records()
                                if kind == 6)
                tally.check("a stream outlives the hand-over",
                            b"word19" in rest and b"[DONE]" in rest,
                            rest[-100:])
                client = None
            tally.equal("the relieved process ends", ends(process), 0)
            process = following
            wait_until(lambda: locked_by(d.address) == process.pid)
            askers.more()
        askers.end("four hand-overs")


# ---- many workers ----------------------------------------------------------

def many():
    """Thousands of workers cost nothing idle, and little each in use."""
    with deployment() as d:
        process = d.start_fcgi(workers=4000)
        healthy(d)
        tally.check("idle workers are not made", threads(process.pid) < 8,
                    threads(process.pid))
        before = rss_kb(process.pid)
        clients = [open_stream(d, "quiet") for _ in range(300)]
        each = (rss_kb(process.pid) - before) / len(clients)
        if "build-sanitize" not in BUILD:
            tally.check("a waiting stream costs %.1f kB" % each, each < 60,
                        each)
        print("a waiting stream: %.1f kB resident" % each)
        # Which wait for twenty seconds.
        tally.equal("quick requests pass 300 waiting streams",
                    healthy(d, 8), True)
        for client in clients:
            client.close()
        process.send_signal(signal.SIGTERM)
        tally.equal("300 gone clients do not hold the end up",
                    ends(process, 12), 0)


# ---- time-outs -------------------------------------------------------------

class Stalled:
    """Peers that hold a worker each, from the start of all tests; at the end
    of them each has been let go of."""

    def __init__(self):
        self.d = deployment()
        self.d.start_fcgi(workers=8)
        self.burst = deployment()
        self.after_burst = self.burst.start_fcgi(workers=200)
        for client in [open_stream(self.burst, "quiet")
                       for _ in range(100)]:
            client.close()
        self.threads = threads(self.after_burst.pid)
        self.started = time.monotonic()
        head = begin() + stream(4, FastCGI.pairs(
            request_params(self.d, length=100)))
        self.ends = {}
        for name, data, trickle in [
                ("silent", b"", b""),
                ("silent in its header", head[:40], b""),
                ("silent in its body", head + FastCGI.record(5, b"{"), b""),
                ("a byte each second", head[:8], head[8:])]:
            threading.Thread(target=self.hold, args=(name, data, trickle),
                             daemon=True).start()

    def hold(self, name, data, trickle):
        client = FastCGI(self.d.address, timeout=70)
        client.socket.sendall(data)
        try:
            for i in range(len(trickle)):
                client.socket.sendall(trickle[i:i + 1])
                client.socket.settimeout(1)
                try:
                    if client.socket.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
            client.socket.settimeout(70)
            while client.socket.recv(4096):
                pass
        except OSError:
            pass
        self.ends[name] = time.monotonic() - self.started
        client.close()

    def end(self):
        while len(self.ends) < 4 and time.monotonic() - self.started < 45:
            time.sleep(0.2)
        tally.equal("all stalled peers are let go of", len(self.ends), 4)
        for name, took in self.ends.items():
            tally.check("%s: held a worker for %.0f s" % (name, took),
                        28 < took < 40, took)
        tally.equal("served afterwards", healthy(self.d), True)
        self.d.close()
        tally.check("workers that nobody needs any more have ended",
                    self.threads > 90 and
                    wait_until(lambda: threads(self.after_burst.pid) <= 10)
                    and
                    healthy(self.burst) is True,
                    (self.threads, threads(self.after_burst.pid)))
        self.burst.close()


stalled = Stalled() if len(sys.argv) < 3 or "stalled" in sys.argv else None
for test in (plain, bodies, hostile, abort, stop_gently, reload, sockets,
             given_sockets, restart_behind_a_socket, take_over, many):
    if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
        continue
    started = time.monotonic()
    test()
    print("%-16s %5.1f s" % (test.__name__, time.monotonic() - started))
if stalled is not None:
    stalled.end()
tally.end()
