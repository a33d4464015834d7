"""What the plan promised against a fresh Inventory and TargetSnapshot. Pure."""
