"""Requests for the bot API, made by a grammar and then spoiled.

`Grammar(seed).request()` gives a Request: mostly chats and statistics with
each field absent, good, null or of any other type and spelling; several
faults at once; broken JSON; other encodings; other content types, tokens,
methods and paths.  The same seed gives the same requests.
"""
import datetime
import random

GOOD_KEY = "Bearer demo-key"


class Request:
    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query = method, path, query
        self.headers, self.body = headers, body

    def __repr__(self):
        return "%s %s?%s %r %r" % (self.method, self.path, self.query,
                                   self.headers, self.body)


NUMBERS = """0 -0 1 -1 2 7 42 100 1.0 0.0 -0.0 1e0 0e5 10e-1 1E+2 1.5 -1.5 0.1
1e15 1e16 1e17 123456789012345678 0.0001 0.00001 1.5e-7 5e-324 1e-400 1e400
-1e400 1.7976931348623157e308 4.35 2.675 0.30000000000000004 1e22 1e23 1e21
9007199254740993 9007199254740993.0 12345678901234567890 -98765432109876543210
123456.789e3 100000000000000000000.0 1e5 -1e-5 NaN Infinity -Infinity
1672617600 1672617600000 1672617600000000 20000000000 20000000001 -20000000001
-86400 86399.9999995 86399.9999994 -0.0000005 -0.0000004 0.5e-6 1.5e-6
300000000000000000000 300000000000000000001 -300000000000000000001 3e20
299999999999999999999 2.9e20 20000000000.000001 253402300799 253402300800
-62135596800 -62135596801 1e10 31536000 1e12 99999999999999""".split()

STRINGS = ["", " ", "a", "ab", "abc", "hi", "x" * 40, "1", "0", "on", "off",
           "t", "f", "true", "false", "y", "n", "yes", "no", "TRUE", "False",
           "oN", "OFF", "T", "N", " true", "true ", "yep", "2", "1.0", "null",
           "system", "user", "assistant", "User", " user", "42", "+42", "-42",
           "-0", "007", " 42 ", "\t42\n", "4_2", "4__2", "_42", "42_", "+_4",
           "- 4", "4 2", "5.0", "0x10", "1e3", "+", "-", "++1", "\u0664\u0662",
           "\uff14\uff12", "\u00b2", "\u2460", "\U0001d7ce\U0001d7d7",
           "\u00a042\u3000", "\u200b42", "\ufeff42", "\x1f42", "\u208242",
           "\u0967\uff12\u0663", "inf", "-Infinity", "nan", "NaN", "+nan",
           "infinit", ".5", "5.", ".", "1e", "1e+5", "1_0e1_0", "1_.5",
           "1._5", "1e_5", "2023-01-02", "2023-1-2", "2023-1-2\n",
           "2023-1-2\n\n", " 2023-1-2", "2023-1-2 ", "2024-02-29",
           "2023-02-29", "1900-02-29", "0000-01-01", "0001-01-01",
           "9999-12-31", "2023-13-01", "2023-00-10", "2023-04-31", "23-1-1",
           "2023-01-001", "02023-1-1", "20230102", "2023-01-02T00:00:00",
           "2023/01/02", "\u0662\u0660\u0662\u0663-\uff11-2", "86400",
           " 86400.5 ", "1672617600000", "9" * 25, "9" * 310, "-" + "9" * 310,
           "\u00e9", "\u00e9\U0001f600", "\U0001f600", "\ud800", "\udc00",
           "\ud800x", "\ud83d\ude00", "a\x00", "\x7f\u2028", "\"\\/\b\f\r",
           "demo", "Demo", "nobody", "EDf826b8-1b75-4f57-bd26-641c897f9c1e",
           "edf826b8-1b75-4f57-bd26-641c897f9c1e", "\u212a", "\u017f",
           "\u0130", "I\u0307", "\u1680" + "1", "1\u2003", "\u180e1",
           "1\u0085", "\x1c1", "\x0b1\x0c", "\u09666", "\ufb001"]

CHAT = ["bot_uid", "bot_slug", "prompt", "messages", "stream", "user_id",
        "language", "assumptions", "max_words", "use_search"]
STATISTICS = ["user_id", "start_date", "end_date"]
OTHER = ["role", "content", "key", "", "Stream", "stream ", "\u0455tream",
         "detail", "__root__"]
BOOLEANS = ["true", "false", "1", "0", '"on"', '"no"', "1.0", "-0"]
DATES = ['"2023-01-02"', '"2023-1-5"', "1672617600", '"1672617600"',
         "1672617600000", "true", '"2022-12-31\\n"', '"9999-12-31"', "0",
         '"1970-01-05"', '"2013-01-01"', "-1"]
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
NEAR = ['"%s"' % (TODAY + datetime.timedelta(days=n)) for n in range(-2, 5)]

