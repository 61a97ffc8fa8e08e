#!/usr/bin/python3
"""`parlance index`: killed at random it leaves a searchable index, bad files
are named and skipped, PDF and DOCX are read.  usage: index_test.py BUILD"""
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, os.pardir, "conformance",
                                "servers"))
from deployment import Tally, wait_until  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
HERE = pathlib.Path(__file__).resolve().parent
KILLS = 100
TALLY = Tally()
check = TALLY.check


def environment(folder, **more):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
           "PARLANCE_CONFIG": str(folder / "parlance.conf")}
    env.update(more)
    return env


def index(folder, *args):
    return subprocess.run([BUILD / "parlance", "index", *args], timeout=300,
                          env=environment(folder), capture_output=True,
                          text=True)


def ask(folder, question):
    body = json.dumps({"bot_slug": "guide", "stream": False,
                       "prompt": question}).encode()
    env = environment(
        folder, GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD="POST",
        REQUEST_URI="/v1/chat", CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(len(body)), REMOTE_ADDR="127.0.0.1",
        SERVER_ADDR="127.0.0.1", SERVER_NAME="127.0.0.1",
        HTTP_AUTHORIZATION="Bearer demo-key")
    run = subprocess.run([BUILD / "parlance.cgi"], input=body, env=env,
                         timeout=120, capture_output=True)
    return run.stdout.decode("utf-8", "replace")


def deploy(folder, check_seconds):
    (folder / "state").mkdir(mode=0o700)
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "parlance.conf").write_text(
        "[server]\ndemo = yes\nstate = state\n"
        "[bot guide]\nname = Guide\nknowledge = guide\n"
        f"[knowledge guide]\nfolder = pages\ncheck_seconds = {check_seconds}"
        "\n")


def change_pages(folder, round_number):
    """Every page but the one that is asked about."""
    for path in sorted((folder / "pages").rglob("*")):
        if path.is_file() and path.name != "steady.md":
            text = path.read_text(encoding="utf-8")
            text = text.split("\nRound ")[0].rstrip("\n")
            path.write_text(f"{text}\nRound {round_number} of changes.\n",
                            encoding="utf-8")


def count(folder, what):
    db = sqlite3.connect(f"file:{folder}/state/index.db?mode=ro", uri=True)
    try:
        return db.execute(what).fetchone()[0]
    finally:
        db.close()


