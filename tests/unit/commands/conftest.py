"""Helpers of these tests are modules beside them; those of the planner serve its neighbours too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "plan"))
