"""Invented hazard zones (見本) in the form of 国土数値情報: A31 flood, A33 landslide.

Owns two GeoJSON files drawn along the western river plain and the eastern foot of the hills.
They are no statement about any real place: every feature and the data set itself are marked as
samples.  Refuses to look official: the source says 見本.
"""

from __future__ import annotations

import json
from typing import Any

SOURCE = "見本（架空の区域。国土数値情報 A31・A33 の形式）"
# The course of the river through the plain, degrees; and its width on either side by depth rank.
_RIVER = ((139.876, 37.440), (139.884, 37.470), (139.893, 37.497), (139.900, 37.520),
          (139.905, 37.545), (139.898, 37.570))
_FLOOD = ((3, 0.006), (2, 0.012), (1, 0.020))
# Foot of the hills: centre, half width, half height, kind (1 急傾斜 2 土石流 3 地滑り).
_SLOPES = (
    (139.955, 37.484, 0.006, 0.004, 2), (139.962, 37.477, 0.005, 0.005, 1),
    (139.958, 37.508, 0.004, 0.006, 1), (139.966, 37.516, 0.006, 0.003, 2),
    (139.946, 37.452, 0.004, 0.004, 1), (139.938, 37.431, 0.005, 0.003, 2),
    (139.925, 37.405, 0.006, 0.004, 3), (140.030, 37.420, 0.005, 0.004, 2),
    (139.975, 37.545, 0.005, 0.003, 1), (139.930, 37.462, 0.003, 0.003, 1),
)


def flood() -> bytes:
    """Three nested depth ranks along the river, deepest in the middle."""
    rows = []
    for rank, width in _FLOOD:
        left = [[lon - width, lat] for lon, lat in _RIVER]
        right = [[lon + width, lat] for lon, lat in reversed(_RIVER)]
        rows.append(_feature({"A31a_205": rank}, [*left, *right, left[0]]))
    return _collection("見本_洪水浸水想定区域", rows)


def landslide() -> bytes:
    """Warning zones with a special zone inside every other one."""
    rows = []
    for at, (lon, lat, width, height, kind) in enumerate(_SLOPES):
        rows.append(_feature({"A33_001": kind, "A33_002": 1}, _box(lon, lat, width, height)))
        if at % 2 == 0:
            inner = _box(lon, lat, width / 3, height / 3)
            rows.append(_feature({"A33_001": kind, "A33_002": 2}, inner))
    return _collection("見本_土砂災害警戒区域", rows)


def _box(lon: float, lat: float, width: float, height: float) -> list[list[float]]:
    return [[lon - width, lat - height], [lon + width, lat - height], [lon + width, lat + height],
            [lon - width, lat + height], [lon - width, lat - height]]


def _feature(properties: dict[str, Any], ring: list[list[float]]) -> dict[str, Any]:
    rounded = [[round(lon, 6), round(lat, 6)] for lon, lat in ring]
    return {"type": "Feature", "properties": {**properties, "備考": "見本"},
            "geometry": {"type": "Polygon", "coordinates": [rounded]}}


def _collection(name: str, rows: list[dict[str, Any]]) -> bytes:
    body = {"type": "FeatureCollection", "name": name, "features": rows}
    return json.dumps(body, ensure_ascii=False).encode()
