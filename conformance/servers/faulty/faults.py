"""Faults of the answer alone: each takes an answer that is right and spoils
it.  Faults of the logic are asked for by name, has("..."), where the logic is.
fixtures/faults.json lists all of them, with the cases that must notice each.
"""
import json
import re

from answer import block, payload

TABLE = {}


def fault(name):
    def keep(function):
        TABLE[name] = function
        return function
    return keep


def spoil(name, api, request, out):
    if name in TABLE and name.startswith(api + "-"):
        TABLE[name](request, out)


def is_chat(request):
    return request.path.endswith(("/chat", "/chat-messages"))


# ---- makers of faults -------------------------------------------------------

def on_success(change):
    """The JSON of a 200."""
    def spoiler(request, out):
        if out.status == 200 and out.value is not None and is_chat(request):
            out.value = change(out.value)
    return spoiler


def on_refusal(status, change):
    """The JSON of a refusal."""
    def spoiler(request, out):
        if out.status == status and out.value is not None:
            out.value = change(out.value)
    return spoiler


def on_errors(change):
    """Every entry of a 422's detail."""
    def spoiler(request, out):
        if out.status == 422:
            out.value = {"detail": [change(dict(e))
                                    for e in out.value["detail"]]}
    return spoiler


def on_blocks(change):
    """The blocks of a stream."""
    def spoiler(request, out):
        if out.blocks is not None:
            out.blocks = change(out.blocks)
    return spoiler


def on_payloads(change, which=lambda p: True):
    """The JSON payloads of a stream, one by one."""
    def each(b):
        value = payload(b) if b.startswith(b"data: ") else None
        if not isinstance(value, dict) or not which(value):
            return b
        return block(change(value))
    return on_blocks(lambda blocks: [each(b) for b in blocks])


def status_instead(before, after):
    def spoiler(request, out):
        if out.status == before:
            out.status = after
    return spoiler


def header_instead(name, value, when=lambda out: True):
    def spoiler(request, out):
        if when(out):
            out.headers.pop(name, None)
            if value is not None:
                out.headers[name] = value
    return spoiler


def raw(change, when=lambda out: out.status == 200 and out.blocks is None):
    """The bytes of the body."""
    def spoiler(request, out):
        if when(out) and out.bytes():
            out.body = change(out.bytes())
    return spoiler


def without(name):
    def change(value):
        value = dict(value)
        value.pop(name, None)
        return value
    return change


def with_(name, new):
    return lambda value: {**value, name: new(value.get(name))
                          if callable(new) else new}


def deep(path, new):
    """The member at a path such as "metadata/usage/total_price"."""
    names = path.split("/")

    def change(value, at=0):
        if at == len(names):
            return new(value) if callable(new) else new
        if not isinstance(value, dict) or names[at] not in value:
            return value
        return {**value, names[at]: change(value[names[at]], at + 1)}
    return change


def streamed(out):
    return out.blocks is not None


def is_json(out):
    return out.value is not None


# ---- the bot API: the JSON answer -------------------------------------------

for name, change in {
        "v1-content-missing": without("content"),
        "v1-content-null": with_("content", None),
        "v1-content-number": with_("content", 5),
        "v1-content-list": with_("content", lambda c: [c]),
        "v1-content-empty": with_("content", ""),
        "v1-content-blank": with_("content", " \n"),
        "v1-content-named-answer": lambda v: {"answer": v["content"]},
        "v1-content-wrapped": lambda v: {"data": v},
        "v1-answer-in-list": lambda v: [v],
        "v1-answer-is-text": lambda v: v["content"],
        "v1-extra-member": with_("id", "x"),
}.items():
    TABLE[name] = on_success(change)

for name, change in {
        "v1-body-with-bom": lambda b: b"\xef\xbb\xbf" + b,
        "v1-body-cut": lambda b: b[:-1],
        "v1-body-twice": lambda b: b + b,
        "v1-body-not-utf8": lambda b: b.replace(b"a", b"\xff", 1),
        "v1-body-single-quotes": lambda b: b.replace(b'"', b"'"),
        "v1-body-trailing-comma": lambda b: re.sub(rb"([}\]])$", rb",\1", b),
        "v1-body-pretty": lambda b: json.dumps(json.loads(b),
                                               indent=2).encode(),
}.items():
    TABLE[name] = raw(change)

