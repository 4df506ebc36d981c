r"""Attention is the update of an associative memory.

Ramsauer et al. (2021) give real-valued units the energy

.. math:: E(\xi) = -\frac1\beta \ln \sum_{\mu=1}^{P} e^{\beta x_\mu \cdot \xi} + \tfrac12 \xi \cdot \xi
          + \frac{\ln P}{\beta} + \tfrac12 M^2, \qquad M = \max_\mu |x_\mu| ,

whose concave-convex descent step (their eq. 3) is one pass of softmax attention over the stored patterns,

.. math:: \xi \leftarrow \sum_\mu x_\mu \, \mathrm{softmax}_\mu(\beta x_\mu \cdot \xi).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.optimize import minimize_scalar
from scipy.special import wrightomega

from memscape.arguments import (
    ArgumentError,
    readable,
    require_fit,
    require_integer,
    require_number,
    require_scalar,
    require_tensor,
    wide,
)
from memscape.memory.dense import exponential_retrieval, softmax_attention
from memscape.memory.patterns import as_probes, require_state
from memscape.tools import pieces
from memscape.tools.models import Model, Scalar

__all__ = [
    "Constants",
    "Held",
    "ModernHopfield",
    "attend",
    "capacity_constants",
    "effective_number",
    "fixed_point_bound",
    "hold_bounds",
    "one_step_bound",
    "retrieval_onset",
    "separation",
]


_LARGEST = 708.0
"""Largest size of an exponent of e that gives a float of full precision."""


@dataclass(frozen=True)
class ModernHopfield(Model):
    r"""The continuous memory of Ramsauer et al. (2021): energy above, update = attention.

    Parameters
    ----------
    patterns
        Stored patterns x, axes ``(*G, P, N)``, finite values.
    beta
        Inverse temperature, positive, in units of one over a squared pattern entry.

    Raises
    ------
    ArgumentError
        If the patterns have wrong axes or are not finite, or beta is not positive or beyond the range of their dtype
        (of float32 for half precision).
    """

    patterns: torch.Tensor
    beta: Scalar

    def __post_init__(self) -> None:
        require_tensor("patterns", self.patterns, "... patterns neurons")
        require_scalar("beta", self.beta, above=0.0, device=self.patterns.device)
        if not isinstance(self.beta, torch.Tensor):
            limits = torch.finfo(wide(self.patterns[..., :1, :1]).dtype)
            require_number("beta", self.beta, at_least=limits.tiny, at_most=limits.max)

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        return tuple(self.patterns.shape[:-2])

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of every state (Ramsauer et al. 2021, eq. 2), at least 0 and at most 2 M**2 inside the patterns' hull.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, finite values, dtype and device of the patterns.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ...)``, in units of a squared pattern entry.

        Raises
        ------
        ArgumentError
            If the state does not fit the patterns, or an energy is beyond the dtype.
        """
        probes, patterns = wide(self._probes(state)), wide(self.patterns)
        largest = patterns.square().sum(dim=-1).amax(dim=-1)[..., None]
        energy = probes.square().sum(dim=-1) / 2 + largest / 2 - _log_mean_exp(probes @ patterns.mT, self.beta)
        return require_fit("patterns", energy.to(state.dtype)).reshape(state.shape[:-1])

    def weights(self, state: torch.Tensor) -> torch.Tensor:
        """Attention of every state to every pattern, ``(*G, ..., N)`` to ``(*G, ..., P)``; each row sums to 1."""
        scores = wide(self._probes(state)) @ wide(self.patterns).mT
        # From the largest one down: beta times an overlap may be beyond a float where beta times a difference is not.
        scores = self.beta * (scores - scores.amax(dim=-1, keepdim=True).detach())
        shares = require_fit("patterns", torch.softmax(scores, dim=-1).to(state.dtype))
        return shares.reshape(*state.shape[:-1], self.patterns.shape[-2])

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Every state after one concave-convex step (Ramsauer et al. 2021, eq. 3): the energy does not increase.

        Their theorem 1; ``(*G, ..., N)`` to the same axes.
        """
        return exponential_retrieval(self._probes(state), self.patterns, self.beta).reshape(state.shape)

    def _probes(self, state: torch.Tensor) -> torch.Tensor:
        require_state("state", state, self.patterns, values="finite")
        return as_probes(state, self.networks)


def _log_mean_exp(scores: torch.Tensor, beta: Scalar) -> torch.Tensor:
    """ln of the mean of exp(beta z) over the last axis, by beta, with its digits at every beta.

    It goes from the mean of z at beta = 0 to the largest z.
    """
    top = scores.detach().amax(dim=-1, keepdim=True)
    below = beta * (scores - top)
    # ln P and the logarithm of a sum near P would cancel at small beta. In float64 near -1 there are digits for 1 / P.
    pooled = torch.expm1(below.double()).mean(dim=-1).log1p().to(scores.dtype)
    return top[..., 0] + pooled / beta


def attend(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    *,
    beta: Scalar,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""Retrieval by key: recognise with the keys, answer with the values (Ramsauer et al. 2021, eq. 10).

    .. math:: o_q = \sum_\mu v_\mu \, \mathrm{softmax}_\mu(\beta \, k_\mu \cdot q)

    With ``beta = 1/sqrt(N)`` this is the attention of a transformer; with keys and values equal it is one step of
    :class:`ModernHopfield`.

    Parameters
    ----------
    queries, keys, values
        Axes ``(..., Q, N)``, ``(..., P, N)`` and ``(..., P, V)``, finite, of one dtype and device, with equal
        leading axes (batch, heads).
    beta
        Inverse temperature, positive.
    mask
        Booleans ``(Q, P)`` or with leading axes; a query sees a pattern where it is true, and at least one of them.

    Returns
    -------
    torch.Tensor
        Axes ``(..., Q, V)``.

    Raises
    ------
    ArgumentError
        If axes, dtypes, devices or values do not fit, a query sees no pattern, or beta is not positive.
    """
    sizes: dict[str, int] = {}
    require_tensor("queries", queries, "... queries neurons", sizes=sizes)
    require_tensor("keys", keys, "... patterns neurons", sizes=sizes, device=queries.device, dtype=queries.dtype)
    require_tensor("values", values, "... patterns outputs", sizes=sizes, device=queries.device, dtype=queries.dtype)
    for name, tensor in (("keys", keys), ("values", values)):
        if tensor.shape[:-2] != queries.shape[:-2]:
            raise ArgumentError(
                name,
                f"leading axes {tuple(queries.shape[:-2])} as in the queries",
                f"shape {tuple(tensor.shape)}",
                "Expand one of them.",
            )
    require_scalar("beta", beta, above=0.0, device=queries.device)
    if mask is not None:
        _require_mask(mask, queries, keys)
    return require_fit("keys", softmax_attention(queries, keys, values, beta, mask))


