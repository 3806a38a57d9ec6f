"""Messages of a training about its epochs and accuracies."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import termios
from pathlib import Path

import pytest
from command import START, environment, here
from digit_files import whole_npz

from batchocr.training.accuracy_table import accuracy_lines
from batchocr.training.epoch_progress import duration, epoch_line

LINE = re.compile(
    r"epoch (\d) of 2: loss \d\.\d{3}, accuracy \d+\.\d%, validation \d+\.\d%, \d+ s(?:, about \d+ s left)?"
)
OPTIONS = ["--system", "softmax-15", "--epochs", "2"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (42, "42 s"), (89, "89 s"), (91, "2 min"), (3590, "1 h 0 min"), (4800, "1 h 20 min")],
)
def test_durations_have_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_line_of_an_epoch_of_digits() -> None:
    figures = {"accuracy": 0.9751, "loss": 0.0812, "val_accuracy": 0.981, "val_loss": 0.07, "seconds": 42.1}
    start = "epoch 3 of 10: loss 0.081, accuracy 97.5%, validation 98.1%, 42 s"
    assert epoch_line(3, 10, figures, 295) == f"{start}, about 5 min left"
    assert epoch_line(10, 10, figures, 0) == start.replace("epoch 3", "epoch 10")


def test_the_line_of_an_epoch_of_the_detector() -> None:
    figures = {"loss": 2.5, "heat_part": 1.1, "box_part": 0.9, "class_accuracy": 0.9312, "seconds": 610.0}
    line = epoch_line(1, 16, figures, 9150)
    assert line == (
        "epoch 1 of 16: loss 2.500 (heat 1.100, boxes 0.900), class accuracy 93.1%, 10 min, about 2 h 32 min left"
    )


def test_a_training_that_diverged_is_reported() -> None:
    line = epoch_line(2, 2, {"accuracy": 0.1, "loss": float("nan"), "seconds": 1.0}, 0)
    assert line == "epoch 2 of 2: loss not a number (the training diverged), accuracy 10.0%, 1 s"


def test_the_command_writes_a_plain_line_per_epoch_and_explains_the_accuracies(tmp_path: Path) -> None:
    ended = here("train", "--data", whole_npz(tmp_path / "d.npz"), "--out", tmp_path / "run", *OPTIONS)
    assert ended.code == 0
    assert ended.out == f"{tmp_path / 'run' / 'model.keras'}\n"
    lines = ended.err.splitlines()
    assert [match[1] for line in lines if (match := LINE.fullmatch(line))] == ["1", "2"]
    assert "\r" not in ended.err and "\x1b" not in ended.err
    assert lines[2:] == list(accuracy_lines(tmp_path / "run"))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    rows = {line.split()[0]: line.split()[1:3] for line in lines[3:]}
    assert rows["training"][0] == "315" and rows["validation"][0] == "35" and rows["test"][0] == "100"
    assert rows["test"][1] == f"{metrics['test']['accuracy']:.2%}"
    assert rows["validation"][1] == f"{metrics['validation']['accuracy']:.2%}"


def test_on_a_terminal_a_bar_shows_the_batches(tmp_path: Path) -> None:
    data = whole_npz(tmp_path / "d.npz")
    main, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [*START, "train", "--data", str(data), "--out", str(tmp_path / "run"), *OPTIONS]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        try:
            while part := os.read(main, 65536):
                shown += part
        except OSError:  # how Linux ends a terminal
            pass
        assert process.wait(100) == 0
    os.close(main)
    text = shown.decode()
    assert "epoch 1 of 2:" in text and "/3 [" in text and "\r" in text
    assert len(LINE.findall(text)) == 2


def test_the_detector_s_table_says_what_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,class_accuracy,loss,seconds\n1,0.9,2,3\n2,0.95,1,3\n")
    lines = list(accuracy_lines(tmp_path))
    assert lines[1].split()[:2] == ["classes", "95.00%"]
    assert "batchocr evaluate --detector" in lines[2]