PATHS = ["/v1/chat/", "/chat///", "/v1/bots/", "/health-check/",
         "/v1/user/usage-statistics/", "/v1/chats", "//v1/chat",
         "/v1//chat", "/v1/chat//x", "/V1/chat", "/v1/Chat",
         "/user/usage-statistics", "/v1/health-check", "/docs", "/redoc",
         "/openapi.json", "/v1/%63hat", "/v1/chat%2F", "/v1/ch%c3%a9t",
         "/v1/bot", "/bots/x", "/chat/", "/v1/chat/x/"]
QUERIES = ["", "", "", "x=1", "a=b%20c", "a=%zz", "a=\"<>", "a=b&c=d#e",
           "a=\u00e9", "?", "a b", "a='()*+,;[]{}|\\^`~!@$", "%"]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get",
           "FOO"]
TYPES = ["application/json", "application/json; charset=utf-8",
         "application/json;charset=latin-1", "Application/JSON",
         " application/json ", "application/vnd.x+json", "application/+json",
         "application/x+JSON ; a=b", "text/plain", "application/jsonx",
         "application", "application/json/x", "application/ json", "+json",
         "text/json", "application/x-www-form-urlencoded", ";", "/",
         "multipart/form-data; boundary=x", "application/json,text/plain",
         "application/", "application/+jsonx", ";application/json"]
TOKENS = [None, "", "Bearer", "Bearer ", "Bearer  demo-key", "demo-key",
          "Basic dXNlcg==", "Bearer nope", "bearer demo-key",
          "BEARER demo-key", " Bearer demo-key ", "Bearer\tdemo-key",
          "Bearer demo-key x", "Bearer DEMO-KEY", "Token demo-key",
          "Bearer demo-ke", "Bearer demo-keyy"]
HOSTS = ["oracle.test", "oracle.test:8080", "localhost", "[::1]:80",
         "127.0.0.1"]
SYNTAX = list("{}[]:,\"\\'+-.0123456789eEnulltruefalseNaNInfinity \t\r\n/*u"
              "\x00\x01\x1f\x7f\u00e9\u2028\U0001f600\ud800")


# Something of everything that JSON has.
BASE = ('{"bot_slug":"demo", "a\\u00e9":[1.5e-3,-0,true,null,{"":"\\ud83d'
        '\\ude00\u00e9\\n"}],\n"b":NaN, "c":[-Infinity]}')
MORE = '"\\{}[]:,0-.eu \x01\ud800'


def broken_at_every_position():
    """BASE cut, with a character less, and with each of some more, at every
    position."""
    headers = {"host": "oracle.test", "authorization": GOOD_KEY}
    for at in range(len(BASE)):
        texts = [BASE[:at], BASE[:at] + BASE[at + 1:]]
        texts += [BASE[:at] + c + BASE[at:] for c in MORE]
        for text in texts:
            yield Request("POST", "/v1/chat", "", dict(headers),
                          text.encode("utf-8", "surrogatepass"))


