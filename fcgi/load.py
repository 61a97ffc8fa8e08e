"""Clients that ask chat questions all the time and look at every answer: for
showing that nothing is lost while processes are replaced.

    load = Load([d.http], threads=8)     # functions as Deployment.http
    ...                                  # restart something
    load.stop(); load.failures; load.served

Each client asks in turn for a blocking answer and a stream of both APIs; a
stream takes a second.  An answer counts when it is complete: its whole text,
and exactly one last event.
"""
import threading
import time

from deployment import wait_until

TICKS = 10
ANSWER = "tick " * TICKS
BOT = {"bot_slug": "first", "prompt": "ticks"}
MESSAGE = {"inputs": {}, "query": "ticks", "user": "u"}
# For the engine `kind = replay`.
RECORDINGS = {"recordings": [
    {"question": "ticks", "answer": ["tick "] * TICKS, "pace_ms": 100},
    {"answer": ["Hello", " world"],
     "usage": {"prompt_tokens": 3, "completion_tokens": 2}}]}
CONF = """
[server]
demo = yes
state = %s
request_log = stderr
[bot first]
name = first
engine = recorded
[engine recorded]
kind = replay
recordings = recordings.json
"""


def bot_blocking(ask):
    reply = ask("POST", "/v1/chat", dict(BOT, stream=False))
    return reply.status == 200 and ANSWER.strip() in reply.text, reply


def bot_quick(ask):
    reply = ask("POST", "/v1/chat", {"bot_slug": "first", "prompt": "hello",
                                     "stream": False})
    return reply.status == 200 and "Hello world" in reply.text, reply


def bot_stream(ask):
    reply = ask("POST", "/v1/chat", dict(BOT, stream=True))
    return (reply.status == 200 and reply.text.count("tick ") == TICKS and
            reply.text.count("data: [DONE]") == 1 and
            reply.text.rstrip().endswith("data: [DONE]")), reply


def message_blocking(ask):
    reply = ask("POST", "/v1/chat-messages",
                dict(MESSAGE, response_mode="blocking"))
    return reply.status == 200 and reply.json["answer"].strip() == \
        ANSWER.strip(), reply


def message_stream(ask):
    reply = ask("POST", "/v1/chat-messages",
                dict(MESSAGE, response_mode="streaming"))
    events = reply.events()
    text = "".join(e["answer"] for e in events if e["event"] == "message")
    last = [e for e in events if e["event"] in ("message_end", "error")]
    return (reply.status == 200 and text.strip() == ANSWER.strip() and
            len(last) == 1 and last[0]["event"] == "message_end" and
            events[-1] is last[0]), reply


def health(ask):
    reply = ask("GET", "/health-check")
    return reply.text == '{"status":"ok"}', reply


KINDS = (bot_stream, bot_quick, message_stream, health, message_blocking,
         bot_blocking)


class Load:
    def __init__(self, asks, threads=6, kinds=KINDS):
        self.asks, self.kinds = asks, kinds
        self.served, self.failures = {}, []
        self.slowest = {}  # seconds
        self.asked = [0] * threads
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,),
                                         daemon=True)
                        for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self, me):
        i = me
        while not self.ended.is_set():
            ask = self.asks[i % len(self.asks)]
            kind = self.kinds[i % len(self.kinds)]
            i += 1
            self.asked[me] += 1
            started = time.monotonic()
            try:
                ok, seen = kind(ask)
            except Exception as e:
                ok, seen = False, repr(e)
            took = time.monotonic() - started
            with self.lock:
                self.slowest[kind.__name__] = max(
                    took, self.slowest.get(kind.__name__, 0))
                if ok:
                    self.served[kind.__name__] = \
                        self.served.get(kind.__name__, 0) + 1
                else:
                    self.failures.append((kind.__name__, seen))

    def next_round(self):
        """Until whatever each client asks now is answered, or failed."""
        asked = list(self.asked)
        wait_until(lambda: all(now > then for now, then in zip(self.asked,
                                                               asked)))

    def total(self):
        return sum(self.served.values())

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return self
