"""Rows about levels, rates, compositions and matrix elements, Table I to Eq. (44)."""

from __future__ import annotations

from math import sqrt

from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    FINE_STRUCTURE,
    PER_S_TO_EV,
)
from renp_infer.physics.targets.matrix_elements import (
    reduced_spin,
    reduced_velocity,
    spin_squared,
    spin_velocity,
    velocity_over_spin,
)
from renp_infer.reproduction.conventions import CITED, same
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import Judgement, Recomputed
from renp_infer.resources import read_toml, share_path

_HALF_SHELL = 7
_RATES = "test_target.py::test_total_rates_by_transition"
_RATIOS = "test_target.py::test_velocity_to_spin_ratios_of_table_one"
_STATES = {
    34: ("2H11/2", 2, (0.5, 3.5)),
    35: ("4I13/2", 2, (1.5, 2.5)),
    36: ("4I15/2", 1, (2.5, 1.5)),
}
"""Manifold, Stark level and M of the compositions printed."""
_ELEMENTS = "test_magnetization.py::test_matrix_elements"


def ground_term(electrons: int) -> tuple[float, int, float]:
    """S, L and J of the ground term of 4f^n by Hund's rules, 0 < n < 14."""
    alone = min(electrons, 2 * _HALF_SHELL - electrons)
    spin, filled = 0.5 * alone, electrons % _HALF_SHELL
    # m_l = 3, 2, ... are filled first
    orbital = sum(3 - k for k in range(filled))
    total = abs(orbital - spin) if electrons < _HALF_SHELL else orbital + spin
    return spin, orbital, total


def term_rows(paper: Paper) -> list[Recomputed]:
    """Ground term of the ion, and how far its levels are apart."""
    names = ("sec4-S", "sec4-L", "sec4-J")
    values = ground_term(int(paper.given("f_electrons")))
    test = "test_ledger.py::test_hund_ground_terms"
    rows = [same(n, float(v), "Hund's rules", test) for n, v in zip(names, values, strict=True)]
    target = paper.target
    gaps = (target.omega_s, target.omega_1 - target.omega_s, target.omega_2)
    mean = sum(gaps) / len(gaps)
    return [*rows, same("sec4-manifolds", mean, "mean distance of g, p, q, e", test)]


def table_one_energies(paper: Paper) -> list[Recomputed]:
    """Energies of Table I against differences of the levels of Eqs. (25), (26)."""
    target, test = paper.target, "test_target.py::test_energies_and_pair_energy"
    loops = {
        "table1-p-energy": target.omega_s,
        "table1-q-energy": target.omega_1,
        "table1-qp-energy": target.omega_1 - target.omega_s,
        "table1-e-energy": target.omega_1 + target.omega_2,
    }
    rows = [same(name, value, "difference of levels", test) for name, value in loops.items()]
    slips = {"table1-ep-energy": target.epsilon_ep, "table1-eq-energy": target.omega_2}
    why = "difference of levels in Eqs. (25), (26)"
    rows += [Recomputed(n, v, v, why, test, "misprint") for n, v in slips.items()]
    alone = Recomputed(
        "table1-er-energy", None, None, "4I9/2 appears nowhere else", CITED, "not reproducible"
    )
    return [*rows, alone]


