"""The bot API done right (pydantic v1's rules written out by hand), for the
faults to spoil.  has(FAULT) asks whether this process has a fault that lies in
the logic; faults of the answer alone are in faults.py."""
import datetime
import json
import math
import re

from answer import Answer, block

KEY = "demo-key"
BOT = {"uid": "edf826b8-1b75-4f57-bd26-641c897f9c1e", "slug": "taxson",
       "model": "canned-1", "name": "Taxson", "description": "Explains taxes.",
       "welcome_message": "Hello.", "avatar_url": None}
PATHS = {"/v1/chat": "POST", "/chat": "POST", "/v1/bots": "GET",
         "/bots": "GET", "/v1/user/usage-statistics": "POST",
         "/health-check": "GET"}
SPACE = ("\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
         "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")
WORDS = "Gather your financial documents, then file your return on time.".split()
COUNTERS = [part + "_" + unit for unit in ("tokens", "words")
            for part in ("original", "enchancement", "response", "total")]


used = {}  # (user, day) -> counters


class Refused(Exception):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer


def detail(status, text, **headers):
    return Answer(status, {"detail": text},
                  {k.replace("_", "-"): v for k, v in headers.items()})


def error(loc, msg, kind, **more):
    return {"loc": ["body"] + loc, "msg": msg, "type": kind, **more}


def wrong(msg, kind, **more):
    return lambda loc: error(loc, msg, kind, **more)


NONE = wrong("none is not an allowed value", "type_error.none.not_allowed")
MISSING = wrong("field required", "value_error.missing")
BAD_BOOL = wrong("value could not be parsed to a boolean", "type_error.bool")
BAD_TEXT = wrong("str type expected", "type_error.str")
BAD_INT = wrong("value is not a valid integer", "type_error.integer")
BAD_DICT = wrong("value is not a valid dict", "type_error.dict")
BAD_LIST = wrong("value is not a valid list", "type_error.list")
BAD_KEYS = wrong("keywords must be strings", "type_error")
BAD_DATE = wrong("invalid date format", "value_error.date")
BAD_DATE_TYPE = wrong("invalid type; expected date, string, bytes, int or float",
                      "type_error")
BAD_ROLE = wrong("value is not a valid enumeration member; permitted: 'system',"
                 " 'user', 'assistant'", "type_error.enum",
                 ctx={"enum_values": ["system", "user", "assistant"]})


# ---- kinds: each gives (value, None) or (None, the error to be) -------------

def boolean(v, has):
    if isinstance(v, (bool, int, float)) and v in (0, 1):
        return bool(v), None
    if isinstance(v, str):
        if v.lower() in ("1", "on", "t", "true", "y", "yes"):
            return True, None
        if v.lower() in ("0", "off", "f", "false", "n", "no"):
            return False, None
        if has("v1-bool-trims") and v.strip() == "true":
            return True, None
        if has("v1-bool-any-text"):
            return bool(v), None
    if has("v1-bool-truthy") and isinstance(v, (int, float, list, dict)):
        return bool(v), None
    return None, BAD_BOOL


def text(v, has):
    if isinstance(v, str):
        return v, None
    if isinstance(v, (bool, int, float)) and not has("v1-text-strict"):
        return str(v), None
    if has("v1-text-anything"):
        return json.dumps(v), None
    return None, BAD_TEXT


def integer(v, has):
    if isinstance(v, float):
        return (int(v), None) if math.isfinite(v) else (None, BAD_INT)
    if isinstance(v, int):
        return int(v), None
    if isinstance(v, str) and len(v) <= 4300:
        if has("v1-int-point") and re.fullmatch(r"\d+\.0", v):
            return int(float(v)), None
        if re.fullmatch(r"[+-]?\d+(_\d+)*", v.strip(SPACE)):
            return int(v.strip(SPACE)), None
    return None, BAD_INT


