#!/usr/bin/python3
"""Proxies in front of the web server: the world behind one is never taken
for this machine, and forwarding headers count from trusted proxies alone.

A real nginx stands before a real lighttpd; both listen on 127.0.0.1, so that
every request has the peer 127.0.0.1.

usage: proxies_test.py BUILD
"""
import http.client
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
from deployment import Deployment, Tally, free_port

BUILD = sys.argv[1]
tally = Tally()
CONF = "[server]\nmetrics = on\n%s\n[bot first]\n"
NGINX = """
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  server {
    listen 127.0.0.1:%(port)d;
    location / { proxy_pass http://127.0.0.1:%(behind)d; %(headers)s }
  }
}
"""
HEADERS = ("proxy_set_header Host $http_host;"
           "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
           "proxy_set_header X-Forwarded-Proto $scheme;")


def deployment(server="", demo=True):
    return Deployment(BUILD, CONF % (("demo = yes\n" if demo else "") +
                                     server))


def through(d, port, path, headers=None, key="demo-key"):
    headers = dict(headers or {})
    if key:
        headers["Authorization"] = "Bearer " + key
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        c.request("GET", path, None, headers)
        reply = c.getresponse()
        reply.read()
        return reply
    finally:
        c.close()


def start_nginx(d, headers):
    port = free_port()
    conf = d.write("nginx%d.conf" % port, NGINX % {
        "folder": d.folder, "port": port, "behind": d.port,
        "headers": headers})
    process = d.spawn("/usr/sbin/nginx", "-e", "stderr", "-c", conf)

    def ready():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except OSError:
            return False
    d.wait_for(ready, "nginx", process)
    return port


def asked(d, headers=None):
    """Over both programs: the demo key's bots, the metrics."""
    found = []
    for ask in (d.cgi, d.fcgi):
        found.append(ask("GET", "/v1/bots", None, headers).status)
        found.append(ask("GET", "/metrics", None, headers, key=None).status)
    return found


def headers_alone():
    with deployment() as d:
        d.start_fcgi()
        tally.equal("this machine", asked(d), [200, 200] * 2)
        for name, value in (("X-Forwarded-For", "192.0.2.1"),
                            ("X-Forwarded-For", "127.0.0.1"),
                            ("Forwarded", "for=127.0.0.1"),
                            ("X-Real-IP", "192.0.2.1"),
                            ("Via", "1.1 proxy")):
            tally.equal("passed on by %s: %s" % (name, value),
                        asked(d, {name: value}), [403, 403] * 2)
    with deployment(demo=False) as d:
        d.start_fcgi()
        tally.equal("metrics that were passed on",
                    asked(d, {"X-Forwarded-For": "127.0.0.1"})[1::2],
                    [404] * 2)
    with deployment("trusted_proxies = 127.0.0.1, 10.0.0.0/8") as d:
        d.start_fcgi()
        tally.equal("a trusted proxy speaks for others, always", asked(d),
                    [403, 403] * 2)
        tally.equal("whatever it says", asked(
            d, {"X-Forwarded-For": "127.0.0.1"}), [403, 403] * 2)


def proxies():
    with deployment() as d:
        d.start_fcgi()
        d.start_lighttpd()
        port = start_nginx(d, HEADERS)
        for path in ("/v1/bots", "/metrics", "/cgi-bin/parlance.cgi/v1/bots",
                     "/cgi-bin/parlance.cgi/metrics"):
            tally.equal("straight: " + path,
                        through(d, d.port, path).status, 200)
            tally.equal("through a second proxy: " + path,
                        through(d, port, path).status, 403)
    # A proxy that tells nothing is known by its address alone.
    with deployment("trusted_proxies = 127.0.0.1") as d:
        d.start_fcgi()
        d.start_lighttpd()
        port = start_nginx(d, "")
        for path in ("/v1/bots", "/metrics"):
            tally.equal("through one that tells nothing: " + path,
                        through(d, port, path).status, 403)


def location(d, server, headers=None, over=None):
    reply = d.cgi("GET", "/v1/bots/", None, headers) if over is None \
        else through(d, over, "/v1/bots/", headers)
    tally.equal(server + ": redirected", reply.status, 307)
    return reply.headers.get("location") or reply.headers.get("Location")


def addresses():
    """What people use, as a redirection has it."""
    stranger = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1",
                "Host": "my.site"}
    with deployment(demo=False) as d:
        tally.equal("a stranger's scheme", location(d, "none", stranger),
                    "http://my.site/v1/bots")
    with deployment("trusted_proxies = 127.0.0.1", demo=False) as d:
        tally.equal("a trusted proxy's", location(d, "trusted", stranger),
                    "https://my.site/v1/bots")
        d.start_fcgi()
        d.start_lighttpd()
        port = start_nginx(d, HEADERS.replace("$scheme", "https"))
        tally.equal("over nginx", location(d, "nginx", {"Host": "my.site"},
                                           port), "https://my.site/v1/bots")
    with deployment("public_url = https://my.site/app/", demo=False) as d:
        tally.equal("public_url", location(d, "public_url"),
                    "https://my.site/app/v1/bots")


def faults():
    for server, fault in (
            ("trusted_proxies = 10.0.0.1/8",
             '"10.0.0.1/8" is no address, nor a range'),
            ("trusted_proxies = proxy.example", '"proxy.example" is no'),
            ("public_url = my.site", "public_url in [server] is an address"),
            ("public_url = https://my.site/?x", "public_url in [server]"),
            ("secret = short", "secret in [server] has at least 32")):
        with deployment(server) as d:
            done = d.admin("check")
            tally.check(server, done.returncode == 1 and
                        re.search(r"parlance\.conf:\d+: ", done.stderr) and
                        fault in done.stderr, done.stderr)


headers_alone()
proxies()
addresses()
faults()
tally.end()
