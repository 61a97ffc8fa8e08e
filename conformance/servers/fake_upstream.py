"""A model server on loopback that answers as it is told, faults included.

    up = FakeUpstream()            # up.url is "http://127.0.0.1:PORT/v1"
    ... a bot whose model is "tokens=3 pace_ms=20 fault=rst" ...
    up.calls                       # what it saw, oldest first
    up.close()

What a call gets is said by its model name, words of NAME=VALUE:

    tokens=N          how many tokens it says, "w0 " "w1 " ... (default 3)
    first_ms=N        wait before the reply's head
    slow_head_ms=N    the head's bytes trickle in over this time
    wait_ms=N         wait between the head and the first token
    pace_ms=N         wait before each further token
    split=N           send N bytes at a time (the bytes, not the events)
    usage=no          no usage at the end
    count=bytes       a prompt has as many tokens as bytes, and 8 for each
                      message; count=words: as many as words, and 4
    obey=yes          says no more tokens than it is allowed (max_tokens,
                      max_completion_tokens), then finish_reason "length"
    max=completion    400 as long as max_tokens is asked for
    thoughts=N        thinks aloud N times before it answers
    thought_ms=N      ... and waits this long behind each
    limit=refused     400 as long as max_tokens is asked for, without a hint
    stream=no         one JSON completion instead of a stream
    file=NAME         the raw bytes of a file instead of made-up tokens
    shape=NAME        a reply of fixtures/upstream/shapes.json
    status=N code=X   refuse with this status, and this code in the error
    retry_after=N     ... and this header
    times=N           the fault or the status strikes only the first N calls
                      of this model name with this question
    refuse_usage=yes  400 as long as stream_options is asked for
    after=N           the fault strikes after N tokens (default: 0)
    fault=WORD        fin        close inside the chunked framing
                      rst        reset the connection
                      stall      say nothing more
                      close_cut  a close-delimited body that ends early
                      clean_cut  a complete framing without [DONE]
                      bad_json   an event that is no JSON
                      not_chat   an event that is JSON but no chunk
                      type       200 with text/html
                      error      an error event inside the 200
                      error_type an `event: error`
                      huge       an event of 8 MB
                      long       an answer without an end
                      redirect   302
                      no_end     all is said, then silence
                      empty      a complete stream without any text
                      no_answer  close before the head

Each entry of `calls` is a dict: model, question, body (decoded), headers, path, port (the client's), prompt (its tokens), tokens (how
many were sent), end ("done", "fault", or "gone" when the client left), start
and ms (until then), over (when its last bytes were about to be sent; on the
clock of start; None before).
"""
import gzip
import http.server
import json
import os
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
import zlib


SHAPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "fixtures", "upstream", "shapes.json")


def read_shapes():
    """name -> shape; fixtures/README.md has their format."""
    with open(SHAPES, encoding="utf-8") as f:
        return {shape["name"]: shape for shape in json.load(f)}


