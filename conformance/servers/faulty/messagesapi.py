"""The messages API done right, in memory, for the faults to spoil."""
import json
import re
import threading
import time
import uuid
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import parse_qs

from answer import Answer, block

KEY = "demo-key"
NIL = "00000000-0000-0000-0000-000000000000"
APP = "f2f6c0de-0000-4000-8000-000000000001"
lock = threading.RLock()
conversations = {}   # id -> dict, in order
messages = []        # dicts, in order
feedback = {}        # (message, user) -> dict
annotations = {}     # id -> dict
tasks = {}           # running answers: task -> user
UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
BAD = "The browser (or proxy) sent a request that this server could not " \
      "understand."


class Refused(Exception):
    def __init__(self, status, code, message, **more):
        super().__init__()
        headers = more.pop("headers", {})
        self.answer = Answer(status, {"code": code, "message": message,
                                      "status": status, **more}, headers)


def invalid(message, **more):
    return Refused(400, "invalid_param", message, **more)


def check_key(request, has):
    realm = {"headers": {"WWW-Authenticate": 'Bearer realm="api"'}}
    value = request.headers.get("authorization", "")
    scheme, blank, key = value.partition(" ")
    if not blank:
        if has("dify-no-key-needed"):
            return
        raise Refused(401, "unauthorized", "Authorization header must be "
                      "provided and start with 'Bearer'", **realm)
    if scheme.lower() != "bearer" or (has("dify-scheme-case") and
                                      scheme != "Bearer"):
        raise Refused(401, "unauthorized",
                      "Authorization scheme must be 'Bearer'", **realm)
    if key.strip() != KEY and not has("dify-any-key"):
        raise Refused(401, "unauthorized", "Access token is invalid", **realm)


def json_body(request, has, optional=False):
    kind = request.headers.get("content-type", "").split(";")[0].lower()
    if not (kind == "application/json" or re.fullmatch(
            r"application/.*\+json", kind)) and not has("dify-any-type"):
        raise Refused(415, "unsupported_media_type", "Did not attempt to load "
                      "JSON data because the request Content-Type was not "
                      "'application/json'.")
    try:
        value = json.loads(request.body.decode("utf-8"))
    except ValueError:
        raise Refused(400, "bad_request", BAD) from None
    if not isinstance(value, dict):
        raise Refused(400, "bad_request", BAD)
    return value


def user_of(values, has, needed=True):
    user = values.get("user")
    if user in (None, "", 0, False) and not isinstance(user, dict):
        if needed and not has("dify-user-optional"):
            raise invalid("Arg user must be provided.")
        return "DEFAULT-USER"
    if isinstance(user, bool) or not isinstance(user, (str, int, float)):
        raise invalid("user must be text")
    if len(str(user)) > 255 and not has("dify-long-user"):
        raise invalid("user is longer than 255 characters")
    return str(user)


def conversation_of(id_, user, has, text="Conversation Not Exists."):
    found = conversations.get(id_)
    if found is None or (found["gone"] and not has("dify-delete-forgets")):
        if has("dify-unknown-starts-new"):
            return None
        raise Refused(404, "not_found", text)
    if found["user"] != user and not has("dify-users-mixed"):
        if has("dify-foreign-403"):
            raise Refused(403, "forbidden", "Not yours.")
        raise Refused(404, "not_found", text)
    return found


# ---- fields -----------------------------------------------------------------

def liberal_uuid(value):
    try:
        return str(uuid.UUID(value.strip()))
    except (ValueError, AttributeError):
        return None


