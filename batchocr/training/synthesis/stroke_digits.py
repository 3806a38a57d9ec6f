"""Digits as other countries write them, as pen strokes: MNIST's writers are American.

A form is the way of a pen, said as points in hundredths of the digit's height. A hand follows it with a slant,
proportions and bends of its own, and misses the points a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2): x to the right and y down, in heights of the digit."""


@dataclass(frozen=True)
class DigitForm:
    """A way to write a digit, how often it is taken among that digit's forms, and its strokes.

    Strokes are `x,y` points in hundredths of the height, parted by `/`; `!` marks a corner, elsewhere the pen
    turns smoothly. `other`, where given, says the same points and corners in another extreme: hands lie in between.
    """

    digit: int
    name: str
    weight: float
    draw_strokes: str
    other: str = ""


# Square are those that follow seven printed strokes, as some forms guide the pen.
# A 1's flag clearly rises towards the top of the stem, or is short; a 7's bar is about level and a third of the
# height long at least. People keep them apart by this, so the forms must.
DIGIT_FORMS = (
    DigitForm(0, "round", 2, "30,0 8,16 0,50 10,86 32,100 54,84 62,48 52,12 28,0",
         "26,0 4,24 2,60 18,96 40,98 60,70 60,30 44,4 24,2"),
    DigitForm(0, "narrow", 1, "22,0 6,18 0,52 6,86 20,100 36,82 42,48 36,14 20,0"),
    DigitForm(0, "open", 1, "44,6 18,4 0,46 10,92 36,98 58,66 54,18",
         "30,2 6,20 2,64 20,100 46,90 56,50 46,10"),
    DigitForm(0, "curled", 1, "40,4 14,8 0,52 16,96 42,96 58,54 46,10 26,4 28,16 44,18",
         "26,4 6,26 2,66 22,100 48,86 58,44 44,8 22,2 10,12 20,22"),
    DigitForm(0, "slashed", 0.5, "30,0 8,16 0,50 10,86 32,100 54,84 62,48 52,12 28,0 / 50,18 12,82",
         "30,0 8,16 0,50 10,86 32,100 54,84 62,48 52,12 28,0 / 70,-8 -8,108"),
    DigitForm(0, "dotted", 0.15, "30,0 8,16 0,50 10,86 32,100 54,84 62,48 52,12 28,0 / 29,48 33,52"),
    DigitForm(0, "tailed", 0.6, "36,4 12,12 0,54 14,96 40,98 60,62 52,20 36,4 28,9 44,15 70,4",
         "30,2 8,14 0,58 16,98 40,96 56,60 48,18 30,2 24,12 46,16 84,-8"),
    DigitForm(0, "wide", 0.5, "40,0 8,18 0,56 22,94 54,98 82,72 80,24 56,2 36,3",
         "46,2 10,22 0,60 26,96 62,96 96,66 90,22 60,2 36,8"),
    DigitForm(0, "open at the left", 0.4, "4,30 24,3 48,6 60,44 52,86 28,100 6,82 0,56",
         "14,12 32,0 54,16 62,54 46,92 22,99 4,86 -2,66"),
    DigitForm(0, "square", 0.5, "2,0 0,100! 52,100! 52,0! 2,0",
         "0,4 -2,98! 44,100! 46,2! 2,6"),
    DigitForm(1, "plain", 1.5, "20,0 20,50 20,100",
         "30,0 16,50 0,100"),
    DigitForm(1, "short flag", 1.5, "14,20 22,11 28,0! 28,50 28,100",
         "4,30 18,16 28,0! 26,50 22,100"),
    DigitForm(1, "long flag", 3, "0,46 16,25 32,0! 32,50 31,100",
         "0,78 18,44 38,0! 36,50 34,100"),
    DigitForm(1, "flag from the base", 1, "0,84 20,46 38,0! 38,50 37,100",
         "0,102 16,54 30,0! 32,50 34,100"),
    DigitForm(1, "bent flag", 0.8, "0,52 14,42 28,22 36,0! 36,50 35,100",
         "0,70 22,56 34,26 40,0! 38,50 34,100"),
    DigitForm(1, "rounded", 0.7, "0,56 20,27 31,6 35,3 36,14 35,50 33,100",
         "0,44 14,22 24,5 28,3 30,12 29,50 26,100"),
    DigitForm(1, "foot", 0.5, "22,0 22,50 22,100 / 4,100 40,99",
         "24,0 22,50 20,100 / -6,98 52,101"),
    DigitForm(1, "flag and foot", 1, "8,22 18,13 26,0! 26,50 26,100 / 6,100 46,99",
         "0,48 14,26 28,0! 28,50 27,100 / -4,99 60,101"),
    DigitForm(1, "looped", 0.7, "-16,94 14,62 36,20 40,3 32,0 26,16 25,60 28,100",
         "-4,62 18,48 32,16 31,1 24,3 22,22 24,60 32,100"),
    DigitForm(2, "round", 2, "2,24 12,5 32,0 52,10 54,30 38,58 18,80 0,99! 30,99 62,98",
         "4,30 8,8 26,0 44,8 46,28 32,60 16,82 2,97! 26,95 54,100"),
    DigitForm(2, "looped", 1.5, "2,24 14,4 34,0 52,12 52,32 36,62 16,90 5,97 0,88 8,80 24,86 42,96 66,92",
         "6,20 18,2 38,2 48,18 42,42 26,72 14,94 2,98 -4,84 10,74 26,84 44,98 70,96"),
    DigitForm(2, "tailed", 1.2, "2,22 14,4 34,0 50,12 46,34 26,70 0,96! 20,90 48,97 74,100 96,90",
         "6,18 20,2 40,2 48,18 38,44 20,74 0,98! 22,92 54,100 88,104 112,98"),
    DigitForm(2, "angular", 1.5, "0,8 26,3 52,0! 30,48 0,100! 30,98 62,98",
         "2,16 14,2 50,4! 26,52 0,98! 26,94 56,100"),
    DigitForm(2, "curled", 0.8, "18,26 8,30 4,16 22,0 46,4 52,24 36,60 0,98! 30,97 60,98",
         "22,22 12,30 6,18 18,2 40,2 50,20 38,54 2,96! 26,92 58,100"),
    DigitForm(2, "ringed", 1, "20,48 4,34 6,12 28,0 48,10 48,30 28,54 10,78 0,98! 28,93 58,100",
         "30,42 8,40 2,16 24,0 48,6 52,28 30,56 12,80 -2,97! 28,90 66,99"),
    DigitForm(2, "ringed, looped", 0.7, "20,48 4,34 6,12 28,0 48,10 48,30 28,62 8,94 -3,92 8,84 30,94 62,97",
         "30,42 8,40 2,16 24,0 48,6 52,28 34,58 12,92 0,99 4,88 28,92 70,100"),
    DigitForm(2, "square", 0.8, "0,2 52,0! 52,48! 2,50! 0,100! 54,98",
         "2,6 46,0! 46,46! 0,54! 2,98! 50,100"),
    DigitForm(2, "like an n", 1.4, "0,66 14,24 26,4 37,12 35,46 30,82 44,100 76,88",
         "0,40 12,12 24,0 36,8 32,44 22,84 40,100 98,80"),
    DigitForm(2, "closed head", 0.8, "10,40 36,38 48,16 30,0 8,10 6,32 22,46 36,54 26,78 10,98! 22,96 34,99",
         "12,44 42,40 50,12 26,0 4,12 4,36 26,48 36,62 24,86 10,99! 18,98 26,100"),
    DigitForm(3, "round", 2, "4,14 20,0 44,6 46,30 22,46! 46,54 56,76 38,97 14,100 0,86",
         "2,18 18,2 40,4 42,28 20,44! 44,50 52,74 36,96 10,98 -4,88"),
    DigitForm(3, "flat top", 2, "4,2 28,1 52,0! 40,18 24,38! 46,46 56,68 42,94 18,100 0,88",
         "0,0 24,3 48,2! 36,24 22,42! 42,48 50,70 36,94 8,102 -10,98"),
    DigitForm(3, "looped", 1.2, "4,14 22,0 46,8 46,28 32,45 19,48 19,40 32,43 54,62 50,88 24,100 0,88",
         "0,10 22,-2 44,8 40,30 26,48 12,48 16,38 30,44 52,66 42,92 16,100 -6,88"),
    DigitForm(3, "smooth", 0.8, "4,12 24,0 44,10 40,32 28,46 44,58 52,78 34,98 0,94",
         "6,8 26,0 42,12 38,34 30,46 40,56 48,76 30,98 -8,96"),
    DigitForm(3, "like a J", 0.8, "8,12 20,1 34,3 33,14 21,22! 34,27 42,52 36,86 16,100 0,90",
         "12,7 22,0 31,5 27,14 19,17! 30,26 36,60 26,94 4,102 -14,92"),
    DigitForm(3, "square", 0.8, "0,0 50,0! 50,100! 0,100 / 10,49 50,49",
         "0,4 44,0! 46,98! -4,102 / 2,52 44,50"),
    DigitForm(4, "open", 2, "20,0 10,35 0,62! 32,63 66,60 / 50,26 47,65 43,112",
         "10,0 6,30 2,56! 32,58 62,54 / 46,4 45,50 44,104"),
    DigitForm(4, "closed", 1.2, "46,100 47,50 48,0! 24,34 0,66! 33,66 66,65",
         "38,102 44,50 50,0! 26,32 2,60! 34,62 70,60"),
    DigitForm(4, "lightning", 1.5, "34,0 18,26 0,54! 28,52 54,46! 46,72 36,106",
         "26,0 14,30 2,52! 26,50 48,44! 42,70 38,102"),
    DigitForm(4, "slanted", 1.5, "36,0 18,28 0,56! 30,55 62,49 / 50,28 43,62 32,108",
         "30,0 14,26 0,50! 28,50 58,46 / 46,20 40,60 34,102"),
    DigitForm(4, "below the line", 0.6, "34,0 18,26 0,54! 28,54 56,46 / 50,28 40,80 24,138",
         "26,0 14,28 2,50! 28,50 52,42 / 46,22 32,90 2,164"),
    DigitForm(4, "like an h", 1, "10,0 5,30 0,60! 26,58 50,55! 47,78 44,104",
         "16,0 10,30 4,62! 28,58 46,58! 44,80 38,104"),
    DigitForm(4, "like a y", 1, "4,4 0,36 8,56 28,58 50,46 / 56,0 51,50 46,104",
         "8,10 2,40 12,60 36,58 54,44 / 58,4 50,56 40,108"),
    DigitForm(4, "like a leaning h", 0.8, "42,0 20,34 0,64! 22,57 48,50! 44,76 37,103",
         "46,0 22,38 2,74! 24,65 48,57! 44,80 36,104"),
    DigitForm(4, "leaning, short stem", 0.8, "44,0 22,34 0,66! 28,64 52,58 / 42,44 38,72 32,104",
         "40,0 18,40 2,76! 28,72 50,66 / 40,58 36,78 30,106"),
    DigitForm(4, "square", 0.8, "2,0 0,52! 52,50 / 50,0 50,102",
         "0,4 2,48! 46,48 / 46,-4 48,100"),
    DigitForm(5, "two strokes", 2, "10,2 6,44! 24,38 46,44 54,68 40,96 16,100 0,90 / 10,2 54,0",
         "14,4 8,40! 26,36 46,48 48,74 34,96 12,100 -4,92 / 13,3 62,-4"),
    DigitForm(5, "like an s", 1.2, "54,0 30,2 14,10 12,30 24,44 44,54 52,74 38,97 14,100 0,92",
         "66,-4 36,2 20,14 16,32 26,44 40,56 42,76 28,97 8,100 -8,94"),
    DigitForm(5, "one stroke", 1.2, "54,0 12,2! 8,42! 24,38 46,46 54,70 38,96 12,100 0,92",
         "60,-2 18,2! 10,40! 28,38 44,50 46,74 30,98 6,100 -8,94"),
    DigitForm(5, "loose flag", 1.2, "10,10 6,46! 24,40 46,46 54,70 38,96 14,100 0,90 / 14,0 64,-2",
         "12,8 8,44! 26,38 46,46 50,72 34,97 12,100 -2,90 / 26,2 66,-6"),
    DigitForm(5, "long flag", 0.8, "10,4 6,44! 24,40 44,46 50,70 36,96 14,100 0,92 / 4,4 78,-3",
         "16,6 10,46! 26,42 42,50 44,72 30,96 10,100 -6,94 / 12,4 96,-10"),
    DigitForm(5, "like a long s", 1.2, "46,4 32,0 22,6 21,18 31,34 38,54 32,78 12,100",
         "66,-4 38,2 27,9 26,22 36,40 38,60 27,85 -10,104"),
    DigitForm(5, "like a long s, below the line", 0.8, "46,4 32,0 22,6 21,18 31,36 37,66 30,110 8,142",
         "60,-2 44,0 34,8 32,26 38,60 36,110 18,156 -14,172"),
    DigitForm(5, "like an integral", 0.6, "38,5 28,0 21,10 20,36 22,66 15,90 5,100 -2,95",
         "54,2 38,0 28,9 24,36 25,66 17,88 0,100 -14,93"),
    DigitForm(5, "square", 0.8, "52,0 2,0! 0,48! 50,48! 50,100! 0,100",
         "48,2 0,0! 2,52! 46,50! 48,98! -2,102"),
    DigitForm(6, "round", 2, "38,0 16,22 2,60 8,90 28,100 48,88 48,66 30,56 12,64 4,80",
         "30,0 10,26 0,62 8,92 28,100 46,86 44,64 28,58 12,68 4,86"),
    DigitForm(6, "long stroke", 1.2, "56,-4 30,18 6,54 2,82 16,100 40,98 48,82 38,68 20,70 4,82",
         "40,-4 20,24 4,62 4,86 18,100 38,96 42,80 32,70 16,74 6,86"),
    DigitForm(6, "curled", 1, "50,12 44,1 28,2 8,28 0,66 14,98 38,98 50,78 36,60 14,66 3,82",
         "56,10 44,0 26,6 8,34 2,70 16,98 40,96 46,76 30,66 14,76 18,86"),
    DigitForm(6, "small loop", 1.2, "34,0 16,30 2,74 8,96 26,100 38,90 32,77 18,78 8,90",
         "24,0 10,34 0,74 6,96 24,100 34,88 26,76 12,80 5,92"),
    DigitForm(6, "not closed", 0.8, "36,0 14,26 0,66 10,96 36,100 54,84 46,66 28,66 20,76",
         "42,0 18,26 2,64 10,94 34,100 48,86 42,72 28,72 22,80"),
    DigitForm(6, "square", 0.8, "50,0 2,2! 0,100! 50,100! 50,50! 2,50",
         "44,2 0,0! 2,98! 46,100! 44,54! 2,52"),
    DigitForm(7, "plain", 2, "0,4 28,3 54,0! 38,40 24,100",
         "0,2 26,3 50,2! 40,46 34,100"),
    DigitForm(7, "crossed", 3, "0,4 28,3 54,0! 38,42 24,100 / 18,52 56,50",
         "0,3 28,3 52,2! 42,46 34,100 / 4,56 72,44"),
    DigitForm(7, "serif", 1, "2,16 3,2! 28,3 54,1! 36,44 22,100",
         "-3,22 0,3! 26,4 50,2! 38,46 30,100"),
    DigitForm(7, "crossed, serif", 1.5, "2,16 3,2! 28,3 54,1! 37,44 22,100 / 16,53 58,50",
         "-3,24 0,3! 26,4 50,2! 40,46 32,100 / 6,50 70,50"),
    DigitForm(7, "curved stem", 1, "0,4 28,3 56,0! 34,30 24,60 22,100",
         "0,2 26,4 52,2! 42,24 32,60 30,100"),
    DigitForm(7, "below the line", 0.6, "0,8 26,4 52,0! 38,56 18,136",
         "-2,12 24,4 56,-2! 34,70 -6,168"),
    DigitForm(7, "crossed, curved stem", 1.2, "0,4 28,3 56,0! 34,30 25,60 22,100 / 10,54 50,50",
         "0,3 26,4 52,2! 42,24 33,60 30,100 / 8,50 62,46"),
    DigitForm(7, "wavy bar", 0.7, "0,12 12,2 32,7 58,0! 36,44 22,100",
         "-2,10 10,1 30,8 54,2! 40,46 32,100"),
    DigitForm(7, "crossed, wavy bar", 1.2, "0,12 12,2 32,7 58,0! 36,44 22,100 / 14,53 58,48",
         "-2,10 10,1 30,8 54,2! 40,46 32,100 / 10,48 66,50"),
    DigitForm(7, "crossed, sagging bar", 1, "0,3 8,13 26,15 44,6 54,0! 40,44 26,100 / 14,54 58,48",
         "-2,0 6,14 22,17 40,8 50,0! 42,48 34,100 / 12,58 62,52"),
    DigitForm(7, "crossed, rounded", 0.8, "0,7 24,2 46,4 52,20 45,50 34,78 20,100 / 14,58 64,53",
         "0,12 18,2 40,3 48,22 42,64 22,97 4,92 / 18,66 68,64"),
    DigitForm(7, "square, serif", 0.8, "0,24 0,0! 50,0! 50,100",
         "2,10 2,2! 46,0! 48,102"),
    DigitForm(8, "round", 2, "44,14 26,0 8,16 20,40 42,60 48,84 26,100 4,84 12,60 36,38 45,12",
         "42,10 22,0 8,18 22,44 40,62 40,88 20,100 2,86 10,62 36,38 44,12"),
    DigitForm(8, "open top", 1.5, "50,10 28,0 8,16 20,40 44,62 46,88 24,100 4,84 14,62 40,36 60,4",
         "42,4 20,4 10,22 22,44 40,62 38,90 18,100 2,86 14,62 40,32 54,2"),
    DigitForm(8, "two circles", 1.2, "26,0 9,9 8,32 26,43 44,34 44,10 26,0 / 26,44 4,56 2,86 26,100 50,88 50,58 26,44",
         "28,0 14,10 14,30 28,40 42,30 42,10 26,1 / 28,46 6,52 4,84 24,98 46,88 46,60 24,42"),
    DigitForm(8, "crossed at the top", 0.8, "52,2 20,18 12,34 34,54 46,78 28,100 6,86 16,62 44,36 44,10 24,2 10,16",
         "56,0 30,10 14,28 30,52 40,76 22,100 4,86 14,64 42,36 46,14 32,4 18,12"),
    DigitForm(8, "square", 0.6, "2,0 0,100! 52,100! 52,0! 2,0 / 2,50 50,50",
         "0,4 -2,98! 44,100! 46,2! 2,6 / 0,46 46,50"),
    DigitForm(9, "straight", 2, "48,16 28,0 6,12 4,36 22,48 44,34 50,6! 50,50 48,100",
         "44,8 24,0 4,16 6,40 22,46 40,30 46,6! 44,50 38,100"),
    DigitForm(9, "like a g", 2, "48,14 28,0 6,12 4,36 24,46 44,30 50,8! 52,50 46,88 24,100 2,90",
         "46,10 24,0 4,16 8,40 26,44 42,28 48,4! 48,54 40,90 16,102 -12,92"),
    DigitForm(9, "open, like a g", 1, "40,6 18,0 2,16 8,40 28,42 44,26 52,0! 52,50 44,90 22,100 2,92",
         "34,4 14,4 0,22 10,42 30,40 44,20 50,2! 48,54 38,92 14,100 -10,96"),
    DigitForm(9, "open", 1, "38,4 14,2 0,22 8,44 28,44 44,24 52,0! 50,50 46,100",
         "30,2 8,8 0,28 10,46 28,42 44,22 50,0! 46,50 38,100"),
    DigitForm(9, "like a q", 0.6, "48,12 26,0 4,14 4,36 22,44 42,30 48,4! 48,50 46,100! 62,84",
         "46,10 24,0 4,16 6,38 22,44 40,28 46,4! 44,50 40,100! 58,90"),
    DigitForm(9, "ringed", 1, "16,43 38,36 48,16 28,0 6,12 8,32 26,47 36,64 38,100",
         "22,50 52,36 50,8 26,0 2,16 4,40 24,52 34,70 30,100"),
    DigitForm(9, "like an e", 0.5, "0,50 28,36 42,14 28,0 10,14 6,40 18,72 36,100",
         "4,44 30,34 46,14 30,0 8,12 2,40 20,66 30,100"),
    DigitForm(9, "like a p", 0.8, "18,42 8,18 30,0 52,12 40,32 18,42 14,64 0,100",
         "22,36 2,24 24,0 56,12 40,31 18,38 18,64 8,102"),
    DigitForm(9, "hooked", 1.2, "46,12 26,0 6,12 4,36 22,46 42,32 48,8! 49,50 44,92 34,100 24,94",
         "44,10 24,0 4,16 8,40 24,44 40,28 46,6! 44,54 36,94 24,100 16,94"),
    DigitForm(9, "leaning", 1.2, "50,14 30,0 8,12 4,36 22,46 44,32 52,8 44,56 20,100",
         "46,6 26,0 6,16 8,38 24,42 42,26 48,8 36,60 4,102"),
    DigitForm(9, "below the line", 0.6, "46,12 26,0 6,12 4,36 22,46 42,32 48,8! 46,70 20,136",
         "44,8 24,0 4,16 8,40 24,44 40,28 46,6! 38,90 -8,164"),
    DigitForm(9, "like a ribbon", 1.2, "30,46 10,34 6,14 26,0 48,9 48,28 34,52 24,76 26,100",
         "36,60 14,40 4,18 22,0 44,4 50,24 36,52 20,78 14,104"),
    DigitForm(9, "square", 0.8, "50,50 0,50! 0,0! 50,0! 50,100! 2,100",
         "46,48 2,52! 2,2! 46,0! 48,98! -4,100"),
)  # fmt: skip

