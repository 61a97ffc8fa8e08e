"""A real client: the npm package dify-client drives every method that it has
against the demo deployment through lighttpd.  The package is installed into
a temporary folder; where npm cannot reach its registry this test fails."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "servers"))
from deployment import KEY, Deployment, Tally  # noqa: E402

PACKAGE = "dify-client@2.3.2"
DRIVE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "dify_client", "drive.mjs")


def install(t, folder):
    npm = shutil.which("npm")
    if not t.check("npm is installed", npm, "no npm in PATH"):
        return False
    with open(os.path.join(folder, "package.json"), "w") as f:
        f.write('{"private": true, "type": "module"}\n')
    try:
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--no-save",
             "--ignore-scripts", PACKAGE], cwd=folder, timeout=240,
            capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return t.check("npm install " + PACKAGE, False, "took over 240 s")
    return t.check("npm install " + PACKAGE, done.returncode == 0,
                   done.stderr[-500:])


def main():
    t = Tally()
    d = Deployment(sys.argv[1])
    try:
        folder = os.path.join(d.folder, "client")
        os.mkdir(folder)
        if install(t, folder):
            shutil.copy(DRIVE, folder)
            d.start_fcgi()
            d.start_lighttpd()
            done = subprocess.run(
                ["node", "drive.mjs", "http://127.0.0.1:%d/v1" % d.port, KEY],
                cwd=folder, timeout=120, capture_output=True, text=True)
            lines = done.stdout.splitlines() or [""]
            for line in lines[:-1]:
                print(line)
            words = lines[-1].split()
            if t.check("the client ran to its end",
                       words[1:2] == ["passed,"], done.stderr[-1500:]):
                t.passed += int(words[0])
                t.failed += int(words[2])
    finally:
        d.close()
    t.end()


if __name__ == "__main__":
    main()
