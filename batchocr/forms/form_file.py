"""The keys of a form file and the values that they may have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, TupleSchema, WithDefaultSchema

from batchocr.forms.form import Align, CrossedOut, DateOrder, FieldKind
from batchocr.records import SIGNS

CheckName = Literal["luhn", "mod11-2", "mod97-10", "ean", "isbn"]
Unit = Literal["mm", "px"]

Name = Annotated[str, StringConstraints(pattern=r"^\w[\w-]*$", max_length=100)]
FileName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=2000)]
Coordinate = Annotated[float, Field(ge=-100_000, le=100_000)]
Extent = Annotated[float, Field(gt=0, le=100_000)]
Place = tuple[Coordinate, Coordinate, Extent, Extent]
Digits = Annotated[int, Field(ge=1, le=1000)]


def _shape(value: Any) -> str:
    """Return the tag of the form of a value that may be a table, a list, or neither."""
    if isinstance(value, (dict, BaseModel)):
        return "<table>"
    return "<list>" if isinstance(value, (list, tuple)) else "<one>"


_BY_SHAPE = Discriminator(_shape)


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class PageTable(_Table):
    """The blank form."""

    image: FileName | None = None
    """Image or PDF of the blank form: a path from the folder of this file. It may be missing if size_mm is given."""
    image_page: Annotated[int, Field(ge=1)] = 1
    """The page of a PDF or TIFF."""
    filled: bool = False
    """Whether the image is of a page that is filled in."""
    size_mm: tuple[Extent, Extent] | None = None
    """Width and height of the paper in mm. By default they follow from the resolution in the image."""
    unit: Unit = "mm"
    """Unit of all places in this file: mm, or pixels of the image."""
    max_residual_mm: Annotated[float, Field(gt=0, le=100)] = 0.5
    """Pages whose print is farther from its place than this, in mm, are not of this form."""


class WeightedSum(_Table):
    """A check digit by a weighted sum: the sum of each digit times its weight is a multiple of the modulus."""

    weights: Annotated[tuple[int, ...], Field(min_length=2, max_length=1000)]
    """The weight of each digit from the left, the check digit included."""
    modulus: Annotated[int, Field(ge=2, le=1_000_000)]
    """The sum must be a multiple of this."""


class ValueKeys(_Table):
    """The keys that fields, tables and columns share."""

    kind: FieldKind | None = None
    """What is written: one digit in each cell, a number, a decimal, a date, a mark, or a bar or QR code."""
    count: Digits | None = None
    """Number of cells of equal width."""
    may_be_empty: bool = True
    """Whether an empty field is usual. If not, an empty field is marked."""
    crossed_out: CrossedOut = "review"
    """What a crossed-out cell means: a person must check it, or the cell is empty."""
    align: Align = "any"
    """At which end of the cells a number is written."""
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    """Number of decimals after a point that is printed or not written. Without this key, the point is written."""
    order: DateOrder = "dmy"
    """The order of day, month and year."""
    signs: Annotated[str, StringConstraints(pattern=rf"^[{SIGNS.replace('-', '')}-]*$")] | None = None
    """The signs that may be written."""
    length: (
        Annotated[Annotated[Digits, Tag("<one>")] | Annotated[tuple[Digits, Digits], Tag("<list>")], _BY_SHAPE] | None
    ) = None
    """Number of digits, or the minimum and the maximum."""
    range: tuple[float | str, float | str] | None = None
    """Smallest and largest value; for a date as "2000-01-01"."""
    pattern: str | None = None
    """A regular expression that the whole text matches."""
    allowed: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The possible texts."""
    allowed_from: FileName | None = None
    """A CSV file with the possible texts: a path from the folder of this file."""
    allowed_column: str | None = None
    """The column of the CSV file. By default the first."""
    check: Annotated[Annotated[CheckName, Tag("<one>")] | Annotated[WeightedSum, Tag("<table>")], _BY_SHAPE] | None = (
        None
    )
    """The check digit."""


class FieldTable(ValueKeys):
    """A field: a place of the form with one value."""

    name: Name
    """Letters, digits, _ and -."""
    kind: FieldKind
    """What is written: one digit in each cell, a number, a decimal, a date, a mark, or a bar or QR code."""
    place: Place | None = None
    """Left, top, width and height. It may be missing if cells are given."""
    cells: Annotated[tuple[Place, ...], Field(min_length=1, max_length=1000)] | None = None
    """Left, top, width and height of each cell from the left, instead of count."""


class TableRow(_Table):
    """A row of a table."""

    name: Name
    """Letters, digits, _ and -."""
    top: Coordinate | None = None
    """The upper side."""
    height: Extent | None = None


class TableColumn(ValueKeys):
    """A column of a table. Keys of a field that are given for a column replace those of the table."""

    name: Name
    """Letters, digits, _ and -."""
    left: Coordinate | None = None
    """The left side."""
    width: Extent | None = None


_Row = Annotated[Annotated[Name, Tag("<one>")] | Annotated[TableRow, Tag("<table>")], _BY_SHAPE]
_Column = Annotated[Annotated[Name, Tag("<one>")] | Annotated[TableColumn, Tag("<table>")], _BY_SHAPE]


class FieldsOfTable(ValueKeys):
    """A table: a field for each row and column, named table.row.column."""

    name: Name
    """Letters, digits, _ and -."""
    place: Place | None = None
    """Left, top, width and height of all rows and columns. It is needed if rows or columns have no places."""
    rows: Annotated[tuple[_Row, ...], Field(min_length=1, max_length=1000)]
    """Names of rows of equal height from the top, or rows with their places."""
    columns: Annotated[tuple[_Column, ...], Field(min_length=1, max_length=1000)]
    """Names of columns of equal width from the left, or columns with their places."""


class RuleTable(_Table):
    """A rule across fields."""

    equation: str
    """A sum of fields, such as "total = a + b - c". In names, * stands for the same part of a name in all terms."""


class FormFile(_Table):
    """A form for batchocr: the page, and the fields on it."""

    name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200)] | None = None
    """Name of the form. By default the name of this file without .toml."""
    page: PageTable = PageTable()
    """The blank form."""
    fields: tuple[FieldTable, ...] = ()
    """The fields."""
    tables: tuple[FieldsOfTable, ...] = ()
    """Tables of fields."""
    rules: tuple[RuleTable, ...] = ()
    """Rules across fields."""


def schema() -> dict[str, Any]:
    """Return the JSON schema of a form file, for editors."""
    found = FormFile.model_json_schema(schema_generator=_SchemaOfToml)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **found}


class _SchemaOfToml(GenerateJsonSchema):
    """Write draft 7 without null, because TOML has no null."""

    def tuple_schema(self, schema: TupleSchema) -> JsonSchemaValue:
        found = super().tuple_schema(schema)
        if "prefixItems" in found:
            found["items"] = found.pop("prefixItems")  # the name in draft 7, which editors of TOML know
        return found

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default", 0) in (None, [], {}):
            found.pop("default")
        return found
