"""An answer on its way out, in a form that faults can get at: status, headers
and either one body or the blocks of an event stream."""
import json
import secrets


class Answer:
    def __init__(self, status, value=None, headers=None, blocks=None):
        self.status = status
        self.headers = dict(headers or {})
        self.value = value        # the JSON to be written, or None
        self.blocks = blocks      # of a stream: bytes each, or None
        self.body = None          # bytes, once a fault has written them
        self.paced = None         # blocks as they are made, instead
        self.pause = None         # seconds before everything is sent at once
        if blocks is not None:
            self.headers.setdefault("Content-Type",
                                    "text/event-stream; charset=utf-8")
        elif value is not None:
            self.headers.setdefault("Content-Type", "application/json")

    def bytes(self):
        if self.body is not None:
            return self.body
        if self.blocks is not None:
            return b"".join(self.blocks)
        return b"" if self.value is None else compact(self.value)



def compact(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    out = []
    for c in text:
        out.append("\\u%04x" % ord(c) if 0xD800 <= ord(c) < 0xE000 else c)
    return "".join(out).encode("utf-8")


def block(payload):
    """One event: data, a payload, an empty line."""
    if not isinstance(payload, str):
        payload = compact(payload).decode("utf-8")
    return ("data: " + payload + "\n\n").encode("utf-8")


def payload(block_):
    """The JSON of a block, or its text."""
    text = block_.decode("utf-8")[6:].rstrip("\n")
    try:
        return json.loads(text)
    except ValueError:
        return text


def request_id():
    return secrets.token_hex(16)
