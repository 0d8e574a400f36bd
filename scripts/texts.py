"""Write again what follows from the texts of the keys: the schema and the page of studies."""

from collections.abc import Iterator
from pathlib import Path

from renp_infer.study.texts.keys import Key, KeyTable, tables
from renp_infer.study.texts.schema import NAME, schema_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "study-file.md"
SCHEMA = ROOT / "data" / NAME
MARK = "<!-- What follows is written by `make texts`. -->\n"


def page_text(page: str) -> str:
    """The page, with what stands below the mark written anew."""
    introduction, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"{PAGE.name} has no line {MARK.strip()!r}")
    return introduction + MARK + "\n" + "\n".join(map(section_text, tables()))


def section_text(table: KeyTable) -> str:
    """Heading and keys of a section."""
    heading = f"`{table.heading}`" if table.path else "Above all sections"
    link = f" [More]({table.page})." if table.path else ""
    keys = "\n".join(line for key in table.keys for line in key_lines(key, table))
    return f"## {heading}\n\n{escaped(table.meaning)}{link}\n\n{keys}\n"


def key_lines(key: Key, table: KeyTable) -> Iterator[str]:
    """An entry of the list: meaning, then what it takes."""
    yield f"- **`{key.name}`**: {escaped(key.meaning)}"
    rows = [("Allowed", escaped(key.allowed)), ("Default", default_text(key))]
    rows += [("Typical", escaped(key.typical)), ("Source", escaped(key.source))]
    words = "; ".join(f"{name.lower()}: {text}" for name, text in rows if text)
    link = f" ([more]({key.page}))" if key.page != table.page else ""
    yield f"  {words[0].upper()}{words[1:]}.{link}"


def default_text(key: Key) -> str:
    """Default as code, or what counts without the key in words."""
    return f"`{key.default_text}`" if key.default is not None else escaped(key.default_text)


def escaped(text: str) -> str:
    """Text in which nothing is markup."""
    for mark in ("\\", "|", "*", "_", "<", "[", "]", "$", "`"):
        text = text.replace(mark, "\\" + mark)
    return text


def main() -> None:
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
