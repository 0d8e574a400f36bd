"""Hypothesis strategies for what a user, or an enemy, may put into a study."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

BASE: dict[str, dict[str, Any]] = {
    "neutrino": {"m1_meV": 50.0, "ordering": "normal", "nature": "dirac", "delta_deg": 0.0,
                 "alpha21_deg": 0.0, "alpha31_deg": 0.0, "oscillation": "nufit-6.0"},
    "physics": {"preset": "published", "phase_space": "planar", "form_factor": "lorentzian",
                "majorana_kappa": 0.125, "weights": "eq3", "h_r": "printed", "gamma_power": 1,
                "moment": "density", "rate_prefactor": "C", "matrix_elements": "printed",
                "bloch": "printed", "current_axis": "parallel"},
    "target": {"scheme": "er-ylf", "density_per_cm3": 1.4e19, "gamma_ep_per_s": 57.34,
               "refractive_index": 1.45},
    "layout": {"length_cm": 2.0, "radius_cm": 1.0, "theta_e_deg": 141.607,
               "theta_s_deg": [50.0, 60.0], "c_axis_deg": 0.0},
    "lasers": {"eq_mW_cm2": 9.0, "qg_mW_cm2": 3.0, "trigger_mW_cm2": 1e-3,
               "trigger_delay_lifetimes": 0.2, "cycle_ms": 10.0, "chi_squared": 1e-3},
    "detector": {"noise_fT_rtHz": 2.0, "knee_hz": 1.0, "drift_fT": 0.0, "drift_time_s": 600.0,
                 "resolution_deg": 1.44, "kernel": "box", "coupling": 0.01,
                 "spin_relaxation_ms": 5.0, "exposure_s": 3600.0, "reference_snr": 0.0},
    "accuracy": {"relative_tolerance": 1e-4},
    "simulate": {"datasets": 2},
    "execution": {"attempts": 3, "failures_allowed": 0.0},
    "inference": {"sampler": "emcee", "chains": 2, "draws": 4, "tune": 1,
                  "m1_prior": "uniform", "m1_max_meV": 450.0, "amplitude_sd": 0.2,
                  "baseline_sd": 0.1, "refractive_index_sd": 5e-4, "oscillation_errors": True,
                  "theta_s_offset_sd_deg": 0.01, "phases": "fixed", "noise": "drawn"},
}  # fmt: skip
KEYS = [(section, key) for section, table in BASE.items() for key in table]

PATHS = (
    "../escape", "../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/null", "/proc/self/mem",
    "~", "$HOME/x", "a/b", ".", "..", "", " ", "-", "--force", "con\nx", "nul\0", "x" * 300,
    "x" * 5000, "a/../../x", "er-ylf", "er-ylf.toml", "../models/targets/er-ylf", "pipe.toml",
    "zero.toml", "loop.toml", "folder.toml", "outside.toml", "bad\u202etxt", "\ud7ff", "é" * 200,
    "file:///etc/passwd", "http://localhost/x.toml", "C:\\x", "\\\\host\\share", "*", "; rm x",
)  # fmt: skip


@dataclass(frozen=True)
class Raw:
    """A piece of TOML, right or wrong."""

    text: str


LITERALS = st.sampled_from(
    [
        "inf", "-inf", "nan", "+nan", "1e309", "-1e400", "1e-400", "5e-324", "0x" + "f" * 400,
        "9" * 400, "-" + "9" * 5000, "9223372036854775808", "0o17", "0b1", "1_000", "1__0", "01",
        "1.", ".5", "1e", "true", "True", "yes", "null", "None", "1979-05-27", "07:32:00",
        "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.999999-07:00", "9999-99-99", "[]", "{}",
        "[1, 'a', 2.0]", "[[50.0], [60.0]]", "[nan, inf]", "[60.0, 50.0]", "[50.0, 50.0]",
        "{ start = 1, stop = 2 }", "{ start = 50, stop = 60, points = 3 }",
        "{ start = 50, stop = 60, points = 100000000000000000000 }",
        "{ start = nan, stop = inf, points = 2 }", "{ start = 60, stop = 50, points = 2 }",
        "{ start = 50, stop = 60, points = 2, more = 1 }", "{ a = { b = { c = 1 } } }",
        '"""a\nb"""', "'''x'''", '"\\u0000"', '"\\uD800"', '"\\UFFFFFFFF"', '"unfinished',
        "[" * 3000 + "]" * 3000, "[" * 200 + "]" * 200, "{a=" * 100 + "1" + "}" * 100, "",
        '"1 mm"', '"1e3 nm"', '"2 furlong"', '"9**9**9 m"', '"1 degree"', '"1e999 m"', '"nan m"',
        '"1 m/m*m/m*m/m"', '"-5 fT/Hz^0.5"', '"3 kelvin"', '"1 delta_degC"', '"20 dBm"', "[1, [2]]",
        "[" + ", ".join(map(str, range(3000))) + "]",
    ]
).map(Raw)  # fmt: skip

TEXTS = st.one_of(
    st.sampled_from(PATHS),
    st.text(max_size=30),
    st.from_regex(r"[0-9.+\-e]{1,8} ?[a-zA-Zµ°/^*0-9]{0,8}", fullmatch=True),
)
VALUES = st.one_of(
    LITERALS,
    TEXTS,
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.one_of(st.floats(), st.text(max_size=3), st.booleans()), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
NAMES = st.one_of(
    st.sampled_from(["", " ", "a.b", "a\nb", "__proto__", "__class__", "schema", "x" * 3000, "ä"]),
    st.sampled_from(["m1_mev", "theta", "lenght_cm", "Inference", "name", "seed", "forecast"]),
    st.text(max_size=8),
)


def toml(value: Any) -> str:
    """TOML of a value; strings of any characters, tables inline."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


