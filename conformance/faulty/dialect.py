"""The bot API's refusals as a FastAPI on pydantic v2 words them: for testing
the profile pydantic-v2 where no such server is at hand."""

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
