"""chatconf's own tests: the self-test of its cases, its options, reports and
exit codes; our deployments, reached in every way, against all levels of the
suite; and the other implementation of the bot API, servers/peer/.

usage: chatconf_test.py BUILD [NAME...]    e.g. groups, for test_groups
"""
import json
import os
import pty
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import xml.dom.minidom

HERE = os.path.dirname(os.path.abspath(__file__))
SERVERS = os.path.join(HERE, "..", "servers")
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, SERVERS)
import deployment  # noqa: E402
import fake_upstream  # noqa: E402

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
CHATCONF = os.path.join(BUILD, "chatconf")
PROFILES = ["v1", "dify"]
KEY = "demo-key"
passed = failed = 0


def check(good, what, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED", what)
        if detail:
            print("    " + detail.strip()[-3000:].replace("\n", "\n    "))


class Run:
    def __init__(self, *args, key=KEY, env=None):
        full = dict(os.environ, **(env or {}))
        full.pop("CHATCONF_KEY", None)
        full.pop("CHATCONF_CASES", None)
        if key:
            full["CHATCONF_KEY"] = key
        done = subprocess.run([CHATCONF, *args], env=full, timeout=300,
                              stdin=subprocess.DEVNULL, capture_output=True)
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")
        self.last = (self.out.strip().split("\n") or [""])[-1]

    def bad(self):
        """What went wrong, without the lines of what went right."""
        return "\n".join(line for line in (self.out + self.err).split("\n")
                         if not line.startswith("ok "))


def passing(*args, **more):
    """A run that is to pass.  On a busy machine a stream may once arrive all
    at its end; what holds streams back does so each time."""
    for _ in range(3):
        run = Run(*args, **more)
        failed = re.findall(r"(?m)^FAIL +([^\s:]+)", run.out)
        if not failed or not all(n.endswith("~live") for n in failed):
            break
    return run


class Server:
    """A Python program that prints its port, then serves."""

    def __init__(self, *command, env=None, port=None):
        self.process = subprocess.Popen(
            command, env=dict(os.environ, **(env or {})), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.port = port or int(self.process.stdout.readline())
        self.url = "http://127.0.0.1:%d" % self.port

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def faulty(fault=None, dialect=None):
    env = {"FAULT": fault or "", "DIALECT": dialect or ""}
    return Server("/usr/bin/python3", os.path.join(SERVERS, "faulty/server.py"),
                  env=env)


# ---- the suite on our own deployments ---------------------------------------

CITED = ["-s", "cited_query=What are the specs of the iPhone 13 Pro Max?"]


def exchanges(text):
    """(request line, body) of each exchange in the output of -v."""
    out, at_body = [], False
    for line in text.split("\n"):
        if line.startswith("> ") and (not out or out[-1][1] is not None):
            out.append([line, None])
        elif line.startswith("< ") and out and out[-1][1] is None:
            out[-1][1] = ""
            at_body = False
        elif line == "<":
            at_body = True
        elif line.startswith("< ") and at_body:
            out[-1][1] += line[2:] + "\n"
    return out


def is_random(body):
    return re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|created_at|latency", body)


def test_deployment():
    """Over CGI, FastCGI and lighttpd: no failures, and the same bytes."""
    d = deployment.Deployment(BUILD)
    d.start_fcgi()
    d.start_lighttpd()
    targets = {"cgi": "cgi:%s/parlance.cgi" % BUILD,
               "fcgi": "fcgi:" + d.address,
               "lighttpd": "http://127.0.0.1:%d" % d.port}
    for profile in PROFILES:
        bodies = {}
        for way, target in targets.items():
            run = passing(target, "-p", profile, "--strict", "--house", "-j", "8",
                          "-v", *(CITED if profile == "dify" else []),
                          env=d.env)
            check(run.code == 0, "our deployment passes %s over %s"
                  % (profile, way), run.bad())
            print(profile, way, run.last)
            bodies[way] = exchanges(run.out)
            check(KEY not in run.out + run.err, "the key is not shown")
        same = different = 0
        for a, b, c in zip(*bodies.values()):
            if a[1] is None or any(is_random(x[1]) for x in (a, b, c)):
                continue
            if a[1] == b[1] == c[1]:
                same += 1
            else:
                different += 1
                print("    differs:", a[0], [x[1][:200] for x in (a, b, c)])
        check(different == 0 and same > 60, "the same bytes in all three ways"
              " (%s: %d bodies)" % (profile, same))
        print(profile, "bodies equal in all three ways:", same)
    d.close()


FORM_BOT = """
[bot form]
name = With a form
image_upload = yes
input = city | text-input | City | required | max_length=12
input = size | select | Size | options=small;large
input = age | number | Age
"""


def test_form():
    """A bot with a form that takes images: the features the demo lacks."""
    with open(deployment.DEMO_CONF, encoding="utf-8") as file:
        demo = file.read()
    # The key is made by the program, so the file is written twice.
    d = deployment.Deployment(BUILD)
    key, section = d.new_key("form", "bot = form")
    d.close()
    conf = re.sub(r"(folder|recordings) = ", r"\1 = %s/" % os.path.dirname(
        deployment.DEMO_CONF), demo)
    conf = re.sub(r"(?m)^state = .*", "", conf) + FORM_BOT + section
    d = deployment.Deployment(BUILD, conf)
    run = passing("cgi:%s/parlance.cgi" % BUILD, "-p", "dify", "--strict",
                  "-f", "form", "-f", "images", "-f", "no-no-images",
                  "-f", "no-suggested", "--house", key=key,
                  env=d.env)
    check(run.code == 0, "a bot with a form and images passes", run.bad())
    print("dify with a form", run.last)
    d.close()


SLOW_BOT = """
[engine slow]
kind = openai
url = %s
key_file = upstream.key

[bot slow]
name = Slow
engine = slow
model = tokens=400 pace_ms=50
"""


def test_form_alone():
    """-f form leaves the other cases answerable: they have its inputs."""
    run = Run("-lv", "-p", "dify", "-f", "form", "dify/blocking/answer")
    check('"inputs":{"city":"Oslo"}' in run.out, "-f form gives inputs",
          run.out)
    run = Run("-lv", "-p", "dify", "-s", 'inputs={"town":"Rome"}',
              "dify/blocking/answer")
    check('"inputs":{"town":"Rome"}' in run.out, "and -s inputs=JSON", run.out)
    run = Run("-l", "-p", "dify", "-s", "inputs={")
    check(run.code == 2 and "not JSON" in run.err, "which must be JSON")


def test_slow():
    """A model that talks for 20 s: stopping it, and pieces that come live."""
    upstream = fake_upstream.FakeUpstream()
    d = deployment.Deployment(BUILD, SLOW_BOT % upstream.url)
    key, section = d.new_key("slow", "bot = slow")
    d.write("upstream.key", "upstream-secret\n")
    d.write("parlance.conf", SLOW_BOT % upstream.url + section)
    d.start_fcgi()
    d.start_lighttpd()
    for target in ("fcgi:" + d.address, "http://127.0.0.1:%d" % d.port):
        # The case wants the end within two seconds: the best of three.
        for _ in range(3):
            run = Run(target, "-p", "dify", "--strict", "-f", "slow", "-v",
                      "dify/stop/running", key=key, env=d.env)
            if run.code == 0:
                break
        check(run.code == 0 and "1 ok" in run.last,
              "an answer is stopped over " + target.split(":")[0], run.bad())
    d.close()
    upstream.close()


def test_started_program():
    """fcgi:PROGRAM starts it, and leaves nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "state"))
        env = {"PARLANCE_CONFIG": deployment.DEMO_CONF, "TMPDIR": folder,
               "PARLANCE_STATE": os.path.join(folder, "state")}
        run = passing("fcgi:%s/parlance.fcgi" % BUILD, "--strict", "--house",
                      "-j", "8", env=env)
        check(run.code == 0, "fcgi: starts a program", run.bad())
        check(os.listdir(folder) == ["state"], "its socket is gone")


def test_again():
    """The line `again` of cgi: and fcgi: is a command that does it again."""
    d = deployment.Deployment(BUILD)
    d.start_fcgi()
    for target in ("cgi:%s/parlance.cgi" % BUILD, "fcgi:" + d.address):
        if target.startswith("fcgi:") and not shutil.which("cgi-fcgi"):
            print("cgi-fcgi is not installed: its line is not tried")
            continue
        run = Run(target, "v1/reply/prompt", "-s", "bot_slug=it's", env=d.env)
        again = re.search(r"again   (.*)", run.out).group(1)
        check("$CHATCONF_KEY" in again and KEY not in again,
              "the key stays a variable", again)
        out = subprocess.run(["sh", "-c", again], capture_output=True,
                             timeout=100, env=dict(d.env, CHATCONF_KEY=KEY))
        check(b"Status: 404" in out.stdout and b"Bot not found" in out.stdout,
              "again, over " + target.split(":")[0], again + repr(out))
    d.close()


def test_peer():
    port = deployment.free_port()
    peer = Server("/usr/bin/python3", "-m", "uvicorn", "--app-dir",
                  os.path.join(SERVERS, "peer"), "app:app", "--port", str(port),
                  "--log-level", "critical", port=port)

    def answers():
        try:
            urllib.request.urlopen(peer.url + "/health-check").close()
            return True
        except OSError:
            return False
    deployment.wait_until(answers)
    run = passing(peer.url, "--strict", "--house", "-j", "4", "-s",
                  "bot_slug=demo", "-s",
                  "bot_uid=EDf826b8-1b75-4f57-bd26-641c897f9c1e")
    peer.close()
    check(run.code == 0, "the FastAPI peer passes all levels", run.bad())
    print("peer", run.last)


def test_dialect():
    server = faulty(dialect="pydantic-2")
    run = passing(server.url, "-p", "pydantic-v2", "--strict")
    check(run.code == 0 and " ok, 0 failed" in run.last,
          "pydantic v2's words pass with their profile", run.bad())
    run = Run(server.url, "v1/validation/stream-missing")
    check(run.code == 1, "and fail without it")
    server.close()


def test_broken_targets():
    """What breaks before there is a reply to compare."""
    with tempfile.TemporaryDirectory() as folder:
        for what, script, seen in (
                ("no output", "exit 0", "no output at all"),
                ("a word and no headers", "echo hello", "no blank line"),
                ("a line that is no header", "printf 'Status: 200\n"
                 "hello\n\n'", "not a header line: hello"),
                ("a status that is none", "printf 'Status: fine\n\n'",
                 "Status is no status code"),
                ("a crash", "kill -SEGV $$", "signal 11"),
                ("words on standard error", "echo oh no >&2", "oh no"),
                ("silence", "sleep 30", "did not end in time")):
            program = os.path.join(folder, "x.cgi")
            with open(program, "w") as file:
                file.write("#!/bin/sh\n%s\n" % script)
            os.chmod(program, 0o755)
            run = Run("cgi:" + program, "v1/reply/prompt", "-t",
                      "1" if what == "silence" else "30")
            check(run.code == 1 and seen in run.out,
                  "cgi: " + what + " is a failure that says so", run.out)
        program = os.path.join(folder, "x.fcgi")
        with open(program, "w") as file:
            file.write("#!/bin/sh\nexit 0\n")
        os.chmod(program, 0o755)
        start = time.monotonic()
        run = Run("fcgi:" + program, "v1/reply/prompt", "-t", "2")
        check(run.code in (1, 3) and time.monotonic() - start < 20,
              "fcgi: a program that ends at once is no success", run.out)
    for what, reply, seen in (
            ("closes", b"", "closed before the reply ended"),
            ("talks HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n",
             "not a FastCGI record"),
            ("refuses", b"\1\3\0\1\0\x08\0\0" + b"\0\0\0\0\2\0\0\0",
             "refused the request"),
            ("hangs", None, "did not end in time")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ended = threading.Event()

            def serve():
                peer = listener.accept()[0]
                peer.recv(100000)
                if reply is None:
                    ended.wait()
                else:
                    peer.sendall(reply)
                peer.close()
            thread = threading.Thread(target=serve)
            thread.start()
            run = Run("fcgi:127.0.0.1:%d" % listener.getsockname()[1],
                      "v1/reply/prompt", "-t", "1" if reply is None else "30")
            ended.set()
            thread.join()
            check(run.code == 1 and seen in run.out,
                  "fcgi: a server that %s is a failure" % what, run.out)


def test_https():
    sys.path.insert(0, os.path.join(SERVERS, "faulty"))
    import server
    with tempfile.TemporaryDirectory() as folder:
        key, cert = (os.path.join(folder, n) for n in ("key", "cert"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", key, "-out", cert, "-days", "2", "-subj",
             "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True)
        listener = server.Server(("127.0.0.1", 0), server.Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        listener.socket = context.wrap_socket(listener.socket,
                                              server_side=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        url = "https://127.0.0.1:%d" % listener.server_address[1]
        run = Run(url, "v1/reply/prompt")
        check(run.code == 3 and "certificate" in run.err,
              "a certificate nobody trusts is exit 3", run.err)
        run = Run(url, "v1/reply/*", env={"CURL_CA_BUNDLE": cert})
        check(run.code == 0, "over HTTPS", run.bad())
        listener.shutdown()
        listener.server_close()


def test_retry():
    server = faulty(dialect="busy")
    run = Run(server.url, "v1/reply/prompt", "--retry", "2")
    check(run.code == 0 and "ok, try 2" in run.out, "--retry tries again",
          run.out)
    run = Run(server.url, "v1/reply/prompt")
    check(run.code == 1 and "503" in run.out, "without it 503 fails", run.out)
    server.close()


def test_terminal():
    """Colour and the running case on a terminal, and never with NO_COLOR."""
    server = faulty()
    for name, value, colour in (("NO_COLOR", "", True), ("NO_COLOR", "1",
                                                          False)):
        master, slave = pty.openpty()
        done = subprocess.Popen(
            [CHATCONF, server.url, "v1/reply/p*"], stdin=subprocess.DEVNULL,
            stdout=slave, stderr=slave,
            env=dict(os.environ, CHATCONF_KEY=KEY, TERM="xterm",
                     **{name: value}))
        os.close(slave)
        out = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        done.wait()
        os.close(master)
        check((b"\033[" in out) == colour and b"v1/reply/prompt" in out
              and (re.search(rb"\d+ of \d+", out) is not None) == colour,
              "%s=%r on a terminal" % (name, value), repr(out))
    server.close()


def test_eras():
    """What real servers differ in is tolerated, and the era is told."""
    for dialect, says in (("era-a-restful", "era A, restful"),
                          ("era-a-restx", "era A, restx"),
                          ("era-b", "era B"), ("era-c", "era C")):
        server = faulty(dialect=dialect)
        # Clients of this API have a URL that ends in /v1.
        run = passing(server.url + "/v1/" * ("c" in dialect[-1:]), "-p", "dify",
                      "--strict", *(
            ["-f", "no-era-b"] if "era-a" in dialect else []))
        server.close()
        seen = re.findall(r"(?m)^seen  (.*)", run.out)
        check(run.code == 0, "must and should pass on " + dialect, run.bad())
        check(any(line.startswith(says) for line in seen),
              "it is told that it is " + says, repr(seen))


# ---- options, reports, exit codes -------------------------------------------

def test_usage():
    for args, code in (((), 2), (("--bogus",), 2), (("ftp://x",), 2),
                       (("http://127.0.0.1:1", "-j", "0"), 2),
                       (("http://127.0.0.1:1", "-s", "novalue"), 2),
                       (("http://127.0.0.1:1", "-s", "key=secret"), 2),
                       (("http://127.0.0.1:1", "-p", "nosuch"), 2),
                       (("http://127.0.0.1:1", "-f", "nosuch"), 2),
                       (("http://127.0.0.1:1", "-k", "/nonexistent"), 2),
                       (("http://127.0.0.1:1",), 3),
                       (("cgi:/nonexistent",), 3),
                       (("fcgi:/nonexistent",), 3),
                       (("http://127.0.0.1:1", "nosuch/*"), 3),
                       (("--help",), 0), (("--version",), 0)):
        run = Run(*args)
        check(run.code == code, "exit %d for %s" % (code, " ".join(args)),
              "%d %s" % (run.code, run.err))
        check(code == 0 or run.err, "and it says why")
    run = Run("http://127.0.0.1:1", key=None)
    check(run.code == 2 and "CHATCONF_KEY" in run.err
          and run.err.count("\n") == 1, "a missing key is one line", run.err)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n")
        file.flush()
        check(Run("http://x", "-K", file.name, key=None).code == 2,
              "an empty key file is an error")


def test_list():
    run = Run("-l", key=None)
    check(run.code == 0 and re.search(r"\d+ cases \(\d+ must", run.last),
          "-l lists the cases without a key or a target", run.err)
    run = Run("-lv", "v1/validation/stream-missing", key=None)
    check("stream is required" in run.out and "source" not in run.err
          and "HTTPValidationError" in run.out, "-lv explains", run.out)
    run = Run("-l", "-s", "bot_slgu=x", key=None)
    check("bot_slgu" in run.err, "a variable nobody uses is told", run.err)
    run = Run("-lv", "-p", "dify", "dify/feedback/rate", key=None)
    check(run.out.count("    > ") == 7, "-lv shows every step", run.out)
    check(Run("-l", "nosuch").code == 3, "nothing to list is exit 3")
    with open(os.path.join(TOP, "fixtures/README.md"),
              encoding="utf-8") as file:
        named = set(re.findall(r"`((?:v1|dify)/[a-zA-Z0-9_/*-]+)`", file.read()
                               .split("## What the documents say")[1]))
    lost = [name for name in named
            if Run("-l", "-p", name.split("/")[0], name, key=None).code != 0]
    check(len(named) > 30 and not lost, "the cases the README names exist",
          repr(lost))


def test_failures():
    server = faulty("v1-msg-capitals")
    name = "v1/validation/stream-missing"
    run = Run(server.url, name, "v1/reply/prompt")
    check(run.code == 1, "a failed case is exit 1")
    for part in ("FAIL  " + name, 'body /detail/0/msg', '- "field required"',
                 '+ "Field required"', "source  v1 chat API",
                 "again   curl -isS " + server.url + "/v1/chat -K "
                 "chatconf.rc --data-binary", "1 ok, 1 FAILED"):
        check(part in run.out, "a failure shows: " + part, run.out)
    again = re.search(r"again   (.*)", run.out).group(1)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "chatconf.rc"), "w") as file:
            file.write('header = "Authorization: Bearer %s"\n'
                       'header = "Content-Type: application/json"\n' % KEY)
        out = subprocess.run(["sh", "-c", again], cwd=folder,
                             capture_output=True, text=True, timeout=100).stdout
        check("HTTP/1.1 422" in out and "Field required" in out,
              "the line `again` shows it again", out)
        report = os.path.join(folder, "known")
        run = Run(server.url, name, "v1/reply/prompt", "--write-known", report)
        run = Run(server.url, name, "v1/reply/prompt", "-k", report)
        check(run.code == 0 and "1 known" in run.last,
              "a known failure does not count", run.out)
        with open(report, "a") as file:
            file.write("v1/reply/prompt # passes\n")
        run = Run(server.url, name, "v1/reply/prompt", "-k", report)
        check(run.code == 1 and "and passes" in run.out,
              "a known failure that passes is an error", run.out)
        with open(report, "a") as file:
            file.write("v1/no/such/case\n")
        run = Run(server.url, name, "-k", report)
        check(run.code == 2 and "no/such" in run.err,
              "a known failure nobody has is wrong", run.err)
        run = Run(server.url, name, "--save", os.path.join(folder, "saved"))
        with open(os.path.join(folder, "saved",
                               name.replace("/", "_") + ".txt")) as file:
            saved = file.read()
        check("< 422" in saved and "> POST /v1/chat" in saved
              and KEY not in saved, "--save keeps the exchange", saved)
    run = Run(server.url, "-x")
    check(run.code == 1 and run.out.count("\nFAIL") == 1,
          "-x stops at the first failure", run.last)
    run = Run(server.url, "v1/statistics/*")
    check(run.code == 0 and "warn" in run.out,
          "a failed should is a warning", run.last)
    check(Run(server.url, "--strict", "v1/statistics/*").code == 1,
          "with --strict it counts")
    server.close()


# Eight mistakes a server may well have.
EIGHT = ["v1-msg-capitals", "v1-bots-avatar-missing", "v1-no-done",
         "v1-key-before-syntax", "v1-uid-any-case", "v1-405-as-404",
         "v1-statistics-text", "v1-json-column-from-0"]


def test_groups():
    """A server with eight mistakes: causes, not cases."""
    server = faulty(",".join(EIGHT))
    run = Run(server.url, "--strict")
    lines = run.out.count("\n")
    print("score: report of a server with 8 mistakes: %d lines" % lines)
    check(run.code == 1 and lines < 120, "under 120 lines", run.out)
    groups = re.findall(r"(?m)^FAIL +(\S+)", run.out)
    check(8 <= len(groups) <= 20 and run.out.count("\n      again   curl ")
          == len(groups), "groups with an example and its curl", run.out)
    first = run.out.split("\n").index(next(
        line for line in run.out.split("\n") if line.startswith("FAIL")))
    check(first < 5, "the first failure is at the top", run.out)
    check(re.search(r"(?m)^      also    v1/.*", run.out)
          and re.search(r", and \d+ more$", run.out, re.M),
          "ten names, and the number of the rest", run.out)
    quiet = Run(server.url, "--strict", "-q")
    check(re.findall(r"(?m)^FAIL +(\S+)", quiet.out) == groups,
          "-q prints the groups", quiet.out)
    run = Run(server.url)
    check(re.search(r"(?m)^warn  \d+ cases?: ", run.out)
          and "warn  v1/" not in run.out, "warnings are counts", run.out)
    run = Run(server.url, "-v")
    check(re.search(r"(?m)^warn  \d+ cases?: .*\n      v1/", run.out)
          and re.search(r"(?m)^ok +v1/reply/prompt ", run.out),
          "and have their names with -v")
    server.close()


def test_preflight():
    """What makes all cases fail is one line, with its remedy."""
    server = faulty()
    for what, args, key, seen in (
            ("a wrong key", ["-p", "v1"], "nope", "does not accept the key"),
            ("a wrong key", ["-p", "dify"], "nope", "does not accept the key"),
            ("a wrong path", [server.url + "/api"], KEY,
             "nothing answers as the bot API"),
            ("a wrong base", ["-p", "dify", "-s", "base=/api"], KEY,
             "give -s base="),
            ("an unknown bot", ["-s", "bot_slug=nobody"], KEY,
             "does not know the bot nobody")):
        target = [server.url] if not args[0].startswith("http") else []
        run = Run(*target, *args, key=key)
        check(run.code == 1 and seen in run.out
              and run.out.count("\nFAIL") == 1
              and "\n      fix: " in run.out
              and run.out.count("\n") == 3, what + " is the verdict", run.out)
        check(Run(*target, *args, "v1/reply/prompt" if "dify" not in args
                  else "dify/blocking/answer", key=key).code == 1,
              "and one case can be asked for all the same")
    for profile in PROFILES:
        run = Run(server.url + "/v1", "-p", profile)
        check(run.code == 0, "a URL that ends in /v1 works for " + profile,
              run.out)
    run = Run(server.url, "-s", "bot_slug=nobody", "--no-preflight")
    check(run.code == 1 and "untested" in run.out,
          "--no-preflight begins with the cases", run.out)
    with tempfile.TemporaryDirectory() as folder:
        junit, report = (os.path.join(folder, n) for n in ("j.xml", "r.json"))
        run = Run(server.url, "--junit", junit, "--json", report, key="nope")
        errors = xml.dom.minidom.parse(junit).getElementsByTagName("error")
        check(len(errors) == 1, "JUnit has the verdict")
        with open(report, encoding="utf-8") as file:
            check("key" in json.load(file)["verdict"], "and JSON")
    run = Run(server.url, "--tap", key="nope")
    check("Bail out! the server does not accept the key" in run.out,
          "and TAP", run.out)
    server.close()
    server = faulty("v1-stream-refused")
    run = Run(server.url)
    check(run.code == 1 and "-f no-stream" in run.out,
          "a server that does not stream is told of -f no-stream", run.out)
    server.close()


def test_untested():
    server = faulty()
    run = Run(server.url, "-s", "bot_slug=nosuch", "v1/validation/*")
    check(run.code == 1 and "untested" in run.last and "FAIL" in run.out,
          "a refused control leaves its cases untested", run.last)
    run = Run(server.url, "-f", "no-stream", "v1/stream/pieces")
    check(run.code == 3 and "feature stream is off" in run.out,
          "nothing but n/a is exit 3", run.out)
    run = Run(server.url, "-f", "no-stream", "v1/stream/pieces",
              "v1/reply/prompt")
    check(run.code == 0 and "1 not applicable (stream 1)" in run.last,
          "n/a names the feature", run.last)
    server.close()


def test_reports():
    server = faulty("v1-no-done")
    names = ["v1/stream/pieces", "v1/reply/prompt", "v1/stream/first-empty"]
    with tempfile.TemporaryDirectory() as folder:
        junit, report = (os.path.join(folder, n) for n in ("j.xml", "r.json"))
        run = Run(server.url, *names, "--tap", "--junit", junit, "--json",
                  report, "-f", "no-echo")
        check(run.out.startswith("TAP version 14\n")
              and "\nnot ok 2 - v1/stream/pieces\n  ---\n" in run.out
              and run.out.rstrip().endswith("1..3")
              and "  at: \"end of the stream\"" in run.out, "TAP 14", run.out)
        suite = xml.dom.minidom.parse(junit).getElementsByTagName(
            "testsuite")[0]
        check(suite.getAttribute("tests") == "3"
              and suite.getAttribute("failures") == "1"
              and len(suite.getElementsByTagName("failure")) == 1, "JUnit")
        with open(report, encoding="utf-8") as file:
            found = json.load(file)
        check(found["summary"]["failed"] == 1 and len(found["cases"]) == 3
              and found["cases"][1]["expected"] == "[DONE]", "JSON",
              json.dumps(found))
    server.close()
    server = faulty("v1-buffered")
    run = Run(server.url, "v1/stream/pieces")
    check(run.code == 0 and re.search(
        r"warn  v1/stream/pieces~live +nothing for \d+ ms, then \d+ events "
        r"within \d+ ms\n      a web server is buffering", run.out),
        "a buffered stream is a warning", run.out)
    check(Run(server.url, "v1/stream/pieces", "--strict").code == 1,
          "which counts with --strict")
    server.close()


CHROMIUM = ["--headless", "--no-sandbox", "--disable-dev-shm-usage",
            "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            "--disable-sync"]


def browsed(page, folder):
    """The page's elements as a browser has them, or None without one."""
    program = shutil.which("chromium")
    if program is None:
        print("chromium is not installed: the HTML report is not looked at")
        return None
    done = subprocess.run(
        [program, *CHROMIUM, "--user-data-dir=" + os.path.join(folder, "c"),
         "--dump-dom", "file://" + page], capture_output=True, timeout=120,
        env=dict(os.environ, HOME=folder), stdin=subprocess.DEVNULL)
    return done.stdout.decode("utf-8", "replace")


def test_pages():
    """The reports for people."""
    server = faulty(",".join(EIGHT))
    right = faulty()
    with tempfile.TemporaryDirectory() as folder:
        page, text, badge = (os.path.join(folder, n)
                             for n in ("r.html", "r.md", "badge"))
        run = Run(server.url, "--strict", "--html", page, "--markdown", text,
                  "--badge", badge)
        causes = len(re.findall(r"(?m)^FAIL ", run.out))
        with open(page, encoding="utf-8") as file:
            html = file.read()
        check("<script" not in html and "://" not in re.sub(
            re.escape(server.url), "", html), "the HTML is one file", html)
        dom = browsed(page, folder)
        if dom is not None:
            check(dom.count('<details class="fail" open="">') == causes
                  and dom.count("<del>") == causes == dom.count("<ins>"),
                  "a browser shows %d groups with marked differences" % causes,
                  dom)
            check("<del>f</del>ield required" in dom
                  and "<ins>F</ins>ield required" in dom,
                  "what differs is marked", dom)
            links = set(re.findall(r'href="#([^"]+)"', dom))
            check(links and all('<p id="%s">' % x in dom for x in links),
                  "each source leads to its rule", repr(links))
        with open(text, encoding="utf-8") as file:
            markdown = file.read()
        check(markdown.count("\n### ") == causes
              and "```diff\n" in markdown, "Markdown has the groups", markdown)
        with open(badge, encoding="utf-8") as file:
            check(re.match(r"!\[chatconf v1\]\(https://\S+failed-red\)\n$",
                           file.read()), "a badge line")
        check(KEY not in html + markdown, "the key is in none of them")
        run = Run("--matrix", "first=" + server.url, "right=" + right.url,
                  "gone=http://127.0.0.1:1", "--strict")
        check(run.code == 1 and re.search(
            r"first +right +gone\nok +\d+ +\d+ +0\nFAIL +\d+ +0 +0", run.out)
            and "FAIL  gone: " in run.out, "--matrix is one table", run.out)
    server.close()
    right.close()


def test_any_byte():
    """Whatever a server sends: reports stay whole and terminals safe."""
    raw = bytes(range(256)) + b"]]>\xef\xbf\xbe\xe2\x80\xae<&\xed\xa0\x80"
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "x.cgi")
        with open(os.path.join(folder, "raw"), "wb") as file:
            file.write(raw)
        for kind in ("application/json", "text/event-stream", "text/html"):
            with open(program, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nprintf 'Status: 200\\n"
                           "Content-Type: %s\\nX-A: \\001\\377\\n\\n'\n"
                           "cat '%s/raw'\n" % (kind, folder))
            os.chmod(program, 0o755)
            names = ["j.xml", "r.json", "r.html", "r.md"]
            paths = [os.path.join(folder, n) for n in names]
            run = subprocess.run(
                [CHATCONF, "cgi:" + program, "v1/reply/*", "v1/stream/*", "-v",
                 "--junit", paths[0], "--json", paths[1], "--html", paths[2],
                 "--markdown", paths[3], "--save",
                 os.path.join(folder, "saved")],
                env=dict(os.environ, CHATCONF_KEY=KEY), capture_output=True,
                timeout=100)
            xml.dom.minidom.parse(paths[0])
            with open(paths[1], encoding="utf-8") as file:
                json.load(file)
            texts = [run.stdout]
            for path in paths[2:]:
                with open(path, "rb") as file:
                    texts.append(file.read())
            for text in texts:
                decoded = text.decode("utf-8")
                check(not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202e\ufffe]",
                                    decoded), kind + ": no raw byte is shown",
                      repr(decoded[:500]))
    run = Run("cgi:/bin/false", "v1/validation/stream-kind/null", "--tap")
    check("{{" not in run.out.replace("{{key}}", ""),
          "titles are filled in", run.out)