def dumped(top: dict[str, Any], tables: dict[str, Any]) -> str:
    """A study; a section that is no table becomes a key."""
    lines = [
        f"{name if name.isidentifier() else toml(name)} = {toml(v)}" for name, v in top.items()
    ]
    for name, table in tables.items():
        if not isinstance(table, dict):
            lines.insert(0, f"{toml(name)} = {toml(table)}")
            continue
        lines.append(f"[{toml(name)}]")
        lines += [f"{toml(key)} = {toml(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


@st.composite
def studies(draw: st.DrawFn) -> bytes:
    """A study with one to three things wrong, or right."""
    top: dict[str, Any] = {"schema": 1, "name": "s", "seed": 7}
    wanted = draw(st.sets(st.sampled_from(sorted(BASE)), max_size=3)) | {"layout", "lasers"}
    if draw(st.integers(0, 3)):
        wanted -= {"inference", "simulate"}  # else most verbs would be long
    tables: dict[str, Any] = {name: dict(BASE[name]) for name in sorted(wanted)}
    for _ in range(draw(st.integers(0, 3))):
        _spoil(draw, top, tables)
    text = dumped(top, tables)
    return _spoil_text(draw, text.encode("utf-8", "surrogatepass"))


def _spoil(draw: st.DrawFn, top: dict[str, Any], tables: dict[str, Any]) -> None:
    kind = draw(st.sampled_from(["value", "value", "value", "top", "key", "section", "drop"]))
    section, key = draw(st.sampled_from(KEYS))
    if kind == "value":
        table = tables.setdefault(section, dict(BASE[section]) if draw(st.booleans()) else {})
        if isinstance(table, dict):
            table[key] = draw(VALUES)
    elif kind == "top":
        top[draw(st.sampled_from(["schema", "name", "seed", "extra"]))] = draw(VALUES)
    elif kind == "key" and isinstance(tables.get(section), dict):
        tables[section][draw(NAMES)] = draw(VALUES)
    elif kind == "section":
        tables[draw(NAMES)] = draw(st.one_of(VALUES, st.just({})))
    elif kind == "drop":
        top.pop(draw(st.sampled_from(["schema", "name", "seed"])), None)


def _spoil_text(draw: st.DrawFn, text: bytes) -> bytes:
    kind = draw(st.integers(0, 24))
    at = draw(st.integers(0, len(text)))
    changes = {
        0: lambda: b"\xef\xbb\xbf" + text,
        1: lambda: text.replace(b"\n", b"\r\n"),
        2: lambda: text.replace(b"\n", b"\r"),
        3: lambda: text[:at] + b"\x00" + text[at:],
        4: lambda: text[:at] + draw(st.binary(min_size=1, max_size=6)) + text[at:],
        5: lambda: text[:at],
        6: lambda: text + text,
        7: lambda: text + b"layout.length_cm = 1\n[layout.x]\ny = 1\n",
        8: lambda: b".".join([b"a"] * 3000) + b" = 1\n" + text,
        9: lambda: text.decode("utf-8", "replace").encode("utf-16"),
        10: lambda: text + b"[[layout]]\n",
        11: lambda: b"",
    }
    return changes.get(kind, lambda: text)()


SETTINGS = st.one_of(
    st.tuples(st.sampled_from(KEYS), VALUES).map(
        lambda pair: f"{pair[0][0]}.{pair[0][1]}={toml(pair[1])}"
    ),
    st.tuples(NAMES, st.sampled_from(["=", "", "==", ".="]), TEXTS).map("".join),
    st.sampled_from(["layout=1", "layout.length_cm.x=1", ".=", "a..b=1", "name=../x", "=1",
                     "seed=1\n[layout]", "layout.theta_s_deg=[[[[", "." * 3000 + "=1"]),
)  # fmt: skip
OUTS = st.sampled_from(
    ["out", "out/deep/er", "../beside", "taken", "taken/x", "link", "folder.toml", "study.toml",
     "pipe.toml", "loop.toml", "nul\0x", "x" * 300, "", " ", ".", "con\nx", "~", "$HOME", "-x",
     "a/../out", "out\u202e", "/dev/null", "/dev/null/x", "/proc/x"]
)  # fmt: skip
EXECUTORS = st.sampled_from(
    ["", "serial ", "SERIAL", "processes", "processes:", "processes:0", "processes:-1",
     "processes:1e9", "processes:99999999999", "dask", "dask:", "dask:local:x", "dask:a b",
     "jobqueue:", "jobqueue:slurm:0", "jobqueue:../x:1", "threads:2", "serial\0", "x" * 3000]
)  # fmt: skip
SHARDS = st.sampled_from(
    ["", "0", "1/1", "-1/2", "2/1", "0/0", "a/b", "0/1/2", "9" * 30 + "/" + "9" * 31, "٠/١", "0/1"]
)
FILES = st.sampled_from(
    ["study.toml"] * 12
    + ["missing.toml", "stduy.toml", "", ".", "..", "/", "nul\0.toml", "x" * 300, "study.toml/",
       "folder.toml", "pipe.toml", "loop.toml", "zero.toml", "/dev/zero", "/dev/null", "/dev/stdin",
       "/proc/self/mem", "seed-layout-corrected/../x", "--help-me", "taken", "con\nx"]
)  # fmt: skip


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, with what hurts most made likely."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
        st.sampled_from(["../x", "/etc/passwd", "../../outside.toml", "x" * 3000, "nul\0"]),
    )  # fmt: skip
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=6,
    )
