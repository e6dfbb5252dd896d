"""The ledger check: what was acknowledged, held against what the tables have."""
