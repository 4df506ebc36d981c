r"""Memories that choose: when softmax finds the right one, what random features cost, where a sparse answer is exact.

Three questions to one kind of memory, which weighs its patterns by how well each agrees with the state. How many
patterns may there be before the right one no longer has most of the weight (:func:`softmax_limit`,
:func:`half_weight`)? What happens when they are kept in a fixed number of random features instead of one
vector of synapses a pattern (:func:`features`, :func:`held`)? When does a memory answer with one pattern and nothing
else (:func:`entmax`, :func:`margin`)?
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import special

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_rng,
    require_room,
    require_tensor,
    wide,
)
from memscape.tools import pieces

__all__ = [
    "entmax",
    "expected_held",
    "feature_error",
    "features",
    "frequencies",
    "half_weight",
    "held",
    "margin",
    "softmax_limit",
]

# Softmax


def softmax_limit(sharpness: float) -> float:
    r"""Load :math:`\alpha = \ln P / N` up to which the right pattern has most of the softmax weight, in nats a unit.

    .. math:: \alpha(\lambda) = \lambda - \ln\cosh\lambda \;\to\; \ln 2

    The weight of the pattern itself is :math:`e^{\lambda N}`. The others, random patterns of +-1, have
    :math:`\langle e^{\lambda \xi \cdot s} \rangle = \cosh(\lambda)^N` each. The sum is close to its mean because the
    patterns that make it, at overlap :math:`\tanh\lambda`, are exponentially many.

    Parameters
    ----------
    sharpness
        :math:`\lambda`, the inverse temperature by which the overlap is multiplied, positive.

    Raises
    ------
    ArgumentError
        If it is not positive.
    """
    sharp = require_number("sharpness", sharpness, above=0.0)
    # lambda - ln cosh lambda = ln 2 - ln(1 + e^(-2 lambda)), without cancelling.
    return float(math.log(2.0) - math.log1p(math.exp(-2.0 * sharp)))


def half_weight(neurons: int, sharpness: float, *, trials: int, rng: np.random.Generator) -> float:
    r"""Load at which, in half of the trials, the right pattern has half of the softmax weight.

    No pattern is drawn: with :math:`P = e^{\alpha N}` random patterns the number of those at each overlap is Poisson,
    with a binomial share of P as its mean. Bisection on the load, fresh draws at each step.

    Parameters
    ----------
    neurons
        Units N, 1 to 10000.
    sharpness
        :math:`\lambda`, in (0, 100].
    trials
        Memories drawn at each load.
    rng
        A numpy generator.

    Returns
    -------
    float
        :math:`\ln P / N` in nats a unit, to 1e-4.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=1, at_most=10**4)
    require_number("sharpness", sharpness, above=0.0, at_most=100.0)
    require_count("trials", trials)
    require_room(trials=trials, neurons=neurons)
    require_rng("rng", rng)
    wrong = np.arange(neurons + 1)  # units that differ from the right pattern
    chance = special.gammaln(neurons + 1) - special.gammaln(wrong + 1) - special.gammaln(neurons - wrong + 1)
    chance -= neurons * math.log(2.0)
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        load = (low + high) / 2
        mean = np.exp(np.minimum(load * neurons + chance, 600.0))
        # A count beyond 1e12 is its mean, to six digits.
        drawn = rng.poisson(np.minimum(mean, 1e12), size=(trials, neurons + 1))
        counts = np.where(mean > 1e12, mean, drawn)
        with np.errstate(divide="ignore"):
            others = special.logsumexp(np.log(counts) - 2.0 * sharpness * wrong, axis=1)
        low, high = (load, high) if np.median(others) <= 0 else (low, load)
    return (low + high) / 2


# Random features


