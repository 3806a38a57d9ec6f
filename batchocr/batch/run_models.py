"""The models and forms of a run, with all that is checked before a page is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.errors import UsageError
from batchocr.forms.form import Form
from batchocr.forms.load import load_forms
from batchocr.output.table_kinds import Kinds, field_names, table_kinds
from batchocr.reading_file import Reading, find_reading
from batchocr.recognition.model_file import (
    DetectorSidecar,
    Sidecar,
    read_detector,
    read_sidecar,
    shipped_detector,
    shipped_model,
)
from batchocr.recognition.networks import Models
from batchocr.settings import Settings
from batchocr.sources import written_name
from batchocr.stores.local_copy import local_copy


@dataclass(frozen=True)
class RunModels:
    """Both networks, their sidecars and their common reading file, and the forms."""

    models: Models
    sidecar: Sidecar
    """Of the classifier."""
    detector: DetectorSidecar
    reading: Reading
    threshold: float
    """Digits and fields with a lower confidence are marked."""
    forms: tuple[Form, ...] = ()

    @property
    def field_names(self) -> tuple[str, ...] | None:
        """The names of all fields. None if there are no forms."""
        return field_names(self.forms)

    @property
    def tables(self) -> Kinds:
        """The tables that the run writes."""
        return table_kinds(self.field_names)

    def account(self) -> dict[str, Any]:
        """Return what `results.run.json` says of the models and of the forms, if there are any."""
        reading = self.reading
        forms = [{"name": form.name, "sha256": form.sha256} for form in self.forms]
        return {
            "model": {
                "name": self.sidecar.name,
                "file": written_name(self.models.classifier.name),
                "sha256": self.sidecar.sha256,
            },
            "detector": {
                "name": self.detector.name,
                "file": written_name(self.models.detector.name),
                "sha256": self.detector.sha256,
            },
            "reading": {
                "file": written_name(reading.path.name),
                "sha256": reading.sha256,
                "data": reading.record.data,
                "fitted": reading.fitted,
            },
            **({"forms": forms} if forms else {}),
        }


def run_models(settings: Settings) -> RunModels:
    """Return the models and forms that the settings name.

    Raises:
        FormError: A form file is wrong, or names of fields cannot be columns of one table.
        ModelError: A file is missing, damaged or of another kind.
        UsageError: The threshold is wrong.
    """
    if settings.certificate and (settings.min_confidence is not None or settings.max_error is not None):
        raise UsageError("--certificate sets the threshold: leave out --min-confidence and --max-error")
    forms = load_forms(settings.form, max_megapixels=settings.max_megapixels, pdf_password=settings.pdf_password)
    field_names(forms)  # raises FormError
    models = model_files(settings)
    sidecar, (detector, _) = read_sidecar(models.classifier), read_detector(models.detector)
    reading = find_reading(models, detector, sidecar)
    threshold = reading.threshold(settings.min_confidence, settings.max_error)
    return RunModels(models, sidecar, detector, reading, threshold, forms)


def model_files(settings: Settings) -> Models:
    """Return the files of the networks that the settings name; files in object stores are copied to the disk.

    Raises:
        ModelError: A shipped file is missing.
        BatchocrError: There is no such file in a store.
    """
    detector, model = settings.detector, settings.model
    return Models(
        _file(detector) if detector else shipped_detector(),
        _file(model) if model else shipped_model(),
    )


def _file(place: str | Path) -> Path:
    stem = str(place).rpartition("/")[2].removesuffix(".keras")
    return local_copy(place, f"{stem}.json", f"{stem}.reading.json", "reading.json")
