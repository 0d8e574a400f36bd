"""Values as words of a table cell."""

import pytest

from renp_infer.figures.words import text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"noise": "drawn", "own": [], "templates": "", "draws": 0}, "noise drawn, draws 0"),
        ('{"own": {}, "chains": 4, "errors": false}', "chains 4, errors False"),
        ({}, ""),
        ([1, 2.5], "1, 2.5"),
    ],
)
def test_what_is_empty_has_no_name_in_a_list(value: object, text: str) -> None:
    assert text_of(value) == text
