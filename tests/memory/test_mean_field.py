"""The theory of Amit, Gutfreund and Sompolinsky, against its equations evaluated in another way and against networks.

The quadrature here is Gauss-Legendre and the free energy is written with independent order parameters, so that neither
the averages nor the change of variables of the module is shared.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import erf

from memscape.arguments import ArgumentError
from memscape.memory import mean_field
from memscape.memory.dynamics import asynchronous
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import mixture, overlap, random_patterns

F64 = torch.float64
ROOTS, WEIGHTS = np.polynomial.legendre.leggauss(600)
Z, DZ = torch.tensor(9 * ROOTS), torch.tensor(9 * WEIGHTS * np.exp(-((9 * ROOTS) ** 2) / 2) / math.sqrt(2 * math.pi))


def t(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=F64)


def free_energy(load, temperature, m, q, r):
    """f(m, q, r) of Amit, Gutfreund & Sompolinsky (1987) for scalars, by Gauss-Legendre."""
    c = (1 - q) / temperature
    chain = temperature * torch.log(1 - c) - q / (1 - c) + r * c
    field = (m + torch.sqrt(load * r) * Z) / temperature
    entropy = temperature * (torch.logaddexp(field, -field) * DZ).sum()
    return m**2 / 2 + load / 2 * (1 + chain) - entropy


def test_critical_load_is_the_maximum_of_the_closed_form():
    def load(y):
        return (erf(y) / y - 2 / math.sqrt(math.pi) * math.exp(-(y**2))) ** 2 / 2

    found = minimize_scalar(lambda y: -load(y), bounds=(1, 2), method="bounded", options={"xatol": 1e-12})
    assert mean_field.critical_load() == pytest.approx(-found.fun, abs=1e-12)
    edge = mean_field.retrieval(t(mean_field.critical_load()), t(0.0))
    assert edge.overlap.item() == pytest.approx(erf(found.x), abs=1e-7)


@pytest.mark.parametrize("load", [0.01, 0.05, 0.1, 0.137])
def test_cold_retrieval_solves_the_equations(load):
    found = mean_field.retrieval(t(load), t(0.0))
    m, r = found.overlap.item(), found.noise.item()
    c = math.sqrt(2 / (math.pi * load * r)) * math.exp(-(m**2) / (2 * load * r))
    assert m == pytest.approx(erf(m / math.sqrt(2 * load * r)), abs=1e-10)
    assert r == pytest.approx((1 - c) ** -2, abs=1e-9)
    assert found.order.item() == 1.0
    assert found.free_energy.item() == pytest.approx(-(m**2) / 2 + load / 2 * (1 - r), abs=1e-12)
    assert m > 0.96, "the outer of the two solutions"


@pytest.mark.parametrize(("load", "temperature"), [(0.01, 0.3), (0.05, 0.2), (0.05, 0.5), (0.001, 0.9), (0.1, 0.25)])
@pytest.mark.parametrize("phase", ["retrieval", "spin_glass"])
def test_warm_solutions_are_stationary_points_of_the_free_energy(load, temperature, phase):
    found = getattr(mean_field, phase)(t(load), t(temperature))
    point = [x.clone().requires_grad_() for x in (found.overlap[0], found.order[0], found.noise[0])]
    value = free_energy(t(load)[0], temperature, *point)
    assert found.free_energy.item() == pytest.approx(value.item(), abs=1e-12)
    assert all(abs(g.item()) < 1e-11 for g in torch.autograd.grad(value, point))
    assert (found.overlap.item() > 0.3) == (phase == "retrieval")


def test_solutions_are_continuous_at_zero_temperature():
    for phase in (mean_field.retrieval, mean_field.spin_glass):
        cold, warm = phase(t(0.08), t(0.0)), phase(t(0.08), t(0.001))
        for one, other in zip(vars(cold).values(), vars(warm).values(), strict=True):
            assert one.item() == pytest.approx(other.item(), rel=5e-3, abs=1e-6)


def test_cold_glass_energy_has_a_closed_form():
    load = t(0.01, 0.1, 1.0)
    expected = -1 / math.pi - (2 * load / math.pi).sqrt()
    torch.testing.assert_close(mean_field.spin_glass(load, torch.zeros(3, dtype=F64)).free_energy, expected)


def test_load_and_temperature_broadcast():
    both = mean_field.retrieval(t(0.01, 0.05)[:, None], t(0.0, 0.1, 0.2))
    assert both.overlap.shape == both.free_energy.shape == (2, 3)
    alone = mean_field.retrieval(t(0.05), t(0.2)).overlap[0]
    torch.testing.assert_close(both.overlap[1, 2], alone, rtol=1e-12, atol=0)
    cold = torch.tensor(0.0, dtype=F64)
    assert mean_field.spin_glass(t(0.01, 0.05), cold).order.shape == (2,)
    assert mean_field.retrieval(cold + 0.1, cold).overlap.shape == mean_field.first_order_load(cold).shape == ()


def test_retrieval_ends_at_its_line():
    temperature = t(0.0, 0.1, 0.5, 0.9)
    line = mean_field.retrieval_load(temperature)
    below, above = mean_field.retrieval(line * (1 - 1e-9), temperature), mean_field.retrieval(line * 1.001, temperature)
    assert below.overlap.isfinite().all()
    assert (below.overlap[1:] < below.overlap[:-1]).all()
    assert all(x.isnan().all() for x in vars(above).values())


def test_lines_start_at_temperature_one_with_square_roots():
    """Amit, Gutfreund & Sompolinsky 1987: the lines leave T = 1 like the square root of the load."""
    temperature = t(0.99, 0.999)
    slopes = (1 - temperature) / mean_field.retrieval_load(temperature).sqrt()
    assert slopes[0].item() == pytest.approx(slopes[1].item(), rel=2e-3)
    assert (mean_field.first_order_load(temperature) < mean_field.retrieval_load(temperature)).all()


def test_first_order_line_is_where_free_energies_cross():
    temperature = t(0.0, 0.1, 0.4, 0.8)
    line = mean_field.first_order_load(temperature)
    gaps = []
    for factor in (0.99, 1.0, 1.01):
        glass = mean_field.spin_glass(line * factor, temperature).free_energy
        gaps.append(glass - mean_field.retrieval(line * factor, temperature).free_energy)
    assert (gaps[0] > 1e-9).all()
    assert (gaps[1].abs() < 1e-11).all()
    assert (gaps[2] < -1e-9).all()
    assert line[0].item() == pytest.approx(math.pi / 2 * (0.5 - 1 / math.pi) ** 2, abs=1e-6)


def test_the_glass_begins_at_its_line():
    load = t(0.02, 0.1, 0.5)
    line = mean_field.spin_glass_temperature(load)
    torch.testing.assert_close(line, 1 + load.sqrt())
    below, above = mean_field.spin_glass(load, line - 1e-3), mean_field.spin_glass(load, line + 1e-3)
    assert (below.order > 0).all()
    assert (below.order < 0.02).all()
    assert torch.equal(above.order, torch.zeros(3, dtype=F64))
    # In the paramagnet f = -T ln 2 + alpha / 2 (1 + T ln(1 - 1 / T)).
    hot = line + 1e-3
    torch.testing.assert_close(above.free_energy, -hot * math.log(2) + load / 2 * (1 + hot * torch.log(1 - 1 / hot)))


@pytest.mark.parametrize(("size", "binomial"), [(1, 1), (3, 2), (5, 6), (7, 20)])
def test_cold_mixtures_have_binomial_overlaps(size, binomial):
    expected = binomial / 2 ** (size - 1)
    assert mean_field.mixture_overlap(size) == pytest.approx(expected, abs=1e-15)
    assert mean_field.mixture_energy(size) == pytest.approx(-size * expected**2 / 2, abs=1e-15)


def test_warm_mixtures_solve_their_equation():
    m = mean_field.mixture_overlap(1, 0.6)
    assert m == pytest.approx(math.tanh(m / 0.6), abs=1e-14)
    m = mean_field.mixture_overlap(3, 0.4)
    assert m == pytest.approx((math.tanh(3 * m / 0.4) + math.tanh(m / 0.4)) / 4, abs=1e-14)
    assert mean_field.mixture_overlap(3, 0.999) > 0


@pytest.mark.parametrize(("size", "temperature"), [(1, 0.5), (2, 0.5), (3, 0.3), (3, 0.6), (5, 0.3)])
def test_mixture_curvature_is_the_least_eigenvalue_of_the_hessian(size, temperature):
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=size)), dtype=F64)

    def free(m):
        fields = signs @ m / temperature
        return m.square().sum() / 2 - temperature * torch.logaddexp(fields, -fields).mean()

    point = torch.full((size,), mean_field.mixture_overlap(size, temperature), dtype=F64)
    assert torch.autograd.functional.jacobian(free, point).abs().max() < 1e-12
    hessian = torch.autograd.functional.hessian(free, point)
    least = torch.linalg.eigvalsh(hessian)[0].item()
    assert mean_field.mixture_curvature(size, temperature) == pytest.approx(least, abs=1e-10)


def test_mixtures_of_three_freeze_where_the_closed_condition_says():
    temperature = mean_field.mixture_temperature(3)
    m = mean_field.mixture_overlap(3, temperature)
    assert 1 / (temperature * math.cosh(m / temperature) ** 2) == pytest.approx(1.0, abs=1e-10)
    assert mean_field.mixture_curvature(3, temperature - 0.01) > 0 > mean_field.mixture_curvature(3, temperature + 0.01)
    assert mean_field.mixture_temperature(5) < temperature
    for even in (2, 4):
        assert all(mean_field.mixture_curvature(even, warm) < 0 for warm in (0.05, 0.3, 0.6, 0.95))


def test_mixture_load_is_the_critical_load_for_a_single_pattern_and_falls():
    loads = [mean_field.mixture_load(size) for size in (1, 3, 5, 7)]
    assert loads[0] == pytest.approx(mean_field.critical_load(), abs=1e-12)
    assert all(more < less for less, more in itertools.pairwise(loads))


def test_the_load_of_one_step_inverts_the_gaussian_tail():
    error = t(1e-3, 0.0036, 0.01, 0.05, 0.1)
    load = mean_field.one_step_load(error)
    torch.testing.assert_close(torch.erfc(1 / (2 * load).sqrt()) / 2, error)


def test_networks_do_what_the_theory_says():
    """N = 1000, load 0.08: at T = 0 and T = 0.3 the overlap found is the overlap predicted; mixtures of three stay."""
    generator = torch.Generator().manual_seed(0)
    xi = random_patterns(80, 1000, generator=generator)
    model = hebbian(xi)
    for temperature, sweeps in ((0.0, 50), (0.3, 40)):
        final = asynchronous(model, xi[:20], sweeps=sweeps, temperature=temperature, generator=generator).state
        expected = mean_field.retrieval(t(0.08), t(temperature)).overlap.item()
        assert overlap(xi, final).diagonal().mean().item() == pytest.approx(expected, abs=0.01)
    few = hebbian(xi[:3])
    final = asynchronous(few, mixture(xi, (0, 1, 2)), generator=generator).state
    assert overlap(xi[:3], final).mean().item() == pytest.approx(mean_field.mixture_overlap(3), abs=0.03)


LOAD, COLD, TWO, THREE = t(0.1), t(0.0), t(0.1, 0.2), t(0.0, 0.1, 0.2)

REFUSED = {
    "no tensor": (lambda: mean_field.retrieval(0.1, COLD), r"load: expected a torch\.Tensor; got float"),
    "float32": (lambda: mean_field.retrieval(LOAD.float(), COLD), "load: expected float64; got float32"),
    "no load": (lambda: mean_field.retrieval(COLD, COLD), "load: expected values > 0; got 0"),
    "infinite load": (lambda: mean_field.spin_glass(LOAD / 0, COLD), "load: expected finite values; got inf"),
    "negative load": (lambda: mean_field.spin_glass_temperature(-LOAD), r"load: expected values > 0; got -0\.1"),
    "shapes": (lambda: mean_field.retrieval(TWO, THREE), r"temperature: .*load, \(2,\); got"),
    "glass, shapes": (lambda: mean_field.spin_glass(TWO, THREE), "temperature: .*broadcasts"),
    "too cold": (lambda: mean_field.retrieval(LOAD, t(1e-4)), r"temperature: .*>= 0\.001 and < 1; got 0\.0001"),
    "too hot": (lambda: mean_field.retrieval_load(t(0.5, 1.0)), "temperature: .*< 1; got 1"),
    "negative": (lambda: mean_field.spin_glass(LOAD, t(-0.1)), r"temperature: expected 0, .*>= 0\.001; got -0\.1"),
    "crossing": (lambda: mean_field.first_order_load(t(1.5)), r"temperature: .*< 1; got 1\.5"),
    "nothing mixed": (lambda: mean_field.mixture_overlap(0), r"size: expected an integer in \[1, 15\]; got 0"),
    "too much mixed": (lambda: mean_field.mixture_energy(16), r"size: expected an integer in \[1, 15\]; got 16"),
    "hot mixture": (lambda: mean_field.mixture_overlap(3, 1.0), r"temperature: expected a number in \[0, 1\); got 1"),
    "cold curvature": (lambda: mean_field.mixture_curvature(3, 0.0), "temperature: .*number >= 1e-300; got 0"),
    "hot curvature": (lambda: mean_field.mixture_curvature(3, 1.2), r"temperature: expected a number in \[0, 1\)"),
    "even mixture": (lambda: mean_field.mixture_temperature(4), "size: expected an odd number; got 4"),
    "single mixture": (lambda: mean_field.mixture_temperature(1), r"size: expected an integer in \[3, 15\]; got 1"),
    "even mixture, load": (lambda: mean_field.mixture_load(2), "size: expected an odd number; got 2"),
    "error of one half": (lambda: mean_field.one_step_load(t(0.5)), r"error: expected values in \(0, 1/2\); got 0\.5"),
    "no error": (lambda: mean_field.one_step_load(t(0.0, 0.1)), r"error: expected values in \(0, 1/2\); got 0 to 0\.1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_argument(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError, match=message):
        call()
