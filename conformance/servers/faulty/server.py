"""A server of both APIs that is right except for the faults named in its
environment (FAULT, commas between; unset: it is right).  It listens on 127.0.0.1 and prints
its port, or, run as a CGI program, answers one request.

    FAULT=v1-no-done python3 server.py [PORT]

With DIALECT=pydantic-2 it refuses in the words of pydantic v2; with
DIALECT=busy every other request is turned away with 503; with era-a-restful,
era-a-restx, era-b or era-c it words the messages API's refusals as they did.
"""
import importlib
import itertools
import os
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote_to_bytes

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import botapi  # noqa: E402
import dialect  # noqa: E402
import faults  # noqa: E402
import messagesapi  # noqa: E402
import planted as batches  # noqa: E402
from answer import Answer, request_id  # noqa: E402


for batch in ("batch1", "batch2", "legal"):
    if os.path.exists(os.path.join(os.path.dirname(os.path.abspath(
            __file__)), batch + ".py")):
        importlib.import_module(batch)


class Request:
    def __init__(self, method, target, headers, body):
        path, _, self.query = target.partition("?")
        self.path = unquote_to_bytes(path).decode("utf-8", "replace")
        self.method, self.headers, self.body = method, headers, body
        self.json = None


turn = itertools.count()


def planted():
    """The faults of this server; several have commas between."""
    return [name for name in os.environ.get("FAULT", "").split(",") if name]


def has(fault):
    return fault in planted()


def answer(request):
    if os.environ.get("DIALECT") == "busy" and next(turn) % 2 == 0:
        return Answer(503, {"detail": "busy"}, {"Retry-After": "0"})
    out = None
    for fault in planted():
        out = out or batches.BEFORE.get(fault, lambda r: None)(request)
    api = "v1" if request.path in botapi.PATHS else "dify"
    if out is None:
        out = botapi.answer(request, has)
        api = "v1"
    if out is None:
        out = messagesapi.answer(request, has)
        api = "dify"
    if out is None:
        # Both APIs live here: who knows what was meant?
        out = Answer(404, {"detail": "Not Found"} if "chat" in request.path or
                     request.method == "POST" else
                     {"code": "not_found", "message": "The requested URL was "
                      "not found on the server.", "status": 404})
    out.headers["X-Request-Id"] = request_id()
    if request.method == "HEAD":
        out.value, out.body, out.blocks = None, b"", None
    if os.environ.get("DIALECT") == "pydantic-2":
        dialect.translate(out)
    if os.environ.get("DIALECT", "").startswith("era-"):
        dialect.era(os.environ["DIALECT"], request, out)
    for fault in planted():
        faults.spoil(fault, api, request, out)
        batches.AFTER.get(fault, lambda r, o: None)(request, out)
    return out


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def handle_one_request(self):
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.serve()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        # http.server shortens "//" at the start; the line itself does not.
        target = self.requestline.split()[1]
        headers = {k.lower(): v for k, v in self.headers.items()}
        out = answer(Request(self.command, target, headers, body))
        if out.paced:
            self.serve_paced(out)
            return
        data = out.bytes()
        if out.pause:
            time.sleep(out.pause)
        self.send_response_only(out.status)
        for name, value in out.headers.items():
            if name != "Content-Length":
                self.send_header(name, value)
        if out.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def serve_paced(self, out):
        self.close_connection = True
        self.send_response_only(out.status)
        for name, value in out.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        for b in out.paced:
            self.wfile.write(b)
            self.wfile.flush()

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


def serve_cgi(env):
    headers = {k[5:].replace("_", "-").lower(): v for k, v in env.items()
               if k.startswith("HTTP_")}
    if env.get("CONTENT_TYPE"):
        headers["content-type"] = env["CONTENT_TYPE"]
    body = sys.stdin.buffer.read(int(env.get("CONTENT_LENGTH") or 0))
    out = answer(Request(env["REQUEST_METHOD"], env["REQUEST_URI"], headers,
                         body))
    sys.stdout.buffer.write(b"Status: %d X\r\n" % out.status)
    for name, value in out.headers.items():
        sys.stdout.buffer.write(("%s: %s\r\n" % (name, value)).encode())
    sys.stdout.buffer.write(b"\r\n" + out.bytes())


def main():
    if "GATEWAY_INTERFACE" in os.environ:
        serve_cgi(os.environ)
        return
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with Server(("127.0.0.1", port), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