TABLE.update({
    "v1-type-html": header_instead("Content-Type", "text/html", is_json),
    "v1-type-plain": header_instead("Content-Type", "text/plain", is_json),
    "v1-type-missing": header_instead("Content-Type", None, is_json),
    "v1-type-charset": header_instead(
        "Content-Type", "application/json; charset=utf-8", is_json),
    "v1-no-request-id": header_instead("X-Request-Id", None),
    "v1-request-id-uuid": header_instead(
        "X-Request-Id", "9da23599-e713-473b-982c-4328d4f5c78a"),
    "v1-status-201": lambda r, out: is_chat(r) and status_instead(
        200, 201)(r, out),
    "v1-422-as-400": status_instead(422, 400),
    "v1-422-as-200": status_instead(422, 200),
    "v1-404-as-400": status_instead(404, 400),
    "v1-404-as-422": status_instead(404, 422),
    "v1-405-as-404": status_instead(405, 404),
    "v1-403-as-401": status_instead(403, 401),
    "v1-401-as-403": status_instead(401, 403),
    "v1-400-as-500": status_instead(400, 500),
    "v1-307-as-301": status_instead(307, 301),
    "v1-no-allow": header_instead("Allow", None),
    "v1-allow-both": header_instead("Allow", "GET, POST",
                                    lambda out: out.status == 405),
    "v1-no-www-authenticate": header_instead("WWW-Authenticate", None),
    "v1-location-relative": lambda r, out: out.status == 307 and
        out.headers.update({"Location": r.path.rstrip("/")}),
    "v1-location-without-query": lambda r, out: out.status == 307 and
        out.headers.update({"Location":
                            out.headers["Location"].split("?")[0]}),
    "v1-redirect-with-body": lambda r, out: out.status == 307 and
        setattr(out, "body", b"moved"),
})

# ---- the bot API: refusals --------------------------------------------------

for name, change in {
        "v1-loc-missing": without("loc"),
        "v1-loc-as-text": with_("loc", lambda v: ".".join(map(str, v))),
        "v1-loc-without-body": with_("loc", lambda v: v[1:]),
        "v1-msg-missing": without("msg"),
        "v1-msg-capitals": with_("msg", lambda v: v[:1].upper() + v[1:]),
        "v1-msg-full-stop": with_("msg", lambda v: v + "."),
        "v1-type-missing-in-error": without("type"),
        "v1-error-type-code": with_("type", lambda v: v.split(".")[-1]),
        "v1-error-with-input": with_("input", None),
        "v1-error-as-text": lambda e: e["msg"],
}.items():
    TABLE[name] = on_errors(change)

for name, change in {
        "v1-detail-as-text": lambda v: {"detail": v["detail"][0]["msg"]},
        "v1-detail-as-object": lambda v: {"detail": v["detail"][0]},
        "v1-detail-named-errors": lambda v: {"errors": v["detail"]},
        "v1-detail-empty": lambda v: {"detail": []},
        "v1-detail-twice": lambda v: {"detail": v["detail"] * 2},
        "v1-detail-with-body": with_("body", {}),
}.items():
    TABLE[name] = on_refusal(422, change)

TABLE["v1-404-words"] = on_refusal(404, lambda v: {"detail": "No such bot"})
TABLE["v1-404-envelope"] = on_refusal(404, lambda v: {"error": v})
TABLE["v1-403-words"] = on_refusal(403, lambda v: {"detail": "Forbidden"})


@fault("v1-root-on-field")
def root_on_field(request, out):
    on_errors(lambda e: {**e, "loc": ["body"]
                         if e["loc"][-1] == "__root__" else e["loc"]})(
        request, out)


@fault("v1-null-as-missing")
def null_as_missing(request, out):
    on_errors(lambda e: {**e, "msg": "field required",
                         "type": "value_error.missing"}
              if e["msg"].startswith("none is") else e)(request, out)


@fault("v1-missing-as-null")
def missing_as_null(request, out):
    on_errors(lambda e: {**e, "msg": "none is not an allowed value",
                         "type": "type_error.none.not_allowed"}
              if e["msg"] == "field required" else e)(request, out)


@fault("v1-pydantic-2-words")
def pydantic_2_words(request, out):
    on_errors(lambda e: {**e, "msg": "Field required", "type": "missing"}
              if e["msg"] == "field required" else e)(request, out)


