"""TOML files are parsed once, and read each time."""

from pathlib import Path

from renp_infer.resources import read_toml


def test_what_is_done_to_contents_or_file_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[one]\nrows = [{ x = 1 }]\n")
    found = read_toml(path, "a")
    found["one"]["rows"][0]["x"] = 2
    assert read_toml(path, "a") == {"one": {"rows": [{"x": 1}]}}
    path.write_text("[one]\nrows = [{ x = 3 }]\n")
    assert read_toml(path, "a") == {"one": {"rows": [{"x": 3}]}}