def check_fields(v, has):
    errors = []

    def bad(field, reason):
        errors.append((field, reason))

    if "inputs" not in v:
        bad("inputs", "Field required")
    elif not isinstance(v["inputs"], dict) and not (
            has("dify-inputs-any") and v["inputs"] is not None):
        bad("inputs", "Input should be a valid dictionary")
    if "query" not in v:
        bad("query", "Field required")
    elif not isinstance(v["query"], str):
        if has("dify-query-number") and isinstance(v["query"], int):
            v["query"] = str(v["query"])
        else:
            bad("query", "Input should be a valid string")
    files = v.get("files")
    if files is not None and not isinstance(files, list):
        bad("files", "Input should be a valid list")
    for i, item in enumerate(files if isinstance(files, list) else []):
        if not isinstance(item, dict) and not has("dify-files-any"):
            bad("files.%d" % i, "Input should be a valid dictionary")
    mode = v.get("response_mode")
    if mode not in (None, "blocking", "streaming") and not has("dify-any-mode"):
        bad("response_mode", "Input should be 'blocking' or 'streaming'")
    given = v.get("conversation_id")
    if given not in (None, ""):
        v["conversation_id"] = liberal_uuid(given) or (
            given if has("dify-any-conversation-id") else None)
        if v["conversation_id"] is None:
            bad("conversation_id", "Value error, conversation_id must be a "
                "valid UUID")
    flag = v.get("auto_generate_name", True)
    if not (flag in (0, 1) or str(flag).lower() in (
            "true", "false", "yes", "no", "on", "off", "0", "1")):
        bad("auto_generate_name", "Input should be a valid boolean, unable to "
            "interpret input")
    if errors:
        more = {} if has("dify-no-params") else {"params": errors[0][0]}
        raise invalid("; ".join("%s: %s" % e for e in errors), **more)


# ---- chat -------------------------------------------------------------------

def tokens(text):
    return len(re.findall(r"\w+|[^\w\s]", text)) or 1


def places(value):
    return str(value.quantize(Decimal("0.0000001"), ROUND_HALF_UP))


def usage(query, answer):
    p, c = tokens(query) + 20, tokens(answer)
    unit_p, unit_c, per = Decimal("0.001"), Decimal("0.002"), Decimal("0.001")
    price_p, price_c = places(p * unit_p * per), places(c * unit_c * per)
    return {"prompt_tokens": p, "prompt_unit_price": "0.001",
            "prompt_price_unit": "0.001", "prompt_price": price_p,
            "completion_tokens": c, "completion_unit_price": "0.002",
            "completion_price_unit": "0.001", "completion_price": price_c,
            "total_tokens": p + c,
            "total_price": places(Decimal(price_p) + Decimal(price_c)),
            "currency": "USD", "latency": 0.0123456789}


def resource(position, score, content):
    return {"position": position,
            "dataset_id": "101b4c97-fc2e-463c-90b1-5261a4cdcafb",
            "dataset_name": "iPhone",
            "document_id": "8dd1ad74-0b5f-4175-b735-7d98bbbb4e00",
            "document_name": "iPhone List", "data_source_type": "upload_file",
            "segment_id": str(uuid.uuid4()), "retriever_from": "api",
            "score": score, "content": content, "hit_count": None,
            "word_count": None, "segment_position": None,
            "index_node_hash": None, "page": None, "doc_metadata": None,
            "title": None, "files": None, "summary": None}


def think(query, conversation, has):
    if "cat called" in query and "What" in query:
        for m in messages:
            found = re.search(r"cat is called (\w+)", m["query"])
            if found and m["conversation_id"] == conversation["id"] and \
                    not has("dify-no-memory"):
                return "Your cat is called %s." % found[1], []
    if "slowly" in query:
        return " ".join(str(i) for i in range(1, 200)), []
    if "iPhone" in query:
        return "Its display has 6.7 inches.", [
            resource(1, 0.9, "iPhone 13 Pro Max, 6.7 inch"),
            resource(2, 0.4, "iPhone 13, 6.1 inch")]
    return "Phobos and Deimos are the two moons.", []


def new_conversation(user, v):
    now = time.time_ns()
    c = {"id": str(uuid.uuid4()), "name": "New conversation",
         "inputs": v["inputs"], "user": user, "gone": False,
         "created": now, "updated": now}
    if str(v.get("auto_generate_name", True)).lower() in ("true", "1", "yes",
                                                          "on"):
        c["name"] = v["query"][:47]
    conversations[c["id"]] = c
    return c


