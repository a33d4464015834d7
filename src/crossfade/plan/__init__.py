"""Inventory + TargetSnapshot + Findings + Intent -> Plan. Pure: the same inputs give the same bytes."""
