"""Batches, weights to start from and the loop that every model is trained with."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.tools.models import Model
from memscape.tools.training import Normal, adamw, balanced_batches, warm_cosine

F64 = torch.float64


@dataclass(frozen=True)
class Line(Model):
    """y = slope x + offset, with the offset in a part of its own."""

    slope: torch.Tensor
    part: tuple[torch.Tensor, ...]


LINE = Line(torch.tensor(0.0, dtype=F64), (torch.tensor(0.0, dtype=F64),))
X = torch.linspace(-1, 1, 21, dtype=F64)


def losses(line):
    for x in X.split(7):
        yield (line.slope * x + line.part[0] - 3 * x - 1).square().mean()


def test_normal_entries_are_numpys_in_any_dtype():
    draw = Normal(np.random.default_rng(1), torch.float32, "cpu")
    expected = torch.from_numpy(np.random.default_rng(1).normal(0.0, 2.0, (3, 4))).float()
    assert torch.equal(draw(2.0, 3, 4), expected)
    assert torch.equal(draw.full(0.5, 2), torch.tensor([0.5, 0.5]))


def test_batches_are_balanced_and_deal_every_image_before_any_comes_again():
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(5))
    digits = torch.tensor([0] * 30 + [1] * 10 + [2] * 20)[shuffled]
    batches = balanced_batches(digits, 12, generator=torch.Generator().manual_seed(6))
    assert batches.shape == (5, 12)
    for batch in batches:
        assert digits[batch].bincount().tolist() == [4, 4, 4]
    for digit, size in ((0, 30), (1, 10), (2, 20)):
        times = batches[digits[batches] == digit].bincount(minlength=60)[digits == digit]
        assert times.sum() == 20
        assert times.max() - times.min() <= 1 or size == 30
        assert times.max() == math.ceil(20 / size)
    assert not torch.equal(batches, balanced_batches(digits, 12, generator=torch.Generator().manual_seed(7)))


def test_the_loop_trains_every_tensor_and_leaves_the_start_alone():
    *_, (trained, loss) = adamw(LINE, losses, epochs=300, rate=0.05)
    assert trained.slope.item() == pytest.approx(3.0, abs=1e-3)
    assert trained.part[0].item() == pytest.approx(1.0, abs=1e-3)
    assert loss < 1e-5
    assert not trained.slope.requires_grad
    assert LINE.slope == 0
    assert list(adamw(LINE, losses, epochs=0, rate=0.05)) == []


def test_the_first_step_of_adam_has_the_length_of_the_rate_and_the_schedule():
    for schedule, length in ((None, 0.05), (lambda k: 0.5, 0.025)):

        def one(line):
            return iter([next(losses(line))])

        [(trained, _)] = adamw(LINE, one, epochs=1, rate=0.05, schedule=schedule)
        assert abs(trained.slope.item()) == pytest.approx(length, rel=1e-5)


def test_long_gradients_are_shortened_and_weights_decay():
    # Adam forgets how long all gradients are, unless one of them is much longer than the others.
    def steep(line):
        return iter([1e6 * line.slope, *(line.slope for _ in range(9))])

    [(plain, _)], [(cut, _)] = (adamw(LINE, steep, epochs=1, rate=0.05, longest=longest) for longest in (None, 1.0))
    assert cut.slope < 2 * plain.slope < 0
    start = Line(torch.tensor(1.0, dtype=F64), LINE.part)
    [(decayed, _)] = adamw(start, lambda line: iter([line.part[0]]), epochs=1, rate=0.05, decay=0.1)
    assert decayed.slope.item() == 1.0  # no gradient, no decay
    [(decayed, _)] = adamw(start, lambda line: iter([0 * line.slope]), epochs=1, rate=0.05, decay=0.1)
    assert decayed.slope.item() == pytest.approx(1 - 0.05 * 0.1)


def test_the_rate_rises_and_falls_to_a_hundredth():
    factor = warm_cosine(100)
    assert [factor(k) for k in (0, 1, 3)] == [0.2, 0.4, 0.8]
    assert factor(50) == pytest.approx(0.505)
    assert factor(100) == factor(1000) == pytest.approx(0.01)
    assert math.isclose(warm_cosine(1)(0), 1.0)


DIGITS, GENERATOR, RNG = torch.arange(40) % 4, torch.Generator().manual_seed(0), np.random.default_rng(0)
REFUSED = [
    (
        lambda: balanced_batches(DIGITS * 2, 8, generator=GENERATOR),
        "digits: expected every class 0, 1, ... at least once; got no 1",
    ),
    (lambda: balanced_batches(DIGITS, 6, generator=GENERATOR), "batch: expected a multiple of the 4 classes; got 6"),
    (lambda: balanced_batches(DIGITS, 80, generator=GENERATOR), "batch: expected an integer in [1, 40]; got 80"),
    (
        lambda: balanced_batches(DIGITS, 8, generator=np.random.default_rng(0)),
        "generator: expected a torch.Generator; got Generator",
    ),
    (lambda: balanced_batches(DIGITS - 1, 8, generator=GENERATOR), "digits: expected classes 0, 1, ...; got -1"),
    (lambda: Normal(0, F64, "cpu"), "rng: expected a numpy.random.Generator; got int"),
    (lambda: next(adamw(LINE, losses, epochs=-1, rate=1.0)), "epochs: expected an integer >= 0; got -1"),
    (lambda: next(adamw(LINE, losses, epochs=1, rate=0.0)), "rate: expected a finite number > 0 and <= 1e+30; got 0"),
    (
        lambda: next(adamw(LINE, losses, epochs=1, rate=1.0, decay=-1.0)),
        "decay: expected a finite number in [0, 1e+30]; got -1",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message.split(";")[0] for _, message in REFUSED])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