def table_one_rates(paper: Paper) -> list[Recomputed]:
    """Rates of Table I: inputs, cited from a calculation for another host."""
    md, ed = paper.target.md_rates_per_s, paper.target.ed_rates_per_s
    inputs = {
        "table1-p-MD": md["pg"],
        "table1-p-ED": ed["pg"],
        "table1-q-ED": ed["qg"],
        "table1-qp-MD": md["qp"],
        "table1-qp-ED": ed["qp"],
        "table1-e-ED": ed["eg"],
        "table1-ep-MD": md["ep"],
        "table1-ep-ED": ed["ep"],
        "table1-eq-MD": md["eq"],
        "table1-eq-ED": ed["eq"],
        "sec5-lifetime": ed["eg"],
    }
    why = "an input, calculated for Cs2NaYF6 by Ref. [18]"
    rows = [same(name, value, why, _RATES) for name, value in inputs.items()]
    width = md["ep"] + ed["ep"]
    for name in ("eq9-gamma", "eq64-gamma"):
        rows.append(same(name, width, "MD + ED of e-p in Table I", _RATES))
    alone = ("table1-er-MD", "table1-er-ED")
    reason = "from Ref. [18]; 4I9/2 is not in the scheme"
    return rows + [Recomputed(n, None, None, reason, CITED, "not reproducible") for n in alone]


def table_one_ratios(paper: Paper) -> list[Recomputed]:
    """v/S of Table I."""
    target, md, ed = paper.target, paper.target.md_rates_per_s, paper.target.ed_rates_per_s
    energies = {
        "p": ("pg", target.omega_s),
        "qp": ("qp", target.omega_1 - target.omega_s),
        "eq": ("eq", target.omega_2),
        "ep": ("ep", target.epsilon_ep),
    }
    found = {
        name: 1e6 * velocity_over_spin(md[key], ed[key], energy)
        for name, (key, energy) in energies.items()
    }
    printed = (paper.number(f"table1-er-{part}") for part in ("MD", "ED", "energy"))
    found["er"] = 1e6 * velocity_over_spin(*printed)
    slip: dict[str, Judgement] = {"ep": "misprint"}
    formula = "(eps / 2 m_e) sqrt(ED / MD)"
    twice = paper.number("table1-ep-ratio") / found["ep"]
    why = {"ep": f"the formula of the other four rows; printed is {twice:.2f} times that"}
    return [
        Recomputed(f"table1-{name}-ratio", v, v, why.get(name, formula), _RATIOS, slip.get(name))
        for name, v in found.items()
    ]


def composition_rows(paper: Paper) -> list[Recomputed]:
    """Eqs. (34) to (36) and g, beside the Stark levels of er-ylf-built nearest to them.

    Half of the share of +-M of one state: the paper's seem to be those of each sign.
    """
    built = read_toml(share_path("models") / "targets" / "er-ylf-built.toml", "er-ylf-built")
    stark = built["built"]["stark"]
    test = "test_crystal_field.py::test_erbium_against_the_papers_compositions"
    rows = []
    for number, (manifold, level, places) in _STATES.items():
        why = f"level {level} of {manifold} in the field of LiErF4, half of +-M; not Ref. [20]"
        shares = dict(stark[manifold][level - 1]["composition"])
        for place, m in zip(("first", "second"), places, strict=True):
            value = 0.5 * shares[m]
            rows.append(
                Recomputed(f"eq{number}-{place}", value, value, why, test, "not reproducible")
            )
    g_perp = stark["4I13/2"][1]["g_perp"]
    why = "level 2 of 4I13/2 in the crystal field of LiErF4; the lowest level has {:.2f}".format(
        stark["4I13/2"][0]["g_perp"]
    )
    rows.append(Recomputed("eq58-g", g_perp, g_perp, why, test))
    share = paper.target.composition
    amplitude = sqrt(share["e"] * share["p"])
    test = "test_target.py::test_composition_of_the_current"
    return [*rows, same("eq36-amplitude", amplitude, "Eqs. (34), (35)", test)]


