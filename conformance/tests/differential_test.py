"""A few thousand requests of the differential test: one fixed seed, one fresh
one.  `make differential N=...` runs as many as wanted."""
import sys

import differential

sys.exit(differential.main([sys.argv[1], "--fcgi", "5000", "--cgi", "400",
                            "--http", "600"]))
