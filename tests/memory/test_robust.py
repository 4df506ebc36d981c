"""Networks that store the cliques of a graph, against every clique of a small one."""

import itertools
import math
from fractions import Fraction

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.hopfield import stability, to_bits
from memscape.memory.patterns import flip, random_patterns
from memscape.memory.probability_flow import minimum_probability_flow, perceptron
from memscape.memory.robust import (
    CliqueCone,
    CliqueNetwork,
    classes,
    clique_bound,
    edges,
    every_clique,
    noise_limit,
    noise_weights,
    random_cliques,
)
from memscape.tools import pieces

from ..draws import all_bits, real_network, rng

F64 = torch.float64


# Cliques


def test_edges_are_all_pairs_in_lexicographic_order():
    assert edges(5).T.tolist() == [list(pair) for pair in itertools.combinations(range(5), 2)]


@pytest.mark.parametrize(("vertices", "clique"), [(4, 2), (6, 3), (7, 7), (8, 4)])
def test_a_clique_is_on_where_both_ends_are_members(vertices, clique):
    members = list(itertools.combinations(range(vertices), clique))
    expected = [
        [1.0 if set(pair) <= set(chosen) else -1.0 for pair in itertools.combinations(range(vertices), 2)]
        for chosen in members
    ]
    found = every_clique(vertices, clique)
    assert found.tolist() == expected
    assert len(found) == math.comb(vertices, clique)


def test_random_cliques_are_uniform_and_the_same_for_the_same_seed():
    known = {tuple(row): i for i, row in enumerate(every_clique(6, 3).tolist())}
    drawn = random_cliques(6, 3, 4000, networks=(2,), generator=rng(1))
    assert drawn.shape == (2, 4000, 15)
    counts = torch.bincount(torch.tensor([known[tuple(row)] for row in drawn.flatten(end_dim=1).tolist()]))
    assert len(counts) == 20
    # 8000 draws on 20 cliques: chi-square with 19 degrees of freedom, 45 is its 99.93 % point.
    assert ((counts - 400) ** 2 / 400).sum() < 45
    assert torch.equal(drawn, random_cliques(6, 3, 4000, networks=(2,), generator=rng(1)))
    assert random_cliques(6, 3, 2, generator=rng(1), dtype=torch.float32).dtype == torch.float32


def test_a_few_cliques_teach_all_of_them():
    few = random_cliques(16, 8, 300, generator=rng(20), dtype=torch.float32)
    learned = minimum_probability_flow(few)
    assert (stability(learned.network(), every_clique(16, 8, dtype=torch.float32)) > 0).all()
    assert (clique_bound(learned.couplings, learned.thresholds, 16, 8) > 0).all(), "and the proof without a list"


# The cone


def stores(vertices: int, clique: int, weights: tuple) -> bool:
    """By brute force: the cheapest flip of any edge at any clique, in whole numbers or exact binary fractions."""
    network = CliqueNetwork(vertices, torch.tensor([float(w) for w in weights], dtype=F64)).dense()
    return bool((stability(network, every_clique(vertices, clique)) > 0).all())


@pytest.mark.parametrize(("vertices", "clique"), [(4, 2), (5, 3), (6, 3), (6, 4), (7, 4), (8, 5), (8, 6)])
def test_the_cone_is_what_brute_force_over_all_cliques_finds(vertices, clique):
    cone = CliqueCone(vertices, clique)
    inside = 0
    for weights in itertools.product(range(-3, 6), range(-3, 2), range(-8, 9)):
        assert cone.contains(*weights) == stores(vertices, clique, weights), weights
        inside += cone.contains(*weights)
    assert inside >= 5


