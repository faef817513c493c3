"""The small map of a plan: zones, roads, route and marks as one SVG, labels placed apart.

Owns: the projection to millimetres, clipping to the frame, patterns, scale bar, label places.
Refuses: text inside the picture (labels go through the page's own fonts), colour as the only
sign (every zone has its own pattern), tiles from outside.
The projection is the local plane of the ellipsoid GRS80 at the frame's centre; over the few
kilometres of such a map it differs from the plane rectangular system by less than a millimetre
on paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shapely import Polygon, box, make_valid
from shapely.errors import GEOSException

from evacuation.documents.plan_values import Pattern, PlanMap, Point
from registry.documents import Value

WIDTH = 180.0  # millimetres
LOWEST, HIGHEST = 64.0, 118.0  # millimetres of height that a map may have
_EDGE = 9.0  # millimetres kept free around the places
_LEAST = 250.0  # metres; a map never shows less
_BARS = (50, 100, 200, 500, 1000, 2000, 5000, 10000)

# Light fill for colour printers, shapes for everyone else.
_FILLS: dict[Pattern, str] = {
    "dots": '<pattern id="dots" width="2.4" height="2.4" patternUnits="userSpaceOnUse">'
    '<rect width="2.4" height="2.4" fill="#f6d5d5"/>'
    '<circle cx="1.2" cy="1.2" r="0.5" fill="#8a1c1c"/></pattern>',
    "lines": '<pattern id="lines" width="3" height="3" patternUnits="userSpaceOnUse">'
    '<rect width="3" height="3" fill="#fdebdc"/>'
    '<path d="M-1 1L1 -1M0 3L3 0M2 4L4 2" stroke="#a84c00" stroke-width="0.25"/></pattern>',
    "steep": '<pattern id="steep" width="2.2" height="2.2" patternUnits="userSpaceOnUse">'
    '<rect width="2.2" height="2.2" fill="#efe9c8"/>'
    '<path d="M-1 1.2L1 3.2M0 0L2.2 2.2M1.2 -1L3.2 1" stroke="#5c4d00" '
    'stroke-width="0.6"/></pattern>',
    "cross": '<pattern id="cross" width="2.4" height="2.4" patternUnits="userSpaceOnUse">'
    '<rect width="2.4" height="2.4" fill="#e6e0f0"/>'
    '<path d="M0 0L2.4 2.4M2.4 0L0 2.4" stroke="#3c2a66" stroke-width="0.3"/></pattern>',
    "waves": '<pattern id="waves" width="4" height="2.4" patternUnits="userSpaceOnUse">'
    '<rect width="4" height="2.4" fill="#dcebf7"/>'
    '<path d="M0 1.2Q1 0.2 2 1.2T4 1.2" fill="none" stroke="#0b4a7a" '
    'stroke-width="0.3"/></pattern>',
}


@dataclass(frozen=True)
class Frame:
    """The piece of the earth that the map shows, and its scale in metres per millimetre."""

    longitude: float
    latitude: float
    metres_per_mm: float
    height: float  # millimetres

    def place(self, point: Point) -> tuple[float, float]:
        """Return millimetres from the upper left corner of the map."""
        east, north = _metres(point, self.longitude, self.latitude)
        x, y = east / self.metres_per_mm, north / self.metres_per_mm
        return WIDTH / 2 + x, self.height / 2 - y


def _metres(point: Point, longitude: float, latitude: float) -> tuple[float, float]:
    """Return metres east and north of a centre, by the radii of curvature of GRS80."""
    a, e2 = 6_378_137.0, 0.006_694_380_022_9
    sine = math.sin(math.radians(latitude))
    root = math.sqrt(1 - e2 * sine * sine)
    across = a / root * math.cos(math.radians(latitude))
    along = a * (1 - e2) / root**3
    return (
        math.radians(point[0] - longitude) * across,
        math.radians(point[1] - latitude) * along,
    )


def frame_of(points: Sequence[Point], height: float) -> Frame:
    """Return the frame that holds all points; ``ValueError`` if there are none."""
    if not points:
        raise ValueError("a map needs at least one place")
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    centre = ((west + east) / 2, (south + north) / 2)
    right, top = _metres((east, north), *centre)
    scale = max(
        2 * right / (WIDTH - 2 * _EDGE),
        2 * top / (height - 2 * _EDGE),
        _LEAST / (height - 2 * _EDGE),
    )
    return Frame(*centre, scale, height)


def _path(points: Iterable[tuple[float, float]], close: bool) -> str:
    joined = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
    return f"M{joined}{'z' if close else ''}"


def _zone_path(frame: Frame, polygons: Iterable[Sequence[Sequence[Point]]]) -> str:
    """Return the zone clipped to the frame; rings that are no area are left out."""
    window = box(-2, -2, WIDTH + 2, frame.height + 2)
    parts: list[str] = []
    for rings in polygons:
        places = [[frame.place(p) for p in ring] for ring in rings if len(ring) >= 4]
        if not places:
            continue
        try:
            seen = make_valid(Polygon(places[0], places[1:])).intersection(window).simplify(0.05)
        except (GEOSException, ValueError):
            continue
        for piece in getattr(seen, "geoms", [seen]):
            if isinstance(piece, Polygon) and not piece.is_empty:
                for ring in (piece.exterior, *piece.interiors):
                    parts.append(_path(((x, y) for x, y in ring.coords[:-1]), True))
    return "".join(parts)


def _bar(frame: Frame) -> tuple[int, float]:
    """Return the scale bar: metres, and its length in millimetres (at most 45)."""
    fitting = [m for m in _BARS if m / frame.metres_per_mm <= 45]
    metres = fitting[-1] if fitting else _BARS[0]
    return metres, metres / frame.metres_per_mm


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)


def _labels(
    marks: Sequence[tuple[float, float, str]],
    route: Sequence[tuple[float, float]],
    height: float,
) -> list[tuple[float, float, float]]:
    """Return (x, y, width) of a label for each mark, beside it and off the others."""
    taken: list[tuple[float, ...]] = [(x - 3.5, y - 3.5, x + 3.5, y + 3.5) for x, y, _ in marks]
    taken += [(x - 1, y - 1, x + 1, y + 1) for x, y in route]
    taken += [(WIDTH - 16, 0, WIDTH, 18), (0, height - 11, 56, height)]  # north arrow, scale
    found: list[tuple[float, float, float]] = []
    for x, y, label in marks:
        wide = min(60.0, 4.0 + 3.9 * sum(1.0 if ord(c) > 0x2E7F else 0.62 for c in label))
        high = 5.6 if wide < 60 else 10.0
        best = (math.inf, x, y)
        for rank, (dx, dy) in enumerate(
            ((4.5, -high / 2), (-4.5 - wide, -high / 2), (-wide / 2, 4.5), (-wide / 2, -4.5 - high),
             (4.5, 3), (4.5, -3 - high), (-4.5 - wide, 3), (-4.5 - wide, -3 - high))
        ):  # fmt: skip
            left = min(max(x + dx, 0.5), WIDTH - wide - 0.5)
            top = min(max(y + dy, 0.5), height - high - 0.5)
            area = (left, top, left + wide, top + high)
            cost = sum(_overlap(area, other) for other in taken) + rank * 0.01
            if cost < best[0]:
                best = (cost, left, top)
        found.append((best[1], best[2], wide))
        taken.append((best[1], best[2], best[1] + wide, best[2] + high))
    return found


def _along(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the route with a point about every 3 mm, so that labels keep off it."""
    dense: list[tuple[float, float]] = []
    for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
        steps = min(200, max(1, int(math.hypot(bx - ax, by - ay) / 3)))
        dense += [(ax + (bx - ax) * i / steps, ay + (by - ay) * i / steps) for i in range(steps)]
    return dense


