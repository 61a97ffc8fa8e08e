"""The first batch of planted faults: counted before any case was changed for
it, then closed.  See planted.py."""
import re
import time
import uuid

from answer import Answer, block
from planted import (after, before, body_of, each_listed, envelope,
                     errors_after, fields, headers_after, json_after,
                     put_body, refuse, stream_after)
import botapi
import messagesapi

ERR = {"loc": ["body", "__root__"], "type": "value_error"}

# ---- the bot API: streams ---------------------------------------------------


def content(parts, change):
    """The pieces of a stream, the first empty one and [DONE] left out."""
    pieces = [p["content"] for p in parts[1:-1]]
    return parts[:1] + [{"content": p} for p in change(pieces)] + parts[-1:]


for name, change in {
        "last-piece-lost": lambda p: p[:-1],
        "pieces-trimmed": lambda p: [x.strip() for x in p],
        "pieces-reversed": lambda p: p[::-1],
        "first-piece-again": lambda p: p + p[:1],
        "half": lambda p: p[:len(p) // 2],
        "twice": lambda p: p + p,
        "upper": lambda p: [x.upper() for x in p],
}.items():
    stream_after("v1-b1-stream-" + name,
                 lambda parts, c=change: content(parts, c))

# ---- the bot API: refusals --------------------------------------------------


def only_first_root(errors):
    roots = [e for e in errors if e["loc"][-1] == "__root__"]
    return [e for e in errors if e not in roots[1:]]


def roots_first(errors):
    return sorted(errors, key=lambda e: e["loc"][-1] != "__root__")


def one_a_message(errors):
    seen, out = set(), []
    for e in errors:
        if e["loc"][1] == "messages" and len(e["loc"]) > 2:
            if e["loc"][2] in seen:
                continue
            seen.add(e["loc"][2])
        out.append(e)
    return out


def first_message_only(errors):
    return [e for e in errors if not (e["loc"][1:2] == ["messages"] and
                                      len(e["loc"]) > 2 and e["loc"][2] > 0)]


for name, change in {
        "one-root": only_first_root,
        "roots-first": roots_first,
        "one-error-a-message": one_a_message,
        "first-message-only": first_message_only,
        "role-without-ctx": lambda errors: [
            {k: v for k, v in e.items() if k != "ctx" or
             e["type"] != "type_error.enum"} for e in errors],
        "role-other-words": lambda errors: [
            {**e, "msg": "unexpected value; permitted: 'system', 'user', "
             "'assistant'", "type": "value_error.const"}
            if e["type"] == "type_error.enum" else e for e in errors],
        "index-as-text": lambda errors: [
            {**e, "loc": [str(x) for x in e["loc"]]} for e in errors],
        "index-from-1": lambda errors: [
            {**e, "loc": [x + 1 if isinstance(x, int) and len(e["loc"]) > 2
                          else x for x in e["loc"]]} for e in errors],
        "sorted": lambda errors: sorted(errors, key=lambda e: str(e["loc"])),
        "message-path-dotted": lambda errors: [
            {**e, "loc": ["body", ".".join(map(str, e["loc"][1:]))]}
            if len(e["loc"]) > 2 else e for e in errors],
        "syntax-one-off": lambda errors: [
            {**e, "loc": ["body", e["loc"][1] + 1]}
            if e["type"] == "value_error.jsondecode" else e for e in errors],
        "syntax-short": lambda errors: [
            {**e, "msg": e["ctx"]["msg"]}
            if e["type"] == "value_error.jsondecode" else e for e in errors],
        "syntax-doc-cut": lambda errors: [
            {**e, "ctx": {**e["ctx"], "doc": e["ctx"]["doc"][:4]}}
            if e["type"] == "value_error.jsondecode" else e for e in errors],
        "syntax-place": lambda errors: [
            {**e, "loc": ["body"]}
            if e["type"] == "value_error.jsondecode" else e for e in errors],
        "root-at-body": lambda errors: [
            {**e, "loc": ["body"]} if e["loc"][-1] == "__root__" else e
            for e in errors],
        "no-prompt-error-twice": lambda errors: errors + [
            e for e in errors if "prompt" in e["msg"]],
}.items():
    errors_after("v1-b1-" + name, change)


@after("v1-b1-empty-body-dict")
def empty_body_dict(request, out):
    if out.status == 422 and request.body == b"":
        out.value = {"detail": [botapi.BAD_DICT([])]}


@after("v1-b1-null-body-dict")
def null_body_dict(request, out):
    if out.status == 422 and request.body.strip() == b"null":
        out.value = {"detail": [botapi.BAD_DICT([])]}


# ---- the bot API: what is accepted ------------------------------------------

def chat_body(value):
    return {"bot_slug": "taxson", **value}


def empty_list_ok(v):
    return {**v, "prompt": "x"} if v.get("messages") == [] and \
        "prompt" not in v else None


def other_roles(v):
    if not isinstance(v.get("messages"), list):
        return None
    return {**v, "messages": [
        {**m, "role": "assistant"} if isinstance(m, dict) and
        m.get("role") in ("function", "tool", "bot", "developer") else m
        for m in v["messages"]]}


def trimmed_roles(v):
    if not isinstance(v.get("messages"), list):
        return None
    return {**v, "messages": [
        {**m, "role": m["role"].strip()} if isinstance(m, dict) and
        isinstance(m.get("role"), str) else m for m in v["messages"]]}


for name, change in {
        "empty-list-ok": empty_list_ok,
        "other-roles": other_roles,
        "roles-trimmed": trimmed_roles,
        "stream-two": lambda v: {**v, "stream": True}
        if v.get("stream") == 2 else None,
        "stream-empty-text": lambda v: {**v, "stream": False}
        if v.get("stream") == "" else None,
        "stream-missing-ok": lambda v: {"stream": False, **v},
        "stream-null-ok": lambda v: {**v, "stream": False}
        if v.get("stream", 1) is None else None,
        "bot-missing-ok": lambda v: chat_body(v)
        if not v.get("bot_uid") else None,
        "slug-any-case": lambda v: {**v, "bot_slug": v["bot_slug"].lower()}
        if isinstance(v.get("bot_slug"), str) else None,
        "unknown-uid-by-slug": lambda v: {k: x for k, x in v.items()
                                          if k != "bot_uid"}
        if v.get("bot_slug") == "taxson" else None,
        "content-missing-ok": lambda v: {**v, "messages": [
            {"content": "", **m} if isinstance(m, dict) else m
            for m in v["messages"]]}
        if isinstance(v.get("messages"), list) else None,
}.items():
    fields("v1-b1-" + name, "/chat", change)


def refuses(name, test, field, msg, kind):
    """A value that is right is refused."""
    @before("v1-b1-" + name)
    def function(request):
        value = body_of(request)
        if request.path.endswith("/chat") and isinstance(value, dict) and \
                field in value and test(value[field]):
            return Answer(422, {"detail": [{"loc": ["body", field],
                                            "msg": msg, "type": kind}]})
        return None


refuses("float-bool-refused", lambda v: isinstance(v, float), "stream",
        "value could not be parsed to a boolean", "type_error.bool")
refuses("text-bool-refused", lambda v: isinstance(v, str), "stream",
        "value could not be parsed to a boolean", "type_error.bool")
refuses("float-int-refused", lambda v: isinstance(v, float), "max_words",
        "value is not a valid integer", "type_error.integer")
refuses("underscore-int-refused", lambda v: isinstance(v, str) and "_" in v,
        "max_words", "value is not a valid integer", "type_error.integer")
refuses("bool-int-refused", lambda v: isinstance(v, bool), "max_words",
        "value is not a valid integer", "type_error.integer")
refuses("null-user-refused", lambda v: v is None, "user_id",
        "none is not an allowed value", "type_error.none.not_allowed")
refuses("number-prompt-refused", lambda v: isinstance(v, (int, float)),
        "prompt", "str type expected", "type_error.str")
refuses("negative-words-refused", lambda v: isinstance(v, int) and v < 0,
        "max_words", "ensure this value is greater than or equal to 0",
        "value_error.number.not_ge")
refuses("pairs-refused", lambda v: isinstance(v, list), "assumptions",
        "value is not a valid dict", "type_error.dict")


@before("v1-b1-list-body-refused")
def list_body_refused(request):
    if request.path.endswith("/chat") and isinstance(body_of(request), list):
        return Answer(422, {"detail": [botapi.BAD_DICT([])]})
    return None


@before("v1-b1-nan-refused")
def nan_refused(request):
    found = re.search(rb"NaN|Infinity", request.body)
    if found:
        return Answer(422, {"detail": [{
            "loc": ["body", found.start()], "msg": "Expecting value: line 1 "
            "column %d (char %d)" % (found.start() + 1, found.start()),
            "type": "value_error.jsondecode"}]})
    return None


@before("v1-b1-bom-refused")
def bom_refused(request):
    if request.body.startswith(b"\xef\xbb\xbf"):
        return refuse(400, "There was an error parsing the body")
    return None


@before("v1-b1-duplicate-first")
def duplicate_first(request):
    import json
    try:
        value = json.loads(request.body, object_pairs_hook=lambda p: dict(
            reversed(p)))
    except ValueError:
        return
    if isinstance(value, dict) and b"ED A0" not in request.body:
        put_body(request, value)


@before("v1-b1-charset-refused")
def charset_refused(request):
    if "charset" in request.headers.get("content-type", "") and \
            "/chat" in request.path:
        return Answer(422, {"detail": [botapi.BAD_DICT([])]})
    return None


@before("v1-b1-type-415")
def type_415(request):
    kind = request.headers.get("content-type", "")
    if request.method == "POST" and kind and "json" not in kind and \
            request.path in botapi.PATHS:
        return refuse(415, "Unsupported Media Type")
    return None


# ---- the bot API: key, routing, other endpoints -----------------------------

@before("v1-b1-key-any-case")
def key_any_case(request):
    value = request.headers.get("authorization", "")
    if value.lower().endswith("demo-key"):
        request.headers = dict(request.headers.items())
        request.headers["authorization"] = "Bearer demo-key"


@before("v1-b1-key-prefix")
def key_prefix(request):
    if request.headers.get("authorization", "").startswith("Bearer demo-key"):
        request.headers = dict(request.headers.items())
        request.headers["authorization"] = "Bearer demo-key"


@after("v1-b1-other-scheme-401")
def other_scheme(request, out):
    if out.status == 403 and "credentials" in str(out.value):
        out.status = 401


@before("v1-b1-bots-without-key")
def bots_without_key(request):
    if request.path.endswith("/bots") and request.method == "GET":
        return Answer(200, [botapi.BOT])
    return None


@before("v1-b1-head-is-get")
def head_is_get(request):
    if request.method == "HEAD" and request.path in (
            "/v1/bots", "/health-check"):
        return Answer(200, headers={"Content-Type": "application/json"})
    return None


@before("v1-b1-options-200")
def options_200(request):
    if request.method == "OPTIONS" and request.path in botapi.PATHS:
        return Answer(200, headers={"Access-Control-Allow-Origin": "*"})
    return None


@after("v1-b1-slash-308")
def slash_308(request, out):
    if out.status == 307:
        out.status = 308


headers_after("v1-b1-allow-lower", lambda h: h.update(
    {"Allow": h["Allow"].lower()}), lambda out: "Allow" in out.headers)


@after("v1-b1-unknown-path-html")
def unknown_html(request, out):
    if out.status == 404 and out.value == {"detail": "Not Found"}:
        out.value, out.body = None, b"<h1>Not Found</h1>"
        out.headers["Content-Type"] = "text/html"


headers_after("v1-b1-same-request-id", lambda h: h.update(
    {"X-Request-Id": "0123456789abcdef0123456789abcdef"}))


json_after("v1-b1-bots-twice", "/bots", lambda v: v + v)
json_after("v1-b1-bots-other-uid", "/bots", lambda v: [
    {**b, "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, b["uid"]))} for b in v])
json_after("v1-b1-bots-welcome-null", "/bots", lambda v: [
    {**b, "welcome_message": None} for b in v])
json_after("v1-b1-bots-no-model", "/bots", lambda v: [
    {k: x for k, x in b.items() if k != "model"} for b in v])
json_after("v1-b1-health-ok-text", "/health-check", lambda v: "ok")

# ---- the bot API: statistics ------------------------------------------------

S = "/usage-statistics"
json_after("v1-b1-stat-row-sum", S, lambda v: {**v, "items": [
    {**i, "total_tokens": i["total_tokens"] + i["original_tokens"]}
    for i in v["items"]]})
json_after("v1-b1-stat-words-zero", S, lambda v: {
    "total": {k: 0 if "words" in k else n for k, n in v["total"].items()},
    "items": [{k: 0 if "words" in k else n for k, n in i.items()}
              for i in v["items"]]})
json_after("v1-b1-stat-date-slashes", S, lambda v: {**v, "items": [
    {**i, "date": i["date"].replace("-", "/")} for i in v["items"]]})
json_after("v1-b1-stat-float", S, lambda v: {**v, "total": {
    k: float(n) for k, n in v["total"].items()}})
json_after("v1-b1-stat-no-enchancement", S, lambda v: {**v, "items": [
    {k: n for k, n in i.items() if "enchancement" not in k}
    for i in v["items"]]})
json_after("v1-b1-stat-response-as-original", S, lambda v: {
    "total": swap(v["total"]), "items": [swap(i) for i in v["items"]]})


def swap(row):
    other = {"original": "response", "response": "original"}
    return {"_".join(other.get(p, p) for p in k.split("_")): n
            for k, n in row.items()}


@before("v1-b1-stat-swapped-dates")
def swapped_dates(request):
    v = body_of(request)
    if request.path.endswith(S) and isinstance(v, dict) and isinstance(
            v.get("start_date"), str) and isinstance(v.get("end_date"), str) \
            and v["start_date"][:4].isdigit() and v["end_date"][:4].isdigit() \
            and v["start_date"] > v["end_date"]:
        return Answer(422, {"detail": [{**ERR, "msg": "start_date must not be "
                                        "after end_date"}]})
    return None


@before("v1-b1-stat-user-needed")
def stat_user_needed(request):
    v = body_of(request)
    if request.path.endswith(S) and isinstance(v, dict) and \
            "user_id" not in v:
        return Answer(422, {"detail": [botapi.MISSING(["user_id"])]})
    return None


fields("v1-b1-stat-everybody", S, lambda v: {**v, "user_id": -1}
       if isinstance(v.get("user_id"), int) else None)
fields("v1-b1-usage-all-one-user", "/chat",
       lambda v: {k: x for k, x in v.items() if k != "user_id"})

late = []


@after("v1-b1-usage-late")
def usage_late(request, out):
    """A chat is counted when the next one comes."""
    if request.path.endswith("/chat") and out.status == 200:
        now = {k: dict(v) for k, v in botapi.used.items()}
        shown = late.pop() if late else {}
        late.append(now)
        botapi.used.clear()
        botapi.used.update(shown)


# ---- the messages API: streams ----------------------------------------------

def answers(parts, change):
    """The message events' answers changed as a list."""
    at = [i for i, p in enumerate(parts)
          if isinstance(p, dict) and p.get("event") == "message"]
    new = change([parts[i]["answer"] for i in at])
    first = parts[at[0]]
    rest = [p for i, p in enumerate(parts) if i not in at]
    return [{**first, "answer": a} for a in new] + rest


for name, change in {
        "last-lost": lambda p: p[:-1],
        "first-lost": lambda p: p[1:],
        "swapped": lambda p: [p[1], p[0]] + p[2:],
        "repeated": lambda p: p[:1] + p,
        "cumulative": lambda p: ["".join(p[:i + 1]) for i in range(len(p))],
        "trimmed": lambda p: [x.strip() for x in p],
        "whole-at-end": lambda p: p + ["".join(p)],
}.items():
    stream_after("dify-b1-stream-" + name,
                 lambda parts, c=change: answers(parts, c))


def on_events(name, change, event=None):
    stream_after("dify-b1-" + name, lambda parts: [
        change(dict(p), i) if isinstance(p, dict) and
        event in (None, p.get("event")) else p for i, p in enumerate(parts)])


on_events("chunk-ids-differ", lambda p, i: {
    **p, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(i)))}, "message")
on_events("task-differs", lambda p, i: {**p, "task_id": str(uuid.uuid4())})
on_events("clock-runs", lambda p, i: {**p, "created_at": p["created_at"] + i})
on_events("conversation-differs-at-end", lambda p, i: {
    **p, "conversation_id": str(uuid.uuid4())}, "message_end")
on_events("end-usage-zero", lambda p, i: {**p, "metadata": {
    **p["metadata"], "usage": {**p["metadata"]["usage"], "prompt_tokens": 0,
                               "completion_tokens": 0, "total_tokens": 0}}},
          "message_end")
on_events("end-no-resources", lambda p, i: {**p, "metadata": {
    k: v for k, v in p["metadata"].items() if k != "retriever_resources"}},
          "message_end")
on_events("events-in-capitals", lambda p, i: {
    **p, "event": p["event"].upper()})
stream_after("dify-b1-ping-json", lambda parts: [
    {"event": "ping"} if isinstance(p, bytes) else p for p in parts])


# ---- the messages API: one answer -------------------------------------------

C = "/chat-messages"


def usage(name, change):
    json_after("dify-b1-" + name, C, lambda v: {**v, "metadata": {
        **v["metadata"], "usage": change(dict(v["metadata"]["usage"]))}})


usage("unit-price-number", lambda u: {**u, "prompt_unit_price": 0.001})
usage("latency-text", lambda u: {**u, "latency": str(u["latency"])})
usage("price-exponent", lambda u: {**u, "prompt_price": "2.1E-5"})
usage("currency-null", lambda u: {**u, "currency": None})
usage("price-six-places", lambda u: {**u, "total_price":
                                     u["total_price"][:-1]})
usage("completion-tokens-off", lambda u: {
    **u, "completion_tokens": u["completion_tokens"] + 1})
usage("price-number", lambda u: {**u, "total_price": float(u["total_price"])})
usage("price-is-per-million", lambda u: {
    **u, "completion_price_unit": "0.000001"})


def resources(name, change):
    json_after("dify-b1-" + name, C, lambda v: {**v, "metadata": {
        **v["metadata"], "retriever_resources": change(
            v["metadata"]["retriever_resources"])}})


resources("positions-from-0", lambda r: [
    {**x, "position": x["position"] - 1} for x in r])
resources("scores-rise", lambda r: [
    {**x, "score": 1 - x["score"]} for x in r])
resources("score-text", lambda r: [{**x, "score": str(x["score"])}
                                   for x in r])
resources("no-content", lambda r: [
    {k: v for k, v in x.items() if k != "content"} for x in r])
resources("no-segment", lambda r: [
    {k: v for k, v in x.items() if k != "segment_id"} for x in r])
json_after("dify-b1-created-ms", C, lambda v: {
    **v, "created_at": v["created_at"] * 1000})
json_after("dify-b1-mode", C, lambda v: {**v, "mode": "advanced-chat"})
json_after("dify-b1-answer-list", C, lambda v: {**v, "answer": [v["answer"]]})


# ---- the messages API: what is accepted -------------------------------------

def refused_field(name, field, test, message):
    @before("dify-b1-" + name)
    def function(request):
        v = body_of(request)
        if request.path.endswith(C) and isinstance(v, dict) and \
                field in v and test(v[field]):
            return envelope(400, "invalid_param", field + ": " + message)
        return None


refused_field("upper-uuid-refused", "conversation_id",
              lambda v: isinstance(v, str) and v != v.lower(), "bad")
refused_field("empty-conversation-refused", "conversation_id",
              lambda v: v == "", "bad")
refused_field("null-conversation-refused", "conversation_id",
              lambda v: v is None, "bad")
refused_field("null-mode-refused", "response_mode", lambda v: v is None, "bad")
refused_field("null-files-refused", "files", lambda v: v is None, "bad")
refused_field("word-flag-refused", "auto_generate_name",
              lambda v: isinstance(v, str), "bad")
refused_field("number-user-refused", "user",
              lambda v: isinstance(v, int) and v and v is not True, "bad")


@before("dify-b1-mode-needed")
def mode_needed(request):
    v = body_of(request)
    if request.path.endswith(C) and isinstance(v, dict) and v.get("user") \
            and "response_mode" not in v:
        return envelope(400, "invalid_param", "response_mode: Field required")
    return None


fields("dify-b1-streams-by-default", C, lambda v: {
    "response_mode": "streaming", **v})
fields("dify-b1-inputs-optional", C, lambda v: {"inputs": {}, **v})
fields("dify-b1-null-inputs-ok", C, lambda v: {**v, "inputs": {}}
       if v.get("inputs", 1) is None else None)
fields("dify-b1-mode-any-case", C, lambda v: {
    **v, "response_mode": v["response_mode"].lower()}
    if isinstance(v.get("response_mode"), str) else None)


@before("dify-b1-unknown-members-refused")
def unknown_members(request):
    v = body_of(request)
    known = {"query", "inputs", "user", "response_mode", "conversation_id",
             "files", "auto_generate_name", "retriever_from", "workflow_id",
             "trace_session_id"}
    if request.path.endswith(C) and isinstance(v, dict) and set(v) - known:
        return envelope(400, "invalid_param", "Extra inputs are not permitted")
    return None


@before("dify-b1-type-before-key")
def type_before_key(request):
    if request.method == "POST" and request.path.endswith(C) and \
            "json" not in request.headers.get("content-type", ""):
        return envelope(415, "unsupported_media_type", "Not JSON.")
    return None


@after("dify-b1-refusal-streamed")
def refusal_streamed(request, out):
    v = body_of(request)
    if out.status in (400, 404) and request.path.endswith(C) and \
            isinstance(v, dict) and v.get("response_mode") == "streaming":
        out.blocks = [block({"event": "error", **out.value})]
        out.status, out.value = 200, None
        out.headers["Content-Type"] = "text/event-stream"


@after("dify-b1-status-member-500")
def status_member(request, out):
    if out.status >= 400 and isinstance(out.value, dict):
        out.value["status"] = 500


@after("dify-b1-error-html")
def error_html(request, out):
    if out.status == 400:
        out.value, out.body = None, b"<h1>Bad Request</h1>"
        out.headers["Content-Type"] = "text/html"


# ---- the messages API: listings ---------------------------------------------

M, L = "/messages", "/conversations"
each_listed("dify-b1-stored-answer-cut", M, lambda m: {
    **m, "answer": m["answer"][:-1]})
each_listed("dify-b1-stored-query-ascii", M, lambda m: {
    **m, "query": m["query"].encode("ascii", "replace").decode()})
each_listed("dify-b1-stored-query-trimmed", M, lambda m: {
    **m, "query": " ".join(m["query"].split())})
each_listed("dify-b1-no-resources-listed", M, lambda m: {
    **m, "retriever_resources": []})
each_listed("dify-b1-listed-tokens-other", M, lambda m: {
    **m, "message_tokens": m["message_tokens"] + 1,
    "total_tokens": m["total_tokens"] + 1})
each_listed("dify-b1-listed-id-other", M, lambda m: {
    **m, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, m["id"]))})
