"""`parlance doctor`: nothing to find in the seven set-ups as they are; and
with lines left out of them it names the lines.

usage: doctor_test.py BUILD
"""
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
sys.path.insert(0, os.path.join(TOP, "fcgi"))
from deployment import Deployment, Tally
from webservers import NAMES, WebServers

BUILD = sys.argv[1]
CONF = """
[server]
demo = yes
state = %s
[bot first]
"""
tally = Tally()


def doctor(d, *args, **more):
    return subprocess.run([os.path.join(d.build, "parlance"), "doctor",
                           *args], env=d.env, capture_output=True, text=True,
                          timeout=60, **more)


def open_deployment():
    d = Deployment(BUILD, "")
    d.write("parlance.conf", CONF % d.state)
    return d


# As they are.
with open_deployment() as d:
    for server in WebServers(d).start_all():
        done = doctor(d, server.url)
        tally.check(server.name + ": nothing is wrong",
                    done.returncode == 0 and "WRONG" not in done.stdout and
                    "the header arrives" in done.stdout and
                    "piece by piece" in done.stdout, done.stdout)
        wanted = "fastcgi" if "fcgi" in server.name and \
            "wrap" not in server.name else "cgi"
        tally.check(server.name + ": it is recognised",
                    server.name.split("-")[0] in done.stdout.lower() and
                    ", by %s\n" % wanted in done.stdout, done.stdout)
    # Another configuration is another deployment.
    other = d.write("other.conf", CONF % d.state + "name = other\n")
    env = dict(d.env, PARLANCE_CONFIG=other)
    done = subprocess.run([os.path.join(d.build, "parlance"), "doctor",
                           server.url], env=env, capture_output=True,
                          text=True, timeout=60)
    tally.check("another deployment answers", done.returncode == 1 and
                "not this deployment" in done.stdout, done.stdout)
    reply = server.http("GET", "/health-check",
                        headers={"X-Parlance-Probe": "0" * 64})
    tally.check("nobody else can probe", reply.text == '{"status":"ok"}',
                reply)

# What engines upstream need, of both programs.
with open_deployment() as d:
    d.write("parlance.conf", CONF % d.state + "engine = model\n"
            "[engine model]\nurl = http://127.0.0.1:9/v1\nmodel = m\n")
    done = doctor(d, "--no-engine")
    tally.check("libcurl is there", done.returncode == 0 and re.search(
        "ok +libcurl +it .*: libcurl/[0-9.]+ ", done.stdout), done.stdout)
    own = os.path.join(d.folder, "own")
    os.mkdir(own)
    shutil.copy(os.path.join(d.build, "parlance.cgi"), own)
    responder = os.path.join(own, "parlance.fcgi")
    for says, found, code in (("loads: libcurl/8.0", "can load it", 0),
                              ("without libcurl", "cannot load it", 1)):
        with open(responder, "w") as f:
            f.write("#!/bin/sh\necho '%s'\n" % says)
        os.chmod(responder, 0o755)
        done = subprocess.run([os.path.join(own, "parlance.cgi"), "doctor",
                               "--no-engine"],
                              env=d.env, capture_output=True, text=True,
                              timeout=60)
        tally.check("the responder: " + says, done.returncode == code and
                    "%s %s" % (responder, found) in done.stdout, done.stdout)

# With a line left out.
for names, part, subject, fix in [
        (("apache-cgi", "apache-proxy_fcgi", "apache-mod_fcgid"),
         "CGIPassAuth On", "authorization", "CGIPassAuth On"),
        (("apache-proxy_fcgi",), "flushpackets=on", "streams",
         "flushpackets=on"),
        (("apache-mod_fcgid",), "FcgidOutputBufferSize 0", "streams",
         "FcgidOutputBufferSize 0"),
        (("lighttpd-cgi", "lighttpd-fcgi"),
         "server.stream-response-body = 1", "streams",
         "server.stream-response-body = 1"),
        (("nginx-fcgiwrap",), "fastcgi_param NO_BUFFERING 1;", "streams",
         "NO_BUFFERING 1")]:
    with open_deployment() as d:
        for server in WebServers(d, (part,)).start_all(names):
            done = doctor(d, server.url)
            lines = done.stdout.split("\n")
            found = [lines[i + 1] for i, line in enumerate(lines)
                     if line.startswith("WRONG  " + subject)]
            tally.check("%s without %s" % (server.name, part),
                        done.returncode == 1 and found and fix in found[0],
                        done.stdout)

# The files.
with open_deployment() as d:
    done = doctor(d)
    tally.check("files: nothing is wrong", done.returncode == 0, done.stdout)
    os.chmod(d.state, 0o755)
    done = doctor(d)
    tally.check("a state folder open to others", done.returncode == 1 and
                "chmod 0700 " + d.state in done.stdout, done.stdout)
    os.chmod(d.state, 0o700)
    before = sorted(os.listdir(d.state))
    doctor(d)
    tally.equal("nothing is changed", sorted(os.listdir(d.state)), before)
    with open(os.path.join(d.state, "parlance.db"), "w") as f:
        f.write("this is not a database, but it is long enough" * 100)
    done = doctor(d)
    tally.check("a damaged database", done.returncode == 1 and
                "WRONG  database" in done.stdout, done.stdout)
    os.unlink(os.path.join(d.state, "parlance.db"))
    os.rmdir(d.state)
    done = doctor(d)
    tally.check("no state folder", done.returncode == 1 and
                "mkdir -p -m 0700 " + d.state in done.stdout, done.stdout)
    os.mkdir(d.state)
    d.write("parlance.conf", "[server]\nnonsense = 1\n")
    done = doctor(d)
    tally.check("a faulty configuration", done.returncode == 1 and
                "nonsense" in done.stderr, done.stderr)
    done = doctor(d, "a", "b")
    tally.check("wrong usage", done.returncode == 2, done)
tally.end()
