"""Pictures that invented customers take: plain PNG files, painted here and by nobody else."""

import struct
import zlib

WIDTH, HEIGHT = 320, 240
_COLOURS = ((0xB0, 0x8D, 0x62), (0x6B, 0x8F, 0x71), (0x8A, 0x7F, 0x9C), (0x9C, 0x6B, 0x5F))
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(name: str) -> bytes:
    """Return a PNG of a piece of furniture with a crack; ``name`` chooses its colour."""
    red, green, blue = _COLOURS[sum(name.encode()) % len(_COLOURS)]
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)  # the filter of this row: none
        for x in range(WIDTH):
            rows.extend(_pixel(x, y, (red, green, blue)))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(bytes(rows), 9)),
        _chunk(b"IEND", b""),
    )
    return _SIGNATURE + b"".join(chunks)


def _pixel(x: int, y: int, wood: tuple[int, int, int]) -> tuple[int, int, int]:
    on_top = 70 <= y < 100 and 40 <= x < 280  # noqa: PLR2004  where things stand in the picture
    on_leg = 100 <= y < 200 and (60 <= x < 80 or 240 <= x < 260)  # noqa: PLR2004
    cracked = on_top and abs((x - 150) - (y - 70)) < 3  # noqa: PLR2004
    if cracked:
        return (0x2B, 0x1D, 0x14)
    if on_top or on_leg:
        shade = (y * 7 + x // 9) % 12
        return (wood[0] - shade, wood[1] - shade, wood[2] - shade)
    return (0xF3, 0xEF, 0xE8) if y < 200 else (0xDD, 0xD5, 0xC8)  # noqa: PLR2004


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
