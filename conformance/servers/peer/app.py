"""The bot API as its documents describe it, on FastAPI 0.92 and pydantic 1.10:
the other implementation that ours is compared with.

Validation, JSON errors, routing and tokens are the libraries' own.  Where the
contract chooses for itself (its section 11: limits, the 401, lone surrogates)
this application makes the same choice in its own code.  Answers are canned;
of usage it counts the words.

    uvicorn --app-dir conformance/servers/peer app:app --port 8081
"""
import collections
import datetime
import enum
import json
import re
import uuid
from typing import List, Optional

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, root_validator
from starlette.responses import JSONResponse, StreamingResponse

KEY = "demo-key"
BODY_MAX = 1048576
PERIOD_DAYS_MAX = 3660
ANSWER = "I do not know the answer to that yet."
BOTS = [{"uid": "EDf826b8-1b75-4f57-bd26-641c897f9c1e", "slug": "demo",
         "model": "canned-1", "name": "Demo", "description": "",
         "welcome_message": "", "avatar_url": None}]
COUNTERS = [part + "_" + unit for unit in ("tokens", "words")
            for part in ("original", "enchancement", "response", "total")]


class Answer(JSONResponse):
    """Starlette's style; a lone surrogate as an escape instead of a 500."""

    def render(self, content):
        text = json.dumps(content, ensure_ascii=False, allow_nan=False,
                          indent=None, separators=(",", ":"))
        return re.sub("[\ud800-\udfff]", lambda m: "\\u%04x" % ord(m[0]),
                      text).encode("utf-8")


class Role(str, enum.Enum):
    system = "system"
    user = "user"
    assistant = "assistant"


class ChatMessage(BaseModel):
    role: Role
    content: str


class ChatRequest(BaseModel):
    bot_uid: Optional[str] = None
    bot_slug: Optional[str] = None
    prompt: Optional[str] = None
    messages: Optional[List[ChatMessage]] = None
    stream: bool
    user_id: Optional[str] = None
    language: Optional[str] = None
    assumptions: Optional[dict] = None
    max_words: Optional[int] = None
    use_search: Optional[bool] = False

    @root_validator
    def names_a_bot(cls, values):
        if not values.get("bot_uid") and not values.get("bot_slug"):
            raise ValueError('Either "bot_uid" or "bot_slug" is required')
        return values

    @root_validator
    def asks_something(cls, values):
        if not values.get("prompt") and not values.get("messages"):
            raise ValueError('Either "prompt" or "messages" is required')
        return values


class StatisticsRequest(BaseModel):
    user_id: int = -1
    start_date: datetime.date
    end_date: datetime.date

    @root_validator(skip_on_failure=True)
    def period_is_short(cls, values):
        days = (values["end_date"] - values["start_date"]).days + 1
        if days > PERIOD_DAYS_MAX:
            raise ValueError("Period must not exceed %d days"
                             % PERIOD_DAYS_MAX)
        return values


class LimitedRoute(APIRoute):
    """Looks at the body's size before anything else of the request."""

    def get_route_handler(self):
        handle = super().get_route_handler()

        async def limited(request: Request):
            if len(await request.body()) > BODY_MAX:
                return Answer({"detail": "Request Entity Too Large"}, 413)
            return await handle(request)
        return limited


bearer = HTTPBearer()


def known_key(credentials: HTTPAuthorizationCredentials = Depends(bearer)):
    if credentials.credentials != KEY:
        raise HTTPException(401, "Invalid API key",
                            {"WWW-Authenticate": "Bearer"})


api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None,
              default_response_class=Answer)
api.router.route_class = LimitedRoute
TOKEN = [Depends(known_key)]


@api.exception_handler(RequestValidationError)
async def refuse(request, exc):
    return Answer({"detail": jsonable_encoder(exc.errors())}, 422)


def find_bot(chat):
    member, value = ("uid", chat.bot_uid) if chat.bot_uid else \
        ("slug", chat.bot_slug)
    for bot in BOTS:
        if bot[member] == value:
            return bot
    raise HTTPException(404, "Bot not found")


# Words by end user and day: sent by the client, and answered.
used = collections.defaultdict(lambda: [0, 0])


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def count(chat, answer):
    sent = [chat.prompt or ""] + [m.content for m in chat.messages or []]
    counts = used[chat.user_id or "-1", today()]
    counts[0] += sum(len(text.split()) for text in sent)
    counts[1] += len(answer.split())


def counters(sent=0, answered=0):
    return dict({name: 0 for name in COUNTERS}, original_words=sent,
                response_words=answered, total_words=sent + answered)


def stream(words):
    for word in [""] + words:
        yield "data: %s\n\n" % json.dumps({"content": word},
                                          separators=(",", ":"))
    yield "data: [DONE]\n\n"


@api.post("/v1/chat", dependencies=TOKEN)
@api.post("/chat", dependencies=TOKEN)
def chat(body: ChatRequest):
    find_bot(body)
    words = re.findall(r"\s*\S+", ANSWER)
    if body.max_words is not None and body.max_words > 0:
        words = words[:body.max_words]
    count(body, "".join(words))
    if body.stream:
        return StreamingResponse(stream(words),
                                 media_type="text/event-stream")
    return Answer({"content": "".join(words)})


@api.get("/v1/bots", dependencies=TOKEN)
@api.get("/bots", dependencies=TOKEN)
def bots():
    return Answer(BOTS)


@api.post("/v1/user/usage-statistics", dependencies=TOKEN)
def usage_statistics(body: StatisticsRequest):
    days = (body.end_date - body.start_date).days + 1
    first = body.start_date.toordinal()
    total, items = [0, 0], []
    for i in range(days):
        day = datetime.date.fromordinal(first + i)
        counts = used.get((str(body.user_id), day), (0, 0))
        total = [a + b for a, b in zip(total, counts)]
        items.append(dict(counters(*counts), date=day.isoformat()))
    return Answer({"total": counters(*total), "items": items})


@api.get("/health-check")
def health():
    return Answer({"status": "ok"})


async def app(scope, receive, send):
    """Puts an x-request-id into every answer."""
    async def with_id(message):
        if message["type"] == "http.response.start":
            message["headers"] = list(message["headers"]) + [
                (b"x-request-id", uuid.uuid4().hex.encode())]
        await send(message)
    await api(scope, receive, with_id)