def _require_mask(mask: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor) -> None:
    wanted = (*queries.shape[:-1], keys.shape[-2])
    if not isinstance(mask, torch.Tensor) or mask.dtype != torch.bool:
        got = str(mask.dtype) if isinstance(mask, torch.Tensor) else type(mask).__name__
        raise ArgumentError("mask", "a tensor of booleans", got, "True where a query sees a pattern.")
    if mask.ndim < 2 or mask.shape != wanted[len(wanted) - mask.ndim :]:
        raise ArgumentError("mask", f"the last axes of {wanted}", f"shape {tuple(mask.shape)}")
    if readable(mask) and not mask.any(dim=-1).all():
        raise ArgumentError(
            "mask",
            "at least one visible pattern for each query",
            "a query that sees none",
            "Its softmax would be undefined.",
        )


def effective_number(weights: torch.Tensor) -> torch.Tensor:
    r"""Number of patterns a state attends to: the exponential of the entropy of its attention weights.

    .. math:: P_{\mathrm{eff}} = \exp\Big(-\sum_\mu w_\mu \ln w_\mu\Big)

    It is 1 at a single pattern, the size of a cluster at a metastable state and P at the global mean.

    Parameters
    ----------
    weights
        Axes ``(..., P)``, not negative, summing to 1.

    Returns
    -------
    torch.Tensor
        Axes ``(...)``, between 1 and P.

    Raises
    ------
    ArgumentError
        If a weight is negative or not finite, or the weights of a state do not sum to 1.
    """
    require_tensor("weights", weights, "... patterns", values="nonnegative")
    total = weights.sum(dim=-1)
    slack = 10 * weights.shape[-1] * torch.finfo(weights.dtype).eps
    if readable(weights) and ((total - 1).abs() > slack).any():
        raise ArgumentError(
            "weights",
            "weights that sum to 1",
            f"{total.reshape(-1)[0].item():g}",
            "Use ModernHopfield.weights or a softmax.",
        )
    return torch.special.entr(weights).sum(dim=-1).exp()


