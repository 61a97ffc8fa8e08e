"""Two public fakes of model servers, which others wrote, as engines: the npm
packages @dwmkerr/mock-llm, a server, and openai-api-mock, which answers the
calls of a Node.js process; public_fakes/relay.mjs makes a server of it.  They
are installed into a temporary folder and started on loopback; where npm
cannot reach its registry this test fails.  usage: public_fakes_test.py BUILD
"""
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, Tally  # noqa: E402

PACKAGES = ["@dwmkerr/mock-llm@0.1.29", "openai-api-mock@0.4.0"]
RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "public_fakes", "relay.mjs")
RULES = """
streaming:
  chunkSize: 3
  chunkIntervalMs: 10
rules:
  - path: "/v1/chat/completions"
    match: "@"
    response:
      status: 200
      content: |
        {"id": "c1", "object": "chat.completion", "created": 1,
         "model": "{{jmes request body.model}}",
         "choices": [{"message": {"role": "assistant", "content":
           "You said: {{jmes request body.messages[-1].content}}"},
           "finish_reason": "stop"}]}
  - path: "/v1/chat/completions"
    match: "contains(body.messages[-1].content, 'key')"
    response:
      status: 401
      content: |
        {"error": {"message": "Incorrect API key provided.",
         "type": "invalid_request_error", "code": "invalid_api_key"}}
  - path: "/v1/chat/completions"
    match: "contains(body.messages[-1].content, 'busy')"
    response:
      status: 429
      content: |
        {"error": {"message": "Slow down.", "type": "rate_limit_error",
         "code": "rate_limit_exceeded"}}
"""
CONF = """
[server]
demo = yes
state = %s
[bot server]
model = gpt-4
engine = server
[engine server]
url = http://127.0.0.1:%d/v1
retries = 0
[bot relay]
model = gpt-4
engine = relay
[engine relay]
url = http://127.0.0.1:%d/v1
key = any
retries = 0
[bot lost]
model = gpt-4
engine = lost
[engine lost]
url = http://127.0.0.1:%d
retries = 0
"""
tally = Tally()


def install(folder):
    npm = shutil.which("npm")
    if not tally.check("npm is installed", npm, "no npm in PATH"):
        return False
    with open(os.path.join(folder, "package.json"), "w") as f:
        f.write('{"private": true, "type": "module"}\n')
    try:
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--no-save",
             "--ignore-scripts", *PACKAGES], cwd=folder, timeout=600,
            capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return tally.check("npm install", False, "took over 600 s")
    return tally.check("npm install", done.returncode == 0,
                       done.stderr[-500:])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(words, folder, port):
    process = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ, HOST="127.0.0.1", PORT=str(port),
                 NODE_ENV="development"))
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process
        except OSError:
            time.sleep(0.05)
    process.kill()
    raise RuntimeError("%s does not start" % words)


def direct(port, question):
    """What the fake itself answers to a call without a stream."""
    request = urllib.request.Request(
        "http://127.0.0.1:%d/v1/chat/completions" % port,
        json.dumps({"model": "gpt-4", "messages": [
            {"role": "user", "content": question}]}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer any"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)["choices"][0]["message"]["content"]


def text_of(reply, streaming):
    if not streaming:
        return reply.json.get("content")
    blocks = reply.text.split("\n\n")
    if "data: [DONE]" not in blocks:
        return None
    return "".join(json.loads(b[6:])["content"] for b in blocks
                   if b.startswith("data: {"))


def ask(d, way, bot, question, streaming):
    return getattr(d, way)("POST", "/v1/chat", {
        "bot_slug": bot, "prompt": question, "stream": streaming})


def check_bots(d, ports):
    for way, streaming in itertools.product(("fcgi", "cgi"), (False, True)):
        label = "%s, %s" % (way, "streaming" if streaming else "blocking")
        reply = ask(d, way, "server", "Grüße, wie geht es?", streaming)
        tally.equal("mock-llm, " + label, text_of(reply, streaming),
                    "You said: Grüße, wie geht es?")
        reply = ask(d, way, "relay", "Hello", streaming)
        text = text_of(reply, streaming)
        tally.check("openai-api-mock, " + label, text and len(text) > 3,
                    reply)
        for question, status in (("Is my key right?", 502),
                                 ("Are you busy?", 429)):
            reply = ask(d, way, "server", question, streaming)
            tally.equal("mock-llm, %s: %s" % (label, question), reply.status,
                        status)
        reply = ask(d, way, "lost", "Hello", streaming)
        tally.equal("no /v1, %s" % label, (reply.status, reply.json), (
            502, {"detail": "There is no model at its address."}))
        if way == "cgi":
            tally.check("no /v1: the log has a guess", b"is /v1 missing" in
                        reply.stderr, reply.stderr)
    tally.equal("the fake itself", direct(ports[0], "Hi"), "You said: Hi")


def check_commands(d):
    parlance = os.path.join(d.build, "parlance")
    done = subprocess.run([parlance, "ask", "--quiet", "server", "Good day"],
                          env=d.env, capture_output=True, text=True,
                          timeout=60)
    tally.equal("parlance ask", (done.returncode, done.stdout),
                (0, "You said: Good day\n"))
    done = subprocess.run([parlance, "doctor"], env=d.env,
                          capture_output=True, text=True, timeout=120)
    for part in ("[engine server] reached", "[engine server] streams",
                 "[engine server] does not report usage",
                 "[engine relay] reached", "is /v1 missing",
                 "[bot lost] cannot answer"):
        tally.check("parlance doctor: " + part, part in done.stdout,
                    done.stdout)


def main():
    d = Deployment(sys.argv[1], "")
    fakes = []
    try:
        folder = os.path.join(d.folder, "fakes")
        os.mkdir(folder)
        if install(folder):
            shutil.copy(RELAY, folder)
            with open(os.path.join(folder, "mock-llm.yaml"), "w") as f:
                f.write(RULES)
            ports = [free_port(), free_port()]
            fakes.append(start(["node", "node_modules/.bin/mock-llm"],
                               folder, ports[0]))
            fakes.append(start(["node", "relay.mjs"], folder, ports[1]))
            d.write("parlance.conf", CONF % (d.state, *ports, ports[0]))
            d.start_fcgi()
            check_bots(d, ports)
            check_commands(d)
    finally:
        for fake in fakes:
            fake.kill()
            fake.wait()
        d.close()
    tally.end()


main()