def chat(request, has):
    v = json_body(request, has)
    user = user_of(v, has)
    check_fields(v, has)
    given = v.get("conversation_id")
    c = conversation_of(given, user, has) if given else None
    if v["query"] == "" and not has("dify-empty-query"):
        raise invalid("query is required")
    c = c or new_conversation(user, v)
    if given and has("dify-new-each-time"):
        c = new_conversation(user, v)
    c["updated"] = time.time_ns()
    answer, cited = think(v["query"], c, has)
    m = {"id": str(uuid.uuid4()), "conversation_id": c["id"], "user": user,
         "query": v["query"], "answer": answer, "resources": cited,
         "usage": usage(v["query"], answer), "created": int(time.time())}
    messages.append(m)
    task = str(uuid.uuid4())
    meta = {"annotation_reply": None, "retriever_resources": cited,
            "usage": m["usage"]}
    if v.get("response_mode") == "streaming" and not has("dify-never-streams"):
        return stream(m, task, meta, has)
    return Answer(200, {
        "event": "message", "task_id": task, "id": m["id"],
        "message_id": m["id"], "conversation_id": c["id"], "mode": "chat",
        "answer": answer, "metadata": meta, "created_at": m["created"]})


def stream(m, task, meta, has):
    def event(name, **more):
        return block({"event": name, "conversation_id": m["conversation_id"],
                      "message_id": m["id"], "created_at": m["created"],
                      "task_id": task, "id": m["id"], **more})
    blocks = [event("message", answer=piece, from_variable_selector=None)
              for piece in re.findall(r"\s*\S+", m["answer"])]
    blocks.insert(1, b"event: ping\n\n")
    blocks.append(event("message_end", metadata=meta, files=None))
    out = Answer(200, blocks=blocks, headers={
        "Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
    if "slowly" in m["query"]:
        out.paced = paced(m, task, blocks, has)
    return out


def paced(m, task, blocks, has):
    """The blocks one by one, until the task is stopped."""
    tasks[task] = m["user"]
    if has("dify-stop-forgets"):
        m["answer"] = ""
    for i, b in enumerate(blocks[:-1]):
        if task not in tasks and not has("dify-stop-ignored"):
            m["answer"] = "" if has("dify-stop-forgets") else " ".join(
                m["answer"].split()[:i])
            break
        yield b
        time.sleep(0.02)
    if not has("dify-stop-cuts") or task in tasks:
        yield blocks[-1]
    tasks.pop(task, None)


def stop(request, has, task):
    user = user_of(json_body(request, has), has)
    if tasks.get(task) == user:
        del tasks[task]
    return Answer(200, {"result": "success"})


# ---- listings ---------------------------------------------------------------

def query_of(request):
    return {k: v[-1] for k, v in parse_qs(request.query,
                                          keep_blank_values=True).items()}


def number(q, name, default, low, high, has):
    value = q.get(name, str(default))
    if not re.fullmatch(r"[+-]?\d+", value):
        raise invalid("%s: Input should be a valid integer, unable to parse "
                      "string as an integer" % name, params=name)
    value = int(value)
    if has("dify-limit-any"):
        return max(low, min(high, value))
    if value < low:
        raise invalid("%s: Input should be greater than or equal to %d"
                      % (name, low), params=name)
    if value > high:
        raise invalid("%s: Input should be less than or equal to %d"
                      % (name, high), params=name)
    return value


def an_id(q, name, has):
    value = q.get(name)
    if value and not re.fullmatch(UUID, value):
        if has("dify-bad-id-ignored"):
            return None
        raise invalid("%s: Value error, %s is not a valid uuid." % (name,
                                                                   value),
                      params=name)
    return value or None


def shown_conversation(c):
    return {"id": c["id"], "name": c["name"], "inputs": c["inputs"],
            "status": "normal", "introduction": "",
            "created_at": c["created"] // 10**9,
            "updated_at": c["updated"] // 10**9}


def list_conversations(request, has):
    q = query_of(request)
    user = user_of(q, has, needed=False)
    limit = number(q, "limit", 20, 1, 100, has)
    last = an_id(q, "last_id", has)
    sort = q.get("sort_by", "-updated_at")
    if sort.lstrip("-") not in ("created_at", "updated_at"):
        raise invalid("sort_by: Input should be 'created_at', 'updated_at'")
    mine = [c for c in conversations.values()
            if (c["user"] == user or has("dify-list-everyone"))
            and (not c["gone"] or has("dify-list-deleted"))]
    mine.sort(key=lambda c: c[sort.lstrip("-")[:7]],
              reverse=sort.startswith("-") != has("dify-list-backwards"))
    if last:
        ids = [c["id"] for c in mine]
        if last not in ids:
            raise Refused(404, "not_found", "Last Conversation Not Exists.")
        mine = mine[ids.index(last) + (0 if has("dify-page-overlaps") else 1):]
    more = len(mine) > limit
    return page([shown_conversation(c) for c in mine[:limit]], limit, more, has)


def page(data, limit, more, has):
    if has("dify-has-more-never"):
        more = False
    return Answer(200, {"limit": limit, "has_more": more, "data": data})


def shown_message(m, user):
    u = m["usage"]
    rated = feedback.get((m["id"], user))
    return {"id": m["id"], "conversation_id": m["conversation_id"],
            "parent_message_id": NIL, "inputs": {}, "query": m["query"],
            "answer": m["answer"], "status": "normal", "error": None,
            "message_files": [],
            "feedback": {"rating": rated["rating"]} if rated else None,
            "retriever_resources": m["resources"], "agent_thoughts": [],
            "created_at": m["created"], "extra_contents": [],
            "message_tokens": u["prompt_tokens"],
            "answer_tokens": u["completion_tokens"],
            "total_tokens": u["total_tokens"],
            "provider_response_latency": u["latency"],
            "total_price": u["total_price"], "currency": "USD"}


def list_messages(request, has):
    q = query_of(request)
    user = user_of(q, has, needed=False)
    if "conversation_id" not in q:
        raise invalid("conversation_id: Field required",
                      params="conversation_id")
    limit = number(q, "limit", 20, 1, 100, has)
    first = an_id(q, "first_id", has)
    if q["conversation_id"] == "":
        return page([], limit, False, has)
    c = conversation_of(an_id(q, "conversation_id", has), user, has)
    mine = [m for m in messages if m["conversation_id"] == c["id"]]
    if first:
        ids = [m["id"] for m in mine]
        if first not in ids:
            raise Refused(404, "not_found", "First Message Not Exists.")
        mine = mine[:ids.index(first)]
    more = len(mine) > limit
    mine = mine[:limit] if has("dify-oldest-page") else mine[-limit:]
    if has("dify-newest-first"):
        mine = mine[::-1]
    return page([shown_message(m, user) for m in mine], limit, more, has)


# ---- conversations, feedback ------------------------------------------------

def delete(request, has, id_):
    user = user_of(json_body(request, has), has, needed=False)
    conversation_of(id_, user, has)["gone"] = True
    if has("dify-delete-200"):
        return Answer(200, {"result": "success"})
    return Answer(204)


def rename(request, has, id_):
    v = json_body(request, has)
    user = user_of(v, has, needed=False)
    c = conversation_of(id_, user, has)
    name = v.get("name")
    if v.get("auto_generate"):
        name = next(m["query"] for m in messages
                    if m["conversation_id"] == id_)[:47]
    elif not (name or "").strip() and not has("dify-blank-name"):
        raise invalid("name is required when auto_generate is false")
    if len(name or "") > 255 and not has("dify-long-name"):
        raise invalid("name is longer than 255 characters")
    if not has("dify-rename-forgets"):
        c["name"] = name
    return Answer(200, {**shown_conversation(c), "name": name})


def message_of(id_, user, has):
    for m in messages:
        if m["id"] == id_ and (m["user"] == user or has("dify-users-mixed")):
            return m
    raise Refused(404, "not_found", "Message Not Exists.")


def rate(request, has, id_):
    v = json_body(request, has)
    user = user_of(v, has)
    rating = v.get("rating")
    if rating not in ("like", "dislike", None) and not has("dify-any-rating"):
        raise invalid("rating: Input should be 'like' or 'dislike'")
    m = message_of(id_, user, has)
    if rating is None:
        if (id_, user) not in feedback and not has("dify-revoke-nothing"):
            raise invalid("rating cannot be None when feedback not exists")
        if not has("dify-revoke-forgets"):
            feedback.pop((id_, user), None)
    elif (id_, user) not in feedback or not has("dify-first-rating-stays"):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        feedback[(id_, user)] = {
            "id": str(uuid.uuid4()), "app_id": APP,
            "conversation_id": m["conversation_id"], "message_id": id_,
            "rating": rating, "content": v.get("content") if not has(
                "dify-rating-keeps-content") else v.get("content", "good"),
            "from_source": "user", "from_end_user_id": str(uuid.uuid5(
                uuid.NAMESPACE_URL, user)), "from_account_id": None,
            "created_at": now, "updated_at": now}
    return Answer(200, {"result": "success"})


def list_feedback(request, has):
    q = query_of(request)
    number(q, "page", 1, 1, 10**9, has)
    limit = number(q, "limit", 20, 1, 101, has)
    return Answer(200, {"data": list(feedback.values())[::-1][:limit]})


def suggest(request, has, id_):
    user = user_of(query_of(request), has)
    message_of(id_, user, has)
    return Answer(200, {"result": "success",
                        "data": ["How old is Phobos?"]})


def variables(request, has, id_):
    conversation_of(id_, user_of(query_of(request), has, needed=False), has)
    return page([], 20, False, has)


# ---- the app ----------------------------------------------------------------

def parameters(request, has):
    off = {"enabled": False}
    return Answer(200, {
        "opening_statement": "", "suggested_questions": [],
        "suggested_questions_after_answer": {"enabled": True},
        "speech_to_text": off, "text_to_speech": off,
        "retriever_resource": {"enabled": True}, "annotation_reply": off,
        "more_like_this": off, "user_input_form": [],
        "sensitive_word_avoidance": off,
        "file_upload": {"image": {"enabled": False, "number_limits": 3,
                                  "detail": "high", "transfer_methods": [
                                      "remote_url", "local_file"]}},
        "system_parameters": {
            "file_size_limit": 15, "image_file_size_limit": 10,
            "audio_file_size_limit": 50, "video_file_size_limit": 100,
            "workflow_file_upload_limit": 10}})


def info(request, has):
    return Answer(200, {"name": "Sky helper", "description": "", "tags": [],
                        "mode": "chat", "author_name": None})


def meta_(request, has):
    return Answer(200, {"tool_icons": {}})


def site(request, has):
    return Answer(200, {
        "title": "Sky helper", "chat_color_theme": None,
        "chat_color_theme_inverted": False, "icon_type": "emoji", "icon": "x",
        "icon_background": None, "icon_url": None, "description": "",
        "copyright": None, "privacy_policy": None, "input_placeholder": None,
        "custom_disclaimer": "", "default_language": "en-US",
        "show_workflow_steps": False, "use_icon_as_answer_icon": False})


def welcome(request, has):
    return Answer(200, {"welcome": "Dify OpenAPI", "api_version": "v1",
                        "server_version": "faulty"})


def completion(request, has):
    raise Refused(400, "app_unavailable", "App unavailable, please check your "
                  "app configurations.")


# ---- uploads and annotations ------------------------------------------------

def upload(request, has):
    kind, _, boundary = request.headers.get("content-type", "").partition(
        "boundary=")
    parts, user = [], ""
    for piece in request.body.split(b"--" + boundary.encode())[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        head, content = head.decode(), content[:-2]
        name = re.search(r'filename="([^"]*)"', head)
        if name:
            type_ = re.search(r"(?i)content-type: *(\S+)", head)
            parts.append((name[1], type_ and type_[1], content))
        elif 'name="user"' in head:
            user = content.decode()
    if not parts:
        raise Refused(400, "no_file_uploaded", "Please upload your file.")
    if len(parts) > 1 and not has("dify-many-files"):
        raise Refused(400, "too_many_files", "Only one file is allowed.")
    name, type_, content = parts[0]
    if "/" in name:
        raise invalid("Filename contains invalid characters")
    if not type_:
        raise Refused(415, "unsupported_file_type", "File type not allowed.")
    id_ = str(uuid.uuid4())
    return Answer(200 if has("dify-upload-200") else 201, {
        "id": id_, "reference": None, "name": name,
        "size": len(content) + has("dify-upload-size"),
        "extension": name.rpartition(".")[2], "mime_type": type_,
        "created_by": str(uuid.uuid5(uuid.NAMESPACE_URL, user)),
        "created_at": int(time.time()), "preview_url": None,
        "source_url": "/files/%s/file-preview" % id_, "original_url": None,
        "user_id": None, "tenant_id": APP, "conversation_id": None,
        "file_key": None})


def annotate(request, has, id_=None):
    if id_ is not None and id_ not in annotations:
        raise Refused(404, "not_found", "Annotation not found")
    if request.method == "DELETE":
        if not has("dify-annotation-stays"):
            del annotations[id_]
        return Answer(204)
    v = json_body(request, has)
    for field in ("question", "answer"):
        if not isinstance(v.get(field), str):
            raise invalid("%s: Field required" % field, params=field)
    id_ = id_ or str(uuid.uuid4())
    annotations[id_] = {"id": id_, "question": v["question"],
                        "answer": v["answer"], "hit_count": 0,
                        "created_at": int(time.time())}
    return Answer(201 if request.method == "POST" else 200, annotations[id_])


def list_annotations(request, has):
    q = query_of(request)
    limit = number(q, "limit", 20, 1, 10**9, has)
    found = [a for a in annotations.values()
             if q.get("keyword", "") in a["question"] + a["answer"]]
    return Answer(200, {"data": found[:limit], "has_more": len(found) > limit,
                        "limit": limit, "total": len(found), "page": 1})


def annotation_reply(request, has, action):
    if action not in ("enable", "disable"):
        raise invalid("Input should be 'enable' or 'disable'")
    return Answer(200, {"job_id": str(uuid.uuid4()), "job_status": "waiting"})


def no_file(request, has, id_):
    raise Refused(404, "file_not_found", "The requested file was not found.")


def no_end_user(request, has, id_):
    raise Refused(404, "end_user_not_found", "End user not found.")


ROUTES = [(re.compile("(?:/v1)?" + path), method, handler)
          for path, method, handler in (
    ("/chat-messages", "POST", chat),
    ("/chat-messages/([^/]+)/stop", "POST", stop),
    ("/messages", "GET", list_messages),
    ("/messages/(%s)/feedbacks" % UUID, "POST", rate),
    ("/messages/(%s)/suggested" % UUID, "GET", suggest),
    ("/conversations", "GET", list_conversations),
    ("/conversations/(%s)" % UUID, "DELETE", delete),
    ("/conversations/(%s)/name" % UUID, "POST", rename),
    ("/conversations/(%s)/variables" % UUID, "GET", variables),
    ("/app/feedbacks", "GET", list_feedback),
    ("/parameters", "GET", parameters), ("/info", "GET", info),
    ("/meta", "GET", meta_), ("/site", "GET", site),
    ("/completion-messages", "POST", completion),
    ("/files/upload", "POST", upload),
    ("/apps/annotations", "POST", annotate),
    ("/apps/annotations", "GET", list_annotations),
    ("/apps/annotations/(%s)" % UUID, "PUT", annotate),
    ("/apps/annotations/(%s)" % UUID, "DELETE", annotate),
    ("/apps/annotation-reply/(\\w+)", "POST", annotation_reply),
    ("/files/(%s)/preview" % UUID, "GET", no_file),
    ("/end-users/(%s)" % UUID, "GET", no_end_user))]
CORS = {"Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, PUT, POST, DELETE, OPTIONS, PATCH",
        "Access-Control-Allow-Headers": "Content-Type, Authorization"}


def answer(request, has):
    """The answer, or None when the path is none of this API."""
    if request.path in ("/v1/", "/v1") and request.method == "GET":
        return welcome(request, has)
    found = [(method, handler, match.groups())
             for pattern, method, handler in ROUTES
             for match in [pattern.fullmatch(request.path)] if match]
    if not found:
        return None
    if request.method == "OPTIONS":
        return Answer(200, headers={} if has("dify-no-cors") else CORS)
    for method, handler, groups in found:
        if method == request.method:
            break
    else:
        return Answer(405, {"code": "method_not_allowed",
                            "message": "The method is not allowed for the "
                            "requested URL.", "status": 405},
                      {"Allow": ", ".join(f[0] for f in found)})
    try:
        if has("dify-body-before-key") and method == "POST":
            json_body(request, has)
        check_key(request, has)
        with lock:
            return handler(request, has, *groups)
    except Refused as refused:
        return refused.answer
