"""A session typed with plain curl, as a reader of the messages API's page
would type it, against the demo deployment through lighttpd."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "servers"))
from deployment import KEY, Deployment, Tally  # noqa: E402

ASK = """curl -sS -X POST "$BASE/chat-messages" \\
--header "Authorization: Bearer $KEY" \\
--header 'Content-Type: application/json' \\
--data-raw '{
    "inputs": {},
    "query": "What are the specs of the iPhone 13 Pro Max?",
    "response_mode": "%s",
    "conversation_id": "%s",
    "user": "abc-123"
}'"""


class Shell:
    def __init__(self, d):
        self.env = dict(os.environ, KEY=KEY,
                        BASE="http://127.0.0.1:%d/v1" % d.port)

    def __call__(self, command):
        done = subprocess.run(["bash", "-ec", command], env=self.env,
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (command, done.stderr))
        return done.stdout

    def get(self, path):
        return json.loads(self('curl -sS "$BASE%s" -H "Authorization: Bearer '
                               '$KEY"' % path))

    def send(self, method, path, body, more=""):
        return self("curl -sS %s -X %s \"$BASE%s\" -H \"Authorization: "
                    "Bearer $KEY\" -H 'Content-Type: application/json' "
                    "-d '%s'" % (more, method, path, json.dumps(body)))


def talk(t, sh):
    first = json.loads(sh(ASK % ("blocking", "")))
    t.equal("the documented members", sorted(first), sorted(
        ["event", "task_id", "id", "message_id", "conversation_id", "mode",
         "answer", "metadata", "created_at"]))
    usage = first["metadata"]["usage"]
    t.equal("prices add up", usage["total_price"], "%.7f" % (
        float(usage["prompt_price"]) + float(usage["completion_price"])))
    t.check("the segment is cited", first["metadata"]["retriever_resources"]
            [0]["dataset_name"] == "iPhone", first["metadata"])
    stream = sh((ASK % ("streaming", first["conversation_id"])).replace(
        "curl -sS", "curl -sSN"))
    blocks = stream.split("\n\n")
    t.equal("the stream ends in an empty line", blocks.pop(), "")
    t.check("every block is one data line", all(
        b.startswith("data: {") and "\n" not in b for b in blocks), blocks)
    events = [json.loads(b[6:]) for b in blocks]
    t.equal("message_end is last", events[-1]["event"], "message_end")
    t.equal("the same conversation", events[0]["conversation_id"],
            first["conversation_id"])
    return first


def look(t, sh, first):
    conversation = first["conversation_id"]
    page = sh.get("/messages?user=abc-123&conversation_id=" + conversation)
    t.equal("two messages", len(page["data"]), 2)
    m = page["data"][0]
    t.equal("what the turn stored", (
        m["id"], m["answer"], m["total_tokens"], m["total_price"],
        m["provider_response_latency"], m["retriever_resources"]), (
        first["id"], first["answer"].strip(),
        first["metadata"]["usage"]["total_tokens"],
        first["metadata"]["usage"]["total_price"],
        first["metadata"]["usage"]["latency"],
        first["metadata"]["retriever_resources"]))
    page = sh.get("/conversations?user=abc-123&last_id=&limit=20")
    t.equal("one conversation", [c["id"] for c in page["data"]],
            [conversation])
    for path in ("/parameters", "/info", "/meta", "/site"):
        t.check(path, "code" not in sh.get(path + "?user=abc-123"), path)


def change(t, sh, first):
    conversation, message = first["conversation_id"], first["message_id"]
    out = sh.send("POST", "/messages/%s/feedbacks" % message,
                  {"rating": "like", "user": "abc-123", "content": "good"})
    t.equal("feedback", json.loads(out), {"result": "success"})
    out = sh.send("POST", "/chat-messages/%s/stop" % first["task_id"],
                  {"user": "abc-123"})
    t.equal("stop", json.loads(out), {"result": "success"})
    out = sh.send("POST", "/conversations/%s/name" % conversation,
                  {"name": "Phones", "user": "abc-123"})
    t.equal("rename", json.loads(out)["name"], "Phones")
    out = sh("printf notes > notes.txt; curl -sS -X POST "
             "\"$BASE/files/upload\" -H \"Authorization: Bearer $KEY\" "
             "--form 'file=@notes.txt;type=text/plain' "
             "--form 'user=abc-123'; rm notes.txt")
    t.equal("upload", (json.loads(out)["name"], json.loads(out)["size"]),
            ("notes.txt", 5))
    out = sh.send("DELETE", "/conversations/%s" % conversation,
                  {"user": "abc-123"}, "-w '%{http_code}'")
    t.equal("delete", out, "204")
    out = json.loads(sh.send("POST", "/chat-messages", {"user": "abc-123"}))
    t.equal("a refusal", (out["code"], out["status"], out["message"]),
            ("invalid_param", 400, "query: Field required; inputs: Field "
             "required"))


def main():
    t = Tally()
    d = Deployment(sys.argv[1])
    try:
        d.start_fcgi()
        d.start_lighttpd()
        os.chdir(d.folder)
        sh = Shell(d)
        first = talk(t, sh)
        look(t, sh, first)
        change(t, sh, first)
    finally:
        os.chdir("/")
        d.close()
    t.end()


if __name__ == "__main__":
    main()