def frequencies(count: int, neurons: int, beta: float, *, generator: torch.Generator) -> torch.Tensor:
    r"""Gaussian frequencies of variance beta for the kernel :math:`e^{-\beta |x - y|^2 / 2}` (Rahimi & Recht 2007).

    Parameters
    ----------
    count
        Number Y of features, even: a cosine and a sine for each frequency.
    neurons
        Units N.
    beta
        Inverse temperature, positive, at most 1e6.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        float64, axes ``(Y / 2, N)``.

    Raises
    ------
    ArgumentError
        If an argument is out of range or Y is odd.
    """
    require_count("count", count, at_least=2)
    if count % 2:
        raise ArgumentError("count", "an even number of features", str(count), "Each frequency has two.")
    require_count("neurons", neurons)
    require_number("beta", beta, above=0.0, at_most=1e6)
    require_room(count=count, neurons=neurons)
    require_generator("generator", generator)
    drawn = torch.randn(count // 2, neurons, generator=generator, dtype=torch.float64, device="cpu")
    return math.sqrt(beta) * drawn


def features(state: torch.Tensor, waves: torch.Tensor) -> torch.Tensor:
    r"""Random features :math:`\varphi(x)` of states, whose products estimate the kernel; each has length 1.

    Parameters
    ----------
    state
        Axes ``(..., N)``, finite.
    waves
        Frequencies, axes ``(Y / 2, N)``, dtype and device of the state.

    Returns
    -------
    torch.Tensor
        Cosines, then sines, over :math:`\sqrt{Y/2}`: axes ``(..., Y)``.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit, or a phase is beyond the dtype.
    """
    sizes: dict[str, int] = {}
    require_tensor("state", state, "... neurons", sizes=sizes)
    require_tensor("waves", waves, "frequencies neurons", sizes=sizes, device=state.device, dtype=state.dtype)
    phase = require_fit("waves", wide(state) @ wide(waves).mT)
    return (torch.cat([phase.cos(), phase.sin()], dim=-1) / math.sqrt(len(waves))).to(state.dtype)


def feature_error(patterns: torch.Tensor, waves: torch.Tensor, beta: float) -> float:
    r"""Root mean square error of :math:`\sum_\mu e^{-\beta|x - \xi^\mu|^2/2}` from features, at the patterns.

    Parameters
    ----------
    patterns
        Axes ``(P, N)``, -1 and +1.
    waves
        Frequencies, axes ``(Y / 2, N)``, dtype and device of the patterns.
    beta
        Inverse temperature, positive, at most 1e6.

    Returns
    -------
    float
        In units of the depth of a lone memory, 1.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    require_tensor("patterns", patterns, "patterns neurons", values="spins")
    require_number("beta", beta, above=0.0, at_most=1e6)
    phi = wide(features(patterns, waves))
    exact = torch.exp(-beta * (patterns.shape[-1] - wide(patterns) @ wide(patterns).mT)).sum(dim=1)
    return float((phi @ phi.sum(dim=0) - exact).square().mean().sqrt())


def held(patterns: torch.Tensor, waves: torch.Tensor, state: torch.Tensor | None = None) -> torch.Tensor:
    r"""Whether states are at rest in the memory that keeps :math:`\sum_\mu \varphi(\xi^\mu)` and nothing else.

    The energy is :math:`-\varphi(s) \cdot \sum_\mu \varphi(\xi^\mu)`. Turning unit i over shifts the phase of a
    frequency w by :math:`2 w_i s_i`, so that the energies of all N neighbours come from two products of matrices.

    Parameters
    ----------
    patterns
        Stored, axes ``(P, N)``, -1 and +1.
    waves
        Frequencies, axes ``(Y / 2, N)``, dtype and device of the patterns.
    state
        States to look at, axes ``(S, N)``, -1 and +1; by default the patterns.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(S)``: no neighbour is lower.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "patterns neurons", values="spins", sizes=sizes)
    device, dtype = patterns.device, patterns.dtype
    require_tensor("waves", waves, "frequencies neurons", sizes=sizes, device=device, dtype=dtype)
    state = patterns if state is None else state
    require_tensor("state", state, "states neurons", values="spins", sizes=sizes, device=device, dtype=dtype)
    half, width = len(waves), pieces.fitting(32 * len(waves) * wide(waves[:1]).element_size())
    parts = [wide(features(patterns[some], waves)).sum(dim=0) for some in pieces.slices(len(patterns), width)]
    memory = torch.stack(parts).sum(dim=0)
    turned_cos, turned_sin = (2 * wide(waves)).cos(), (2 * wide(waves)).sin()
    rest = []
    for some in pieces.slices(len(state), width):
        cos, sin = wide(features(state[some], waves)).split(half, dim=-1)
        in_phase, across = memory[:half] * cos + memory[half:] * sin, memory[:half] * sin - memory[half:] * cos
        after = in_phase @ turned_cos + wide(state[some]) * (across @ turned_sin)
        rest.append((after <= in_phase.sum(dim=-1, keepdim=True)).all(dim=-1))
    return torch.cat(rest)


