"""Minimum probability flow and the cliques of a graph, against sums, autograd and every clique of a small graph."""

import itertools
import math
from fractions import Fraction

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory import robust
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.hopfield import Hopfield, hebbian
from memscape.memory.patterns import flip, random_patterns
from memscape.memory.robust import (
    CliqueCone,
    CliqueNetwork,
    classes,
    clique_bound,
    edges,
    every_clique,
    from_bits,
    log_flow,
    minimum_probability_flow,
    noise_weights,
    perceptron,
    random_cliques,
    stability,
    to_bits,
)

from ..draws import rng

F64 = torch.float64


def all_bits(neurons: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=neurons)), dtype=F64)


def whole_network(seed: int, neurons: int, networks: tuple[int, ...] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    half = torch.randint(-5, 6, (*networks, neurons, neurons), generator=rng(seed)).to(F64).triu(1)
    thresholds = torch.randint(-5, 6, (*networks, neurons), generator=rng(seed + 1)).to(F64)
    return half + half.mT, thresholds


def real_network(seed: int, neurons: int, networks: tuple[int, ...] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    half = (torch.rand((*networks, neurons, neurons), generator=rng(seed), dtype=F64) - 0.5).triu(1)
    return half + half.mT, torch.rand((*networks, neurons), generator=rng(seed + 1), dtype=F64) - 0.5


def bit_energy(couplings: torch.Tensor, thresholds: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    return -((bits @ couplings) * bits).sum(dim=-1) / 2 + bits @ thresholds


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


# Units 0 and 1


@pytest.mark.parametrize("networks", [(), (3,)])
def test_spins_and_bits_are_one_network_exactly(networks):
    couplings, thresholds = whole_network(2, 8, networks)
    model, bits = from_bits(couplings, thresholds), all_bits(8)
    states = (2 * bits - 1).expand(*networks, -1, -1)
    expected = torch.stack(
        [bit_energy(j, t, bits) for j, t in zip(couplings.reshape(-1, 8, 8), thresholds.reshape(-1, 8), strict=True)]
    ).reshape(*networks, -1)
    found = model.energy(states)
    assert torch.equal(found - found[..., :1], expected - expected[..., :1]), "every energy, up to one constant"
    fields = bits @ couplings - thresholds[..., None, :]
    assert torch.equal(model.update(states), torch.where(fields == 0, states, fields.sign()))
    back = to_bits(model)
    assert torch.equal(back[0], couplings)
    assert torch.equal(back[1], thresholds)


def test_the_diagonal_of_spins_is_nothing_to_bits():
    xi = random_patterns(5, 9, generator=rng(3))
    one, other = to_bits(hebbian(xi)), to_bits(hebbian(xi, self_coupling=True))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_stability_is_the_cheapest_flip():
    couplings, thresholds = whole_network(4, 7, (2,))
    model = Hopfield(couplings + 3 * torch.eye(7, dtype=F64), thresholds, 0.5)
    states = random_patterns(6, 7, networks=(2,), generator=rng(5))
    costs = []
    for i in range(7):
        turned = states.clone()
        turned[..., i] *= -1
        costs.append((model.energy(turned) - model.energy(states)) / 2)
    torch.testing.assert_close(stability(model, states), torch.stack(costs).amin(dim=0))
    assert stability(model, states[:, 0]).shape == (2,)


# Minimum probability flow


def summed_flow(couplings: torch.Tensor, thresholds: torch.Tensor, patterns: torch.Tensor) -> torch.Tensor:
    """K from nothing but energies of patterns and their neighbours."""
    total = torch.zeros((), dtype=patterns.dtype)
    for pattern in patterns:
        bits = (pattern + 1) / 2
        for e in range(len(bits)):
            other = bits.clone()
            other[e] = 1 - other[e]
            both = bit_energy(couplings, thresholds, torch.stack([bits, other]))
            total = total + torch.exp((both[0] - both[1]) / 2)
    return total / len(patterns)


def test_flow_is_the_sum_over_neighbours_and_its_gradient_is_autograds():
    couplings, thresholds = real_network(6, 7, (2,))
    xi = random_patterns(5, 7, networks=(2,), generator=rng(7))
    found = log_flow(couplings, thresholds, xi)
    assert found.log_flow.shape == found.margin.shape == found.slope.shape == (2,)
    torch.testing.assert_close(found.share.sum(dim=-1), torch.ones(2, dtype=F64))
    for g in range(2):
        free = couplings[g].clone().requires_grad_()
        theta = thresholds[g].clone().requires_grad_()
        flow = summed_flow((free + free.mT) / 2, theta, xi[g]).log()
        flow.backward()
        torch.testing.assert_close(found.log_flow[g], flow.detach(), rtol=1e-12, atol=1e-12)
        gradient = free.grad - torch.diag(free.grad.diagonal())
        torch.testing.assert_close(found.couplings[g], gradient, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(found.thresholds[g], theta.grad, rtol=1e-10, atol=1e-12)


def test_the_diagonal_of_the_couplings_is_left_out_of_the_flow():
    couplings, thresholds = real_network(8, 6)
    xi = random_patterns(4, 6, generator=rng(9))
    one = log_flow(couplings, thresholds, xi)
    other = log_flow(couplings + torch.eye(6, dtype=F64), thresholds, xi)
    assert torch.equal(one.log_flow, other.log_flow)
    assert torch.equal(one.couplings, other.couplings)


def test_log_flow_is_convex_along_every_line():
    xi = random_patterns(8, 9, generator=rng(10))
    (j, t), (k, u) = real_network(11, 9), real_network(12, 9)
    values = torch.stack([log_flow(j + s * k, t + s * u, xi).log_flow for s in torch.linspace(-30, 30, 61).tolist()])
    assert (values[2:] - 2 * values[1:-1] + values[:-2] >= -1e-10).all()


def test_margin_is_the_cheapest_flip_over_the_length_and_never_above_the_slope():
    couplings, thresholds = real_network(13, 16, (3,))
    xi = random_patterns(2, 16, networks=(3,), generator=rng(14))
    found = log_flow(couplings, thresholds, xi)
    length = (couplings.square().sum(dim=(-2, -1)) + thresholds.square().sum(dim=-1)).sqrt()
    cheapest = 2 * stability(from_bits(couplings, thresholds), xi).amin(dim=-1)
    torch.testing.assert_close(found.margin, cheapest / (2 * length), rtol=1e-10, atol=1e-12)
    learned = minimum_probability_flow(xi, gap=0.001, steps=5000)
    assert (learned.margin >= 0.999 * learned.slope).all(), "converged, by the gradient of the dual"
    assert (found.margin < learned.slope).all()


def test_little_flow_proves_that_all_patterns_are_strict_minima():
    xi = random_patterns(6, 20, networks=(4,), generator=rng(15))
    for steps in (5, 20, 60, 200):
        learned = minimum_probability_flow(xi, steps=steps)
        proven = learned.log_flow + math.log(6) < 0
        stored = (stability(learned.network(), xi) > 0).all(dim=-1)
        assert (stored | ~proven).all()
        assert (stored == (learned.margin > 0)).all()
    assert proven.all()


def test_learning_descends_and_says_how_far_it_got():
    xi = random_patterns(10, 30, networks=(2, 1), generator=rng(16))
    values = torch.stack([minimum_probability_flow(xi, steps=n).log_flow for n in (1, 3, 10, 30, 60)])
    assert values[0].shape == (2, 1)
    assert (values.diff(dim=0) < 0).all()
    learned = minimum_probability_flow(xi)
    assert (learned.steps < 1000).all()
    assert (learned.margin >= 0.95 * learned.slope).all()
    assert torch.equal(learned.couplings, learned.couplings.mT)
    assert (learned.couplings.diagonal(dim1=-2, dim2=-1) == 0).all()


def test_the_steepness_that_sets_the_steps_bounds_every_second_derivative():
    xi = random_patterns(4, 5, generator=rng(35))
    upper = torch.triu_indices(5, 5, 1)
    # In these coordinates the length is that of the whole matrix: an entry above the diagonal stands for two.
    scale = torch.cat([torch.full((10,), 0.5, dtype=F64).sqrt(), torch.ones(5, dtype=F64)])

    def flow(point: torch.Tensor) -> torch.Tensor:
        couplings = torch.zeros(5, 5, dtype=F64)
        couplings = couplings.index_put((upper[0], upper[1]), (point * scale)[:10])
        return summed_flow(couplings + couplings.mT, (point * scale)[10:], xi).log()

    for seed in range(5):
        point = 6 * torch.rand(15, generator=rng(seed), dtype=F64) - 3
        steepest = torch.linalg.eigvalsh(torch.autograd.functional.hessian(flow, point))[-1]
        couplings = torch.zeros(5, 5, dtype=F64)
        couplings[upper[0], upper[1]] = (point * scale)[:10]
        share = log_flow(couplings + couplings.mT, (point * scale)[10:], xi).share
        assert 0 < steepest <= (1 + ((xi + 1) / 2).sum(dim=-1).max()) / 4 * share.max()


def test_a_pattern_without_a_unit_on_is_learned():
    xi = -torch.ones(1, 4, dtype=F64)
    assert minimum_probability_flow(xi).margin > 0


def test_where_the_flow_has_a_minimum_it_is_found():
    xi = random_patterns(120, 12, generator=rng(36))
    learned = minimum_probability_flow(xi, steps=400)
    assert learned.slope < 1e-6, "too many patterns: the flow has a minimum, where its gradient is zero"
    near = log_flow(learned.couplings, learned.thresholds + 0.01, xi)
    assert near.log_flow > learned.log_flow


def test_with_a_gap_of_one_learning_stops_when_the_patterns_are_stored():
    xi = random_patterns(10, 30, networks=(2,), generator=rng(16))
    learned = minimum_probability_flow(xi, gap=1.0)
    assert (learned.margin > 0).all()
    for g in range(2):
        assert minimum_probability_flow(xi[g], steps=int(learned.steps[g]) - 1).margin <= 0


def test_patterns_that_no_network_stores_leave_no_slope():
    # All four states of two units: each is to be lower than its two neighbours, which is impossible.
    xi = 2 * all_bits(2) - 1
    learned = minimum_probability_flow(xi, steps=50)
    assert learned.slope < 1e-12
    assert learned.margin <= 0


def test_one_network_among_many_learns_as_it_would_alone():
    xi = random_patterns(12, 15, networks=(3,), generator=rng(17))
    together = minimum_probability_flow(xi)
    for g in range(3):
        alone = minimum_probability_flow(xi[g])
        assert alone.steps == together.steps[g]
        torch.testing.assert_close(alone.couplings, together.couplings[g], rtol=1e-9, atol=1e-9)


def test_rounded_weights_are_whole_in_their_unit_and_keep_the_patterns():
    for dtype in (torch.float32, F64):
        xi = random_patterns(20, 60, generator=rng(18), dtype=dtype)
        learned = minimum_probability_flow(xi)
        network = learned.network()
        assert network.couplings.dtype == dtype
        assert torch.equal(network.couplings, network.couplings.round())
        assert network.couplings.abs().sum(dim=-1).max() * 2 < 2 / torch.finfo(dtype).eps, "sums are exact"
        scale = (learned.couplings / to_bits(network)[0]).nanmedian()
        torch.testing.assert_close(to_bits(network)[0] * scale, learned.couplings, rtol=0, atol=1e-3 * scale.item())
        assert (stability(network, xi) > 0).all()


def test_the_perceptron_rule_ends_with_all_patterns_stored_or_makes_all_its_epochs():
    xi = random_patterns(25, 50, networks=(3,), generator=rng(19))
    learned = perceptron(xi)
    assert (stability(learned, xi) > 0).all()
    assert torch.equal(learned.couplings, learned.couplings.round())
    hopeless = perceptron(2 * all_bits(3) - 1, epochs=3)
    assert not (stability(hopeless, 2 * all_bits(3) - 1) > 0).all()


def test_one_correction_of_the_perceptron_by_hand():
    # From zero every unit of 1 0 is wrong. Unit 0: J gains sigma_0 x_1 = 0, unit 1: J gains sigma_1 x_0 = -1.
    couplings, thresholds = to_bits(perceptron(torch.tensor([[1.0, -1.0]], dtype=F64), epochs=1))
    assert couplings.tolist() == [[0.0, -1.0], [-1.0, 0.0]]
    assert thresholds.tolist() == [-2.0, 2.0]


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


def test_the_bound_is_the_same_in_small_blocks(monkeypatch):
    couplings, thresholds = real_network(22, 28, (2,))
    whole = clique_bound(couplings, thresholds, 8, 3)
    monkeypatch.setattr(robust, "_ENTRIES", 300)
    assert torch.equal(clique_bound(couplings, thresholds, 8, 3), whole)


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
    (lambda: edges(1), r"vertices: expected an integer >= 2; got 1\."),
    (lambda: random_cliques(5, 6, 1, generator=rng()), r"clique: expected an integer in \[2, 5\]; got 6\."),
    (lambda: random_cliques(5, 3, 0, generator=rng()), r"count: expected an integer >= 1; got 0\."),
    (lambda: random_cliques(5, 3, 1, generator=0), r"generator: expected a torch\.Generator; got int\."),
    (lambda: random_cliques(5, 3, 1, generator=rng(), dtype=torch.int8), r"dtype: expected a floating torch\.dtype"),
    (lambda: every_clique(40, 20), r"clique: expected at most 10000000 cliques; got 137846528820\. Draw some"),
    (lambda: from_bits(UPPER, THETA), r"couplings: expected a symmetric matrix; got an asymmetric one\."),
    (lambda: from_bits(J, THETA[:5]), r"thresholds: .*neurons = 6; got shape \(5,\)"),
    (lambda: from_bits(J, THETA[None]), r"thresholds: expected shape \(6,\); got shape \(1, 6\)"),
    (lambda: from_bits(J, THETA, unit=0.0), r"unit: expected a finite number > 0; got 0\."),
    (lambda: to_bits(3), r"model: expected a Hopfield network of spins; got int\."),
    (lambda: stability(None, XI), r"model: expected a Hopfield network of spins; got NoneType\."),
    (lambda: stability(from_bits(J, THETA), XI / 2), r"patterns: expected values in \{-1, \+1\}; got 0\.5\."),
    (lambda: log_flow(J, THETA, XI[:, :5]), r"patterns: .*neurons = 6; got shape \(3, 5\)"),
    (lambda: log_flow(J, THETA.float(), XI), r"thresholds: expected float64; got float32"),
    (lambda: log_flow(J * torch.nan, THETA, XI), r"couplings: expected finite values; got nan"),
    (lambda: minimum_probability_flow(XI[0]), r"patterns: expected axes .*; got shape \(6,\)"),
    (lambda: minimum_probability_flow(XI, steps=0), r"steps: expected an integer >= 1; got 0\."),
    (lambda: minimum_probability_flow(XI, gap=0.0), r"gap: expected a finite number > 0 and <= 1; got 0\."),
    (lambda: minimum_probability_flow(XI, gap=1.5), r"gap: expected a finite number .*<= 1; got 1\.5\."),
    (lambda: perceptron(XI * 0), r"patterns: expected values in \{-1, \+1\}; got 0\."),
    (lambda: perceptron(XI, epochs=0.5), r"epochs: expected an integer >= 1; got 0\.5 \(float\)\."),
    (lambda: classes(J, THETA, 5), r"couplings: expected 10 units, the edges of 5 vertices; got 6\."),
    (lambda: classes(J, THETA, 3), r"vertices: expected an integer >= 4; got 3\."),
    (lambda: clique_bound(J, THETA, 4, 3), r"clique: expected an integer in \[2, 2\]; got 3\."),
    (lambda: CliqueCone(3, 2), r"vertices: expected an integer >= 4; got 3\."),
    (lambda: CliqueCone(6, 5), r"clique: expected an integer in \[2, 4\]; got 5\."),
    (lambda: CliqueCone(6, 3).costs(1, math.inf, 0), r"disjoint: expected a finite number; got inf"),
    (lambda: noise_weights(8, 3), r"clique: expected an integer >= 4; got 3\."),
    (lambda: CliqueNetwork(1, THETA[:3]), r"vertices: expected an integer >= 2; got 1\."),
    (lambda: CliqueNetwork(5, THETA), r"weights: .*parameters = 3; got shape \(6,\)"),
    (lambda: CliqueNetwork(4, THETA[:3]).energy(XI[:, :5]), r"state: .*neurons = 6; got shape \(3, 5\)"),
    (lambda: CliqueNetwork(4, THETA[:3]).field(XI * 2), r"state: expected values in \{-1, \+1\}; got 2\."),
    (lambda: CliqueNetwork(4, THETA[:3]).track(XI.float()), r"state: expected float64; got float32"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
