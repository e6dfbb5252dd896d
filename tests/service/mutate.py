"""A pytest plugin: one module of ours is loaded with one check taken out.

``MAINSTEM_MUTANT`` names the mutation; nothing on the disk is changed.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from tests.service.mutants import MUTANTS, Mutant


class MutatedLoader(SourceFileLoader):
    """Loads a module's source with the check replaced, and never its cached code."""

    mutant: Mutant

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path).decode("utf-8")
        return compile(self.mutant.applied(source), self.path, "exec", dont_inherit=True)


class MutatedFinder(PathFinder):
    """Finds the module that the mutant changes; everything else is found as always."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(  # type: ignore[override]  # a finder with a memory, not a class
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return spec
        loader = MutatedLoader(fullname, spec.origin)
        loader.mutant = self._mutant
        spec.loader = loader
        return spec


_wanted = os.environ.get("MAINSTEM_MUTANT", "")
if _wanted:
    chosen = next(each for each in MUTANTS if each.name == _wanted)
    if chosen.module in sys.modules:
        raise RuntimeError(f"{chosen.module} is loaded already; the mutation would do nothing")
    sys.meta_path.insert(0, MutatedFinder(chosen))