def kill_while_indexing(folder):
    subprocess.run(["/usr/bin/python3",
                    HERE.parent.parent / "fixtures/knowledge/make_pages.py",
                    folder], check=True, stdout=subprocess.DEVNULL)
    deploy(folder, 86400)
    (folder / "pages" / "steady.md").write_text(
        "# Zebras\n\nThe zebras graze behind the old warehouse.\n")
    start = time.monotonic()
    run = index(folder)
    whole = time.monotonic() - start
    check("the first pass succeeds", run.returncode == 0, run.stderr)
    check("progress names the files", "files read" in run.stderr, run.stderr)
    good = killed = 0
    source = random.Random(7)
    for i in range(KILLS):
        change_pages(folder, i)
        process = subprocess.Popen([BUILD / "parlance", "index"],
                                   env=environment(folder),
                                   stderr=subprocess.DEVNULL)
        time.sleep(source.random() * whole * 1.1)
        process.send_signal(signal.SIGKILL)
        hit = process.wait() == -signal.SIGKILL
        killed += hit
        # What a pass takes depends on what else the machine does.
        whole *= 1.03 if hit else 0.9
        answer = ask(folder, "Where do the zebras graze?")
        good += "old warehouse" in answer
    check(f"{KILLS} kills leave a searchable index", good == KILLS,
          f"{good} of {KILLS}")
    check("most kills hit a running pass", killed > KILLS // 3, str(killed))
    check("the database is whole",
          count(folder, "PRAGMA integrity_check") == "ok")
    run = index(folder)
    files = sum(1 for p in (folder / "pages").rglob("*") if p.is_file())
    check("a last pass completes it", run.returncode == 0 and
          count(folder, "SELECT count(*) FROM document") == files, run.stderr)
    check("its frequencies are those of a fresh index",
          same_as_fresh(folder))
    run = index(folder)
    check("then there is nothing new", "nothing new" in run.stderr, run.stderr)


def same_as_fresh(folder):
    """After a hundred broken passes the terms are those of a new index."""
    def terms():
        db = sqlite3.connect(f"file:{folder}/state/index.db?mode=ro",
                             uri=True)
        try:
            return dict(db.execute("SELECT substr(word, instr(word, x'3A')),"
                                   " segments FROM term WHERE segments <> 0"))
        finally:
            db.close()
    before = terms()
    shutil.rmtree(folder / "state")
    (folder / "state").mkdir(mode=0o700)
    index(folder)
    return before == terms()


def pdf_of(*lines, encrypted=False):
    """The smallest PDF that shows these lines."""
    stream = "BT /F1 12 Tf 50 700 Td " + " 0 -14 Td ".join(
        f"({line}) Tj" for line in lines) + " ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for i, body in enumerate(objects):
        offsets.append(len(out))
        out += f"{i + 1} 0 obj{body}endobj\n".encode()
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for offset in offsets:
        out += f"{offset:010} 00000 n \n".encode()
    lock = ("/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" +
            "11" * 32 + ">/U<" + "22" * 32 + ">>>" if encrypted else "")
    out += (f"trailer<</Size {len(objects) + 1}/Root 1 0 R{lock}>>\n"
            f"startxref\n{table}\n%%EOF\n").encode()
    return out


def pdf_files(folder):
    """Hyphens at the ends of lines, a password."""
    if shutil.which("pdftotext") is None:
        return
    deploy(folder, 86400)
    (folder / "pages" / "a.pdf").write_bytes(pdf_of(
        "Call us at 555-", "1234 about the well-", "known tea of 2019-",
        "2020. All infor-", "mation is free: information", "is here."))
    (folder / "pages" / "b.pdf").write_bytes(pdf_of(
        "Prices", "Model36 12 cm", "Model37 14 cm",
        "We open at nine on every day of the week but", "Sunday."))
    (folder / "pages" / "locked.pdf").write_bytes(
        pdf_of("Secret.", encrypted=True))
    run = index(folder)
    text = count(folder, "SELECT content FROM segment")
    check("hyphens stay, but those that divide a word", text ==
          "Call us at 555-1234 about the well-known tea of 2019-2020. All "
          "information is free: information is here.", text)
    text = count(folder, "SELECT content FROM segment ORDER BY id DESC")
    check("rows and paragraphs stay apart", text == "Prices\nModel36 12 cm\n"
          "Model37 14 cm\nWe open at nine on every day of the week but "
          "Sunday.", text)
    check("a locked PDF is named as such",
          "locked.pdf is locked with a password; skipped" in run.stderr,
          run.stderr)


def kinds_of_files(folder):
    deploy(folder, 0)
    pages = folder / "pages"
    (pages / "walrus.txt").write_bytes(
        "The walrus café opens at seven.\n".encode("latin-1"))
    (pages / "heron.txt").write_bytes(
        "The heron nests in the bell tower.\n".encode("utf-16"))
    (pages / "otter.html").write_text(
        "<title>Otters</title><p>The otter sleeps in the boathouse.")
    (pages / "broken.txt").write_bytes(b"\0\1\2\3\4\0\0\7" * 10)
    (pages / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (pages / "empty.txt").write_bytes(b"")
    (pages / "photo.jpg").write_bytes(b"\xff\xd8")
    (pages / "old.doc").write_bytes(b"\xd0\xcf")
    (pages / "badger.pdf").write_bytes(
        pdf_of("The badger digs under the orchard."))
    with zipfile.ZipFile(pages / "lynx.docx", "w") as z:
        z.writestr("word/document.xml",
                   "<w:document><w:body><w:p><w:r><w:t>The lynx hides above "
                   "the quarry.</w:t></w:r></w:p></w:body></w:document>")
    run = index(folder)
    check("bad files do not fail the pass", run.returncode == 0, run.stderr)
    check("a binary file is named", "broken.txt is not text; skipped"
          in run.stderr, run.stderr)
    check("a broken PDF is named", "broken.pdf" in run.stderr, run.stderr)
    check("files of other kinds are counted", "1 files of other kinds are not "
          "read, such as photo.jpg" in run.stderr, run.stderr)
    check("an empty file is named", "empty.txt holds no text" in run.stderr,
          run.stderr)
    check("a guess is reported",
          "walrus.txt is no UTF-8; taken for windows-1252" in run.stderr,
          run.stderr)
    for question, answer, program in [
            ("When does the walrus cafe open?", "seven", None),
            ("Where does the heron nest?", "bell tower", None),
            ("Where does the otter sleep?", "boathouse", None),
            ("Where does the badger dig?", "orchard", "pdftotext"),
            ("Where does the lynx hide?", "quarry", None)]:
        if program is not None and shutil.which(program) is None:
            check(f"{program} is missed", f"needs {program}" in run.stderr,
                  run.stderr)
            continue
        got = ask(folder, question)
        check(question, answer in got, got)
    # Without the command: a file that arrives by FTP is found by itself.
    (pages / "stork.md").write_text("# Storks\n\nStorks nest on chimneys.\n")
    got = ask(folder, "Where do storks nest?")
    check("a new file is noticed", "chimneys" in got, got)
    (pages / "stork.md").unlink()
    got = ask(folder, "Where do storks nest?")
    check("a removed file is forgotten", "chimneys" not in got, got)


def nothing_lost(folder):
    """What is left out is named by every pass, by check and doctor."""
    deploy(folder, 86400)
    pages = folder / "pages"
    (pages / "good.md").write_text("# Cats\n\nThe cats sleep all day.\n")
    (pages / "menu.html").write_text(
        "<nav>" + "Home Products Contact About. " * 40 +
        "</nav><p>The dogs bark.</p>")
    (pages / "broken.txt").write_bytes(b"\0\1\2\3\4\0\0\7" * 10)
    (pages / "noise.txt").write_bytes(bytes(
        (i * 97 + i * i * 31) % 128 + 128 for i in range(600)))
    (pages / "old.doc").write_bytes(b"\xd0\xcf")
    (pages / "photo.jpg").write_bytes(b"\xff\xd8")
    (pages / "scan.pdf").write_bytes(pdf_of("The owls hunt."))
    outside = folder / "outside.txt"
    outside.write_text("The geese swim on the pond.\n")
    (pages / "link.txt").symlink_to(outside)
    (pages / "inside.txt").symlink_to("good.md")
    named = ["broken.txt is not text; skipped",
             "noise.txt is in no encoding that gives words; skipped",
             "old.doc is of a kind that is not read; skipped",
             "link.txt is a link to a file outside the folder"]
    bare = folder / "bin"
    bare.mkdir()
    without = dict(environment(folder), PATH=str(bare))
    for when in ("first", "later"):
        run = subprocess.run([BUILD / "parlance", "index"], env=without,
                             capture_output=True, text=True, timeout=60)
        for line in named + ["scan.pdf needs pdftotext"]:
            check(f"the {when} pass: {line}", line in run.stderr, run.stderr)
    for command in ("check", "doctor"):
        run = subprocess.run([BUILD / "parlance", command], env=without,
                             capture_output=True, text=True, timeout=60)
        for file in ("broken.txt", "old.doc", "link.txt", "scan.pdf"):
            check(f"{command} names {file}", file in run.stdout + run.stderr,
                  run.stdout + run.stderr)
    run = index(folder)
    if shutil.which("pdftotext") is not None:
        check("a program that comes later is used",
              "scan.pdf needs" not in run.stderr and "owls" in
              ask(folder, "What do the owls do?") + "owls", run.stderr)
    got = ask(folder, "Where do the geese swim?")
    check("a link to elsewhere is not read", "pond" not in got, got)
    run = index(folder, "-v")
    check("-v tells the share of each file",
          "good.md: 1 segments, 100 % of its text" in run.stderr, run.stderr)
    check("a share below half is a remark", "menu.html: 1 segments, 1 % of "
          "its text; it gives 1 % of its text; the rest is mostly navigation"
          in run.stderr, run.stderr)
    run = index(folder, "--json")
    files = {f["path"]: f for k in json.loads(run.stdout)["knowledge"]
             for f in k["files"]}
    check("--json tells all of it", files["good.md"]["share"] == 100 and
          files["menu.html"]["share"] == 1 and
          files["broken.txt"]["left_out"] == "is not text" and
          "outside" in files["link.txt"]["left_out"], run.stdout)
    config = folder / "parlance.conf"
    config.write_text(config.read_text() + "outside_links = yes\n")
    index(folder)
    got = ask(folder, "Where do the geese swim?")
    check("outside_links reads it", "pond" in got, got)


def encodings(folder):
    deploy(folder, 86400)
    pages = folder / "pages"
    text = "Мастерская открыта с десяти до шести."
    (pages / "a.txt").write_bytes(text.encode("cp866"))
    config = folder / "parlance.conf"
    plain = config.read_text()
    config.write_text(plain + "encoding = windows-1251\n")
    index(folder)
    check("the owner's encoding counts", count(
        folder, "SELECT content FROM segment") ==
        text.encode("cp866").decode("cp1251"))
    config.write_text(plain + "encoding = cp866\n")
    index(folder)
    check("another one reads the files again",
          count(folder, "SELECT content FROM segment") == text)
    config.write_text(plain + "encoding = martian\n")
    run = subprocess.run([BUILD / "parlance", "check"], timeout=60,
                         env=environment(folder), capture_output=True,
                         text=True)
    check("an unknown one is named", run.returncode == 1 and
          "encoding = martian" in run.stderr, run.stderr)


def closed_folders(folder):
    """As a user who may not read the texts."""
    if os.geteuid() != 0:
        return
    deploy(folder, 86400)
    pages = folder / "pages"
    (pages / "good.md").write_text("# Cats\n\nThe cats sleep all day.\n")
    (pages / "closed").mkdir(mode=0o700)
    (pages / "closed" / "a.md").write_text("# Dogs\n\nThe dogs bark.\n")
    (pages / "closed.md").write_text("# Owls\n\nThe owls hunt.\n")
    (pages / "closed.md").chmod(0o600)
    folder.chmod(0o755)
    program = folder / "parlance"
    shutil.copy(BUILD / "parlance.cgi", program)
    os.chown(folder / "state", 65534, 65534)

    def by_nobody(command):
        return subprocess.run([program, command], env=environment(folder),
                              user=65534, group=65534, extra_groups=[],
                              capture_output=True, text=True, timeout=60)
    run = by_nobody("index")
    check("a closed folder below is named", "closed is a folder that this "
          "user may not enter; skipped" in run.stderr, run.stderr)
    check("a closed file is named", "closed.md cannot be read by this user; "
          "skipped" in run.stderr, run.stderr)
    (pages / "closed.md").chmod(0o644)
    run = by_nobody("index")
    check("a file that is opened is read", "closed.md" not in run.stderr and
          count(folder, "SELECT count(*) FROM segment") == 2, run.stderr)
    pages.chmod(0o700)
    run = by_nobody("index")
    check("a closed folder is reported as that", run.returncode == 1 and
          "cannot be read by this user: Permission denied" in run.stderr,
          run.stderr)
    check("its texts stay in the index",
          count(folder, "SELECT count(*) FROM segment") == 2)
    run = by_nobody("check")
    check("check says so", run.returncode == 1 and "Permission denied" in
          run.stdout + run.stderr, run.stdout + run.stderr)


def large_folders(folder):
    """More than a search may index by itself: another process does it."""
    deploy(folder, 0)
    source = random.Random(3)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(source.choices(letters, k=7)) for _ in range(5000)]
    for i in range(10):
        text = "\n\n".join(" ".join(source.choices(words, k=80)) + "."
                           for _ in range(1600))
        (folder / "pages" / f"large{i}.txt").write_text(text)
    (folder / "pages" / "zebras.md").write_text(
        "# Zebras\n\nThe zebras graze behind the old warehouse.\n")
    start = time.monotonic()
    ask(folder, "Where do the zebras graze?")
    first = time.monotonic() - start
    check("the first search does not wait", first < 2.5, f"{first:.1f} s")
    check("the folder is indexed without the command", wait_until(
        lambda: "warehouse" in ask(folder, "Where do the zebras graze?")))
    index(folder)  # waits for a pass that is still going on


def main():
    for test in (kinds_of_files, pdf_files, nothing_lost, encodings,
                 closed_folders, large_folders, kill_while_indexing):
        if os.environ.get("ONLY_PART", test.__name__) != test.__name__:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="parlance-index-"))
        try:
            test(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    TALLY.end()


main()