def test_alone():
    """The program without a checkout, its rules, curl's file, completion."""
    with tempfile.TemporaryDirectory() as folder:
        program = shutil.copy(CHATCONF, folder)
        env = {n: v for n, v in os.environ.items() if n != "CHATCONF_CASES"}
        done = subprocess.run([program, "-l"], env=env, capture_output=True,
                              text=True)
        check(done.returncode == 0 and done.stdout == Run("-l").out,
              "the cases are inside the program", done.stderr)
        done = subprocess.run([program, "--explain", "v1/several/two-roots"],
                              env=env, capture_output=True, text=True)
        check("B6.4" in done.stdout and "Evidence:" in done.stdout,
              "--explain prints the rule", done.stdout + done.stderr)
        path = os.path.join(folder, "rc")
        run = Run("--write-rc=" + path)
        with open(path, encoding="utf-8") as file:
            check(run.code == 0 and file.read() ==
                  'header = "Authorization: Bearer %s"\n'
                  'header = "Content-Type: application/json"\n' % KEY
                  and os.stat(path).st_mode & 0o777 == 0o600,
                  "--write-rc makes curl's file, for its owner alone")
        script = (". '%s'; COMP_WORDS=(chatconf %s); COMP_CWORD=%d; "
                  "_chatconf; printf '%%s\\n' \"${COMPREPLY[@]}\"")
        for words, expected in (("-p d", "dify"), ("--expl", "--explain"),
                                ("-f no-str", "no-stream"),
                                ("v1/reply/pr", "v1/reply/prompt")):
            done = subprocess.run(
                ["bash", "-c", script % (os.path.join(
                    HERE, "..", "chatconf.bash"), words,
                    len(words.split()))], capture_output=True, text=True,
                env=dict(env, PATH=BUILD + ":" + env["PATH"]))
            check(expected in done.stdout.split(), "completes " + words,
                  done.stdout + done.stderr)


