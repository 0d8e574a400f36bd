"""The explorer: a study's picture, redrawn while its keys are moved; ``renp explore``.

``state`` turns settings into a study, ``curves`` a study into numbers, ``drawing``
and ``figures`` numbers into pictures; ``page``, ``wiring`` and ``server`` show them.
Only the last three, and ``command``, know the web framework.
"""
