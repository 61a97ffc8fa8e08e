"""A small server with the chat page's endpoints, whose answers a test
chooses: the page is the program's own, what it is told is not.

    mock = Mock(page); mock.answer = lambda asked: [bytes, ...]

answer() gives the pieces of a stream as they are written, or a Reply."""

import http.server
import json
import threading
import time
import uuid


class Reply:
    def __init__(self, status, body, content_type="application/json",
                 headers=()):
        self.status, self.content_type = status, content_type
        self.body = body if isinstance(body, bytes) \
            else json.dumps(body).encode()
        self.headers = dict(headers)


def event(**members):
    return ("data: " + json.dumps(members, ensure_ascii=False)
            + "\n\n").encode()


def stream(text, pieces=8, resources=(), end=True, conversation="c1"):
    """The events of an answer."""
    ids = dict(conversation_id=conversation, message_id=str(uuid.uuid4()),
               created_at=1, task_id="t1")
    size = max(1, -(-len(text) // pieces))
    for at in range(0, len(text), size):
        yield event(event="message", answer=text[at:at + size], **ids)
    if end:
        yield event(event="message_end", metadata={
            "retriever_resources": list(resources)}, **ids)


class Mock:
    def __init__(self, page, other=None):
        """page: (headers, bytes) of GET /chat/demo; other: path -> Reply."""
        self.page, self.other = page, other or {}
        self.asked, self.rated, self.stopped = [], [], []
        self.removed = 0
        self.messages = []
        self.answer = lambda asked: stream("An answer.")
        self.visitor = "v1"
        mock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def send(self, reply):
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def do_GET(self):
                path = self.path.split("?")[0]
                if path == "/chat/demo":
                    headers, body = mock.page
                    return self.send(Reply(
                        200, body, "text/html; charset=utf-8", headers))
                if path == "/chat/demo/messages":
                    return self.send(Reply(200, {
                        "conversation_id": "c1", "messages": mock.messages}))
                if path in mock.other:
                    return self.send(mock.other[path])
                self.send(Reply(404, {"code": "not_found"}))

            def do_DELETE(self):
                mock.removed += 1
                mock.messages = []
                self.send(Reply(200, {"result": "success"}))

            def do_POST(self):
                body = json.loads(self.rfile.read(
                    int(self.headers["Content-Length"])))
                kind = self.path.rsplit("/", 1)[1]
                if kind == "feedback":
                    mock.rated.append(body)
                    return self.send(Reply(200, {"result": "success"}))
                if kind == "stop":
                    mock.stopped.append(body)
                    return self.send(Reply(200, {"result": "success"}))
                mock.asked.append((body, dict(self.headers)))
                answer = mock.answer(body)
                if isinstance(answer, Reply):
                    return self.send(answer)
                self.send_response(200)
                self.send_header("Content-Type",
                                 "text/event-stream; charset=utf-8")
                self.send_header("X-Parlance-Visitor", mock.visitor)
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    for piece in answer:
                        if isinstance(piece, (int, float)):
                            time.sleep(piece)
                            continue
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
