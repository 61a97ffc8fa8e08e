"""The second batch of planted faults: written after the cases had been closed
against the first, and counted once.  See planted.py."""
import re
import uuid

from answer import Answer, block
from planted import (after, before, body_of, each_listed, envelope,
                     errors_after, fields, headers_after, json_after,
                     put_body, refuse, stream_after)
import botapi
import messagesapi

# ---- the bot API ------------------------------------------------------------


def pieces(name, change):
    stream_after("v1-b2-stream-" + name, lambda p: p[:1] + [
        {"content": x} for x in change([q["content"] for q in p[1:-1]])]
        + p[-1:])


pieces("first-lost", lambda p: p[1:])
pieces("middle-lost", lambda p: p[:3] + p[4:])
pieces("one-repeated", lambda p: p[:4] + p[3:])
pieces("two-swapped", lambda p: p[:2] + [p[3], p[2]] + p[4:])
pieces("cumulative", lambda p: ["".join(p[:i + 1]) for i in range(len(p))])
pieces("blanks-lost", lambda p: [x.replace(" ", "") for x in p])
pieces("cut-in-words", lambda p: [x[:3] for x in p])
pieces("ends-with-dots", lambda p: p[:5] + ["..."])
stream_after("v1-b2-stream-done-with-reason", lambda p: p[:-1] + [
    {"content": "", "finish_reason": "stop"}])
stream_after("v1-b2-stream-role-first", lambda p: [{"role": "assistant"}] + p)
stream_after("v1-b2-stream-key-text", lambda p: [
    {"text": x["content"]} if isinstance(x, dict) else x for x in p])
stream_after("v1-b2-stream-error-at-end", lambda p: p[:-1] + [
    {"error": "closed"}])

for name, change in {
        "last-error-only": lambda e: e[-1:],
        "reversed": lambda e: e[::-1],
        "type-of-v2": lambda e: [{**x, "type": x["type"].replace(
            "value_error.missing", "missing")} for x in e],
        "loc-first-lost": lambda e: [{**x, "loc": x["loc"][1:]} for x in e],
        "loc-query": lambda e: [{**x, "loc": ["query"] + x["loc"][1:]}
                                for x in e],
        "with-url": lambda e: [{**x, "url": "https://errors"} for x in e],
        "message-index-lost": lambda e: [
            {**x, "loc": [y for y in x["loc"] if not isinstance(y, int) or
                          x["type"] == "value_error.jsondecode"]} for x in e],
        "last-message-only": lambda e: [
            x for x in e if x["loc"][1:2] != ["messages"] or x is [
                y for y in e if y["loc"][1:2] == ["messages"]][-1]],
        "content-before-role": lambda e: sorted(e, key=lambda x: (
            str(x["loc"][:3]), x["loc"][-1] == "role")),
        "roots-without-fields-only": lambda e: [
            x for x in e if x["loc"][-1] != "__root__"] or e,
        "roots-in-one": lambda e: [x for x in e if
                                   x["loc"][-1] != "__root__"] + [
            {"loc": ["body", "__root__"], "msg": "; ".join(
                x["msg"] for x in e if x["loc"][-1] == "__root__"),
             "type": "value_error"}] if any(
                x["loc"][-1] == "__root__" for x in e) else e,
        "line-lost": lambda e: [{**x, "msg": re.sub(r" line \d+", "",
                                                    x["msg"])} for x in e],
        "null-words": lambda e: [{**x, "msg": x["msg"].replace(
            "none is not an allowed value", "null is not allowed")}
            for x in e],
        "str-words": lambda e: [{**x, "msg": x["msg"].replace(
            "str type expected", "string expected")} for x in e]}.items():
    errors_after("v1-b2-" + name, change)

fields("v1-b2-prompt-default", "/chat", lambda v: {"prompt": "Hello", **v}
       if not v.get("messages") else None)
fields("v1-b2-empty-prompt-ok", "/chat", lambda v: {**v, "prompt": " "}
       if v.get("prompt") == "" else None)
