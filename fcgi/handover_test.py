"""Replacing parlance.fcgi under real load: blocking answers and streams of
both APIs, asked directly and through web servers, over Unix and TCP sockets;
two processes on one socket and one database; and what may go wrong with it.

usage: handover_test.py BUILD [TEST...]
"""
import glob
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conformance", "servers")]
from deployment import (Deployment, FastCGI, Tally, wait_started,
                        wait_until)
from load import CONF, KINDS, MESSAGE, RECORDINGS, Load, message_stream
from webservers import WebServers

BUILD = os.path.abspath(sys.argv[1])
PROGRAM = os.path.join(BUILD, "parlance.fcgi")
tally = Tally()


def deployment():
    d = Deployment(BUILD, "")
    d.write("parlance.conf", CONF % d.state)
    d.write("recordings.json", json.dumps(RECORDINGS))
    return d


def ended(process, seconds=60):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def lossless(name, load):
    tally.check("%s: no request failed (%d served)" % (name, load.total()),
                not load.failures, load.failures[:3])
    tally.check(name + ": of every kind", len(load.served) == len(KINDS),
                load.served)
    print("%-22s %s" % (name, load.served))


def sound(d, name):
    """The database is."""
    db = sqlite3.connect(os.path.join(d.state, "parlance.db"))
    tally.equal(name + ": the database is sound",
                db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
    db.close()


# ---- one relieves the other --------------------------------------------------

def take_over():
    """Behind real web servers and directly, five times in a row."""
    with deployment() as d:
        fronts = WebServers(d)
        path = os.path.join(d.folder, "parlance.sock")
        fronts.responder = lambda server: path
        workers = ("--workers", "64", "--stop-seconds", "20")

        def start(*more):
            return fronts.spawn("responder", os.path.join(
                fronts.programs, "parlance.fcgi"), "--socket", path,
                *workers, *more, **fronts.owner)
        process = start()
        wait_until(lambda: os.path.exists(path))
        d.address = path
        asks = [d.fcgi] + [server.http for server in fronts.start_all(
            ("lighttpd-fcgi", "nginx-fcgi", "apache-proxy_fcgi"))]
        load = Load(asks, threads=12)
        for _ in range(5):
            time.sleep(0.35)
            following = start("--take-over")
            tally.equal("the relieved process ends", ended(process), 0)
            process = following
            wait_until(lambda: locked_by(path, process))
        time.sleep(0.3)
        lossless("five take-overs", load.stop())
        refused(d, start, path, process, asks)
        sound(d, "take-over")


def locked_by(path, process):
    with open(path + ".lock") as f:
        return f.read().strip() == str(process.pid)


def refused(d, start, path, process, asks):
    """A successor that cannot do the work changes nothing."""
    load = Load(asks, threads=6)
    inode = os.stat(path).st_ino
    with open(d.conf) as f:
        text = f.read()
    cases = [("a faulty configuration", text + "nonsense = 1\n", ()),
             ("no such group", text, ("--group", "no-such-group")),
             ("no state folder", text.replace(d.state, d.state + "/none"),
              ())]
    env = dict(d.env)
    for name, conf, options in cases:
        other = d.write("other.conf", conf)
        env["PARLANCE_CONFIG"] = other
        env.pop("PARLANCE_STATE", None)
        done = subprocess.run([PROGRAM, "--socket", path, "--take-over",
                               *options], env=env, capture_output=True,
                              text=True, timeout=60)
        tally.check(name + ": it is refused", done.returncode == 1 and
                    done.stderr.startswith("parlance"), done)
        tally.check(name + ": the old one goes on", process.poll() is None
                    and os.stat(path).st_ino == inode and
                    locked_by(path, process), "")
        tally.equal(name + ": nothing is left", glob.glob(path + ".[0-9]*"),
                    [])
    # A damaged database: not one that answers would take over.
    broken = os.path.join(d.folder, "broken")
    os.mkdir(broken, 0o700)
    with open(os.path.join(broken, "parlance.db"), "w") as f:
        f.write("no database" * 1000)
    d.write("other.conf", text.replace(d.state, broken))
    done = subprocess.run([PROGRAM, "--socket", path, "--take-over"],
                          env=env, capture_output=True, text=True,
                          timeout=60)
    tally.check("a damaged database: it is refused", done.returncode == 1
                and "nothing was taken over" in done.stderr, done)
    following = start("--take-over")
    tally.equal("afterwards a sound one relieves it", ended(process), 0)
    wait_until(lambda: locked_by(path, following))
    lossless("refused take-overs", load.stop())


# ---- behind a socket that somebody else holds --------------------------------

def given(family, name):
    """As systemd and spawn-fcgi do: over a Unix or a TCP socket, each process
    ends before the next begins; what comes meanwhile waits."""
    with deployment() as d:
        fronts = WebServers(d)
        listener = socket.socket(family)
        if family == socket.AF_UNIX:
            d.address = os.path.join(d.folder, "given.sock")
        else:
            d.address = ("127.0.0.1", 0)
        listener.bind(d.address)
        d.address = listener.getsockname()
        listener.listen(256)
        if family == socket.AF_UNIX:
            os.chmod(d.address, 0o666)

        def start():
            return fronts.spawn("responder", "sh", "-c",
                                'exec "$0" --workers 64 <&%d'
                                % listener.fileno(), PROGRAM,
                                pass_fds=[listener.fileno()])
        process = start()
        asks = [d.fcgi]
        if family == socket.AF_UNIX:
            fronts.responder = lambda server: d.address
            asks += [server.http for server in fronts.start_all(
                ("lighttpd-fcgi", "nginx-fcgi"))]
        else:
            fronts.responder = lambda server: "127.0.0.1:%d" % d.address[1]
            original = fronts.nginx
            fronts.nginx = lambda server, upstream, rest: original(
                server, upstream.replace("unix:", ""), rest)
            asks += [fronts.start("nginx-fcgi").http]
        load = Load(asks, threads=9)
        for _ in range(3):
            time.sleep(0.4)
            wait_started(process)
            process.send_signal(signal.SIGTERM)
            tally.equal(name + ": it ends when its answers are written",
                        ended(process), 0)
            process = start()
        time.sleep(0.4)
        lossless(name + ", 3 restarts", load.stop())
        listener.close()
        sound(d, name)


# ---- two at once -------------------------------------------------------------

def connections(pid):
    """Sockets of a responder that are connected."""
    with open("/proc/net/unix") as f:
        listening = {line.split()[6] for line in f.readlines()[1:]
                     if line.split()[3] == "00010000"}
    links = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            links.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except OSError:
            pass
    return len([link for link in links if link.startswith("socket:[")
                and link[8:-1] not in listening])


def all_stopped(pid):
    """All threads of it: who stops it does not wait for that."""
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, thread)) as f:
            if f.read().rsplit(")", 1)[1].split()[0] != "T":
                return False
    return True


