"""A deployment that is broken: each breakage is one clear line on stderr and
in `parlance check`, and to a client a well-formed 500 or 503 of the API that
was asked, never a crash; fixed, the deployment works again."""
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, Tally, parse_cgi, wait_until  # noqa: E402

CHAT = ("POST", "/v1/chat",
        {"bot_slug": "demo", "stream": False, "prompt": "Who are you?"})
MESSAGE = ("POST", "/v1/chat-messages",
           {"inputs": {}, "query": "Who are you?", "user": "u",
            "response_mode": "blocking"})


def failed_well(t, name, r, api, statuses=(500, 503)):
    t.check(name + " status", r.status in statuses, r)
    t.equal(name + " type", r.type, "application/json")
    body = r.json
    if api == "bot":
        t.check(name + " form", isinstance(body.get("detail"), str), body)
    else:
        t.equal(name + " form", (sorted(set(body) - {"params"}),
                                 body.get("status")),
                (["code", "message", "status"], r.status))
    t.check(name + " says it once on stderr",
            len([line for line in r.stderr.decode().splitlines()
                 if line.startswith("parlance: ")]) >= 1, r.stderr)
    t.check(name + " shows no path to the client",
            b"parlance.db" not in r.body and b"/tmp" not in r.body, r.body)


def works(t, name, d, key):
    for ask in (CHAT, MESSAGE):
        t.equal(name + " works again", d.cgi(*ask, key=key).status, 200)


def both(t, name, d, key, word, check=True):
    for api, ask in (("bot", CHAT), ("messages", MESSAGE)):
        failed_well(t, "%s, %s API" % (name, api), d.cgi(*ask, key=key), api)
    if check:
        done = d.admin("check")
        t.check(name + " is found by parlance check",
                done.returncode == 1 and word in done.stderr,
                (done.returncode, done.stdout, done.stderr))


def rows(d):
    with sqlite3.connect(os.path.join(d.state, "parlance.db")) as c:
        return c.execute("PRAGMA integrity_check").fetchone()[0]


def missing_state(t, d, key):
    shutil.move(d.state, d.state + ".away")
    both(t, "missing state folder", d, key, "mkdir")
    shutil.move(d.state + ".away", d.state)
    works(t, "missing state folder", d, key)


def corrupt(t, d, key):
    path = os.path.join(d.state, "parlance.db")
    for name in os.listdir(d.state):
        if name.startswith("parlance.db"):
            shutil.move(os.path.join(d.state, name),
                        os.path.join(d.folder, name))
    with open(path, "wb") as f:
        f.write(b"this is not a database " * 400)
    both(t, "corrupt database", d, key, "backup")
    os.unlink(path)
    for name in os.listdir(d.folder):
        if name.startswith("parlance.db"):
            shutil.move(os.path.join(d.folder, name),
                        os.path.join(d.state, name))
    works(t, "corrupt database", d, key)


def locked(t, d, key):
    c = sqlite3.connect(os.path.join(d.state, "parlance.db"),
                        isolation_level=None)
    c.execute("BEGIN EXCLUSIVE")
    d.env["PARLANCE_SERVER_BUSY_TIMEOUT"] = "300"
    both(t, "locked database", d, key, "another process")
    c.execute("ROLLBACK")
    c.close()
    del d.env["PARLANCE_SERVER_BUSY_TIMEOUT"]
    works(t, "locked database", d, key)


def in_mounts(d, script, request, key):
    """The CGI program in a mount namespace of its own, where `script` may
    change what the state folder is."""
    body, headers = d.encode(request[2], {})
    env = dict(d.env, **d.params(request[0], request[1], body, headers, key))
    done = subprocess.run(
        ["unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-c",
         script + '\nexec "$0"',
         os.path.join(d.build, "parlance.cgi")],
        env=env, input=body, capture_output=True, timeout=60)
    return parse_cgi(done.stdout, done.stderr)


def read_only(t, d, key):
    script = "mount --bind '%s' '%s' && mount -o remount,bind,ro '%s'" % (
        (d.state,) * 3)
    for api, ask in (("bot", CHAT), ("messages", MESSAGE)):
        failed_well(t, "read-only state, %s API" % api,
                    in_mounts(d, script, ask, key), api)
    works(t, "read-only state", d, key)


def full_disk(t, d, key):
    # A small disk, filled up beside the database.
    script = """mount -t tmpfs -o size=2m none '%s'
cp '%s'/* '%s'/ && dd if=/dev/zero of='%s/filler' bs=1k count=4096 2>/dev/null
true""" % (d.state, d.folder + "/copy", d.state, d.state)
    shutil.copytree(d.state, d.folder + "/copy")
    # The log can begin anew in the room that it has.
    for api, ask in (("bot", CHAT), ("messages", MESSAGE)):
        t.equal("full disk, %s API: goes on in the room of its log" % api,
                in_mounts(d, script, ask, key).status, 200)
    # Without a log there is none.
    db = sqlite3.connect(d.folder + "/copy/parlance.db")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    for api, ask in (("bot", CHAT), ("messages", MESSAGE)):
        failed_well(t, "full disk, %s API" % api,
                    in_mounts(d, script, ask, key), api, (507,))
    works(t, "full disk", d, key)
    t.equal("full disk leaves the database whole", rows(d), "ok")


# Has a slow turn its place, and is it, when it is a message, stored as the
# second parameter's?
BEGUN = """SELECT (SELECT count(DISTINCT id) FROM limit_holds) = 1,
    ?1 <> '/v1/chat-messages' OR
    (SELECT count(*) FROM messages WHERE query = 'slow') = ?2"""


