"""One picture of every screen and printed page: ``python -m tests.contact_sheet``.

Owns the montage in docs/contact-sheet-*.png, made from docs/screens/*.png, which the journeys
write when WRITE_SCREENS=1, and from the printed samples, rendered here into docs/prints/.
Refuses to crop silently: a tall page is shown from its top, and its label says so.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from evacuation.documents.booklet import acknowledgement, booklet, difference_sheet
from evacuation.documents.plan_sheet import fridge_sheet, plan_sheet
from evacuation.documents.values import DifferenceLine, DifferenceSheet
from points.documents.cards import card_sheets
from tests.domain.documents_samples import AT, HEADER, person
from tests.domain.test_documents_plan import SHEET, _fridge
from tests.domain.test_documents_points import WORDS, _card

ROOT = Path(__file__).resolve().parents[1]
SCREENS = ROOT / "docs/screens"
PRINTS = ROOT / "docs/prints"
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


def prints() -> None:
    """Render the printed samples, page by page, into docs/prints/."""
    line = DifferenceLine(number="1", name="見本　新", kana="みほん　あたらし", address="見本町1-1")
    papers = {
        "booklet": booklet(HEADER, [person(n) for n in range(1, 5)], created_at=AT),
        "booklet_difference": difference_sheet(
            HEADER, DifferenceSheet(previous_edition="2026-04", new=(line,)), created_at=AT
        ),
        "booklet_receipt": acknowledgement(HEADER, people=4, reply_by="12月10日", created_at=AT),
        "plan_sheet": plan_sheet(SHEET, created_at=AT),
        "plan_fridge": fridge_sheet(_fridge(), created_at=AT),
        "cards": card_sheets(WORDS, [_card(n) for n in range(10)], created_at=AT),
    }
    PRINTS.mkdir(exist_ok=True)
    for old in PRINTS.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        for name, pdf in papers.items():
            source = Path(folder) / f"{name}.pdf"
            source.write_bytes(pdf)
            subprocess.run(  # our own file, a fixed command
                ["pdftoppm", "-r", "80", "-png", str(source), str(PRINTS / f"print_{name}")],
                check=True,
            )


def main() -> None:
    """Write docs/contact-sheet-1.png and so on, ``COLUMNS`` × ``ROWS`` screens each."""
    font = ImageFont.truetype(str(FONT), 15)
    for old in (ROOT / "docs").glob("contact-sheet-*.png"):
        old.unlink()
    prints()
    screens = sorted(SCREENS.glob("*.png")) + sorted(PRINTS.glob("*.png"))
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
