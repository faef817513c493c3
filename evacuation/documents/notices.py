"""Letters and slips about copies in circulation: strike-out notice (R5), loss notice.

Owns: the words of the two letters.  Refuses: to give a reason for a strike-out (the holder
need not know who withdrew and who moved), to name anybody but the addressee in a loss letter.
Sources: R5 and the custody rules of the evacuation design; 個人情報保護法 第68条第2項 (notice to
the person after a leak).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from evacuation.documents.booklet import TEMPLATES, header_values
from evacuation.documents.values import LossNotice, StrikeOut
from registry.documents import Missing, qr_svg, render


def strike_out_notice(notice: StrikeOut, *, created_at: datetime) -> bytes:
    """Return the notice (線引き通知) that orders people struck out of one numbered copy.

    The lower part is the reply slip.  Only number, name and page note of each person are
    printed.  Tagged PDF/UA-1; characters without a glyph print as 〓, because a withdrawal
    must reach the holder in any case.
    """
    return render(
        TEMPLATES / "strike_out.typ",
        {
            "header": header_values(notice.header),
            "maker": notice.header.office,
            "sample": notice.header.sample,
            "persons": [
                {"number": p.number, "name": p.name, "kana": p.kana, "note": p.note}
                for p in notice.persons
            ],
            "notice_number": notice.notice_number,
            "sent_on": notice.sent_on,
            "reply_by": notice.reply_by,
        },
        created_at=created_at,
        tagged=True,
        missing=Missing.MARK,
    )


def loss_notice(letter: LossNotice, *, created_at: datetime) -> bytes:
    """Return the letter (漏えい等のお知らせ) to one person whose entry was on a lost copy.

    Placed for a window envelope (長形3号, address in the upper left).  Tagged PDF/UA-1.
    Raises ``registry.documents.MissingGlyphs``: a letter is corrected before it is sent.
    """
    return render(
        TEMPLATES / "loss_notice.typ",
        {
            **asdict(letter),
            "maker": letter.office,
            "qr": qr_svg(letter.check_code) if letter.check_code else "",
        },
        created_at=created_at,
        tagged=True,
    )