fields("v1-b2-bad-messages-dropped", "/chat", lambda v: {
    **v, "messages": [m for m in v["messages"] if isinstance(m, dict)]}
    if isinstance(v.get("messages"), list) else None)
fields("v1-b2-role-lower", "/chat", lambda v: {**v, "messages": [
    {**m, "role": m["role"].lower()} if isinstance(m, dict) and
    isinstance(m.get("role"), str) else m for m in v["messages"]]}
    if isinstance(v.get("messages"), list) else None)
fields("v1-b2-number-content-empty", "/chat", lambda v: {**v, "messages": [
    {**m, "content": ""} if isinstance(m, dict) and isinstance(
        m.get("content", 0), (list, dict)) else m for m in v["messages"]]}
    if isinstance(v.get("messages"), list) else None)
fields("v1-b2-stream-list-ok", "/chat", lambda v: {**v, "stream": False}
       if isinstance(v.get("stream"), (list, dict)) else None)
fields("v1-b2-words-list-ok", "/chat", lambda v: {
    k: x for k, x in v.items() if k != "max_words"})


@before("v1-b2-no-key-is-401")
def no_key(request):
    if request.path in ("/v1/chat", "/chat", "/v1/bots") and not \
            request.headers.get("authorization") and \
            body_of(request) is not None:
        return refuse(401, "Not authenticated")
    return None


@before("v1-b2-any-longer-key")
def longer_key(request):
    if "demo-key" in request.headers.get("authorization", ""):
        request.headers = dict(request.headers.items())
        request.headers["authorization"] = "Bearer demo-key"


@before("v1-b2-scheme-lower-only")
def scheme_lower(request):
    if request.path.endswith("/chat") and request.headers.get(
            "authorization", "").startswith("BEARER"):
        return refuse(403, "Invalid authentication credentials")
    return None


@before("v1-b2-extra-refused")
def extra_refused(request):
    v = body_of(request)
    if request.path.endswith("/chat") and isinstance(v, dict) and \
            set(v) - {f[0] for f in botapi.CHAT}:
        return Answer(422, {"detail": [{"loc": ["body", "x"], "msg": "extra "
                                        "fields not permitted",
                                        "type": "value_error.extra"}]})
    return None


@before("v1-b2-get-chat-200")
def get_chat(request):
    if request.path.endswith("/chat") and request.method == "GET":
        return Answer(200, {"content": "Ask me."})
    return None


json_after("v1-b2-bots-slug-null", "/bots", lambda v: [
    {**b, "slug": None} for b in v])
json_after("v1-b2-bots-created", "/bots", lambda v: [
    {**b, "created_at": 1} for b in v])
json_after("v1-b2-bots-same-names", "/bots", lambda v: v + [
    {**v[0], "uid": "other", "slug": "other"}])
S = "/usage-statistics"
json_after("v1-b2-stat-total-lags", S, lambda v: {**v, "total": {
    **v["total"], "response_words": 0}})
json_after("v1-b2-stat-row-words", S, lambda v: {**v, "items": [
    {**i, "total_words": i["original_words"]} for i in v["items"]]})
json_after("v1-b2-stat-tokens-are-words", S, lambda v: {
    "total": {**v["total"], "total_tokens": v["total"]["total_words"] + 1},
    "items": v["items"]})
json_after("v1-b2-stat-first-day-lost", S, lambda v: {
    **v, "items": v["items"][1:]})
json_after("v1-b2-stat-days-doubled", S, lambda v: {
    **v, "items": v["items"][:1] + v["items"]})
fields("v1-b2-stat-user-of-chat-number", "/chat", lambda v: {
    **v, "user_id": "-1"} if v.get("user_id") else None)

# ---- the messages API -------------------------------------------------------

C, M, L = "/chat-messages", "/messages", "/conversations"


def answers(name, change):
    def parts(p):
        at = [x for x in p if isinstance(x, dict) and x["event"] == "message"]
        rest = [x for x in p if x not in at]
        return [{**at[0], "answer": a} for a in change(
            [x["answer"] for x in at])] + rest
    stream_after("dify-b2-stream-" + name, parts)