# ---- the bot API: streams ---------------------------------------------------

def done_first(blocks):
    return [blocks[-1]] + blocks[:-1]


for name, change in {
        "v1-no-done": lambda b: b[:-1],
        "v1-done-twice": lambda b: b + b[-1:],
        "v1-done-first": done_first,
        "v1-done-as-json": lambda b: b[:-1] + [b'data: {"content":"[DONE]"}\n\n'],
        "v1-done-lower": lambda b: b[:-1] + [b"data: [done]\n\n"],
        "v1-after-done": lambda b: b + [block({"content": ""})],
        "v1-done-without-blank-line": lambda b: b[:-1] + [b"data: [DONE]\n"],
        "v1-no-first-empty": lambda b: b[1:],
        "v1-one-line-end": lambda b: [x[:-1] for x in b],
        "v1-crlf": lambda b: [x.replace(b"\n", b"\r\n") for x in b],
        "v1-no-data-prefix": lambda b: [x[6:] for x in b],
        "v1-no-blank-after-colon": lambda b: [x.replace(b"data: ", b"data:", 1)
                                              for x in b],
        "v1-event-lines": lambda b: [b"event: message\n" + x for x in b],
        "v1-comment-lines": lambda b: [b": ping\n\n"] + b,
        "v1-stream-bom": lambda b: [b"\xef\xbb\xbf" + b[0]] + b[1:],
        "v1-stream-not-utf8": lambda b: b[:2] + [
            b'data: {"content":"\xff"}\n\n'] + b[2:],
        "v1-stream-plain-pieces": lambda b: [
            block(payload(x)["content"] or "x") for x in b[:-1]] + b[-1:],
        "v1-stream-json-cut": lambda b: [x.replace(b"}\n", b"\n")
                                         for x in b],
        "v1-stream-nul": lambda b: [b":\0\n\n"] + b,
        "v1-stream-empty-answer": lambda b: [block({"content": ""})] * 3 +
            b[-1:],
        "v1-stream-piece-lost": lambda b: b[:2] + b[3:],
        "v1-stream-piece-twice": lambda b: b[:3] + b[2:],
        "v1-stream-pieces-swapped": lambda b: b[:1] + [b[2], b[1]] + b[3:],
        "v1-stream-only-done": lambda b: b[-1:],
}.items():
    TABLE[name] = on_blocks(change)

for name, change in {
        "v1-piece-without-content": lambda v: {"delta": v["content"]},
        "v1-piece-null": with_("content", None),
        "v1-piece-extra": with_("index", 0),
        "v1-piece-as-list": lambda v: [v["content"]],
        "v1-piece-openai": lambda v: {"choices": [{"delta": v}]},
}.items():
    TABLE[name] = on_payloads(change)


@fault("v1-piece-grows")
def piece_grows(request, out):
    """Every piece repeats all that came before."""
    if out.blocks is not None:
        text, blocks = "", []
        for b in out.blocks[:-1]:
            text += payload(b)["content"]
            blocks.append(block({"content": text}))
        out.blocks = blocks + out.blocks[-1:]


@fault("v1-stream-as-json")
def stream_as_json(request, out):
    if out.blocks is not None:
        out.value = {"content": "".join(payload(b)["content"]
                                        for b in out.blocks[:-1])}
        out.blocks = None
        out.headers["Content-Type"] = "application/json"


TABLE["v1-stream-type-plain"] = header_instead("Content-Type", "text/plain",
                                               streamed)
TABLE["v1-stream-type-json"] = header_instead("Content-Type",
                                              "application/json", streamed)
TABLE["v1-stream-type-bare"] = header_instead("Content-Type",
                                              "text/event-stream", streamed)


@fault("v1-refusal-as-stream")
def refusal_as_stream(request, out):
    if out.status == 422 and (request.json or {}).__class__ is dict and \
            (request.json or {}).get("stream") is True:
        out.blocks = [block(out.value)]
        out.status, out.value = 200, None
        out.headers["Content-Type"] = "text/event-stream"


@fault("v1-buffered")
def buffered(request, out):
    """Everything after a while, at once: only ~live can see it."""
    if out.blocks is not None:
        out.pause = 0.7
        out.blocks = out.blocks[:-1] + [block({"content": "."})] * 10 + \
            out.blocks[-1:]


