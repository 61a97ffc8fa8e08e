"""Servers that are right and look different: what the documentation leaves
open, what eras of real servers do, what HTTP and JSON allow.  The suite must
pass all of them under --strict; a failure here is a false alarm.
"""
import json

from answer import block, payload
from planted import (AFTER, after, each_listed, headers_after, json_after,
                     stream_after)

C, M, L = "/chat-messages", "/messages", "/conversations"


def any_json(name, change):
    """The bytes of every JSON answer, for both APIs."""
    for api in ("v1", "dify"):
        def function(request, out):
            if out.value is not None and out.status != 204:
                out.body = change(out.value)
        AFTER["%s-legal-%s" % (api, name)] = function


any_json("pretty", lambda v: json.dumps(v, indent=2).encode())
any_json("escaped", lambda v: json.dumps(v).encode())
any_json("line-end", lambda v: json.dumps(v).encode() + b"\r\n")
any_json("sorted-members", lambda v: json.dumps(v, sort_keys=True).encode())
for api in ("v1", "dify"):
    headers_after("%s-legal-charset" % api, lambda h: h.update({
        "Content-Type": "application/json; charset=utf-8"})
        if h.get("Content-Type") == "application/json" else None)
    headers_after("%s-legal-headers" % api, lambda h: h.update({
        "Server": "other/1", "Date": "Thu, 01 Jan 2026 00:00:00 GMT",
        "Vary": "Accept-Encoding", "Set-Cookie": "a=b",
        "Strict-Transport-Security": "max-age=1"}))

    @after("%s-legal-lower-case-headers" % api)
    def lower(request, out):
        out.headers = {k.lower() if k.startswith("X-") else k: v
                       for k, v in out.headers.items()}

    @after("%s-legal-stream-crlf" % api)
    def crlf(request, out):
        if out.blocks is not None:
            out.blocks = [b.replace(b"\n", b"\r\n") for b in out.blocks]

    @after("%s-legal-stream-comments" % api)
    def comments(request, out):
        if out.blocks is not None:
            out.blocks = [b": here\n\n"] + [b": x\n" + b for b in out.blocks]

    @after("%s-legal-stream-ids" % api)
    def ids(request, out):
        if out.blocks is not None:
            out.blocks = [b"id: %d\nretry: 3000\n" % i + b
                          for i, b in enumerate(out.blocks)]

    @after("%s-legal-stream-no-blank-after-colon" % api)
    def no_blank(request, out):
        if out.blocks is not None:
            out.blocks = [b.replace(b"data: ", b"data:", 1)
                          for b in out.blocks]

    @after("%s-legal-stream-escaped" % api)
    def escaped(request, out):
        if out.blocks is not None:
            out.blocks = [
                b if not b.startswith(b"data: {") else
                b"data: " + json.dumps(payload(b)).encode() + b"\n\n"
                for b in out.blocks]

    headers_after("%s-legal-stream-bare-type" % api, lambda h: h.update({
        "Content-Type": "text/event-stream"})
        if "event-stream" in h.get("Content-Type", "") else None)


# ---- the bot API ------------------------------------------------------------

def pieces(change):
    return lambda p: p[:1] + [{"content": x} for x in change(
        [x["content"] for x in p[1:-1]])] + p[-1:]


stream_after("v1-legal-letters", pieces(lambda p: list("".join(p))))
stream_after("v1-legal-one-piece", pieces(lambda p: ["".join(p)]))
stream_after("v1-legal-empty-pieces", pieces(
    lambda p: [y for x in p for y in (x, "")]))
json_after("v1-legal-avatar", "/bots", lambda v: [
    {**b, "avatar_url": "https://example.org/a.png"} for b in v])
json_after("v1-legal-more-bots", "/bots", lambda v: v + [
    {**v[0], "uid": "other", "slug": "other", "name": "Other"}])

# ---- the messages API -------------------------------------------------------

json_after("dify-legal-more-members", C, lambda v: {**v, "extra": {"a": 1}})
json_after("dify-legal-no-annotation", C, lambda v: {**v, "metadata": {
    k: x for k, x in v["metadata"].items() if k != "annotation_reply"}})
json_after("dify-legal-more-usage", C, lambda v: {**v, "metadata": {
    **v["metadata"], "usage": {**v["metadata"]["usage"],
                               "time_to_first_token": 0.1,
                               "time_to_generate": None}}})


