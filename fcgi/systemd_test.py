"""The Debian package under a real systemd (trial.py): installed, asked through
its socket and through web servers, restarted and upgraded under load, its
sandbox in force, purged; and `make install` without a package.  Skipped where
systemd cannot be run.

usage: systemd_test.py BUILD
"""
import json
import os
import re
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "conformance", "servers")]
from deployment import Deployment, Tally, wait_until
import load
from trial import CONF, SOCKET, TRIAL, outside, run, write

tally = Tally()

# What the service may and may not, tried in its own sandbox.
PROBE = r"""
import ctypes, errno, json, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def tried(what):
    try:
        what()
        return "done"
    except OSError as e:
        return errno.errorcode[e.errno]
def call(name, *arguments):
    def what():
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)
    return what
def write(path):
    def what():
        with open(path, "w") as f:
            f.write("x")
    return what
with open("/proc/self/status") as f:
    status = dict(line.rstrip().split(":\t") for line in f if ":\t" in line)
result = {
    "user": os.getuid(), "groups": os.getgroups(),
    "privileges": status["NoNewPrivs"].strip(),
    "capabilities": status["CapBnd"].strip(),
    "seccomp": status["Seccomp"].strip(),
    "umask": status["Umask"].strip(),
    "state": tried(write("/var/lib/parlance/probe")),
    "other state": tried(write("/var/lib/probe")),
    "run": tried(write("/run/parlance/probe")),
    "shared memory": tried(write("/dev/shm/probe")),
    "programs": tried(write("/usr/lib/cgi-bin/parlance.fcgi")),
    "configuration": tried(write("/etc/parlance/parlance.conf")),
    "own configuration": tried(lambda: open("/etc/parlance/parlance.conf")),
    "kernel": tried(write("/proc/sys/kernel/hostname")),
    "disks": tried(lambda: open("/dev/ptmx", "rb").close() or os.stat(
        "/dev/tty")),
    "private tmp": os.listdir("/tmp"),
    "namespaces": tried(call("unshare", 0x10000000)),
    "mount": tried(call("mount", b"none", b"/tmp", b"tmpfs", 0, None)),
    "chroot": tried(call("chroot", b"/tmp")),
    "packets": tried(lambda: socket.socket(socket.AF_PACKET,
                                           socket.SOCK_RAW, 0)),
    "network": tried(lambda: socket.socket(socket.AF_INET)),
    "code": tried(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ |
                                    mmap.PROT_WRITE | mmap.PROT_EXEC)),
    "set-user-id": tried(lambda: os.chmod("/var/lib/parlance/probe",
                                          0o4755)),
}
with open("/var/lib/parlance/probe.json", "w") as f:
    json.dump(result, f)
os.unlink("/var/lib/parlance/probe")
"""
WANTED = {
    "privileges": "1", "capabilities": "0000000000000000", "seccomp": "2",
    "umask": "0077", "state": "done", "other state": "EROFS", "run": "EACCES",
    "programs": "EROFS", "configuration": "EROFS",
    "own configuration": "done", "kernel": "EROFS", "private tmp": [],
    "namespaces": "EPERM", "mount": "EPERM", "chroot": "EPERM",
    "packets": "EAFNOSUPPORT", "network": "done", "code": "EPERM",
    "set-user-id": "EPERM",
}
LIGHTTPD = """
server.document-root = "/var/www"
server.bind = "127.0.0.1"
server.port = 8001
server.username = "www-data"
server.groupname = "www-data"
var.parlance_socket = "/run/parlance/parlance.sock"
include "/usr/share/parlance/fcgi/lighttpd.conf"
"""
NGINX = """
user www-data;
pid /run/nginx.pid;
events { }
http {
    access_log off;
    upstream parlance { server unix:/run/parlance/parlance.sock; }
    server {
        listen 127.0.0.1:8002;
        include /usr/share/parlance/fcgi/nginx.conf;
    }
}
"""


def did(name, *command):
    done = run(*command)
    tally.check(name, done.returncode == 0, done.stdout + done.stderr)
    return done.stdout


def state_of(unit):
    return run("systemctl", "is-active", unit).stdout.strip()


def main_pid():
    return run("systemctl", "show", "-P", "MainPID",
               "parlance.service").stdout.strip()


def journal():
    return run("journalctl", "-u", "parlance.service", "-o", "cat",
               "--no-pager").stdout


def modes(*paths):
    done = run("stat", "-c", "%U:%G %a", *paths)
    return done.stdout.split("\n")[:-1]


