"""The target: known facts of an ion in its host, with the transition and the refraction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Transition:
    """What a pair takes from an ion that goes from e to p: the strongest "+" channel.

    Attributes
    ----------
    spin_squared : float
        |S|^2.
    along : float
        Share of it along the c axis.
    handedness : float
        Along c: ``Im(M* x S) - m_e eps Re(S_i Q_ij*)``, on which P is projected.
    delta_mu : float
        <L + 2 S> along c after the transition less that before, mu_B.
    weight : float
        Emission over that of two doublets: 2 with a singlet.
    """

    spin_squared: float
    along: float
    handedness: float
    delta_mu: float
    weight: float = 1.0


@dataclass(frozen=True)
class Indices:
    """Principal refractive indices of a uniaxial host at the photons 1, 2 and s.

    Attributes
    ----------
    ordinary, extraordinary : tuple of float
        Electric field across c, and along it.
    """

    ordinary: tuple[float, float, float]
    extraordinary: tuple[float, float, float]

    @property
    def mean(self) -> float:
        """Mean ordinary index of the three photons: what stands for them where one does."""
        return sum(self.ordinary) / len(self.ordinary)

    def moved(self, ordinary: float, extraordinary: float) -> Indices:
        """All ordinary indices larger by a number, all extraordinary ones by another."""
        (a, b, c), (d, e, f) = self.ordinary, self.extraordinary
        return Indices(
            (a + ordinary, b + ordinary, c + ordinary),
            (d + extraordinary, e + extraordinary, f + extraordinary),
        )


@dataclass(frozen=True)
class Target:
    """Known facts of an ion in its host, read from ``models/targets``.

    Attributes
    ----------
    name : str
    omega_1, omega_2, omega_s : float
        Photon energies of the two excitation lasers and the trigger, eV.
    epsilon_ep : float
        Energy given to the neutrino pair, ``omega_1 + omega_2 - omega_s``, eV.
    refractive_index : float
        That of all photons; with `Lasers.polarisations` the mean of their ordinary ones.
    density_per_cm3 : float
        Ion density.
    gamma_ep_per_s : float
        Width of the e-p transition that enters h_r.
    md_rates_per_s, ed_rates_per_s : dict
        Magnetic and electric dipole rates by transition ("ep", "pg", ...).
    composition : dict
        Probabilities of the M_J components used in the current, by level.
    j_m : dict
        J and M of those components, by level.
    g_factor : float
        g factor of the state left behind.
    spin_squared : float or None
        S_ep^2 if it is given itself, instead of composition and rates.
    spin_relaxation_ms : float
        T1 for studies that give none; 5 ms where the scheme has none either.
    transition : Transition or None
        From wave functions, where the scheme has them.
    moments : dict
        Otherwise <L + 2 S> along c of the components of e and p, mu_B, or nothing.
    g_parallel : float or None
        g factor of the ground doublet along c.
    polarisation : float
        (n_+ - n_-)/n of the ions' doublets; weak magnetism only.
    printed : dict
        Values the paper prints for quantities that are recomputed otherwise.
    indices : Indices or None
        Of a uniaxial host, for polarised lasers.
    quenching_density_per_cm3 : float or None
        Density of the ions at which excited levels decay twice as fast as alone; ``None`` is
        never.
    """

    name: str
    omega_1: float
    omega_2: float
    omega_s: float
    refractive_index: float
    density_per_cm3: float
    gamma_ep_per_s: float
    g_factor: float
    md_rates_per_s: dict[str, float] = field(default_factory=dict)
    ed_rates_per_s: dict[str, float] = field(default_factory=dict)
    composition: dict[str, float] = field(default_factory=dict)
    j_m: dict[str, tuple[float, float]] = field(default_factory=dict)
    spin_squared: float | None = None
    spin_relaxation_ms: float = 5.0
    transition: Transition | None = None
    moments: dict[str, float] = field(default_factory=dict)
    g_parallel: float | None = None
    polarisation: float = 0.0
    printed: dict[str, float] = field(default_factory=dict)
    indices: Indices | None = None
    quenching_density_per_cm3: float | None = None

    def same_material(self, other: Target) -> bool:
        """Whether another target differs in nothing but its polarisation."""
        return replace(self, polarisation=0.0) == replace(other, polarisation=0.0)

    @property
    def epsilon_ep(self) -> float:
        """Energy shared by the neutrino pair, eV."""
        return self.omega_1 + self.omega_2 - self.omega_s