def piece_bytes(piece):
    """The bytes of one item of a shape's body."""
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, list):
        text, finish = (piece + [None])[:2]
        piece = {"event": {
            "id": "c1", "object": "chat.completion.chunk",
            "created": 1700000000, "model": "m", "choices": [{
                "index": 0, "delta": {} if text is None else {
                    "content": text}, "finish_reason": finish}]}}
    if "event" in piece:
        return ("data: %s\n\n" % json.dumps(
            piece["event"], ensure_ascii=False)).encode()
    return json.dumps({
        "id": "c1", "object": "chat.completion", "created": 1700000000,
        "model": "m", "choices": [{
            "index": 0, "finish_reason": piece.get("finish", "stop"),
            "message": {"role": "assistant", "content": piece["whole"]}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2,
                  "total_tokens": 11}},
        ensure_ascii=False, indent=piece.get("indent")).encode()


class Gone(Exception):
    """The client has left."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    # -- bytes -----------------------------------------------------------

    def pause(self, ms):
        """Waits; notices at once when the client leaves."""
        until = time.monotonic() + ms / 1000
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return
            if select.select([self.connection], [], [], left)[0]:
                try:
                    if not self.connection.recv(1, socket.MSG_PEEK):
                        raise Gone
                except OSError:
                    raise Gone from None
                time.sleep(min(left, 0.005))

    def put(self, data):
        step = int(self.script.get("split", 0)) or len(data) or 1
        try:
            for i in range(0, len(data), step):
                self.connection.sendall(data[i:i + step])
        except OSError:
            raise Gone from None

    def put_chunk(self, data):
        if self.chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        self.put(data)

    def put_event(self, event, kind=None):
        text = event if isinstance(event, str) else json.dumps(
            event, ensure_ascii=False)
        self.put_chunk((("event: %s\n" % kind if kind else "")
                        + "data: %s\n\n" % text).encode())

    def head(self, status, content_type, more=()):
        lines = ["HTTP/1.1 %d X" % status]
        lines += ["Content-Type: " + content_type] if content_type else []
        lines += ["Transfer-Encoding: chunked"] if self.chunked else []
        lines += list(more)
        data = ("\r\n".join(lines) + "\r\n\r\n").encode()
        trickle = int(self.script.get("slow_head_ms", 0))
        if trickle:
            for i in range(len(data)):
                self.put(data[i:i + 1])
                self.pause(trickle / len(data))
        else:
            self.put(data)

    def whole(self, status, body, more=(), content_type="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.chunked = False
        self.head(status, content_type,
                  ["Content-Length: %d" % len(data), *more])
        self.put(data)

    def end_stream(self):
        if self.chunked:
            self.put(b"0\r\n\r\n")

    # -- what is said ----------------------------------------------------

    def prompt_tokens(self):
        texts = [m["content"] if isinstance(m["content"], str) else
                 m["content"][0]["text"] for m in self.body["messages"]]
        kind = self.script.get("count")
        if kind == "bytes":
            return sum(len(t.encode("utf-8", "surrogatepass")) + 8
                       for t in texts)
        if kind == "words":
            return sum(len(t.split()) + 4 for t in texts)
        return 10 + len(texts)

    def usage(self, tokens):
        prompt = self.call["prompt"]
        return {"prompt_tokens": prompt, "completion_tokens": tokens,
                "total_tokens": prompt + tokens}

    def allowed(self, tokens):
        """(how many it says, its finish reason)"""
        most = self.body.get("max_completion_tokens",
                             self.body.get("max_tokens"))
        if self.script.get("obey") and most is not None and most < tokens:
            return most, "length"
        return tokens, "stop"

    def is_over(self):
        self.call["over"] = time.monotonic()

    def chunk(self, text=None, finish=None, usage=None):
        out = {"id": "chatcmpl-1", "object": "chat.completion.chunk",
               "created": 1700000000, "model": "fake", "choices": [],
               "usage": usage}
        if usage is None:
            delta = {} if text is None else {"content": text}
            out["choices"] = [{"index": 0, "delta": delta,
                               "logprobs": None, "finish_reason": finish}]
        return out

    def refuse(self, status):
        code = self.script.get("code")
        more = []
        if "retry_after" in self.script:
            more.append("Retry-After: " + self.script["retry_after"])
        self.whole(status, {"error": {
            "message": "this call is refused; key "
            + str(self.headers.get("Authorization")),
            "type": "test_error", "param": None, "code": code}}, more)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.connection.close()

    def fault_in_stream(self, fault):
        """False when the stream goes on to its regular end."""
        if fault in ("fin", "close_cut"):
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "rst":
            time.sleep(0.1)  # or the tokens before it are lost as well
            self.reset()
        elif fault == "stall":
            self.pause(60000)
        elif fault == "clean_cut":
            self.end_stream()
        elif fault == "bad_json":
            self.put_event('{"choices": [{"delta"')
        elif fault == "not_chat":
            self.put_event('{"hello": 1}')
        elif fault == "error":
            self.put_event({"error": {"message": "the model fell over",
                                      "type": "server_error", "code": None}})
        elif fault == "error_type":
            self.put_event({"message": "the model fell over"}, "error")
        elif fault == "huge":
            self.put_event(self.chunk("x" * (8 << 20)))
        elif fault == "long":
            while True:
                self.put_event(self.chunk("x" * 60000))
        else:
            return False
        self.call["end"] = "fault"
        self.close_connection = True
        return True

    def stream(self, fault):
        self.chunked = fault != "close_cut"
        after = int(self.script.get("after", 0))
        tokens = 0 if fault == "empty" else int(self.script.get("tokens", 3))
        tokens, reason = self.allowed(tokens)
        self.head(200, "text/event-stream; charset=utf-8")
        self.pause(int(self.script.get("wait_ms", 0)))
        self.put_event(self.chunk(""))
        for i in range(int(self.script.get("thoughts", 0))):
            thought = self.chunk()
            thought["choices"][0]["delta"] = {
                "reasoning_content": "hidden plan %d " % i}
            self.put_event(thought)
            self.pause(int(self.script.get("thought_ms", 0)))
        for i in range(tokens):
            if fault not in (None, "no_end") and i >= after and \
                    self.fault_in_stream(fault):
                return
            if i > 0:
                self.pause(int(self.script.get("pace_ms", 0)))
            self.put_event(self.chunk("w%d " % i))
            self.call["tokens"] = i + 1
        if fault and fault not in ("empty", "no_end") and \
                self.fault_in_stream(fault):
            return
        if fault != "no_end":
            self.is_over()
        self.put_event(self.chunk(finish=reason))
        if fault == "no_end":
            self.pause(60000)
        if self.script.get("usage") != "no" and \
                self.body.get("stream_options", {}).get("include_usage"):
            self.put_event(self.chunk(usage=self.usage(tokens)))
        self.put_event("[DONE]")
        self.end_stream()

    def completion(self):
        tokens, reason = self.allowed(int(self.script.get("tokens", 3)))
        text = "".join("w%d " % i for i in range(tokens))
        self.call["tokens"] = tokens
        self.is_over()
        self.whole(200, {
            "id": "chatcmpl-1", "object": "chat.completion",
            "choices": [{"index": 0, "finish_reason": reason,
                         "message": {"role": "assistant", "content": text}}],
            "usage": self.usage(tokens)})

    def recording(self):
        with open(self.script["file"], "rb") as f:
            data = f.read()
        self.chunked = True
        self.head(200, "text/event-stream")
        step = int(self.script.get("split", 0)) or len(data)
        for i in range(0, len(data), step):
            self.put_chunk(data[i:i + step])
        self.end_stream()

    def shape(self, shape):
        pieces = [p if isinstance(p, dict) and "pause" in p
                  else piece_bytes(p) for p in shape["body"]]
        headers = list(shape.get("headers", ()))
        encode = shape.get("encode")
        if encode:
            data = b"".join(pieces)
            pieces = [zlib.compress(data) if encode == "deflate"
                      else gzip.compress(data)]
            if encode != "gzip-undeclared":
                headers.append("Content-Encoding: " + encode)
        end = shape.get("end", "chunked")
        self.chunked = end in ("chunked", "cut", "rst", "stall")
        if end in ("length", "short"):
            headers.append("Content-Length: %d" % (
                sum(map(len, pieces)) + 100 * (end == "short")))
        elif end == "close":
            headers.append("Connection: close")
        self.head(shape.get("status", 200),
                  shape.get("type", "text/event-stream"), headers)
        for piece in pieces:
            if isinstance(piece, dict):
                self.pause(piece["pause"])
            elif piece:
                self.put_chunk(piece)
        if end == "stall":
            self.pause(60000)
        elif end == "rst":
            time.sleep(0.1)
            self.reset()
        elif end == "chunked":
            self.end_stream()
        self.close_connection = end not in ("chunked", "length", "head")

    def answer(self, fault, status):
        self.pause(int(self.script.get("first_ms", 0)))
        if self.script.get("refuse_usage") and "stream_options" in self.body:
            self.whole(400, {"error": {
                "message": "Unrecognized argument: stream_options",
                "type": "invalid_request_error"}})
        elif self.script.get("max") == "completion" and \
                "max_tokens" in self.body:
            self.whole(400, {"error": {
                "message": "Unsupported parameter: 'max_tokens' is not "
                "supported with this model. Use 'max_completion_tokens' "
                "instead.", "type": "invalid_request_error",
                "param": "max_tokens", "code": "unsupported_parameter"}})
        elif self.script.get("limit") and "max_tokens" in self.body:
            self.whole(400, {"error": {
                "message": "Could not finish the message because max_tokens "
                "or model output limit was reached.",
                "type": "invalid_request_error"}})
        elif status:
            self.refuse(status)
        elif fault == "no_answer":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif fault == "redirect":
            self.whole(302, {}, ["Location: /v1/elsewhere"])
        elif fault == "type":
            self.whole(200, b"<p>Welcome</p>", (), "text/html")
        elif "file" in self.script:
            self.recording()
        elif "shape" in self.script:
            self.shape(read_shapes()[self.script["shape"]])
        elif self.script.get("stream") == "no":
            self.completion()
        else:
            self.stream(fault)

    def do_GET(self):
        self.whole(404, {})

    def do_POST(self):
        start = time.monotonic()
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.body = json.loads(data)
        model = self.body.get("model") or ""
        self.script = dict(w.split("=", 1) for w in model.split() if "=" in w)
        self.chunked = True
        question = self.body["messages"][-1]["content"]
        self.call = {"model": model, "question": question, "body": self.body, "path": self.path,
                     "headers": dict(self.headers), "tokens": 0,
                     "prompt": self.prompt_tokens(), "over": None,
                     "port": self.client_address[1],
                     "end": None, "start": start, "ms": None}
        self.server.owner.note(self.call)
        fault = self.script.get("fault")
        status = int(self.script.get("status", 0))
        if "times" in self.script and len(self.server.owner.of(
                model, question)) > int(self.script["times"]):
            fault, status = None, 0
        try:
            self.answer(fault, status)
            self.call["end"] = self.call["end"] or "done"
        except (Gone, OSError):
            self.call["end"] = "gone"
            self.close_connection = True
        self.call["ms"] = (time.monotonic() - start) * 1000


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, address):
        pass  # a client that breaks off is what many tests are about


class FakeUpstream:
    def __init__(self, certificate=None):
        """certificate: a PEM file with key and certificate, for TLS."""
        self.lock = threading.Lock()
        self.calls = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.owner = self
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True,
                do_handshake_on_connect=False)
            scheme = "https"
        self.url = "%s://127.0.0.1:%d/v1" % (
            scheme, self.server.server_address[1])
        self.thread = threading.Thread(
            target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def note(self, call):
        with self.lock:
            self.calls.append(call)

    def of(self, model, question=None):
        """The calls with this model and, when given, this question."""
        with self.lock:
            return [c for c in self.calls if c["model"] == model
                    and question in (None, c["question"])]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    fake = FakeUpstream()
    print(fake.url, flush=True)
    fake.thread.join()