# ---- the bot API: other endpoints -------------------------------------------

def on_path(end, change):
    def spoiler(request, out):
        if request.path.endswith(end) and out.status == 200:
            out.value = change(out.value)
    return spoiler


for name, end, change in (
        ("v1-bots-in-object", "bots", lambda v: {"bots": v}),
        ("v1-bots-without-slug", "bots", lambda v: [without("slug")(b)
                                                    for b in v]),
        ("v1-bots-avatar-missing", "bots", lambda v: [without("avatar_url")(b)
                                                      for b in v]),
        ("v1-bots-with-persona", "bots", lambda v: [{**b, "persona": "x"}
                                                    for b in v]),
        ("v1-bots-empty", "bots", lambda v: []),
        ("v1-health-words", "health-check", with_("status", "healthy")),
        ("v1-health-bool", "health-check", with_("status", True)),
        ("v1-health-more", "health-check", with_("version", "1")),
        ("v1-statistics-spelling", "statistics", lambda v: json.loads(
            json.dumps(v).replace("enchancement", "enhancement"))),
        ("v1-statistics-text", "statistics", lambda v: {**v, "total": {
            k: str(n) for k, n in v["total"].items()}}),
        ("v1-statistics-total-missing", "statistics", without("total")),
        ("v1-statistics-total-wrong", "statistics", lambda v: {
            **v, "total": {**v["total"],
                           "total_tokens": v["total"]["total_tokens"] + 1}}),
        ("v1-statistics-date-time", "statistics", lambda v: {
            **v, "items": [{**i, "date": i["date"] + "T00:00:00"}
                           for i in v["items"]]}),
        ("v1-statistics-descending", "statistics", lambda v: {
            **v, "items": v["items"][::-1]})):
    TABLE[name] = on_path(end, change)


# ---- the messages API: the JSON answer --------------------------------------

U = "metadata/usage/"
for name, change in {
        "dify-event-missing": without("event"),
        "dify-event-other": with_("event", "chat"),
        "dify-task-id-missing": without("task_id"),
        "dify-task-id-word": with_("task_id", "task-1"),
        "dify-id-missing": without("id"),
        "dify-ids-differ": with_(
            "id", "11111111-2222-4333-8444-555555555555"),
        "dify-id-without-hyphens": lambda v: {
            **v, "id": v["id"].replace("-", ""),
            "message_id": v["id"].replace("-", "")},
        "dify-message-id-missing": without("message_id"),
        "dify-conversation-id-missing": without("conversation_id"),
        "dify-mode-missing": without("mode"),
        "dify-mode-advanced": with_("mode", "advanced-chat"),
        "dify-answer-missing": without("answer"),
        "dify-answer-empty": with_("answer", ""),
        "dify-answer-null": with_("answer", None),
        "dify-created-text": with_("created_at", str),
        "dify-created-milliseconds": with_("created_at", lambda t: t * 1000),
        "dify-created-float": with_("created_at", lambda t: t + 0.5),
        "dify-created-iso": with_("created_at", "2024-01-16T12:20:29Z"),
        "dify-created-missing": without("created_at"),
        "dify-metadata-missing": without("metadata"),
        "dify-metadata-null": with_("metadata", None),
        "dify-usage-missing": deep("metadata", without("usage")),
        "dify-annotation-missing": deep("metadata",
                                        without("annotation_reply")),
        "dify-citations-missing": deep("metadata",
                                       without("retriever_resources")),
        "dify-tokens-text": deep(U + "total_tokens", str),
        "dify-tokens-wrong-sum": deep(U + "total_tokens", lambda n: n + 1),
        "dify-prompt-price-number": deep(U + "prompt_price", float),
        "dify-prompt-price-wrong": deep(U + "prompt_price", "0.9999999"),
        "dify-completion-price-wrong": deep(U + "completion_price",
                                            "0.0000001"),
        "dify-total-price-wrong": deep(U + "total_price", "0.0000000"),
        "dify-total-price-number": deep(U + "total_price", float),
        "dify-price-exponent": deep(U + "total_price", lambda p: "%.6e" %
                                    float(p)),
        "dify-price-short": deep(U + "total_price", lambda p: p.rstrip("0")
                                 [:9]),
        "dify-unit-price-number": deep(U + "prompt_unit_price", float),
        "dify-unit-missing": deep("metadata/usage",
                                  without("prompt_price_unit")),
        "dify-currency-missing": deep("metadata/usage", without("currency")),
        "dify-latency-text": deep(U + "latency", str),
        "dify-latency-missing": deep("metadata/usage", without("latency")),
        "dify-answer-as-data": lambda v: {"data": v},
}.items():
    TABLE[name] = on_success(change)


