"""Small files that require much work: many pixels, passes, tiles, strips, frames or pages."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
from format_files import G4, plain_tiff, png_chunk
from PIL import Image

# PNG, GIF and WebP


def white_png(side: int, channels: int, depth: int = 8) -> bytes:
    """Return a white square with 1 channel (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA)."""
    header = struct.pack(">IIBBBBB", side, side, depth, (0, 4, 2, 6)[channels - 1], 0, 0, 0)
    packer, row = zlib.compressobj(1), b"\0" + b"\xff" * (side * channels * depth // 8)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def white(side: int, kind: str, mode: str = "L", colour: str = "white", **options: Any) -> bytes:
    """Return a square of one colour, saved by Pillow."""
    stream = io.BytesIO()
    Image.new(mode, (side, side), colour).save(stream, kind, **options)
    return stream.getvalue()


def animation(kind: str, frames: int) -> bytes:
    """Return a GIF or WebP with that many frames."""
    images = [Image.new("L", (64, 40), shade % 256) for shade in range(frames)]
    stream = io.BytesIO()
    images[0].save(stream, kind, save_all=True, append_images=images[1:])
    return stream.getvalue()


# JPEG


def jpeg_of_scans(side: int, scans: int) -> bytes:
    """Return a progressive JPEG with `scans` passes; the last is repeated."""
    data = white(64, "JPEG", progressive=True)
    size, last = data.index(b"\xff\xc2") + 5, data.rindex(b"\xff\xda")
    more = scans - data.count(b"\xff\xda")
    return data[:size] + struct.pack(">HH", side, side) + data[size + 4 : -2] + data[last:-2] * more + b"\xff\xd9"


# JPEG 2000


def codestream(
    side: int,
    *,
    tile: int | None = None,
    components: int = 1,
    block: int = 64,
    precinct: int | None = None,
    in_tile: bool = False,
) -> bytes:
    """Return a codestream of a square. Sizes are in pixels; that of the blocks may be in the header of the tile."""
    whole = bytes(imagecodecs.jpeg2k_encode(np.full((64, 64), 255, np.uint8), 0, codecformat="j2k", reversible=True))
    start = whole.index(b"\xff\x52")
    end = start + 2 + int.from_bytes(whole[start + 2 : start + 4])
    plain, rest = whole[start:end], whole[end:]
    coding = bytearray(plain[4:])
    coding[6] = coding[7] = block.bit_length() - 3
    if precinct is not None:
        coding[0] |= 1
        coding += bytes([(precinct.bit_length() - 1) * 17] * (coding[5] + 1))
    own = b"\xff\x52" + struct.pack(">H", len(coding) + 2) + bytes(coding)
    if in_tile:
        part = rest.index(b"\xff\x90")
        length = int.from_bytes(rest[part + 6 : part + 10]) + len(own)
        rest = rest[: part + 6] + struct.pack(">I", length) + rest[part + 10 : part + 12] + own + rest[part + 12 :]
        own = plain
    size = struct.pack(">HIIIIIIIIH", 0, side, side, 0, 0, tile or side, tile or side, 0, 0, components)
    size += b"\7\1\1" * components
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + own + rest


def in_boxes(stream: bytes, width: int, height: int) -> bytes:
    """Return a .jp2 whose box states another size."""

    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + name + content

    header = box(b"ihdr", struct.pack(">IIHBBBB", height, width, 1, 7, 7, 0, 0))
    header += box(b"colr", b"\1\0\0" + struct.pack(">I", 17))
    kind = box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return box(b"jP  ", b"\r\n\x87\n") + kind + box(b"jp2h", header) + box(b"jp2c", stream)


# TIFF


def tiff(tags: dict[int, tuple[int, bytes]], content: bytes = b"") -> bytes:
    """Return one frame. Each tag has a type and packed values; `content` is at position 8."""
    sizes = {1: 1, 3: 2, 4: 4}
    start = 8 + len(content) + len(content) % 2
    entries, values, place = b"", b"", start + 6 + 12 * len(tags)
    for tag, (kind, value) in sorted(tags.items()):
        entries += struct.pack("<HHI", tag, kind, len(value) // sizes[kind])
        if len(value) <= 4:
            entries += value.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", place + len(values))
            values += value
    head = b"II*\0" + struct.pack("<I", start) + content.ljust(start - 8, b"\0")
    return head + struct.pack("<H", len(tags)) + entries + bytes(4) + values


def _short(*numbers: int) -> tuple[int, bytes]:
    return 3, struct.pack(f"<{len(numbers)}H", *numbers)


def _long(*numbers: int) -> tuple[int, bytes]:
    return 4, struct.pack(f"<{len(numbers)}I", *numbers)


def tiff_of_strips(strips: int) -> bytes:
    """Return strips of one row, all of the same bytes."""
    tags = {256: _long(100), 257: _long(strips), 258: _short(8), 259: _short(1), 262: _short(1), 277: _short(1)}
    where = {273: (3, b"\x08\0" * strips), 278: _short(1), 279: (3, b"\x64\0" * strips)}
    return tiff({**tags, **where}, bytes(100))


def deflated_tiff(side: int, channels: int) -> bytes:
    """Return a white square in one strip."""
    body = zlib.compress(b"\xff" * (side * side * channels), 1)
    tags = {256: _long(side), 257: _long(side), 258: _short(*[8] * channels), 259: _short(8), 277: _short(channels)}
    tags |= {262: _short(1 if channels == 1 else 2), 273: _long(8), 278: _long(side), 279: _long(len(body))}
    return tiff({**tags, **({338: _short(2)} if channels == 4 else {})}, body)


def tiff_of_entries(entries: int) -> bytes:
    """Return a directory with that many entries; most have no meaning."""
    data = bytearray(plain_tiff(G4, 64, 40, compression=4))
    (start,) = struct.unpack_from("<I", data, 4)
    more = entries - struct.unpack_from("<H", data, start)[0]
    data[start : start + 2] = struct.pack("<H", entries)
    data[-4:-4] = b"".join(struct.pack("<HHII", 535 + number, 3, 1, 0) for number in range(more))
    return bytes(data)


def tiff_of_frames(frames: int) -> bytes:
    """Return frames that share one strip."""
    data = plain_tiff(G4, 64, 40, compression=4)
    (start,) = struct.unpack_from("<I", data, 4)
    directory = data[start:-4]
    return (
        data[:-4]
        + b"".join(
            struct.pack("<I", start + (number + 1) * (len(directory) + 4)) + directory for number in range(frames - 1)
        ).ljust((frames - 1) * (len(directory) + 4), b"\0")
        + bytes(4)
    )


# BMP and PNM


def bmp_of_runs(side: int) -> bytes:
    """Return lines that are one pixel and the end of the line."""
    body = b"\1\1\0\0" * side
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 1, 1, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + header + bytes(1024) + body


def pnm_of_comments(length: int) -> bytes:
    """Return a header of that many bytes."""
    return b"P5 " + b"#\n" * (length // 2) + b"1 1 255 \x80"


# PDF


def pdf_object(number: int, about: str, stream: bytes | None = None) -> bytes:
    if stream is None:
        return f"{number} 0 obj<<{about}>>endobj\n".encode()
    return f"{number} 0 obj<<{about}/Length {len(stream)}>>stream\n".encode() + stream + b"\nendstream endobj\n"


def pdf_page(drawn: bytes, *objects: bytes, page: str = "", box: str = "0 0 72 72", count: int = 1) -> bytes:
    """Return a PDF whose page draws `/A`, which is object 10. `count` is the stated number of pages."""
    return (
        b"%PDF-1.4\n"
        + pdf_object(1, "/Type/Catalog/Pages 2 0 R")
        + pdf_object(2, f"/Type/Pages/Kids[3 0 R]/Count {count}")
        + pdf_object(
            3,
            f"/Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<</XObject<</A 10 0 R>>>>{page}",
        )
        + pdf_object(4, "", drawn)
        + b"".join(objects)
        + b"trailer<</Root 1 0 R>>"
    )


_WHOLE_PAGE = b"q 72 0 0 72 0 0 cm /A Do Q"


def pdf_image(side: int, content: bytes, *filters: str, within: int = 0) -> bytes:
    """Return a page with one grey image, within that many nested forms."""
    forms = (
        pdf_object(
            10 + n, f"/Type/XObject/Subtype/Form/BBox[0 0 72 72]/Resources<</XObject<</A {11 + n} 0 R>>>>", b"/A Do"
        )
        for n in range(within)
    )
    about = f"/Type/XObject/Subtype/Image/Width {side}/Height {side}/BitsPerComponent 8/ColorSpace/DeviceGray"
    return pdf_page(_WHOLE_PAGE, *forms, pdf_object(10 + within, f"{about}/Filter[{''.join(filters)}]", content))


def white_pdf(side: int) -> bytes:
    """Return a white scanned page."""
    return pdf_image(side, zlib.compress(np.full((side, side), 255, np.uint8).tobytes(), 1), "/FlateDecode")


def pdf_of_lines(lines: int) -> bytes:
    """Return a page with that many drawing commands."""
    return pdf_page(b"0 0 m 72 72 l S " * lines)


def pdf_of_spaces(length: int) -> bytes:
    """Return a page whose commands are that many spaces, deflated."""
    body = zlib.compress(b" " * length, 9)
    return pdf_page(body).replace(b"4 0 obj<<", b"4 0 obj<</Filter/FlateDecode")


def pdf_of_forms(depth: int) -> bytes:
    """Return forms that each draw the next one ten times."""
    forms = [
        pdf_object(
            10 + n,
            f"/Type/XObject/Subtype/Form/BBox[0 0 72 72]/Resources<</XObject<</A {11 + n} 0 R>>>>",
            b"/A Do " * 10,
        )
        for n in range(depth)
    ]
    last = pdf_object(10 + depth, "/Type/XObject/Subtype/Form/BBox[0 0 72 72]", b"0 0 m 72 72 l S")
    return pdf_page(_WHOLE_PAGE, *forms, last)


def pdf_of_tiles() -> bytes:
    """Return a page filled with a pattern of a thousandth of a point."""
    about = (
        "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 0.01 0.01]/XStep 0.001/YStep 0.001/Resources<<>>"
    )
    tile = pdf_object(12, about, b"0 0 1 1 re f")
    page = "/Resources<</Pattern<</P 12 0 R>>>>"
    return pdf_page(b"/Pattern cs /P scn 0 0 72 72 re f", tile, page=page).replace(
        b"/Resources<</XObject<</A 10 0 R>>>>", b"", 1
    )