def separation(patterns: torch.Tensor) -> torch.Tensor:
    r"""Separation :math:`\Delta_\mu = x_\mu \cdot x_\mu - \max_{\nu \ne \mu} x_\mu \cdot x_\nu` (Ramsauer et al. 2021).

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, P at least 2, finite values.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P)``; negative for a pattern closer to a longer one than to itself.

    Raises
    ------
    ArgumentError
        If the patterns have wrong axes or are not finite, or there is only one.
    """
    require_tensor("patterns", patterns, "... patterns neurons")
    count = require_integer("patterns", patterns.shape[-2], at_least=2)
    gaps = []
    # All products of 60,000 patterns would take 14 GB: some rows at a time.
    for rows in torch.arange(count, device="cpu").split(pieces.fitting(16 * patterns[..., 0].numel())):
        products = patterns[..., rows, :] @ patterns.mT
        own = products[..., range(len(rows)), rows].clone()
        products[..., range(len(rows)), rows] = -math.inf
        gaps.append(own - products.amax(dim=-1))
    return require_fit("patterns", torch.cat(gaps, dim=-1))


def retrieval_onset(patterns: int) -> float:
    r"""Smallest :math:`\beta |x|^2` at which one of P orthogonal patterns of length \|x\| is retrieved.

    A state that gives the weight w to one pattern and shares the rest equally among the others is a fixed point if

    .. math:: \beta |x|^2 = \frac{P - 1}{P w - 1} \, \ln \frac{(P - 1) w}{1 - w} .

    The right side has a minimum over w between 1/P and 1; below it the equal mean is the only such state. It grows like
    ln P. The mean itself stays stable up to :math:`\beta |x|^2 = P`, where the largest eigenvalue of
    :math:`\beta \, \mathrm{Cov}(x)` is 1: in between, both are there. This is the transition of the Potts model with
    P values at the mean-field level.

    Parameters
    ----------
    patterns
        P, at least 2.

    Returns
    -------
    float
        Dimensionless, between 2 (for two patterns, where the transition is continuous) and P.

    Raises
    ------
    ArgumentError
        If ``patterns`` is not an integer of at least 2.
    """
    count = require_integer("patterns", patterns, at_least=2)

    logarithm = math.log(count)  # of a whole number of any size
    rest = 1 / count  # 0 where it is too large for a float
    others = logarithm + math.log1p(-rest)

    def strength(log_odds: float) -> float:
        # w = 1 / (1 + (P - 1) exp(-log_odds)): the right side as a function of the log of (P - 1) w / (1 - w), the
        # fraction over P above and below.
        share = 1 / (1 + math.exp(min(others - log_odds, 700.0)))
        return log_odds * (1 - rest) / (share - rest)

    found = minimize_scalar(strength, bounds=(1e-6, 4 * logarithm + 4), method="bounded", options={"xatol": 1e-10})
    return max(2.0, float(found.fun))  # 2 itself for two patterns, which the search comes near to


