"""What is installed from a wheel is whole, keeps to its own folders, and runs from anywhere."""

import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

import hatch_build

CHECKOUT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(
    ".venv",
    ".git",
    "var",
    "dist",
    "build",
    "node_modules",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of a copy of this checkout, in which an operator has settings of his own."""
    scratch = tmp_path_factory.mktemp("wheel")
    copy = scratch / "checkout"
    shutil.copytree(CHECKOUT, copy, ignore=LEFT_BEHIND)
    hatch_build.fetch(copy)
    own = copy / "config" / "local" / "channels" / "ours.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text('account = "ours"\n', encoding="utf-8")
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(scratch)]
    _run([sys.executable, "-m", "pip", "wheel", "--quiet", *options, str(copy)], cwd=scratch)
    (built,) = scratch.glob("mainstem-*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel afresh and return the environment; dependencies are borrowed from ours."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", str(home)], cwd=home.parent)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    _run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], cwd=home.parent)
    (packages,) = home.glob("lib/python*/site-packages")
    borrowed = sysconfig.get_path("purelib")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return home


def test_a_wheel_keeps_to_its_own_two_packages(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"router", "adapters"}


@pytest.mark.parametrize("file", sorted(hatch_build.KEPT))
def test_a_wheel_has_the_scripts_and_styles_of_its_pages(names: list[str], file: str) -> None:
    assert f"router/web/static/vendor/{file}" in names


@pytest.mark.parametrize(
    ("folder", "suffix"),
    [
        ("router/web/templates/", ".html"),
        ("router/web/static/", ".css"),
        ("router/web/locale/", ".po"),
        ("router/_bundled/config/", ".toml"),
        ("router/_bundled/alembic/versions/", ".py"),
        ("router/_bundled/alembic/", "env.py"),
        ("router/", "py.typed"),
        ("adapters/", "py.typed"),
    ],
)
def test_a_wheel_has_what_the_code_reads(names: list[str], folder: str, suffix: str) -> None:
    assert [name for name in names if name.startswith(folder) and name.endswith(suffix)]


def test_a_wheel_leaves_the_operators_settings_and_the_cases_at_home(names: list[str]) -> None:
    stories = [name for name in names if name.startswith("adapters/") and "/cases/" in name]
    assert [name for name in names if "/local/" in name] == stories == []


def test_a_wheel_has_the_readers_weights_and_not_what_they_were_trained_on(
    names: list[str],
) -> None:
    home = "router/understanding/"
    assert {f"{home}models/reader.npz", f"{home}data/wordings.jsonl"} <= set(names)
    assert [name for name in names if name.startswith(f"{home}training")] == []


def test_an_empty_database_is_migrated_from_anywhere(installed: Path, tmp_path: Path) -> None:
    database = tmp_path / "shop.db"
    command = [str(installed / "bin" / "mainstem"), "migrate"]
    _run([*command, "--database-url", f"sqlite:///{database}"], cwd=tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        assert "alembic_version" in {name for (name,) in tables}


def test_what_runs_is_what_was_installed(installed: Path, tmp_path: Path) -> None:
    asked = "import router.resources as r; print(r.resource('config'), r.resource('alembic'))"
    said = _run([str(installed / "bin" / "python"), "-c", asked], cwd=tmp_path)
    assert all(path.startswith(str(installed)) for path in said.split())


def _run(command: list[str], *, cwd: Path) -> str:
    """Run ``command`` without what this test run has in its environment; fail with its words."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603  # our own arguments
        command, cwd=cwd, env=clean, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
