"""These tests share the helpers of tests/unit/sources."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "sources"))