def two_at_once():
    """On one socket and one database, one alone too small for what is
    asked; one of them is killed."""
    with deployment() as d:
        listener = socket.socket(socket.AF_UNIX)
        d.address = os.path.join(d.folder, "given.sock")
        listener.bind(d.address)
        listener.listen(256)

        def start():
            return d.spawn("sh", "-c", 'exec "$0" --workers 8 <&%d'
                           % listener.fileno(), PROGRAM,
                           pass_fds=[listener.fileno()])
        one, other = start(), start()
        load = Load([d.fcgi], threads=16)
        both = wait_until(lambda: connections(one.pid) >= 4 and
                          connections(other.pid) >= 4)
        tally.check("both serve", both, (connections(one.pid),
                                         connections(other.pid)))
        time.sleep(1)
        tally.equal("with both, no request fails", load.failures, [])
        # Stopped, it takes no more; what it holds is known then.
        one.send_signal(signal.SIGSTOP)
        wait_until(lambda: all_stopped(one.pid))
        held = connections(one.pid)
        one.kill()
        one.wait()
        load.next_round()
        failed = len(load.failures)
        tally.check("killed, it loses what it held (%d of %d) and no more"
                    % (failed, held), 0 < failed <= held + 1,
                    (failed, held, load.failures[:2]))
        tally.check("they were cut off, not answered wrongly", all(
            "EOFError" in str(seen) or "Connection" in str(seen) or
            "BrokenPipe" in str(seen) for _, seen in load.failures),
            load.failures[:3])
        start()
        load.next_round()
        load.stop()
        tally.equal("no more failures after it", len(load.failures), failed)
        tally.check("served meanwhile", load.total() > 30, load.served)
        print("two at once            %s, %d lost of %d held"
              % (load.served, failed, held))
        # A turn that was cut can be asked for again, and its conversation
        # goes on.
        ok, seen = message_stream(d.fcgi)
        tally.check("and afterwards", ok, seen)
        sound(d, "two at once")
        listener.close()


def cut_conversation():
    """A conversation whose process is killed in mid-answer goes on."""
    with deployment() as d:
        process = d.start_fcgi(workers=8)
        first = d.fcgi("POST", "/v1/chat-messages",
                       dict(MESSAGE, query="hello",
                            response_mode="blocking")).json
        client = FastCGI(d.address)
        body, headers = d.encode(dict(
            MESSAGE, response_mode="streaming",
            conversation_id=first["conversation_id"]), None)
        client.send(dict(d.params("POST", "/v1/chat-messages", body, headers,
                                  "demo-key"), FCGI_ROLE="RESPONDER"), body)
        client.receive_exactly(8)
        process.kill()
        process.wait()
        client.close()
        d.start_fcgi(workers=8)
        again = d.fcgi("POST", "/v1/chat-messages", dict(
            MESSAGE, query="hello", response_mode="blocking",
            conversation_id=first["conversation_id"]))
        tally.check("the conversation goes on", again.status == 200 and
                    again.json["conversation_id"] ==
                    first["conversation_id"], again)
        sound(d, "cut conversation")


tests = {
    "take_over": take_over,
    "given_unix": lambda: given(socket.AF_UNIX, "a given Unix socket"),
    "given_tcp": lambda: given(socket.AF_INET, "a given TCP socket"),
    "two_at_once": two_at_once,
    "cut_conversation": cut_conversation,
}
for name, test in tests.items():
    if len(sys.argv) > 2 and name not in sys.argv[2:]:
        continue
    started = time.monotonic()
    test()
    print("%-18s %5.1f s" % (name, time.monotonic() - started), flush=True)
tally.end()