each_listed("dify-b1-listed-price-other", M, lambda m: {
    **m, "total_price": "0.0000001"})
each_listed("dify-b1-listed-inputs-lost", L, lambda c: {**c, "inputs": {}})
each_listed("dify-b1-status-null", L, lambda c: {**c, "status": None})
each_listed("dify-b1-updated-is-created", L, lambda c: {
    **c, "updated_at": c["created_at"]})
each_listed("dify-b1-message-no-files", M, lambda m: {
    k: v for k, v in m.items() if k != "message_files"})
each_listed("dify-b1-message-time-ms", M, lambda m: {
    **m, "created_at": m["created_at"] * 1000})
for kind, path in (("messages", M), ("conversations", L)):
    json_after("dify-b1-%s-full-has-more" % kind, path, lambda v: {
        **v, "has_more": len(v["data"]) == v["limit"]})
    json_after("dify-b1-%s-limit-is-count" % kind, path, lambda v: {
        **v, "limit": len(v["data"])})


@before("dify-b1-all-messages-of-user")
def all_messages(request):
    if request.path.endswith(M) and request.method == "GET":
        q = messagesapi.query_of(request)
        mine = [m for m in messagesapi.messages if m["user"] == q.get("user")]
        if q.get("conversation_id") in messagesapi.conversations and \
                "first_id" not in q and request.headers.get("authorization"):
            return Answer(200, {"limit": 20, "has_more": False, "data": [
                messagesapi.shown_message(m, q.get("user")) for m in mine]})
    return None


