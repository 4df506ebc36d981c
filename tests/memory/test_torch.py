"""Every model is a citizen of torch: it can be mapped, differentiated, compiled, moved, saved, and its numbers learned.

The lists of models are those of the laws.
"""

import ast
import io
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils import _pytree as pytree

from memscape import memory
from memscape.memory import attention, hopfield, lagrangians
from memscape.memory.energy_transformer import EnergyTransformer
from memscape.memory.lagrangians import LayerNorm

from ..draws import normal
from .test_laws import every_graded_model, every_model, motion, patterns, spins

probes = pytest.mark.parametrize("probes", [(), (3,), (2, 3)], ids=str)


def leaves(built):
    return pytree.tree_leaves(built)


@every_graded_model
@probes
def test_states_can_be_mapped_over(model, probes):
    xi = normal(1, 5, 6) / 2
    built, state = model.build(xi), model.state(2, xi, 4, *probes)
    torch.testing.assert_close(torch.vmap(built.energy)(state), built.energy(state), rtol=1e-12, atol=1e-12)
    mapped = torch.vmap(lambda one: motion(built, one))(state)
    torch.testing.assert_close(mapped, motion(built, state), rtol=1e-12, atol=1e-12)


@every_graded_model
@probes
def test_patterns_can_be_mapped_over(model, probes):
    xi = normal(3, 4, 5, 6) / 2
    state = model.state(4, xi[0], *probes)
    built = [model.build(one) for one in xi]
    energy = torch.vmap(lambda one: model.build(one).energy(state))(xi)
    torch.testing.assert_close(energy, torch.stack([one.energy(state) for one in built]), rtol=1e-12, atol=1e-12)
    # The same with the models themselves, stacked tensor by tensor.
    stacked = pytree.tree_map(lambda *each: torch.stack(each), *built)
    states = model.state(5, xi[0], 4, *probes)
    moved = torch.vmap(motion)(stacked, states)
    expected = torch.stack([motion(one, state) for one, state in zip(built, states, strict=True)])
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-12)


@every_graded_model
def test_every_example_has_its_own_gradient(model):
    xi = normal(6, 5, 6) / 2
    state = model.state(7, xi, 4)

    def energy(built, one):
        return built.energy(one)

    built = model.build(xi)
    found = torch.vmap(torch.func.grad(energy), in_dims=(None, 0))(built, state)
    for index, one in enumerate(state):
        held = built.map(lambda tensor: tensor.detach().clone().requires_grad_())
        slopes = torch.autograd.grad(held.energy(one), leaves(held), allow_unused=True)
        for slope, each in zip(slopes, leaves(found), strict=True):
            expected = torch.zeros_like(each[index]) if slope is None else slope
            torch.testing.assert_close(each[index], expected, rtol=1e-10, atol=1e-12)


