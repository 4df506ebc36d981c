"""The mixture on the sphere, against its definition, autograd and exact integrals (Theriault & Tantari 2025)."""

import math

import numpy as np
import pytest
import torch
from scipy.special import gammaln, ive

from memscape.arguments import ArgumentError
from memscape.memory import saddles
from memscape.memory.saddles import (
    Mixture,
    Recipe,
    critical_point,
    duplicate,
    gradient,
    log_normaliser,
    normalise,
    random_mixture,
    residual,
    soften,
    train,
)

F64 = torch.float64
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def cloud(seed: int, count: int = 40, neurons: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Images around three directions with their classes as targets."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, count)
    points = rng.normal(size=(3, neurons))[kinds] + 0.7 * rng.normal(size=(count, neurons))
    return normalise(torch.from_numpy(points)), soften(torch.from_numpy(kinds), classes=3, softening=0.1, dtype=F64)


def mixture(seed: int, memories: int = 4, beta: float = 6.0) -> tuple[Mixture, torch.Tensor, torch.Tensor]:
    images, targets = cloud(seed)
    model = random_mixture(
        memories,
        images.mean(dim=0),
        targets.mean(dim=0),
        beta=beta,
        spread=1.0,
        background=0.5,
        rng=np.random.default_rng(seed),
    )
    return model, images, targets


def test_the_joint_density_is_the_sum_written_out():
    model, images, _ = mixture(1)
    omega = math.exp(log_normaliser(6.0, 12))
    for y in range(4):
        total = float(model.weights[-1, y])
        for mu in range(4):
            total += float(model.weights[mu, y]) * math.exp(6.0 * float(model.memories[mu] @ images[0])) / omega
        expected = math.log(total / float(model.weights.sum()))
        assert model.log_joint(images)[0, y].item() == pytest.approx(expected, abs=1e-12)


def test_large_exponents_do_not_overflow():
    model, images, targets = mixture(2, beta=5000.0)
    assert model.log_joint(images).isfinite().all()
    assert gradient(model, images, targets).memories.isfinite().all()


@pytest.mark.parametrize("neurons", [30, 100, 784])
@pytest.mark.parametrize("beta", [0.5, 16.0, 100.0])
def test_the_normalisation_agrees_with_the_exact_one_to_one_over_n(neurons, beta):
    # The next term of the expansion is of relative order 1 / N.
    error = log_normaliser(beta, neurons) - log_normaliser(beta, neurons, exact=True)
    assert abs(error) < 0.5 / neurons


@pytest.mark.parametrize("neurons", [3, 4, 7, 20, 784])
def test_the_expansion_keeps_to_its_bound_at_every_concentration_and_number_of_neurons(neurons):
    order, errors = neurons / 2 - 1, []
    for beta in np.geomspace(1e-2, 3000.0, 60).tolist():
        bessel = ive(order, beta)  # where the hypergeometric function overflows
        exact = (
            log_normaliser(beta, neurons, exact=True)
            if beta < 600
            else gammaln(order + 1) + order * math.log(2 / beta) + math.log(bessel) + beta
        )
        errors.append(abs(log_normaliser(beta, neurons) - exact))
    assert 0.8 / (4 * (neurons - 2)) < max(errors) < 1 / (4 * (neurons - 2)), "a bound that is neither broken nor idle"
    for beta in (1e-9, 1e-6, 1e-3):
        assert log_normaliser(beta, neurons) == pytest.approx(0.0, abs=beta**2)
    small = log_normaliser(1e-6, 20)  # beta**2 / (2 N), and the expansion has N - 2 times its own series
    assert small == pytest.approx(1e-12 / 36 * (1 - 2 / 18), rel=1e-9)
    assert log_normaliser(1e300, neurons) == pytest.approx(1e300, rel=1e-12)


def test_an_exact_mean_beyond_a_float_is_refused():
    for beta in (800.0, 1e300):
        with pytest.raises(ArgumentError, match="beta: expected a mean within a float for 5 neurons; got"):
            log_normaliser(beta, 5, exact=True)


def test_the_exact_normalisation_is_the_bessel_function_where_that_does_not_underflow():
    order = 20 / 2 - 1
    bessel = gammaln(10) + order * math.log(2 / 7.0) + math.log(ive(order, 7.0)) + 7.0
    assert log_normaliser(7.0, 20, exact=True) == pytest.approx(bessel, rel=1e-12)
    assert ive(391.0, 16.0) == 0.0
    assert log_normaliser(16.0, 784, exact=True) > 0
    assert log_normaliser(0.0, 784) == 0.0


def test_the_density_integrates_to_one_over_the_sphere():
    model, _, _ = mixture(3, beta=2.0)
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.normal(size=(200_000, 12)))
    points /= points.norm(dim=1, keepdim=True)
    # The expansion is off by 0.002 at N = 12; the sampling error of the mean is 0.002.
    assert model.log_joint(points).exp().sum(dim=1).mean().item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_gradients_are_those_of_autograd(scale):
    model, images, targets = mixture(4)
    memories = model.memories.clone().requires_grad_()
    weights = (scale * model.weights).requires_grad_()
    joint = (6.0 * images @ memories.T - log_normaliser(6.0, 12)).exp() @ weights[:-1] + weights[-1]
    # The total of the weights is kept by every step, so it is a constant of the gradient.
    loss = -(targets * (joint / weights.detach().sum()).log()).sum(dim=1).mean()
    loss.backward()
    found = gradient(Mixture(memories.detach(), weights.detach(), 6.0), images, targets)
    assert found.loss == pytest.approx(loss.item(), rel=1e-12)
    torch.testing.assert_close(found.memories, memories.grad)
    torch.testing.assert_close(found.weights, weights.grad)