def without_query(name, path, field):
    @before("dify-b1-" + name)
    def function(request):
        if request.path.endswith(path):
            request.query = re.sub(field + "=[^&]*&?", "", request.query)


without_query("first-id-ignored", M, "first_id")
without_query("last-id-ignored", L, "last_id")
without_query("sort-ignored", L, "sort_by")
without_query("messages-limit-ignored", M, "limit")
without_query("user-ignored-in-list", L, "user")


@before("dify-b1-conversation-id-optional")
def conversation_optional(request):
    if request.path.endswith(M) and request.method == "GET" and \
            "conversation_id" not in request.query:
        return Answer(200, {"limit": 20, "has_more": False, "data": []})
    return None


@before("dify-b1-unknown-query-refused")
def unknown_query(request):
    if request.path.endswith(L) and "pinned" in request.query:
        return envelope(400, "invalid_param", "pinned: unknown")
    return None


@before("dify-b1-get-with-type-refused")
def get_with_type(request):
    if request.method == "GET" and request.headers.get("content-type") and \
            not request.body and request.path.startswith("/v1/"):
        return envelope(400, "bad_request", messagesapi.BAD)
    return None


# ---- the messages API: the rest ---------------------------------------------

json_after("dify-b1-feedback-oldest-first", "/app/feedbacks", lambda v: {
    "data": v["data"][::-1]})