def one_step_bound(patterns: torch.Tensor, distance: torch.Tensor, *, beta: float) -> torch.Tensor:
    r"""Bound on the error after one step (Ramsauer et al. 2021, theorem 4).

    .. math:: |\xi' - x_\mu| \le 2 (P - 1) M e^{-\beta (\Delta_\mu - 2 M d_\mu)}

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, P at least 2, finite values.
    distance
        d, axes ``(*G, P)``: the larger of the distances from pattern to state and from pattern to its fixed point.
    beta
        Inverse temperature, positive.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P)``, in units of a pattern entry. It says something only where it is well below 2 M.

    Raises
    ------
    ArgumentError
        If a tensor does not fit or beta is not positive.
    """
    gap = separation(patterns)
    require_number("beta", beta, above=0.0)
    require_tensor(
        "distance",
        distance,
        "... patterns",
        values="nonnegative",
        sizes={"patterns": gap.shape[-1]},
        dtype=patterns.dtype,
        device=patterns.device,
    )
    largest = patterns.norm(dim=-1).amax(dim=-1, keepdim=True)
    bound = 2 * (patterns.shape[-2] - 1) * largest * torch.exp(-beta * (gap - 2 * largest * distance))
    return require_fit("distance", bound)


def fixed_point_bound(patterns: torch.Tensor, *, beta: float) -> torch.Tensor:
    r"""Bound on the distance of a pattern's fixed point from the pattern (Ramsauer et al. 2021, theorem 5).

    .. math:: |x^*_\mu - x_\mu| \le 2 e (P - 1) M e^{-\beta \Delta_\mu}

    It needs fixed point and pattern to be within :math:`1/(2 \beta M)` of each other: there the factor e of theorem 4
    is all that is left of the distance.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, P at least 2, finite values.
    beta
        Inverse temperature, positive.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P)``, in units of a pattern entry.

    Raises
    ------
    ArgumentError
        If the patterns do not fit or beta is not positive.
    """
    gap = separation(patterns)
    require_number("beta", beta, above=0.0)
    largest = patterns.norm(dim=-1).amax(dim=-1, keepdim=True)
    return 2 * math.e * (patterns.shape[-2] - 1) * largest * torch.exp(-beta * gap)


@dataclass(frozen=True)
class Held:
    """What became of the bounds of theorems 4 and 5 of Ramsauer et al. (2021) where they were held against states.

    Attributes
    ----------
    steps, fixed_points
        How many updates and fixed points were held against a bound that says something, one below the diameter 2 M of
        the ball that all patterns lie in.
    steps_beyond, fixed_points_beyond
        How many lay beyond their bound, whatever it says.
    """

    steps: int
    fixed_points: int
    steps_beyond: int
    fixed_points_beyond: int


