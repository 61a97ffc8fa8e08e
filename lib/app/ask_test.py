"""`parlance ask`, what `check` says about addresses of engines, and what
`doctor` finds when it asks them.  usage: ask_test.py BUILD"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, Tally  # noqa: E402
from fake_upstream import FakeUpstream  # noqa: E402

KEY = "canary-77aa-ask"
tally = Tally()


def run(d, *words, **more):
    return subprocess.run(
        [os.path.join(d.build, "parlance"), *words], env=d.env,
        capture_output=True, text=True, timeout=120, **more)


def bot(name, url, model, more="", bot_more=""):
    return ("[bot %s]\nengine = %s\nmodel = %s\n%s[engine %s]\nurl = %s\n"
            "key = %s\nretries = 0\n%s" % (
                name, name, model, bot_more, name, url, KEY, more))


def check_ask(d, up):
    done = run(d, "ask", "good", "When", "does it open?")
    tally.equal("ask: status", done.returncode, 0)
    tally.check("ask: answer first", done.stdout.startswith(
        "w0 w1 w2 \n"), done.stdout)
    for part in ("sources:\n  [1] hours, Opening hours, segment 1 of faq",
                 "tokens: 12 of the prompt, 3 of the answer\n",
                 "price: ", " USD", "to the first token, "):
        tally.check("ask: has " + part, part in done.stdout, done.stdout)
    tally.equal("ask: the question", up.calls[-1]["question"],
                "When does it open?")
    done = run(d, "ask", "--quiet", "good", "Hello")
    tally.equal("ask --quiet", (done.stdout, done.returncode),
                ("w0 w1 w2 \n", 0))
    done = run(d, "ask", "good", input="From a pipe?\n")
    tally.check("ask: from a pipe", done.returncode == 0 and
                up.calls[-1]["question"].strip() == "From a pipe?", done)
    done = run(d, "ask", "--help")
    tally.check("ask --help", done.returncode == 0 and
                done.stdout.startswith("usage: parlance ask"), done)
    for words, says in ((("ask",), "usage: parlance ask"),
                        (("ask", "--no", "x"), "unexpected argument: --no"),
                        (("ask", "good", " "), "there is no question")):
        done = run(d, *words)
        tally.check("wrong usage: %s" % (words,), done.returncode == 2 and
                    says in done.stderr, done)
    done = run(d, "ask", "nobody", "Hello")
    tally.check("ask: no such bot", done.returncode == 1 and
                'no bot "nobody"; there is: good' in done.stderr, done)
    done = run(d, "ask", "cut", "Hello")
    tally.check("ask: an answer that breaks off", done.returncode == 1 and
                "w0 \n" in done.stdout and "broke off" in done.stderr, done)
    process = subprocess.Popen(
        [os.path.join(d.build, "parlance"), "ask", "slow", "Hello"],
        env=d.env, stdout=subprocess.PIPE)
    seen = os.read(process.stdout.fileno(), 100)
    tally.check("ask: it comes as it is said", seen.startswith(b"w0") and
                b"w9" not in seen, seen)
    process.send_signal(2)
    process.communicate(timeout=30)
    tally.equal("ask: interrupted", process.returncode, 130)
    tally.check("ask: the call is broken off", wait(
        lambda: up.calls[-1]["end"] == "gone"), up.calls[-1])
    tally.equal("ask stores nothing", [
        n for n in os.listdir(d.state) if n == "parlance.db"], [])


def wait(condition):
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def check_doctor(d, up):
    done = run(d, "doctor")
    out = done.stdout
    tally.equal("doctor: there are problems", done.returncode, 1)
    for part in (
            "[engine good] reached, key accepted, tokens=3 known, first "
            "token after ", "[engine good] streams\n",
            "[engine good] reports usage: 11 and 3 tokens",
            "[engine whole] does not stream",
            "[engine silent] does not report usage",
            "[engine picky] reached",
            "[engine thinker] thinks aloud; reasoning = hide",
            "[engine locked] reached, the key is not accepted",
            "[engine strange] reached, key accepted, the model is not known",
            "[engine lost] reached, but nothing is at that address",
            "[engine dead] not reached",
            "[bot locked] cannot answer: its engine fails",
            "[bot dead] cannot answer"):
        tally.check("doctor: " + part, part in out, out)
    tally.check("doctor: a fall-back that fails is a note",
                "[bot two] cannot" not in out, out)
    tally.check("doctor: each is asked with a small limit", all(
        c["body"].get("max_tokens") == 16 for c in up.of("tokens=3")
        if c["question"].startswith("Answer with")), up.of("tokens=3"))
    tally.equal("doctor: and without, when that is refused", [
        "max_tokens" in c["body"] for c in up.of("limit=refused")],
        [True, False])
    tally.check("doctor: no key is printed", KEY not in out + done.stderr,
                out)
    calls = len(up.calls)
    done = run(d, "doctor", "--no-engine")
    tally.check("doctor --no-engine: no bot is judged", "cannot answer" not
                in done.stdout and "asked" not in done.stdout, done.stdout)
    tally.equal("doctor --no-engine asks nobody",
                len(up.calls), calls)


ADDRESSES = [
    ("https://api.example.org/v1/chat/completions", "has /chat/completions "
     "already"),
    ("https://api.example.org", "most servers listen at /v1"),
    ("https://api.example.org/v1/responses", "which is another API"),
    ("https://api.example.org/v1?key=abc", "a key in its query"),
    ("https://api.example.org/v1?api-version=1", "has a query; it is sent "
     "behind the path"),
    ("http://api.example.org/v1", "sends its key unencrypted"),
    ("https://x.openai.azure.com/openai/deployments/d?api-version=1",
     "wants its keys in the header api-key"),
]


def check_addresses(d):
    for url, says in ADDRESSES:
        d.write("parlance.conf", "[server]\nstate = %s\n" % d.state
                + bot("b", url, "m"))
        done = run(d, "check")
        tally.check("check: " + url, done.returncode == 0 and
                    says in done.stdout, (done.stdout, done.stderr))
    for url in ("https://api.example.org/v1", "http://127.0.0.1:8000/v1",
                "https://host/v1beta/openai"):
        d.write("parlance.conf", "[server]\nstate = %s\n" % d.state
                + bot("b", url, "m"))
        done = run(d, "check")
        tally.check("check: nothing about " + url, "url of" not in
                    done.stdout and done.returncode == 0, done.stdout)


def check_wire(d, up):
    """Where the key goes, where the query."""
    done = run(d, "ask", "--quiet", "azure", "Hello")
    call = up.calls[-1]
    tally.equal("azure: address", call["path"],
                "/v1/openai/deployments/d/chat/completions"
                "?api-version=2024-10-21")
    tally.equal("azure: key", (call["headers"].get("api-key"),
                               call["headers"].get("Authorization")),
                (KEY, None))
    tally.equal("azure: answer", done.stdout, "w0 w1 w2 \n")
    run(d, "ask", "--quiet", "path", "Hello")
    tally.equal("path", up.calls[-1]["path"], "/v1/other/chat?a=1&b=2")


def main():
    d, up = Deployment(sys.argv[1], ""), FakeUpstream()
    try:
        d.write("faq/hours.md", "# Opening hours\n\nThe shop opens at nine. "
                "When does it open on Sundays? At ten.\n")
        d.write("parlance.conf", "[server]\nstate = %s\ndemo = yes\n"
                % d.state + "".join((
                    bot("good", up.url, "tokens=3", "", "knowledge = faq\n"
                        "prompt_unit_price = 0.001\nprompt_price_unit = 0.001"
                        "\ncompletion_unit_price = 0.002\n"
                        "completion_price_unit = 0.001\n"),
                    bot("cut", up.url, "fault=fin after=1"),
                    bot("slow", up.url, "tokens=60 pace_ms=100"),
                    bot("whole", up.url, "tokens=2 stream=no"),
                    bot("silent", up.url, "tokens=2 usage=no"),
                    bot("picky", up.url, "limit=refused"),
                    bot("thinker", up.url, "tokens=2 thoughts=2"),
                    bot("locked", up.url, "status=401"),
                    bot("strange", up.url,
                        "status=404 code=model_not_found"),
                    bot("lost", up.url, "status=404"),
                    bot("dead", "http://127.0.0.1:9/v1", "m"),
                    bot("azure", up.url + "/openai/deployments/d"
                        "?api-version=2024-10-21", "tokens=3",
                        "key_header = api-key\n"),
                    bot("path", up.url + "/?b=2", "tokens=1",
                        "path = /other/chat?a=1\n"),
                    "[bot two]\nengine = dead, good\nmodel = tokens=3\n",
                    "[knowledge faq]\nfolder = faq\n")))
        check_ask(d, up)
        check_wire(d, up)
        check_doctor(d, up)
        check_addresses(d)
    finally:
        d.close()
        up.close()
    tally.end()


main()
