"""A new user's own server: Debian's web servers with the configuration they
come with, and what the head of each of our files says to add and to run,
word for word.  On a machine of its own (trial.py); skipped where systemd
cannot be run.

usage: new_user_test.py BUILD
"""
import json
import os
import re
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conformance", "servers")]
from deployment import Deployment, Tally, wait_until
import load
from trial import CONF, TRIAL, outside, run, write

SHARE = "/usr/share/parlance/"
tally = Tally()


def head(name):
    """(the lines to add, the commands to run) of a file's head."""
    add, commands, adding = [], [], False
    with open(SHARE + name) as f:
        for line in f:
            if not line.startswith("#"):
                break
            if re.match(r"# In (your|a) ", line):
                adding = True
            elif re.match(r"#   (a2enmod|chgrp|chown|systemctl) ", line):
                commands.append(line[4:].strip())
            elif adding and line.startswith("#   "):
                add.append(line[4:])
            elif add:
                adding = False
    return "".join(add), commands


def apache(add):
    write("/etc/apache2/conf-available/parlance.conf", add)
    run("a2enconf", "parlance")


def lighttpd(add):
    with open("/etc/lighttpd/lighttpd.conf", "a") as f:
        f.write("\n" + add)


def nginx(add):
    os.unlink("/etc/nginx/sites-enabled/default")
    write("/etc/nginx/conf.d/parlance.conf", add)


# FastCGI first: with the others, the program is the web server's user's.
CASES = [("fcgi/lighttpd.conf", "lighttpd", lighttpd),
         ("fcgi/nginx.conf", "nginx", nginx),
         ("fcgi/apache-proxy_fcgi.conf", "apache2", apache),
         ("fcgi/apache-mod_fcgid.conf", "apache2", apache),
         ("cgi/lighttpd.conf", "lighttpd", lighttpd),
         ("cgi/nginx-fcgiwrap.conf", "nginx", nginx)]


def listens():
    return run("curl", "-s", "http://127.0.0.1/").returncode == 0


def without(name, unit):
    """The commands forgotten: doctor tells where the reason is."""
    run("chgrp", "parlance", CONF)
    os.chmod(CONF, 0o640)
    run("systemctl", "restart", unit)
    wait_until(listens)
    seen = run("parlance", "doctor", "http://127.0.0.1/").stdout
    fix = re.search(r"WRONG  url .*error log.*\n       fix: (.*)", seen)
    tally.check(name + ": doctor names the log", fix, seen)
    if fix:
        found = run("sh", "-c", fix.group(1)).stdout
        tally.check(name + ": and the reason is there",
                    CONF + ": Permission denied" in found, found)


def follow(name, unit, configure):
    add, commands = head(name)
    tally.check(name + ": it says what to add", add)
    folder = "/etc/" + unit
    shutil.copytree(folder, "/tmp/before", symlinks=True)
    configure(add)
    if any("chgrp" in command for command in commands):
        without(name, unit)
    for command in commands:
        done = run("sh", "-c", command)
        tally.check("%s: %s" % (name, command), done.returncode == 0,
                    done.stderr)
    done = run("systemctl", "restart", unit)
    tally.check(name + ": it starts", done.returncode == 0, run(
        "journalctl", "-u", unit, "-n", "5", "-o", "cat").stdout)
    d = Deployment("/usr/lib/cgi-bin")
    d.port = 80
    wait_until(listens)
    for kind in (load.health, load.bot_quick, load.message_stream):
        try:
            ok, seen = kind(d.http)
        except OSError as e:
            ok, seen = False, e
        tally.check("%s: %s" % (name, kind.__name__), ok, seen)
    done = run("parlance", "doctor", "http://127.0.0.1/")
    tally.check(name + ": doctor is content", done.returncode == 0 and
                "piece by piece" in done.stdout, done.stdout)
    run("systemctl", "stop", unit)
    shutil.rmtree(folder)
    shutil.copytree("/tmp/before", folder, symlinks=True)
    shutil.rmtree("/tmp/before")


def inside():
    # A machine may have its own ways already.
    run("a2disconf", "parlance")
    done = run("dpkg", "-i", TRIAL + "/parlance.deb")
    tally.check("dpkg -i", done.returncode == 0, done.stderr)
    with open(CONF) as f:
        shipped = f.read()
    write(CONF, load.CONF % "/var/lib/parlance")
    write("/etc/parlance/recordings.json", json.dumps(load.RECORDINGS))
    tally.check("the shipped file is another", "demo" not in shipped)
    for case in CASES:
        started = time.monotonic()
        follow(*case)
        print("%-28s %5.1f s" % (case[0], time.monotonic() - started),
              flush=True)
    tally.end()


if sys.argv[1] == "--inside":
    inside()
else:
    outside(__file__, sys.argv[1], tally)
