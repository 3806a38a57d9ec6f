"""Where a sign is relative to the digit beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignPositionParameters:
    """The vertical position of a sign's centre beside a digit.

    Positions are in heights of the digit: 0 is the top of the digit, 1 is its bottom. Basis of all: geometry of signs
    beside digits.
    """

    min_point_heights: float = 0.55
    """Minimum position of `.`."""
    max_point_heights: float = 1.4
    """Maximum position of `.`."""
    usual_point_heights: float = 0.95
    """Usual position of `.`."""
    min_comma_heights: float = 0.5
    """Minimum position of `,`."""
    max_comma_heights: float = 1.6
    """Maximum position of `,`."""
    usual_comma_heights: float = 1.05
    """Usual position of `,`."""
    min_slash_heights: float = -0.1
    """Minimum position of `/`."""
    max_slash_heights: float = 1.1
    """Maximum position of `/`."""
    usual_slash_heights: float = 0.5
    """Usual position of `/`."""
    min_dash_heights: float = 0.1
    """Minimum position of `-`."""
    max_dash_heights: float = 0.95
    """Maximum position of `-`."""
    usual_dash_heights: float = 0.5
    """Usual position of `-`."""
    min_colon_heights: float = 0.1
    """Minimum position of `:`."""
    max_colon_heights: float = 1.1
    """Maximum position of `:`."""
    usual_colon_heights: float = 0.6
    """Usual position of `:`."""
    min_plus_heights: float = 0.0
    """Minimum position of `+`."""
    max_plus_heights: float = 1.0
    """Maximum position of `+`."""
    usual_plus_heights: float = 0.5
    """Usual position of `+`."""

    def for_sign(self, character: str) -> tuple[float, float, float]:
        """Return the minimum, the maximum and the usual position of a sign."""
        return {
            ".": (self.min_point_heights, self.max_point_heights, self.usual_point_heights),
            ",": (self.min_comma_heights, self.max_comma_heights, self.usual_comma_heights),
            "/": (self.min_slash_heights, self.max_slash_heights, self.usual_slash_heights),
            "-": (self.min_dash_heights, self.max_dash_heights, self.usual_dash_heights),
            ":": (self.min_colon_heights, self.max_colon_heights, self.usual_colon_heights),
            "+": (self.min_plus_heights, self.max_plus_heights, self.usual_plus_heights),
        }[character]


PARAMETERS = SignPositionParameters()