def role(v, has):
    if v in ("system", "user", "assistant") and isinstance(v, str):
        return v, None
    if has("v1-role-any-case") and isinstance(v, str) and v.lower() == "user":
        return "user", None
    if has("v1-role-free") and isinstance(v, str):
        return v, None
    return None, BAD_ROLE


def pairs(v):
    """The key and value of one item, or None."""
    if isinstance(v, (list, str)) and len(v) == 2:
        return v[0], v[1]
    if isinstance(v, dict) and len(v) == 2:
        return tuple(v)
    return None


def mapping(v, has):
    if isinstance(v, dict):
        return v, None
    if v == "" and isinstance(v, str):
        return {}, None
    if not isinstance(v, list) or has("v1-mapping-strict"):
        return None, BAD_DICT
    out = {}
    for item in v:
        pair = pairs(item)
        if pair is None or isinstance(pair[0], (list, dict)):
            return None, BAD_DICT
        out[pair[0]] = pair[1]
    return out, None


def as_object(v, has):
    v, bad = mapping(v, has)
    if bad is None and any(not isinstance(k, str) for k in v):
        return None, BAD_KEYS
    return v, bad


def messages(v, has):
    if not isinstance(v, list):
        return None, BAD_LIST
    errors, out = [], []
    for i, item in enumerate(v):
        where = ["messages", i if not has("v1-index-as-text") else str(i)]
        if item is None:
            errors.append((where, NONE))
            continue
        item, bad = as_object(item, has)
        if bad is not None:
            errors.append((where, bad))
            continue
        turn = {}
        for name, kind in (("role", role), ("content", text)):
            if name not in item:
                if has("v1-content-optional") and name == "content":
                    continue
                errors.append((where + [name], MISSING))
            elif item[name] is None:
                errors.append((where + [name], NONE))
            else:
                turn[name], bad = kind(item[name], has)
                if bad is not None:
                    errors.append((where + [name], bad))
        out.append(turn)
        if errors and has("v1-first-message-error"):
            break
    return (None, errors) if errors else (out, None)


def date(v, has):
    if isinstance(v, (list, dict)):
        return None, BAD_DATE_TYPE
    if isinstance(v, str):
        number = v.strip(SPACE).replace("_", "")
        try:
            v = float(number) if re.fullmatch(
                r"(?i)[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)",
                number) else v
        except ValueError:
            pass
    if isinstance(v, str):
        found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})\n?", v)
        if has("v1-date-with-time"):
            found = found or re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})T", v)
        try:
            return datetime.date(*map(int, found.groups())), None
        except (AttributeError, ValueError):
            return None, BAD_DATE
    v = float(v)
    if math.isnan(v):
        return None, wrong("cannot convert float NaN to integer",
                           "value_error")
    if v > 3e20:
        return datetime.date.max, None
    if v < -3e20:
        return datetime.date.min, None
    while abs(v) > 2e10:
        v /= 1000
    day = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=v)
    return day.date(), None


CHAT = [("bot_uid", text, "none"), ("bot_slug", text, "none"),
        ("prompt", text, "none"), ("messages", messages, "none"),
        ("stream", boolean, "needed"), ("user_id", text, "none"),
        ("language", text, "none"), ("assumptions", mapping, "none"),
        ("max_words", integer, "none"), ("use_search", boolean, "none")]
STATISTICS = [("user_id", integer, "minus one"),
              ("start_date", date, "needed"), ("end_date", date, "needed")]


# ---- a request --------------------------------------------------------------

def is_json(content_type, has):
    if not content_type:
        return True
    main = content_type.split(";")[0].strip().lower()
    if has("v1-any-content-type"):
        return True
    if has("v1-no-json-suffix"):
        return main == "application/json"
    parts = main.split("/")
    return len(parts) == 2 and parts[0] == "application" and (
        parts[1] == "json" or parts[1].endswith("+json"))


NOT_JSON = object()