def test_the_costs_are_those_of_every_kind_of_edge():
    cone, weights = CliqueCone(8, 4), (5, -2, 3)
    network = CliqueNetwork(8, torch.tensor(weights, dtype=F64))
    state = every_clique(8, 4)[0]
    costs = 2 * state * network.field(state)
    first, second = edges(8)
    ends = (first < 4).long() + (second < 4).long()
    for number, cost in zip((2, 1, 0), cone.costs(*weights), strict=True):
        assert set(costs[ends == number].tolist()) == {float(cost)}


@pytest.mark.parametrize(("vertices", "clique"), [(4, 2), (5, 3), (6, 4), (32, 16), (100, 7), (5000, 2500)])
def test_each_ray_makes_one_inequality_strict_and_no_other(vertices, clique):
    cone = CliqueCone(vertices, clique)
    for i, ray in enumerate(cone.rays):
        assert math.gcd(*ray) == 1
        costs = cone.costs(*ray)
        assert [cost > 0 for cost in costs] == [j == i for j in range(3)]
        assert not cone.contains(*ray), "the cone is open"
    assert cone.contains(*(sum(column) for column in zip(*cone.rays, strict=True)))


def test_the_border_of_the_cone_is_exact():
    cone = CliqueCone(32, 16)
    first, second, third = cone.rays
    tiny = Fraction(1, 10**30)
    assert cone.contains(*(a + b + tiny * c for a, b, c in zip(first, second, third, strict=True)))
    assert not cone.contains(*(a + b - tiny * c for a, b, c in zip(first, second, third, strict=True)))
    assert cone.contains(0.5, -0.1, 0.2)


def test_minimum_probability_flow_on_all_cliques_climbs_to_the_widest_margin():
    learned = minimum_probability_flow(every_clique(7, 3), gap=1e-4, steps=20_000)
    found = classes(learned.couplings, learned.thresholds, 7)
    assert (found.deviation < 1e-9 * found.mean.abs().max()).all(), "by symmetry it never leaves the three parameters"
    x, y, theta = CliqueCone(7, 3).widest()
    assert min(CliqueCone(7, 3).costs(x, y, theta)) == pytest.approx(1)
    expected = torch.tensor([x, y, theta], dtype=F64)
    torch.testing.assert_close(found.mean / found.mean[0], expected / x, rtol=0.02, atol=0.02)
    neurons = 21
    length = math.sqrt(neurons * (2 * 5 * x**2 + math.comb(5, 2) * y**2 + theta**2))
    assert learned.margin.item() == pytest.approx(1 / (2 * length), rel=1e-3)


@pytest.mark.parametrize(("vertices", "clique"), [(8, 4), (12, 6), (16, 5), (64, 32)])
def test_weights_for_noise_keep_the_threshold_in_the_middle_for_every_noise(vertices, clique):
    x, y, theta = noise_weights(vertices, clique)
    cone = CliqueCone(vertices, clique)
    assert cone.contains(x, y, theta)
    first, second = (edges(vertices)[i].tolist() for i in (0, 1))
    pairs = list(zip(first, second, strict=True))
    for noise in (Fraction(0), Fraction(1, 10), Fraction(2, 5)):
        means = []
        for u, w in ((0, 1), (0, vertices - 1)):  # inside the clique on the first vertices; with one end in it
            field = -theta
            for pair in pairs:
                if set(pair) != {u, w}:
                    on = 1 - noise if pair[1] < clique else noise
                    field += on * (x if {u, w} & set(pair) else y)
            means.append(field)
        assert means[0] == -means[1]
        assert means[0] - means[1] == (1 - 2 * noise) * ((clique - 3) * x - (clique - 2) * y)


# A proof for all cliques


