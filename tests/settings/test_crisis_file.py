"""crisis.toml: what is out of range is said with its file and key, all at once."""

from pathlib import Path

import pytest

from router.settings.load import ConfigError, load

SHIPPED = load(environ={}).policy.crisis


def problems_of(folder: Path, text: str) -> set[str]:
    """Return the keys of crisis.toml that are wrong."""
    (folder / "crisis.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as refused:
        load(environ={"MAINSTEM_CONFIG": str(folder), "MAINSTEM_DATA": str(folder)})
    assert {each.file for each in refused.value.problems} == {"crisis.toml"}
    return {each.key for each in refused.value.problems}


def test_the_shipped_file_is_in_force() -> None:
    assert SHIPPED.baseline > SHIPPED.window
    assert "沙发" in SHIPPED.products["sofa"].words


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('window = "1m"', {"window"}),
        ('window = "soon"\nbaseline = "400d"', {"window", "baseline"}),
        ("least = 1", {"least"}),
        ("chance = 0.5", {"chance"}),
        ('[products.rug]\ntitle = { en = "Rugs" }\nwords = []', {"products.rug.words"}),
        ("sleep = 1", {"sleep"}),
    ],
)
def test_what_is_out_of_range_is_named(tmp_path: Path, text: str, keys: set[str]) -> None:
    assert problems_of(tmp_path, text) == keys
