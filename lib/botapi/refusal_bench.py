"""What a refusal costs through FastCGI, against an answer: `refusal_bench.py
BUILD`.  The same connection per request, the same body but for one field,
alternately; the median of each and their ratio.  A 422 must not cost more
than a 200."""
import os
import statistics
import sys
import time

CONFORMANCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                           "..", "conformance")
sys.path[:0] = [os.path.join(CONFORMANCE, "servers"),
                os.path.join(CONFORMANCE, "tests")]
import deployment  # noqa: E402
import differential  # noqa: E402

ROUNDS = 1500
CHAT = '{"bot_slug":"demo","stream":%s,"prompt":"How are you?"}'


def main():
    d = deployment.Deployment(sys.argv[1], differential.CONF)
    took = {200: [], 422: []}
    try:
        d.write("canned.json", differential.CANNED)
        d.start_fcgi(workers=2)
        for i in range(2 * ROUNDS + 20):
            status, stream = ((200, "false"), (422, "null"))[i % 2]
            begin = time.perf_counter()
            reply = d.fcgi("POST", "/v1/chat", CHAT % stream)
            seconds = time.perf_counter() - begin
            if reply.status != status:
                raise RuntimeError("%r instead of %d" % (reply, status))
            if i >= 20:
                took[status].append(seconds)
    finally:
        d.close()
    refused = statistics.median(took[422])
    answered = statistics.median(took[200])
    print("a 200 takes %.0f us, a 422 %.0f us: %.2f times a 200" % (
        answered * 1e6, refused * 1e6, refused / answered))
    return 0 if refused <= answered else 1


if __name__ == "__main__":
    sys.exit(main())
