"""What it costs to serve the chat page: FastCGI as a share of an empty
libfcgi program that sends as many bytes, both behind one lighttpd; CGI as a
multiple of an empty program.  They take turns, so that a busy moment of the
machine hits all of them.

usage: serve_bench.py BUILD
"""
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
from deployment import Deployment  # noqa: E402

CONF = """[server]
demo = yes
[bot help]
[site demo]
bot = help
"""
ROUNDS = 7


def compile_one(d, source, name, *libraries):
    path = os.path.join(d.folder, name)
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", path,
                    os.path.join(TOP, source), *libraries], check=True)
    return path


def wrk(port, path):
    out = subprocess.run(
        ["wrk", "-t1", "-c8", "-d2s", "http://127.0.0.1:%d%s" % (port, path)],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def fastcgi(d, size):
    floor = compile_one(d, "fcgi/bench/floor.c", "floor-fcgi", "-lfcgi",
                        "-lpthread")
    socket = os.path.join(d.folder, "floor.sock")
    subprocess.run(["spawn-fcgi", "-s", socket, "-P",
                    os.path.join(d.folder, "floor.pid"), "--", floor, "8",
                    str(size)], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(d.folder, "floor.pid")) as f:
        pid = int(f.read())
    try:
        d.start_fcgi(workers=8)
        d.start_lighttpd("""
$HTTP["url"] =~ "^/floor" {
  fastcgi.server = ( "/" => (( "socket" => "%s",
    "check-local" => "disable", "fix-root-scriptname" => "enable" )) )
}""" % socket)
        pairs = [(wrk(d.port, "/chat/demo"), wrk(d.port, "/floor"))
                 for _ in range(ROUNDS)]
    finally:
        os.kill(pid, 15)
    ratios = [ours / least for ours, least in pairs]
    print("FastCGI, the page:  %8.0f a second, an empty program %8.0f: "
          "%.2f of it (wanted: 0.9)" % (
              statistics.median(p[0] for p in pairs),
              statistics.median(p[1] for p in pairs),
              statistics.median(ratios)))


def cgi(d):
    floor = compile_one(d, "cgi/bench/floor.c", "floor-cgi")
    spawn = compile_one(d, "cgi/bench/spawn.c", "spawn")
    env = dict(d.env, **d.params("GET", "/chat/demo", None, {}, None))

    def run(program):
        return float(subprocess.run(
            [spawn, program, "300", ""], env=env, capture_output=True,
            text=True, check=True).stdout.split()[0])
    ours = os.path.join(d.build, "parlance.cgi")
    pairs = [(run(ours), run(floor)) for _ in range(ROUNDS)]
    print("CGI, the page:      %8.0f us, an empty program %8.0f us: "
          "%.2f times (wanted: at most 1.15)" % (
              statistics.median(p[0] for p in pairs),
              statistics.median(p[1] for p in pairs),
              statistics.median(o / f for o, f in pairs)))


def main():
    with Deployment(sys.argv[1], CONF) as d:
        size = len(d.cgi("GET", "/chat/demo").body)
        print("the page has %d bytes, embed.js %d" % (
            size, len(d.cgi("GET", "/chat/embed.js").body)))
        cgi(d)
        fastcgi(d, size)


main()