OLD_STYLE_FORMS = (
    (0, ("round", "narrow", "open", "tailed")),
    (1, ("plain", "short flag", "long flag", "looped")),
    (2, ("like an n", "round", "looped", "ringed", "closed head")),
    (3, ("round", "flat top", "like a J")),
    (4, ("open", "lightning", "like an h", "like a leaning h", "like a y")),
    (5, ("like an s", "like a long s", "like a long s, below the line", "like an integral", "loose flag")),
    (6, ("round", "long stroke", "small loop")),
    (7, ("plain", "crossed", "crossed, serif", "crossed, rounded", "below the line")),
    (8, ("round", "open top", "crossed at the top")),
    (9, ("straight", "below the line", "like a ribbon", "leaning", "hooked")),
)
"""Forms of each digit in registers of the 19th century."""

STEPS = 8
"""Straight pieces between two points of a stroke."""
ROUNDED_SHARE = 0.15
"""How often a hand is too hasty for corners."""


def draw_strokes(form: DigitForm, rng: np.random.Generator) -> list[Points]:
    """The pen's ways, each (n, 2) in heights of the digit, as a hand drawn from `rng` follows `form`.

    What could be a 1 as well as a 7 is drawn again.
    """
    while True:
        paths = _draw_once(form, rng)
        if _is_distinct(form, paths[0]):
            return paths


