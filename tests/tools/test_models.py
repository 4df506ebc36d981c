"""What every model can do: move, map over its tensors, be a pytree, be saved."""

import io
from dataclasses import dataclass

import pytest
import torch
from torch.utils import _pytree as pytree

from memscape.arguments import ArgumentError, require_tensor
from memscape.tools.models import Model


@dataclass(frozen=True)
class Part(Model):
    numbers: torch.Tensor
    power: int = 2

    def __post_init__(self) -> None:
        require_tensor("numbers", self.numbers, "axis")


@dataclass(frozen=True)
class Whole(Model):
    part: Part
    several: tuple[torch.Tensor, ...]
    beta: float = 1.0
    mask: torch.Tensor | None = None


def whole() -> Whole:
    return Whole(Part(torch.arange(3.0)), (torch.ones(2), torch.arange(2)), 0.5, torch.tensor([True, False]))


def test_map_changes_floating_tensors_everywhere_and_checks_anew():
    doubled = whole().map(lambda tensor: 2 * tensor)
    assert doubled.part.numbers.tolist() == [0, 2, 4]
    assert [each.tolist() for each in doubled.several] == [[2, 2], [0, 1]]
    assert doubled.mask.tolist() == [True, False]
    with pytest.raises(ArgumentError, match="numbers: expected finite"):
        whole().map(lambda tensor: tensor / 0)


def test_a_model_moves_to_a_device_or_a_dtype_or_both():
    single = whole().to(torch.float16)
    assert single.part.numbers.dtype == single.several[0].dtype == torch.float16
    assert single.several[1].dtype == torch.int64
    assert single.mask.dtype == torch.bool
    assert whole().to("cpu", torch.float64).part.numbers.dtype == torch.float64


def test_a_model_is_a_pytree_of_its_tensors():
    leaves, spec = pytree.tree_flatten(whole())
    assert len(leaves) == 4
    assert pytree.tree_flatten(whole())[1] == spec
    again = pytree.tree_unflatten(["a", "b", "c", "d"], spec)
    assert (again.part.numbers, again.several, again.mask) == ("a", ("b", "c"), "d")
    assert (again.part.power, again.beta) == (2, 0.5)
    assert pytree.tree_flatten(Whole(Part(torch.arange(3.0), 3), whole().several, 0.5, whole().mask))[1] != spec
    paths, _ = pytree.tree_flatten_with_path(whole())
    assert [pytree.keystr(path) for path, _ in paths] == [".part.numbers", ".several[0]", ".several[1]", ".mask"]


def test_functional_transforms_take_a_model():
    slope = torch.func.grad(lambda model: model.part.numbers.square().sum())(Whole(whole().part, (torch.ones(2),)))
    assert slope.part.numbers.tolist() == [0, 2, 4]
    many = pytree.tree_map(lambda tensor: torch.stack([tensor, 2 * tensor]), Part(torch.arange(3.0)))
    assert torch.vmap(lambda part: part.numbers.sum())(many).tolist() == [3, 6]


def test_a_model_is_saved_and_loaded_as_it_comes():
    file = io.BytesIO()
    torch.save(whole(), file)
    file.seek(0)
    again = torch.load(file)
    assert isinstance(again, Whole)
    assert pytree.tree_flatten(again)[1] == pytree.tree_flatten(whole())[1]
    for one, other in zip(pytree.tree_leaves(again), pytree.tree_leaves(whole()), strict=True):
        assert torch.equal(one, other)
