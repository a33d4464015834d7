"""One rule per file: Inventory (+ TargetSnapshot) -> Findings. Pure."""
