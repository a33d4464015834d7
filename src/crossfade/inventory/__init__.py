"""Raw records -> one Inventory and one TargetSnapshot: merged by origin, normalised, digested, gaps named. Pure."""
