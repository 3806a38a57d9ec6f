"""The parameters of all steps of decoding in one object."""

from __future__ import annotations

from dataclasses import dataclass, field

from batchocr.decoding.digits.blank_form import BlankFormParameters
from batchocr.decoding.digits.faint import FaintParameters
from batchocr.decoding.digits.found_twice import FoundTwiceParameters
from batchocr.decoding.digits.joint import Calibration, FeatureParameters, JointParameters
from batchocr.decoding.digits.neighbours import NeighbourParameters
from batchocr.decoding.layout.lines import LineParameters
from batchocr.decoding.layout.number_parameters import NumberParameters
from batchocr.decoding.layout.origins import OriginParameters
from batchocr.decoding.layout.sign_parameters import SignParameters
from batchocr.decoding.marks.contrast import ContrastParameters
from batchocr.decoding.marks.familiarity import Familiar, FamiliarityParameters
from batchocr.decoding.marks.maybe_missed import MaybeMissedParameters
from batchocr.decoding.marks.number_ink import NumberInkParameters
from batchocr.decoding.marks.page_ink import PageInkParameters
from batchocr.decoding.marks.struck_out import StruckOutParameters
from batchocr.decoding.marks.unread_ink import UnreadInkParameters


@dataclass(frozen=True)
class RowParameters:
    """Which detections give rows, and which pages are implausible."""

    min_digit_score: float = 0.3
    """Minimum score of digits; weaker ones give no row, but may mark a number. A run takes that of `reading.json`.
    Basis: the default of the detector."""
    min_sign_score: float = 0.3
    """Minimum score of signs; of weaker ones only slashes are used. A run takes that of `reading.json`. Basis: the
    default of the detector."""
    min_digit_probability: float = 0.25
    """Minimum probability that a detection is a digit, for it to give a row. A run takes that of `reading.json`. Basis:
    chosen by eye; the value of `reading.json` is fitted."""
    min_confidence: float = 0.2
    """Minimum confidence of a row. Basis: what is wrong four times in five is mostly texture; on public pages 0.1 to
    0.3 lose at most 0.4% of the digits."""
    min_likely_digit_probability: float = 0.5
    """A row with a smaller probability of being a digit is marked `not-a-digit`. Basis: below it a digit is less likely
    than a non-digit."""
    max_digits: int = 4000
    """Maximum number of digits of a plausible page. Basis: a full page of dense writing has some 1,500."""
    min_doubtful_digits: int = 300
    """Minimum number of digits of a page that is implausible because of low confidences. Basis: chosen by eye."""
    min_median_confidence: float = 0.5
    """Minimum median confidence of a page with that many digits. Basis: below it most rows are more likely wrong than
    right."""


@dataclass(frozen=True)
class DecodingParameters:
    """The parameters of all steps. `decode` and `page_result` read every value from this object."""

    features: FeatureParameters = field(default_factory=FeatureParameters)
    """Limits of the features that determine the confidence."""
    joint: JointParameters = field(default_factory=JointParameters)
    """How detector and classifier are weighted."""
    calibration: Calibration = field(default_factory=Calibration)
    """Coefficients of the confidences. Basis: plain values; a run takes the fitted ones of `reading.json`."""
    neighbours: NeighbourParameters = field(default_factory=NeighbourParameters)
    """Which detections are neighbours."""
    found_twice: FoundTwiceParameters = field(default_factory=FoundTwiceParameters)
    """When two detections are one digit."""
    lines: LineParameters = field(default_factory=LineParameters)
    """What a line is, and how its bend is measured."""
    numbers: NumberParameters = field(default_factory=NumberParameters)
    """Which digits are in one number; what rules and columns are."""
    signs: SignParameters = field(default_factory=SignParameters)
    """Which signs belong to a number."""
    origins: OriginParameters = field(default_factory=OriginParameters)
    """When a number is printed."""
    number_ink: NumberInkParameters = field(default_factory=NumberInkParameters)
    """What ink around a number is."""
    unread_ink: UnreadInkParameters = field(default_factory=UnreadInkParameters)
    """When a number is marked `unread-ink`."""
    maybe_missed: MaybeMissedParameters = field(default_factory=MaybeMissedParameters)
    """When a number is marked `maybe-missed`."""
    struck_out: StruckOutParameters = field(default_factory=StruckOutParameters)
    """When a number is marked `struck-out`."""
    contrast: ContrastParameters = field(default_factory=ContrastParameters)
    """How the brightness of the paper is estimated."""
    faint: FaintParameters = field(default_factory=FaintParameters)
    """When a digit is left out because it is faint."""
    familiarity: FamiliarityParameters = field(default_factory=FamiliarityParameters)
    """Which digits describe a page."""
    familiar: Familiar = field(default_factory=Familiar)
    """The ranges of the measured pages. Basis: no limits; a run takes the measured ones of `reading.json`."""
    page_ink: PageInkParameters = field(default_factory=PageInkParameters)
    """When a page is marked `unread-ink` or `cut-off`."""
    blank_form: BlankFormParameters = field(default_factory=BlankFormParameters)
    """When a detection is ink of the blank form."""
    rows: RowParameters = field(default_factory=RowParameters)
    """Which detections give rows."""


PARAMETERS = DecodingParameters()
