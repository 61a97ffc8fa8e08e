"""How many faults does the suite notice that its cases were not written for?
servers/faulty/batch1.py was counted before any case was changed for it, and
is closed; batch2.py was written afterwards and counted once.  Both stay, so
that the score cannot fall unseen.  And how often does it cry wolf?  The
servers of servers/faulty/legal.py are right; all must pass.

Of the faults a sample that changes by the day is planted; LONG=1, from
`make test-long`, plants all.

usage: planted_test.py BUILD [FAULT...]
"""
import datetime
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "servers", "faulty"))
sys.path.insert(0, HERE)
import planted  # noqa: E402
import server  # noqa: E402,F401
from faults_test import Faulty  # noqa: E402

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
CHATCONF = os.path.join(BUILD, "chatconf")
SAMPLE = 12  # of a batch and API; one more miss than the score allows
LEAST = {"b1": 0.94, "b2": 0.95}


def noticed(name, port):
    """Does a run with --strict fail, or the preflight give a verdict?"""
    profile = name.split("-")[0]
    done = subprocess.run(
        [CHATCONF, "http://127.0.0.1:%d" % port, "-p", profile, "-q", "-x", "-j", "4",
         "--strict", "-t", "10", *(["-f", "slow", "-s", "cited_query=iPhone?"]
                                   if profile == "dify" else [])],
        env=dict(os.environ, CHATCONF_KEY="demo-key"), timeout=120,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    return done.returncode == 1


def count(names):
    """Servers are forked before any thread runs; two suites at a time."""
    missed = []
    for start in range(0, len(names), 40):
        part = names[start:start + 40]
        servers = [Faulty(name) for name in part]
        try:
            with ThreadPoolExecutor(2) as pool:
                got = pool.map(noticed, part, [s.port for s in servers])
                missed += [n for n, seen in zip(part, got) if not seen]
        finally:
            for one in servers:
                one.close()
    return missed


def false_alarms(names):
    """Of right servers that look different: those that the suite refuses."""
    for _ in range(3):
        passing = count(names)
        names = [n for n in names if n not in passing]
        # Once more, since a busy machine may hold a stream back.
        if not names:
            break
    return names


def main():
    passed = failed = 0
    names = [n for n in planted.names() if "-legal-" in n]
    if sys.argv[2:]:
        names = [n for n in names if n in sys.argv[2:]]
    alarms = false_alarms(names)
    print("score: legal variants: %d, false alarms: %d"
          % (len(names), len(alarms)))
    for name in alarms:
        print("FAILED a false alarm:", name)
    failed += len(alarms) > 0
    passed += len(alarms) == 0
    for batch, least in LEAST.items():
        for api in ("v1", "dify"):
            names = [n for n in planted.names()
                     if n.startswith("%s-%s-" % (api, batch))]
            if sys.argv[2:]:
                names = [n for n in names if n in sys.argv[2:]]
            if not names:
                continue
            spare = 0
            if not os.environ.get("LONG") and not sys.argv[2:]:
                day = datetime.date.today().isoformat()
                names = random.Random(day).sample(names, SAMPLE)
                spare = 1
                print("sample of", day)
            missed = count(names)
            print("score: planted faults, batch %s of %s: %d of %d noticed"
                  % (batch[1], api, len(names) - len(missed), len(names)))
            for name in missed:
                print("    not noticed:", name)
            if len(missed) > len(names) * (1 - least) + spare:
                failed += 1
                print("FAILED too few of", batch, api)
            else:
                passed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