@pytest.mark.parametrize(("vertices", "clique"), [(5, 2), (6, 3), (7, 5), (8, 4)])
def test_the_bound_is_below_every_cost_and_exact_in_the_cone(vertices, clique):
    neurons = math.comb(vertices, 2)
    first, second = edges(vertices)
    cliques = every_clique(vertices, clique)
    members = torch.stack([cliques[:, (first == u) | (second == u)].amax(dim=-1) > 0 for u in range(vertices)], dim=1)
    ends = members[:, first].long() + members[:, second].long()
    couplings, thresholds = real_network(21, neurons, (2,))
    bound = clique_bound(couplings, thresholds, vertices, clique)
    bits = (cliques + 1) / 2
    costs = cliques * (bits @ couplings - thresholds[:, None])
    for number, column in ((2, 0), (1, 1), (0, 2)):
        cheapest = costs.masked_fill(ends != number, torch.inf).amin(dim=(-2, -1))
        assert (bound[:, column] <= cheapest + 1e-12).all()
    weights = (3.0, -1.0, 2.0)
    couplings, thresholds = to_bits(CliqueNetwork(vertices, torch.tensor(weights, dtype=F64)).dense())
    found = clique_bound(couplings, thresholds, vertices, clique)
    assert found.tolist() == [float(cost) for cost in CliqueCone(vertices, clique).costs(*map(int, weights))]


def test_the_bound_is_the_same_in_small_blocks():
    couplings, thresholds = real_network(22, 28, (2,))
    whole = clique_bound(couplings, thresholds, 8, 3)
    with pieces.budget(32 * 300):
        torch.testing.assert_close(clique_bound(couplings, thresholds, 8, 3), whole, rtol=1e-12, atol=1e-12)


def test_the_bound_of_whole_weights_is_exact():
    # Large whole weights beside small ones: float64 would lose the halves if it had to round.
    whole = torch.randint(-(2**40), 2**40, (15, 15), generator=rng(50)).double().triu(1)
    couplings, thresholds = whole + whole.T, torch.randint(-9, 9, (15,), generator=rng(51)).double()
    found = clique_bound(couplings, thresholds, 6, 3)
    assert torch.equal(found, clique_bound(couplings * 2.0**-60, thresholds * 2.0**-60, 6, 3) * 2.0**60)
    number = {pair: e for e, pair in enumerate(itertools.combinations(range(6), 2))}
    table = [[int(value) for value in row] for row in couplings.tolist()]
    best = []
    for (u, w), e in number.items():
        free = [t for t in range(6) if t not in (u, w)]
        charged = sorted(
            Fraction(table[e][number[min(u, t), max(u, t)]] + table[e][number[min(w, t), max(w, t)]]) for t in free
        )
        best.append(charged[0] - int(thresholds[e]))  # k - 2 = 1 vertex besides the two ends: no pair is left over
    assert found[0].item() == min(best)


def test_classes_are_means_over_pairs_of_edges():
    couplings, thresholds = real_network(23, 15, (2,))
    found = classes(couplings, thresholds, 6)
    pairs = list(itertools.combinations(range(6), 2))
    kinds = {1: [], 0: []}
    for (e, one), (f, other) in itertools.permutations(enumerate(pairs), 2):
        kinds[len(set(one) & set(other))].append(couplings[:, e, f])
    for column, values in ((0, torch.stack(kinds[1])), (1, torch.stack(kinds[0])), (2, thresholds.T)):
        torch.testing.assert_close(found.mean[:, column], values.mean(dim=0))
        torch.testing.assert_close(found.deviation[:, column], values.std(dim=0, correction=0))


# The network of three parameters


@pytest.mark.parametrize("networks", [(), (2,), (2, 1)])
@pytest.mark.parametrize("probes", [(), (3,), (2, 4)])
def test_three_parameters_do_what_their_matrix_does(networks, probes):
    weights = torch.randint(-4, 5, (*networks, 3), generator=rng(24)).to(F64)
    model = CliqueNetwork(7, weights)
    dense = model.dense()
    state = random_patterns(1, 21, networks=(*networks, *probes), generator=rng(25)).squeeze(-2)
    empty = -torch.ones(*networks, 21, dtype=F64)
    offset = dense.energy(empty).reshape(networks + (1,) * len(probes))
    assert model.neurons == 21
    assert model.networks == networks
    assert torch.equal(model.energy(state), dense.energy(state) - offset)
    assert torch.equal(model.update(state), dense.update(state))
    assert torch.equal(
        asynchronous(model, state, generator=rng(26)).state, asynchronous(dense, state, generator=rng(26)).state
    )
    assert torch.equal(synchronous(model, state).state, synchronous(dense, state).state)


