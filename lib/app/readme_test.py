"""README.md and the other guides say what is true: the files they name are
there, the set-ups of the table are those that the tests run, the samples of
parlance.conf are accepted, the quick start's questions are answered, and
options and settings that are named exist.

usage: readme_test.py BUILD
"""
import glob
import os
import re
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                   "..")
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
from deployment import Deployment, Tally

BUILD = os.path.abspath(sys.argv[1])
tally = Tally()


def read(*path):
    with open(os.path.join(TOP, *path)) as f:
        return f.read()


def blocks(text, kind):
    return re.findall(r"(?ms)^```%s\n(.*?)^```$" % kind, text)


def program(name, *words, **more):
    return subprocess.run([os.path.join(BUILD, name), *words],
                          capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, **more)


GUIDES = ["README.md", "fcgi/README.md"]


def files():
    for guide in GUIDES:
        text = read(guide)
        for name in sorted(set(re.findall(
                r"`((?:fcgi|cgi|lib|conformance|fixtures)/[\w./-]+)`",
                text))):
            tally.check("%s: %s is there" % (guide, name),
                        os.path.exists(os.path.join(TOP, name)))


def table():
    named = set(re.findall(r"`((?:fcgi|cgi)/(?:[\w-]+\.conf|apache\.htaccess))`",
                           read("README.md")))
    run = set("/".join(pair) for pair in re.findall(
        r'self\.file\("(\w+)", "([\w.-]+)"\)', read("fcgi", "webservers.py")))
    tally.equal("the set-ups of README.md are those that tests run", named,
                run)
    there = set(os.path.relpath(path, TOP) for folder in ("fcgi", "cgi")
                for path in glob.glob(os.path.join(TOP, folder, "*.conf"))
                + glob.glob(os.path.join(TOP, folder, "*.htaccess")))
    tally.equal("and no other is there", there - {"fcgi/parlance.conf"}, run)


def samples():
    first, engine = blocks(read("README.md"), "ini")
    site = [line[3:] for block in re.findall(
        r"(?ms)^   ```ini\n(.*?)^   ```$", read("README.md"))
            for line in block.split("\n")]
    with Deployment(BUILD, "") as d:
        for folder in ("faq", "parlance-state"):
            os.makedirs(os.path.join(d.folder, "me", folder), mode=0o700)
        d.write("me/upstream-key", "secret\n")
        key = d.new_key("website")[1]

        def check(name, text):
            path = d.write("sample.conf", text.replace(
                "/home/me", os.path.join(d.folder, "me")) + key)
            env = {n: v for n, v in d.env.items() if n != "PARLANCE_STATE"}
            done = program("parlance", "check", path, env=env)
            tally.check(name + " is accepted", done.returncode == 0,
                        done.stdout + done.stderr)
        check("the first parlance.conf", first)
        public = site[1] + "\n"
        check("and the one with a site", first.replace(
            "[server]\n", "[server]\n" + public, 1)
            + "\n".join(site[2:]) + "\n")
        env = {**d.env, "PARLANCE_CONFIG": os.path.join(d.folder,
                                                        "sample.conf")}
        tally.equal("the line to paste is the one that is printed",
                    program("parlance", "site", "shop", env=env).stdout,
                    re.search(r"(?ms)^   ```html\n   (.*?)^   ```$",
                              read("README.md")).group(1))
        section = engine[:engine.index("[bot help]")]
        line = engine[engine.index("[bot help]"):].split("\n")[1]
        check("and the one with an engine", first.replace(
            "knowledge = faq\n", "knowledge = faq\n" + line + "\n", 1)
            + section)


def quick_start():
    curls = [block for block in blocks(read("README.md"), "sh")
             if block.startswith("curl ")]
    tally.equal("two questions", len(curls), 2)
    with Deployment(BUILD) as d:
        d.start_fcgi()
        d.start_lighttpd()
        for curl, want in zip(curls, ("data: [DONE]", '"answer"')):
            done = subprocess.run(
                ["sh", "-c", curl.replace(":8080", ":%d" % d.port)],
                capture_output=True, text=True, timeout=60)
            tally.check("it is answered", done.returncode == 0 and
                        want in done.stdout, done.stdout[-500:])


def words():
    """Options and settings that the guides name."""
    helps = program("parlance.fcgi", "--help").stdout + \
        program("chatconf", "--help").stdout + \
        program("parlance", "--help").stdout
    settings = program("parlance", "help", "config").stdout
    makefile = read("Makefile")
    for guide in GUIDES:
        text = read(guide)
        for option in sorted(set(re.findall(r"`[^`\n]*?(--[a-z-]+)", text))):
            tally.check("%s: %s exists" % (guide, option), option in helps or
                        option.startswith("--now"), option)
        for target in sorted(set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)\b", text))):
            tally.check("%s: make %s exists" % (guide, target), re.search(
                r"(?m)^(\S+ )*%s( \S+)*:" % target, makefile), target)
        for name in sorted(set(re.findall(r"`\[\w+\] (\w+)", text))):
            tally.check("%s: the setting %s exists" % (guide, name),
                        re.search(r"(?m)^ *%s\b" % name, settings), name)


for test in (files, table, samples, quick_start, words):
    test()
tally.end()
