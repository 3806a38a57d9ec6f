"""Temperature, thresholds, bounds of errors and calibration error, compared with known results."""

from __future__ import annotations

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.recognition.calibration import (
    Floats,
    apply_temperature,
    confidence_grid,
    default_threshold,
    digit_confidences,
    expected_calibration_error,
    fit_temperature,
    level_for,
    levels,
    min_error_level,
    negative_log_likelihood,
    predicted_classes,
    threshold_at,
    threshold_for,
)
from batchocr.recognition.error_bounds import design_effect, error_bounds

GRID = confidence_grid()


def honest(n: int, seed: int = 0, classes: int = 10, spread: float = 2.5) -> tuple[Floats, NDArray[np.int64]]:
    """Return probabilities (n, classes) and labels that were drawn with them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, spread, (n, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, (rng.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_scaled_rows_sum_to_one_and_keep_their_order(temperature: float) -> None:
    probabilities, _ = honest(200)
    scaled = apply_temperature(probabilities, temperature)
    assert np.allclose(scaled.sum(axis=1), 1)
    assert np.array_equal(scaled.argsort(axis=1), probabilities.argsort(axis=1))


def test_a_temperature_of_one_changes_nothing_and_a_higher_one_lowers_the_maximum() -> None:
    probabilities, _ = honest(50)
    assert np.allclose(apply_temperature(probabilities, 1.0), probabilities)
    assert (apply_temperature(probabilities, 2.0).max(axis=1) < probabilities.max(axis=1)).all()
    assert np.allclose(apply_temperature(np.array([[0.8, 0.2]]), 2.0), [[2 / 3, 1 / 3]])  # √4 : 1


def test_scaling_accepts_a_zero_and_32_bits() -> None:
    scaled = apply_temperature(np.array([[1, 0, 0]], np.float32), 0.5)
    assert scaled.dtype == np.float64
    assert np.isfinite(scaled).all()
    assert scaled[0, 0] == pytest.approx(1)


def test_scaling_twice_is_scaling_by_the_product_and_zeros_stay_zero() -> None:
    probabilities, _ = honest(100, classes=11)
    assert np.allclose(
        apply_temperature(apply_temperature(probabilities, 0.7), 1.8), apply_temperature(probabilities, 0.7 * 1.8)
    )
    ten = np.pad(probabilities[:, :10], ((0, 0), (0, 1)))
    assert (apply_temperature(ten, 3.0)[:, 10] == 0).all() and np.allclose(apply_temperature(ten, 3.0).sum(axis=1), 1)


def test_the_likelihood_of_known_probabilities() -> None:
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert negative_log_likelihood(probabilities, np.array([0, 0])) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert np.isfinite(negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])))


@pytest.mark.parametrize("classes", [10, 11])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_fitting_finds_the_temperature_that_was_applied(temperature: float, classes: int) -> None:
    probabilities, truth = honest(20_000, classes=classes)
    assert fit_temperature(apply_temperature(probabilities, 1 / temperature), truth) == pytest.approx(
        temperature, rel=0.04
    )


def test_fitted_temperatures_stay_within_their_range() -> None:
    sure_and_right = apply_temperature(np.eye(10)[np.arange(100) % 10] * 0.9 + 0.01, 1.0)
    assert fit_temperature(sure_and_right, np.arange(100) % 10) == pytest.approx(0.25, rel=0.01)
    assert fit_temperature(sure_and_right, (np.arange(100) + 1) % 10) == pytest.approx(8, rel=0.01)


def test_few_digits_move_a_temperature_with_a_spread_little_and_many_do() -> None:
    probabilities, truth = honest(20_000)
    sure = apply_temperature(probabilities, 0.5)
    few, many = (fit_temperature(sure[:n], truth[:n], 0.3) for n in (5, 20_000))
    assert 1 < few < 1.7 and many == pytest.approx(2, rel=0.04)
    all_right = np.full((200, 10), 0.001)
    all_right[:, 3] = 0.991
    assert fit_temperature(all_right, np.full(200, 3)) == pytest.approx(0.25, rel=0.01)
    assert 0.7 < fit_temperature(all_right, np.full(200, 3), 0.3) < 1


CONFIDENCE = np.array([0.6, 0.9, 0.7, 0.8])
RIGHT = np.array([True, True, False, True])


@pytest.mark.parametrize(
    ("error", "threshold"),
    [(0.0, 0.8), (0.2, 0.8), (0.25, 0.6), (0.5, 0.6)],
)
def test_the_threshold_is_the_lowest_that_keeps_the_error(error: float, threshold: float) -> None:
    assert threshold_at(error, CONFIDENCE, RIGHT) == threshold


def test_digits_of_equal_confidence_are_accepted_together() -> None:
    confidence = np.array([0.9, 0.9, 0.8, 0.8])
    assert threshold_at(0.1, confidence, np.array([True, True, True, False])) == 0.9
    assert threshold_at(0.1, confidence, np.array([True, True, False, True])) == 0.9


def test_the_threshold_is_one_if_no_other_is_good_enough() -> None:
    assert threshold_at(0.01, np.array([0.9, 0.5]), np.array([False, True])) == 1.0
    assert threshold_at(0.01, np.array([]), np.array([], bool)) == 1.0


def test_at_the_threshold_the_error_is_not_exceeded() -> None:
    probabilities, truth = honest(5000, seed=3)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    accepted = confidence >= threshold_at(0.05, confidence, right)
    assert 100 < accepted.sum() < 5000
    assert (~right[accepted]).mean() <= 0.05


def test_calibration_errors_with_known_results() -> None:
    four_of_five = np.array([True, True, True, True, False])
    assert expected_calibration_error(np.full(5, 0.8), four_of_five) == pytest.approx(0)
    assert expected_calibration_error(np.full(5, 0.5), four_of_five) == pytest.approx(0.3)
    assert expected_calibration_error(np.ones(3), np.zeros(3, bool)) == pytest.approx(1)
    # two bins with one digit each: gaps of 0.1 and 0.4
    assert expected_calibration_error(np.array([0.9, 0.4]), np.array([True, False])) == pytest.approx(0.25)
    assert expected_calibration_error(np.array([]), np.array([], bool)) == 0


def test_honest_probabilities_have_a_small_calibration_error() -> None:
    probabilities, truth = honest(20_000)
    right = probabilities.argmax(axis=1) == truth
    assert expected_calibration_error(probabilities.max(axis=1), right) < 0.015
    assert expected_calibration_error(apply_temperature(probabilities, 0.3).max(axis=1), right) > 0.1


def test_the_default_threshold_keeps_one_percent_and_is_never_below_a_half() -> None:
    probabilities, truth = honest(20_000, spread=6)
    confidence, right = digit_confidences(probabilities, truth)
    threshold = default_threshold(confidence, right)
    accepted = confidence.round(4) >= threshold
    assert 0.5 < threshold < 1 and round(threshold, 4) == threshold
    assert 0.008 < (~right[accepted]).mean() <= 0.01
    assert default_threshold(confidence, np.ones(len(right), bool)) == 0.5
    assert default_threshold(confidence, np.zeros(len(right), bool)) == 1.0


def test_crops_predicted_as_not_a_digit_are_left_out_and_non_digits_read_as_digits_are_wrong() -> None:
    probabilities = np.full((4, 11), 0.01)
    for place, (answer, chance) in enumerate([(3, 0.9), (10, 0.8), (7, 0.7), (4, 0.6)]):
        probabilities[place, answer] = chance
    confidence, right = digit_confidences(probabilities, np.array([3, 5, 10, 4]))
    assert confidence.tolist() == [0.9, 0.7, 0.6]
    assert right.tolist() == [True, False, True]


def test_not_a_digit_is_predicted_only_if_more_likely_than_all_digits_together() -> None:
    probabilities = np.zeros((3, 11))
    probabilities[:, [2, 3, 10]] = [[0.3, 0.19, 0.51], [0.3, 0.21, 0.49], [0.1, 0.5, 0.4]]
    assert predicted_classes(probabilities).tolist() == [10, 2, 3]
    assert predicted_classes(probabilities[:, :10]).tolist() == [2, 2, 3]
    assert digit_confidences(probabilities, np.array([2, 2, 3]))[0].tolist() == [0.3, 0.5]


# from R's binom.test; if none is wrong, the upper bound is 1 - 0.025 ** (1 / n)
BOUNDS = {
    (0, 100): (0.0, 0.03621669),
    (10, 100): (0.04900469, 0.17622260),
    (5, 10): (0.18708603, 0.81291397),
    (10, 10): (0.69150289, 1.0),
    (0, 3688): (0.0, 0.00099974),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_exact_bounds_of_an_error(case: tuple[int, int]) -> None:
    assert error_bounds(*case) == pytest.approx(BOUNDS[case], abs=1e-7)


@pytest.mark.parametrize(("wrong", "count"), [(1, 2), (3, 40), (39, 40), (17, 1000)])
def test_the_tails_at_the_bounds_have_a_probability_of_a_fortieth(wrong: int, count: int) -> None:
    def tail(counts: range, share: float) -> float:
        return sum(comb(count, i) * share**i * (1 - share) ** (count - i) for i in counts)

    lower, upper = error_bounds(wrong, count)
    assert tail(range(wrong, count + 1), lower) == pytest.approx(0.025)
    assert tail(range(wrong + 1), upper) == pytest.approx(0.025)


def test_bounds_hold_for_many_digits() -> None:
    lower, upper = error_bounds(200, 200_000)
    assert lower < 0.001 < upper
    assert upper - lower == pytest.approx(2 * 1.96 * np.sqrt(0.001 * 0.999 / 200_000), rel=0.02)


def test_levels_count_the_rows_at_or_above_each_rounded_confidence() -> None:
    confidence = np.array([0.99986, 0.99984, 0.5, 0.3, 0.99999])  # 0.9999, 0.9998, 0.5, 0.3, 1.0
    table = {level.confidence: level for level in levels(confidence, np.array([True, True, False, True, True]))}
    counts = {threshold: (level.accepted, level.wrong) for threshold, level in table.items()}
    assert counts[0.0] == counts[0.3] == (5, 1)
    assert counts[0.4] == counts[0.5] == (4, 1)
    assert (counts[0.5829], counts[0.9998], counts[0.9999], counts[1.0]) == ((3, 0), (3, 0), (2, 0), (1, 0))
    whole = table[0.0]
    assert (whole.share, whole.error) == (1, 0.2) and (table[1.0].share, table[1.0].error) == (0.2, 0)
    assert (whole.low, whole.high) == pytest.approx(error_bounds(1, 5), abs=2e-6)
    assert whole.low <= error_bounds(1, 5)[0] and whole.high >= error_bounds(1, 5)[1]


def test_levels_are_finer_near_one_and_end_at_the_highest_confidence() -> None:
    assert 30 <= len(GRID) <= 60 and np.array_equal(GRID, GRID.round(4))
    assert all(a < b for a, b in pairwise(GRID)) and (GRID > 0.99).sum() > 15
    assert [level.confidence for level in levels(np.array([0.35, 0.21]), np.array([True, True]))] == [0, 0.1, 0.2, 0.3]
    assert levels(np.array([]), np.array([], bool)) == ()


def test_the_threshold_for_an_error_is_the_lowest_with_a_sufficient_upper_bound() -> None:
    probabilities, truth = honest(30_000, spread=6)
    table = levels(*digit_confidences(probabilities, truth))
    for max_error in (0.05, 0.02, 0.01, 0.005):
        level = level_for(table, max_error)
        assert level is not None and threshold_for(table, max_error) == level.confidence
        assert level.error < level.high <= max_error
        assert all(other.high > max_error for other in table if other.confidence < level.confidence)
    assert table[0].error > 0.05  # so the choice is not trivial


def test_no_threshold_if_too_few_rows_were_measured() -> None:
    table = levels(np.full(100, 0.9999), np.ones(100, bool))  # none is wrong, so the upper bound is 3.6%
    assert threshold_for(table, 0.04) == 0
    assert threshold_for(table, 0.01) is None and level_for(table, 0.01) is None
    assert threshold_for(table, min_error_level(table).high) is not None
    assert threshold_for((), 0.5) is None


@pytest.mark.parametrize("seed", range(5))
def test_the_error_is_not_exceeded_on_other_digits(seed: int) -> None:
    probabilities, truth = honest(8000, seed, spread=6)
    threshold = threshold_for(levels(*digit_confidences(probabilities, truth)), 0.02)
    assert threshold is not None
    confidence, right = digit_confidences(*honest(50_000, seed + 100, spread=6))
    assert (~right[confidence >= threshold]).mean() <= 0.02


def test_wrong_rows_in_clusters_give_wider_bounds() -> None:
    right = np.ones(1000, np.bool_)
    scattered, clustered_rows = right.copy(), right.copy()
    scattered[::50], clustered_rows[:20] = (
        False,
        False,
    )  # 20 wrong rows: one on every fifth page, or all rows of two pages
    pages = np.arange(1000) // 10
    assert design_effect(scattered, pages) == pytest.approx(1.0, abs=0.35)
    assert design_effect(clustered_rows, pages) == pytest.approx(10, rel=0.1)
    assert design_effect(right, pages) == design_effect(clustered_rows, np.zeros(1000, int)) == 1.0
    sure = np.full(1000, 0.9)
    single, clustered = (levels(sure, clustered_rows, own)[0] for own in (None, pages))
    assert (single.accepted, single.wrong) == (clustered.accepted, clustered.wrong) == (1000, 20)
    assert clustered.high > 2 * single.high > 0.06
    assert clustered.low <= single.low


def test_bounds_of_clusters_are_those_of_fewer_rows() -> None:
    assert error_bounds(20, 1000, 10) == error_bounds(2, 100)
    assert error_bounds(25, 1000, 10)[1] == error_bounds(3, 100)[1]
    assert error_bounds(25, 1000, 10)[0] == error_bounds(2, 100)[0]
