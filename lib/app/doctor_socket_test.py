"""`parlance doctor` on the FastCGI socket and the state folder: with real web
servers, as root and as another user, on sound and on broken deployments; the
commands that it says fix a fault are run, and fix it.

usage: doctor_socket_test.py BUILD
"""
import glob
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
sys.path.insert(0, os.path.join(TOP, "fcgi"))
from deployment import Deployment, Tally, free_port, wait_until
from webservers import WebServers

BUILD = os.path.abspath(sys.argv[1])
ROOT = os.getuid() == 0
CONF = """
[server]
demo = yes
state = %s
[bot first]
"""
SERVERS = ("lighttpd-fcgi", "nginx-fcgi", "apache-proxy_fcgi")
tally = Tally()


class Seen:
    """What doctor prints: (kind, subject, text, fix) of each finding."""

    def __init__(self, d, env=None, program=None, **more):
        done = subprocess.run(
            [program or os.path.join(d.programs, "parlance"), "doctor"],
            env=env or d.env, capture_output=True, text=True, timeout=60,
            **more)
        self.text, self.code = done.stdout + done.stderr, done.returncode
        self.all = []
        for line in done.stdout.split("\n"):
            found = re.match(r"(ok|note|WRONG) +(\S+) +(.*)", line)
            if found:
                self.all.append(list(found.groups()) + [None])
            elif line.startswith("       fix: "):
                self.all[-1][3] = line[12:]

    def find(self, kind, subject, *parts):
        for finding in self.all:
            if finding[:2] == [kind, subject] and all(
                    part in finding[2] for part in parts):
                return finding
        return None


def has(name, seen, kind, subject, *parts):
    """The finding's fix line, "" without one."""
    found = seen.find(kind, subject, *parts)
    tally.check(name, found is not None and
                (seen.code != 0) == ("WRONG" in seen.text), seen.text)
    return (found or [None] * 4)[3] or ""


def deployment():
    d = Deployment(BUILD, "")
    d.write("parlance.conf", CONF % d.state)
    # Where other users may run it.
    d.programs = os.path.join(d.folder, "programs")
    os.makedirs(d.programs)
    os.chmod(d.folder, 0o755)
    shutil.copy(os.path.join(BUILD, "parlance.cgi"), d.programs)
    os.symlink("parlance.cgi", os.path.join(d.programs, "parlance"))
    return d


def stop(process):
    process.kill()
    process.wait()


def paste(d, line):
    """As an operator pastes it; what it starts in the background is
    returned."""
    if line.endswith(" &"):
        return d.spawn("sh", "-c", "exec env " + line[:-2])
    subprocess.run(["sh", "-c", line], cwd="/", stdin=subprocess.DEVNULL,
                   check=True, timeout=60)
    return None


def as_user():
    """Everything about itself may be seen by any user."""
    return dict(user="daemon", group="daemon", extra_groups=[])


# ---- the socket --------------------------------------------------------------

def sound():
    with deployment() as d:
        servers = WebServers(d).start_all(SERVERS)
        seen = Seen(d)
        for server in servers:
            path = os.path.join(server.folder, "parlance.sock")
            name = server.name.split("-")[0].replace("apache", "Apache")
            has(server.name + ": sound", seen, "ok", "socket", path,
                "somebody listens", name + " may connect")
        tally.equal("nothing is wrong", seen.code, 0)
        if ROOT:
            os.chmod(d.conf, 0o644)
            seen = Seen(d, **as_user())
            for server in servers:
                has(server.name + ": seen by another user", seen, "ok",
                    "socket", os.path.join(server.folder, "parlance.sock"),
                    "may connect")


