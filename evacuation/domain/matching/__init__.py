"""Exact matching of people who need help with those who can give it.

Owns the question (``Network``), the exact lexicographic optimum (``solve``), its proof
(``Solution.certificate``), the reasons for gaps (``explain``, ``bottlenecks``) and re-solving
that keeps what is settled (``resolve``).  Rule: evacuation.md, "Matching supporters".
Refuses: coordinates, names and words, which belong to ``evacuation.domain.candidates``.
"""

from evacuation.domain.matching.bottleneck import (
    Bottleneck,
    Explainer,
    Explanation,
    Shortage,
    bottlenecks,
    explain,
)
from evacuation.domain.matching.keeping import Revision, resolve
from evacuation.domain.matching.network import Network
from evacuation.domain.matching.solution import Certificate, Prices, Solution, certify
from evacuation.domain.matching.solving import solve

__all__ = [
    "Bottleneck",
    "Certificate",
    "Explainer",
    "Explanation",
    "Network",
    "Prices",
    "Revision",
    "Shortage",
    "Solution",
    "bottlenecks",
    "certify",
    "explain",
    "resolve",
    "solve",
]