def test_shares_and_background_add_up_to_one():
    model, images, targets = mixture(5)
    shares = gradient(model, images, targets).shares
    background = (targets * model.weights[-1] / model.weights.sum() / model.log_joint(images).exp()).sum(dim=1)
    torch.testing.assert_close(shares.sum(dim=1) + background, torch.ones(len(images), dtype=F64))


def test_sinkhorn_keeps_both_totals_and_is_the_nearest_matrix():
    rng = np.random.default_rng(6)
    start = torch.from_numpy(rng.random((5, 4)))
    rows, columns = torch.tensor([1.0, 2, 1, 3, 1], dtype=F64), torch.tensor([2.0, 2, 3, 1], dtype=F64)
    found = saddles._sinkhorn(start, rows, columns, 500)
    torch.testing.assert_close(found.sum(dim=1), rows)
    torch.testing.assert_close(found.sum(dim=0), columns)
    # Of the form a g b: every 2 x 2 ratio of products is that of the start.
    ratio = (found / start).log()
    torch.testing.assert_close(
        ratio[1:, 1:] - ratio[:1, 1:] - ratio[1:, :1] + ratio[0, 0], torch.zeros(4, 3, dtype=F64)
    )


def test_soft_targets():
    found = soften(torch.tensor([2, 0]), classes=3, softening=0.2, dtype=F64)
    torch.testing.assert_close(found, torch.tensor([[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]], dtype=F64))


