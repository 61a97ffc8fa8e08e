#!/usr/bin/python3
"""Search by meaning: a small /embeddings server knows that a car is an
automobile; the words alone do not.  usage: semantic_test.py BUILD"""
import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, os.pardir, "conformance",
                                "servers"))
from deployment import Tally  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
MEANINGS = [{"car", "cars", "automobile", "vehicle"},
            {"cat", "cats", "kitten", "feline"},
            {"soup", "broth", "stew"}, {"repair", "mend", "fix"}]
TALLY = Tally()
check = TALLY.check
calls = []
broken = None
# name: status, what becomes of the answer, what the log says
BROKEN = {
    "status": (500, lambda a: {"error": {"message": "it fell over"}},
               "it is refused (status 500): \"it fell over\""),
    "error": (200, lambda a: {"error": {"message": "no such model"}},
              "it is an error (status 200): \"no such model\""),
    "page": (404, lambda a: b"<h1>404 page not found</h1>",
             "it is refused (status 404): \"404 page not found\""),
    "none": (200, lambda a: {"data": []}, "it has no vectors"),
    "fewer": (200, lambda a: {"data": a["data"][1:]}, "fewer vectors"),
    "more": (200, lambda a: {"data": a["data"] + [
        {"index": 99, "embedding": [1]}]}, "more vectors than texts"),
    "twice": (200, lambda a: {"data": a["data"] * 2}, "two vectors for one"),
    "length": (200, lambda a: {"data": a["data"][:-1] + [dict(
        a["data"][-1], embedding=[1.0, 2.0])]}, "differ in length"),
    "zero": (200, lambda a: {"data": [dict(d, embedding=[0, 0])
                                      for d in a["data"]]}, "all zero"),
    "text": (200, lambda a: {"data": [dict(d, embedding="no base64!")
                                      for d in a["data"]]}, "no numbers"),
    "rubbish": (200, lambda a: b"{", "it is no JSON"),
}


