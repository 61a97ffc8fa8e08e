"""Usage is exact and there in time, however the chats arrive: many CGI
processes at once, FastCGI, streams; contracts/chat.md 7.6 and 9."""
import concurrent.futures
import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "conformance", "servers"))
import deployment  # noqa: E402

CONF = """[server]
demo = yes
[engine canned]
kind = replay
recordings = canned.json
[bot demo]
engine = canned
"""
CANNED = '{"recordings": [{"answer": ["One", " two", " three."]}]}'
WRITERS, EACH = 8, 12


def chat(ask, user, stream=False):
    reply = ask("POST", "/v1/chat", {"bot_slug": "demo", "stream": stream,
                                     "prompt": "a b", "user_id": user})
    if reply.status != 200:
        raise RuntimeError(repr(reply))
    if stream and not reply.body.endswith(b"data: [DONE]\n\n"):
        raise RuntimeError(repr(reply))


def total(ask, user):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    day = datetime.timedelta(days=1)
    reply = ask("POST", "/v1/user/usage-statistics",
                {"user_id": user, "start_date": str(today - day),
                 "end_date": str(today + day)})
    items = reply.json["items"]
    for name, value in reply.json["total"].items():
        if value != sum(item[name] for item in items):
            raise RuntimeError("total %s is not the sum" % name)
    if [item["date"] for item in items] != [
            str(today - day), str(today), str(today + day)]:
        raise RuntimeError("other days: %r" % items)
    return reply.json["total"]


def main():
    tally = deployment.Tally()
    with deployment.Deployment(sys.argv[1], CONF) as d:
        d.write("canned.json", CANNED)
        d.start_fcgi()
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            for ask, user in ((d.cgi, 1), (d.fcgi, 2)):
                list(pool.map(lambda i: chat(ask, user, i % 2 == 0),
                              range(WRITERS * EACH)))
                counts = total(ask, user)
                tally.equal("%d chats at once" % (WRITERS * EACH),
                            (counts["original_words"],
                             counts["response_words"], counts["total_words"]),
                            (2 * WRITERS * EACH, 3 * WRITERS * EACH,
                             5 * WRITERS * EACH))
        for i in range(20):
            chat(d.fcgi, "3", stream=True)
            tally.equal("counted before [DONE] is read",
                        total(d.cgi, 3)["response_words"], 3 * (i + 1))
        chat(d.cgi, 4.0)
        tally.equal("4.0 is not 4", total(d.fcgi, 4)["total_words"], 0)
        chat(d.cgi, None)
        tally.equal("nobody is -1", total(d.fcgi, -1)["total_words"], 5)
    tally.end()


if __name__ == "__main__":
    main()