def installed(*_):
    did("dpkg -i", "dpkg", "-i", TRIAL + "/parlance.deb")
    tally.equal("the socket listens", state_of("parlance.socket"), "active")
    tally.equal("and begins with the machine", run(
        "systemctl", "is-enabled", "parlance.socket").stdout, "enabled\n")
    tally.equal("the service waits for a request",
                state_of("parlance.service"), "inactive")
    tally.equal("owners and modes", modes(
        SOCKET, "/run/parlance", CONF, "/var/lib/parlance"),
        ["root:www-data 660", "root:root 755", "root:parlance 640",
         "parlance:parlance 700"])
    connect = "import socket; s = socket.socket(socket.AF_UNIX); " \
        "s.connect('%s')" % SOCKET
    for user, want in (("www-data", 0), ("daemon", 1)):
        done = run("setpriv", "--reuid=" + user, "--regid=" + user,
                   "--clear-groups", "/usr/bin/python3", "-c", connect)
        tally.check("%s %s" % (user, "may connect" if want == 0
                               else "may not connect"),
                    done.returncode == want and
                    (want == 0 or "PermissionError" in done.stderr),
                    done.stderr)
    # That was a first request; the next one is to find our configuration.
    tally.check("a connection starts the service", wait_until(
        lambda: state_of("parlance.service") == "active"))
    # A connection that was not accepted yet starts it once more.

    def at_rest():
        run("systemctl", "stop", "parlance.service")
        time.sleep(0.5)
        return state_of("parlance.service") == "inactive"
    tally.check("stopped, it waits again", wait_until(at_rest))
    tally.equal("and the socket listens", state_of("parlance.socket"),
                "active")


def asked(d, _):
    write(CONF, load.CONF % "/var/lib/parlance" + "# mine\n")
    write("/etc/parlance/recordings.json", json.dumps(load.RECORDINGS))
    started = time.monotonic()
    reply = d.fcgi("GET", "/health-check")
    tally.equal("a request starts it (%.0f ms)" % (
        1000 * (time.monotonic() - started)), reply.text, '{"status":"ok"}')
    tally.equal("the service runs", state_of("parlance.service"), "active")
    secret = "a question of mine"
    reply = d.fcgi("POST", "/v1/chat", {"bot_slug": "first",
                                        "prompt": secret, "stream": False})
    tally.equal("it answers", reply.status, 200)
    request = reply.headers["x-request-id"]
    wait_until(lambda: request in journal())
    lines = [line for line in journal().split("\n") if request in line]
    tally.check("a line in the journal, without words or keys",
                len(lines) == 1 and "status=200" in lines[0] and
                secret not in journal() and "demo-key" not in journal(),
                journal())


def web_servers(_, asks):
    """As the head of each file says: a new user's web server."""
    for name, path, text, port in (
            ("lighttpd", "/etc/lighttpd/lighttpd.conf", LIGHTTPD, 8001),
            ("nginx", "/etc/nginx/nginx.conf", NGINX, 8002)):
        if shutil.which(name, path="/usr/sbin") is None:
            continue
        write(path, text)
        did("systemctl start " + name, "systemctl", "start", name)
        d = Deployment("/usr/lib/cgi-bin")
        d.port = port
        asks.append(d.http)
        wait_until(lambda: run("curl", "-s", "http://127.0.0.1:%d/" % port)
                   .returncode == 0)
        for kind in (load.bot_quick, load.message_stream):
            ok, seen = kind(d.http)
            tally.check("%s: %s" % (name, kind.__name__), ok, seen)


def doctor(d, _):
    """It knows the unit and the web servers, and its commands fix it."""
    def examine(*words):
        return run("parlance", "doctor", *words).stdout

    def fix(name, text):
        seen = examine()
        line = re.search(r"WRONG  socket +.*%s.*\n       fix: (.*)" % text,
                         seen)
        tally.check(name + ": it sees it", line is not None, seen)
        if line is not None:
            did(name + ": the line runs", "sh", "-c", line.group(1))
        seen = examine()
        tally.check(name + ": fixed", "WRONG" not in seen and
                    "somebody listens (root:www-data, mode 0660)" in seen,
                    seen)
        tally.equal(name + ": it answers",
                    d.fcgi("GET", "/health-check").status, 200)
    for port in (8001, 8002):
        seen = examine("http://127.0.0.1:%d" % port)
        tally.check("doctor is content", "no problems found" in seen and
                    "lighttpd and nginx may connect" in seen and
                    SOCKET + ": somebody listens" in seen, seen)
    run("chgrp", "daemon", SOCKET)
    fix("another group", "who may not connect")
    run("chmod", "0666", SOCKET)
    fix("open to all", "every user")
    run("systemctl", "stop", "parlance.socket", "parlance.service")
    fix("stopped", "is not there")
    shutil.rmtree("/etc/systemd/system/parlance.socket.d")
    run("systemctl", "daemon-reload")


