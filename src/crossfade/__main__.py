"""`python -m crossfade`."""

import sys

from crossfade.cli.main import main

sys.exit(main())
