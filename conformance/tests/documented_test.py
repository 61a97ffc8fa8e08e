"""The documented examples of both APIs, end to end: over the CGI program,
over parlance.fcgi, and through lighttpd, against the demo deployment."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "servers"))
from deployment import Deployment, Tally  # noqa: E402

TAXES = "Explain how to pay taxes."
IPHONE = "What are the specs of the iPhone 13 Pro Max?"
SEGMENT = (
    '"Model","Release Date","Display Size","Resolution","Processor","RAM",'
    '"Storage","Camera","Battery","Operating System"\n'
    '"iPhone 13 Pro Max","September 24, 2021","6.7 inch","1284 x 2778",'
    '"Hexa-core (2x3.23 GHz Avalanche + 4x1.82 GHz Blizzard)","6 GB",'
    '"128, 256, 512 GB, 1TB","12 MP","4352 mAh","iOS 15"')
MISSING = {"loc": ["body", "stream"], "msg": "field required",
           "type": "value_error.missing"}


def bot_api(t, via, ask):
    by_uid = {"bot_uid": "edf826b8-1b75-4f57-bd26-641c897f9c1e",
              "prompt": TAXES}
    by_slug = {"bot_slug": "taxson", "messages": [
        {"role": "system", "content": "User live in Texas, US."},
        {"role": "user", "content": TAXES}]}
    for name, body in (("uid", by_uid), ("slug", by_slug)):
        r = ask("POST", "/v1/chat", dict(body, stream=False))
        t.equal(via + " chat status " + name, r.status, 200)
        t.equal(via + " chat members " + name, list(r.json), ["content"])
        answer = r.json["content"]
        t.check(via + " the answer is about taxes " + name,
                "tax" in answer.lower(), answer)
        r = ask("POST", "/chat", dict(body, stream=True))
        t.equal(via + " stream type " + name, r.type, "text/event-stream")
        events = r.events()
        t.equal(via + " first block " + name, events[0], {"content": ""})
        t.equal(via + " last block " + name, events[-1], "[DONE]")
        t.equal(via + " stream and body agree " + name,
                "".join(e["content"] for e in events[:-1]), answer)
    rows = [
        ({"bot_slug": "taxson", "prompt": "x"}, MISSING),
        ({"bot_slug": "taxson", "prompt": "x", "stream": None},
         {"loc": ["body", "stream"], "msg": "none is not an allowed value",
          "type": "type_error.none.not_allowed"}),
        ({"bot_slug": "taxson", "stream": True},
         {"loc": ["body", "__root__"],
          "msg": 'Either "prompt" or "messages" is required',
          "type": "value_error"}),
    ]
    for body, error in rows:
        r = ask("POST", "/v1/chat", body)
        t.equal(via + " 422", (r.status, r.json), (422, {"detail": [error]}))
    r = ask("GET", "/v1/bots")
    t.check(via + " bots", "taxson" in [b["slug"] for b in r.json], r)
    t.equal(via + " health", ask("GET", "/health-check").json,
            {"status": "ok"})


def messages_api(t, via, ask):
    body = {"inputs": {}, "query": IPHONE, "response_mode": "blocking",
            "conversation_id": "", "user": "abc-123"}
    r = ask("POST", "/v1/chat-messages", body)
    if not t.equal(via + " chat-messages status", r.status, 200):
        print(r)
        return
    reply = r.json
    t.equal(via + " ids", reply["id"], reply["message_id"])
    t.check(via + " names the phone", "iPhone 13 Pro Max" in reply["answer"],
            reply["answer"])
    resources = reply["metadata"]["retriever_resources"]
    t.equal(via + " the documented segment comes first",
            (resources[0]["content"], resources[0]["position"],
             resources[0]["dataset_name"], resources[0]["document_name"]),
            (SEGMENT, 1, "iPhone", "iPhone List"))
    usage = reply["metadata"]["usage"]
    t.equal(via + " total tokens", usage["total_tokens"],
            usage["prompt_tokens"] + usage["completion_tokens"])
    t.equal(via + " unit price", usage["prompt_unit_price"], "0.001")
    r = ask("POST", "/chat-messages", dict(
        body, response_mode="streaming",
        conversation_id=reply["conversation_id"]))
    events = r.events()
    t.equal(via + " stream ends", events[-1]["event"], "message_end")
    t.equal(via + " one conversation", {e["conversation_id"] for e in events},
            {reply["conversation_id"]})
    t.check(via + " streamed answer", "iPhone 13 Pro Max" in "".join(
        e.get("answer", "") for e in events), r)
    r = ask("POST", "/chat-messages", dict(body, user="other",
            conversation_id=reply["conversation_id"]))
    t.equal(via + " another user's conversation",
            (r.status, r.json["code"]), (404, "not_found"))
    r = ask("POST", "/chat-messages", body, key="nope")
    t.equal(via + " unknown key", (r.status, r.json["code"]),
            (401, "unauthorized"))


def main():
    t = Tally()
    with Deployment(sys.argv[1]) as d:
        d.start_fcgi()
        d.start_lighttpd()

        def through_cgi(method, uri, *rest, **more):
            return d.http(method, "/cgi-bin/parlance.cgi" + uri, *rest,
                          **more)
        for via, ask in (("cgi", d.cgi), ("fcgi", d.fcgi),
                         ("lighttpd", d.http),
                         ("lighttpd-cgi", through_cgi)):
            bot_api(t, via, ask)
            messages_api(t, via, ask)
    t.end()


main()
