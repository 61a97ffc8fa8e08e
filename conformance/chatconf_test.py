"""chatconf's own tests: the self-test of its cases, its options and exit codes,
and our deployments, reached in every way, against all levels of the suite.

usage: chatconf_test.py BUILD
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deployment  # noqa: E402

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
CHATCONF = os.path.join(BUILD, "chatconf")
PROFILES = ["v1", "dify"]
passed = failed = 0


def check(good, what, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED", what)
        if detail:
            print("    " + detail.strip()[-3000:].replace("\n", "\n    "))


def chatconf(*args, key=deployment.KEY, **env):
    full = dict(os.environ, **env)
    full.pop("CHATCONF_KEY", None)
    if key:
        full["CHATCONF_KEY"] = key
    run = subprocess.run([CHATCONF, *args], env=full, timeout=300,
                         stdin=subprocess.DEVNULL, capture_output=True)
    return (run.returncode, run.stdout.decode("utf-8", "replace"),
            run.stderr.decode("utf-8", "replace"))


def test_selftest():
    code, out, err = chatconf("--self-test")
    check(code == 0, "every broken sample is refused", out + err)
    print(out.strip())


def test_deployment(folder):
    """All levels, without a failure, by CGI and by FastCGI."""
    os.mkdir(os.path.join(folder, "state"))
    env = {"PARLANCE_CONFIG": deployment.DEMO_CONF,
           "PARLANCE_STATE": os.path.join(folder, "state")}
    for profile in PROFILES:
        for way in ("cgi", "fcgi"):
            target = "%s:%s/parlance.%s" % (way, BUILD, way)
            report = os.path.join(folder, "report.json")
            code, out, err = chatconf(
                target, "-p", profile, "--strict", "--house", "-j", "8",
                "--json", report, **env)
            check(code == 0, "our deployment passes %s over %s"
                  % (profile, way), "\n".join(
                      line for line in out.split("\n")
                      if not line.startswith("ok ")) + err)
            print(profile, way, out.strip().split("\n")[-1])
            with open(report, encoding="utf-8") as file:
                check(json.load(file)["summary"]["failed"] == 0,
                      "the JSON report says so too")


def main():
    test_selftest()
    with tempfile.TemporaryDirectory() as folder:
        test_deployment(folder)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
