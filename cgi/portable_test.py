"""The portable CGI program in a bare root folder: nothing but the file, a
configuration and a bundle of certificates.

usage: portable_test.py BUILD
"""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
from deployment import Deployment, Tally, parse_cgi
from fake_upstream import FakeUpstream

BUILD = os.path.abspath(sys.argv[1])
tally = Tally()
CONF = """
[server]
demo = yes
state = /state
[knowledge faq]
folder = /faq
[bot quick]
knowledge = faq
[bot model]
engine = model
[bot stranger]
engine = stranger
[engine model]
url = %s
model = tokens=3
[engine stranger]
url = %s
model = tokens=3
"""


def certificate(path, days="2"):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-keyout", path, "-out", path + ".crt", "-days", days, "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True)
    with open(path, "a") as f, open(path + ".crt") as crt:
        f.write(crt.read())


def enter(root):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    chroot = [shutil.which("chroot", path=path), root, "/parlance.cgi"]
    if os.getuid() == 0:
        return chroot
    return [shutil.which("unshare", path=path), "--user",
            "--map-root-user"] + chroot


env = {n: v for n, v in os.environ.items()
       if n not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
done = subprocess.run(["make", "--no-print-directory", "BUILD=" + os.path.relpath(BUILD, TOP),
                       "portable"], cwd=TOP, env=env, capture_output=True,
                      text=True, timeout=500, stdin=subprocess.DEVNULL)
program = os.path.join(BUILD, "portable", "parlance.cgi")
if not tally.check("make portable", done.returncode == 0,
                   done.stderr[-2000:]):
    tally.end()
needed = subprocess.run(["objdump", "-p", program], capture_output=True,
                        text=True).stdout
tally.check("it needs no shared library", "NEEDED" not in needed, needed)
tally.check("its size", os.path.getsize(program) < 16 << 20,
            os.path.getsize(program))

with tempfile.TemporaryDirectory() as folder:
    root = os.path.join(folder, "root")
    for name in ("state", "faq", "etc/pki/tls/certs"):
        os.makedirs(os.path.join(root, name), 0o700)
    shutil.copy(program, root)
    trusted = os.path.join(folder, "trusted.pem")
    unknown = os.path.join(folder, "unknown.pem")
    certificate(trusted)
    certificate(unknown)
    # Where another distribution than ours keeps them.
    shutil.copy(trusted + ".crt",
                os.path.join(root, "etc/pki/tls/certs/ca-bundle.crt"))
    with open(os.path.join(root, "faq", "shop.txt"), "w") as f:
        f.write("The shop is open from nine to five on weekdays.\n")
    upstreams = FakeUpstream(trusted), FakeUpstream(unknown)
    with open(os.path.join(root, "parlance.conf"), "w") as f:
        f.write(CONF % tuple(u.url for u in upstreams))

    d = Deployment.__new__(Deployment)

    def ask(method, uri, body=None):
        body, headers = Deployment.encode(body, {})
        env = Deployment.params(d, method, uri, body, headers, "demo-key")
        done = subprocess.run(enter(root), env=env, input=body or b"",
                              capture_output=True, timeout=60)
        try:
            return parse_cgi(done.stdout, done.stderr)
        except ValueError as e:
            tally.check(uri, False, e)
            tally.end()

    tally.equal("it starts", ask("GET", "/health-check").text,
                '{"status":"ok"}')
    reply = ask("POST", "/v1/chat", {"bot_slug": "quick", "stream": False,
                                     "prompt": "When is the shop open?"})
    tally.check("it answers from a folder", reply.status == 200 and
                "nine to five" in reply.text, reply)
    reply = ask("POST", "/v1/chat-messages", {
        "inputs": {}, "query": "When is the shop open?", "user": "u",
        "response_mode": "blocking"})
    tally.check("it keeps conversations", reply.status == 200 and
                len(reply.json["conversation_id"]) == 36, reply)
    reply = ask("POST", "/v1/chat", {"bot_slug": "model", "stream": True,
                                     "prompt": "hello"})
    tally.check("it asks a model over TLS", reply.status == 200 and
                reply.events()[-1] == "[DONE]" and "w0" in reply.text,
                (reply, reply.stderr))
    reply = ask("POST", "/v1/chat", {"bot_slug": "stranger",
                                     "stream": False, "prompt": "hello"})
    tally.check("it trusts no unknown certificate", reply.status >= 500 and
                not upstreams[1].calls, (reply, reply.stderr))
    for upstream in upstreams:
        upstream.close()
tally.end()
