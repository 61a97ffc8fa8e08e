"""How long words are kept, and what their owner sees of them: `parlance
conversations`, `usage`, `forget` and `clean`, conversation_days, a process
that is killed in the middle."""
import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, Tally  # noqa: E402

CONF = """[server]
demo = yes
durable = no
conversation_days = 5
[engine recorded]
kind = replay
recordings = recordings.json
[bot help]
engine = recorded
file_upload = yes
prompt_unit_price = 0.001
prompt_price_unit = 0.001
completion_unit_price = 0.002
completion_price_unit = 0.001
"""
RECORDINGS = {"recordings": [
    {"question": "fail", "answer": [], "fault": "rate_limit",
     "message": "Busy."},
    {"answer": ["=cmd|' /C calc'!A0 \u009b31m\u202e\x1b[2J"]}]}
DAY_US = 86400 * 1000000


def database(d):
    return sqlite3.connect(os.path.join(d.state, "parlance.db"))


def rows(d, sql, *values):
    db = database(d)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def change(d, sql, *values):
    db = database(d)
    with db:
        db.execute(sql, values)
    db.close()


def counts(d):
    return [rows(d, "SELECT COUNT(*) FROM " + t)[0][0] for t in (
        "conversations", "messages", "message_files", "feedback", "files",
        "end_users")]


def ask(d, user, query="Hello", conversation=None):
    return d.cgi("POST", "/v1/chat-messages", {
        "inputs": {}, "query": query, "user": user,
        "conversation_id": conversation or ""}).json


def upload(d, user):
    body = (b"--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\n"
            + user.encode() + b"\r\n--b\r\nContent-Disposition: form-data; "
            b"name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain"
            b"\r\n\r\nsecret\r\n--b--\r\n")
    return d.cgi("POST", "/v1/files/upload", body, headers={
        "Content-Type": "multipart/form-data; boundary=b"}).json["id"]


def whole(d):
    """Conversations without messages, and what hangs in the air."""
    return [rows(d, sql)[0][0] for sql in (
        "SELECT COUNT(*) FROM conversations c WHERE NOT EXISTS (SELECT 1 FROM"
        " messages m WHERE m.conversation = c.seq)",
        "SELECT COUNT(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM"
        " conversations c WHERE c.seq = m.conversation)",
        "SELECT COUNT(*) FROM feedback f WHERE NOT EXISTS (SELECT 1 FROM"
        " messages m WHERE m.seq = f.message)",
        "SELECT COUNT(*) FROM message_files f WHERE NOT EXISTS (SELECT 1 FROM"
        " messages m WHERE m.seq = f.message)")]


def reports(t, d):
    first = ask(d, "ann", "What is new?\n\x1b]0;title\x07")
    ask(d, "ann", "fail", first["conversation_id"])
    ask(d, "ben", "Hello")
    d.cgi("POST", "/v1/messages/%s/feedbacks" % first["message_id"],
          {"rating": "dislike", "user": "ann"})
    d.cgi("POST", "/v1/chat", {"bot_slug": "help", "prompt": "Hi",
                               "stream": False, "messages": []})
    text = d.admin("conversations").stdout
    t.check("a terminal gets no control character", "\x1b" not in text and
            "\u009b" not in text and "\u202e" not in text and
            "\x07" not in text, text)
    t.check("text says how much there is", "1 to 3 of 3" in text, text)
    done = d.admin("conversations", "--csv")
    table = list(csv.reader(io.StringIO(done.stdout)))
    t.equal("CSV has names and rows", [table[0][:5], len(table)],
            [["time", "from", "bot", "outcome", "rating"], 4])
    answers = [row[6] for row in table[1:]]
    t.check("no cell is a formula", all(a[:1] not in ("=", "+", "-", "@")
                                        for a in answers), answers)
    t.check("the answer is there nevertheless",
            answers[0].startswith("'=cmd|"), answers)
    t.equal("a rating stands beside its answer", table[3][4], "dislike")
    told = json.loads(d.admin("conversations", "--json", "--page-size", "2",
                              "--page", "2").stdout)
    t.equal("JSON pages", [len(told["questions"]), told["total"],
                           told["page"]], [1, 3, 2])
    told = json.loads(d.admin("conversations", "--unanswered",
                              "--json").stdout)
    t.check("what failed or found nothing",
            [q["outcome"] for q in told["questions"]] ==
            ["nothing", "failed", "nothing"], told)
    t.equal("nothing since a day to come", json.loads(d.admin(
        "conversations", "--since", "2999-01-01", "--json").stdout)["total"],
        0)
    for words in (["--since", "yesterday"], ["--csv", "--json"], ["x"],
                  ["--site", "none"], ["--page", "0"]):
        t.equal("refused: %s" % words, d.admin("conversations",
                                               *words).returncode, 2)
    usage = json.loads(d.admin("usage", "--json").stdout)["usage"]
    by = {row["bot"]: row for row in usage}
    t.check("usage of both APIs", len(usage) == 2 and
            by["help"]["questions"] == 3 and by["help"]["failed"] == 1 and
            by["help"]["currency"] == "USD" and
            float(by["help"]["price"]) > 0 and
            by[None]["answer_tokens"] > 0, usage)
    t.check("usage as CSV", d.admin("usage", "--csv").stdout.startswith(
        "\"day\",\"from\",\"bot\","))
    return by["help"]


