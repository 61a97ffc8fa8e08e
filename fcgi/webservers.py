"""Starts each of the seven web-server set-ups on a free port of 127.0.0.1.

The files of cgi/ and fcgi/ that people are told to use are included as they
are; what is written here is what a system's own configuration holds: modules,
port, user, logs.

    servers = WebServers(deployment)     # a Deployment of deployment.py
    for server in servers.start_all(): server.http("GET", "/health-check")

As root, everything runs as www-data, as on a real server.
"""
import copy
import grp
import os
import pwd
import shutil
import socket
import subprocess

from deployment import TOP, FastCGI, free_port

NAMES = ("apache-cgi", "apache-proxy_fcgi", "apache-mod_fcgid",
         "lighttpd-cgi", "lighttpd-fcgi", "nginx-fcgi", "nginx-fcgiwrap")

APACHE = """
ServerRoot "%(folder)s"
ServerName localhost
PidFile "%(folder)s/pid"
Listen 127.0.0.1:%(port)d
ErrorLog "%(folder)s/error.log"
DocumentRoot "%(site)s"
Mutex posixsem
%(modules)s
%(user)s
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory "%(site)s">
    Require all granted
    AllowOverride All
</Directory>
StartServers 1
ServerLimit 2
ThreadsPerChild 32
MaxRequestWorkers 64
%(rest)s
"""

LIGHTTPD = """
server.document-root = "%(site)s"
server.bind = "127.0.0.1"
server.port = %(port)d
server.errorlog = "%(folder)s/error.log"
%(user)s
%(rest)s
"""

NGINX = """
daemon off;
worker_processes 1;
pid %(folder)s/pid;
error_log %(folder)s/error.log;
%(user)s
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    %(upstream)s
    server {
        listen 127.0.0.1:%(port)d;
        %(rest)s
    }
}
"""


def find(program):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        raise RuntimeError(program + " is not installed")
    return path


class WebServer:
    def __init__(self, deployment, name, folder, base=""):
        self.name, self.folder, self.base = name, folder, base
        self.port = free_port()
        self.process = self.backend = None
        # The request functions of a deployment, at another port.
        self.client = copy.copy(deployment)
        self.client.port = self.port

    @property
    def url(self):
        return "http://127.0.0.1:%d%s" % (self.port, self.base)

    def http(self, method, uri, *args, **more):
        return self.client.http(method, self.base + uri, *args, **more)

    def log(self):
        try:
            with open(os.path.join(self.folder, "error.log"),
                      errors="replace") as f:
                return f.read()[-3000:]
        except OSError:
            return ""


