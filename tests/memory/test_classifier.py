"""The classifier against the textbook formulas, differentiated by autograd, and its recipe against a plain loop."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory import classifier as module
from memscape.memory.classifier import Classifier, Schedule, error_rate, gradient, random_classifier, train
from memscape.tools import pieces
from memscape.tools.training import balanced_batches

CLASSES, PIXELS = 4, 20

every_form = pytest.mark.parametrize(
    ("power", "size"), list(itertools.product((2, 3, 5, 20), (0.0, 0.3, 1.0))), ids=lambda value: str(value)
)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def machine(power: int, size: float, *, seed: int = 0, memories: int = 9, dtype=torch.float64) -> Classifier:
    return random_classifier(
        memories, PIXELS, CLASSES, power=power, temperature=5.0, size=size, rng=rng(seed), dtype=dtype
    )


def data(seed: int, samples: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = rng(seed)
    images = torch.from_numpy(generator.uniform(-1, 1, (samples, PIXELS)))
    return images, torch.arange(samples) % CLASSES


def textbook(images_part, labels_part, like: Classifier, images) -> torch.Tensor:
    """Outputs (samples, classes) from concatenated visible units: eq. 9, and eq. 10 for size 0."""
    n, temperature, size = like.power, like.temperature, like.size
    if size == 0.0:
        hidden = n * torch.relu(images @ images_part.T) ** (n - 1)
        return torch.tanh(2 * temperature**-n * hidden @ labels_part)
    memories, columns = torch.cat([images_part, labels_part], dim=1), []
    for label in range(labels_part.shape[1]):
        down = -size * torch.ones(len(images), labels_part.shape[1], dtype=images.dtype)
        up = down.clone()
        up[:, label] = size
        energies = [torch.relu(torch.cat([images, x], dim=1) @ memories.T) ** n for x in (up, down)]
        columns.append((energies[0] - energies[1]).sum(dim=1))
    return torch.tanh(temperature**-n / size * torch.stack(columns, dim=1))


def textbook_gradient(model: Classifier, images, digits, loss: int) -> list[torch.Tensor]:
    parts = [part.clone().requires_grad_() for part in (model.images, model.labels)]
    targets = 2.0 * torch.nn.functional.one_hot(digits, model.labels.shape[1]) - 1.0
    total = (textbook(*parts, model, images) - targets).abs().pow(loss).sum()
    return list(torch.autograd.grad(total, parts))


@every_form
def test_inputs_are_those_of_the_textbook(power, size):
    model, (images, _) = machine(power, size), data(1)
    torch.testing.assert_close(
        model.inputs(images).tanh(), textbook(model.images, model.labels, model, images), rtol=1e-9, atol=1e-12
    )
    for label in range(CLASSES):
        shares = model.contributions(images, torch.full((len(images),), label))
        assert shares.shape == (len(images), len(model.labels))
        torch.testing.assert_close(shares.sum(dim=-1), model.inputs(images)[:, label], rtol=1e-9, atol=1e-12)


@every_form
def test_contributions_look_at_the_label_asked_for_and_at_one_memory_at_a_time(power, size):
    model, (images, digits) = machine(power, size), data(14)
    shares = model.contributions(images, digits)
    for k in range(len(model.labels)):
        alone = replace(model, images=model.images[k : k + 1], labels=model.labels[k : k + 1])
        expected = alone.inputs(images)[torch.arange(len(images)), digits]
        torch.testing.assert_close(shares[:, k], expected, rtol=1e-9, atol=1e-14)


@every_form
@pytest.mark.parametrize("loss", [2, 4, 60])
def test_the_gradient_is_that_of_autograd_on_the_textbook_formula(power, size, loss):
    model, (images, digits) = machine(power, size), data(2)
    for found, expected in zip(
        gradient(model, images, digits, loss=loss), textbook_gradient(model, images, digits, loss), strict=True
    ):
        assert expected.abs().max() > 0
        torch.testing.assert_close(found / expected.abs().max(), expected / expected.abs().max(), rtol=0, atol=1e-12)


@every_form
def test_blocks_of_images_change_nothing(power, size):
    model, (images, digits) = machine(power, size), data(3)
    whole = [model.inputs(images), *gradient(model, images, digits, loss=4)]
    with pieces.budget(4 * 7 * 9 * (CLASSES + 1)):
        blocks = [model.inputs(images), *gradient(model, images, digits, loss=4)]
    for one, other in zip(whole, blocks, strict=True):
        # Terms cancel in some entries: what they leave is as exact as the largest entry, not as they are.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12 * one.abs().max().item())


@pytest.mark.parametrize("power", [2, 3, 20])
def test_small_labels_make_the_memory_a_network_with_one_hidden_layer(power):
    # Krotov & Hopfield 2016, eq. 10: the difference of outputs vanishes with the size of the labels.
    images, _ = data(4, samples=400)
    network = machine(power, 0.0).inputs(images)
    distances = [
        (machine(power, size).inputs(images) - network).abs().max().item() / network.abs().max().item()
        for size in (1e-1, 1e-2, 1e-3, 1e-4)
    ]
    for larger, smaller in itertools.pairwise(distances):
        assert 0.05 < smaller / larger < 0.2, "of first order in the size"
    assert distances[-1] < 1e-3


@pytest.mark.parametrize("power", [2, 3, 30])
@pytest.mark.parametrize("size", [0.0, 1.0])
def test_single_precision_gives_the_same_directions(power, size):
    images, digits = data(5)
    model = replace(machine(power, size), temperature=9.0)
    single = Classifier(model.images.float(), model.labels.float(), power, model.temperature, size)
    precise = torch.cat(gradient(model, images, digits, loss=8), dim=1)
    rough = -module._descent(single, images.float(), digits, 8).entries
    for one, other in zip(precise, rough, strict=True):
        torch.testing.assert_close((other / other.abs().max()).double(), one / one.abs().max(), rtol=0, atol=1e-4)


def test_a_memory_that_no_image_excites_neither_moves_nor_breaks_anything():
    model, (images, digits) = machine(3, 1.0), data(6)
    dark = model.images.clone()
    dark[4] = 0.0
    labels = model.labels.clone()
    labels[4] = 0.0
    model = replace(model, images=dark, labels=labels)
    for part in gradient(model, images, digits, loss=4):
        assert part.isfinite().all()
        assert (part[4] == 0).all()
        assert (part[3] != 0).any()
    schedule = Schedule(epochs=2, loss=4, hot=5.0, cold=5.0, batch=20)
    *_, trained = train(model, images, digits, schedule, generator=torch.Generator().manual_seed(0))
    assert (trained.images[4] == 0).all()
    assert trained.images.isfinite().all()


@pytest.mark.parametrize(("power", "loss", "size"), [(2, 4, 1.0), (3, 6, 0.0), (20, 60, 1.0)])
def test_training_is_the_published_recipe(power, loss, size):
    model, (images, digits) = machine(power, size), data(7)
    schedule = Schedule(epochs=3, loss=loss, hot=8.0, cold=4.0, ramp=2, rate=0.05, decay=0.9, momentum=0.7, batch=8)
    trained = list(train(model, images, digits, schedule, generator=torch.Generator().manual_seed(1)))
    order = torch.Generator().manual_seed(1)
    weights, velocity = torch.cat([model.images, model.labels], dim=1), 0.0
    for epoch, temperature in enumerate((8.0, 6.0, 4.0)):
        for batch in balanced_batches(digits, 8, generator=order):
            now = Classifier(weights[:, :PIXELS], weights[:, PIXELS:], power, temperature, size)
            uphill = torch.cat(textbook_gradient(now, images[batch], digits[batch], loss), dim=1)
            # The temperature scales the whole gradient; their recipe leaves that factor out of the momentum.
            velocity = 0.7 * velocity - uphill * temperature**power
            largest = velocity.abs().amax(dim=1, keepdim=True)
            weights = (weights + 0.05 * 0.9**epoch * velocity / largest).clamp(-1.0, 1.0)
        assert trained[epoch].temperature == temperature
        torch.testing.assert_close(
            torch.cat([trained[epoch].images, trained[epoch].labels], dim=1), weights, rtol=0, atol=1e-7
        )
    assert torch.equal(model.images, machine(power, size).images), "the classifier passed in is left alone"
    assert (weights.abs() == 1.0).any(), "clipping was put to use"


@pytest.mark.parametrize(("power", "size"), [(2, 1.0), (3, 0.0), (20, 1.0)])
def test_it_learns_to_tell_noisy_templates_apart(power, size):
    generator = rng(8)
    templates = generator.choice((-1.0, 1.0), (CLASSES, PIXELS))
    digits = torch.arange(400) % CLASSES
    noise = generator.normal(0, 0.5, (400, PIXELS))
    images = torch.from_numpy((templates[digits.numpy()] + noise).clip(-1, 1))
    schedule = Schedule(epochs=30, loss=4, hot=15.0, cold=15.0, batch=20, rate=0.1, decay=0.9)
    start = machine(power, size, memories=24)
    *_, trained = train(start, images[:200], digits[:200], schedule, generator=torch.Generator().manual_seed(2))
    assert error_rate(start, images[200:], digits[200:]) > 0.4
    assert error_rate(trained, images[200:], digits[200:]) < 0.05
    assert max(trained.images.abs().max(), trained.labels.abs().max()) <= 1.0


def test_training_repeats_itself_and_depends_on_the_generator():
    images, digits = data(9)
    schedule = Schedule(epochs=2, loss=4, hot=5.0, cold=5.0, batch=8)
    ends = [
        list(train(machine(2, 1.0), images, digits, schedule, generator=torch.Generator().manual_seed(seed)))[-1]
        for seed in (3, 3, 4)
    ]
    assert torch.equal(ends[0].images, ends[1].images)
    assert not torch.equal(ends[0].images, ends[2].images)


def test_error_rate_counts_wrong_answers():
    model, (images, digits) = machine(2, 1.0), data(10)
    wrong = sum(int(row.argmax()) != digit for row, digit in zip(model.inputs(images), digits.tolist(), strict=True))
    assert 0 < wrong < 40
    assert error_rate(model, images, digits) == wrong / 40


def test_the_temperature_goes_down_the_ramp_and_stays():
    schedule = Schedule(epochs=300, loss=4, hot=300.0, cold=100.0, ramp=200)
    assert [schedule.temperature(epoch) for epoch in (0, 50, 200, 299)] == [300.0, 250.0, 100.0, 100.0]
    assert Schedule(epochs=1, loss=4, hot=300.0, cold=100.0, ramp=0).temperature(0) == 100.0


def test_random_memories_are_normal_and_the_same_in_any_dtype():
    large = random_classifier(300, 200, 10, power=2, temperature=1.0, rng=rng(11), dtype=torch.float64)
    assert large.images.mean().item() == pytest.approx(-0.3, abs=0.01)
    assert large.labels.std().item() == pytest.approx(0.3, abs=0.02)
    single = random_classifier(300, 200, 10, power=2, temperature=1.0, rng=rng(11))
    assert torch.equal(single.images, large.images.float())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("size", [0.0, 1.0])
def test_cpu_and_cuda_agree(size):
    model, (images, digits) = machine(3, size), data(12)
    far = Classifier(model.images.cuda(), model.labels.cuda(), 3, model.temperature, size)
    schedule = Schedule(epochs=2, loss=4, hot=5.0, cold=5.0, batch=20)
    here = list(train(model, images, digits, schedule, generator=torch.Generator().manual_seed(8)))[-1]
    there = list(train(far, images.cuda(), digits.cuda(), schedule, generator=torch.Generator().manual_seed(8)))[-1]
    assert there.images.is_cuda
    torch.testing.assert_close(there.images.cpu(), here.images, rtol=0, atol=1e-9)


MODEL, (IMAGES, DIGITS) = machine(2, 1.0), data(13)
PLAN = Schedule(epochs=1, loss=4, hot=1.0, cold=1.0, batch=8)
GENERATOR = torch.Generator()


def plan(**changes) -> Schedule:
    return Schedule(**{"epochs": 1, "loss": 4, "hot": 1.0, "cold": 1.0, **changes})


def start(**changes) -> Classifier:
    return random_classifier(
        **{"memories": 2, "pixels": 3, "classes": 2, "power": 2, "temperature": 1.0, "rng": rng(0), **changes}
    )


REFUSED = [
    (lambda: replace(MODEL, images=MODEL.images[0]), "images: expected axes (memories, pixels); got shape (20,)"),
    (lambda: replace(MODEL, images=MODEL.images / 0), "images: expected finite values; got"),
    (lambda: replace(MODEL, labels=MODEL.labels[:3]), "labels: expected axes (memories, classes) with memories = 9"),
    (lambda: replace(MODEL, labels=MODEL.labels.float()), "labels: expected float64; got float32"),
    (lambda: replace(MODEL, labels=MODEL.labels.to("meta")), "labels: expected device cpu; got meta"),
    (
        lambda: replace(MODEL, labels=MODEL.labels[:, :0]),
        "labels: expected axes (memories, classes) with no empty axis; got shape (9, 0)",
    ),
    (lambda: replace(MODEL, power=1), "power: expected an integer >= 2; got 1"),
    (lambda: replace(MODEL, power=2.0), "power: expected an integer >= 2; got 2.0"),
    (lambda: replace(MODEL, temperature=0.0), "temperature: expected a finite number > 0; got 0"),
    (lambda: replace(MODEL, size=-1.0), "size: expected a finite number >= 0; got -1"),
    (lambda: MODEL.inputs(IMAGES[:, :5]), "images: expected axes (samples, pixels) with pixels = 20; got shape"),
    (lambda: MODEL.inputs(IMAGES.float()), "images: expected float64; got float32"),
    (lambda: MODEL.inputs(IMAGES.numpy()), "images: expected a torch.Tensor; got ndarray"),
    (lambda: MODEL.contributions(IMAGES * math.nan, DIGITS), "images: expected finite values; got nan"),
    (lambda: MODEL.contributions(IMAGES, DIGITS + 9), "digits: expected classes below 4; got 12"),
    (lambda: MODEL.contributions(IMAGES, DIGITS[:3]), "digits: expected one class for each of 40 images; got 3"),
    (lambda: plan(epochs=0), "epochs: expected an integer >= 1; got 0"),
    (lambda: plan(loss=3), "loss: expected an even exponent; got 3"),
    (lambda: plan(loss=0), "loss: expected an integer in [2, 512]; got 0"),
    (lambda: plan(hot=0.0), "hot: expected a finite number > 0; got 0"),
    (lambda: plan(cold=-1.0), "cold: expected a finite number > 0; got -1"),
    (lambda: plan(ramp=-1), "ramp: expected an integer >= 0; got -1"),
    (lambda: plan(rate=0.0), "rate: expected a finite number > 0; got 0"),
    (lambda: plan(decay=1.5), "decay: expected a finite number > 0 and <= 1; got 1.5"),
    (lambda: plan(momentum=1.5), "momentum: expected a finite number in [0, 1]; got 1.5"),
    (lambda: plan(batch=0), "batch: expected an integer >= 1; got 0"),
    (lambda: start(memories=0), "memories: expected an integer >= 1; got 0"),
    (lambda: start(pixels=-3), "pixels: expected an integer >= 1; got -3"),
    (lambda: start(classes=True), "classes: expected an integer >= 1; got True (bool)"),
    (lambda: start(mean=math.inf), "mean: expected a finite number; got inf"),
    (lambda: start(deviation=-0.1), "deviation: expected a finite number in [0, 1e+300]; got -0.1"),
    (lambda: start(rng=GENERATOR), "rng: expected a numpy.random.Generator; got Generator"),
    (lambda: error_rate(MODEL, IMAGES, DIGITS.double()), "digits: expected a non-empty int64 tensor with axes (sampl"),
    (lambda: error_rate(MODEL, IMAGES, DIGITS.tolist()), "digits: expected a non-empty int64 tensor with axes (sampl"),
    (lambda: error_rate(MODEL, IMAGES[:, :3], DIGITS), "images: expected axes (samples, pixels) with pixels = 20; got"),
    (lambda: error_rate(MODEL, IMAGES, DIGITS[:5]), "digits: expected one class for each of 40 images; got 5"),
    (lambda: error_rate(MODEL, IMAGES, DIGITS + 1), "digits: expected classes below 4; got 4"),
    (lambda: error_rate(MODEL, IMAGES, DIGITS - 1), "digits: expected classes 0, 1, ...; got -1"),
    (lambda: error_rate(MODEL, IMAGES, DIGITS.to("meta")), "digits: expected device cpu; got meta"),
    (lambda: gradient(MODEL, IMAGES, DIGITS, loss=5), "loss: expected an even exponent; got 5"),
    (lambda: gradient(MODEL, IMAGES[:, :3], DIGITS, loss=4), "images: expected axes (samples, pixels)"),
    (lambda: gradient(MODEL, IMAGES, DIGITS[:3], loss=4), "digits: expected one class for each of 40 images; got 3"),
    (lambda: train(MODEL, IMAGES.float(), DIGITS, PLAN, generator=GENERATOR), "images: expected float64; got float32"),
    (lambda: train(MODEL, IMAGES, DIGITS[:3], PLAN, generator=GENERATOR), "digits: expected one class for each of 40"),
    (lambda: train(MODEL, IMAGES, DIGITS, PLAN, generator=None), "generator: expected a torch.Generator; got NoneType"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message.split(";")[0] for _, message in REFUSED])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize("size", [1.0, 0.0])
def test_powers_beyond_the_range_of_the_dtype_are_refused(size):
    images, digits = torch.ones(4, 16, dtype=torch.float32), torch.zeros(4, dtype=torch.int64)
    # An overlap of 16 at temperature 1: 16**31 = 2**124 fits a float32, whose range ends at 2**128, 16**40 does not.
    fits, beyond = (
        Classifier(torch.ones(1, 16), torch.tensor([[0.25, -0.25]]), power, 1.0, size) for power in (30, 40)
    )
    assert fits.inputs(images).isfinite().all()
    for call in (
        lambda: beyond.inputs(images),
        lambda: beyond.contributions(images, digits),
        lambda: gradient(beyond, images, digits, loss=4),
    ):
        with pytest.raises(ArgumentError, match="^power: "):
            call()
