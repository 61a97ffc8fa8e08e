"""What streams cost, against the smallest libfcgi and libcurl relay
(bench/relay.c) in the same run, with the same model server and the same
client: `stream_bench.py BUILD [STREAMS]`.

Delays are measured from the moment the model server sends a token to the
moment the client has read it; both are reached directly over FastCGI."""
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "conformance"))
from deployment import Deployment, free_port  # noqa: E402

# The messages API's demo-key opens the first.
MODELS = {
    "crowd": "tokens=100 pace_ms=100",
    "paced": "tokens=50 pace_ms=5",
    "whole": "stream=no",
    "endless": "tokens=100000 pace_ms=20",
}
KEY = "demo-key"


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
        self.d = Deployment(build, conf)
        self.ours = self.d.start_fcgi(workers=workers)
        self.floor_address = os.path.join(self.folder, "floor.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.floor_address)
        listener.listen(4096)
        self.floor = subprocess.Popen(
            [os.path.join(self.folder, "relay"), str(workers),
             url + "/chat/completions"], stdin=listener)
        listener.close()
        time.sleep(0.5)

    def close(self):
        for p in (self.floor, self.model):
            p.kill()
            p.wait()
        self.d.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, who, bot, at_once, total, *more):
        """The client's line as a dict; more: ramp and cancel, in ms."""
        uri, address = "/v1/chat", self.d.address
        if who == "messages":
            uri = "/v1/chat-messages"
            body = ('{"inputs":{},"query":"Why?","user":"u",'
                    '"response_mode":"streaming"}')
        elif who == "ours":
            body = '{"bot_slug":"%s","stream":%s,"prompt":"Why?"}' % (
                bot, "false" if bot == "whole" else "true")
        else:
            address = self.floor_address
            body = ('{"model":"%s","messages":[{"role":"system","content":'
                    '"You help."},{"role":"user","content":"Why?"}],'
                    '"stream":true}' % MODELS[bot])
        out = subprocess.run(
            [os.path.join(self.folder, "streams"), address, str(at_once),
             str(total), uri, KEY, body, *map(str, more)],
            check=True, capture_output=True, text=True).stdout
        self.output = out
        return {n: float(v) for n, v in
                (w.split("=") for w in out.split("\n")[-2].split())}

    def both(self, bot, rounds, at_once, total):
        """Medians of the rounds, the two taking turns."""
        rows = {"floor": [], "ours": []}
        for _ in range(rounds):
            for who, got in rows.items():
                row = self.run(who, bot, at_once, total)
                if row["bad"]:
                    print("%s: %d answers went wrong" % (who, row["bad"]))
                got.append(row)
        return [{n: statistics.median(r.get(n, 0) for r in rows[who])
                 for n in rows[who][0]} for who in ("floor", "ours")]


def memory_kb(pid, name="VmRSS"):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(name + r":\s+(\d+)", f.read()).group(1))


def line(what, floor, ours, unit, limit, smaller_is_better=True):
    ratio = ours / floor if floor else float("nan")
    fine = ratio <= limit if smaller_is_better else ratio >= limit
    print("%-34s floor %9.1f  ours %9.1f %s  ratio %.2f (%s %.1f) %s" % (
        what, floor, ours, unit, ratio,
        "at most" if smaller_is_better else "at least", limit,
        "ok" if fine else "MISSED"))


def crowd(bench, who, streams):
    process = bench.floor if who == "floor" else bench.ours
    before = memory_kb(process.pid)
    client = bench.run(who, "crowd", streams, streams, 5000)
    peak = memory_kb(process.pid, "VmHWM")
    print("%-8s %d streams of 100 tokens at 10 a second: %d ended well, "
          "%d did not; %d of %d tokens over 100 ms late, worst %.1f ms, "
          "99 in 100 under %.1f ms; %.1f KB of memory each (at most 60; "
          "%d KB -> %d KB)"
          % (who, streams, client["ends"], client["bad"], client["late"],
             client["tokens"], client["token_us_max"] / 1e3,
             client["token_us_p99"] / 1e3, (peak - before) / streams,
             before, peak))


def whole(bench, what):
    floor, ours = bench.both("whole", 3, 64, 8000)
    line(what, floor["per_second"], ours["per_second"], "/s", 0.5, False)


def cancel(bench):
    log = os.path.join(bench.folder, "model.log")
    with open(log) as f:
        f.seek(0, 2)
        bench.run("ours", "endless", 100, 100, 500, 400)
        time.sleep(0.5)
        gone = sorted(int(w) for w in re.findall(r"gone (\d+)", f.read()))
    left = sorted(int(w) for w in re.findall(r"left (\d+)", bench.output))
    delays = sorted((g - c) / 1e6 for g, c in zip(gone, left))
    print("100 clients left: %d upstream calls cancelled, after %.2f ms, "
          "worst %.2f ms (at most 100)" % (
              len(gone), statistics.median(delays) if delays else -1,
              delays[-1] if delays else -1))


def main():
    streams = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    for who in ("floor", "ours", "messages"):
        bench = Bench(sys.argv[1], streams + 50)
        try:
            crowd(bench, who, streams)
        finally:
            bench.close()
    bench = Bench(sys.argv[1], 100)
    try:
        floor, ours = bench.both("paced", 3, 4, 100)
        line("first token, in the middle", floor["first_us_p50"],
             ours["first_us_p50"], "us", 2)
        line("first token, 99 in 100", floor["first_us_p99"],
             ours["first_us_p99"], "us", 2)
        line("later tokens, in the middle", floor["token_us_p50"],
             ours["token_us_p50"], "us", 2)
        line("later tokens, 99 in 100", floor["token_us_p99"],
             ours["token_us_p99"], "us", 2)
        whole(bench, "not streamed, usage synced")
        cancel(bench)
    finally:
        bench.close()
    # What waiting for the disk costs: each answer's usage is on it before
    # the client has the answer, unless the operator waives that.
    bench = Bench(sys.argv[1], 100, "durable = no\n")
    try:
        whole(bench, "not streamed, durable = no")
    finally:
        bench.close()


main()