def test_normalised_images_have_no_mean_and_length_one():
    images = normalise(torch.rand(5, 9, dtype=F64, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(images.mean(dim=1), torch.zeros(5, dtype=F64))
    torch.testing.assert_close(images.norm(dim=1), torch.ones(5, dtype=F64))


def test_training_lowers_the_loss_and_keeps_the_constraints():
    model, images, targets = mixture(7)
    *_, trained = train(
        model, images, targets, Recipe(0.1, 0.9, 20), epochs=60, generator=torch.Generator().manual_seed(0)
    )
    assert trained.loss(images, targets) < model.loss(images, targets) - 0.1
    torch.testing.assert_close(trained.memories.norm(dim=1), torch.ones(4, dtype=F64))
    torch.testing.assert_close(trained.counts, model.counts)
    assert (trained.priors - model.priors).abs().max() < 0.02  # ten sweeps, rows last


def test_the_first_step_is_rate_squared_times_the_tangent_gradient():
    model, images, targets = mixture(8)
    recipe = Recipe(0.1, 0.99, 40)
    moved = next(train(model, images, targets, recipe, epochs=1, generator=torch.Generator().manual_seed(0)))
    slope = gradient(model, images, targets).memories
    tangent = slope - (slope * model.memories).sum(dim=1, keepdim=True) * model.memories
    expected = model.memories - 0.01 * tangent
    torch.testing.assert_close(moved.memories, expected / expected.norm(dim=1, keepdim=True))
    assert recipe.faster(4.0).rate == pytest.approx(0.2)


def test_a_fixed_point_of_the_iteration_solves_the_saddle_point_equations():
    model, images, targets = mixture(9)
    point = critical_point(model, images, targets, steps=5000, tolerance=1e-13)
    assert residual(model, images, targets) > 1e-3
    assert residual(point, images, targets) < 1e-9
    shares = gradient(point, images, targets).shares
    means = shares.T @ images
    torch.testing.assert_close(point.memories, means / means.norm(dim=1, keepdim=True), rtol=0, atol=1e-9)


def test_the_residual_of_the_weights_is_a_derivative_along_the_constraints():
    """Minus its product with the gradient is the rate at which the loss falls, for a direction that keeps totals."""
    model, images, targets = mixture(10)
    slope = gradient(model, images, targets).weights
    direction = saddles._tangent(slope, model.weights)
    torch.testing.assert_close(direction.sum(dim=0), torch.zeros(4, dtype=F64), rtol=0, atol=1e-9)
    torch.testing.assert_close(direction.sum(dim=1), torch.zeros(5, dtype=F64), rtol=0, atol=1e-9)
    assert (direction * slope).sum() < 0


@pytest.mark.parametrize("memories", [1, 3])
def test_a_duplicated_critical_point_is_critical_with_the_same_loss(memories):
    model, images, targets = mixture(11, memories)
    point = critical_point(model, images, targets, steps=5000, tolerance=1e-13)
    twice = duplicate(point)
    assert len(twice.memories) == 2 * memories
    torch.testing.assert_close(twice.log_joint(images), point.log_joint(images))
    assert residual(twice, images, targets) < 1e-9


def test_one_class_too_sure_is_not_chosen_as_none():
    model, images, _ = mixture(12)
    assert model.classify(images).max() < 3


def bad(**changes):
    model, images, targets = mixture(13)
    given = {"memories": model.memories, "weights": model.weights, "beta": 6.0, **changes}
    return Mixture(**given), images, targets


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bad(memories=torch.ones(3)), "memories: expected axes (memories, neurons); got shape (3,)."),
        (lambda: bad(weights=torch.ones(4, 4, dtype=F64)), "weights: expected axes (rows, classes) with rows = 5"),
        (lambda: bad(weights=-torch.ones(5, 4, dtype=F64)), "weights: expected finite values >= 0; got -1."),
        (lambda: bad(beta=0.0), "beta: expected a finite number > 0; got 0."),
        (lambda: bad()[0].log_joint(torch.ones(2, 5, dtype=F64)), "images: expected axes (samples, neurons)"),
        (lambda: gradient(bad()[0], bad()[1], torch.ones(40, 3, dtype=F64)), "targets: expected axes (samples, class"),
        (lambda: Recipe(rate=0.0), "rate: expected a finite number > 0; got 0."),
        (lambda: Recipe(momentum=1.5), "momentum: expected a finite number in [0, 1]; got 1.5."),
        (lambda: Recipe(batch=0), "batch: expected an integer >= 1; got 0."),
        (lambda: Recipe().faster(0), "factor: expected a finite number > 0; got 0."),
        (lambda: log_normaliser(-1.0, 10), "beta: expected a finite number in [0, 1e+300]; got -1."),
        (lambda: log_normaliser(1.0, 2), "neurons: expected an integer in [3, 9007199254740992]; got 2."),
        (lambda: normalise(torch.ones(2, 4)), "images: expected images that are not constant; got a constant one."),
        (lambda: soften(torch.tensor([0.5]), classes=3, softening=0.1), "digits: expected a non-empty int64 tensor"),
        (lambda: soften(torch.tensor([3]), classes=3, softening=0.1), "digits: expected classes 0 to 2; got 3 to 3."),
        (lambda: soften(torch.tensor([1]), classes=3, softening=0.0), "softening: expected a finite number > 0"),
        (
            lambda: random_mixture(
                2, torch.ones(4), torch.ones(3), beta=1.0, spread=1.0, background=1.0, rng=torch.Generator()
            ),
            "rng: expected a numpy.random.Generator; got Generator.",
        ),
        (
            lambda: random_mixture(
                2, torch.ones(4), torch.ones(3), beta=1.0, spread=1.0, background=0.0, rng=np.random.default_rng(0)
            ),
            "background: expected a finite number > 0; got 0.",
        ),
        (
            lambda: train(*bad(), Recipe(batch=50), epochs=1, generator=torch.Generator()),
            "batch: expected an integer in [1, 40]; got 50.",
        ),
        (lambda: train(*bad(), Recipe(batch=5), epochs=0, generator=torch.Generator()), "epochs: expected an integer"),
        (lambda: train(*bad(), Recipe(batch=5), epochs=1, generator=0), "generator: expected a torch.Generator"),
        (lambda: critical_point(*bad(), steps=0, tolerance=1e-6), "steps: expected an integer >= 1; got 0."),
        (lambda: critical_point(*bad(), steps=1, tolerance=0.0), "tolerance: expected a finite number > 0; got 0."),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)


@CUDA
def test_cuda_gives_the_same_gradient():
    model, images, targets = mixture(14)
    there = Mixture(model.memories.cuda(), model.weights.cuda(), 6.0)
    found = gradient(there, images.cuda(), targets.cuda())
    torch.testing.assert_close(found.memories.cpu(), gradient(model, images, targets).memories)