json_after("dify-b1-feedback-no-content", "/app/feedbacks", lambda v: {
    "data": [{**f, "content": None} for f in v["data"]]})
json_after("dify-b1-feedback-epoch", "/app/feedbacks", lambda v: {
    "data": [{**f, "created_at": int(time.time())} for f in v["data"]]})


@before("dify-b1-anybody-stops")
def anybody_stops(request):
    found = re.fullmatch(r"(?:/v1)?/chat-messages/([^/]+)/stop", request.path)
    if found and request.method == "POST":
        messagesapi.tasks.pop(found[1], None)


@before("dify-b1-stop-unknown-404")
def stop_unknown(request):
    found = re.fullmatch(r"(?:/v1)?/chat-messages/([^/]+)/stop", request.path)
    v = body_of(request)
    if found and found[1] not in messagesapi.tasks and isinstance(v, dict) \
            and v.get("user"):
        return envelope(404, "not_found", "Task not found.")
    return None


@before("dify-b1-delete-twice-204")
def delete_twice(request):
    found = re.fullmatch(r"(?:/v1)?/conversations/([^/]+)", request.path)
    if found and request.method == "DELETE" and messagesapi.conversations.get(
            found[1], {}).get("gone"):
        return Answer(204)
    return None


@before("dify-b1-deleted-messages-listed")
def deleted_listed(request):
    q = messagesapi.query_of(request)
    c = messagesapi.conversations.get(q.get("conversation_id"))
    if request.path.endswith(M) and request.method == "GET" and c and \
            c["gone"]:
        return Answer(200, {"limit": 20, "has_more": False, "data": [
            messagesapi.shown_message(m, c["user"])
            for m in messagesapi.messages
            if m["conversation_id"] == c["id"]]})
    return None


