"""Sets of states drawn at random, and decided: against the list of all faces, and with a hasty rule."""

import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy.sampling import climbs, draw_sets, learn, sample
from memscape.homotopy.storage import storage_complex
from memscape.polytopes.weight_space import normals
from memscape.tools import pieces
from memscape.tools.subsets import members

from ..draws import rng


def test_sets_are_drawn_without_repetition_and_uniformly():
    sets = draw_sets(6, 2, 6000, generator=rng())
    assert (sets[:, 0] < sets[:, 1]).all()
    _, counts = torch.unique(sets, dim=0, return_counts=True)
    assert len(counts) == 15
    assert (counts - 400).abs().max() < 5 * 400**0.5
    assert torch.equal(sets, draw_sets(6, 2, 6000, generator=rng()))


@pytest.mark.parametrize(("neurons", "degrees", "size"), [(4, (1, 2), 4), (5, (2,), 4), (6, (2,), 5)])
def test_the_perceptron_rule_learns_every_face_and_nothing_else(neurons, degrees, size):
    found = storage_complex(neurons, degrees)
    faces = torch.tensor(members(found.every(found.faces[size - 1])[:500]))
    learned = learn(neurons, degrees, faces)
    assert learned.stored.all()
    rows = torch.from_numpy(normals(neurons, degrees)).float()[faces].flatten(1, 2)
    assert (torch.einsum("snk,sk->sn", rows, learned.weights) > 0).all()
    assert (learned.weights == learned.weights.round()).all()
    blocked = [level for level in found.obstructions if len(level)]
    for level in blocked:
        assert not learn(neurons, degrees, torch.tensor(members(level.sets)), steps=100).stored.any()


def test_what_is_learned_does_not_depend_on_the_batch():
    sets = draw_sets(64, 5, 40, generator=rng())
    whole = learn(7, (2,), sets, steps=50)
    with pieces.budget(1):
        single = learn(7, (2,), sets, steps=50)
    assert torch.equal(whole.weights, single.weights)
    assert torch.equal(whole.stored, single.stored)


@pytest.mark.parametrize(("neurons", "degrees"), [(5, (2,)), (4, (1, 2))])
def test_a_sample_agrees_with_the_list_of_all_faces(neurons, degrees):
    found = storage_complex(neurons, degrees)
    for size in (2, 3, 4):
        seen = sample(neurons, degrees, size, 3000, generator=rng(size))
        share = found.f_vector[size - 1] / math.comb(found.vertices, size)
        assert seen.total == math.comb(found.vertices, size)
        assert seen.stored + seen.refused == seen.drawn == 3000
        # Five standard errors: the draws are independent.
        assert abs(seen.stored / 3000 - share) < 5 * (share * (1 - share) / 3000) ** 0.5


@pytest.mark.parametrize(("neurons", "degrees"), [(3, (1, 2)), (4, (2,)), (4, (1, 3)), (5, (2,))])
def test_a_climb_ends_at_a_face_that_nothing_can_join(neurons, degrees):
    found = storage_complex(neurons, degrees)
    sets, fit = climbs(neurons, degrees, 4, rng=np.random.default_rng(1))
    assert fit.any()
    assert not fit.all()
    np.testing.assert_array_equal(fit, found.contains(sets))
    for walk, answers in zip(sets.reshape(4, -1), fit.reshape(4, -1), strict=True):
        end = walk[answers][-1]
        outside = [vertex for vertex in range(found.vertices) if not int(end) >> vertex & 1]
        assert not found.contains(end | np.uint64(1) << np.array(outside, dtype=np.uint64)).any()


def test_a_linear_programme_finds_what_an_impatient_rule_leaves():
    patient = sample(5, (2,), 4, 300, generator=rng(), steps=200)
    hasty = sample(5, (2,), 4, 300, generator=rng(), steps=1)
    assert (patient.stored, patient.refused) == (hasty.stored, hasty.refused)
    assert hasty.programmes >= patient.programmes
    # Two states that do not fit are one flip apart, and that is seen at once.
    pairs = sample(5, (2,), 2, 300, generator=rng())
    assert pairs.refused > 0
    assert pairs.programmes == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_learns_the_same_weights():
    sets = draw_sets(64, 6, 200, generator=rng())
    here, there = learn(7, (2,), sets), learn(7, (2,), sets.cuda())
    assert torch.equal(here.weights, there.weights.cpu())
    assert torch.equal(here.stored, there.stored.cpu())


@pytest.mark.parametrize(("call", "message"), [
    (lambda: draw_sets(4, 5, 1, generator=rng()), "size: expected an integer in [1, 4]; got 5."),
    (lambda: draw_sets(4, 2, 0, generator=rng()), "sets: expected an integer >= 1; got 0."),
    (lambda: draw_sets(4, 2, 1, generator=None), "generator: expected a torch.Generator"),
    (lambda: learn(3, (2,), [[0]]), "sets: expected an int64 tensor with axes (sets, states), none empty; got list."),
    (lambda: learn(3, (2,), torch.zeros(1, 2)), "got torch.float32 of shape (1, 2). See draw_sets."),
    (lambda: learn(3, (2,), torch.tensor([[4]])), "sets: expected states 0 to 3; got 4 to 4."),
    (lambda: learn(3, (2,), torch.tensor([[0]]), steps=0), "steps: expected an integer in [1, 10000]; got 0."),
    (lambda: sample(3, (2,), 5, 1, generator=rng()), "size: expected an integer in [1, 4]; got 5."),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)


def test_whole_numbers_that_single_precision_may_not_hold_are_taken_in_double():
    # Conditions (states times units) times couplings times the root of the steps: 18 * 21 * 1.4, and 18000 * 41 * 100.
    few = torch.arange(16)[None].repeat(1, 3)
    assert learn(6, (1, 2), few, steps=1).weights.dtype == torch.float32
    many = torch.zeros(1, 3000, dtype=torch.int64)
    assert learn(6, (1, 2, 3), many, steps=10000).weights.dtype == torch.float64
