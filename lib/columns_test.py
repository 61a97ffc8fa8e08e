#!/usr/bin/python3
"""No line of C is wider than 80 columns, a tab counting to the next multiple
of 8, a mark that stands on another character nothing, any other character
one; a file is one check.
usage: columns_test.py BUILD, from the top of the repository"""
import pathlib
import sys
import unicodedata

COLUMNS = 80


def width(line):
    return len(line) if line.isascii() else sum(
        unicodedata.category(c) != "Mn" for c in line)


def main():
    passed = failed = 0
    for folder in ("cgi", "fcgi", "lib", "conformance"):
        for path in sorted(pathlib.Path(folder).rglob("*.[chi]*")):
            if path.suffix not in (".c", ".h", ".inc"):
                continue
            wide = [
                "%s:%d: %d columns" % (path, number, width(line))
                for number, line in enumerate(
                    path.read_text(encoding="utf-8").expandtabs(8)
                    .split("\n"), 1)
                if width(line) > COLUMNS]
            for line in wide:
                print("FAILED " + line)
            failed += bool(wide)
            passed += not wide
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0 or passed < 100


sys.exit(main())