def on_citations(change):
    def spoiler(request, out):
        each = deep("metadata/retriever_resources",
                    lambda list_: change(list_))
        on_success(each)(request, out)
        on_payloads(each)(request, out)
    return spoiler


for name, change in {
        "dify-positions-from-0": lambda r: [
            {**x, "position": x["position"] - 1} for x in r],
        "dify-positions-same": lambda r: [{**x, "position": 1} for x in r],
        "dify-citations-backwards": lambda r: r[::-1],
        "dify-scores-rise": lambda r: [
            {**x, "score": x["position"] / 10} for x in r],
        "dify-score-text": lambda r: [{**x, "score": str(x["score"])}
                                      for x in r],
        "dify-citation-no-content": lambda r: [without("content")(x)
                                               for x in r],
        "dify-citation-segment-word": lambda r: [{**x, "segment_id": "s1"}
                                                 for x in r],
        "dify-citations-none": lambda r: [],
        "dify-citation-retriever": lambda r: [{**x, "retriever_from": "dev"}
                                              for x in r],
}.items():
    TABLE[name] = on_citations(change)

TABLE.update({
    "dify-type-plain": header_instead("Content-Type", "text/plain", is_json),
    "dify-no-www-authenticate": header_instead("WWW-Authenticate", None),
    "dify-no-request-id": header_instead("X-Request-Id", None),
    "dify-no-allow": header_instead("Allow", None),
    "dify-401-as-403": status_instead(401, 403),
    "dify-404-as-400": status_instead(404, 400),
    "dify-400-as-422": status_instead(400, 422),
    "dify-400-as-200": status_instead(400, 200),
    "dify-405-as-404": status_instead(405, 404),
    "dify-415-as-500": status_instead(415, 500),
    "dify-200-as-201": lambda r, out: is_chat(r) and status_instead(
        200, 201)(r, out),
    "dify-error-without-code": lambda r, out: out.status >= 400 and
        on_refusal(out.status, without("code"))(r, out),
    "dify-error-without-message": lambda r, out: out.status >= 400 and
        on_refusal(out.status, without("message"))(r, out),
    "dify-error-without-status": lambda r, out: out.status >= 400 and
        on_refusal(out.status, without("status"))(r, out),
    "dify-error-status-text": lambda r, out: out.status >= 400 and
        on_refusal(out.status, with_("status", str))(r, out),
    "dify-error-as-detail": lambda r, out: out.status >= 400 and
        on_refusal(out.status, lambda v: {"detail": v["message"]})(r, out),
    "dify-error-code-400": on_refusal(400, with_("code", "bad_request_error")),
    "dify-404-other-words": on_refusal(404, with_(
        "message", "There is no such thing.")),
})

# ---- the messages API: streams ----------------------------------------------

END = b"data: {\"event\":\"message_end\""


def is_message(value):
    return value["event"] == "message"


def is_end(value):
    return value["event"] == "message_end"


for name, change in {
        "dify-no-end": lambda b: b[:-1],
        "dify-end-twice": lambda b: b + b[-1:],
        "dify-end-first": done_first,
        "dify-message-after-end": lambda b: b + b[:1],
        "dify-done-mark": lambda b: b + [b"data: [DONE]\n\n"],
        "dify-only-end": lambda b: b[-1:],
        "dify-ping-with-data": lambda b: [
            x.replace(b"ping\n", b"ping\ndata:\n") for x in b],
        "dify-ping-as-comment": lambda b: [
            x.replace(b"event: ping", b": ping") for x in b],
        "dify-event-names": lambda b: [
            b"event: message\n" + x if x.startswith(b"data") else x
            for x in b],
        "dify-event-crlf": lambda b: [x.replace(b"\n", b"\r\n") for x in b],
        "dify-event-two-lines": lambda b: [
            x.replace(b',"message_id"', b',\ndata: "message_id"') for x in b],
        "dify-event-cut": lambda b: b[:-1] + [b[-1][:-2]],
        "dify-event-no-blank": lambda b: [
            x.replace(b"data: ", b"data:", 1) for x in b],
        "dify-unknown-event": lambda b: b[:1] + [block(
            {**payload(b[0]), "event": "chatter"})] + b[1:],
        "dify-stream-empty": lambda b: [],
}.items():
    TABLE[name] = on_blocks(change)

