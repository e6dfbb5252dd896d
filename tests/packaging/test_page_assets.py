"""The scripts of the pages are pinned, fetched when they are missing, and never half there."""

import json
import shutil
from pathlib import Path

import pytest

import hatch_build
from hatch_build import KEPT, PINS, VENDOR, AssetsUnavailable, fetch
from tests.support.processes import LOOPBACK, free_port

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with this project's pins, and nothing fetched yet."""
    for name in PINS:
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://{LOOPBACK}:{free_port()}/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path_factory.mktemp("npm")))
    monkeypatch.setenv("npm_config_fetch_retries", "0")


def test_the_lock_names_a_checksum_for_each_package_and_no_address() -> None:
    lock = json.loads((CHECKOUT / "package-lock.json").read_text(encoding="utf-8"))
    fetched = {name: entry for name, entry in lock["packages"].items() if name}
    assert fetched
    assert all(entry["integrity"].startswith("sha512-") for entry in fetched.values())
    assert not any("resolved" in entry for entry in fetched.values())


def test_this_checkout_has_what_its_lock_names() -> None:
    assert fetch(CHECKOUT) is False
    assert all((CHECKOUT / VENDOR / name).stat().st_size > 0 for name in KEPT)


@pytest.mark.usefixtures("_offline")
def test_without_a_network_the_reader_is_told_what_to_set(checkout: Path) -> None:
    with pytest.raises(AssetsUnavailable, match=r"could not be fetched(.|\n)*HTTPS_PROXY"):
        fetch(checkout)
    assert not (checkout / VENDOR).exists()


@pytest.mark.usefixtures("_offline")
def test_a_lock_that_changed_is_fetched_anew_and_the_old_files_stay_until_then(
    checkout: Path,
) -> None:
    shutil.copytree(CHECKOUT / VENDOR, checkout / VENDOR)
    assert fetch(checkout) is False
    lock = checkout / "package-lock.json"
    lock.write_text(lock.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(AssetsUnavailable):
        fetch(checkout)
    assert (checkout / VENDOR / "htmx.min.js").is_file()


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("gone", [hatch_build.STAMP, "sse.js"])
def test_a_folder_with_a_hole_in_it_is_not_taken_for_whole(checkout: Path, gone: str) -> None:
    shutil.copytree(CHECKOUT / VENDOR, checkout / VENDOR)
    (checkout / VENDOR / gone).unlink()
    with pytest.raises(AssetsUnavailable):
        fetch(checkout)