def test_fields_of_three_parameters_are_half_differences_of_energy_for_every_graph():
    model = CliqueNetwork(4, torch.tensor([[1.5, -0.75, 0.25], [-1.0, 2.0, 0.5]], dtype=F64))
    states = (2 * all_bits(6) - 1).expand(2, -1, -1)
    tracker = model.track(states)
    for e in range(6):
        up, down = states.clone(), states.clone()
        up[..., e], down[..., e] = 1.0, -1.0
        expected = (model.energy(down) - model.energy(up)) / 2
        assert torch.equal(model.field(states)[..., e], expected)
        assert torch.equal(tracker.field(e), expected)


def test_the_tracker_of_degrees_follows_any_flips():
    model = CliqueNetwork(6, torch.tensor([[2.0, -1.0, 3.0]], dtype=F64))
    state = random_patterns(5, 15, networks=(1,), generator=rng(27))
    tracker, generator = model.track(state), rng(28)
    for edge in torch.randint(0, 15, (30,), generator=generator).tolist():
        where = torch.rand((1, 5), generator=generator) < 0.5
        tracker.flip(edge, where)
        state[..., edge] = torch.where(where, -state[..., edge], state[..., edge])
    assert torch.equal(tracker.state, state)
    assert torch.equal(torch.stack([tracker.field(e) for e in range(15)], dim=-1), model.field(state))


def test_a_damaged_clique_is_repaired():
    weights = torch.tensor([float(w) for w in noise_weights(32, 16)], dtype=F64)
    cliques = random_cliques(32, 16, 20, generator=rng(29))
    damaged = flip(cliques, 25, generator=rng(30))
    repaired = asynchronous(CliqueNetwork(32, weights), damaged, generator=rng(31))
    assert torch.equal(repaired.state, cliques)


@pytest.mark.parametrize(("vertices", "clique"), [(8, 4), (11, 4), (32, 16)])
@pytest.mark.parametrize("shares", [None, (1, 9, 2), (9, 1, 2), (2, 1, 1)])
def test_expected_fields_lead_back_up_to_the_limit_of_noise_and_no_further(vertices, clique, shares):
    cone = CliqueCone(vertices, clique)
    weights = cone.widest()
    if shares is not None:  # where the kinds of edges have different costs
        weights = [sum(share * ray[i] for share, ray in zip(shares, cone.rays, strict=True)) for i in range(3)]
    limit = noise_limit(vertices, clique, weights)
    assert 0 < limit < Fraction(1, 2)
    network = CliqueNetwork(vertices, torch.tensor(weights, dtype=F64)).dense()
    couplings, thresholds = to_bits(network)
    bits = (random_cliques(vertices, clique, 1, generator=rng(60))[0] + 1) / 2
    for share, leads_back in ((float(limit) - 1e-6, True), (float(limit) + 1e-6, False)):
        fields = couplings @ ((1 - 2 * share) * bits + share) - thresholds
        assert ((2 * bits - 1) * fields > 0).all().item() is leads_back