class WebServers:
    def __init__(self, deployment, without=()):
        """without: lines (or parts of them) that are left out of the files;
        for looking at what happens then."""
        self.d = deployment
        self.without = without
        self.root = os.getuid() == 0
        self.owner = {}
        if self.root:
            www = pwd.getpwnam("www-data")
            self.owner = dict(user=www.pw_uid, group=www.pw_gid,
                              extra_groups=[])
            os.chmod(self.d.folder, 0o755)
            for folder, _, files in os.walk(self.d.folder):
                os.chown(folder, www.pw_uid, www.pw_gid)
                for name in files:
                    os.chown(os.path.join(folder, name), www.pw_uid,
                             www.pw_gid)
        # The programs where www-data may run them.
        self.programs = os.path.join(self.d.folder, "programs")
        os.makedirs(self.programs, exist_ok=True)
        for program in ("parlance.cgi", "parlance.fcgi"):
            shutil.copy(os.path.join(self.d.build, program), self.programs)
        # Beside a program is where its configuration is looked for.
        shutil.copy(self.d.conf, os.path.join(self.programs,
                                              "parlance.conf"))
        for name in os.listdir(self.d.folder):
            if name.endswith(".json"):
                shutil.copy(os.path.join(self.d.folder, name), self.programs)
        self.servers = []

    def spawn(self, name, *command, **more):
        with open(os.path.join(self.d.folder, name + ".log"), "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.d.env, **more)
        self.d.processes.append(process)
        return process

    def start_all(self, names=NAMES):
        for name in names:
            self.start(name)
        return self.servers

    def start(self, name):
        folder = os.path.join(self.d.folder, name)
        os.makedirs(os.path.join(folder, "site"), exist_ok=True)
        os.chmod(folder, 0o755)
        if self.root:
            os.chown(folder, self.owner["user"], self.owner["group"])
        server = WebServer(self.d, name, folder)
        self.servers.append(server)
        getattr(self, name.replace("-", "_"))(server)
        self.await_port(server)
        return server

    def await_port(self, server):
        def ready():
            # Connections are taken before the workers are there.
            try:
                with socket.create_connection(("127.0.0.1", server.port),
                                              30) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    return s.recv(5) == b"HTTP/"
            except OSError:
                return False
        try:
            self.d.wait_for(ready, server.name, server.process)
        except (RuntimeError, FileNotFoundError):
            with open(os.path.join(self.d.folder,
                                   server.name + ".log")) as f:
                raise RuntimeError("%s did not start: %s %s" % (
                    server.name, f.read()[-2000:], server.log()))

    def file(self, *path):
        """One of the files people are told to use, as it is."""
        path = os.path.join(TOP, *path)
        if not self.without:
            return path
        with open(path) as f:
            lines = f.readlines()
        copied = os.path.join(self.programs, os.path.basename(
            os.path.dirname(path)) + "-" + os.path.basename(path))
        with open(copied, "w") as f:
            for line in lines:
                for part in self.without:
                    line = line.replace(part, "")
                f.write(line)
        return copied

    def responder(self, server):
        """parlance.fcgi, as its service runs it."""
        path = os.path.join(server.folder, "parlance.sock")
        server.backend = self.spawn(
            server.name + "-responder",
            os.path.join(self.programs, "parlance.fcgi"), "--socket", path,
            "--workers", "64", **self.owner)

        def ready():
            return os.path.exists(path)
        self.d.wait_for(ready, "parlance.fcgi", server.backend)
        return path

    # -- Apache -----------------------------------------------------------

    def apache(self, server, modules, rest):
        base = ["mpm_event", "authz_core", "authz_host", "mime", "dir",
                "alias", "setenvif", "env"]
        user = "User www-data\nGroup www-data" if self.root else ""
        path = "/usr/lib/apache2/modules"
        text = APACHE % {
            "folder": server.folder, "port": server.port, "user": user,
            "site": os.path.join(server.folder, "site"), "rest": rest,
            "modules": "\n".join(
                'LoadModule %s_module "%s/mod_%s.so"' % (m, path, m)
                for m in base + modules) + '\nTypesConfig /etc/mime.types'}
        conf = os.path.join(server.folder, "httpd.conf")
        with open(conf, "w") as f:
            f.write(text)
        server.process = self.spawn(server.name, find("apache2"),
                                    "-DFOREGROUND", "-f", conf)

    def apache_cgi(self, server):
        """Shared hosting: three files in a sub-folder of the site."""
        app = os.path.join(server.folder, "site", "app")
        os.makedirs(app)
        shutil.copy(os.path.join(self.programs, "parlance.cgi"), app)
        for name in os.listdir(self.programs):
            if name.endswith((".conf", ".json")):
                shutil.copy(os.path.join(self.programs, name), app)
        if self.root:
            os.chown(os.path.join(app, "parlance.conf"),
                     self.owner["user"], self.owner["group"])
        os.chmod(os.path.join(app, "parlance.conf"), 0o600)
        shutil.copy(self.file("cgi", "apache.htaccess"),
                    os.path.join(app, ".htaccess"))
        server.base = "/app"
        self.apache(server, ["cgid", "rewrite"],
                    'ScriptSock "%s/cgid.sock"' % server.folder)

    def apache_proxy_fcgi(self, server):
        path = self.responder(server)
        self.apache(server, ["proxy", "proxy_fcgi"],
                    'Define PARLANCE_SOCKET "%s"\nInclude "%s"' % (
                        path, self.file("fcgi", "apache-proxy_fcgi.conf")))

    def apache_mod_fcgid(self, server):
        self.apache(server, ["fcgid"], """
Define PARLANCE_FCGI "%(program)s"
Define PARLANCE_CONFIG "%(conf)s"
FcgidIPCDir "%(folder)s"
FcgidProcessTableFile "%(folder)s/fcgid_shm"
<Directory "%(programs)s">
    Require all granted
</Directory>
Include "%(file)s"
""" % {"program": os.path.join(self.programs, "parlance.fcgi"),
            "programs": self.programs, "folder": server.folder,
            "conf": os.path.join(self.programs, "parlance.conf"),
            "file": self.file("fcgi", "apache-mod_fcgid.conf")})

    # -- lighttpd ---------------------------------------------------------

    def lighttpd(self, server, rest):
        user = 'server.username = "www-data"\nserver.groupname = "www-data"'
        conf = os.path.join(server.folder, "lighttpd.conf")
        with open(conf, "w") as f:
            f.write(LIGHTTPD % {
                "folder": server.folder, "port": server.port, "rest": rest,
                "site": os.path.join(server.folder, "site"),
                "user": user if self.root else ""})
        server.process = self.spawn(server.name, find("lighttpd"), "-D",
                                    "-f", conf)

    def lighttpd_cgi(self, server):
        self.lighttpd(server, 'var.parlance_cgi = "%s"\ninclude "%s"' % (
            os.path.join(self.programs, "parlance.cgi"),
            self.file("cgi", "lighttpd.conf")))

    def lighttpd_fcgi(self, server):
        self.lighttpd(server, 'var.parlance_socket = "%s"\ninclude "%s"' % (
            self.responder(server),
            self.file("fcgi", "lighttpd.conf")))

    # -- nginx ------------------------------------------------------------

    def nginx(self, server, upstream, rest):
        conf = os.path.join(server.folder, "nginx.conf")
        shutil.copy("/etc/nginx/fastcgi_params", server.folder)
        with open(conf, "w") as f:
            f.write(NGINX % {
                "folder": server.folder, "port": server.port, "rest": rest,
                "upstream": upstream,
                "user": "user www-data;" if self.root else ""})
        server.process = self.spawn(server.name, find("nginx"), "-e",
                                    os.path.join(server.folder, "error.log"),
                                    "-c", conf)

    def nginx_fcgi(self, server):
        self.nginx(server, "upstream parlance { server unix:%s; }"
                   % self.responder(server), 'include "%s";'
                   % self.file("fcgi", "nginx.conf"))

    def nginx_fcgiwrap(self, server):
        path = os.path.join(server.folder, "fcgiwrap.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(64)
        os.chmod(path, 0o666)
        server.backend = self.spawn(
            server.name + "-fcgiwrap", "sh", "-c",
            'exec "$0" -c 16 -f <&%d' % listener.fileno(), find("fcgiwrap"),
            pass_fds=[listener.fileno()], **self.owner)
        listener.close()
        self.nginx(server, "upstream fcgiwrap { server unix:%s; }" % path,
                   'set $parlance_cgi "%s"; include "%s";' % (
                       os.path.join(self.programs, "parlance.cgi"),
                       self.file("cgi", "nginx-fcgiwrap.conf")))