@every_graded_model
@pytest.mark.parametrize("probes", [(), (3,)], ids=str)
def test_energy_and_motion_compile_without_a_break(model, probes):
    xi = normal(8, 5, 6) / 2
    built, state = model.build(xi), model.state(9, xi, *probes)
    torch.compiler.reset()

    def both(one):
        return built.energy(one), motion(built, one)

    def anew(patterns, one):
        return motion(model.build(patterns), one)

    energy, moved = torch.compile(both, backend="eager", fullgraph=True)(state)
    torch.testing.assert_close(energy, built.energy(state), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(moved, motion(built, state), rtol=1e-12, atol=1e-12)
    again = torch.compile(anew, backend="eager", fullgraph=True)(xi, state)
    torch.testing.assert_close(again, motion(built, state), rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's compiler on torch's scripts
def test_a_compiled_retrieval_is_the_retrieval():
    # The one test that makes machine code: it takes half a minute.
    built, state = attention.ModernHopfield(normal(10, 5, 6), 1.3), normal(11, 3, 6)
    torch.compiler.reset()
    compiled = torch.compile(lambda one: built.update(one), fullgraph=True)
    torch.testing.assert_close(compiled(state), built.update(state))


def learned(build, beta, state, target, rate):
    """The number that autograd finds so that the model takes the state to the target."""
    number = torch.tensor(beta, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([number], lr=rate)
    for _ in range(300):
        optimiser.zero_grad()
        (motion(build(number), state) - target).square().mean().backward()
        optimiser.step()
    return number.item()


XI = normal(12, 5, 6) / 2
REALS = {
    "modern Hopfield": (lambda beta: attention.ModernHopfield(XI, beta), 6),
    "gain of 1984": (lambda gain: hopfield.Graded(XI.mT @ XI + (XI.mT @ XI).mT, XI.new_zeros(6), gain), 6),
    "resistance of 1984": (lambda r: hopfield.Graded(XI.mT @ XI + (XI.mT @ XI).mT, XI.new_zeros(6), 1.0, r), 6),
    "gain of model A": (lambda gain: lagrangians.model_a(XI, gain=gain), 11),
    "beta of model B": (lambda beta: lagrangians.model_b(XI, beta=beta), 11),
    "time of model C": (lambda time: lagrangians.model_c(XI, time_hidden=time), 11),
    "energy transformer": (
        lambda beta: EnergyTransformer(XI[None], XI[None], XI, LayerNorm(XI.new_ones(()), XI.new_zeros(6)), beta),
        (4, 6),
    ),
}


@pytest.mark.parametrize("name", REALS)
def test_a_real_parameter_is_learned_by_autograd(name):
    build, axes = REALS[name]
    state = normal(13, 20, *(axes if isinstance(axes, tuple) else (axes,)))
    target = motion(build(1.7), state)
    assert learned(build, 0.8, state, target, 0.03) == pytest.approx(1.7, abs=1e-3)
    tensor = torch.tensor(1.7, dtype=torch.float64)
    torch.testing.assert_close(motion(build(tensor), state), target)
    torch.testing.assert_close(build(tensor).energy(state), build(1.7).energy(state))


def test_attention_takes_a_tensor_for_beta_and_a_mask_under_vmap():
    q, k, v = normal(14, 3, 4, 6), normal(15, 3, 5, 6), normal(16, 3, 5, 2)
    mask = normal(17, 4, 5) > 0
    mask[:, 0] = True
    expected = attention.attend(q, k, v, beta=0.7, mask=mask)
    torch.testing.assert_close(attention.attend(q, k, v, beta=torch.tensor(0.7, dtype=q.dtype), mask=mask), expected)
    mapped = torch.vmap(lambda *qkv: attention.attend(*qkv, beta=0.7, mask=mask))(q, k, v)
    torch.testing.assert_close(mapped, expected)


@every_graded_model
def test_graded_models_move_and_are_saved(model):
    xi = normal(18, 5, 6) / 2
    built, state = model.build(xi), model.state(19, xi, 3)
    single = built.to(torch.float32)
    torch.testing.assert_close(single.energy(state.float()).double(), built.energy(state), rtol=1e-4, atol=1e-4)
    saved_and_loaded(built, built.energy, lambda again: again.energy(state), state)


@every_model
def test_models_of_binary_units_move_and_are_saved(model):
    built, state = model.build(patterns(20, 6, 3)), spins(21, 4, 6)
    single = built.to(torch.float32)
    assert single.update(state.float()).dtype == torch.float32
    saved_and_loaded(built, built.energy, lambda again: again.energy(state), state)


def saved_and_loaded(built, energy, again, state):
    expected = energy(state)  # whatever tables it makes are not saved
    file = io.BytesIO()
    torch.save(built, file)
    file.seek(0)
    assert torch.equal(again(torch.load(file)), expected)
    assert torch.equal(again(pytree.tree_map(lambda tensor: tensor, built)), expected)


DRAWS = """
import torch
import numpy as np
from memscape.homotopy import sampling
from memscape.memory import completion, energy_transformer, patterns, robust, simplicial
from memscape.memory.dense import DenseMemory, Exponential, Rectified
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.hopfield import hebbian
from memscape.polytopes import graph_rules, input_space, splines
from memscape.polytopes.threshold_linear import ThresholdLinear, fixed_points, lyapunov_exponents
from memscape.tools import complexes
from memscape.tools.training import balanced_batches


def drawn():
    g = torch.Generator().manual_seed(1)
    xi = patterns.random_patterns(3, 6, generator=g)
    state = patterns.flip(xi, 2, generator=g)
    yield xi, state
    for model in (hebbian(xi), DenseMemory(xi, Rectified(3)), DenseMemory(xi, Exponential()),
                  simplicial.store(xi, complexes.sample(6, {2: 5}, generator=g))):
        yield model.energy(state), model.update(state)
        yield asynchronous(model, state, sweeps=3, temperature=0.5, generator=g).state, synchronous(model, state).period
    yield robust.random_cliques(6, 3, 4, generator=g), robust.every_clique(5, 3)
    yield completion.hide(3, 4, 2, generator=g), balanced_batches(torch.arange(8, device="cpu") % 2, 4, generator=g)
    sets = sampling.draw_sets(16, 3, 5, generator=g)
    yield sets, sampling.learn(4, (1, 2), sets).weights
    stored = sampling.sample(4, (2,), 3, 9, generator=g).stored
    yield torch.tensor([stored], device="cpu"), splines.folding(2).weights[1]
    weights = torch.eye(3, device="cpu", dtype=torch.float64) - 1
    regions = input_space.input_regions(weights)
    found = fixed_points(ThresholdLinear(weights / 2, regions.inputs), activities=True)
    yield regions.inputs, found.activities
    ring = graph_rules.network(25, 3, graph_rules.Parameters("1/4", "1/2"))
    yield ring.weights, lyapunov_exponents(ring, regions.inputs, step=0.1, steps=9)
    block = energy_transformer.random_transformer(4, heads=1, width=2, memories=3, rng=np.random.default_rng(0))
    yield block.queries, block.flow(torch.ones(2, 4, dtype=torch.float64, device="cpu"))


before = [tensor.sum().item() for pair in drawn() for tensor in pair]
torch.set_default_device("meta")
assert [tensor.sum().item() for pair in drawn() for tensor in pair] == before
"""


MAKERS = {
    "arange", "as_tensor", "empty", "eye", "full", "linspace", "ones", "rand", "randint", "randn", "randperm", "tensor",
    "tril_indices", "triu_indices", "zeros",
}  # fmt: skip


def without_a_place(source: str) -> list[int]:
    """Lines where a tensor is made wherever the user's default device is."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "torch"
        and node.func.attr in MAKERS
        and not any(keyword.arg in ("device", None) for keyword in node.keywords)
    ]


def test_whatever_is_made_says_on_which_device():
    assert without_a_place("torch.zeros(3)\ntorch.zeros(3, device=d)\ntorch.ones(2, **place)") == [1]
    package = Path(memory.__file__).parents[1]
    found = {
        f"{path.relative_to(package)}:{line}"
        for part in ("tools", "memory", "capacity", "polytopes", "homotopy")
        for path in (package / part).glob("*.py")
        for line in without_a_place(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_another_default_device_changes_no_draw():
    found = subprocess.run([sys.executable, "-c", DRAWS], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


# A fake tensor may lie on a device that this machine does not have, and mixing devices raises. On "cuda" a build of
# torch for CPUs refuses to index it; "lazy" is a device that every build knows. Nothing is computed, so what depends
# on values cannot be run this way and is left out: the flips of a tracker and with them the dynamics, rules that learn
# (projection, minimum probability flow), whose models are built on the CPU and moved, and networks on listed
# simplices, which choose their precision by the size of their couplings.
ELSEWHERE = "lazy:0"
BY_VALUES = {"every triangle, edge and vertex"}


def methods(built):
    """Public methods of a model, those of every model left out."""
    return {
        name for name in dir(built) if name[0] != "_" and name not in ("map", "to") and callable(getattr(built, name))
    } - {"networks"}


def lies_elsewhere(found):
    tensors = [leaf for leaf in pytree.tree_leaves(found) if isinstance(leaf, torch.Tensor)]
    assert tensors
    assert all(str(tensor.device) == ELSEWHERE for tensor in tensors)


def elsewhere(shape):
    return torch.empty(shape, dtype=torch.float64, device=ELSEWHERE)


def pretended():
    return torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True)


@every_model
def test_no_model_of_binary_units_leaves_its_device(model):
    if model.name in BY_VALUES:
        pytest.skip("its precision depends on values")
    built, state = model.build(patterns(22, 6, 3, (2,))), spins(23, 2, 4, 6)
    near = {name: getattr(built, name)(state) for name in methods(built) - {"track", "dense"}}
    with pretended():
        far = built.to(ELSEWHERE)
        there = elsewhere(state.shape)
        for name, expected in near.items():
            found = getattr(far, name)(there)
            lies_elsewhere(found)
            assert found.shape == expected.shape
        if model.name == "clique":
            return  # its tracker lists the ends of all edges
        tracker = far.track(there)
        lies_elsewhere(tracker.field(1))
        lies_elsewhere(tracker.state)


@every_graded_model
def test_no_model_of_graded_units_leaves_its_device(model):
    xi = normal(24, 5, 6) / 2
    built, state = model.build(xi), model.state(25, xi, 4)
    other = {"adiabatic": (4, 6), "visible": (4, 5)}
    with pretended():
        far = built.to(ELSEWHERE)
        for name in methods(built):
            lies_elsewhere(getattr(far, name)(elsewhere(other.get(name, state.shape))))
        made = model.build(elsewhere(xi.shape))
        lies_elsewhere(motion(made, elsewhere(state.shape)))


def test_a_forgotten_move_is_seen():
    with pretended():
        far = attention.ModernHopfield(elsewhere((5, 6)), 1.0)
        with pytest.raises(RuntimeError, match="same device"):
            far.patterns + torch.ones(6, dtype=torch.float64)