def expected_held(count: int, features: int, neurons: int, beta: float, *, stored: bool = True) -> float:
    r"""Probability that a state is at rest in a memory of random features, for Gaussian errors.

    .. math:: \int \varphi(c)\, \Phi\Bigl(\sqrt{\tfrac{1-g}{1+g}}\,\bigl(\sqrt{Y/(P-1)} + c\bigr)\Bigr)^N dc,
              \qquad g = e^{-2\beta}

    Turning a unit over costs a stored pattern the depth :math:`1 - g`. Each other pattern adds errors, in units of
    :math:`1/Y` with variance 1 at the state and at each neighbour, covariance g between the state and a neighbour and
    :math:`g^2` between two neighbours. What all N differences share is c: where the error has made the state itself
    deep, no neighbour is lower. A state that was never stored lacks the depth and is at rest with the same probability
    without the root of :math:`Y/(P-1)`, whatever P is. Only P/Y counts, so that what is held is proportional to Y.

    Parameters
    ----------
    count, features, neurons
        Patterns P, features Y, units N.
    beta
        Inverse temperature, positive, at most 1e6.
    stored
        Whether the state is one of the patterns; a lone one is always at rest.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("count", count)
    require_count("features", features)
    require_count("neurons", neurons)
    require_number("beta", beta, above=0.0, at_most=1e6)
    if stored and count == 1:
        return 1.0
    clear = math.sqrt(features / (count - 1)) if stored else 0.0
    slope = math.sqrt(math.tanh(beta))  # (1 - e^(-2 beta)) / (1 + e^(-2 beta))
    c = np.linspace(-9.0, 9.0, 3601)
    inside = np.exp(-(c**2) / 2 + neurons * special.log_ndtr(slope * (clear + c)))
    return float(min(1.0, inside.sum() * (c[1] - c[0]) / math.sqrt(2 * math.pi)))


# Sparse retrieval


def entmax(scores: torch.Tensor, alpha: float = 2.0) -> torch.Tensor:
    r"""The map :math:`p_i = [(\alpha - 1) z_i - \tau]_+^{1/(\alpha - 1)}` onto probabilities: sparsemax at alpha = 2.

    The threshold :math:`\tau` makes them sum to 1. The sum falls and is convex in it, so that Newton's method started
    below, where only the largest score would count, comes up to it without ever passing it (Peters et al. 2019 bisect,
    or sort).

    Parameters
    ----------
    scores
        Axes ``(..., P)``, finite.
    alpha
        In [1.05, 2]: 2 is sparsemax, and towards 1 it tends to softmax.

    Returns
    -------
    torch.Tensor
        Same axes, not negative, each row sums to 1. A score that leads all others by :math:`1/(\alpha - 1)` or more has
        all the weight, exactly.

    Raises
    ------
    ArgumentError
        If the scores are not finite or alpha is out of range.
    """
    require_tensor("scores", scores, "... scores")
    gain = require_number("alpha", alpha, at_least=1.05, at_most=2.0) - 1.0
    flat = wide(scores).reshape(-1, scores.shape[-1])
    weights = torch.empty_like(flat)
    for some in pieces.slices(len(flat), pieces.cached(4 * flat.element_size() * flat.shape[-1])):
        weights[some] = _entmax(flat[some], gain)
    return weights.reshape(scores.shape).to(scores.dtype)


def _entmax(scores: torch.Tensor, gain: float) -> torch.Tensor:
    # From the largest down; a score more than 1 below it can have no weight. Differences may be beyond a float.
    below = (gain * (scores - scores.amax(dim=-1, keepdim=True))).clamp(min=-2.0)
    power = 1.0 / gain
    threshold = below.new_full((len(below), 1), -1.0)
    for _ in range(100):
        above = (below - threshold).clamp(min=0.0)
        slope = above ** (power - 1.0) if power != 1.0 else (above > 0).to(above.dtype)
        step = ((slope * above).sum(dim=-1, keepdim=True) - 1.0) / (power * slope.sum(dim=-1, keepdim=True))
        threshold = threshold + step.clamp(min=0.0)
        if (step <= 4 * torch.finfo(step.dtype).eps).all():
            break
    weights = (below - threshold).clamp(min=0.0) ** power
    return weights / weights.sum(dim=-1, keepdim=True)


def margin(scores: torch.Tensor) -> torch.Tensor:
    """By how much the largest score leads the second, axes ``(..., P)`` to ``(...)``, P at least 2.

    Raises
    ------
    ArgumentError
        If the scores are not finite or there is only one.
    """
    require_tensor("scores", scores, "... scores")
    if scores.shape[-1] < 2:
        raise ArgumentError("scores", "at least two scores", "one")
    first, second = wide(scores).topk(2, dim=-1).values.unbind(dim=-1)
    return require_fit("scores", (first - second).to(scores.dtype))
