"""What an answer tells of is on the disk before the answer is sent, and what
could not be brought there is not told: a disk that is slow, or fails, put
between parlance.fcgi and the kernel.

usage: durable_test.py BUILD
"""
import concurrent.futures
import os
import signal
import subprocess
import sys
import time

from deployment import Deployment, FastCGI, Tally, KEY, wait_until

# fdatasync takes a while, or fails while the file FAIL is there; each call is
# a byte of the file CALLS.
DISK = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int
fdatasync(int fd)
{
	int calls = open(getenv("CALLS"), O_WRONLY | O_APPEND | O_CREAT, 0600);

	if (write(calls, "x", 1) != 1)
		abort();
	(void)close(calls);
	(void)usleep(SLOW_US);
	if (access(getenv("FAIL"), F_OK) == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}
"""
SLOW_S = 0.25
CONF = """[server]
demo = yes
[engine canned]
kind = replay
recordings = canned.json
[bot demo]
engine = canned
"""
CANNED = '{"recordings": [{"answer": ["One", " two."]}]}'
CROWD = 12
tally = Tally()


def chat(stream=False):
    return "POST", "/v1/chat", {"bot_slug": "demo", "stream": stream,
                                "prompt": "a b", "user_id": "1"}


def message(stream=False):
    return "POST", "/v1/chat-messages", {
        "inputs": {}, "query": "a b", "user": "u",
        "response_mode": "streaming" if stream else "blocking"}


def deployment(**env):
    d = Deployment(sys.argv[1], CONF)
    d.write("canned.json", CANNED)
    source = d.write("disk.c", DISK)
    library = os.path.join(d.folder, "disk.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                    "-DSLOW_US=%d" % (SLOW_S * 1e6), source], check=True)
    # The first connections make the schema, at the disk's own speed.
    d.cgi(*chat())
    d.env.update(env, LD_PRELOAD=library, CALLS=d.folder + "/calls",
                 FAIL=d.folder + "/fail")
    d.start_fcgi(workers=16)
    del d.env["LD_PRELOAD"]
    return d


def calls(d):
    try:
        return os.path.getsize(d.folder + "/calls")
    except FileNotFoundError:
        return 0


def warm(d):
    """All connections of the pool have committed once, each by itself."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda i: d.fcgi(*message()), range(16)))


def timed(d, request):
    started = time.monotonic()
    reply = d.fcgi(*request)
    return reply, time.monotonic() - started


def slow():
    with deployment() as d:
        warm(d)
        for name, request in (("chat", chat()), ("message", message()),
                              ("streamed chat", chat(True)),
                              ("streamed message", message(True))):
            before = calls(d)
            reply, seconds = timed(d, request)
            tally.equal(name + ": answered", reply.status, 200)
            tally.check(name + ": not before it was on the disk",
                        calls(d) > before and seconds >= SLOW_S * 0.9,
                        (calls(d) - before, seconds))
        for name, request in (("chats", chat()), ("messages", message())):
            # On a busy machine they do not come at once: the best of three.
            for _ in range(3):
                before = calls(d)
                started = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(CROWD) as pool:
                    replies = list(pool.map(lambda i: d.fcgi(*request),
                                            range(CROWD)))
                seconds = time.monotonic() - started
                waits = calls(d) - before
                if waits <= 4 or [r.status for r in replies] != [200] * CROWD:
                    break
            tally.equal("%d %s at once: all answered" % (CROWD, name),
                        [r.status for r in replies], [200] * CROWD)
            tally.check("%d %s at once: share their waits" % (CROWD, name),
                        waits <= 4, (waits, seconds))
        # A stop while an answer waits for the disk: it arrives.
        body, headers = d.encode(chat()[2], {})
        client = FastCGI(d.address)
        before = calls(d)
        client.send(dict(d.params("POST", "/v1/chat", body, headers, KEY),
                         FCGI_ROLE="RESPONDER"), body)
        wait_until(lambda: calls(d) > before)
        d.processes[-1].send_signal(signal.SIGTERM)
        tally.equal("stopped while it waits: answered",
                    client.reply().status, 200)
        tally.equal("and the process ends well",
                    d.processes[-1].wait(timeout=60), 0)


def lazy():
    with deployment(PARLANCE_SERVER_DURABLE="no") as d:
        warm(d)
        before = calls(d)
        for request in (chat(), message(), chat(True), message(True)):
            tally.equal("durable = no: answered",
                        timed(d, request)[0].status, 200)
        tally.equal("durable = no: nothing waits for the disk",
                    calls(d) - before, 0)


def failing():
    with deployment() as d:
        warm(d)
        open(d.folder + "/fail", "w").close()
        reply = d.fcgi(*chat())
        tally.equal("a chat that was not kept: the API's own error",
                    (reply.status, list(reply.json)), (500, ["detail"]))
        tally.equal("with its request id",
                    len(reply.headers.get("x-request-id", "")), 32)
        reply = d.fcgi(*message())
        tally.equal("a message that was not kept: the API's own error",
                    (reply.status, reply.json["code"]),
                    (500, "internal_server_error"))
        tally.equal("a streamed chat ends as failed",
                    d.fcgi(*chat(True)).stream_ends(), ["error"])
        tally.equal("a streamed message ends as failed",
                    d.fcgi(*message(True)).stream_ends(), ["error"])
        tally.check("it is logged", "synced" in d.log("parlance.fcgi"),
                    d.log("parlance.fcgi")[-500:])
        os.unlink(d.folder + "/fail")
        for request in (chat(), message()):
            tally.equal("and the next is answered",
                        d.fcgi(*request).status, 200)


for test in (slow, lazy, failing):
    test()
tally.end()