def read_body(request, has):
    """The parsed body; NOT_JSON when it is none by its type."""
    if request.body == b"":
        return None
    if not is_json(request.headers.get("content-type"), has):
        return NOT_JSON
    try:
        raw = request.body
        if has("v1-latin-1"):
            raw = raw.decode("latin-1").encode("utf-8")
        if has("v1-utf8-only"):
            raw = raw.decode("utf-8")
        return json.loads(raw)
    except json.JSONDecodeError as e:
        pos, line, column = e.pos, e.lineno, e.colno
        if has("v1-json-bytes"):
            pos = len(e.doc[:e.pos].encode("utf-8", "surrogatepass"))
        if has("v1-json-line-from-0"):
            line -= 1
        if has("v1-json-column-from-0"):
            column -= 1
        more = {"ctx": {"msg": e.msg, "doc": e.doc, "pos": pos,
                        "lineno": line, "colno": column}}
        if has("v1-json-no-ctx"):
            more = {}
        raise Refused(Answer(422, {"detail": [error(
            [pos], "%s: line %d column %d (char %d)" % (e.msg, line, column,
                                                        pos),
            "value_error.jsondecode", **more)]})) from e
    except (ValueError, RecursionError) as e:
        raise Refused(detail(400, "There was an error parsing the body")) from e


def check_key(request, has):
    value = request.headers.get("authorization", "").strip()
    scheme, _, key = value.partition(" ")
    if has("v1-key-trimmed"):
        key = key.strip()
    if not scheme or not key:
        if has("v1-no-key-needed"):
            return
        raise Refused(detail(403, "Not authenticated"))
    if scheme.lower() != "bearer" or (
            has("v1-scheme-case") and scheme != "Bearer"):
        if has("v1-any-scheme"):
            return
        raise Refused(detail(403, "Invalid authentication credentials"))
    if key != KEY and not has("v1-any-key"):
        raise Refused(detail(401, "Invalid API key",
                             WWW_Authenticate="Bearer"))


def read_fields(body, fields, roots, has):
    if body is None:
        raise Refused(Answer(422, {"detail": [MISSING([])]}))
    if body is NOT_JSON:
        raise Refused(Answer(422, {"detail": [BAD_DICT([])]}))
    body, bad = as_object(body, has)
    if bad is not None:
        raise Refused(Answer(422, {"detail": [bad([])]}))
    values, errors = {}, []
    for name, kind, absent in fields:
        value = body.get(name)
        values[name] = None
        if name not in body and absent == "minus one":
            values[name] = -1
        elif value is None and absent == "none":
            continue
        elif value is None:
            errors.append((MISSING if name not in body else NONE)([name]))
        else:
            values[name], bad = kind(value, has)
            if isinstance(bad, list):
                errors.extend(make(where) for where, make in bad)
            elif bad is not None:
                errors.append(bad([name]))
    if has("v1-unknown-field-refused"):
        known = [f[0] for f in fields]
        errors.extend(error([k], "extra fields not permitted",
                            "value_error.extra") for k in body
                      if k not in known)
    if not errors or not has("v1-roots-only-when-clean"):
        errors.extend(roots(values, errors, has))
    if errors and has("v1-first-error-only"):
        errors = errors[:1]
    if errors and has("v1-errors-backwards"):
        errors.reverse()
    if errors:
        raise Refused(Answer(422, {"detail": errors}))
    return values


def chat_roots(values, errors, has):
    out = []
    given = (lambda v: v is not None) if has("v1-empty-counts") else bool
    if not given(values["bot_uid"]) and not given(values["bot_slug"]):
        out.append(error(["__root__"], 'Either "bot_uid" or "bot_slug" is '
                         "required", "value_error"))
    if not given(values["prompt"]) and not given(values["messages"]):
        if not has("v1-question-optional"):
            out.append(error(["__root__"], 'Either "prompt" or "messages" is '
                             "required", "value_error"))
    return out


def statistics_roots(values, errors, has):
    if errors:
        return []
    days = (values["end_date"] - values["start_date"]).days + 1
    if days > 3660 and not has("v1-any-period"):
        return [error(["__root__"], "Period must not exceed 3660 days",
                      "value_error")]
    return []


# ---- the endpoints ----------------------------------------------------------