def broken(name):
    """One web server, and one fault after the other."""
    with deployment() as d:
        server = WebServers(d).start(name)
        path = os.path.join(server.folder, "parlance.sock")
        kind = name.split("-")[0].replace("apache", "Apache")

        def answers():
            try:
                return server.http("GET", "/health-check").status == 200
            except OSError:
                return False
        # Its workers are there then, as whom it connects.
        tally.check(name + ": answers", wait_until(answers))
        if ROOT:
            os.chown(path, 0, 0)
            fix = has(name + ": another's group", Seen(d), "WRONG", "socket",
                       kind + " runs as www-data, who may not connect",
                       "root:root")
            tally.equal(name + ": the line", fix, "chgrp www-data %s && "
                        "chmod 0660 %s" % (path, path))
            tally.check(name + ": it really may not", not answers())
            paste(d, fix)
            has(name + ": fixed", Seen(d), "ok", "socket", path)
            # lighttpd leaves a backend that failed alone for a second.
            tally.check(name + ": and answers", wait_until(answers))
            os.chmod(server.folder, 0o700)
            os.chown(server.folder, 0, 0)
            fix = has(name + ": a closed folder", Seen(d), "WRONG", "socket",
                       "www-data, who cannot enter " + server.folder)
            paste(d, fix)
            has(name + ": opened", Seen(d), "ok", "socket", path)
            # A state folder that is not the program's.
            os.chown(d.state, 0, 0)
            fix = has(name + ": another's state folder", Seen(d), "WRONG",
                       "state", "runs as www-data, who cannot write")
            paste(d, fix)
            tally.equal(name + ": given back", Seen(d).code, 0)
        os.chmod(path, 0o666)
        fix = has(name + ": open to all", Seen(d), "WRONG", "socket",
                   "every user of this machine may connect")
        paste(d, fix)
        has(name + ": closed again", Seen(d), "ok", "socket", path)

        stop(server.backend)
        fix = has(name + ": stale", Seen(d), "WRONG", "socket", path,
                   "is stale: nobody listens there")
        tally.check(name + ": the line starts it", "--socket " + path in fix
                    and fix.startswith("PARLANCE_CONFIG=" + d.conf), fix)
        if ROOT:
            tally.check(name + ": for the web server's group",
                        "--group www-data" in fix, fix)
            seen = Seen(d, **as_user())
            has(name + ": stale, seen by another user", seen, "WRONG",
                "socket", path, "is stale")
        process = paste(d, fix.replace(" parlance.fcgi ",
                                        " %s/parlance.fcgi " % BUILD))
        tally.check(name + ": pasted, it answers", wait_until(answers), fix)
        if not ROOT:
            has(name + ": and is sound", Seen(d), "ok", "socket", path)
        process.terminate()
        process.wait(60)
        tally.check(name + ": it is gone", not os.path.exists(path))
        has(name + ": missing", Seen(d), "WRONG", "socket", path,
            "is not there")
        os.mkdir(path)
        has(name + ": no socket", Seen(d), "WRONG", "socket", path,
            "is no socket")
        os.rmdir(path)

        # It listens at another place than the web server thinks.
        other = os.path.join(d.folder, "other.sock")
        d.spawn(os.path.join(BUILD, "parlance.fcgi"), "--socket", other)
        wait_until(lambda: os.path.exists(other))
        fix = has(name + ": another path", Seen(d), "WRONG", "socket", path,
                   "is not there, which %s names" % kind,
                   "parlance.fcgi listens at " + other)
        tally.equal(name + ": the file's line", fix, {
            "lighttpd": 'var.parlance_socket = "%s"',
            "nginx": "upstream parlance { server unix:%s; }",
            "Apache": "Define PARLANCE_SOCKET %s"}[kind] % other)


def addresses():
    with deployment() as d:
        has("no socket at all", Seen(d), "note", "socket") \
            if not os.path.exists("/lib/systemd/system/parlance.socket") \
            else None
        port = free_port()
        d.spawn(os.path.join(BUILD, "parlance.fcgi"), "--socket",
                "127.0.0.1:%d" % port)
        listener = socket.socket()
        listener.bind(("0.0.0.0", 0))
        listener.listen(16)
        d.spawn("sh", "-c", 'exec "$0" <&%d' % listener.fileno(),
                os.path.join(BUILD, "parlance.fcgi"),
                pass_fds=[listener.fileno()])
        given = socket.socket(socket.AF_UNIX)
        given.bind(os.path.join(d.folder, "given.sock"))
        given.listen(16)
        os.chmod(os.path.join(d.folder, "given.sock"), 0o777)
        d.spawn("sh", "-c", 'exec "$0" <&%d' % given.fileno(),
                os.path.join(BUILD, "parlance.fcgi"),
                pass_fds=[given.fileno()])
        open_port = "port %d can be reached from other machines" \
            % listener.getsockname()[1]
        # Each of the three starts at its own pace.
        wait_until(lambda: all(Seen(d).find(kind, "socket", part)
                               for kind, part in (
                                   ("ok", "127.0.0.1:%d" % port),
                                   ("WRONG", open_port),
                                   ("WRONG", "given.sock"))))
        seen = Seen(d)
        has("an address of this machine", seen, "ok", "socket",
            "127.0.0.1:%d" % port, "for this machine alone")
        fix = has("an address of the network", seen, "WRONG", "socket",
                   open_port)
        tally.check("the line binds it", "--socket 127.0.0.1:%d"
                    % listener.getsockname()[1] in fix, fix)
        has("a socket that was given", seen, "WRONG", "socket",
            "every user of this machine may connect to %s/given.sock"
            % d.folder)
        # Another deployment's are none of its business.
        other = d.write("other.conf", CONF % d.state + "name = other\n")
        seen = Seen(d, env=dict(d.env, PARLANCE_CONFIG=other))
        tally.check("another deployment's", d.folder + "/given.sock" not in
                    seen.text, seen.text)


