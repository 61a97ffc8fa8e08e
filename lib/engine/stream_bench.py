"""What streams cost, against the smallest libfcgi and libcurl relay
(bench/relay.c) in the same run, with the same model server and the same
client: `stream_bench.py BUILD [PART...]`, the parts being crowd-floor,
crowd-bot, crowd-messages, aged-bot, aged-messages, delays, whole and cancel.

Delays are measured from the moment the model server sends a token to the
moment the client has read it (the first one from the request on).  What the
relay adds is that without what it takes when the client asks the model server
itself.  Both relays stand behind the same lighttpd; then both are reached
without it, over their FastCGI sockets."""
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
from deployment import Deployment, free_port  # noqa: E402

STREAMS = 2000
# In front of both: lighttpd as we tell people to set it up.
LIGHTTPD = """
server.document-root = "%(folder)s"
server.errorlog = "%(folder)s/error.log"
server.bind = "127.0.0.1"
server.port = %(port)d
server.max-fds = 8192
var.parlance_socket = "%(ours)s"
include "%(top)s/fcgi/lighttpd.conf"
$SERVER["socket"] == "127.0.0.1:%(floor_port)d" {
    fastcgi.server = ( "/" => (( "socket" => "%(floor)s",
        "check-local" => "disable", "fix-root-scriptname" => "enable" )) )
}
"""
MODELS = {
    "crowd": "tokens=100 pace_ms=100",
    "brief": "tokens=3 pace_ms=20",
    "paced": "tokens=25 pace_ms=5",
    "whole": "stream=no",
    "endless": "tokens=100000 pace_ms=20",
}


def compile_tools(folder):
    for name, libraries in (("model", []), ("streams", []),
                            ("relay", ["-lfcgi", "-lcurl"])):
        subprocess.run(
            ["cc", "-O2", "-D_GNU_SOURCE", "-o", os.path.join(folder, name),
             os.path.join(HERE, "bench", name + ".c"), *libraries],
            check=True)