@after("dify-b1-rename-answers-old")
def rename_old(request, out):
    if request.path.endswith("/name") and out.status == 200:
        out.value["name"] = "New conversation"


@before("dify-b1-always-named")
def always_named(request):
    v = body_of(request)
    if request.path.endswith(C) and isinstance(v, dict):
        v.pop("auto_generate_name", None)
        put_body(request, v)


json_after("dify-b1-suggested-objects", "/suggested", lambda v: {
    **v, "data": [{"question": q} for q in v["data"]]})
json_after("dify-b1-parameters-form-object", "/parameters", lambda v: {
    **v, "user_input_form": {}})
json_after("dify-b1-parameters-limits-text", "/parameters", lambda v: {
    **v, "system_parameters": {k: str(n) for k, n in
                               v["system_parameters"].items()}})
json_after("dify-b1-parameters-questions-null", "/parameters", lambda v: {
    **v, "suggested_questions": None})
json_after("dify-b1-info-tags-text", "/info", lambda v: {**v, "tags": ""})
json_after("dify-b1-site-no-language", "/site", lambda v: {
    k: x for k, x in v.items() if k != "default_language"})
json_after("dify-b1-upload-extension-dot", "/upload", lambda v: {
    **v, "extension": "." + v["extension"]}, 201)
json_after("dify-b1-upload-id-word", "/upload", lambda v: {
    **v, "id": "file-1"}, 201)
json_after("dify-b1-upload-mime", "/upload", lambda v: {
    **v, "mime_type": "application/octet-stream"}, 201)
json_after("dify-b1-annotation-total", "/annotations", lambda v: {
    **v, "total": 0} if "total" in v else v)
json_after("dify-b1-annotation-hits-text", "/annotations", lambda v: {
    **v, "hit_count": "0"}, 201)