def test_rules():
    """Every case cites a rule that is there, and no rule is without one."""
    anchors, cited = set(), set()
    for name in ("RULES-botapi.md", "RULES-messagesapi.md"):
        with open(os.path.join(TOP, "fixtures", name),
                  encoding="utf-8") as file:
            anchors |= {name + "#" + a for a in
                        re.findall(r'<a id="([^"]+)">', file.read())}
    for profile in PROFILES:
        for line in Run("-lv", "-p", profile, key=None).out.split("\n"):
            if re.match(r"    (must|should|house); ", line):
                found = re.findall(r"RULES-\w+\.md#[\w-]+", line)
                check(found, "a case cites a rule", line) if not found else 0
                cited |= set(found)
    check(len(anchors) > 70 and cited == anchors, "rules and cases fit",
          "not there: %s\nnot cited: %s" % (sorted(cited - anchors),
                                            sorted(anchors - cited)))


def test_case_files():
    """Faults of case files are found before anything is sent."""
    good = {"suite": "v1/own", "source": "s", "cases": [
        {"id": "a", "title": "t", "request": {"json": {}},
         "expect": {"status": 200}, "sample": {"status": 200}}]}

    def variant(**changes):
        return {**good, "cases": [{**good["cases"][0], **changes}]}

    twice = {**good, "cases": good["cases"] * 2}
    for what, text, code in (
            ("a good file", json.dumps(good), 3),
            ("broken JSON", '{"suite":', 2),
            ("a member twice", '{"suite":"a","suite":"b"}', 2),
            ("an unknown key", json.dumps({**good, "suit": 1}), 2),
            ("an unknown key in a case", json.dumps(variant(tilte="x")), 2),
            ("a duplicate name", json.dumps(twice), 2),
            ("no request", json.dumps(variant(request=None)), 2),
            ("an undefined variable", json.dumps(variant(
                request={"json": "{{nobody}}"})), 2),
            ("an unknown matcher", json.dumps(variant(
                expect={"json": "$uid"})), 2),
            ("an unknown operator", json.dumps(variant(
                expect={"json": {"$any-of": []}})), 2),
            ("a broken expression", json.dumps(variant(
                expect={"json": {"$re": "("}})), 2),
            ("an unknown part of expect", json.dumps(variant(
                expect={"stats": 200})), 2),
            ("an unknown feature", json.dumps(variant(
                requires=["teleport"])), 2),
            ("a change without base", json.dumps(variant(
                request=None, change={"drop": ["/a"]})), 2),
            ("a level nobody knows", json.dumps(variant(level="may")), 2),
            ("half a byte", json.dumps(variant(request={"hex": "abc"})), 2)):
        text = text.replace('"request": null, ', "")
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "myapi"))
            os.symlink(os.path.join(TOP, "fixtures", "profiles"),
                       os.path.join(folder, "profiles"))
            with open(os.path.join(folder, "myapi", "x.json"), "w") as file:
                file.write(text)
            run = Run("http://127.0.0.1:1", "--cases", folder)
            check(run.code == code and (code == 3 or "x.json:" in run.err),
                  "%s is exit %d" % (what, code), run.err)
            if what == "a good file":
                run = Run("--self-test", "--cases", folder)
                check(run.code == 0, "its self-test passes", run.err)
    bad = variant(expect={"status": 200, "json": {"a": {"$re": "."}}},
                  sample={"status": 200, "type": "application/json",
                          "json": {"a": "x"}})
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "myapi"))
        os.symlink(os.path.join(TOP, "fixtures", "profiles"),
                   os.path.join(folder, "profiles"))
        with open(os.path.join(folder, "myapi", "x.json"), "w") as file:
            json.dump(bad, file)
        run = Run("--self-test", "--cases", folder)
        check(run.code == 2 and "not noticed" in run.err
              and "/json/a" in run.err,
              "the self-test finds an expression that is too lax", run.err)


TESTS = (test_usage, test_list, test_failures, test_groups, test_preflight,
         test_untested, test_reports, test_pages, test_any_byte, test_alone,
         test_rules, test_case_files, test_broken_targets,
         test_https, test_retry, test_terminal, test_eras, test_dialect,
         test_again, test_peer, test_started_program, test_form, test_form_alone,
         test_slow,
         test_deployment)


def main():
    run = Run("--self-test")
    check(run.code == 0, "every broken sample is refused", run.out + run.err)
    score = re.search(r"(\d+) broken replies, (\d+) refused", run.out)
    print("score: self-test: %s of %s broken samples refused"
          % (score[2], score[1]) if score else run.out)
    sanitized = BUILD + "-sanitize/chatconf"
    if os.path.exists(sanitized):
        done = subprocess.run([sanitized, "--self-test"], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300)
        check(done.returncode == 0, "the same under the sanitizers",
              done.stderr.decode("utf-8", "replace"))
    for test in TESTS:
        if sys.argv[2:] and test.__name__[5:] not in sys.argv[2:]:
            continue
        test()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
