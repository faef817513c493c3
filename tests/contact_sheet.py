"""One picture of every screen and printed page: ``python -m tests.contact_sheet``.

Owns the montage in docs/contact-sheet-*.png, made from docs/screens/*.png, which the journeys
write when WRITE_SCREENS=1.  Refuses to crop silently: a tall page is shown from its top, and its
label says so.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
SCREENS = ROOT / "docs/screens"
FONT = ROOT / "registry/fonts/BIZUDPGothic-Regular.ttf"
WIDTH, HEIGHT, LABEL, GAP, COLUMNS, ROWS = 300, 420, 34, 14, 6, 4


def tile(path: Path, font: ImageFont.FreeTypeFont) -> Image.Image:
    """One screen, scaled to the tile's width, with its name below."""
    with Image.open(path) as picture:
        scale = WIDTH / picture.width
        shown = picture.convert("RGB").resize((WIDTH, max(1, round(picture.height * scale))))
    cut = shown.height > HEIGHT
    sheet = Image.new("RGB", (WIDTH, HEIGHT + LABEL), "#e6e6e6")
    sheet.paste(shown.crop((0, 0, WIDTH, min(shown.height, HEIGHT))), (0, 0))
    name = path.stem + ("（上部）" if cut else "")
    ImageDraw.Draw(sheet).text((4, HEIGHT + 8), name, fill="black", font=font)
    return sheet


def main() -> None:
    """Write docs/contact-sheet-1.png and so on, ``COLUMNS`` × ``ROWS`` screens each."""
    font = ImageFont.truetype(str(FONT), 15)
    for old in (ROOT / "docs").glob("contact-sheet-*.png"):
        old.unlink()
    screens = sorted(SCREENS.glob("*.png"))
    each = COLUMNS * ROWS
    for number, start in enumerate(range(0, len(screens), each), 1):
        part = screens[start : start + each]
        rows = -(-len(part) // COLUMNS)
        page = Image.new(
            "RGB",
            (COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + LABEL + GAP) + GAP),
            "white",
        )
        for index, path in enumerate(part):
            row, column = divmod(index, COLUMNS)
            place = (GAP + column * (WIDTH + GAP), GAP + row * (HEIGHT + LABEL + GAP))
            page.paste(tile(path, font), place)
        target = ROOT / "docs" / f"contact-sheet-{number}.png"
        page.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(target, optimize=True)
        print(target.relative_to(ROOT), len(part))


if __name__ == "__main__":
    main()
