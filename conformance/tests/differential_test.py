"""A few thousand requests of the differential test: one fixed seed, one fresh
one.  `make differential N=...` runs as many as wanted."""
import os
import sys

import differential

COUNTS = {"--fcgi": 5000, "--cgi": 400, "--http": 600}
TIMES = 20 if os.environ.get("LONG") else 1

sys.exit(differential.main([sys.argv[1]] + [
    word for option, n in COUNTS.items() for word in (option, str(n * TIMES))]))
