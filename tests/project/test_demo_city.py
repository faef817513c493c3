"""The demo city's generator: seeded, reproducible, and with every trait that breaks software."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import date
from random import Random

import pytest

from config.democity import hazard_zones, names, organising, places, register_files, residents
from config.democity.reading import pdf_pages, plain, qr_text
from config.democity.residents import City
from evacuation.documents.booklet import booklet
from evacuation.domain.hazards import parse_features
from registry.documents import qr_svg
from registry.domain.calendar import parse_date
from registry.domain.identity import fold_name, looks_like_my_number_column
from registry.domain.textcodec import Encoding, detect
from tests.domain import documents_samples as samples

ON = date(2026, 11, 24)
TAISHO_ENDED = date(1926, 12, 25)


@pytest.fixture(scope="module")
def city() -> City:
    return residents.city(3_000, on=ON)


def test_the_same_seed_gives_the_same_bytes(city: City) -> None:
    again = residents.city(3_000, on=ON)
    assert register_files.files(again.people) == register_files.files(city.people)
    other = residents.city(3_000, on=ON, seed=1)
    assert register_files.files(other.people) != register_files.files(city.people)


@pytest.mark.parametrize("size", [300, 1_000, 3_000])
def test_exactly_as_many_people_as_asked(size: int) -> None:
    drawn = residents.city(size, on=ON).people
    assert len(drawn) == len({one.number for one in drawn}) == size


def test_ages_reach_104_with_births_of_the_taisho_era(city: City) -> None:
    ages = [one.age(ON) for one in city.people]
    assert max(ages) == 104 and min(ages) >= 0
    assert sum(one.born < TAISHO_ENDED for one in city.people) >= 3
    assert 0.22 < sum(age >= 65 for age in ages) / len(ages) < 0.36


def test_about_six_in_a_hundred_meet_the_criteria(city: City) -> None:
    share = sum(organising.listed(one) for one in city.people) / len(city.people)
    assert 0.055 <= share <= 0.066
    hearts = [one for one in city.people if one.physical_parts in ("10", "11")]
    homes = [one for one in city.people if one.facility_since]
    assert hearts and homes and not any(organising.listed(one) for one in [*hearts, *homes])


def test_some_have_no_telephone_and_some_a_protected_address(city: City) -> None:
    silent = sum(not one.phone for one in city.people) / len(city.people)
    assert 0.04 < silent < 0.25
    hidden = [one for one in city.people if one.protected_until]
    assert 3 <= len(hidden) <= 10 and any(organising.listed(one) for one in hidden)
    assert all(one.protected_until > ON for one in hidden if one.protected_until)


def test_households_of_many_shapes_share_address_and_number(city: City) -> None:
    homes: dict[str, set[str]] = {}
    for one in city.people:
        homes.setdefault(one.household, set()).add(one.address)
    assert all(len(addresses) == 1 for addresses in homes.values())
    sizes = Counter(Counter(one.household for one in city.people).values())
    assert {1, 2, 3, 4, 5} <= set(sizes)


def test_no_namesakes_with_one_birthday(city: City) -> None:
    keys = Counter((fold_name(one.name), one.born) for one in city.people)
    assert max(keys.values()) == 1


def test_hard_characters_stand_in_the_right_file(city: City) -> None:
    plain_file, wide_file, *_ = register_files.files(city.people)
    assert detect([plain_file.content]) is Encoding.CP932
    assert wide_file.content.startswith(b"\xef\xbb\xbf")
    narrow, wide = plain_file.content.decode("cp932"), wide_file.content.decode("utf-8-sig")
    for character in "髙﨑邉邊":
        assert character in narrow
    assert "𠮷" in wide and "\U000e0100" in wide
    for row in list(csv.reader(io.StringIO(wide)))[1:]:
        assert not names.holds_cp932(row[3] + row[8])


def test_R13_no_column_looks_like_a_my_number(city: City) -> None:
    for file in register_files.files(city.people):
        encoding = "cp932" if file.name == "住民基本_見本.csv" else "utf-8-sig"
        header, *rows = csv.reader(io.StringIO(file.content.decode(encoding)))
        for at, name in enumerate(header):
            assert name == "宛名番号" or not looks_like_my_number_column(r[at] for r in rows), name


@pytest.mark.parametrize("on", [
    date(1922, 2, 3), date(1926, 12, 24), date(1926, 12, 25), date(1989, 1, 7), date(1989, 1, 8),
    date(2019, 4, 30), date(2019, 5, 1), date(2026, 11, 24),
])
def test_both_spellings_of_a_date_read_back(on: date) -> None:
    for text in (register_files.numeric(on), register_files.written(on)):
        assert parse_date(text).first == on, text


def test_sixteen_districts_and_as_many_neighbourhoods_as_stated() -> None:
    small, large = places.neighbourhoods(3_000), places.neighbourhoods(120_000)
    assert len({one.district for one in small}) == len(places.DISTRICTS) == 16
    assert 55 <= len(small) <= 70 and 450 <= len(large) <= 550
    for found in (small, large):
        assert len({one.code for one in found}) == len(found)
        assert all(one.points for one in found)
        assert min(Counter(one.district for one in found).values()) >= 2
    assert 28 <= len(organising._patches(small)) <= 40
    assert 230 <= len(organising._patches(large)) <= 290


def test_the_open_data_are_whole() -> None:
    assert len(places.town_points()) == 705 and len(places.shelter_rows()) == 102
    sites = json.loads(places.data("gsi-emergency-sites-072028.geojson"))["features"]
    assert len(sites) == 199
    welfare = [one for one in places.shelter_rows() if one["properties"]["受入対象者"]]
    assert len(welfare) == 32


@pytest.mark.parametrize("content", [hazard_zones.flood(), hazard_zones.landslide()])
def test_the_invented_zones_have_the_national_form_and_say_so(content: bytes) -> None:
    document = json.loads(content)
    rows, parsed = document["features"], parse_features(document)
    assert len(parsed.areas) == len(rows) and not parsed.rejected
    assert all(area.geometry.is_valid for area in parsed.areas)
    assert all(row["properties"]["備考"] == "見本" for row in rows)
    assert "見本" in hazard_zones.SOURCE


def test_the_check_reads_qr_codes_as_they_are_drawn() -> None:
    rng = Random(4)
    for _ in range(30):
        code = "".join(rng.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(40))
        text = f"HTTPS://TG.EXAMPLE.JP/E/{code}"
        assert qr_text(qr_svg(text, least_version=4)) == text
    with pytest.raises(ValueError, match="QR"):
        qr_text("<svg viewBox='0 0 9 9'></svg>")


def test_the_check_finds_names_in_a_printed_page_and_only_those() -> None:
    rows = ["髙橋　花子", "𠮷田　太郎", "渡邉　葛󠄀"]
    people = [samples.person(at, name=name) for at, name in enumerate(rows, start=1)]
    text = "".join(pdf_pages(booklet(samples.HEADER, people, created_at=samples.AT)))
    assert all(plain(name) in text for name in rows)
    assert "見本一郎" not in text