def hold_bounds(patterns: torch.Tensor, states: torch.Tensor, *, beta: float) -> Held:
    """Hold theorems 4 and 5 of Ramsauer et al. (2021) against the first B patterns, from states near each of them.

    Parameters
    ----------
    patterns
        Axes ``(P, N)``, P at least 2, finite values, not all zero.
    states
        Axes ``(*S, B, N)``, B at most P: state number mu near pattern number mu, dtype and device of the patterns.
    beta
        Inverse temperature, positive.

    Returns
    -------
    Held
        Counts. The fixed point of a pattern is where five updates lead from it, and it counts where theorem 5 speaks of
        it: within 1 / (2 beta M) of the pattern. A millionth of a millionth of M is granted to rounding.

    Raises
    ------
    ArgumentError
        If the tensors do not fit, there are more states than patterns, or beta is not positive.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "patterns neurons", sizes=sizes)
    require_tensor("states", states, "... probes neurons", sizes=sizes, dtype=patterns.dtype, device=patterns.device)
    require_integer("states", probes := states.shape[-2], at_most=len(patterns))
    model, probed = ModernHopfield(patterns, beta), patterns[:probes]
    fixed = probed
    for _ in range(5):
        fixed = model.update(fixed)
    moved, largest = (fixed - probed).norm(dim=-1), patterns.norm(dim=-1).max()
    slack, near = 1e-12 * largest, moved <= 1 / (2 * beta * largest)
    rest_bound = fixed_point_bound(patterns, beta=beta)[:probes]
    distance = states.new_zeros(*states.shape[:-2], len(patterns))
    distance[..., :probes] = torch.maximum((states - probed).norm(dim=-1), moved)
    step_bound = one_step_bound(patterns, distance, beta=beta)[..., :probes]
    off = (model.update(states) - fixed).norm(dim=-1)
    return Held(
        steps=int((step_bound < 2 * largest).sum()),
        fixed_points=int((near & (rest_bound < 2 * largest)).sum()),
        steps_beyond=int((off > step_bound + slack).sum()),
        fixed_points_beyond=int((near & (moved > rest_bound + slack)).sum()),
    )


@dataclass(frozen=True)
class Constants:
    """Constants of the storage theorem (Ramsauer et al. 2021, theorem 3), dimensionless.

    Attributes
    ----------
    a, b, c
        Its constants; the number of patterns grows like ``c**((N - 1) / 4)``.
    patterns
        The number it guarantees, ``sqrt(failure) * c**((N - 1) / 4)``; not rounded.
    """

    a: float
    b: float
    c: float
    patterns: float


def capacity_constants(neurons: int, *, radius: float, failure: float, beta: float = 1.0) -> Constants:
    r"""How many random patterns are stored for sure (Ramsauer et al. 2021, theorem 3).

    Patterns are drawn evenly from the sphere of radius :math:`M = K \sqrt{N - 1}`. With

    .. math:: a = \frac{2}{N - 1} \left[1 + \ln(2 \beta K^2 p (N - 1))\right], \quad b = \frac{2 K^2 \beta}{5}, \quad
              c = \frac{b}{W_0(e^{a + \ln b})} ,

    at least :math:`\sqrt p \, c^{(N-1)/4}` of them are stored, except with probability p.

    Parameters
    ----------
    neurons
        N, 2 to 2**53.
    radius
        K, positive.
    failure
        p, the probability that it fails, positive and at most 1.
    beta
        Inverse temperature, positive.

    Raises
    ------
    ArgumentError
        If a number is out of range, or a constant is beyond the range of a float.
    """
    require_integer("neurons", neurons, at_least=2, at_most=2**53)
    require_number("radius", radius, above=0.0)
    require_number("failure", failure, above=0.0, at_most=1.0)
    require_number("beta", beta, above=0.0)
    # In logarithms: b and exp(a + ln b) may be beyond a float where c is not.
    size = math.log(beta) + 2 * math.log(radius)
    a = 2 * (1 + math.log(2) + size + math.log(failure) + math.log(neurons - 1)) / (neurons - 1)
    log_b = math.log(0.4) + size
    # W(exp(y)) is the Wright omega function of y, and ln W(exp(y)) = y - W(exp(y)): so ln c = W - a.
    omega = float(wrightomega(a + log_b).real)
    log_c = omega - a
    log_patterns = math.log(failure) / 2 + log_c * (neurons - 1) / 4
    for name, exponent in (("b", log_b), ("c", log_c), ("the number of patterns", log_patterns)):
        if abs(exponent) > _LARGEST:
            raise ArgumentError(
                "radius",
                f"constants within a float with {neurons} neurons and beta = {beta:g}",
                f"{name} = exp({exponent:g}) at radius {radius:g}",
                "Take fewer neurons or a radius and a beta nearer to 1.",
            )
    return Constants(a, math.exp(log_b), math.exp(log_c), math.exp(log_patterns))