def element_rows(paper: Paper) -> list[Recomputed]:
    """Reduced elements, Eqs. (42) to (44)."""
    target = paper.target
    j, energy = target.j_m["e"][0], target.epsilon_ep
    md, ed = target.md_rates_per_s["ep"], target.ed_rates_per_s["ep"]
    spin, total = reduced_spin(j, md, energy), reduced_spin(j, md + ed, energy)
    velocity = reduced_velocity(j, ed, energy)
    spin_why = f"Eq. (42) with the MD rate; the total rate would give {total:.3f}"
    test = "test_ledger.py::test_reduced_elements_against_table_one"
    velocity_why = "Eq. (43) with the ED rate of Table I; printed as {} here and as {} elsewhere"
    first, second = paper.printed["eq44-v"].texts[0], paper.printed["eq64-v-used"].texts[0]
    return [
        *_coefficient_rows(paper),
        same("eq42-degeneracy", 2.0 * j + 1.0, "2 J + 1, J = 11/2", _ELEMENTS),
        Recomputed("eq44-S", spin, spin, spin_why, test, "misprint"),
        Recomputed(
            "eq44-v", velocity, velocity, velocity_why.format(first, second), test, "undecoded"
        ),
        Recomputed(
            "eq64-v-used", velocity, velocity, velocity_why.format(second, first), test, "undecoded"
        ),
    ]


def _coefficient_rows(paper: Paper) -> list[Recomputed]:
    """Numbers of Eqs. (8), (42), (43), from the rate of a dipole in vacuum.

    gamma = mu^2 eps^3 / (3 pi) in Heaviside-Lorentz units; the mean over
    directions takes a third, and v = d eps / e with e^2 = 4 pi alpha.
    """
    target, test = paper.target, "test_ledger.py::test_reduced_elements_against_table_one"
    j, energy = target.j_m["e"][0], target.epsilon_ep
    degeneracy = 2.0 * j + 1.0
    md, ed = (rates["ep"] for rates in (target.md_rates_per_s, target.ed_rates_per_s))
    moment_squared = (reduced_spin(j, md, energy) * BOHR_MAGNETON_PER_EV) ** 2 / degeneracy
    moment = moment_squared * target.epsilon_ep**3 / (md * PER_S_TO_EV)
    velocity = reduced_velocity(j, ed, energy) ** 2 / degeneracy
    velocity *= FINE_STRUCTURE * target.epsilon_ep / (ed * PER_S_TO_EV)
    return [
        same("eq8-pi", moment / 3.0, "rate of a dipole, mean over directions", test),
        same("eq42-coefficient", moment, "rate of a magnetic dipole", test),
        same("eq43-coefficient", velocity, "rate of an electric dipole, v = d eps / e", test),
    ]


def current_rows(paper: Paper) -> list[Recomputed]:
    """S_ep^2, |v| |S|, and the sizes of both currents."""
    target, corrected = paper.target, paper.switches("corrected")
    published = paper.switches("published")
    # 3j squared of M -> M + 1 from the share that spin_squared uses
    j, m = target.j_m["e"]
    reduced = reduced_spin(j, target.md_rates_per_s["ep"], target.epsilon_ep)
    by_text = spin_squared(target, corrected) * (paper.number("eq44-S") / reduced) ** 2
    next_m = (j + m + 2.0) * (j + m + 3.0) / ((j + m + 1.0) * (j + m + 2.0))
    why = f"3j of M = 1/2 to 3/2 as the text has it; M = 3/2 to 5/2 gives {by_text * next_m:.4f}"
    product = paper.number("eq44-S2") * paper.number("eq64-v-used") / paper.number("eq44-S")
    ratio = product / paper.number("eq44-S2")
    exact = spin_velocity(target, corrected)
    exact_ratio = exact / spin_squared(target, corrected)
    velocity = spin_velocity(target, published) / sqrt(spin_squared(target, published))
    exact_velocity = exact / sqrt(spin_squared(target, corrected))
    return [
        Recomputed("eq44-S2", by_text, spin_squared(target, corrected), why, _ELEMENTS, "misprint"),
        Recomputed("eq64-vS", product, exact, "product of the printed factors", _ELEMENTS),
        Recomputed("intro-velocity", velocity, exact_velocity, "|v_ep|", _ELEMENTS),
        Recomputed("intro-interference", ratio, exact_ratio, "v / S", _ELEMENTS),
    ]
