"""From pair integrals to rate, magnetization, field and backgrounds."""
