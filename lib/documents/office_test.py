#!/usr/bin/python3
"""DOCX, ODT and EPUB files, made here, as what `parlance index` makes of them.
usage: office_test.py BUILD"""
import io
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, os.pardir, "conformance",
                                "servers"))
from deployment import Tally  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
MEMORY_KB = 200 << 10
TALLY = Tally()
check = TALLY.check
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def archive(parts, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, text in parts.items():
            z.writestr(name, text)
    return out.getvalue()


def docx(body, main="word/document.xml", method=zipfile.ZIP_DEFLATED, **parts):
    files = {"_rels/.rels": '<Relationships><Relationship Id="r1" Type="http'
             '://schemas.openxmlformats.org/officeDocument/2006/relationships'
             f'/officeDocument" Target="{main}"/></Relationships>',
             main: f'<?xml version="1.0" encoding="UTF-8"?><w:document {WORD}>'
             f'<w:body>{body}</w:body></w:document>'}
    for name, text in parts.items():
        files[f"word/{name}.xml"] = f"<w:{name} {WORD}>{text}</w:{name}>"
    return archive(files, method)


def p(text, properties=""):
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def row(*cells):
    return ("<w:tr>" + "".join(f"<w:tc>{p(c)}</w:tc>" for c in cells) +
            "</w:tr>")


def run(text, properties=""):
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


BOX = ("<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>"
       "<w:txbxContent>" + p("In the box.") + "</w:txbxContent></w:drawing>"
       "</mc:Choice><mc:Fallback><w:pict><w:txbxContent>" + p("In the box.") +
       "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
       "<w:r><w:t>Around it.</w:t></w:r></w:p>")
STYLE = '<w:pPr><w:pStyle w:val="{}"/></w:pPr>'
ODT = ('<office:document-content><office:automatic-styles><style:style '
       'style:name="T1"><style:text-properties text:display="none"/>'
       '</style:style></office:automatic-styles><office:body><office:text>{}'
       '</office:text></office:body></office:document-content>')

# name, ending, bytes, the segments: "[heading]text", "#" before a row
CASES = [
    ("a table is rows", "docx", docx(
        "<w:tbl>" + row("Model", "Price") + row("Model36", "36 EUR") +
        row("Model37", "37 EUR") + "</w:tbl>"),
     ["[]#Model | Price\nModel36 | 36 EUR",
      "[]#Model | Price\nModel37 | 37 EUR"]),
    ("the part that the package names", "docx", docx(
        p("Hello."), main="word/document2.xml"), ["[]Hello."]),
    ("its name from the root", "docx", archive({
            "_rels/.rels": '<Relationships><Relationship Target="/w/d.xml" '
            'Type="x/officeDocument"/></Relationships>',
            "w/d.xml": f"<w:document {WORD}><w:body>{p('Hello.')}</w:body>"
            "</w:document>"}), ["[]Hello."]),
    ("no relations at all", "docx", archive({
        "word/document.xml": f"<w:document {WORD}>{p('Hello.')}"
        "</w:document>"}), ["[]Hello."]),
    ("another prefix", "docx", archive({
        "word/document.xml": "<ns0:document><ns0:p><ns0:r><ns0:t>Hello."
        "</ns0:t></ns0:r></ns0:p></ns0:document>"}), ["[]Hello."]),
    ("stored, not packed", "docx", docx(
        p("Hello."), method=zipfile.ZIP_STORED), ["[]Hello."]),
    ("entities", "docx", docx(
        p("Caf&#233; &#xE9; &amp;lt; &lt;b&gt; &#x1F600;")),
     ["[]Caf\u00e9 \u00e9 &lt; <b> \U0001F600"]),
    ("runs that are split", "docx", docx(
        "<w:p>" + run("Work") + run("shop") + "</w:p>"), ["[]Workshop"]),
    ("a run that is hidden", "docx", docx(
        "<w:p>" + run("Seen. ") + run("secret", "<w:vanish/>") +
        run("Too.", '<w:vanish w:val="0"/>') + "</w:p>"), ["[]Seen. Too."]),
    ("hidden by a style", "docx", docx(
        "<w:p>" + run("Seen.") + run("secret", '<w:rStyle w:val="H"/>') +
        "</w:p>" + p("secret", STYLE.format("B")),
        styles='<w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="B"><w:basedOn w:val="H"/></w:style>'),
     ["[]Seen."]),
    ("a hidden paragraph mark hides no text", "docx", docx(
        p("Seen.", "<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>")),
     ["[]Seen."]),
    ("a footnote", "docx", docx(
        "<w:p>" + run("Returns are free.") +
        '<w:r><w:footnoteReference w:id="2"/></w:r>' + run(" So.") + "</w:p>",
        footnotes='<w:footnote w:id="0" w:type="separator"><w:p/></w:footnote>'
        f'<w:footnote w:id="2">{p("Except of sale items.")}</w:footnote>'),
     ["[]Returns are free (Except of sale items). So."]),
    ("an endnote", "docx", docx(
        "<w:p>" + run("We open at nine") +
        '<w:r><w:endnoteReference w:id="1"/></w:r></w:p>',
        endnotes=f'<w:endnote w:id="1">{p("Not in August")}</w:endnote>'),
     ["[]We open at nine (Not in August)"]),
    ("a text box once", "docx", docx(BOX), ["[]In the box.\nAround it."]),
    ("moved and deleted text", "docx", docx(
        "<w:moveFrom>" + p("Moved.") + "</w:moveFrom><w:p><w:moveFrom>" +
        run("Moved.") + "</w:moveFrom><w:ins>" + run("New. ") +
        "</w:ins><w:moveTo>" + run("Moved.") + "</w:moveTo><w:del><w:r>"
        "<w:delText>Old.</w:delText></w:r></w:del></w:p>"),
     ["[]New. Moved."]),
    ("signs", "docx", docx(
        "<w:p><w:r><w:t>tea</w:t><w:noBreakHyphen/><w:t>leaf</w:t><w:tab/>"
        "<w:t>a</w:t><w:softHyphen/><w:t>b</w:t></w:r></w:p>"),
     ["[]tea-leaf ab"]),
    ("headings by their style's name", "docx", docx(
        p("Prices", STYLE.format("berschrift2")) + p("Tea costs 3.") +
        p("Hours", STYLE.format("X")) + p("From nine."),
        styles='<w:style w:styleId="X"><w:name w:val="heading 2"/>'
        '</w:style>'),
     ["[Prices]Tea costs 3.", "[Hours]From nine."]),
    ("a field's instruction", "docx", docx(
        "<w:p><w:r><w:instrText>PAGE</w:instrText></w:r>" + run("Seven") +
        "</w:p>"), ["[]Seven"]),
    ("entities of a document type", "docx", archive({
        "word/document.xml": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b '
        f'"&a;&a;&a;">]><w:document {WORD}>{p("x &b; y")}</w:document>'}),
     ["[]x &b; y"]),
    ("ODT", "odt", archive({"content.xml": ODT.format(
        '<text:h text:outline-level="1">Hours</text:h><text:p>Open<text:s/>at '
        'nine<text:span text:style-name="T1">secret</text:span>.<text:note>'
        '<text:note-citation>1</text:note-citation><text:note-body><text:p>Not '
        'on Sunday.</text:p></text:note-body></text:note></text:p>'
        '<table:table>' + "".join(
            '<table:table-row>' + "".join(
                f'<table:table-cell><text:p>{c}</text:p></table:table-cell>'
                for c in cells) + '</table:table-row>'
            for cells in (("Model", "Price"), ("M37", "37"))) +
        '</table:table>')}),
     ["[Hours]Open at nine (Not on Sunday).",
      "[Hours]#Model | Price\nM37 | 37"]),
    ("EPUB in its spine's order", "epub", archive({
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path='
        '"O/p.opf"/></rootfiles></container>',
        "O/p.opf": '<package><manifest><item id="a" href="a%201.xhtml"/><item '
        'id="b" href="t/b.xhtml"/></manifest><spine><itemref idref="b"/>'
        '<itemref idref="a"/></spine></package>',
        "O/a 1.xhtml": "<html><body><h1>Two</h1><p>Second.</p></body></html>",
        "O/t/b.xhtml": "<html><body><h1>One</h1><p>First.</p></body></html>"}),
     ["[One]First.", "[Two]Second."]),
]


def damaged():
    whole = docx(p("Hello " * 500))
    middle = len(whole) // 2
    return whole[:middle] + b"\xff\xff\xff\xff" + whole[middle + 4:]


def lying():
    """The directory says 10 bytes; what is packed is 40 MB."""
    packed = zlib.compress(b" " * (40 << 20))[2:-4]
    head = (b"\x14\0\0\0\x08\0\0\0\0\0" + bytes(4) +
            len(packed).to_bytes(4, "little") + (10).to_bytes(4, "little") +
            (17).to_bytes(2, "little"))
    local = b"PK\3\4" + head + b"\0\0word/document.xml" + packed
    entry = b"PK\1\2\x14\0" + head + bytes(16) + b"word/document.xml"
    return (local + entry + b"PK\5\6" + bytes(4) + b"\1\0\1\0" +
            len(entry).to_bytes(4, "little") +
            len(local).to_bytes(4, "little") + b"\0\0")


FAULTS = [
    ("swells.docx", archive({"word/document.xml": "<w:t>" +
                             " " * (200 << 20)}),
     "unpacks to more than 64 MB"),
    ("lies.docx", lying(), "is damaged"),
    ("damaged.docx", damaged(), "is damaged"),
    ("locked.docx", b"\xd0\xcf\x11\xe0" + bytes(600) +
     "EncryptedPackage".encode("utf-16le"), "is locked with a password"),
    ("old.docx", b"\xd0\xcf\x11\xe0" + bytes(600), "is in an older format"),
    ("text.docx", b"Just text.", "is damaged: it is no archive"),
    ("other.docx", archive({"readme.txt": "x"}), "is no DOCX: its main part is missing"),
    ("other.epub", archive({"readme.txt": "x"}), "is no EPUB: its chapters are missing"),
]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="parlance-office-"))
    try:
        (folder / "state").mkdir(mode=0o700)
        (folder / "texts").mkdir()
        (folder / "parlance.conf").write_text(
            "[server]\ndemo = yes\nstate = state\n[bot guide]\nname = Guide\n"
            "knowledge = guide\n[knowledge guide]\nfolder = texts\n")
        for i, case in enumerate(CASES):
            (folder / "texts" / f"{i:03}.{case[1]}").write_bytes(case[2])
        for name, content, _ in FAULTS:
            (folder / "texts" / name).write_bytes(content)
        env = {"PATH": "/nowhere", "LC_ALL": "C.UTF-8",
               "PARLANCE_CONFIG": str(folder / "parlance.conf")}
        # Memory stays bounded: with more, a pass would fail.
        index = subprocess.run(
            ["/bin/sh", "-c", f"ulimit -v {MEMORY_KB}; exec '{BUILD}/parlance' "
             "index"], env=env, capture_output=True, text=True, timeout=300)
        check("the pass succeeds", index.returncode == 0, index.stderr)
        db = sqlite3.connect(folder / "state" / "index.db")
        for i, (name, ending, _, wanted) in enumerate(CASES):
            got = [f"[{h}]{'#' if is_row else ''}{text}"
                   for h, is_row, text in db.execute(
                       "SELECT s.heading, s.is_row, s.content FROM segment s "
                       "JOIN document d ON d.id = s.document WHERE d.path = ? "
                       "ORDER BY position", (f"{i:03}.{ending}",))]
            check(name, got == wanted, f"{got} {index.stderr}")
        for name, _, fault in FAULTS:
            check(f"{name} {fault}", any(
                line.startswith(f"guide: {name} {fault}") and
                line.endswith("; skipped")
                for line in index.stderr.splitlines()), index.stderr)
        db.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    TALLY.end()


main()