answers("middle-lost", lambda p: p[:2] + p[3:])
answers("one-repeated", lambda p: p[:3] + p[2:])
answers("last-two-swapped", lambda p: p[:-2] + [p[-1], p[-2]])
answers("cumulative-from-second", lambda p: p[:1] + [
    "".join(p[:i + 2]) for i in range(len(p) - 1)])
answers("blanks-lost", lambda p: [x.replace(" ", "") for x in p])
answers("cut", lambda p: p[:len(p) // 2])
answers("dots-added", lambda p: p + ["..."])
answers("twice", lambda p: p + p)


def events(name, change, which=None):
    stream_after("dify-b2-" + name, lambda p: [
        change(dict(x), i) if isinstance(x, dict) and which in (
            None, x["event"]) else x for i, x in enumerate(p)])


events("message-id-per-chunk", lambda x, i: {
    **x, "message_id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(i)))}, "message")
events("end-id-is-task", lambda x, i: {**x, "id": x["task_id"]},
       "message_end")
events("chunk-id-is-conversation", lambda x, i: {
    **x, "id": x["conversation_id"]}, "message")
events("task-missing-at-end", lambda x, i: {
    k: v for k, v in x.items() if k != "task_id"}, "message_end")
events("created-text", lambda x, i: {**x, "created_at": str(x["created_at"])})
events("end-prices-differ", lambda x, i: {**x, "metadata": {
    **x["metadata"], "usage": {**x["metadata"]["usage"],
                               "total_price": "0.0000001"}}}, "message_end")
events("end-metadata-flat", lambda x, i: {**x, **x["metadata"],
                                          "metadata": None}, "message_end")
stream_after("dify-b2-end-between", lambda p: p[:2] + p[-1:] + p[2:])
stream_after("dify-b2-started-event", lambda p: [
    {**p[0], "event": "workflow_started"}] + p)


def usage(name, change):
    json_after("dify-b2-" + name, C, lambda v: {**v, "metadata": {
        **v["metadata"], "usage": change(dict(v["metadata"]["usage"]))}})


usage("total-price-unrounded", lambda u: {
    **u, "total_price": u["total_price"] + "1"})
usage("tokens-text", lambda u: {**u, "total_tokens": str(u["total_tokens"])})
usage("prompt-tokens-missing", lambda u: {
    k: x for k, x in u.items() if k != "prompt_tokens"})
usage("price-with-currency", lambda u: {
    **u, "total_price": "$" + u["total_price"]})
usage("price-three-places", lambda u: {**u, "prompt_price": "0.000",
                                       "completion_price": "0.000",
                                       "total_price": "0.000"})


@after("dify-b2-resources-all-first")
def all_first(request, out):
    if request.path.endswith(C) and out.status == 200 and out.value:
        for r in out.value["metadata"]["retriever_resources"]:
            r["position"] = 1


each_listed("dify-b2-answer-lower", M, lambda m: {
    **m, "answer": m["answer"].lower()})
each_listed("dify-b2-query-lines-joined", M, lambda m: {
    **m, "query": m["query"].replace("\n", " ")})
each_listed("dify-b2-query-escaped", M, lambda m: {
    **m, "query": m["query"].replace("<", "&lt;").replace("&", "&amp;")})
each_listed("dify-b2-query-cut", M, lambda m: {**m, "query": m["query"][:20]})
each_listed("dify-b2-query-bmp-only", M, lambda m: {
    **m, "query": "".join(c for c in m["query"] if ord(c) < 0x10000)})
each_listed("dify-b2-resources-without-content", M, lambda m: {
    **m, "retriever_resources": [{k: v for k, v in r.items()
                                  if k != "content"}
                                 for r in m["retriever_resources"]]})
each_listed("dify-b2-total-is-answer", M, lambda m: {
    **m, "total_tokens": m["answer_tokens"]})
each_listed("dify-b2-created-differs", M, lambda m: {
    **m, "created_at": m["created_at"] - 3600})
each_listed("dify-b2-conversation-of-other", M, lambda m: {
    **m, "conversation_id": m["id"]})
each_listed("dify-b2-updated-is-null", L, lambda c: {
    **c, "updated_at": None})
each_listed("dify-b2-name-null", L, lambda c: {**c, "name": None})
each_listed("dify-b2-conversation-ids-short", L, lambda c: {
    **c, "id": c["id"].replace("-", "")})
json_after("dify-b2-more-when-any", L, lambda v: {
    **v, "has_more": len(v["data"]) > 0})
json_after("dify-b2-messages-more-when-full", M, lambda v: {
    **v, "has_more": len(v["data"]) >= v["limit"]})
json_after("dify-b2-limit-always-20", L, lambda v: {**v, "limit": 20})
json_after("dify-b2-feedback-sorted-by-id", "/app/feedbacks", lambda v: {
    "data": sorted(v["data"], key=lambda f: f["created_at"])})
json_after("dify-b2-feedback-rating-number", "/app/feedbacks", lambda v: {
    "data": [{**f, "rating": 1} for f in v["data"]]})


@before("dify-b2-stop-without-owner")
def stop_anybody(request):
    found = re.fullmatch(r"(?:/v1)?/chat-messages/([^/]+)/stop", request.path)
    v = body_of(request)
    if found and isinstance(v, dict) and v.get("user") and \
            found[1] in messagesapi.tasks:
        v["user"] = messagesapi.tasks[found[1]]
        put_body(request, v)


@before("dify-b2-foreign-stop-403")
def foreign_stop(request):
    found = re.fullmatch(r"(?:/v1)?/chat-messages/([^/]+)/stop", request.path)
    v = body_of(request)
    if found and isinstance(v, dict) and messagesapi.tasks.get(
            found[1], v.get("user")) != v.get("user"):
        return envelope(403, "forbidden", "Not yours.")
    return None


@before("dify-b2-uuid-any-text")
def uuid_any(request):
    v = body_of(request)
    if request.path.endswith(C) and isinstance(v, dict) and isinstance(
            v.get("conversation_id"), str) and not re.fullmatch(
                messagesapi.UUID, v["conversation_id"].strip()):
        v.pop("conversation_id")
        put_body(request, v)


@before("dify-b2-mode-unknown-blocks")
def mode_unknown(request):
    v = body_of(request)
    if request.path.endswith(C) and isinstance(v, dict) and \
            v.get("response_mode") not in ("streaming", "blocking", None):
        put_body(request, {**v, "response_mode": "blocking"})


@before("dify-b2-no-user-anonymous")
def no_user(request):
    v = body_of(request)
    if request.path.endswith(C) and isinstance(v, dict) and not v.get("user"):
        put_body(request, {**v, "user": "anonymous"})


@before("dify-b2-text-plain-ok")
def text_plain(request):
    if request.path.endswith(C):
        request.headers = {**dict(request.headers.items()),
                           "content-type": "application/json"}
        request.headers.setdefault("authorization", "")


@before("dify-b2-type-first")
def type_first(request):
    if request.path.endswith(C) and request.method == "POST" and "json" not \
            in request.headers.get("content-type", ""):
        return envelope(400, "bad_request", messagesapi.BAD)
    return None


@after("dify-b2-401-without-envelope")
def bare_401(request, out):
    if out.status == 401:
        out.value = {"error": "unauthorized"}


@after("dify-b2-404-as-200")
def not_found_200(request, out):
    if out.status == 404 and request.path.endswith(C):
        out.status = 200


@after("dify-b2-delete-body")
def delete_body(request, out):
    if out.status == 204 and "conversations" in request.path:
        out.status, out.value = 200, {"result": "success"}


headers_after("dify-b2-html-type", lambda h: h.update(
    {"Content-Type": "text/html"}) if "json" in h.get("Content-Type", "")
    else None)
json_after("dify-b2-suggested-in-object", "/suggested", lambda v: {
    "result": "success", "data": {"questions": v["data"]}})
json_after("dify-b2-parameters-null", "/parameters", lambda v: {
    k: None for k in v})
json_after("dify-b2-annotation-page", "/annotations", lambda v: {
    **v, "total": v["total"] + 1} if "total" in v else v)