for name, change, which in (
        ("dify-chunk-no-event", without("event"), is_message),
        ("dify-chunk-no-task", without("task_id"), is_message),
        ("dify-chunk-no-conversation", without("conversation_id"),
         is_message),
        ("dify-chunk-no-id", without("id"), is_message),
        ("dify-chunk-answer-null", with_("answer", None), is_message),
        ("dify-chunk-answer-named-content",
         lambda v: {**without("answer")(v), "content": v["answer"]},
         is_message),
        ("dify-chunk-created-float", with_("created_at", lambda t: t + 0.5),
         is_message),
        ("dify-chunk-selector", without("from_variable_selector"),
         is_message),
        ("dify-chunk-extra", with_("seq", 1), is_message),
        ("dify-chunk-key-order", lambda v: dict(sorted(v.items())),
         is_message),
        ("dify-end-other-message", with_(
            "message_id", "11111111-2222-4333-8444-555555555555"), is_end),
        ("dify-end-other-task", with_(
            "task_id", "11111111-2222-4333-8444-555555555555"), is_end),
        ("dify-end-other-time", with_("created_at", lambda t: t + 1), is_end),
        ("dify-end-no-metadata", without("metadata"), is_end),
        ("dify-end-no-usage", deep("metadata", without("usage")), is_end),
        ("dify-end-price-wrong", deep(U + "total_price", "0.0000000"),
         is_end),
        ("dify-end-tokens-wrong", deep(U + "total_tokens", 1), is_end),
        ("dify-end-ids-differ", with_(
            "id", "11111111-2222-4333-8444-555555555555"), is_end),
        ("dify-pieces-empty", with_("answer", ""), is_message)):
    TABLE[name] = on_payloads(change, which)

TABLE["dify-stream-type"] = header_instead("Content-Type", "text/plain",
                                           streamed)
TABLE["dify-stream-cached"] = header_instead("Cache-Control", None, streamed)
TABLE["dify-stream-accel"] = header_instead("X-Accel-Buffering", None,
                                            streamed)

# ---- the messages API: listings and the app ---------------------------------


def on_data(end, change):
    return on_path(end, lambda v: {**v, "data": [change(x)
                                                 for x in v["data"]]})


for name, end, change in (
        ("dify-messages-no-answer", "/messages", without("answer")),
        ("dify-messages-no-query", "/messages", without("query")),
        ("dify-messages-created-text", "/messages", with_("created_at", str)),
        ("dify-messages-tokens", "/messages", with_("total_tokens", 1)),
        ("dify-messages-parent-null", "/messages",
         with_("parent_message_id", None)),
        ("dify-messages-feedback-text", "/messages", with_(
            "feedback", lambda f: f and f["rating"])),
        ("dify-conversations-no-name", "/conversations", without("name")),
        ("dify-conversations-inputs", "/conversations", without("inputs")),
        ("dify-conversations-time", "/conversations", with_(
            "created_at", lambda t: t * 1000))):
    TABLE[name] = on_data(end, change)

for name, end, change in (
        ("dify-page-no-limit", "/messages", without("limit")),
        ("dify-page-as-list", "/conversations", lambda v: v["data"]),
        ("dify-parameters-no-upload", "/parameters", without("file_upload")),
        ("dify-parameters-off-absent", "/parameters",
         without("text_to_speech")),
        ("dify-parameters-enabled-text", "/parameters", with_(
            "annotation_reply", {"enabled": "false"})),
        ("dify-info-no-name", "/info", without("name")),
        ("dify-info-mode", "/info", with_("mode", "completion")),
        ("dify-meta-list", "/meta", with_("tool_icons", [])),
        ("dify-result-ok", "/feedbacks", with_("result", "ok")),
        ("dify-stop-result", "/stop", with_("result", True)),
        ("dify-suggested-text", "/suggested", with_("data", "How old?")),
        ("dify-welcome-version", "/v1/", without("api_version"))):
    TABLE[name] = on_path(end, change)