class Bench:
    def __init__(self, build, workers, settings=""):
        self.folder = tempfile.mkdtemp(prefix="parlance-bench-")
        compile_tools(self.folder)
        self.port = free_port()
        self.model = subprocess.Popen(
            [os.path.join(self.folder, "model"), str(self.port)],
            stdout=open(os.path.join(self.folder, "model.log"), "wb"))
        url = "http://127.0.0.1:%d/v1" % self.port
        conf = ("[server]\ndemo = yes\n" + settings + "[engine model]\nkind = openai\n"
                "url = %s\n" % url)
        for name, model in MODELS.items():
            conf += ("[bot %s]\nmodel = %s\nengine = model\n"
                     "persona = You help.\n" % (name, model))
        self.d = Deployment(build, "")
        # The messages API knows the bot by the key.
        self.keys = {}
        for name in MODELS:
            self.keys[name], section = self.d.new_key(name, "bot = " + name)
            conf += section
        self.d.write("parlance.conf", conf)
        self.ours = self.d.start_fcgi(workers=workers)
        self.floor_address = os.path.join(self.folder, "floor.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.floor_address)
        listener.listen(4096)
        self.floor = subprocess.Popen(
            [os.path.join(self.folder, "relay"), str(workers),
             url + "/chat/completions"], stdin=listener)
        listener.close()
        self.web = None
        time.sleep(0.5)

    def start_lighttpd(self):
        self.web_port, self.floor_port = free_port(), free_port()
        conf = self.d.write("web.conf", LIGHTTPD % {
            "folder": self.folder, "port": self.web_port, "top": TOP,
            "ours": self.d.address, "floor": self.floor_address,
            "floor_port": self.floor_port})
        self.web = subprocess.Popen([shutil.which(
            "lighttpd", path=os.environ["PATH"] + ":/usr/sbin"),
            "-D", "-f", conf])
        time.sleep(0.5)

    def close(self):
        for p in (self.floor, self.model, self.web):
            if p is not None:
                p.kill()
                p.wait()
        self.d.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, who, bot, at_once, total, *more, web=False):
        """The client's line as a dict; who: bot, messages, floor or direct.
        more: ramp and cancel, in ms."""
        address = str(self.web_port) if web else self.d.address
        if who == "messages":
            uri = "/v1/chat-messages"
            body = ('{"inputs":{},"query":"Why?","user":"u",'
                    '"response_mode":"streaming"}')
        elif who == "bot":
            uri = "/v1/chat"
            body = '{"bot_slug":"%s","stream":%s,"prompt":"Why?"}' % (
                bot, "false" if bot == "whole" else "true")
        else:
            uri = "/v1/chat/completions"
            address = str(self.floor_port) if web else self.floor_address
            if who == "direct":
                address = str(self.port)
            body = ('{"model":"%s","messages":[{"role":"system","content":'
                    '"You help."},{"role":"user","content":"Why?"}],'
                    '"stream":true}' % MODELS[bot])
        out = subprocess.run(
            [os.path.join(self.folder, "streams"), address, str(at_once),
             str(total), uri, self.keys[bot], body,
             *map(str, more)],
            check=True, capture_output=True, text=True).stdout
        self.output = out
        row = {n: float(v) for n, v in
               (w.split("=") for w in out.split("\n")[-2].split())}
        tokens = re.search(r"tokens=(\d+)", MODELS[bot])
        if len(more) < 2 and (row["bad"] or row["tokens"] != total * int(
                tokens.group(1) if tokens else 1)):
            print("%s: %d answers went wrong, %d tokens came" % (
                who, row["bad"], row["tokens"]))
        return row

    def compare(self, everybody, bot, rounds, at_once, total, web=False):
        """Medians of the rounds, all taking turns."""
        rows = {who: [] for who in everybody}
        for _ in range(rounds):
            for who, got in rows.items():
                got.append(self.run(who, bot, at_once, total, web=web))
        return {who: {n: statistics.median(r.get(n, 0) for r in got)
                      for n in got[0]} for who, got in rows.items()}

    def behind_ms(self):
        """How late the model server itself was since it was last asked."""
        self.model.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        with open(os.path.join(self.folder, "model.log")) as f:
            return int(re.findall(r"behind (\d+)", f.read())[-1]) / 1e6


def memory_kb(pid, name="VmRSS"):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(name + r":\s+(\d+)", f.read()).group(1))


def cpu_s(pid):
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def line(what, floor, ours, unit, limit, smaller_is_better=True):
    ratio = ours / floor if floor else float("nan")
    fine = ratio <= limit if smaller_is_better else ratio >= limit
    print("%-44s floor %8.1f  ours %8.1f %s  ratio %.2f (%s %.1f) %s" % (
        what, floor, ours, unit, ratio,
        "at most" if smaller_is_better else "at least", limit,
        "ok" if fine else "MISSED"), flush=True)


def crowd(build, who, aged=False):
    """Aged: in a process that has served ten times as many before."""
    bench = Bench(build, STREAMS + 50)
    try:
        process = bench.floor if who == "floor" else bench.ours
        before = memory_kb(process.pid)
        if aged:
            bench.run(who, "brief", STREAMS, STREAMS * 10)
            bench.behind_ms()
            print("after ten times as many brief ones, ", end="")
        used = cpu_s(process.pid)
        client = bench.run(who, "crowd", STREAMS, STREAMS, 5000)
        peak = memory_kb(process.pid, "VmHWM")
        print("%-8s %d streams of 100 tokens at 10 a second: %d ended well, "
              "%d did not; %d of %d tokens over 100 ms late, worst %.1f ms, "
              "99 in 100 under %.1f ms (itself, the model server was up to "
              "%.1f ms behind, the client busy for up to %.1f ms); %.1f us of "
              "CPU for a token; %.1f KB of memory each (at most 60; %d KB -> "
              "%d KB)" % (
                  who, STREAMS, client["ends"], client["bad"],
                  client["late"], client["tokens"],
                  client["token_us_max"] / 1e3, client["token_us_p99"] / 1e3,
                  bench.behind_ms(), client["busy_us_max"] / 1e3,
                  (cpu_s(process.pid) - used) * 1e6 / client["tokens"],
                  (peak - before) / STREAMS, before, peak), flush=True)
    finally:
        bench.close()


