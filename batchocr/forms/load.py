"""Load form files: TOML, the image of the blank form, and lists of values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from batchocr.errors import BatchocrError, FormError, OutputError, ScanError, UsageError
from batchocr.forms.blank_image import Blank, form_image, load_blank
from batchocr.forms.checked_places import check_places
from batchocr.forms.compiled_fields import LocatedField, Unit, compile_fields, repeated
from batchocr.forms.form import Equation, Form, FormImage
from batchocr.forms.parsed_file import ParsedFile, parse_form_file
from batchocr.forms.rules.equations import expand_equation, parse_equation
from batchocr.forms.value_lists import listed_values
from batchocr.sources import MAX_MEGAPIXELS
from batchocr.sources.natural_order import natural_key
from batchocr.stores import is_url, open_store, shown_place
from batchocr.stores.local_copy import local_copy

_SUFFIX = ".toml"
_IN_EQUATIONS = ("cells", "number", "decimal")


def load_form(path: str | Path, *, max_megapixels: float = MAX_MEGAPIXELS, pdf_password: str | None = None) -> Form:
    """Load a form file, with its image and its lists of values.

    Args:
        path: Path or URL of the form file. The files that it names are in its folder.
        max_megapixels: Larger images of the blank form are refused.
        pdf_password: Password that opens a protected PDF.

    Raises:
        FormError: The form has faults. The message names the file, and all faults with their lines and fixes.
    """
    return _Loader(path, max_megapixels, pdf_password).form()


def load_forms(
    places: Sequence[str | Path], *, max_megapixels: float = MAX_MEGAPIXELS, pdf_password: str | None = None
) -> tuple[Form, ...]:
    """Load several forms.

    Args:
        places: Paths or URLs of form files, and of folders whose `.toml` files are form files. Those of a folder are
            loaded in natural order.
        max_megapixels: Larger images of blank forms are refused.
        pdf_password: Password that opens protected PDFs.

    Raises:
        FormError: A form has faults, a folder has no form, or two forms have the same name.
    """
    files = list(dict.fromkeys(file for place in places for file in _form_files(place)))
    forms: dict[str, tuple[Form, str]] = {}
    for file in files:
        form = load_form(file, max_megapixels=max_megapixels, pdf_password=pdf_password)
        if form.name in forms:
            raise FormError(
                f"{shown_place(file)}: the form {form.name!r} has the name of the form in {forms[form.name][1]}: "
                "change name in one of them"
            )
        forms[form.name] = form, shown_place(file)
    return tuple(form for form, _ in forms.values())


def _form_files(place: str | Path) -> list[str | Path]:
    """Return the form files of a folder, or the file itself."""
    if is_url(place):
        if place.partition("?")[0].lower().endswith(_SUFFIX):
            return [place]
        names = [name for name in open_store(place).names() if "/" not in name and _is_form_file(name)]
        files: list[str | Path] = [f"{place.rstrip('/')}/{name}" for name in _in_order(names)]
    else:
        folder = Path(place)
        try:
            if not folder.is_dir():
                return [folder]
            names = [each.name for each in folder.iterdir() if _is_form_file(each.name) and each.is_file()]
        except OSError as error:
            raise FormError(f"{place}: cannot be read ({error.strerror}): check its permissions") from error
        files = [folder / name for name in _in_order(names)]
    if not files:
        raise FormError(
            f"{shown_place(place)}: has no form file: give a file, or a folder with files that end with .toml"
        )
    return files


def _is_form_file(name: str) -> bool:
    return name.lower().endswith(_SUFFIX) and not name.startswith(".")


def _in_order(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (natural_key(name), name))


class _Loader:
    """Loads one form file."""

    def __init__(self, place: str | Path, max_megapixels: float, pdf_password: str | None) -> None:
        self._place = place
        self._shown = shown_place(place)
        self._max_megapixels, self._pdf_password = max_megapixels, pdf_password
        self._hash = hashlib.sha256()
        self._lists: dict[str, bytes] = {}
        """The content of each CSV file."""
        self._values: dict[tuple[str, str | None], frozenset[str]] = {}
        """The values in each column that is used; fields share them."""

    def form(self) -> Form:
        """Return the form. Raise FormError if it has faults."""
        parsed = parse_form_file(self._text(), self._shown)
        file, faults = parsed.file, parsed.faults
        blank = self._blank(parsed)
        size = file.page.size_mm or (blank.size_mm if blank else None)
        fields = compile_fields(file, parsed.indices, _unit(parsed, blank, size), self._listed, faults)
        _check_names(fields, parsed)
        if size:
            check_places(fields, *size, faults)
        equations = _equations(parsed, fields)
        image = _image(parsed, blank, size)
        faults.check()
        assert size is not None, "a form without size has a fault"
        return Form(
            name=file.name or Path(self._shown.partition("?")[0]).stem,
            width_mm=size[0],
            height_mm=size[1],
            fields=tuple(located.field for located in fields),
            equations=equations,
            image=image,
            max_residual_mm=file.page.max_residual_mm,
            sha256=self._hash.hexdigest(),
        )

    def _text(self) -> str:
        try:
            data = local_copy(self._place).read_bytes()
        except (OutputError, UsageError):  # the store cannot be used
            raise
        except BatchocrError as error:
            raise FormError(str(error)) from error
        except FileNotFoundError:
            raise FormError(f"{self._shown}: there is no such file: check the path of the form file") from None
        except OSError as error:
            raise FormError(f"{self._shown}: cannot be read ({error.strerror}): check the file") from error
        self._hash.update(hashlib.sha256(data).digest())
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise FormError(f"{self._shown}: line {line}: is not text in UTF-8: save it in UTF-8") from None

    def _beside(self, name: str) -> Path:
        """Return the path of a file that the form file names. Raise FileNotFoundError if a store has none."""
        if not is_url(name) and not is_url(self._place):
            return Path(self._place).parent / name
        url = name if is_url(name) else f"{str(self._place).rpartition('/')[0]}/{name}"
        try:
            return local_copy(url)
        except (OutputError, UsageError):  # the store cannot be used
            raise
        except BatchocrError as error:
            raise FileNotFoundError(name) from error

    def _missing(self, name: str) -> str:
        folder = str(self._place).rpartition("/")[0] if is_url(self._place) else str(Path(self._place).parent)
        fix = f"write its path from the folder of the form file, {shown_place(folder)}"
        return f"there is no file {shown_place(name)}: {fix}"

    def _blank(self, parsed: ParsedFile) -> Blank | None:
        """Return the decoded image. None if there is none or it has a fault."""
        page, faults = parsed.file.page, parsed.faults
        if page.image is None:
            if page.size_mm is None and "page" not in parsed.broken:
                fix = "add image = the file of the blank form, or size_mm = [210, 297]"
                faults.add(("page",), f"image and size_mm are missing: {fix}")
            return None
        shown = shown_place(page.image)
        try:
            blank = load_blank(
                self._beside(page.image),
                shown,
                page.image_page,
                is_filled=page.filled,
                max_megapixels=self._max_megapixels,
                pdf_password=self._pdf_password,
            )
        except ScanError as error:
            what = self._missing(page.image) if error.reason == "not-found" else error.message
            faults.add(("page", "image_page" if error.reason == "no-page" else "image"), what)
            return None
        except FileNotFoundError:
            faults.add(("page", "image"), self._missing(page.image))
            return None
        self._hash.update(blank.sha256.encode())
        if blank.size_mm is None and page.size_mm is None:
            fix = "add size_mm = [210, 297], the width and height of the paper"
            faults.add(("page", "image"), f"{shown} does not say its resolution: {fix}")
        return blank

    def _listed(self, name: str, column: str | None) -> frozenset[str]:
        """Return the values of a column of a CSV file. Raise ValueError if they cannot be read."""
        if (name, column) in self._values:
            return self._values[name, column]
        if name not in self._lists:
            try:
                self._lists[name] = self._beside(name).read_bytes()
            except FileNotFoundError:
                raise ValueError(self._missing(name)) from None
            except OSError as error:
                raise ValueError(f"{shown_place(name)} cannot be read ({error.strerror}): give a CSV file") from error
            self._hash.update(hashlib.sha256(self._lists[name]).digest())
        try:
            values = listed_values(self._lists[name], column)
        except ValueError as error:
            raise ValueError(f"{shown_place(name)} {error}") from None
        self._values[name, column] = values
        return values


def _unit(parsed: ParsedFile, blank: Blank | None, size: tuple[float, float] | None) -> Unit:
    """Return the unit of places. For a form with a fault it may be wrong."""
    page = parsed.file.page
    if page.unit == "mm":
        return Unit()
    if page.image is None:
        parsed.faults.add(("page", "unit"), "'px' needs an image: add image = the blank form, or give places in mm")
    if blank is None or size is None:
        return Unit()
    return Unit(size[0] / blank.width_px, size[1] / blank.height_px)


def _image(parsed: ParsedFile, blank: Blank | None, size: tuple[float, float] | None) -> FormImage | None:
    if blank is None or size is None:
        return None
    try:
        return form_image(blank, *size, is_filled=parsed.file.page.filled)
    except ValueError as error:
        parsed.faults.add(("page", "size_mm"), str(error))
        return None


def _check_names(fields: Sequence[LocatedField], parsed: ParsedFile) -> None:
    """Note names that are used twice, and a form without fields."""
    faults = parsed.faults
    file = parsed.file
    names = {"fields": [each.name for each in file.fields], "tables": [each.name for each in file.tables]}
    for key in names:
        for at in repeated(names[key]):
            faults.add((key, parsed.indices[key][at], "name"), f"there are two {key} of this name: rename one")
    if not fields and not faults:
        faults.add((), "the form has no fields: add [[fields]] with name, kind and place")


def _equations(parsed: ParsedFile, fields: Sequence[LocatedField]) -> tuple[Equation, ...]:
    """Return all equations of the form."""
    kinds = {located.field.name: located.field.kind for located in fields}
    found: list[Equation] = []
    for index, rule in zip(parsed.indices["rules"], parsed.file.rules, strict=True):
        path = ("rules", index, "equation")
        try:
            pattern = parse_equation(rule.equation)
            if parsed.broken & {"fields", "tables"}:
                continue  # the names of all fields are not known
            equations = expand_equation(pattern, kinds)
        except ValueError as error:
            parsed.faults.add(path, str(error))
            continue
        names = dict.fromkeys(name for each in equations for name in (each.total, *(term for _, term in each.terms)))
        for name in names:
            if kinds[name] not in _IN_EQUATIONS:
                fix = f"use fields of the kinds {', '.join(_IN_EQUATIONS)}"
                parsed.faults.add(path, f"field {name!r} is not a number, but a {kinds[name]}: {fix}")
        found += equations
    return tuple(found)