def priceless(usage):
    return {**usage, **{k: "0.0" for k in usage if "price" in k}}


def tiny(usage):
    return {**usage, "prompt_unit_price": "0", "completion_unit_price": "0",
            "prompt_price": "0E-7", "completion_price": "0E-7",
            "total_price": "0E-7"}


def on_usage(name, change):
    @after("dify-legal-" + name)
    def function(request, out):
        if request.path.endswith(C) and out.status == 200 and out.value:
            meta = out.value["metadata"]
            out.value["metadata"] = {**meta, "usage": change(meta["usage"])}
        elif request.path.endswith(C) and out.blocks and not out.paced:
            last = payload(out.blocks[-1])
            last["metadata"] = {**last["metadata"], "usage": change(
                last["metadata"]["usage"])}
            out.blocks[-1] = block(last)
        elif request.path.endswith(M) and out.status == 200:
            out.value["data"] = [{k: v for k, v in m.items()
                                  if k not in ("total_price", "currency")}
                                 for m in out.value["data"]]


on_usage("no-prices", priceless)
on_usage("zero-in-exponents", tiny)


def on_answers(name, change):
    def parts(p):
        at = [x for x in p if isinstance(x, dict) and x["event"] == "message"]
        rest = [x for x in p if x not in at]
        return change(at) + rest
    stream_after("dify-legal-" + name, parts)


on_answers("first-chunk-empty", lambda m: [{**m[0], "answer": ""}] + m)
on_answers("letters", lambda m: [{**m[0], "answer": c} for c in "".join(
    x["answer"] for x in m)])
on_answers("one-chunk", lambda m: [{**m[0], "answer": "".join(
    x["answer"] for x in m)}])
on_answers("blank-at-the-end", lambda m: m + [{**m[-1], "answer": "\n"}])
on_answers("chunk-members", lambda m: [{**x, "mode": "chat"} for x in m])
on_answers("replaced", lambda m: [{**m[0], "answer": "Bad words. "}] + m + [{
    **m[0], "event": "message_replace", "reason": "",
    "answer": "".join(x["answer"] for x in m)}])
stream_after("dify-legal-many-pings", lambda p: [
    y for x in p for y in (b"event: ping\n\n", x)])
stream_after("dify-legal-speech", lambda p: [
    y for x in p for y in ([x] if isinstance(x, bytes) or
                           x["event"] != "message" else
                           [x, {**x, "event": "tts_message", "audio": "AAA="}])]
    + [{**p[-1], "event": "tts_message_end", "audio": ""}])
each_listed("dify-legal-parent-null", M, lambda m: {
    **m, "parent_message_id": None})
each_listed("dify-legal-old-message", M, lambda m: {
    k: v for k, v in m.items() if k not in (
        "message_tokens", "answer_tokens", "total_tokens", "total_price",
        "currency", "provider_response_latency", "extra_contents", "status",
        "error", "parent_message_id")})
each_listed("dify-legal-introduction-null", L, lambda c: {
    **c, "introduction": None})
each_listed("dify-legal-conversation-members", L, lambda c: {
    **c, "pinned": False})
each_listed("dify-legal-stored-trimmed", M, lambda m: {
    **m, "answer": m["answer"].strip()})
json_after("dify-legal-many-tags", "/info", lambda v: {
    **v, "tags": ["a", "b"], "author_name": "Ada"})
json_after("dify-legal-tools", "/meta", lambda v: {
    "tool_icons": {"clock": "https://example.org/c.png"}})
json_after("dify-legal-parameters-more", "/parameters", lambda v: {
    **v, "opening_statement": "Hello!", "suggested_questions": ["How?"],
    "text_to_speech": {"enabled": False, "voice": "", "language": ""}})
json_after("dify-legal-nothing-suggested", "/suggested", lambda v: {
    **v, "data": []})
json_after("dify-legal-upload-null", "/upload", lambda v: {
    **v, "created_by": None, "mime_type": v["mime_type"]}, 201)


@after("dify-legal-unknown-path-html")
def unknown_path(request, out):
    if out.status == 404 and "requested URL" in str(out.value):
        out.value, out.body = None, b"<!doctype html>\n<h1>Not Found</h1>\n"
        out.headers["Content-Type"] = "text/html; charset=utf-8"


@after("dify-legal-versions")
def versions(request, out):
    out.headers.update({"X-Version": "1.16.0", "X-Env": "PRODUCTION"})
