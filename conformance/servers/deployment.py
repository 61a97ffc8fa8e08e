"""What end-to-end tests share: a deployment in a temporary folder, reached in
three ways (the CGI program, parlance.fcgi directly, through lighttpd), and
the counting of what passed.

    d = Deployment(build, conf)          # conf: text of parlance.conf
    reply = d.cgi("POST", "/v1/chat", {"stream": False})
    d.start_fcgi(); reply = d.fcgi(...)
    d.start_lighttpd(); reply = d.http(...)
    d.close()

Servers listen on 127.0.0.1 on free ports or on sockets in the folder, and are
stopped by their process ids.  Only Python's standard library is needed.
"""
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
DEMO_CONF = os.path.join(TOP, "fixtures", "demo", "parlance.conf")
KEY = "demo-key"


def free_port():
    """One below those that Linux gives to clients and to who asks for any:
    nobody takes it before the program that it is for."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def wait_until(condition, seconds=60):
    """What must happen, however busy the machine is: the condition's first
    true value, or its last one."""
    until = time.monotonic() + seconds
    while True:
        seen = condition()
        if seen or time.monotonic() > until:
            return seen
        time.sleep(0.01)


def signals(pid, line):
    """A set of signals of /proc/PID/status: SigBlk, ShdPnd, ..."""
    with open("/proc/%d/status" % pid) as f:
        bits = int(re.search(r"(?m)^%s:\s+(\w+)" % line, f.read()).group(1), 16)
    return {n for n in range(1, 65) if bits >> (n - 1) & 1}


def wait_started(process):
    """Until parlance.fcgi, spawned with a socket that was there before, takes
    signals as it should."""
    # SIGPIPE is blocked with those that it waits for, which Linux does not
    # count as blocked meanwhile.
    return wait_until(lambda: process.poll() is not None or
                      signal.SIGPIPE in signals(process.pid, "SigBlk"))


class Reply:
    """status, headers (lower-case names), body (bytes)."""

    def __init__(self, status, headers, body, stderr=b""):
        self.status, self.headers, self.body = status, headers, body
        self.stderr = stderr

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def type(self):
        return self.headers.get("content-type", "").split(";")[0]

    def events(self):
        """The payloads of an event stream, [DONE] as it is."""
        out = []
        for block in self.text.split("\n\n"):
            for line in block.split("\n"):
                if line.startswith("data: "):
                    data = line[6:]
                    out.append(data if data == "[DONE]" else json.loads(data))
        return out

    def stream_ends(self):
        """What says in a stream, of either API, how it ended: once, if it is
        an honest one."""
        ends = []
        for block in self.text.split("\n\n"):
            if block.startswith("event: error"):
                ends.append("error")
            elif block == "data: [DONE]":
                ends.append("end")
            elif block.startswith("data: "):
                event = json.loads(block[6:]).get("event")
                if event in ("message_end", "error"):
                    ends.append(event)
        return ends

    def __repr__(self):
        return "<%s %r>" % (self.status, self.body[:300])


def parse_cgi(out, stderr=b""):
    """A CGI response: header lines, empty line, body."""
    head, sep, body = out.partition(b"\r\n\r\n")
    if not sep:
        raise ValueError("no header block in %r, stderr %r"
                         % (out[:300], stderr[:600]))
    headers, status = {}, 200
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name.lower()] = value.strip()
    return Reply(status, headers, body, stderr)


class FastCGI:
    """A FastCGI client for one request on one connection."""

    def __init__(self, address, timeout=30):
        family = socket.AF_INET if isinstance(address, tuple) \
            else socket.AF_UNIX
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)

    @staticmethod
    def record(kind, data=b"", request=1):
        return struct.pack(">BBHHBx", 1, kind, request, len(data), 0) + data

    @staticmethod
    def pairs(params):
        out = b""
        for name, value in params.items():
            name, value = name.encode(), value.encode("utf-8",
                                                      "surrogateescape")
            for n in (len(name), len(value)):
                out += bytes([n]) if n < 128 else \
                    struct.pack(">I", n | 0x80000000)
            out += name + value
        return out

    def stream(self, kind, data):
        out = b""
        for i in range(0, len(data), 65535):
            out += self.record(kind, data[i:i + 65535])
        return out + self.record(kind)

    def send(self, params, body=b"", role=1, flags=0):
        self.socket.sendall(
            self.record(1, struct.pack(">HB5x", role, flags))
            + self.stream(4, self.pairs(params)) + self.stream(5, body))

    def receive_exactly(self, n):
        out = b""
        while len(out) < n:
            piece = self.socket.recv(n - len(out))
            if not piece:
                raise EOFError
            out += piece
        return out

    def records(self):
        """(kind, data) of each record until END_REQUEST or the end."""
        while True:
            try:
                head = self.receive_exactly(8)
            except EOFError:
                return
            _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
            data = self.receive_exactly(length)
            self.receive_exactly(padding)
            yield kind, data
            if kind == 3:
                return

    def reply(self):
        out = err = b""
        ended = False
        for kind, data in self.records():
            if kind == 6:
                out += data
            elif kind == 7:
                err += data
            elif kind == 3:
                ended = True
        if not ended:
            raise EOFError("no END_REQUEST after %r" % out[-200:])
        return parse_cgi(out, err)

    def close(self):
        self.socket.close()


class Deployment:
    """One parlance.conf and its state, in a temporary folder."""

    def __init__(self, build, conf=None, env=None):
        self.build = os.path.abspath(build)
        self.folder = tempfile.mkdtemp(prefix="parlance-test-")
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state, 0o700)
        self.conf = DEMO_CONF
        if conf is not None:
            self.conf = os.path.join(self.folder, "parlance.conf")
            self.write("parlance.conf", conf)
        self.env = dict(os.environ, PARLANCE_CONFIG=self.conf,
                        PARLANCE_STATE=self.state, **(env or {}))
        for name in ("GATEWAY_INTERFACE", "HTTP_AUTHORIZATION"):
            self.env.pop(name, None)
        self.processes = []
        self.address = self.port = None

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def admin(self, *words):
        return subprocess.run([os.path.join(self.build, "parlance"), *words],
                              env=self.env, capture_output=True, text=True,
                              timeout=120)

    def new_key(self, name, *more):
        """(the key's text, its section for parlance.conf)"""
        out = self.admin("key", "new", name).stdout
        text = re.search(r"^  (\S+)$", out, re.M).group(1)
        return text, "\n" + out[out.index("[key"):] + "\n".join(more) + "\n"

    # -- what a request looks like to the program ------------------------

    def params(self, method, uri, body, headers, key):
        path, _, query = uri.partition("?")
        params = {"GATEWAY_INTERFACE": "CGI/1.1",
                  "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
                  "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1",
                  "REQUEST_METHOD": method, "REQUEST_URI": uri,
                  "QUERY_STRING": query, "SCRIPT_NAME": "",
                  "PATH_INFO": path, "HTTP_HOST": "localhost"}
        if body is not None:
            params["CONTENT_LENGTH"] = str(len(body))
        if key is not None:
            params["HTTP_AUTHORIZATION"] = "Bearer " + key
        for name, value in headers.items():
            name = name.upper().replace("-", "_")
            if name != "CONTENT_TYPE":
                name = "HTTP_" + name
            if value is None:
                params.pop(name, None)
            else:
                params[name] = value
        return params

    @staticmethod
    def encode(body, headers):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return body, headers

    def cgi(self, method, uri, body=None, headers=None, key=KEY, env=None,
            program="parlance.cgi"):
        body, headers = self.encode(body, headers)
        env = {**self.env, **self.params(method, uri, body, headers, key),
               **(env or {})}
        done = subprocess.run([os.path.join(self.build, program)],
                              env=env, input=body or b"", capture_output=True,
                              timeout=120)
        if done.returncode != 0:
            raise RuntimeError("%s ended with %d: %r" % (
                program, done.returncode, done.stderr[-1000:]))
        return parse_cgi(done.stdout, done.stderr)

    def fcgi(self, method, uri, body=None, headers=None, key=KEY):
        body, headers = self.encode(body, headers)
        client = FastCGI(self.address)
        try:
            client.send(dict(self.params(method, uri, body, headers, key),
                             FCGI_ROLE="RESPONDER"), body or b"")
            return client.reply()
        finally:
            client.close()

    def http(self, method, uri, body=None, headers=None, key=KEY):
        body, headers = self.encode(body, headers)
        if key is not None:
            headers.setdefault("Authorization", "Bearer " + key)
        headers = {n: v for n, v in headers.items() if v is not None}
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, uri, body, headers)
            r = c.getresponse()
            return Reply(r.status,
                         {n.lower(): v for n, v in r.getheaders()}, r.read())
        finally:
            c.close()

    # -- servers ---------------------------------------------------------

    def spawn(self, *command, **more):
        log = open(os.path.join(
            self.folder, os.path.basename(command[0]) + ".log"), "ab")
        process = subprocess.Popen(command, env=self.env, stderr=log,
                                   stdout=log, stdin=subprocess.DEVNULL,
                                   **more)
        log.close()
        self.processes.append(process)
        return process

    def log(self, program):
        with open(os.path.join(self.folder, program + ".log")) as f:
            return f.read()

    def wait_for(self, ready, what, process):
        if wait_until(lambda: process.poll() is not None or ready()) and \
                process.poll() is None:
            return
        raise RuntimeError("%s did not start: %s" % (
            what, self.log(os.path.basename(process.args[0]))))

    def start_fcgi(self, *options, workers=8):
        self.address = os.path.join(self.folder, "fcgi.sock")
        process = self.spawn(os.path.join(self.build, "parlance.fcgi"),
                             "--socket", self.address,
                             "--workers", str(workers), *options)

        def ready():
            try:
                FastCGI(self.address).close()
                return True
            except OSError:
                return False
        self.wait_for(ready, "parlance.fcgi", process)
        return process

    def start_lighttpd(self, extra=""):
        """In front of the responder; the CGI program stands below
        /cgi-bin/parlance.cgi/."""
        self.port = free_port()
        cgi_bin = os.path.join(self.folder, "cgi-bin")
        os.makedirs(cgi_bin, exist_ok=True)
        shutil.copy(os.path.join(self.build, "parlance.cgi"), cgi_bin)
        conf = self.write("lighttpd.conf", """
server.document-root = "%(folder)s"
server.bind = "127.0.0.1"
server.port = %(port)d
server.modules = ( "mod_setenv", "mod_cgi", "mod_fastcgi" )
server.errorlog = "%(folder)s/error.log"
server.stream-response-body = 1
server.max-request-size = 32768
$HTTP["url"] =~ "^/cgi-bin/parlance\\.cgi(/|$)" {
  cgi.assign = ( ".cgi" => "" )
  cgi.execute-x-only = "enable"
  setenv.add-environment = ( "PARLANCE_CONFIG" => "%(conf)s",
    "PARLANCE_STATE" => "%(state)s" )
} else {
  fastcgi.server = ( "/" => (( "socket" => "%(socket)s",
    "check-local" => "disable", "fix-root-scriptname" => "enable" )) )
}
%(extra)s
""" % {"folder": self.folder, "port": self.port, "socket": self.address,
            "conf": self.conf, "state": self.state, "extra": extra})
        lighttpd = shutil.which("lighttpd",
                                path=os.environ["PATH"] + ":/usr/sbin")
        process = self.spawn(lighttpd, "-D", "-f", conf)

        def ready():
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            except OSError:
                return False
        self.wait_for(ready, "lighttpd", process)
        return process

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Tally:
    """Counts checks; `check` takes a name, a verdict, and what was seen."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, ok, seen=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED %s: %r" % (name, seen))
        return ok

    def equal(self, name, got, want):
        return self.check(name, got == want,
                          "got %r, wanted %r" % (got, want))

    def skip(self, why):
        """Something that cannot be tried here; it counts as neither."""
        self.skipped += 1
        print("skipped: " + why)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed)
              + (", %d skipped" % self.skipped if self.skipped else ""))
        sys.exit(1 if self.failed or not (self.passed or self.skipped)
                 else 0)
