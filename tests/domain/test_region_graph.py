from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.mask import EMPTY
from app.domain.region_graph import EMPTY_KIND, RegionGraph, components, summed

from .areas import locked, regions_of
from .pictures import patchwork

sides = st.integers(1, 16)


@settings(max_examples=150, deadline=None)
@given(sides, sides, st.integers(0, 9999))
def test_it_is_the_plain_list_of_regions(height: int, width: int, seed: int) -> None:
    mask = patchwork(height, width, seed)
    kinds = np.where(mask.provenance == EMPTY, EMPTY_KIND, mask.labels.astype(int))
    graph = RegionGraph.of(locked(mask.labels), locked(mask.provenance))
    regions = regions_of(kinds)
    number = sum(index * region for index, region in enumerate(regions))
    assert np.array_equal(graph.drawn(np.arange(len(regions)).astype(np.uint8)), number)
    assert graph.kinds.tolist() == [kinds[region][0] for region in regions]
    assert graph.sizes.tolist() == [region.sum() for region in regions]
    assert graph.outer.tolist() == [
        bool(region[0].any() or region[-1].any() or region[:, 0].any() or region[:, -1].any()) for region in regions
    ]
    edges = np.zeros((len(regions), len(regions)), int)
    for one, other in ((number[:, 1:], number[:, :-1]), (number[1:], number[:-1])):
        np.add.at(edges, (one, other), 1)
    edges += edges.T
    found = np.zeros_like(edges)
    one, other, shared = graph.neighbours
    np.add.at(found, (one, other), shared)
    found += found.T
    np.fill_diagonal(edges, 0)
    assert np.array_equal(found, edges)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 30), st.data())
def test_components_are_named_by_their_lowest_node(nodes: int, data: st.DataObject) -> None:
    edges = data.draw(st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1))))
    expected = list(range(nodes))
    for _ in range(nodes):
        for one, other in edges:
            expected[one] = expected[other] = min(expected[one], expected[other])
    one, other = np.array(edges, np.int32).reshape(-1, 2).T
    assert components(nodes, one, other).tolist() == expected


def test_sums_of_pairs() -> None:
    one, other, amounts = (np.array(side, np.int32) for side in ([2, 1, 2, 2], [0, 5, 0, 1], [3, 4, 5, 6]))
    assert [side.tolist() for side in summed(one, other, amounts)] == [[1, 2, 2], [5, 0, 1], [4, 8, 6]]
    assert [side.size for side in summed(one[:0], other[:0], amounts[:0])] == [0, 0, 0]