def files():
    """Other ways to write it, in files that are included; another program's
    socket beside it is not looked at."""
    with deployment() as d:
        servers = WebServers(d)
        parts = os.path.join(d.folder, "parts")
        os.makedirs(parts)
        named = {kind: os.path.join(d.folder, "my %s.sock" % kind
                                    if kind == "lighttpd"
                                    else "my-%s.sock" % kind)
                 for kind in ("nginx", "apache", "lighttpd")}
        d.write("parts/10-site", """# server unix:/run/comment.sock;
upstream php { server unix:/run/php.sock; }
upstream parlance {
    # the socket
    server unix:%s;
}
""" % named["nginx"])
        servers.nginx_fcgi = lambda server: servers.nginx(
            server, "include %s/*-site;" % parts,
            "location / { fastcgi_pass parlance; }\n"
            "location /p { fastcgi_pass unix:/run/php2.sock; }")
        d.write("parts/site.conf", '''<Location "/php">
    SetHandler "proxy:unix:/run/php3.sock|fcgi://php"
</Location>
<Location "/">
    SetHandler "proxy:unix:%s|fcgi://parlance"
</Location>
''' % named["apache"])
        servers.apache_proxy_fcgi = lambda server: servers.apache(
            server, ["proxy", "proxy_fcgi"],
            "IncludeOptional %s/*.conf" % parts)
        d.write("parts/lighttpd.inc", """
var.parlance_socket = "%s"
server.modules += ( "mod_fastcgi" )
fastcgi.server = ( "/php" => (( "socket" => "/run/php4.sock" )),
    "/" => (( "socket" => var.parlance_socket, "check-local" => "disable" )) )
""" % named["lighttpd"])
        servers.lighttpd_fcgi = lambda server: servers.lighttpd(
            server, 'include "%s/lighttpd.inc"' % parts)
        servers.start_all(SERVERS)
        seen = Seen(d)
        for kind, where in (("nginx", "10-site, line 5"),
                            ("apache", "site.conf, line 5"),
                            ("lighttpd", "lighttpd.inc, line 2")):
            fix = has(kind + ": in a file of its own", seen, "WRONG",
                       "socket", named[kind] + " is not there", where)
            tally.check(kind + ": the shell takes the line", "--socket "
                        + named[kind] + " " in fix.replace("'", ""), fix)
        tally.check("other programs' sockets are not looked at",
                    "php" not in seen.text and "comment" not in seen.text,
                    seen.text)


# ---- the state folder --------------------------------------------------------

def tree(folder):
    return sorted((path, os.stat(path).st_mtime_ns)
                  for path in glob.glob(folder + "/**", recursive=True))


def state():
    with deployment() as d:
        before = tree(d.state)
        seen = Seen(d)
        has("no database yet", seen, "ok", "state", "the database can use "
            "WAL")
        has("it is to be made", seen, "note", "database", "will be made")
        tally.equal("nothing is left behind", tree(d.state), before)
        d.cgi("POST", "/v1/chat", {"bot_slug": "first", "prompt": "x",
                                   "stream": False})
        database = os.path.join(d.state, "parlance.db")
        # Who closes it last takes the log along.
        db = sqlite3.connect(database)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        before = tree(d.state)
        has("a database at rest", Seen(d), "ok", "database", '"wal"')
        tally.equal("nothing is made beside it", tree(d.state), before)
        if ROOT:
            os.chown(d.state, 1, 1)
            fix = has("files of another user", Seen(d), "WRONG", "state",
                       "parlance.db belongs to user 0, and its folder to "
                       "user 1")
            paste(d, fix)
            has("given back", Seen(d), "ok", "database")
            tally.equal("not wrong any more", Seen(d).code, 0)
            os.chmod(d.conf, 0o644)
            has("as a user who may not", Seen(d, user=33, group=33,
                extra_groups=[]), "WRONG", "state",
                "cannot be written by user 33")
        os.truncate(database, 8192)
        has("cut short", Seen(d), "WRONG", "database", "was cut short")


def mounts():
    """File systems that are full, read-only, or out of files."""
    with deployment() as d:
        if subprocess.run(["unshare", "--mount", "true"],
                          capture_output=True).returncode != 0:
            tally.skip("a full and a read-only file system: no mount "
                       "namespace can be made here")
            return

        def on(options, then):
            wrapper = d.write("in-mount", "#!/bin/sh\nexec unshare --mount "
                              "sh -c 'mount -t tmpfs -o mode=700,%s tmpfs %s "
                              "&& cd %s && %s; cd / && exec %s/parlance "
                              "doctor'\n" % (options, d.state, d.state,
                                             then, d.programs))
            os.chmod(wrapper, 0o755)
            return Seen(d, program=wrapper)
        seen = on("size=1m", "head -c 2m /dev/zero >full 2>/dev/null")
        has("full", seen, "WRONG", "space", "nothing can be written in")
        has("full, in figures", seen, "WRONG", "space", "0 MB are free")
        seen = on("size=200m", "mount -o remount,ro .")
        has("read-only", seen, "WRONG", "state", "is mounted read-only")
        seen = on("size=200m,nr_inodes=3", "touch a b c 2>/dev/null")
        tally.check("no files can be made", seen.code == 1 and
                    "WRONG" in seen.text and "file" in seen.text, seen.text)
        seen = on("size=200m", "true")
        has("a sound one in memory", seen, "ok", "state", "can use WAL")


for test in (sound, addresses, files, state, mounts):
    started = time.monotonic()
    test()
    print("%-10s %5.1f s" % (test.__name__, time.monotonic() - started))
for name in SERVERS:
    started = time.monotonic()
    broken(name)
    print("%-10s %5.1f s" % (name, time.monotonic() - started))
tally.end()