def compare_delays(bench, where, rounds, web):
    rows = bench.compare(("direct", "floor", "bot", "messages"), "paced",
                         rounds, 4, 100, web)
    direct = rows["direct"]
    for name, label in (("first_us", "first token"),
                        ("token_us", "later tokens")):
        middle, far = name + "_p50", name + "_p99"
        print("%s, %s, without a relay: in the middle %.1f us, 99 in 100 "
              "under %.1f us" % (where, label, direct[middle], direct[far]))
        for who in ("bot", "messages"):
            what = "%s, %s: " % (who, label)
            line(what + "added, middle", rows["floor"][middle] -
                 direct[middle], rows[who][middle] - direct[middle], "us", 2)
            line(what + "in all, middle", rows["floor"][middle],
                 rows[who][middle], "us", 2)
            line(what + "in all, 99 in 100", rows["floor"][far],
                 rows[who][far], "us", 2)


def delays(build):
    bench = Bench(build, 100)
    try:
        bench.start_lighttpd()
        compare_delays(bench, "behind lighttpd", 4, True)
        compare_delays(bench, "over FastCGI", 2, False)
    finally:
        bench.close()


def compare_whole(build, what, settings):
    bench = Bench(build, 100, settings)
    try:
        rows = bench.compare(("floor", "bot"), "whole", 3, 64, 8000)
        line(what, rows["floor"]["per_second"], rows["bot"]["per_second"],
             "/s", 0.5, False)
    finally:
        bench.close()


def whole(build):
    compare_whole(build, "not streamed, usage synced", "")
    # What waiting for the disk costs: each answer's usage is on it before
    # the client has the answer, unless the operator waives that.
    compare_whole(build, "not streamed, durable = no", "durable = no\n")


def cancel_some(bench, who, web):
    """A hundred clients leave within their streams."""
    log = os.path.join(bench.folder, "model.log")
    with open(log) as f:
        f.seek(0, 2)
        bench.run(who, "endless", 100, 100, 500, 400, web=web)
        time.sleep(0.5)
        gone = sorted(int(w) for w in re.findall(r"gone (\d+)", f.read()))
    left = sorted(int(w) for w in re.findall(r"left (\d+)", bench.output))
    late = [(g - c) / 1e6 for g, c in zip(gone, left)]
    print("%-8s %s: 100 clients left, %d upstream calls cancelled, after "
          "%.2f ms on average, worst %.2f ms (at most 100%s)" % (
              who, "behind lighttpd" if web else "over FastCGI", len(gone),
              statistics.mean(late) if late else -1,
              max(late, default=-1),
              "; lighttpd may notice only when it writes the next token, and "
              "those are 20 ms apart" if web else ""), flush=True)


def cancel(build):
    bench = Bench(build, 250)
    try:
        bench.start_lighttpd()
        for who in ("bot", "messages"):
            for web in (False, True):
                cancel_some(bench, who, web)
    finally:
        bench.close()


PARTS = {
    "crowd-floor": lambda build: crowd(build, "floor"),
    "crowd-bot": lambda build: crowd(build, "bot"),
    "crowd-messages": lambda build: crowd(build, "messages"),
    "aged-bot": lambda build: crowd(build, "bot", True),
    "aged-messages": lambda build: crowd(build, "messages", True),
    "delays": delays,
    "whole": whole,
    "cancel": cancel,
}


def main():
    for part in sys.argv[2:] or PARTS:
        PARTS[part](sys.argv[1])


if __name__ == "__main__":
    main()