def forget(t, d, used):
    file = upload(d, "ann")
    path = os.path.join(d.state, "files", file)
    t.check("an upload is there", os.path.exists(path))
    ask(d, "cat", "What is my name?")
    before = counts(d)
    done = d.admin("forget", "--user", "ann")
    t.check("forget says what it removed", "removed 1 conversations with 2 "
            "messages, 1 uploads of 6 bytes" in done.stdout, done.stdout)
    after = counts(d)
    t.equal("nothing of her is left", [a - b for a, b in zip(after, before)],
            [-1, -2, 0, -1, -1, -1])
    t.check("her upload's bytes neither", not os.path.exists(path))
    t.equal("everything else is whole", whole(d), [0, 0, 0, 0])
    t.equal("nobody is forgotten twice",
            d.admin("forget", "--user", "ann").returncode, 1)
    t.equal("whom?", d.admin("forget").returncode, 2)
    usage = json.loads(d.admin("usage", "--json").stdout)["usage"]
    now = [row for row in usage if row["bot"] == "help"][0]
    t.equal("what was used stays true", [now["questions"], now["failed"]],
            [used["questions"] + 1, used["failed"]])
    t.check("to the last digit of the price",
            float(now["price"]) > float(used["price"]), [now, used])


def days(t, d):
    old, new = ask(d, "dan", "old"), ask(d, "eve", "new")
    change(d, "UPDATE conversations SET updated_us = ? WHERE id = ?",
           int(time.time() * 1e6) - 6 * DAY_US, old["conversation_id"])
    change(d, "UPDATE conversations SET updated_us = ? WHERE id = ?",
           int(time.time() * 1e6) - 4 * DAY_US, new["conversation_id"])
    done = d.admin("clean")
    t.check("clean says what it removed", "removed 1 conversations that were "
            "over their days, with 1 messages" in done.stdout, done.stdout)
    ids = [r[0] for r in rows(d, "SELECT id FROM conversations")]
    t.check("what is over its days is gone, the rest is not",
            old["conversation_id"] not in ids and
            new["conversation_id"] in ids, ids)
    t.equal("everything else is whole", whole(d), [0, 0, 0, 0])


def killed(t, d):
    """Again and again in the middle: whole conversations, or none."""
    last = ask(d, "many", "first")
    for _ in range(3):
        ask(d, "many", "more", last["conversation_id"])
    # Copies of it: some hundred conversations of four messages.
    db = database(d)
    seq = db.execute("SELECT seq, end_user FROM conversations WHERE id = ?",
                     (last["conversation_id"],)).fetchone()
    with db:
        for i in range(600):
            db.execute(
                "INSERT INTO conversations SELECT NULL, ?, end_user, name, "
                "named, inputs, introduction, created_us, updated_us, 0 FROM "
                "conversations WHERE seq = ?", ("c%d" % i, seq[0]))
            copy = db.execute("SELECT last_insert_rowid()").fetchone()[0]
            names = [r[1] for r in db.execute(
                "PRAGMA table_info(messages)")]
            source = ", ".join({"seq": "NULL", "id": "id || '-%d'" % i,
                                "conversation": str(copy)}.get(n, n)
                               for n in names)
            db.execute("INSERT INTO messages (%s) SELECT %s FROM messages "
                       "WHERE conversation = ?" % (", ".join(names), source),
                       (seq[0],))
    db.close()
    sizes = set()
    for i in range(40):
        process = subprocess.Popen(
            [os.path.join(d.build, "parlance"), "forget", "--user", "many"],
            env=d.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(0.002 + 0.001 * i)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        sizes |= {r[0] for r in rows(
            d, "SELECT COUNT(*) FROM messages m JOIN end_users u ON u.seq = "
            "m.end_user WHERE u.name = 'many' GROUP BY conversation")}
        if whole(d) != [0, 0, 0, 0]:
            break
    t.equal("no kill leaves a part", [whole(d), sizes - {4}],
            [[0, 0, 0, 0], set()])
    d.admin("forget", "--user", "many")
    t.equal("and the rest goes", rows(
        d, "SELECT COUNT(*) FROM end_users WHERE name = 'many'")[0][0], 0)


def main():
    t = Tally()
    with Deployment(sys.argv[1], CONF) as d:
        d.write("recordings.json", json.dumps(RECORDINGS))
        used = reports(t, d)
        forget(t, d, used)
        days(t, d)
        killed(t, d)
    t.end()


main()
