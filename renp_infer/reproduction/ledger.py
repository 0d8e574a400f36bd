"""The ledger: every printed value with its recomputation and a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from renp_infer.errors import DomainError
from renp_infer.reproduction import (
    backgrounds,
    coherence,
    conventions,
    distributions,
    hamiltonian,
    helicities,
    ions,
    kinematics,
    other_papers,
    scales,
    weights,
)
from renp_infer.reproduction.findings import axis_cases, findings, pair_thresholds
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import Recomputed, Row, make_row

GROUPS: tuple[Callable[[Paper], list[Recomputed]], ...] = (
    conventions.unit_rows,
    conventions.arithmetic_rows,
    conventions.lorentzian_rows,
    conventions.form_factor_rows,
    conventions.cited_rows,
    kinematics.energy_rows,
    kinematics.direction_rows,
    kinematics.mismatch_rows,
    kinematics.threshold_rows,
    kinematics.quadrangle_rows,
    ions.term_rows,
    ions.table_one_energies,
    ions.table_one_rates,
    ions.table_one_ratios,
    ions.composition_rows,
    ions.element_rows,
    ions.current_rows,
    weights.table_four,
    helicities.table_two,
    helicities.table_three,
    helicities.exchange_rows,
    helicities.current_rows,
    scales.h_r_rows,
    scales.power_rows,
    scales.prefactor_rows,
    scales.rate_rows,
    scales.moment_rows,
    scales.field_rows,
    distributions.volume_rows,
    distributions.figure_6,
    distributions.figure_7,
    distributions.figure_8,
    distributions.figure_9,
    distributions.figure_10,
    distributions.sensitivity_rows,
    coherence.steady_rows,
    coherence.matrix_rows,
    coherence.rabi_rows,
    coherence.cycle_rows,
    backgrounds.phase_space_rows,
    backgrounds.coupling_rows,
    hamiltonian.vector_rows,
    hamiltonian.cp_rows,
    hamiltonian.unpolarised_rows,
    hamiltonian.trigger_rows,
    other_papers.spectrum_rows,
    other_papers.scattering_rows,
    other_papers.magnetization_rows,
)
"""One function per group of rows; a new row is an entry in ``data/ledger`` and
one in the group it belongs to."""


def recompute(paper: Paper) -> dict[str, Recomputed]:
    """Everything that is recomputed, by id.

    Raises
    ------
    DomainError
        If two groups recompute the same value.
    """
    found: dict[str, Recomputed] = {}
    for group in GROUPS:
        for row in group(paper):
            if row.id in found:
                raise DomainError("id", row.id, "one recomputation each")
            found[row.id] = row
    return found


def make_ledger(paper: Paper) -> list[Row]:
    """All rows in the order of the paper.

    Raises
    ------
    DomainError
        If a printed value has no recomputation, a recomputation no printed
        value, or a judgement contradicts the digits.
    """
    found = recompute(paper)
    if missing := set(paper.printed) ^ set(found):
        raise DomainError("rows", sorted(missing), "printed and recomputed values in pairs")
    return [make_row(printed, found[name]) for name, printed in paper.printed.items()]


def ledger_document(paper: Paper, rows: list[Row]) -> dict[str, Any]:
    """The ledger, its findings and the c-axis cases for JSON."""
    return {
        "schema": 1,
        "rows": [row.document() for row in rows],
        "findings": [asdict(finding) for finding in findings(paper)],
        "thresholds_deg": pair_thresholds(paper),
        "c_axis": [asdict(case) for case in axis_cases(paper)],
    }
