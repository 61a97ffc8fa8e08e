"""What the runner costs over the exchanges themselves, and how long the whole
suite takes, against our FastCGI deployment.  The floor is the time of the
exchanges as the runner measures them, in the same run, one case at a time.

usage: chatconf_bench.py BUILD
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "servers"))
import deployment  # noqa: E402

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
ROUNDS = 5


def run(d, profile, jobs, report):
    start = time.monotonic()
    subprocess.run(
        [os.path.join(BUILD, "chatconf"), "fcgi:" + d.address, "-p", profile,
         "--strict", "--house", "-j", str(jobs), "--json", report],
        env=dict(d.env, CHATCONF_KEY=deployment.KEY), check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - start
    with open(report, encoding="utf-8") as file:
        return whole, json.load(file)


def main():
    good = True
    d = deployment.Deployment(BUILD)
    d.start_fcgi()
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        total = 0
        for profile in ("v1", "dify"):
            overhead, ratio, start_up, wholes = [], [], [], []
            for _ in range(ROUNDS):
                whole, found = run(d, profile, 1, report)
                floor = sum(c["ms"] for c in found["cases"])
                cases = len(found["cases"])
                overhead.append((found["seconds"] * 1000 - floor) / cases)
                ratio.append(found["seconds"] * 1000 / floor)
                start_up.append((whole - found["seconds"]) * 1000)
                wholes.append(run(d, profile, 8, report)[0])
            total += statistics.median(wholes)
            good = good and statistics.median(overhead) < 1
            print("%-5s %d cases: %.3f ms a case over the exchanges "
                  "(%.2f of their time); reading the cases %.0f ms; "
                  "whole suite with -j 8 %.2f s"
                  % (profile, cases, statistics.median(overhead),
                     statistics.median(ratio), statistics.median(start_up),
                     statistics.median(wholes)))
        good = good and total < 10
        print("both suites, -j 8: %.2f s (limit 10 s); overhead limit 1 ms "
              "a case: %s" % (total, "held" if good else "NOT HELD"))
    d.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
