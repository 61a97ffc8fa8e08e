"""Who checks the checker, by example: a server that is right except for one
fault at a time (servers/faulty/), and the cases that fixtures/faults.json
says must notice it.  Without a fault the server passes every case.

usage: faults_test.py BUILD [FAULT...]
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "servers", "faulty"))
import faults  # noqa: E402
import server  # noqa: E402

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
CHATCONF = os.path.join(BUILD, "chatconf")
LIST = os.path.join(HERE, "..", "..", "fixtures", "faults.json")


class Faulty:
    """The server in a process of its own, with the fault in its environment.
    Forking spares starting Python anew for each of some hundred faults."""

    def __init__(self, fault):
        listener = server.Server(("127.0.0.1", 0), server.Handler)
        self.port = listener.server_address[1]
        self.pid = os.fork()
        if self.pid == 0:
            os.environ.pop("FAULT", None)
            if fault:
                os.environ["FAULT"] = fault
            try:
                listener.serve_forever()
            finally:
                os._exit(0)
        listener.server_close()

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def chatconf(port, profile, *args):
    """Name -> verdict, the live checks too, and how many were untested."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            [CHATCONF, "http://127.0.0.1:%d" % port, "-p", profile, "-q",
             "--strict", "--house", "-t", "10", "--json", report.name,
             *(["-f", "slow", "-s", "cited_query=iPhone?"]
               if profile == "dify" else []), *args],
            env=dict(os.environ, CHATCONF_KEY="demo-key"), timeout=120,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        text = report.read()
    out = {}
    for case in json.loads(text)["cases"] if text else []:
        out[case["name"]] = case["verdict"]
        if "live" in case:
            out[case["name"] + "~live"] = case["live"]
    return out


def missed(entry, port):
    """What is wrong with the verdicts on this fault; None when nothing is."""
    cases = [name.replace("~live", "") for name in entry["cases"]]
    got = chatconf(port, entry["fault"].split("-")[0], *cases)
    bad = [name for name in entry["cases"] if got.get(name) != "failed"]
    if not entry["cases"]:
        return "%s: no case is named" % entry["fault"]
    if bad:
        return "%s: not noticed by %s" % (
            entry["fault"], ", ".join("%s (%s)" % (n, got.get(n))
                                      for n in bad))
    return None


def check_all(entries):
    """Servers are forked before any thread runs; two suites at a time."""
    problems = []
    for start in range(0, len(entries), 40):
        part = entries[start:start + 40]
        servers = [Faulty(entry["fault"]) for entry in part]
        try:
            with ThreadPoolExecutor(2) as pool:
                problems += filter(None, pool.map(
                    missed, part, [s.port for s in servers]))
        finally:
            for one in servers:
                one.close()
    return problems


def check_right_server():
    problems = []
    right = Faulty(None)
    for profile in ("v1", "dify"):
        for _ in range(3):
            got = chatconf(right.port, profile, "-j", "4")
            bad = [n for n, v in got.items()
                   if v not in ("ok", "not-applicable")]
            # A busy machine may hold a stream back, once.
            if not bad or not all(n.endswith("~live") for n in bad):
                break
        if bad or len(got) < 100:
            problems.append("without a fault, %s: %d cases, failing: %s"
                            % (profile, len(got), ", ".join(bad[:10])))
    right.close()
    return problems


def main():
    with open(LIST, encoding="utf-8") as file:
        entries = json.load(file)["faults"]
    names = [entry["fault"] for entry in entries]
    problems = []
    if len(set(names)) != len(names):
        problems.append("a fault stands twice in faults.json")
    forgotten = sorted(set(faults.TABLE) - set(names))
    if forgotten:
        problems.append("not in faults.json: " + ", ".join(forgotten))
    if sys.argv[2:]:
        entries = [e for e in entries if e["fault"] in sys.argv[2:]]
    problems += check_right_server()
    not_caught = check_all(entries)
    for problem in problems + not_caught:
        print("FAILED", problem)
    print("score: faults: %d caught of %d planted"
          % (len(entries) - len(not_caught), len(entries)))
    failed = len(problems) + len(not_caught)
    print("%d passed, %d failed" % (len(entries) - len(not_caught) + 3
                                    - min(3, len(problems)), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
