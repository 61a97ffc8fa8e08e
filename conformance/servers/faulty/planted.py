"""What the batches of planted faults share.  A fault is up to two functions:
one that sees the request before the server does (and may answer it or change
it), one that sees the answer.  batch1.py and batch2.py were written from the
contracts by somebody who had not read the cases; what they are for is the
score, so neither is ever changed to fit a case.
"""
import json

from answer import Answer, block, payload

BEFORE = {}
AFTER = {}


def before(name):
    def keep(function):
        assert name not in BEFORE, name
        BEFORE[name] = function
        return function
    return keep


def after(name):
    def keep(function):
        assert name not in AFTER, name
        AFTER[name] = function
        return function
    return keep


def names():
    return sorted(set(BEFORE) | set(AFTER))


def body_of(request):
    """The JSON of a request, or None."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def put_body(request, value):
    request.body = json.dumps(value).encode()


def fields(name, path, change):
    """Changes the body's object before the server sees it."""
    def function(request):
        value = body_of(request)
        if request.path.endswith(path) and isinstance(value, dict):
            new = change(value)
            if new is not None:
                put_body(request, new)
    BEFORE[name] = function


def json_after(name, path, change, status=200):
    """Changes the JSON of answers with a status at a path."""
    def function(request, out):
        if request.path.endswith(path) and out.status == status and \
                out.value is not None:
            out.value = change(out.value)
    AFTER[name] = function


def each_listed(name, path, change):
    json_after(name, path, lambda v: {**v, "data": [
        change(dict(x)) for x in v["data"]]})


def stream_after(name, change, path="chat"):
    """Changes the blocks of a stream: change(list of payloads) where a
    payload is JSON, or bytes when the block is none."""
    def function(request, out):
        if out.blocks is None or out.paced is not None:
            return
        parts = []
        for b in out.blocks:
            value = payload(b) if b.startswith(b"data: ") else b
            parts.append(value)
        out.blocks = [p if isinstance(p, bytes) else block(p)
                      for p in change(parts)]
    AFTER[name] = function


def errors_after(name, change):
    """Changes the list of errors of a 422."""
    def function(request, out):
        if out.status == 422 and isinstance(out.value, dict):
            out.value = {"detail": change([dict(e) for e in
                                           out.value["detail"]])}
    AFTER[name] = function


def headers_after(name, change, when=lambda out: True):
    def function(request, out):
        if when(out):
            change(out.headers)
    AFTER[name] = function


def refuse(status, text):
    return Answer(status, {"detail": text})


def envelope(status, code, message):
    return Answer(status, {"code": code, "message": message,
                           "status": status})
