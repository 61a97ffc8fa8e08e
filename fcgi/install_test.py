"""Installing: `make install` below another root, manual pages, systemd units,
and the Debian packages, which are really installed and removed again when
this runs as root on a machine that does not have them.

usage: install_test.py BUILD
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TOP, "conformance", "servers"))
from deployment import Tally, free_port, wait_until

BUILD = os.path.abspath(sys.argv[1])
tally = Tally()


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True,
                          timeout=300, stdin=subprocess.DEVNULL, cwd=TOP,
                          **more)


def make(*arguments):
    env = {n: v for n, v in os.environ.items()
           if n not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PREFIX",
                        "DESTDIR")}
    # As it was named before: the dependencies know the objects by that.
    return run("make", "--no-print-directory",
               "BUILD=" + os.path.relpath(BUILD, TOP), *arguments, env=env)


def installed(root):
    done = make("install", "DESTDIR=" + root, "PREFIX=/opt/parlance")
    tally.check("make install", done.returncode == 0, done.stderr)
    base = os.path.join(root, "opt/parlance")
    for name in ("bin/parlance", "bin/chatconf", "lib/cgi-bin/parlance.cgi",
                 "lib/cgi-bin/parlance.fcgi",
                 "share/parlance/fcgi/nginx.conf",
                 "share/parlance/cgi/apache.htaccess",
                 "lib/systemd/system/parlance.service",
                 "lib/systemd/system/parlance@.service",
                 "lib/systemd/system/parlance.socket"):
        tally.check(name, os.path.exists(os.path.join(base, name)))
    stray = [os.path.join(folder, name)
             for folder, _, names in os.walk(root) for name in names
             if not os.path.join(folder, name).startswith(base)]
    conf = os.path.join(root, "etc/parlance/parlance.conf")
    tally.equal("nothing else outside of the prefix", stray, [conf])
    with open(conf) as f:
        text = f.read()
    state = os.path.join(root, "state")
    os.mkdir(state, 0o700)
    done = run(os.path.join(base, "bin/parlance"), "check",
               env=dict(os.environ, PARLANCE_CONFIG=conf,
                        PARLANCE_STATE=state))
    tally.check("its configuration is sound", done.returncode == 0,
                done.stderr)
    with open(conf, "a") as f:
        f.write("# mine\n")
    make("install-server", "DESTDIR=" + root, "PREFIX=/opt/parlance")
    with open(conf) as f:
        tally.equal("installing again keeps the configuration", f.read(),
                    text + "# mine\n")
    done = run(os.path.join(base, "bin/chatconf"), "--list",
               env=dict(os.environ, CHATCONF_KEY="x"))
    tally.check("chatconf finds its cases", "cases" in done.stdout + done.
                stderr and done.returncode == 0, done.stdout[-300:] +
                done.stderr)
    done = make("install-cgi", "DESTDIR=" + root, "CGIDIR=/srv/cgi")
    tally.check("make install-cgi", os.access(
        os.path.join(root, "srv/cgi/parlance.cgi"), os.X_OK), done.stderr)
    done = make("install-cgi")
    tally.check("install-cgi wants a folder", done.returncode != 0 and
                "CGIDIR" in done.stderr, done.stderr)


def manuals(root):
    pages = glob.glob(os.path.join(root, "opt/parlance/share/man/man*/*"))
    tally.equal("four manual pages", len(pages), 4)
    for page in pages:
        done = run("man", "--warnings=w", "-l", page,
                   env=dict(os.environ, MANPAGER="cat", LC_ALL="C.UTF-8"))
        name = os.path.basename(page)
        tally.check(name + " renders", done.returncode == 0 and
                    not done.stderr and len(done.stdout) > 300, done.stderr)
        # What --help names, the page names.
        if name != "parlance.fcgi.8":
            continue
        for option in ("--socket", "--group", "--take-over", "--workers",
                       "--stop-seconds"):
            tally.check("%s names %s" % (name, option),
                        option in done.stdout, done.stdout)


def units(root):
    folder = os.path.join(root, "opt/parlance/lib/systemd/system")
    with open(os.path.join(folder, "parlance.service")) as f:
        text = f.read()
    tally.check("the unit names the installed program",
                "ExecStart=/opt/parlance/lib/cgi-bin/parlance.fcgi" in text
                and "@" not in text.replace("@system-service", "").replace(
                    "@privileged", ""), text)
    if shutil.which("systemd-analyze") is None:
        return
    # verify looks for the program at its place.
    text = text.replace("/opt/parlance/lib/cgi-bin/parlance.fcgi",
                        os.path.join(BUILD, "parlance.fcgi"))
    text = "\n".join(line for line in text.split("\n")
                     if not line.startswith("Documentation"))
    with open(os.path.join(folder, "parlance.service"), "w") as f:
        f.write(text)
    done = run("systemd-analyze", "verify", "--man=no",
               os.path.join(folder, "parlance.service"),
               os.path.join(folder, "parlance.socket"))
    ours = [line for line in (done.stdout + done.stderr).split("\n")
            if "parlance" in line and "ignoring" in line.lower()
            or "Unknown" in line and "parlance" in line]
    tally.equal("systemd knows every setting", ours, [])


def get(url):
    """None: it does not answer yet."""
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.read()
    except OSError:
        return None


def try_package(folder):
    """The installed server behind the installed lighttpd file."""
    processes = []
    try:
        sock = os.path.join(folder, "parlance.sock")
        os.chmod(folder, 0o777)
        processes.append(subprocess.Popen(
            ["/usr/lib/cgi-bin/parlance.fcgi", "--socket", sock],
            user="parlance", group="parlance", extra_groups=[],
            env={"PARLANCE_CONFIG": "/etc/parlance/parlance.conf"},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE))
        port = free_port()
        conf = os.path.join(folder, "lighttpd.conf")
        with open(conf, "w") as f:
            f.write('server.document-root = "%s"\nserver.bind = "127.0.0.1"\n'
                    'server.port = %d\nvar.parlance_socket = "%s"\n'
                    'include "/usr/share/parlance/fcgi/lighttpd.conf"\n'
                    % (folder, port, sock))
        wait_until(lambda: os.path.exists(sock))
        processes.append(subprocess.Popen(
            [shutil.which("lighttpd", path="/usr/sbin:/usr/bin"), "-D",
             "-f", conf], stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL))
        body = wait_until(lambda: get(
            "http://127.0.0.1:%d/health-check" % port))
        tally.equal("the installed server answers", body, b'{"status":"ok"}')
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def packages(folder):
    done = make("deb")
    debs = sorted(glob.glob(os.path.join(BUILD, "*.deb")))
    tally.check("make deb", done.returncode == 0 and len(debs) == 2,
                done.stderr + str(debs))
    for deb in debs:
        done = run("dpkg-deb", "-x", deb, os.path.join(folder, "x"))
        tally.check("it unpacks", done.returncode == 0, done.stderr)
    present = run("dpkg-query", "-W", "-f", "${Status}", "parlance",
                  "chatconf").stdout
    if os.getuid() != 0 or "installed" in present.replace(
            "not-installed", "") or os.path.exists("/etc/parlance"):
        print("the packages are not installed for real here")
        return
    done = run("dpkg", "-i", *debs)
    try:
        tally.check("dpkg -i", done.returncode == 0, done.stderr)
        done = run("parlance", "check", env={"PATH": "/usr/bin:/bin"})
        tally.check("parlance check", done.returncode == 0, done.stderr)
        done = run("chatconf", "--list", env={"PATH": "/usr/bin:/bin"})
        tally.check("chatconf --list", done.returncode == 0, done.stderr)
        try_package(tempfile.mkdtemp(dir=folder))
    finally:
        done = run("dpkg", "--purge", "parlance", "chatconf")
    left = [path for path in ("/usr/bin/parlance", "/usr/bin/chatconf",
                              "/etc/parlance", "/var/lib/parlance",
                              "/usr/share/parlance") if os.path.exists(path)]
    tally.check("purging leaves nothing", done.returncode == 0 and
                left == [], (done.stderr, left))


with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    root = os.path.join(folder, "root")
    os.mkdir(root)
    for test in (installed, manuals, units):
        test(root)
    packages(folder)
tally.end()