class Grammar:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def often(self, chance):
        return self.random.random() < chance

    # -- JSON text -------------------------------------------------------

    def blank(self):
        r = self.random
        if r.random() < 0.93:
            return ""
        return "".join(r.choice(" \t\r\n") for _ in range(r.randint(1, 4)))

    def string(self, text):
        """One of the spellings of a string."""
        r = self.random
        plain = r.random() < 0.7
        out = []
        for c in text:
            code = ord(c)
            if c in "\"\\" or code < 32 or (not plain and r.random() < 0.3):
                short = "\"\\\b\f\n\r\t/".find(c)
                if short >= 0 and r.random() < 0.7:
                    out.append("\\" + "\"\\bfnrt/"[short])
                elif code > 0xffff:
                    code -= 0x10000
                    out.append("\\u%04x\\u%04X" % (0xd800 + (code >> 10),
                                                   0xdc00 + (code & 0x3ff)))
                else:
                    out.append("\\u%04x" % code)
            else:
                out.append(c)
        return '"' + "".join(out) + '"'

    def scalar(self):
        r = self.random
        kind = r.random()
        if kind < 0.15:
            return r.choice(["null", "true", "false"])
        if kind < 0.45:
            return r.choice(NUMBERS)
        if kind < 0.50:
            return self.random_number()
        if kind < 0.95:
            return self.string(r.choice(STRINGS))
        return self.string("".join(
            r.choice(SYNTAX) for _ in range(r.randint(0, 8))))

    def random_number(self):
        r = self.random
        digits = "".join(r.choice("0123456789")
                         for _ in range(r.randint(1, 22))).lstrip("0") or "0"
        text = r.choice(["", "-"]) + digits
        if self.often(0.5):
            text += "." + "".join(r.choice("0123456789")
                                  for _ in range(r.randint(1, 18)))
        if self.often(0.4):
            text += "%s%s%d" % (r.choice("eE"), r.choice(["", "+", "-"]),
                                r.randint(0, 330))
        return text

    def array(self, items):
        b = self.blank
        return "[" + b() + ("," + b()).join(
            item + b() for item in items) + "]"

    def object(self, members):
        b = self.blank
        return "{" + b() + ("," + b()).join(
            self.string(name) + b() + ":" + b() + value + b()
            for name, value in members) + "}"

    def pair(self, depth):
        r = self.random
        kind = r.random()
        if kind < 0.4:
            return self.array([self.scalar(), self.value(depth - 1)])
        if kind < 0.6:
            return self.string("".join(r.choice("ab\u00e9\U0001f600\ud800")
                                       for _ in range(2)))
        if kind < 0.8:
            return self.object([(r.choice("abc"), self.value(depth - 1))
                                for _ in range(r.choice([2, 2, 2, 3, 1]))])
        return self.array([self.value(depth - 1)
                           for _ in range(r.randint(0, 3))])

    def value(self, depth=3):
        r = self.random
        kind = r.random()
        if depth <= 0 or kind < 0.65:
            return self.scalar()
        if kind < 0.75:
            return self.array([self.value(depth - 1)
                               for _ in range(r.randint(0, 3))])
        if kind < 0.87:
            return self.array([self.pair(depth)
                               for _ in range(r.randint(0, 3))])
        return self.object([(r.choice(OTHER + CHAT), self.value(depth - 1))
                            for _ in range(r.randint(0, 4))])

    def message(self):
        r = self.random
        if self.often(0.15):
            return self.value(2)
        members = []
        for name, good in (("role", ['"user"', '"system"', '"assistant"']),
                           ("content", ['"hi"', '""', "1", "true"])):
            kind = r.random()
            if kind < 0.06:
                continue
            members.append((name, r.choice(good) if kind < 0.85
                            else self.value(2)))
        r.shuffle(members)
        return self.as_object(members)

    def good(self, name):
        r = self.random
        if name == "bot_slug":
            return '"demo"'
        if name in ("bot_uid",):
            return '"EDf826b8-1b75-4f57-bd26-641c897f9c1e"'
        if name in ("stream", "use_search"):
            return r.choice(BOOLEANS)
        if name == "messages":
            return self.array([self.message()
                               for _ in range(r.choice([0, 1, 1, 2, 3, 6]))])
        if name in ("start_date", "end_date"):
            return r.choice(NEAR[:3] if name == "start_date" else NEAR[2:]) \
                if self.often(0.6) else r.choice(DATES)
        if name == "assumptions":
            return r.choice(["{}", '{"a":1}', "[]", '""', '["ab"]'])
        if name in ("max_words", "user_id"):
            return r.choice(["1", "5", '"3"', "-1", "2.9", "true", '"1"',
                             '"-1"', "0", "-0", '"0"', '"5.0"', "1e1", '"10"',
                             '""', '" 3"', "null", "1.0", "10",
                             '"99999999999999999999"', "99999999999999999999"])
        return self.string(r.choice(STRINGS))

    def as_object(self, members):
        """An object, seldom spelled as a list of pairs."""
        if self.often(0.94):
            return self.object(members)
        items = []
        for name, value in members:
            items.append(self.array([self.string(name), value]))
        if self.often(0.3):
            items.append(self.pair(2))
        return self.array(items)

    def model(self, names, needed):
        r = self.random
        spoil = r.choice([0, 0.05, 0.3, 0.8])
        members = []
        for name in names:
            if r.random() < spoil:
                kind = r.random()
                if kind < 0.2:
                    continue
                members.append((name, "null" if kind < 0.35
                                else self.value()))
            elif name in needed or self.often(0.3):
                members.append((name, self.good(name)))
        while self.often(0.15):
            members.append((r.choice(OTHER), self.value()))
        while members and self.often(0.08):
            members.append((r.choice(members)[0], self.value()))
        if self.often(0.5):
            r.shuffle(members)
        return self.as_object(members)

    # -- spoiling --------------------------------------------------------

    def spoil_text(self, text):
        r = self.random
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            at = r.randint(0, len(text))
            kind = r.random()
            if kind < 0.3:
                text = text[:at] + text[at + 1:]
            elif kind < 0.55:
                text = text[:at] + r.choice(SYNTAX) + text[at:]
            elif kind < 0.75:
                text = text[:at] + r.choice(SYNTAX) + text[at + 1:]
            elif kind < 0.87:
                text = text[:at]
            elif kind < 0.93:
                end = r.randint(at, len(text))
                text = text[:end] + text[at:end] + text[end:]
            else:
                text = text[:at] + r.choice(
                    ["\\u", "\\ud800", "\\ud83d\\ude0", "\\x", "01", "1.", "-",
                     "1e", "NaNx", "nul", "//", "'a'", ",,", "}{", "\\",
                     "\\u00e9", "\ufeff", "-Infinit", ".5"]) + text[at:]
        return text

    def encode(self, text):
        r = self.random
        kind = r.random()
        if kind < 0.86:
            return text.encode("utf-8", "surrogatepass")
        if kind < 0.88:
            return b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")
        name = r.choice(["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
        mark = r.choice(["", "\ufeff"])
        return (mark + text).encode(name, "surrogatepass")

    def spoil_bytes(self, body):
        r = self.random
        body = bytearray(body)
        for _ in range(r.choice([1, 1, 2])):
            at = r.randint(0, len(body))
            kind = r.random()
            if kind < 0.4:
                body[at:at] = bytes([r.randint(0, 255)])
            elif kind < 0.6:
                del body[at:at + 1]
            elif kind < 0.75:
                del body[at:]
            elif kind < 0.9:
                body[at:at] = r.choice([b"\xc0\xaf", b"\xed\xa0\x80",
                                        b"\xf4\x90\x80\x80", b"\xff", b"\x00",
                                        b"\xe2\x82", b"\xef\xbb\xbf",
                                        b"\xff\xfe", b"\xf0\x9f\x98\x80"])
            else:
                body[:0] = r.choice([b"\xff\xfe", b"\xfe\xff", b"\x00",
                                     b"\x00\x00\xfe\xff", b"\xef\xbb\xbf",
                                     b"\xff\xfe\x00\x00"])
        return bytes(body)

    def deep(self):
        """Nesting that must work, or must be refused; nothing between."""
        r = self.random
        n = r.choice([5, 100, 890, 1001, 1100, 3000])
        inner = self.scalar()
        if self.often(0.5):
            text = "[" * n + inner + "]" * n
        else:
            text = '{"a":' * n + inner + "}" * n
        if self.often(0.4):
            text = '{"bot_slug":"demo","stream":0,"assumptions":%s}' % text
        cut = text[:r.randint(0, len(text))] if self.often(0.2) else text
        opened = cut.count("[") + cut.count("{")
        return text if 900 < opened <= 1000 else cut

    def digits(self):
        r = self.random
        n = r.choice([4299, 4300, 4301, 5000])
        number = r.choice(["", "-"]) + "9" * n + r.choice(
            ["", "", "", ".5", "e1"])
        if self.often(0.3):
            number = '"%s%s%s"' % (r.choice(["", " ", "+"]), "7" * n,
                                   r.choice(["", " ", "_1"]))
        return '{"bot_slug":"nobody","stream":0,"prompt":%s,"max_words":%s}' \
            % (r.choice(["1", number]), number)

    def text(self, path):
        r = self.random
        kind = r.random()
        if kind < 0.03:
            return self.value()
        if kind < 0.045:
            return self.deep()
        if kind < 0.06:
            return self.digits()
        if kind < 0.07:
            return ""
        if path.endswith("statistics"):
            return self.model(STATISTICS, ("start_date", "end_date"))
        return self.model(CHAT, ("bot_slug", "prompt", "stream"))

    def body(self, path):
        text = self.blank() + self.text(path) + self.blank()
        deep = len(text) > 2000
        if self.often(0.3) and not deep:
            text = self.spoil_text(text)
        body = self.encode(text)
        if self.often(0.06) and not deep:
            body = self.spoil_bytes(body)
        return body

    def request(self):
        r = self.random
        path = r.choice(["/v1/chat"] * 6 + ["/chat"] +
                        ["/v1/user/usage-statistics"] * 3)
        method, query = "POST", ""
        headers = {"host": "oracle.test", "content-type": "application/json",
                   "authorization": GOOD_KEY}
        if self.often(0.06):
            path = r.choice(PATHS + ["/v1/bots", "/bots", "/health-check"])
            query = r.choice(QUERIES)
            headers["host"] = r.choice(HOSTS)
        if self.often(0.05):
            method = r.choice(METHODS)
        if path.endswith(("bots", "health-check")) and self.often(0.8):
            method = "GET"
        if self.often(0.08):
            headers["content-type"] = r.choice(TYPES)
        elif self.often(0.05):
            del headers["content-type"]
        if self.often(0.08):
            headers["authorization"] = r.choice(TOKENS)
            if headers["authorization"] is None:
                del headers["authorization"]
        body = self.body(path) if method not in ("GET", "HEAD") else b""
        return Request(method, path, query, headers, body)
