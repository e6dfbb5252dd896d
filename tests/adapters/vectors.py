"""Test vectors of signatures and ciphers, made or accepted by other implementations."""

import json
from pathlib import Path
from typing import Any


def vector(name: str) -> dict[str, Any]:
    """Return the vector called ``name``: its inputs, outputs and the oracle that made it."""
    every = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(each for each in every if each["id"] == name)
    return found