def test_no_noise_below_one_half_is_too_much_for_the_expected_fields_of_weights_made_for_it():
    assert noise_limit(32, 16, noise_weights(32, 16)) == Fraction(1, 2)
    # The widest margin of large graphs: one sixth, from below.
    limits = [float(noise_limit(v, v // 2, CliqueCone(v, v // 2).widest())) for v in (64, 256, 4096)]
    assert limits == sorted(limits)
    assert limits[-1] == pytest.approx(1 / 6, abs=0.002)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree():
    xi = random_cliques(10, 5, 40, networks=(2,), generator=rng(32))
    near, far = minimum_probability_flow(xi), minimum_probability_flow(xi.cuda())
    torch.testing.assert_close(far.couplings.cpu(), near.couplings, rtol=1e-9, atol=1e-9)
    assert torch.equal(far.steps.cpu(), near.steps)
    there = clique_bound(far.couplings, far.thresholds, 10, 5)
    torch.testing.assert_close(there.cpu(), clique_bound(near.couplings, near.thresholds, 10, 5), rtol=1e-8, atol=1e-9)
    assert torch.equal(perceptron(xi.cuda()).couplings.cpu(), perceptron(xi).couplings)
    model = CliqueNetwork(10, torch.tensor([3.0, -1.0, 2.0], dtype=F64))
    distant, state = CliqueNetwork(10, model.weights.cuda()), flip(xi[0], 9, generator=rng(33))
    assert torch.equal(distant.energy(state.cuda()).cpu(), model.energy(state))
    assert torch.equal(distant.update(state.cuda()).cpu(), model.update(state))
    moved = asynchronous(distant, state.cuda(), generator=rng(34)).state.cpu()
    assert torch.equal(moved, asynchronous(model, state, generator=rng(34)).state)


XI = torch.ones(3, 6, dtype=F64)
J, THETA = torch.zeros(6, 6, dtype=F64), torch.zeros(6, dtype=F64)
UPPER = torch.ones(6, 6, dtype=F64).triu(1)
BAD = [
    (lambda: edges(1), r"vertices: expected an integer in \[2, 1048576\]; got 1\."),
    (lambda: random_cliques(5, 6, 1, generator=rng()), r"clique: expected an integer in \[2, 5\]; got 6\."),
    (lambda: random_cliques(5, 3, 0, generator=rng()), r"count: expected an integer >= 1; got 0\."),
    (lambda: random_cliques(5, 3, 1, generator=0), r"generator: expected a torch\.Generator; got int\."),
    (lambda: random_cliques(5, 3, 1, generator=rng(), dtype=torch.int8), r"dtype: expected a floating torch\.dtype"),
    (lambda: every_clique(40, 20), r"clique: expected at most 10000000 cliques; got 137846528820\. Draw some"),
    (lambda: classes(J, THETA, 5), r"couplings: expected 10 units, the edges of 5 vertices; got 6\."),
    (lambda: classes(J, THETA, 3), r"vertices: expected an integer in \[4, 1048576\]; got 3\."),
    (lambda: clique_bound(J, THETA, 4, 3), r"clique: expected an integer in \[2, 2\]; got 3\."),
    (lambda: CliqueCone(3, 2), r"vertices: expected an integer in \[4, 1048576\]; got 3\."),
    (lambda: CliqueCone(6, 5), r"clique: expected an integer in \[2, 4\]; got 5\."),
    (lambda: CliqueCone(6, 3).costs(1, math.inf, 0), r"disjoint: expected a finite number; got inf"),
    (lambda: noise_limit(8, 4, (1, 0, 3)), r"weights: expected a point of the cone; got \(1\.0, 0\.0, 3\.0\)\. Take"),
    (lambda: noise_weights(8, 3), r"clique: expected an integer >= 4; got 3\."),
    (lambda: CliqueNetwork(1, THETA[:3]), r"vertices: expected an integer in \[2, 1048576\]; got 1\."),
    (lambda: CliqueNetwork(5, THETA), r"weights: .*parameters = 3; got shape \(6,\)"),
    (lambda: CliqueNetwork(4, THETA[:3]).energy(XI[:, :5]), r"state: .*neurons = 6; got shape \(3, 5\)"),
    (lambda: CliqueNetwork(4, THETA[:3]).field(XI * 2), r"state: expected values in \{-1, \+1\}; got 2\."),
    (lambda: CliqueNetwork(4, THETA[:3]).track(XI.float()), r"state: expected float64; got float32"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
