"""A machine to try packages on: systemd as process 1 of namespaces of its
own, over this machine's files (an overlay in memory takes what is written),
so nothing outside is touched.  That needs root, a cgroup2 hierarchy and
systemd itself.

    outside(test file, build, tally)     # runs `FILE --inside` in there
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..")
SYSTEMD = "/lib/systemd/systemd"
TRIAL = "/root/parlance-trial"  # inside: the packages and these files
SOCKET = "/run/parlance/parlance.sock"
CONF = "/etc/parlance/parlance.conf"

BEGIN = r"""
set -e
base=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base/up" "$base/work" "$base/root"
mount -t overlay -o "lowerdir=/,upperdir=$base/up,workdir=$base/work" \
	overlay "$base/root"
root=$base/root
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
	touch "$root/dev/$name"
	mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
ip link set lo up
mkdir -p "$root$3"
shift
cp -R "$1"/. "$root$2"
# What this machine starts is not started there.
: >"$root/etc/fstab"
rm -rf "$root/var/log/journal" "$root/usr/sbin/policy-rc.d"
for unit in systemd-timesyncd systemd-update-utmp apparmor cron; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
cat >"$root/etc/systemd/system/trial.target" <<END
[Unit]
Requires=basic.target
After=basic.target
AllowIsolate=yes
END
mkdir "$root/$2/old"
cd "$root"
pivot_root . ".$2/old"
umount -l "$2/old"
exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --unit=trial.target --log-target=journal
"""


def cgroup2():
    """Where it is mounted, or None."""
    with open("/proc/self/mounts") as f:
        for line in f:
            if line.split()[2] == "cgroup2":
                return line.split()[1]
    return None


class Machine:
    def __init__(self, files):
        self.base = tempfile.mkdtemp(prefix="parlance-systemd-")
        self.group = os.path.join(cgroup2(), "parlance-test-%d" % os.getpid())
        os.mkdir(self.group)
        self.log = open(os.path.join(files, "begin.log"), "w+")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--net", "--ipc",
             "--uts", "--cgroup", "--kill-child=SIGKILL", "sh", "-c", BEGIN,
             "sh", self.base, files, TRIAL], preexec_fn=self.join_group,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def join_group(self):
        with open(os.path.join(self.group, "cgroup.procs"), "w") as f:
            f.write("0")

    def first(self):
        """The process that is 1 inside, or None."""
        try:
            with open("/proc/%d/task/%d/children" % (
                    self.process.pid, self.process.pid)) as f:
                pid = int(f.read().split()[0])
            with open("/proc/%d/comm" % pid) as f:
                return pid if f.read() == "systemd\n" else None
        except (OSError, IndexError):
            return None

    def enter(self, *command, **more):
        return subprocess.run(
            ["nsenter", "-t", str(self.first()), "-m", "-p", "-n", "-i",
             "-u", "-C", "--wd=/", *command], stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                 "DEBIAN_FRONTEND": "noninteractive"}, **more)

    def is_up(self):
        """True when its target is reached."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            if self.first() is not None and self.enter(
                    "systemctl", "is-active", "-q", "trial.target",
                    stderr=subprocess.DEVNULL).returncode == 0:
                return True
            time.sleep(0.1)
        return False

    def close(self):
        first = self.first()
        if first is not None:
            os.kill(first, signal.SIGKILL)
        elif self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        for folder, _, _ in os.walk(self.group, topdown=False):
            for _ in range(400):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.05)
        os.rmdir(self.base)

    def why(self):
        self.log.seek(0)
        return self.log.read()[-500:].strip().replace("\n", "; ")


def why_not():
    """What is missing to try it here, or None."""
    if os.getuid() != 0:
        return "it needs root"
    for program in ("unshare", "nsenter", "ip", "systemctl", "dpkg",
                    "adduser", "setpriv"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            return "%s is not installed" % program
    if not os.path.exists(SYSTEMD):
        return "systemd is not installed"
    if cgroup2() is None:
        return "no cgroup2 hierarchy is mounted"
    return None


def make(build, *words):
    env = {n: v for n, v in os.environ.items()
           if n not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    subprocess.run(["make", "-s", "BUILD=" + os.path.relpath(build, TOP),
                    *words], cwd=TOP, env=env, check=True,
                   stdout=subprocess.DEVNULL)


def package(build):
    """The package of this build; made unless a newer one is there."""
    debs = glob.glob(os.path.join(build, "parlance_*.deb"))
    sources = glob.glob(os.path.join(build, "parlance*")) + glob.glob(
        os.path.join(TOP, "*cgi", "*")) + [os.path.join(TOP, "Makefile")]
    newest = max(os.path.getmtime(path) for path in sources
                 if not path.endswith(".deb"))
    if not debs or os.path.getmtime(debs[0]) < newest:
        started = time.monotonic()
        make(build, "deb")
        print("make deb     %5.1f s" % (time.monotonic() - started))
    return glob.glob(os.path.join(build, "parlance_*.deb"))[0]


def next_version(deb, folder):
    """The same package, by a version that comes later."""
    tree = os.path.join(folder, "tree")
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control) as f:
        text = f.read()
    with open(control, "w") as f:
        f.write(re.sub(r"(?m)^(Version: .*)$", r"\1+next", text))
    out = os.path.join(folder, "next.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build",
                    tree, out],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)


def outside(test, build, tally):
    """Ends the program: skipped where it cannot be tried."""
    build = os.path.abspath(build)
    reason = why_not()
    if reason is not None:
        tally.skip("the package under systemd: " + reason)
        tally.end()
    with tempfile.TemporaryDirectory() as files:
        shutil.copy(package(build), os.path.join(files, "parlance.deb"))
        next_version(os.path.join(files, "parlance.deb"), files)
        make(build, "install-server", "DESTDIR=" + os.path.join(files, "tree"))
        for path in (test, *glob.glob(os.path.join(HERE, "*.py")),
                     os.path.join(TOP, "conformance", "servers",
                                  "deployment.py")):
            shutil.copy(path, files)
        try:
            machine = Machine(files)
        except OSError as e:
            tally.skip("the package under systemd: %s" % e)
            tally.end()
        try:
            started = time.monotonic()
            if machine.is_up():
                print("it starts    %5.1f s" % (time.monotonic() - started),
                      flush=True)
                done = machine.enter("/usr/bin/python3", os.path.join(
                    TRIAL, os.path.basename(test)), "--inside", timeout=500)
                sys.exit(done.returncode)
            tally.skip("the package under systemd: it does not start here: "
                       + machine.why())
        finally:
            machine.close()
    tally.end()


# ---- inside ------------------------------------------------------------------


def run(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, timeout=300)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
