"""The target of a study: a scheme, or three photon energies and rates alone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.physics.targets.channels import Channel, figure_of_merit
from renp_infer.physics.targets.reader import checked
from renp_infer.physics.targets.scheme import CRYSTAL, PHOTONS, TRANSITIONS, Scheme, read_scheme
from renp_infer.physics.targets.transition import as_transition, component_channel
from renp_infer.target import Target

GENERIC = "generic"
"""The scheme of which the study gives everything."""
GENERIC_KEYS = (
    "omega_1_eV", "omega_2_eV", "omega_s_eV", "md_rates_per_s", "ed_rates_per_s",
    "g_factor", "spin_squared",
)  # fmt: skip
"""What a study gives with it; refused for any other scheme."""


def load_target(
    name_or_path: str | os.PathLike[str],
    *,
    density_per_cm3: float | None = None,
    gamma_ep_per_s: float | None = None,
    refractive_index: float | None = None,
    channel: str | None = None,
    key: str = "target",
    **generic: Any,
) -> Target:
    """Read a target scheme.

    Parameters
    ----------
    name_or_path : str or PathLike
        Name of a scheme in ``models/targets``, a path that ends in ``.toml``, or
        "generic".
    density_per_cm3, gamma_ep_per_s, refractive_index : float, optional
        Replace the value of the file.
    channel : str, optional
        Stark levels between which the pair is emitted, as "e1-p3", in the place of those of
        ``[levels]``.
    key : str, optional
        Dotted key of the section to blame in an error.
    **generic
        Of a generic scheme and no other: ``omega_1_eV``, ``omega_2_eV``,
        ``omega_s_eV``; ``md_rates_per_s``, ``ed_rates_per_s``, dicts by transition;
        ``g_factor``; ``spin_squared``, which is S_ep^2.

    Raises
    ------
    ConfigError
        If the scheme is unknown, cannot be read, or is inconsistent: a missing
        transition, a negative rate, photons that do not join the levels.
    """
    crystal = {
        "density_per_cm3": density_per_cm3,
        "gamma_ep_per_s": gamma_ep_per_s,
        "refractive_index": refractive_index,
    }
    for name, value in crystal.items():
        if value is not None:
            checked(value, f"{key}.{name}", CRYSTAL[name][1])
    if unknown := set(generic) - set(GENERIC_KEYS):
        raise TypeError(f"load_target has no argument {', '.join(sorted(unknown))}")
    if os.fspath(name_or_path) == GENERIC:
        if channel is not None:
            raise ConfigError(f"{key}.channel", channel, f'nothing with scheme = "{GENERIC}"')
        return _generic(crystal, generic, key)
    for name, value in generic.items():
        if value is not None:
            raise ConfigError(f"{key}.{name}", value, f'nothing, or scheme = "{GENERIC}"')
    scheme = read_scheme(name_or_path, f"{key}.scheme")
    return target_of(scheme if channel is None else between(scheme, channel, key), crystal)


def between(scheme: Scheme, channel: str, key: str = "target") -> Scheme:
    """A scheme whose pairs are emitted between other Stark levels of e and p.

    Energies of both levels, and with them those of two photons, |S|^2 and the elements are
    theirs; rates, which are those of whole manifolds, stay.

    Parameters
    ----------
    scheme : Scheme
        With wave functions.
    channel : str
        "e1-p3" for the lowest level of e and the third of p.
    key : str, optional
        Dotted key of the section to blame in an error.

    Raises
    ------
    ConfigError
        No such pair of levels, or nothing known of any.
    """
    path = f"{key}.channel"
    if not scheme.channels:
        raise ConfigError(path, channel, "nothing with a scheme without [currents]")
    found = re.fullmatch(r"e([1-9][0-9]?)-p([1-9][0-9]?)", channel)
    pair = None if found is None else (int(found[1]), int(found[2]))
    own = [c for c in scheme.channels if (c.e, c.p) == pair]
    if pair is None or not own:
        e, p = (
            max(numbers) for numbers in zip(*((c.e, c.p) for c in scheme.channels), strict=True)
        )
        allowed = f'"e1-p1" to "e{e}-p{p}" of {scheme.name}, where S has an element'
        hint = f"renp scheme show {scheme.name} lists them"
        raise ConfigError(path, channel, allowed, hint)
    if pair == (scheme.levels["e"].stark, scheme.levels["p"].stark):
        return scheme
    levels, energies = dict(scheme.levels), stark_energies(scheme)
    for name, stark in zip(("e", "p"), pair, strict=True):
        energy = energies[name, stark]
        levels[name] = replace(levels[name], energy=energy, stark=stark, components=())
    photons = {n: levels[a].energy - levels[b].energy for n, (a, b) in PHOTONS.items()}
    total = sum(c.spin_squared * (2.0 if c.states == (1, 2) else 1.0) for c in own)
    return replace(scheme, levels=levels, photons=photons, spin_squared=total)


def stark_energies(scheme: Scheme) -> dict[tuple[str, int], float]:
    """Energies of Stark levels of e and p in eV, from those of ``[levels]`` and of channels."""
    found: dict[tuple[str, int], float] = {}
    for name in ("e", "p"):
        stark = scheme.levels[name].stark
        if stark is not None:
            found[name, stark] = scheme.levels[name].energy
    waiting = list(scheme.channels)
    while waiting:
        rest = [c for c in waiting if ("e", c.e) not in found and ("p", c.p) not in found]
        for c in (c for c in waiting if c not in rest):
            if ("e", c.e) in found:
                found.setdefault(("p", c.p), found["e", c.e] - c.epsilon)
            else:
                found["e", c.e] = found["p", c.p] + c.epsilon
        if len(rest) == len(waiting):
            break
        waiting = rest
    return found


def target_of(scheme: Scheme, changes: Mapping[str, float | None] | None = None) -> Target:
    """What a scheme is to a study.

    Parameters
    ----------
    scheme : Scheme
    changes : mapping, optional
        Values in the place of those of ``scheme.crystal``; None changes nothing.
    """
    given = {n: v for n, v in (changes or {}).items() if v is not None}
    crystal = scheme.crystal | given
    relaxation = {n: crystal[n] for n in ("spin_relaxation_ms",) if n in crystal}
    used = {n: level.used for n, level in scheme.levels.items()}
    own = _own_channels(scheme)
    return Target(
        name=scheme.name,
        omega_1=scheme.photons["omega_1"],
        omega_2=scheme.photons["omega_2"],
        omega_s=scheme.photons["omega_s"],
        refractive_index=crystal["refractive_index"],
        density_per_cm3=crystal["density_per_cm3"],
        gamma_ep_per_s=crystal["gamma_ep_per_s"],
        g_factor=crystal["g_factor"],
        md_rates_per_s=scheme.md,
        ed_rates_per_s=scheme.ed,
        composition={n: c.probability for n, c in used.items() if c is not None},
        j_m={n: (scheme.levels[n].j, c.m) for n, c in used.items() if c is not None},
        spin_squared=scheme.spin_squared,
        transition=as_transition(own[0]) if own else None,
        moments=scheme.moments,
        g_parallel=crystal.get("g_parallel"),
        printed=scheme.printed,
        indices=scheme.indices,
        **relaxation,
    )


def channels_of(scheme: Scheme) -> tuple[Channel, ...]:
    """Channels between the levels e and p of a scheme, the strongest first.

    From its wave functions; or the one that its leading components make, with
    ``M = S`` and |S|^2 of Eqs. (33), (42); or none.
    """
    own = _own_channels(scheme)
    if own or not scheme.moments:
        return own
    return (component_channel(target_of(scheme)),)


def _own_channels(scheme: Scheme) -> tuple[Channel, ...]:
    """Channels between e and p from wave functions, the strongest first."""
    e, p = scheme.levels["e"].stark, scheme.levels["p"].stark
    own = [c for c in scheme.channels if (c.e, c.p) == (e, p)]
    return tuple(sorted(own, key=lambda c: (-abs(figure_of_merit(c)), -c.spin_squared)))


def _generic(crystal: Mapping[str, float | None], given: Mapping[str, Any], key: str) -> Target:
    def needed(name: str, value: Any, least: float | None = None) -> float:
        if value is None:
            raise ConfigError(f"{key}.{name}", None, f'a value with scheme = "{GENERIC}"')
        return checked(value, f"{key}.{name}", least)

    names = ("omega_1", "omega_2", "omega_s")
    omega_1, omega_2, omega_s = (needed(f"{n}_eV", given.get(f"{n}_eV")) for n in names)
    if omega_s >= omega_1 + omega_2:
        allowed = "< omega_1_eV + omega_2_eV: the difference goes to the neutrino pair"
        raise ConfigError(f"{key}.omega_s_eV", omega_s, allowed)
    md = _generic_rates(given.get("md_rates_per_s"), f"{key}.md_rates_per_s")
    ed = _generic_rates(given.get("ed_rates_per_s"), f"{key}.ed_rates_per_s")
    for t in TRANSITIONS:
        if md[t] + ed[t] == 0.0:
            raise ConfigError(f"{key}.ed_rates_per_s.{t}", ed[t], "MD + ED > 0")
    if md["ep"] == 0.0:
        allowed = "> 0: it gives the spin current, Eq. (42)"
        raise ConfigError(f"{key}.md_rates_per_s.ep", 0.0, allowed)
    width = crystal["gamma_ep_per_s"]
    return Target(
        name=GENERIC,
        omega_1=omega_1,
        omega_2=omega_2,
        omega_s=omega_s,
        refractive_index=needed("refractive_index", crystal["refractive_index"], 1.0),
        density_per_cm3=needed("density_per_cm3", crystal["density_per_cm3"]),
        gamma_ep_per_s=md["ep"] + ed["ep"] if width is None else width,
        g_factor=needed("g_factor", given.get("g_factor")),
        md_rates_per_s=md,
        ed_rates_per_s=ed,
        spin_squared=needed("spin_squared", given.get("spin_squared")),
    )


def _generic_rates(given: Mapping[str, float | None] | None, key: str) -> dict[str, float]:
    """Rates by transition; one that is not given is zero."""
    rates = {name: value for name, value in (given or {}).items() if value is not None}
    return {t: checked(rates.get(t, 0.0), f"{key}.{t}", 0.0) for t in TRANSITIONS}
