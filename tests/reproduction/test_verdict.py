"""Verdicts are computed from digits; judgements must not contradict them."""

from dataclasses import replace

import pytest

from renp_infer import resources
from renp_infer.errors import ConfigError, DomainError
from renp_infer.reproduction.printed import OTHERS, PAPER, Printed, load_inputs, load_printed
from renp_infer.reproduction.verdict import AGREES, ROUNDING, Recomputed, agreement, make_row


def printed(*texts: str, kind: str = "digits") -> Printed:
    return Printed("x", "Eq. (0)", "something", texts, "1", kind)


@pytest.mark.parametrize(
    ("text", "value", "verdict"),
    [
        ("2.02e11", 2.0249e11, AGREES),
        ("2.02e11", 2.0251e11, ROUNDING),
        ("2.02e11", 2.0301e11, None),
        ("0.1547", 0.15475, AGREES),
        ("0.1547", 0.15479, ROUNDING),
        ("59", 58.79, AGREES),
        ("140", 141.6, None),
        ("-0.784", -0.78377, AGREES),
        ("-0.784", 0.78377, None),
        ("1.0", 0.99871, AGREES),
        ("1.0", 1.2, None),
    ],
)
def test_digits_decide(text: str, value: float, verdict: str | None) -> None:
    assert agreement(printed(text), value) == verdict


@pytest.mark.parametrize(
    ("kind", "texts", "good", "bad"),
    [
        ("exact", ("1",), 1.00009, 1.4),
        ("order", ("1e-8",), 3.1e-8, 3.2e-8),
        ("order", ("1e-8",), 3.2e-9, -1e-8),
        ("range", ("1e-3", "1e-2"), 1e-2, 1.1e-2),
        ("above", ("1",), 1.001, 1.0),
        ("at most", ("2",), 2.0, 2.1),
    ],
)
def test_other_kinds(kind: str, texts: tuple[str, ...], good: float, bad: float) -> None:
    assert agreement(printed(*texts, kind=kind), good) == AGREES
    assert agreement(printed(*texts, kind=kind), bad) is None


def test_other_papers_are_held_to_the_weak_hamiltonian() -> None:
    row = replace(printed("1", kind="exact"), of=OTHERS)
    found = Recomputed("x", 0.125, 1.0, "why", "test", None, 1.0)
    assert make_row(row, found).verdict == AGREES
    with pytest.raises(DomainError, match="judgement: None"):
        make_row(row, replace(found, first_principles=None))
    with pytest.raises(DomainError, match=r"judgement: 0\.125"):
        make_row(replace(row, of=PAPER), found)


def test_the_worst_cell_decides() -> None:
    row = printed("0.25", "1.0")
    assert agreement(row, (0.25, 1.0)) == AGREES
    assert agreement(row, (0.25, 1.09)) == ROUNDING
    assert agreement(row, (0.27, 1.0)) is None
    with pytest.raises(DomainError, match="2 values"):
        agreement(row, 0.25)


def test_words_and_missing_values_never_agree() -> None:
    assert agreement(printed("peaks", kind="statement"), 1.0) is None
    assert agreement(printed("1"), None) is None


def test_a_judgement_and_an_agreement_exclude_each_other() -> None:
    good = Recomputed("x", 1.0, 1.0, "why", "test_x.py::test_x")
    assert make_row(printed("1.0"), good).verdict == AGREES
    with pytest.raises(DomainError, match="judged = 'misprint'.*agrees"):
        make_row(printed("1.0"), replace(good, judged="misprint"))
    with pytest.raises(DomainError, match="judged = None"):
        make_row(printed("2.0"), good)
    judged = make_row(printed("2.0"), replace(good, judged="undecoded"))
    assert judged.document() == {
        "id": "x",
        "of": "the paper",
        "where": "Eq. (0)",
        "what": "something",
        "printed": 2.0,
        "published": 1.0,
        "corrected": 1.0,
        "first_principles": None,
        "unit": "1",
        "verdict": "undecoded",
        "why": "why",
        "test": "test_x.py::test_x",
    }


def test_printed_values_are_as_they_stand_in_the_files() -> None:
    rows = load_printed()
    assert rows["eq9-h_r"].text == "0.748e3"
    assert rows["eq9-h_r"].value == 748.0
    assert rows["fig11-chi"].text == "1e-3 to 1e-2"
    assert rows["table4-rate"].value == [0.0311, 0.405, 0.0401, 0.0325, 0.0144, 0.227]
    assert rows["eq20-w"].value == "w_l"
    assert load_inputs()["light_meV"] == (10.0, 30.0, 50.0)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('kind = "order"', 'kind = "odrer"', "kind"),
        ('printed = "1e-39"', 'printed = "large"', "printed"),
        ('unit = "1/eV^6", ', "", "sec5-dipole"),
        ('id = "sec5-fermi"', 'id = "sec5-dipole"', "used once"),
    ],
)
def test_broken_files_are_refused(tmp_path, monkeypatch, old, new, match) -> None:
    for path in (resources.share_path("data") / "ledger").glob("*.toml"):
        text = path.read_text()
        folder = tmp_path / "data" / "ledger"
        folder.mkdir(parents=True, exist_ok=True)
        changed = text.replace(old, new) if path.name == "section-5.toml" else text
        (folder / path.name).write_text(changed)
    monkeypatch.setattr(resources, "PACKAGE", tmp_path / "renp_infer")
    with pytest.raises(ConfigError, match=match):
        load_printed()
