"""One laser cycle: Bloch equations, coherence, the field it builds."""