def restarts(_, asks):
    clients = load.Load(asks, threads=9)
    quick = load.Load(asks, threads=2, kinds=(load.health, load.bot_quick))
    pids = {main_pid()}
    for _ in range(3):
        time.sleep(0.7)
        did("systemctl restart under load", "systemctl", "restart",
            "parlance.service")
        pids.add(main_pid())
    time.sleep(0.5)
    clients.stop()
    quick.stop()
    tally.equal("no quick question failed", quick.failures, [])
    tally.equal("three times another process", len(pids), 4)
    tally.check("no request failed in three restarts (%d served)"
                % clients.total(), not clients.failures and
                len(clients.served) == len(load.KINDS), clients.failures[:3])
    print("served over three restarts: %s" % clients.served)
    print("slowest quick question: %.2f s" % max(quick.slowest.values()))


def updates(_, asks):
    """Another instance serves the socket while the service restarts: who has
    a quick question does not wait for the end of anybody's stream."""
    # The machine may be busy with something else: the best of three.
    for _ in range(3):
        slowest = update(asks)
        if max(slowest.values()) < 0.6:
            break
    tally.check("quick questions are answered at once (%.2f s)"
                % max(slowest.values()), max(slowest.values()) < 0.6, slowest)
    print("slowest quick question: %.2f s" % max(slowest.values()))


def update(asks):
    """How long the slowest quick question of each kind took."""
    clients = load.Load(asks, threads=9)
    quick = load.Load(asks, threads=2, kinds=(load.health, load.bot_quick))
    before = main_pid()
    for _ in range(2):
        time.sleep(0.7)
        did("beside it", "systemctl", "start", "parlance@update.service")
        did("restart", "systemctl", "restart", "parlance.service")
        did("and alone again", "systemctl", "stop",
            "parlance@update.service")
    time.sleep(0.3)
    clients.stop()
    quick.stop()
    tally.equal("nor a quick one", quick.failures, [])
    tally.check("another process", main_pid() not in (before, "0"))
    tally.check("no request failed in two updates (%d served)"
                % clients.total(), not clients.failures and
                len(clients.served) == len(load.KINDS), clients.failures[:3])
    return quick.slowest


def reloads(d, _):
    pid = main_pid()
    with open(CONF) as f:
        text = f.read()
    write(CONF, text + "[bot second]\nname = second\n")
    did("systemctl reload", "systemctl", "reload", "parlance.service")
    tally.check("the new bot is there", wait_until(
        lambda: "second" in d.fcgi("GET", "/v1/bots").text))
    write(CONF, text + "nonsense = 1\n")
    run("systemctl", "reload", "parlance.service")
    tally.check("what is wrong is in the journal", wait_until(
        lambda: "parlance.conf:" in journal() and "nonsense" in journal()),
        journal()[-500:])
    tally.check("the old one goes on", "second" in d.fcgi(
        "GET", "/v1/bots").text)
    write(CONF, text)
    run("systemctl", "reload", "parlance.service")
    tally.equal("all by one process", main_pid(), pid)


def sandbox(*_):
    write("/usr/local/lib/probe.py", PROBE)
    with open("/lib/systemd/system/parlance.service") as f:
        text = f.read()
    text = re.sub(r"(?m)^ExecStart=.*", "Type=oneshot\nExecStart="
                  "/usr/bin/python3 /usr/local/lib/probe.py", text)
    text = re.sub(r"(?m)^Restart=.*\n", "", text)
    write("/run/systemd/system/probe.service", text)
    run("systemctl", "daemon-reload")
    did("the probe runs in the unit's sandbox", "systemctl", "start",
        "probe.service")
    with open("/var/lib/parlance/probe.json") as f:
        seen = json.load(f)
    os.unlink("/var/lib/parlance/probe.json")
    for name, want in WANTED.items():
        tally.equal("sandbox: " + name, seen[name], want)
    tally.check("sandbox: not root", seen["user"] != 0 and
                0 not in seen["groups"], seen)
    with open("/proc/%s/status" % main_pid()) as f:
        status = f.read()
    tally.check("the service itself has it", "NoNewPrivs:\t1\n" in status and
                "Seccomp:\t2\n" in status and
                "CapBnd:\t0000000000000000\n" in status, status)
    done = run("systemd-analyze", "security", "--no-pager",
               "parlance.service")
    level = re.search(r"Overall exposure level.*?: (\d+\.\d+)", done.stdout)
    tally.check("systemd-analyze security", level is not None and
                float(level.group(1)) < 2.0, done.stdout[-2000:])
    print("systemd-analyze security: %s" % (level and level.group(1)))