def _is_distinct(form: DigitForm, path: Points) -> bool:
    """Whether in a 1 the flag rises or is short, and in a 7 the bar is about level and long."""
    corners = STEPS * np.flatnonzero(_parse(form.draw_strokes)[0][1])
    if form.digit not in (1, 7) or not len(corners):
        return True
    left = corners[0] if len(corners) > 1 else 0  # after the serif
    across, rise = (path[corners[-1]] - path[left]) * (1, -1)
    height = float(np.ptp(path[:, 1]))
    if form.digit == 1:
        return bool(rise > 0.7 * across or across < 0.15 * height)
    return bool(across > height / 3 and rise < 0.35 * across)


def _draw_once(form: DigitForm, rng: np.random.Generator) -> list[Points]:
    """One try at `form`: some hand's ways of the pen, each (n, 2) in heights of the digit."""
    paths = _parse(form.draw_strokes)
    others = _parse(form.other or form.draw_strokes)
    careless = rng.uniform(0.4, 2)
    rounds_corners = rng.random() < ROUNDED_SHARE
    across = np.exp(np.clip(rng.normal(0, 0.18), -0.35, 0.35))
    slant = np.clip(rng.normal(0.08, 0.14), -0.2, 0.4)
    angle = np.deg2rad(np.clip(rng.normal(0, 3.5), -8, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    own = turn @ np.array([[across, -slant], [0, 1]])
    bend = np.clip(rng.normal(0, 0.16 * careless, (3, 2)), -0.4, 0.4)
    result = []
    for (points, corners), (other, _) in zip(paths, others, strict=True):
        path = points + rng.uniform(-0.1, 1.1) * (other - points) - (0.3, 0.5)
        x, y = path.T
        path = path + np.stack([x * x, x * y, y * y], axis=1) @ bend
        path = path + rng.normal(0, 0.018 * careless, path.shape) + rng.normal(0, 0.018 * careless, 2)
        for end, inner in ((0, 1), (-1, -2)):
            along = path[end] - path[inner]
            path[end] += along / max(0.01, np.hypot(*along)) * rng.normal(0, 0.03 * careless)
        result.append(_smooth(path @ own.T, np.zeros_like(corners) if rounds_corners else corners))
    return result


@cache
def _parse(text: str) -> list[tuple[Points, NDArray[np.bool_]]]:
    """For each stroke its points and which of them are corners (n,)."""
    paths = []
    for stroke in text.split("/"):
        points = [tuple(map(float, point.rstrip("!").split(","))) for point in stroke.split()]
        paths.append((np.array(points) / 100, np.array([point.endswith("!") for point in stroke.split()])))
    return paths


def _smooth(points: Points, corners: NDArray[np.bool_]) -> Points:
    """A way through all `points`, smooth but at `corners`: STEPS pieces from each to the next.

    A centripetal Catmull-Rom spline (Yuksel, Schaefer, Keyser, 2011): it makes no loops of its own.
    """
    pace = np.sqrt(np.maximum(1e-3, np.hypot(*np.diff(points, axis=0).T)))[:, None]
    speed = np.diff(points, axis=0) / pace
    # how the pen comes to each point and how it leaves it: the same, but at corners and ends
    comes, leaves = np.vstack([speed[:1], speed]), np.vstack([speed, speed[-1:]])
    before, after = np.vstack([pace[:1], pace]), np.vstack([pace, pace[-1:]])
    mean = (comes * after + leaves * before) / (before + after)
    comes, leaves = (np.where(corners[:, None], own, mean) for own in (comes, leaves))
    t = (np.arange(STEPS) / STEPS)[None, :, None]
    start, stop = points[:-1, None], points[1:, None]
    away, to = (pace * leaves[:-1])[:, None], (pace * comes[1:])[:, None]
    path = start + t * away + t * t * (3 * (stop - start) - 2 * away - to) + t**3 * (2 * (start - stop) + away + to)
    return np.vstack([path.reshape(-1, 2), points[-1:]])
