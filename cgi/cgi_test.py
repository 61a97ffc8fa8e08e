"""parlance.cgi as a web server runs it: environment, bodies, a client that
leaves, signals, its name.

usage: cgi_test.py BUILD
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "conformance", "servers"))
from deployment import Deployment, Tally, parse_cgi

BUILD = sys.argv[1]
CGI = os.path.join(os.path.abspath(BUILD), "parlance.cgi")
tally = Tally()

CONF = """
[server]
demo = yes
[bot first]
name = first
engine = recorded
[engine recorded]
kind = replay
recordings = recordings.json
"""
RECORDINGS = """{"recordings": [
  {"question": "quiet", "answer": ["first ", "last"], "pace_ms": 60000},
  {"question": "long", "answer": [%s], "pace_ms": 10},
  {"question": "lively", "answer": [%s], "pace_ms": 100},
  {"answer": ["Hello", " world"]}]}""" % ((", ".join(
    '"word%d "' % i for i in range(400)),) * 2)
HELLO = b'{"bot_slug":"first","prompt":"hello","stream":false}'


def environment(d, body=HELLO, **more):
    env = dict(d.env, **d.params("POST", "/v1/chat", body, {
        "Content-Type": "application/json"}, "demo-key"))
    env.update(more)
    return {n: v for n, v in env.items() if v is not None}


def run(d, body=HELLO, program=CGI, **more):
    done = subprocess.run([program], env=environment(d, **more), input=body,
                          capture_output=True, timeout=60)
    return done


def stream(d, question, **more):
    """A process whose answer has begun to stream, or sits quiet."""
    body = ('{"bot_slug":"first","prompt":"%s","stream":true}'
            % question).encode()
    process = subprocess.Popen([CGI], env=environment(d, body),
                               stdin=subprocess.PIPE,
                               stderr=subprocess.DEVNULL,
                               **dict(dict(stdout=subprocess.PIPE), **more))
    process.stdin.write(body)
    process.stdin.close()
    return process


def ended(process, seconds=8):
    """At once: long before the first ping, after ten seconds."""
    started = time.monotonic()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return "still ran after %s s" % seconds
    return True if time.monotonic() - started < seconds else "late"


def environments(d):
    for name, more, status in [
            ("cgi-bin", dict(REQUEST_URI="/cgi-bin/parlance.cgi/v1/chat",
                             SCRIPT_NAME="/cgi-bin/parlance.cgi",
                             PATH_INFO="/v1/chat"), 200),
            (".htaccess with PATH_INFO",
             dict(REQUEST_URI="/app/v1/chat?x=1", PATH_INFO="/v1/chat",
                  SCRIPT_NAME="/app/parlance.cgi"), 200),
            (".htaccess without PATH_INFO",
             dict(REQUEST_URI="/app/v1/chat", PATH_INFO=None,
                  SCRIPT_NAME="/app/parlance.cgi"), 200),
            ("no REQUEST_URI",
             dict(REQUEST_URI=None, PATH_INFO="/v1/chat",
                  SCRIPT_NAME="/app/parlance.cgi"), 200),
            ("an encoded path", dict(REQUEST_URI="/v1/%63hat"), 200),
            ("a path that climbs", dict(REQUEST_URI="/x/../v1/chat"), 404),
            ("no method", dict(REQUEST_METHOD=None), 400),
            ("no path at all", dict(REQUEST_URI=None, PATH_INFO=None,
                                    SCRIPT_NAME=None), 400),
            ("Authorization redirected",
             dict(HTTP_AUTHORIZATION=None,
                  REDIRECT_HTTP_AUTHORIZATION="Bearer demo-key"), 200),
            ("no Authorization", dict(HTTP_AUTHORIZATION=None), 403),
            ("a length that is none", dict(CONTENT_LENGTH="abc"), 400),
            ("a length too long", dict(CONTENT_LENGTH="9999"), 400),
            ("a length beyond the limit", dict(CONTENT_LENGTH="1048577"),
             413),
            ("chunked, to the end of the input",
             dict(CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked"),
             200)]:
        done = run(d, **more)
        try:
            reply = parse_cgi(done.stdout, done.stderr)
            tally.equal(name, reply.status, status)
            tally.equal(name + ": an id",
                        len(reply.headers.get("x-request-id", "")), 32)
        except ValueError as e:
            tally.check(name, False, e)
    body = HELLO + b" " * (1048577 - len(HELLO))
    for name, size, status in [("the largest body", 1048576, 200),
                               ("one byte more", 1048577, 413)]:
        for how in (dict(CONTENT_LENGTH=str(size)),
                    dict(CONTENT_LENGTH=None,
                         HTTP_TRANSFER_ENCODING="chunked")):
            done = run(d, body[:size], **how)
            tally.equal("%s, %s" % (name, how["CONTENT_LENGTH"]),
                        parse_cgi(done.stdout, done.stderr).status, status)


def unread_bodies(d):
    """The server can write the whole body, even when it is refused."""
    body = HELLO + b" " * 3000000
    for name, more in [("too long", {}),
                       ("chunked, too long",
                        dict(CONTENT_LENGTH=None,
                             HTTP_TRANSFER_ENCODING="chunked")),
                       ("of an unknown path", dict(REQUEST_URI="/x"))]:
        process = subprocess.Popen(
            [CGI], env=environment(d, body, **more), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        try:
            process.stdin.write(body)
            process.stdin.close()
            written = True
        except BrokenPipeError:
            written = False
        tally.equal("a body %s is read" % name, written, True)
        tally.check("and refused", parse_cgi(process.stdout.read()).status
                    in (404, 413))
        process.wait()


def leaving(d):
    process = stream(d, "quiet")
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    tally.equal("SIGTERM in a quiet stream", ended(process), True)

    process = stream(d, "quiet")
    process.stdout.readline()
    process.stdout.close()
    tally.equal("a closed pipe in a quiet stream", ended(process), True)

    ours, theirs = socket.socketpair()
    process = stream(d, "quiet", stdout=theirs)
    theirs.close()
    ours.recv(10)
    ours.close()
    tally.equal("a closed socket in a quiet stream", ended(process), True)

    process = stream(d, "lively")
    process.stdout.readline()
    process.stdout.close()
    tally.equal("a closed pipe in a lively stream", ended(process), True)

    # At any moment, the first ones included.
    late = []
    for i in range(40):
        process = stream(d, "quiet")
        time.sleep(0.001 * i)
        process.send_signal(signal.SIGTERM)
        if ended(process) is not True:
            late.append(i)
        process.stdout.close()
    tally.equal("SIGTERM at forty moments", late, [])

    process = stream(d, "long")
    out = process.stdout.read()
    tally.check("and undisturbed it goes to its end",
                b"word399" in out and b"[DONE]" in out, out[-100:])


def names(d):
    nph = os.path.join(d.folder, "nph-parlance.cgi")
    shutil.copy(CGI, nph)
    done = run(d, program=nph)
    tally.check("nph- writes the status line itself",
                done.stdout.startswith(b"HTTP/1.1 200 OK\r\n"),
                done.stdout[:100])
    done = subprocess.run([CGI], env=d.env, capture_output=True, text=True)
    tally.check("from a shell it is the admin command",
                "usage: parlance" in done.stdout + done.stderr, done)


def broken(d):
    env = environment(d, PARLANCE_CONFIG="/nonexistent.conf")
    done = subprocess.run([CGI], env=env, input=HELLO, capture_output=True)
    reply = parse_cgi(done.stdout, done.stderr)
    tally.equal("no configuration is a 500", reply.status, 500)
    tally.check("and a line in the log",
                done.stderr.startswith(b"parlance: ") and
                done.stderr.count(b"\n") == 1, done.stderr)
    env = environment(d)
    process = subprocess.Popen([CGI], env=env, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write(HELLO[:5])
    process.stdin.close()
    tally.equal("a body that breaks off",
                parse_cgi(process.stdout.read()).status, 400)
    process.wait()


with Deployment(BUILD, CONF) as d:
    d.write("recordings.json", RECORDINGS)
    for test in (environments, unread_bodies, leaving, names, broken):
        test(d)
tally.end()