def vector(text):
    words = set(re.findall(r"[a-z]+", text.lower()))
    return [0.05] + [3.0 * len(words & meaning) for meaning in MEANINGS]


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        calls.append((self.path, self.headers.get("Authorization"), body))
        answer = {"data": [{"index": i, "embedding": vector(t)}
                           for i, t in enumerate(body["input"])]}
        status = 200
        if broken == "base64":
            for item in answer["data"]:
                item["embedding"] = base64.b64encode(struct.pack(
                    "<%df" % len(item["embedding"]),
                    *item["embedding"])).decode()
            answer["data"].reverse()
        elif broken in BROKEN:
            status, answer = BROKEN[broken][0], BROKEN[broken][1](answer)
        text = answer if isinstance(answer, bytes) else json.dumps(
            answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


def run(folder, *args):
    return subprocess.run(
        [BUILD / "parlance", *args], timeout=60, capture_output=True,
        text=True, env={"PATH": os.environ["PATH"],
                        "PARLANCE_CONFIG": str(folder / "parlance.conf")})


def request(folder, key, method, uri, body=b""):
    env = {"PATH": os.environ["PATH"], "GATEWAY_INTERFACE": "CGI/1.1",
           "PARLANCE_CONFIG": str(folder / "parlance.conf"),
           "REQUEST_METHOD": method, "CONTENT_TYPE": "application/json",
           "REQUEST_URI": uri,
           "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
           "SERVER_NAME": "127.0.0.1", "SERVER_ADDR": "127.0.0.1",
           "HTTP_AUTHORIZATION": f"Bearer {key}"}
    out = subprocess.run([BUILD / "parlance.cgi"], input=body, env=env,
                         timeout=30, capture_output=True).stdout.decode()
    return json.loads(out.split("\r\n\r\n", 1)[1])


def ask(folder, key, method, rest, body=b""):
    """A request to the dataset."""
    return request(folder, key, method, "/v1/datasets/"
                   "101b4c97-fc2e-463c-90b1-5261a4cdcafb" + rest, body)


def retrieve(folder, key, question):
    body = json.dumps({"query": question}).encode()
    records = ask(folder, key, "POST", "/retrieve", body)["records"]
    return [(r["segment"]["document"]["name"], r["score"]) for r in records]


def deploy(folder, port):
    (folder / "state").mkdir(mode=0o700)
    (folder / "pages").mkdir()
    conf = ("[server]\nstate = state\n"
            "[bot guide]\nname = Guide\nknowledge = guide\n"
            f"[engine vectors]\nkind = openai\nmodel = tiny\nkey = sesame\n"
            f"url = http://127.0.0.1:{port}/v1\n"
            "[knowledge guide]\nfolder = pages\nembedding = vectors\n"
            "id = 101b4c97-fc2e-463c-90b1-5261a4cdcafb\n")
    (folder / "parlance.conf").write_text(conf)
    keys = []
    for args in (("data", "--dataset"), ("talk",)):
        new = run(folder, "key", "new", *args).stdout
        keys.append(re.search(r"^\s+([a-z]+-\S+)$", new, re.M).group(1))
        conf += new[new.index("[key "):] + "\n"
    (folder / "parlance.conf").write_text(conf)
    pages = {"garage": "We mend every vehicle within two days.",
             "vet": "The feline clinic opens at nine.",
             "kitchen": "Hot broth is served at noon.",
             "library": "Books are lent for four weeks."}
    for name, text in pages.items():
        (folder / "pages" / f"{name}.txt").write_text(text + "\n")
    return keys


def main():
    global broken
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="parlance-semantic-"))
    try:
        key, talk = deploy(folder, server.server_port)
        done = run(folder, "index")
        check("indexing makes vectors", done.returncode == 0 and
              "vectors made" in done.stderr, done.stderr)
        for name, days in (("garage", 20), ("library", 3)):
            then = time.time() - days * 86400
            os.utime(folder / "pages" / f"{name}.txt", (then, then))
        run(folder, "index")
        got = ask(folder, key, "GET", "")
        check("a declared dataset says how it is searched",
              (got["indexing_technique"], got["embedding_model"],
               got["embedding_model_provider"], got["embedding_available"],
               got["retrieval_model_dict"]["search_method"])
              == ("high_quality", "tiny", "vectors", True, "hybrid_search"),
              got)
        check("it is as old as its oldest page",
              abs(got["created_at"] - time.time() + 20 * 86400) < 60
              and abs(got["updated_at"] - time.time()) < 60, got)
        got = ask(folder, key, "GET", "/documents?limit=2&page=2")
        check("its pages are listed newest first",
              [(d["name"], d["position"]) for d in got["data"]]
              == [("library", 2), ("garage", 1)], got)
        path, authorization, body = calls[0]
        check("the call is /embeddings with the key and the model",
              path == "/v1/embeddings" and authorization == "Bearer sesame"
              and body["model"] == "tiny" and len(body["input"]) == 4,
              str(calls[0]))
        got = retrieve(folder, key, "repair my automobile")
        check("a car is an automobile", got and got[0][0] == "garage", got)
        scores = [score for _, score in got]
        check("scores are 0 to 1 and fall", scores and max(scores) <= 1 and
              scores == sorted(scores, reverse=True), str(got))
        got = retrieve(folder, key, "for how many weeks are books lent?")
        check("words still count", got and got[0][0] == "library", got)
        before = len(calls)
        chat = json.dumps({"bot_slug": "guide", "stream": False, "messages": [
            {"role": "user", "content": "repair my automobile"}]}).encode()
        said = request(folder, talk, "POST", "/v1/chat", chat)
        check("a bot's question is one call", "content" in said and
              [c[2]["input"] for c in calls[before:]]
              == [["repair my automobile"]], said)
        before = len(calls)
        run(folder, "index")
        check("vectors are made once", len(calls) == before, str(calls))
        (folder / "pages" / "vet.txt").write_text("Kitten food costs 2 euro.")
        run(folder, "index")
        check("a changed page gets a new one", len(calls) == before + 1 and
              len(calls[-1][2]["input"]) == 1, str(calls[-1]))
        (folder / "pages" / "dog.txt").write_text("The kennel costs 9 euro.")
        broken = "base64"
        done = run(folder, "index")
        got = retrieve(folder, key, "repair my automobile")
        check("base64 is understood, in any order", done.returncode == 0 and
              got and got[0][0] == "garage", (done, got))
        for broken, (_, _, says) in BROKEN.items():
            got = retrieve(folder, key, "for how many weeks are books lent?")
            check("without the server the words do: " + broken,
                  got and got[0][0] == "library", got)
            for i in range(2):
                (folder / "pages" / f"new{i}.txt").write_text(
                    f"A new page about stew, {broken} {i}.")
            done = run(folder, "index")
            check("a failing server is reported: " + broken,
                  done.returncode == 1 and says in done.stderr and
                  "sesame" not in done.stderr, done.stderr)
        broken = "status"
        got = retrieve(folder, key, "for how many weeks are books lent?")
        check("without the server the words do",
              got and got[0][0] == "library", got)
        before = len(calls)
        said = request(folder, talk, "POST", "/v1/chat", chat.replace(
            b"repair my automobile", b"for how many weeks are books lent?"))
        check("and so for a bot", "four weeks" in str(said) and
              len(calls) == before + 1, said)
        (folder / "pages" / "new.txt").write_text("A new page about stew.")
        done = run(folder, "index")
        check("a failing server is reported", done.returncode == 1 and
              "no embeddings" in done.stderr, done.stderr)
        conf = (folder / "parlance.conf").read_text()
        (folder / "parlance.conf").write_text(
            conf.replace("embedding = vectors\n", ""))
        shutil.rmtree(folder / "state")
        (folder / "state").mkdir(mode=0o700)
        got = retrieve(folder, key, "at what time is broth served?")
        check("a fresh deployment is searched before a bot was asked",
              got and got[0][0] == "kitchen", got)
        shutil.rmtree(folder / "state")
        (folder / "state").mkdir(mode=0o700)
        got = ask(folder, key, "GET", "/documents")
        check("and listed", got["total"] == 8, got)
    finally:
        server.shutdown()
        shutil.rmtree(folder)
    TALLY.end()


main()
