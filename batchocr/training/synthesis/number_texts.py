"""The texts of numbers, as people write them."""

from __future__ import annotations

import numpy as np


def number_text(rng: np.random.Generator, max_digits: int = 10) -> str:
    """Return a random number as people write it: a count, year, amount, date, time or phone number.

    Args:
        rng: Source of random numbers.
        max_digits: Maximum number of digits of a plain number; dates and amounts may be longer.
    """

    def digits(count: int) -> str:
        return "".join(map(str, rng.integers(0, 10, count)))

    roll = rng.random()
    if roll < 0.08:  # a round amount
        return str(rng.integers(1, 100)) + str(rng.choice(["", "", ".", ",", " "])) + "0" * int(rng.integers(2, 4))
    if roll < 0.13:  # vertical strokes beside each other
        return "".join(rng.choice(list("1114790"), int(rng.integers(1, min(max_digits, 6) + 1))))
    if roll < 0.5:
        return digits(int(rng.integers(1, min(max_digits, 8) + 1)))
    if roll < 0.68:
        mark = str(rng.choice(list(".,")))
        whole = digits(int(rng.integers(1, 4)))
        if rng.random() < 0.5:
            whole = str(int(rng.integers(1, 1000))) + str(rng.choice([".", ",", "'", " "])) + digits(3)
        text = whole + mark + digits(int(rng.choice([1, 2, 2, 2, 3])))
    elif roll < 0.82:
        mark = str(rng.choice(list("/.-")))
        year = str(rng.integers(1850, 2030)) if rng.random() < 0.5 else digits(2)
        text = f"{rng.integers(1, 32)}{mark}{rng.integers(1, 13)}{mark}{year}"
    elif roll < 0.87:
        text = f"{rng.integers(0, 24)}:{rng.integers(0, 60):02d}"
    elif roll < 0.93:
        text = digits(3) + str(rng.choice(["-", " ", "/"])) + digits(4)
    else:
        text = digits(int(rng.integers(1, 4))) + str(rng.choice(list("/-+"))) + digits(int(rng.integers(1, 4)))
    if rng.random() < 0.06:
        text = str(rng.choice(["-", "+"])) + text
    if rng.random() < 0.05:
        text += str(rng.choice([",-", ".-", "/-"]))
    return text
