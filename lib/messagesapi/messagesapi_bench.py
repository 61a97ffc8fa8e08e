"""Listing in a large store, as a multiple of the same call in a small one:
a page of a conversation of 100,000 messages, and of a user with 10,000
conversations among 1,000,000 (at most 2.0 each)."""
import os
import sqlite3
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment  # noqa: E402

CONF = """[server]
demo = yes
durable = no
[bot sky]
persona = I know the sky.
"""
ROUNDS = 300
MOST = 2.0

# The rows of one conversation, again and again, with new ids.
MESSAGES = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO messages (id, conversation, end_user, bot, state, alive_until_us,
  created_us, inputs, query, answer, resources, n_files, prompt_tokens,
  answer_tokens, latency_s, total_price, currency)
SELECT new_id(), m.conversation, m.end_user, m.bot, 1, 0,
  m.created_us + i / 3, m.inputs, m.query, m.answer, m.resources, 0,
  m.prompt_tokens, m.answer_tokens, m.latency_s, m.total_price, m.currency
FROM n, (SELECT * FROM messages WHERE id = ?) m"""
# Every hundredth is the user's own; the others belong to 1,000 users.
USERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO end_users (id, app, name, anonymous, created_us, updated_us)
SELECT new_id(), app, 'user ' || i, 0, created_us,
  updated_us FROM n, (SELECT * FROM end_users WHERE name = 'u')"""
CONVERSATIONS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO conversations (id, end_user, name, named, inputs, introduction,
  created_us, updated_us)
SELECT new_id(),
  CASE WHEN i % 100 = 0 THEN c.end_user
  ELSE c.end_user + 1 + i % 1000 END, 'q', 1, '{}', '', c.created_us + i / 7,
  c.updated_us + i / 7
FROM n, (SELECT * FROM conversations WHERE id = ?) c"""


def typical(values):
    """The tenth part from below: what a call costs when nothing else runs
    on the machine."""
    return sorted(values)[len(values) // 10]


def measure(calls):
    """The time of each call, taken by turns."""
    times = [[] for _ in calls]
    for _ in range(ROUNDS):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            r = call()
            times[i].append(time.perf_counter() - start)
            assert r.status == 200, r
    return [typical(t) for t in times]


class Store:
    def __init__(self, build):
        self.d = Deployment(build, CONF)
        self.d.start_fcgi()
        r = self.chat()
        self.conversation, self.message = (r.json["conversation_id"],
                                           r.json["message_id"])
        # A page of twenty, as in the large store.
        for _ in range(25):
            assert self.chat(self.conversation).status == 200
            assert self.chat().status == 200

    def chat(self, conversation=""):
        return self.d.fcgi("POST", "/v1/chat-messages", {
            "query": "q", "inputs": {}, "user": "u",
            "conversation_id": conversation})

    def fill(self):
        db = sqlite3.connect(os.path.join(self.d.state, "parlance.db"))
        db.create_function("new_id", 0, lambda: str(uuid.uuid4()))
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -200000")
        db.execute(MESSAGES, (100000, self.message))
        db.execute(USERS)
        db.execute(CONVERSATIONS, (1000000, self.conversation))
        db.commit()
        own, = db.execute("SELECT count(*) FROM conversations c JOIN "
                          "end_users u ON u.seq = c.end_user WHERE "
                          "u.name = 'u'").fetchone()
        assert own >= 10000, own
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    def calls(self):
        """Name and call of each listing, from its newest page and from the
        middle of what there is."""
        base = "/v1/messages?user=u&conversation_id=" + self.conversation
        page = self.d.fcgi("GET", "/v1/conversations?user=u").json["data"]
        got = self.d.fcgi("GET", base).json["data"]
        assert len(page) == len(got) == 20, (len(page), len(got))
        return [
            ("messages", lambda: self.d.fcgi("GET", base)),
            ("messages, older", lambda: self.d.fcgi(
                "GET", base + "&first_id=" + got[-1]["id"])),
            ("conversations", lambda: self.d.fcgi(
                "GET", "/v1/conversations?user=u")),
            ("conversations, next", lambda: self.d.fcgi(
                "GET", "/v1/conversations?user=u&last_id="
                + page[0]["id"])),
            ("conversations, by creation", lambda: self.d.fcgi(
                "GET", "/v1/conversations?user=u&sort_by=created_at")),
        ]


def main():
    small, large = Store(sys.argv[1]), Store(sys.argv[1])
    bad = 0
    try:
        started = time.monotonic()
        large.fill()
        print("store of 1,000,000 conversations and 100,000 messages made "
              "in %.0f s" % (time.monotonic() - started))
        for (name, a), (_, b) in zip(small.calls(), large.calls()):
            floor, taken = measure([a, b])
            ratio = taken / floor
            bad += ratio > MOST
            print("%-28s small %6.3f ms  large %6.3f ms  %.2f (at most %.1f)"
                  % (name, floor * 1e3, taken * 1e3, ratio, MOST))
    finally:
        small.d.close()
        large.d.close()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