def locked_at_the_end(t, build):
    """An answer whose end cannot be stored: the client is told so, and soon
    afterwards nothing says that it still runs or holds its place."""
    conf = """[server]
durable = no
busy_timeout = 200
[engine recorded]
kind = replay
recordings = recordings.json
[bot demo]
engine = recorded
max_output_tokens = 8
"""
    with Deployment(build, conf) as d:
        d.write("recordings.json", json.dumps({"recordings": [
            {"question": "slow", "answer": ["a ", "b "], "pace_ms": 1500},
            {"answer": ["Yes."]}]}))
        key, section = d.new_key("test", "concurrent = 1")
        d.write("parlance.conf", conf + section)
        d.start_fcgi()
        d.fcgi("GET", "/v1/conversations?user=u", key=key)  # the tables
        for n, (uri, body, stream) in enumerate((
                (MESSAGE[1], dict(MESSAGE[2], query="slow"), False),
                (MESSAGE[1], dict(MESSAGE[2], query="slow",
                                  response_mode="streaming"), True),
                (CHAT[1], dict(CHAT[2], prompt="slow"), False),
                (CHAT[1], dict(CHAT[2], prompt="slow", stream=True), True))):
            name = "locked at the end, %d" % n
            replies = []
            thread = threading.Thread(target=lambda: replies.append(
                d.fcgi("POST", uri, body, key=key)))
            thread.start()
            c = sqlite3.connect(os.path.join(d.state, "parlance.db"),
                                isolation_level=None, timeout=30)
            wait_until(lambda: c.execute(BEGUN, (
                uri, min(n + 1, 2))).fetchone() == (1, 1))
            c.execute("BEGIN IMMEDIATE")
            thread.join()
            c.execute("ROLLBACK")
            c.close()
            r = replies[0]
            t.check(name + ": the client is told",
                    r.status == 200 and b"error" in r.body and
                    b"DONE" not in r.body and b"message_end" not in r.body
                    if stream else r.status in (500, 503), r)
            t.equal(name + ": its place is free", [
                d.fcgi(*ask, key=key).status for ask in (CHAT, MESSAGE)],
                [200, 200])
        talks = d.fcgi("GET", "/v1/conversations?user=u&limit=100",
                       key=key).json["data"]
        rows = [m for talk in talks for m in d.fcgi(
            "GET", "/v1/messages?user=u&conversation_id=" + talk["id"],
            key=key).json["data"]]
        t.equal("locked at the end: what became of the messages",
                sorted((m["query"], m["status"], m["answer"]) for m in rows),
                [("Who are you?", "normal", "Yes.")] * 4
                + [("slow", "error", "")] * 2)


def damaged_index(t, build):
    """The search index is made from other things: damaged, it is made anew,
    and the question is answered from it."""
    conf = """[server]
durable = no
[knowledge sky]
folder = sky
[bot demo]
persona = You are Ann.
knowledge = sky
"""
    with Deployment(build, conf) as d:
        d.write("sky/moon.md", "# The Moon\n\nThe Moon is a rock.\n")
        key, section = d.new_key("test")
        d.write("parlance.conf", conf + section)
        d.start_fcgi()
        path = os.path.join(d.state, "index.db")

        def answers(name):
            for ask in (d.fcgi, d.cgi):
                t.equal("index: " + name, ask(
                    "POST", "/v1/chat", {
                        "bot_slug": "demo", "stream": False,
                        "prompt": "What is the Moon?"}, key=key).json,
                    {"content": "The Moon is a rock."})
        answers("made")
        with open(path, "r+b") as f:
            f.seek(4096)
            f.write(b"\xa5" * (os.path.getsize(path) - 4096 or 40000))
        answers("overwritten")
        os.truncate(path, 1000)
        answers("cut off")


def configuration(t, d, key, good):
    d.write("parlance.conf", good + "\n[bot x]\nperosna = y\n")
    for api, ask in (("bot", CHAT), ("messages", MESSAGE)):
        r = d.cgi(*ask, key=key)
        failed_well(t, "bad configuration, %s API" % api, r, api)
        t.check("bad configuration names line and word",
                b"perosna" in r.stderr and b"persona" in r.stderr, r.stderr)
    done = d.admin("check")
    t.check("parlance check names it", done.returncode == 1 and
            'did you mean "persona"' in done.stderr, done)
    os.unlink(d.conf)
    for api, ask in (("bot", CHAT), ("messages", MESSAGE)):
        failed_well(t, "no configuration, %s API" % api,
                    d.cgi(*ask, key=key), api)
    d.write("parlance.conf", good)
    works(t, "configuration", d, key)


def main():
    t = Tally()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    conf = "[bot demo]\npersona = You are Ann, a helper.\n"
    with Deployment(sys.argv[1], conf) as d:
        key, section = d.new_key("test")
        conf += section
        d.write("parlance.conf", conf)
        works(t, "at first", d, key)
        t.equal("parlance check is content", d.admin("check").returncode, 0)
        missing_state(t, d, key)
        corrupt(t, d, key)
        locked(t, d, key)
        read_only(t, d, key)
        full_disk(t, d, key)
        configuration(t, d, key, conf)
        t.equal("the database is whole", rows(d), "ok")
    locked_at_the_end(t, sys.argv[1])
    damaged_index(t, sys.argv[1])
    t.end()


main()
