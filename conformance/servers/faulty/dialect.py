"""The same refusals as other servers word them, for testing the profiles where
no such server is at hand: the bot API's as a FastAPI on pydantic v2, and the
messages API's as real servers of its eras."""
import re

WORDS = {  # pydantic v1's type -> (type, msg) of v2
    "value_error.missing": ("missing", "Field required"),
    "type_error.none.not_allowed": ("bool_type",
                                    "Input should be a valid boolean"),
    "type_error.bool": ("bool_parsing", "Input should be a valid boolean, "
                        "unable to interpret input"),
    "type_error.str": ("string_type", "Input should be a valid string"),
    "type_error.integer": ("int_parsing", "Input should be a valid integer, "
                           "unable to parse string as an integer"),
    "type_error.list": ("list_type", "Input should be a valid list"),
    "type_error.dict": ("dict_type", "Input should be a valid dictionary"),
    "type_error.enum": ("enum",
                        "Input should be 'system', 'user' or 'assistant'"),
    "value_error.jsondecode": ("json_invalid", "JSON decode error"),
    "value_error.date": ("date_from_datetime_parsing", "Input should be a "
                         "valid date or datetime"),
}


def translate(out):
    if out.status != 422 or not isinstance(out.value, dict):
        return
    errors = out.value["detail"]
    fields = [e for e in errors if e["loc"][-1] != "__root__"]
    out.value = {"detail": [modern(e) for e in fields or errors]}


def modern(error):
    if error["loc"][-1] == "__root__":
        return {"type": "value_error", "loc": ["body"],
                "msg": "Value error, " + error["msg"], "input": {},
                "ctx": {"error": {}}}
    kind, msg = WORDS.get(error["type"], (error["type"], error["msg"]))
    return {"type": kind, "loc": error["loc"], "msg": msg, "input": None}


# ---- the messages API's eras ------------------------------------------------

HINT = " You have requested this URI [%s] but did you mean %s ?"


def era(name, request, out):
    """Era A (restful, restx), B with its router hint, or C."""
    if out.status < 400 or not isinstance(out.value, dict) or \
            "code" not in out.value:
        return
    message = out.value["message"]
    field = re.match(r"(\w+): Field required", message)
    if name in ("era-a-restx", "era-b") and out.status == 404:
        out.value["message"] += HINT % (request.path, request.path)
    if name.startswith("era-a") and out.status == 415:
        out.status = 400
        out.value = {"code": "bad_request", "status": 400,
                     "message": "The browser (or proxy) sent a request that "
                     "this server could not understand."}
    elif name == "era-a-restful" and field:
        out.value = {"code": "invalid_param", "params": field[1],
                     "message": "Missing required parameter in the JSON body"}
    elif name == "era-a-restx" and re.match(r"[\w.]+: ", message):
        out.value = {"errors": {message.split(":")[0]: "x"},
                     "message": "Input payload validation failed"}
    elif name == "era-b" and re.match(r"[\w.]+: ", message):
        out.value = {"code": "invalid_param", "status": 400,
                     "message": "1 validation error for ChatRequestPayload\n"
                     "%s\n  %s [type=x, input_value={}]\n" % tuple(
                         message.split(": ", 1))}
    elif name == "era-c" and request.method == "GET" and \
            re.match(r"[\w.]+: ", message):
        out.status = 422
        out.value = {"code": "unprocessable_entity", "message": "[]",
                     "status": 422}