def draw(plan_map: PlanMap, height: float = 104.0) -> dict[str, Value]:
    """Return the map for the template: ``svg``, ``labels``, ``legend``, ``bar``, size, words.

    ``height`` in millimetres is kept within ``LOWEST`` and ``HIGHEST``; zones outside the frame
    are not in the legend.  Raises ``ValueError`` if the map has neither a place nor a route.
    """
    height = min(max(height, LOWEST), HIGHEST)
    frame = frame_of([p.at for p in plan_map.places] + list(plan_map.route), height)
    used = dict.fromkeys(zone.pattern for zone in plan_map.zones)
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        "<defs>",
        *(_FILLS[pattern] for pattern in used),
        f'<clipPath id="frame"><rect width="{WIDTH}" height="{height}"/></clipPath></defs>',
        f'<g clip-path="url(#frame)"><rect width="{WIDTH}" height="{height}" fill="#fbfaf6"/>',
    ]
    seen: dict[str, Pattern] = {}
    for zone in plan_map.zones:
        path = _zone_path(frame, zone.polygons)
        if path:
            seen[zone.label] = zone.pattern
            svg.append(
                f'<path d="{path}" fill="url(#{zone.pattern})" fill-rule="evenodd" '
                'stroke="#333" stroke-width="0.25"/>'
            )
    for line in plan_map.lines:
        path = _path([frame.place(p) for p in line.points], False)
        wide, outer, inner = (3.0, "#777", "#fff") if line.kind == "road" else (2.6, "#444", "#bcd")
        for width, colour in ((wide, outer), (wide - 0.6, inner)):
            svg.append(
                f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
                'stroke-linecap="round" stroke-linejoin="round"/>'
            )
    route = [frame.place(p) for p in plan_map.route]
    if len(route) > 1:
        path = _path(route, False)
        svg.append(f'<path d="{path}" fill="none" stroke="#fff" stroke-width="2.4"/>')
        svg.append(
            f'<path d="{path}" fill="none" stroke="#0017c1" stroke-width="1.4" '
            'stroke-dasharray="3.4 1.4"/>'
        )
    places = [frame.place(p.at) for p in plan_map.places]
    svg.append("</g></svg>")
    marks = [(x, y, p.label) for (x, y), p in zip(places, plan_map.places, strict=True)]
    metres, long = _bar(frame)
    return {
        "svg": "".join(svg),
        "width": WIDTH,
        "height": height,
        "marks": [
            {"x": x, "y": y, "kind": p.kind, "number": p.number, "label": p.label,
             "left": left, "top": top, "wide": wide}
            for (x, y), p, (left, top, wide) in zip(
                places, plan_map.places, _labels(marks, _along(route), height), strict=True
            )
        ],
        "legend": [
            {"label": label, "svg": _swatch(pattern)} for label, pattern in seen.items()
        ],
        "bar": {"metres": metres, "mm": long},
        "route": len(route) > 1,
        "text": plan_map.text,
        "source": plan_map.source,
    }  # fmt: skip


def _swatch(pattern: Pattern) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 5"><defs>{_FILLS[pattern]}</defs>'
        f'<rect width="9" height="5" fill="url(#{pattern})" stroke="#333" stroke-width="0.4"/>'
        "</svg>"
    )
