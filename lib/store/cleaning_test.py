#!/usr/bin/python3
"""`parlance clean`: killed with -9 at random moments it never leaves a row
without its bytes; undisturbed it takes away what no message needs, and an
upload and a deleted conversation do so by themselves.
usage: cleaning_test.py BUILD [SEED]"""
import os
import random
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, os.pardir, "conformance",
                                "servers"))
from deployment import Deployment, Tally  # noqa: E402

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
CONF = """[server]
demo = yes
durable = no
[bot sky]
persona = I know the sky.
image_upload = yes
file_upload = yes
"""
FILES, KILLS, DAY = 3000, 30, 86400
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
UPLOAD = ("--x\r\nContent-Disposition: form-data; name=\"file\"; "
          "filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nwords\r\n"
          "--x\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nu\r\n"
          "--x--\r\n")
COPIES = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO files (id, app, end_user, name, extension, mime_type, size,
  created_us)
SELECT printf('00000000-0000-4000-8000-%012d', i), app, end_user, name,
  extension, mime_type, size, created_us FROM n,
  (SELECT * FROM files WHERE id = ?)"""


class Uploads:
    def __init__(self, d):
        self.d, self.folder = d, os.path.join(d.state, "files")

    def upload(self):
        r = self.d.cgi("POST", "/v1/files/upload", UPLOAD, FORM)
        assert r.status == 201, r
        return r.json["id"]

    def chat(self, file):
        r = self.d.cgi("POST", "/v1/chat-messages", {
            "query": "q", "inputs": {}, "user": "u", "files": [
                {"type": "document", "transfer_method": "local_file",
                 "upload_file_id": file}]})
        assert r.status == 200, r
        return r.json["conversation_id"]

    def preview(self, file):
        return self.d.cgi("GET", "/v1/files/%s/preview" % file).status

    def run(self, sql, *values):
        db = sqlite3.connect(os.path.join(self.d.state, "parlance.db"),
                             timeout=20)
        try:
            rows = db.execute(sql, values).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    def age(self, days):
        """Everything there is becomes that much older."""
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            then = os.stat(path).st_mtime - days * DAY
            os.utime(path, (then, then))
        self.run("UPDATE files SET created_us = created_us - ?",
                 days * DAY * 1000000)
        self.run("UPDATE cleaning SET finished_us = finished_us - ?",
                 days * DAY * 1000000)

    def copy(self, file, n):
        self.run(COPIES, n, file)
        for i in range(1, n + 1):
            path = os.path.join(self.folder,
                                "00000000-0000-4000-8000-%012d" % i)
            os.link(os.path.join(self.folder, file), path)

    def rows(self):
        return {name for name, in self.run("SELECT id FROM files")}

    def bytes(self):
        return set(os.listdir(self.folder))


def killed(u, rng, t):
    """Kills it at random moments of its work, and cleans up after that."""
    lost, middle, took, wrong = set(), 0, 0.05, []
    for _ in range(KILLS):
        u.copy(u.kept, FILES)
        process = subprocess.Popen(
            [os.path.join(u.d.build, "parlance"), "clean"], env=u.d.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * took)
        process.kill()
        process.wait()
        rows, names = u.rows(), u.bytes()
        lost |= rows - names
        middle += 1 < len(names) < FILES + 1
        started = time.monotonic()
        done = u.d.admin("clean")
        if len(names) > FILES:
            took = time.monotonic() - started
        if (done.returncode or done.stderr or u.rows() != {u.kept}
                or u.bytes() != {u.kept}):
            wrong.append(done)
    t.equal("no row without its bytes, ever (seed %d)" % SEED, lost, set())
    t.equal("the next one ends the work, and keeps what is needed", wrong, [])
    t.check("it was killed in the middle of its work", middle > 0)
    return middle


def main():
    t = Tally()
    rng = random.Random(SEED)
    with Deployment(sys.argv[1], CONF) as d:
        u = Uploads(d)
        u.kept = u.upload()
        u.chat(u.kept)
        u.age(40)
        print("killed %d times, %d of them in the middle of its work"
              % (KILLS, killed(u, rng, t)))
        t.equal("a file that is needed can be seen", u.preview(u.kept), 200)

        unused = u.upload()
        u.age(31)
        last = u.upload()
        t.equal("an upload cleans", u.rows(), {u.kept, last})
        t.equal("bytes as well", u.bytes(), {u.kept, last})
        conversation = u.chat(last)
        u.age(31)
        r = d.cgi("DELETE", "/v1/conversations/" + conversation,
                  {"user": "u"})
        t.equal("a conversation is deleted", r.status, 204)
        t.equal("it takes its file along", u.rows(), {u.kept})
        t.equal("of which nothing is seen", u.preview(last), 404)
        t.equal("an unknown file is unknown", u.preview(unused), 404)
        t.equal("its bytes went too", u.bytes(), {u.kept})

        young = u.upload()
        conversation = u.chat(young)
        r = d.cgi("DELETE", "/v1/conversations/" + conversation,
                  {"user": "u"})
        t.equal("a young file stays", u.rows(), {u.kept, young})
        t.equal("but is seen no more", u.preview(young), 404)
        t.check("words are refused",
                d.admin("clean", "up").returncode == 2)
    t.end()


if __name__ == "__main__":
    main()