def chat(request, has):
    values = read_fields(request.json, CHAT, chat_roots, has)
    if values["bot_uid"] and not (has("v1-slug-decides") and
                                  values["bot_slug"]):
        found = values["bot_uid"] == BOT["uid"]
        if has("v1-uid-any-case"):
            found = values["bot_uid"].lower() == BOT["uid"]
    else:
        found = values["bot_slug"] == BOT["slug"]
    if not found and not has("v1-any-bot"):
        raise Refused(detail(404, "Bot not found"))
    words = WORDS
    if values["max_words"] and values["max_words"] > 0 and not has(
            "v1-max-words-ignored"):
        words = words[:values["max_words"]]
    count(values, words, has)
    if values["stream"] and has("v1-stream-refused"):
        raise Refused(detail(400, "Streaming is not supported"))
    if not values["stream"] or has("v1-stream-ignored"):
        return Answer(200, {"content": " ".join(words)})
    pieces = [""] + [(" " if i else "") + w for i, w in enumerate(words)]
    return Answer(200, blocks=[block({"content": p}) for p in pieces] +
                  [block("[DONE]")])


def count(values, words, has):
    sent = [m["content"] for m in values["messages"] or []]
    sent.append(values["prompt"] or "")
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    counts = used.setdefault((values["user_id"] or "-1", today),
                             dict.fromkeys(COUNTERS, 0))
    if has("v1-usage-forgets") or (has("v1-usage-no-streams") and
                                   values["stream"]):
        return
    for unit in ("tokens", "words"):
        for part, n in (("original", sum(len(t.split()) for t in sent)),
                        ("response", len(words))):
            counts[part + "_" + unit] += n
            counts["total_" + unit] += n


def statistics(request, has):
    values = read_fields(request.json, STATISTICS, statistics_roots, has)
    items, day = [], values["start_date"]
    user, total = str(values["user_id"]), dict.fromkeys(COUNTERS, 0)
    while day <= values["end_date"]:
        found = used.get((user, day.isoformat())) or dict.fromkeys(COUNTERS, 0)
        items.append({**found, "date": day.isoformat()})
        total = {k: total[k] + found[k] for k in total}
        if day == datetime.date.max:
            break
        day += datetime.timedelta(days=1)
    if has("v1-end-left-out"):
        items = items[:-1]
    if has("v1-only-used-days"):
        items = []
    return Answer(200, {"total": total, "items": items})


def redirect(request, path):
    query = "?" + request.query if request.query else ""
    return Answer(307, headers={
        "Location": "http://%s%s%s" % (request.headers.get("host", "x"), path,
                                       query), "Content-Length": "0"})


def answer(request, has):
    """The answer, or None when the path is none of this API."""
    path = request.path
    if has("v1-slashes-merged"):
        path = re.sub("/+", "/", path)
    if has("v1-path-any-case"):
        path = path.lower()
    if path not in PATHS or (has("v1-no-alias") and path == "/chat"):
        bare = path.rstrip("/")
        if path != bare and bare in PATHS:
            if has("v1-slash-ignored"):
                path = bare
            elif has("v1-slash-unknown"):
                return None
            else:
                return redirect(request, bare)
        else:
            return None
    if request.method != PATHS[path]:
        return detail(405, "Method Not Allowed", Allow=PATHS[path])
    try:
        if path == "/health-check":
            if has("v1-health-needs-key"):
                check_key(request, has)
            return Answer(200, {"status": "ok"})
        if path.endswith("bots"):
            check_key(request, has)
            return Answer(200, [BOT])
        if has("v1-key-before-syntax"):
            check_key(request, has)
        if len(request.body) > 1048576 and not has("v1-any-size"):
            return detail(413, "Request Entity Too Large")
        request.json = read_body(request, has)
        if has("v1-fields-before-key"):
            (chat if "chat" in path else statistics)(request, has)
        check_key(request, has)
        return (chat if "chat" in path else statistics)(request, has)
    except Refused as refused:
        return refused.answer
