"""parlance.fcgi built with ThreadSanitizer, under many clients at once, over
both APIs, with reloads in between: no data race is reported."""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "conformance", "servers"))
from deployment import Deployment, Tally  # noqa: E402

CHAT = {"bot_slug": "taxson", "prompt": "Explain how to pay taxes."}
MESSAGE = {"inputs": {}, "query": "What is the RAM of the iPhone 13 Pro?",
           "user": "u"}
REQUESTS = [
    ("POST", "/v1/chat", dict(CHAT, stream=False), 200),
    ("POST", "/v1/chat", dict(CHAT, stream=True), 200),
    ("POST", "/v1/chat", {}, 422),
    ("POST", "/v1/chat-messages", dict(MESSAGE, response_mode="blocking"),
     200),
    ("POST", "/v1/chat-messages", dict(MESSAGE, response_mode="streaming"),
     200),
    ("GET", "/v1/conversations?user=u", None, 200),
    ("GET", "/v1/bots", None, 200),
    ("GET", "/nowhere", None, 404),
]


def main():
    t = Tally()
    build = os.path.abspath(sys.argv[1]) + "-thread"
    done = subprocess.run(
        ["make", "--no-print-directory", "-j2", "SANITIZER=thread",
         "BUILD=" + build, build + "/parlance.fcgi"],
        capture_output=True, text=True)
    if not t.check("builds", done.returncode == 0, done.stderr[-2000:]):
        t.end()
    env = {"TSAN_OPTIONS": "halt_on_error=0 exitcode=66"}
    with Deployment(build, env=env) as d:
        server = d.start_fcgi(workers=12)
        wrong = []

        def client(n):
            for i in range(6):
                method, uri, body, status = REQUESTS[(n + i) % len(REQUESTS)]
                try:
                    r = d.fcgi(method, uri, body)
                    if r.status != status:
                        wrong.append((method, uri, r.status, r.text[:200]))
                except (OSError, EOFError, ValueError) as e:
                    wrong.append((method, uri, repr(e)))
        clients = [threading.Thread(target=client, args=(n,))
                   for n in range(16)]
        for c in clients:
            c.start()
        for _ in range(3):
            time.sleep(0.3)
            server.send_signal(signal.SIGHUP)
        for c in clients:
            c.join()
        t.equal("every request is answered", wrong, [])
        server.send_signal(signal.SIGTERM)
        t.equal("stops cleanly", server.wait(60), 0)
        log = d.log("parlance.fcgi")
        t.check("no data race", "ThreadSanitizer" not in log, log[:3000])
    t.end()


main()
