"""A study over other files: who wins, from where, and what is refused."""

from pathlib import Path

import pytest

from renp_infer.errors import ConfigError
from renp_infer.study.load import load_study
from renp_infer.study.toml.including import MAX_FILES


def write(folder: Path, **texts: str) -> Path:
    """Files of a folder by stem; gives that of the study."""
    for name, text in texts.items():
        path = folder / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "study.toml"


def test_the_study_is_over_the_later_file_over_the_earlier(tmp_path: Path) -> None:
    study = write(
        tmp_path,
        one="[lasers]\neq_mW_cm2 = 1.0\nqg_mW_cm2 = 1.0\ncycle_ms = 1.0\n",
        two="[lasers]\nqg_mW_cm2 = 2.0\ncycle_ms = 2.0\n",
        study='schema = 1\ninclude = ["one.toml", "two.toml"]\n[lasers]\ncycle_ms = 3.0\n',
    )
    lasers = load_study(study).experiment.lasers
    assert (lasers.eq_mW_cm2, lasers.qg_mW_cm2, lasers.cycle_ms) == (1.0, 2.0, 3.0)


def test_a_study_with_files_is_the_same_study_in_one(tmp_path: Path) -> None:
    tables = "[layout]\nlength_cm = 3.0\ntheta_s_deg = [60.0, 61.0]\n[inference]\nchains = 3\n"
    study = write(tmp_path, base=tables, study='schema = 1\ninclude = ["base.toml"]\n')
    (tmp_path / "one").mkdir()
    alone = write(tmp_path / "one", study="schema = 1\n" + tables)
    assert load_study(study).resolved == load_study(alone).resolved


def test_lists_are_replaced_as_a_whole_and_tables_joined(tmp_path: Path) -> None:
    study = write(
        tmp_path,
        base="[layout]\ntheta_s_deg = { start = 50.0, stop = 60.0, points = 3 }\n"
        "[calibrate]\nbelt_m1_meV = [1.0, 2.0, 3.0]\n[inference]\n",
        study='schema = 1\ninclude = ["base.toml"]\n[layout.theta_s_deg]\npoints = 5\n'
        "[calibrate]\nbelt_m1_meV = [4.0, 5.0]\n",
    )
    found = load_study(study)
    assert found.experiment.layout.theta_s.size == 5
    assert found.calibration is not None and found.calibration.belt_m1_meV == (4.0, 5.0)


def test_included_files_include_from_their_own_folder(tmp_path: Path) -> None:
    study = write(
        tmp_path,
        **{
            "shared/inner": "[neutrino]\nm1_meV = 7.0\n",
            "shared/outer": 'include = ["inner.toml"]\n',
        },
        study='schema = 1\ninclude = ["shared/outer.toml"]\n',
    )
    assert load_study(study).parameters.m1_eV == pytest.approx(7e-3)


def test_a_change_is_over_all_files(tmp_path: Path) -> None:
    study = write(
        tmp_path, base="[neutrino]\nm1_meV = 7.0\n", study='schema = 1\ninclude = ["base.toml"]\n'
    )
    assert load_study(study, ["neutrino.m1_meV=9"]).resolved["neutrino"]["m1_meV"] == 9.0


def test_a_file_may_be_included_twice_on_different_ways(tmp_path: Path) -> None:
    study = write(
        tmp_path,
        base="[neutrino]\nm1_meV = 7.0\n",
        left='include = ["base.toml"]\n',
        right='include = ["base.toml"]\n',
        study='schema = 1\ninclude = ["left.toml", "right.toml"]\n',
    )
    assert load_study(study).resolved["neutrino"]["m1_meV"] == 7.0


def refused(study: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_study(study)
    return caught.value


def test_a_circle_is_refused_by_the_names_in_it(tmp_path: Path) -> None:
    study = write(
        tmp_path,
        base='include = ["study.toml"]\n',
        study='schema = 1\ninclude = ["base.toml"]\n',
    )
    error = refused(study)
    assert error.path.endswith("base.toml: include[0]")
    assert "study.toml -> base.toml -> study.toml" in error.allowed


@pytest.mark.parametrize("name", ["study.toml", "./study.toml"])
def test_a_study_that_includes_itself_is_refused(tmp_path: Path, name: str) -> None:
    error = refused(write(tmp_path, study=f'schema = 1\ninclude = ["{name}"]\n'))
    assert error.path == "include[0]"


@pytest.mark.parametrize(
    ("value", "path", "given"),
    [
        ("5", "include", "5"),
        ('"base.toml"', "include", "base.toml"),
        ("[5]", "include[0]", "5"),
        ('[""]', "include[0]", "''"),
        ('["bse.toml"]', "include[0]", "no such file"),
        ('["."]', "include[0]", "a directory"),
        ('["broken.toml"]', "include[0]", "no valid TOML"),
        ('["base.toml", "gone.toml"]', "include[1]", "no such file"),
    ],
)
def test_what_is_no_list_of_files_is_refused_by_its_place(
    tmp_path: Path, value: str, path: str, given: str
) -> None:
    study = write(
        tmp_path,
        base="[neutrino]\nm1_meV = 7.0\n",
        broken="[neutrino\n",
        study=f"schema = 1\ninclude = {value}\n",
    )
    error = refused(study)
    assert error.path == path
    assert given in str(error)


def test_a_missing_file_gets_the_nearest_name(tmp_path: Path) -> None:
    study = write(tmp_path, base="", study='schema = 1\ninclude = ["bse.toml"]\n')
    assert refused(study).hint == "did you mean 'base.toml'?"


def test_files_that_multiply_are_refused_in_time(tmp_path: Path) -> None:
    chain = {f"f{k}": f'include = ["f{k + 1}.toml", "f{k + 1}.toml"]\n' for k in range(30)}
    error = refused(write(tmp_path, **chain, f30="", study='schema = 1\ninclude = ["f0.toml"]\n'))
    assert f"at most {MAX_FILES} files" in error.allowed


def test_a_change_cannot_include(tmp_path: Path) -> None:
    study = write(tmp_path, base="", study="schema = 1\n")
    with pytest.raises(ConfigError, match=r"include: got \['base.toml'\]"):
        load_study(study, ['include=["base.toml"]'])