def crash(d, _):
    pid = int(main_pid())
    os.kill(pid, signal.SIGKILL)
    tally.equal("a killed service is started again",
                d.fcgi("GET", "/health-check").text, '{"status":"ok"}')
    tally.check("by systemd", main_pid() not in ("0", str(pid)), main_pid())


def upgraded(_, asks):
    pid = main_pid()
    clients = load.Load(asks, threads=6)
    time.sleep(0.5)
    did("upgrade under load", "dpkg", "-i", TRIAL + "/next.deb")
    time.sleep(0.5)
    clients.stop()
    tally.check("no request failed in the upgrade (%d served)"
                % clients.total(), not clients.failures and clients.total(),
                clients.failures[:3])
    tally.check("the new version serves", main_pid() != pid, main_pid())
    with open(CONF) as f:
        tally.check("the configuration is kept", f.read().endswith(
            "# mine\n"))
    tally.equal("and its owner and mode", modes(CONF), ["root:parlance 640"])


def disabled(*_):
    """What the owner switched off stays off in an upgrade."""
    run("systemctl", "disable", "--now", "parlance.socket",
        "parlance.service")
    os.chmod(CONF, 0o600)
    did("another upgrade", "dpkg", "-i", TRIAL + "/next.deb")
    tally.equal("it is still disabled", run(
        "systemctl", "is-enabled", "parlance.socket").stdout, "disabled\n")
    tally.check("and nothing was started", not os.path.exists(SOCKET))
    tally.equal("the owner's mode is kept", modes(CONF),
                ["root:parlance 600"])
    os.chmod(CONF, 0o640)
    run("systemctl", "enable", "--now", "parlance.socket")


def removed(*_):
    did("dpkg --remove", "dpkg", "--remove", "parlance")
    tally.check("nothing listens", not os.path.exists(SOCKET) and
                state_of("parlance.service") != "active")
    tally.check("configuration and conversations are kept",
                os.path.exists(CONF) and
                os.path.exists("/var/lib/parlance/parlance.db"))
    did("dpkg --purge", "dpkg", "--purge", "parlance")
    left = [path for path in (
        "/etc/parlance", "/var/lib/parlance", "/usr/bin/parlance",
        "/usr/share/parlance", "/lib/systemd/system/parlance.service",
        "/lib/systemd/system/parlance@.service",
        "/etc/systemd/system/sockets.target.wants/parlance.socket",
        "/etc/systemd/system/multi-user.target.wants/parlance.service")
        if os.path.lexists(path)]
    tally.equal("purging leaves nothing", left,
                ["/etc/parlance"])  # the recordings are not the package's
    tally.equal("systemd knows it no more", run(
        "systemctl", "show", "-P", "LoadState", "parlance.socket").stdout,
        "not-found\n")
    tally.check("nor is there its user", run(
        "getent", "passwd", "parlance").returncode != 0)


def by_make_install(d, _):
    """As fcgi/README.md says it, without a package."""
    tree = os.path.join(TRIAL, "tree")
    did("its files", "cp", "-a", tree + "/.", "/")
    did("systemd-sysusers", "systemd-sysusers")
    did("chgrp", "chgrp", "parlance", CONF)
    did("systemctl daemon-reload", "systemctl", "daemon-reload")
    did("systemctl enable --now", "systemctl", "enable", "--now",
        "parlance.socket")
    tally.equal("make install: it answers", d.fcgi(
        "GET", "/health-check").text, '{"status":"ok"}')
    seen = run("/usr/local/bin/parlance", "doctor").stdout
    tally.check("make install: only a key is missing",
                "1 problem found" in seen and "there is no key" in seen, seen)
    key = run("/usr/local/bin/parlance", "key", "new", "mine").stdout
    with open(CONF, "a") as f:
        f.write(key[key.index("[key"):])
    run("systemctl", "reload", "parlance.service")
    word = re.search(r"(?m)^  (\S+)$", key).group(1)
    tally.check("make install: a key of its own", wait_until(
        lambda: d.fcgi("GET", "/v1/bots", key=word).status == 200), key)


def inside():
    with Deployment("/usr/lib/cgi-bin") as d:
        d.address = SOCKET
        asks = [d.fcgi]
        for test in (installed, asked, web_servers, doctor, restarts,
                     updates, reloads, sandbox, crash, upgraded, disabled,
                     removed, by_make_install):
            started = time.monotonic()
            test(d, asks)
            print("%-12s %5.1f s" % (test.__name__,
                                     time.monotonic() - started), flush=True)
    tally.end()


if sys.argv[1] == "--inside":
    inside()
else:
    outside(__file__, sys.argv[1], tally)
