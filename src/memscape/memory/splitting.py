r"""Growing an exponential memory by splitting (Liu, Wu & Wang 2019; Theriault & Tantari 2025).

The loss of any memory whose output is built from terms :math:`e^{h_\mu(x)}` with :math:`h_\mu = \beta k_\mu \cdot x`
has, for every memory and example, a *pull* :math:`d_\mu(x) = \partial \ell(x) / \partial h_\mu(x)`. Replace a memory
by two copies of half its weight. The loss is unchanged, and if they move apart, to :math:`k_\mu \pm \epsilon \phi`, it
changes by :math:`\tfrac12 \epsilon^2 \phi \cdot S_\mu \phi` with the splitting matrix

.. math:: S_\mu = \beta^2 \big\langle d_\mu(x)\, x x^T \big\rangle ,

or, for memories on the sphere, with :math:`\bar x = x - (k_\mu \cdot x)\, k_\mu` and :math:`\phi \perp k_\mu`,

.. math:: S_\mu = \big\langle d_\mu(x) \big(\beta^2\, \bar x \bar x^T - \beta\, k_\mu \cdot x \big) \big\rangle .

A negative eigenvalue means that the critical point of the small memory is a saddle of the large one, and its
eigenvector says how to leave it. In a :class:`~memscape.memory.saddles.Mixture` the pull is minus the share of the
memory, so that the eigenvector is the first principal component of the images the memory explains, and the memory
wants to split when :math:`\beta` times that variance exceeds their mean overlap with it.

In attention the pull is :math:`d_\mu = a_\mu (v_\mu - o) \cdot \partial \ell / \partial o`, with weights
:math:`a = \mathrm{softmax}(\beta k \cdot q + b)`. Two copies of a key draw twice the weight, so every copy needs the
log-weight :math:`b - \ln 2`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_generator,
    require_integer,
    require_kind,
    require_number,
    require_sequence,
    require_tensor,
)
from memscape.memory.attention import attend
from memscape.memory.saddles import Mixture, Recipe, gradient, tangent, train
from memscape.tools.models import Model

__all__ = [
    "KeyValue",
    "Pulls",
    "Splits",
    "Stage",
    "attention_gradient",
    "descend",
    "fit",
    "grow",
    "grow_keys",
    "saving",
    "split",
    "split_keys",
    "splits",
    "work_to",
]


@dataclass(frozen=True)
class Splits:
    """Smallest eigenvalue of every splitting matrix, axes (P,), and its unit eigenvector, axes (P, N)."""

    values: torch.Tensor
    directions: torch.Tensor


@dataclass(frozen=True)
class KeyValue(Model):
    """Attention whose keys, values and log-weights are learned: an exponential memory with an answer.

    Parameters
    ----------
    keys, values, log_weights
        Axes (P, N), (P, V) and (P,), finite, of one dtype and device.
    beta
        Inverse temperature, positive.

    Raises
    ------
    ArgumentError
        If the tensors do not fit or beta is not positive.
    """

    keys: torch.Tensor
    values: torch.Tensor
    log_weights: torch.Tensor
    beta: float

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("keys", self.keys, "memories neurons", sizes=sizes)
        for name, tensor, axes in (
            ("values", self.values, "memories outputs"),
            ("log_weights", self.log_weights, "memories"),
        ):
            require_tensor(name, tensor, axes, sizes=sizes, device=self.keys.device, dtype=self.keys.dtype)
        require_number("beta", self.beta, above=0.0)

    def __call__(self, queries: torch.Tensor) -> torch.Tensor:
        """Answers (samples, V) to queries (samples, N): :func:`memscape.memory.attention.attend` with one more neuron.

        The neuron is 1 in every query and b / beta in a key, which adds b to the exponent.
        """
        _require_inputs(queries, self.keys)
        longer = torch.cat([queries, torch.ones_like(queries[:, :1])], dim=1)
        keys = torch.cat([self.keys, self.log_weights[:, None] / self.beta], dim=1)
        return attend(longer, keys, self.values, beta=self.beta)


@dataclass(frozen=True)
class Pulls:
    """Loss, its derivatives in keys (P, N), values (P, V) and log-weights (P,), and the pulls d (samples, P)."""

    loss: float
    keys: torch.Tensor
    values: torch.Tensor
    log_weights: torch.Tensor
    pulls: torch.Tensor


def attention_gradient(model: KeyValue, queries: torch.Tensor, answers: torch.Tensor) -> Pulls:
    r"""Gradient of the mean squared error :math:`\ell = \tfrac12 |o - y|^2` of learned attention.

    Parameters
    ----------
    model
        Keys, values and log-weights.
    queries, answers
        Axes (samples, N) and (samples, V).

    Returns
    -------
    Pulls
        The last field is what :func:`splits` wants.

    Raises
    ------
    ArgumentError
        If queries or answers do not fit.
    """
    require_kind("model", model, KeyValue)
    _require_inputs(queries, model.keys)
    require_tensor(
        "answers",
        answers,
        "samples outputs",
        sizes={"samples": len(queries), "outputs": model.values.shape[1]},
        device=queries.device,
        dtype=queries.dtype,
    )
    shares = torch.softmax(torch.addmm(model.log_weights, queries, model.keys.mT, alpha=model.beta), dim=1)
    error = shares @ model.values - answers
    require_fit("answers", error.square().sum())
    of_values = shares.mT @ error / len(queries)
    agreement = error @ model.values.mT
    pulls = shares * (agreement - (shares * agreement).sum(dim=1, keepdim=True))
    return Pulls(
        error.square().sum().item() / (2 * len(queries)),
        pulls.mT @ queries * (model.beta / len(queries)),
        of_values,
        pulls.mean(dim=0),
        pulls,
    )


def splits(
    inputs: torch.Tensor,
    pulls: torch.Tensor,
    keys: torch.Tensor,
    *,
    beta: float,
    spherical: bool,
    steps: int,
    generator: torch.Generator,
) -> Splits:
    """Smallest eigenvalue and eigenvector of every splitting matrix, by power iteration for all memories at once.

    A step costs two products of inputs and memories, like an epoch of training on the inputs. No matrix of size N by N
    is built.

    Parameters
    ----------
    inputs
        x, axes (samples, N).
    pulls
        d, axes (samples, P): derivative of an example's loss in the exponent of a memory.
    keys
        Memories, axes (P, N); unit vectors if ``spherical``.
    beta
        Factor of the products in the exponent, positive.
    spherical
        Whether memories and their directions of splitting are bound to the sphere.
    steps
        Number of power steps, at least 1.
    generator
        A CPU generator for the start.

    Returns
    -------
    Splits
        The values are Rayleigh quotients of the directions, so never below the smallest eigenvalue.

    Raises
    ------
    ArgumentError
        If a tensor does not fit or a number is out of range.
    """
    _require_inputs(inputs, keys)
    require_tensor(
        "pulls",
        pulls,
        "samples memories",
        sizes={"samples": len(inputs), "memories": len(keys)},
        device=inputs.device,
        dtype=inputs.dtype,
    )
    require_number("beta", beta, above=0.0, at_most=1e100)
    require_count("steps", steps)
    require_generator("generator", generator)
    scale = beta**2 / len(inputs)
    sphere = beta * (pulls * (inputs @ keys.mT)).mean(dim=0) if spherical else torch.zeros_like(pulls[0])
    # Power iteration finds the largest eigenvalue of shift - S; the shift makes it the largest in modulus.
    shift = scale * (pulls.clamp(min=0.0) * inputs.square().sum(dim=1, keepdim=True)).sum(dim=0)

    def free(vectors: torch.Tensor) -> torch.Tensor:
        return tangent(vectors, keys) if spherical else vectors

    drawn = torch.rand(keys.shape, generator=generator, dtype=torch.float64, device="cpu").to(keys) - 0.5
    directions = free(drawn)
    for _ in range(steps + 1):
        directions = directions / directions.norm(dim=1, keepdim=True)
        image = free(scale * (pulls * (inputs @ directions.mT)).mT @ inputs)
        values = (directions * image).sum(dim=1) - sphere
        last, directions = directions, shift[:, None] * directions - image
    return Splits(values, last)


def split(model: Mixture, found: Splits, *, limit: int, threshold: float = -0.001, step: float = 0.25) -> Mixture:
    r"""Split the memories with the most negative eigenvalues in two: :math:`w \pm 0.25\,\phi`, normalised.

    Parameters
    ----------
    model
        The memories.
    found
        What :func:`splits` returned for them.
    limit
        Largest number of memories afterwards, at least P.
    threshold
        Only memories with an eigenvalue below it are split; -0.001 in the authors' code.
    step
        How far the copies move, positive; 0.25 in the authors' code.

    Returns
    -------
    Mixture
        First what was there, a split memory replaced by its first copy; then the second copies, in the order of their
        eigenvalues. Class weights of copies are halved.

    Raises
    ------
    ArgumentError
        If the splits are not of these memories or a number is out of range.
    """
    require_kind("model", model, Mixture)
    return _split(model, found, limit, threshold, step)[0]


def _split(
    model: Mixture, found: Splits, limit: int, threshold: float = -0.001, step: float = 0.25
) -> tuple[Mixture, torch.Tensor]:
    """As :func:`split`, with the positions of the memories that were split, in the order of their second copies."""
    memories, chosen = _parted(model.memories, found, limit, threshold, step)
    weights = model.weights.clone()
    weights[chosen] /= 2
    larger = replace(
        model,
        memories=memories / memories.norm(dim=1, keepdim=True),
        weights=torch.cat([weights[:-1], weights[chosen], weights[-1:]]),
    )
    return larger, chosen


def split_keys(model: KeyValue, found: Splits, *, limit: int, threshold: float = 0.0, step: float = 0.25) -> KeyValue:
    """Split the keys with the most negative eigenvalues: keys apart, values copied, log-weights less ln 2.

    Arguments and order as for :func:`split`; the step is in units of a key entry.

    Raises
    ------
    ArgumentError
        If the splits are not of these keys or a number is out of range.
    """
    require_kind("model", model, KeyValue)
    keys, chosen = _parted(model.keys, found, limit, threshold, step)
    log_weights = model.log_weights.clone()
    log_weights[chosen] -= math.log(2.0)
    return replace(
        model,
        keys=keys,
        values=torch.cat([model.values, model.values[chosen]]),
        log_weights=torch.cat([log_weights, log_weights[chosen]]),
    )


def _parted(
    keys: torch.Tensor, found: Splits, limit: int, threshold: float, step: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Memories after the split, second copies last, and which were split.

    Those below the threshold are, the most negative first, as many as there is room for.
    """
    require_kind("found", found, Splits)
    sizes = {"memories": keys.shape[0], "neurons": keys.shape[1]}
    for name, tensor, axes in (
        ("values", found.values, "memories"),
        ("directions", found.directions, "memories neurons"),
    ):
        require_tensor(name, tensor, axes, sizes=sizes, device=keys.device, dtype=keys.dtype)
    require_count("limit", limit, at_least=len(keys))
    require_number("threshold", threshold)
    require_number("step", step, above=0.0)
    order = found.values.argsort(stable=True)
    chosen = order[found.values[order] < threshold][: limit - len(keys)]
    aside = step * found.directions[chosen]
    parted = keys.clone()
    parted[chosen] += aside
    return torch.cat([parted, keys[chosen] - aside]), chosen


def descend(
    model: KeyValue,
    queries: torch.Tensor,
    answers: torch.Tensor,
    recipe: Recipe,
    *,
    epochs: int,
    generator: torch.Generator,
) -> Iterator[KeyValue]:
    """Train keys, values and log-weights on the squared error by gradient descent with momentum; yield every epoch.

    Parameters
    ----------
    model
        Where to start.
    queries, answers
        Axes (samples, N) and (samples, V).
    recipe
        Rate (acting twice, as in :class:`~memscape.memory.saddles.Recipe`), momentum and batch.
    epochs
        Number of epochs, at least 1.
    generator
        A CPU generator for the order of the queries.

    Yields
    ------
    KeyValue
        After every epoch.

    Raises
    ------
    ArgumentError
        If queries or answers do not fit, or the batch exceeds them.
    """
    require_tensor("queries", queries, "samples neurons")
    require_tensor("answers", answers, "samples outputs", sizes={"samples": len(queries)})
    attention_gradient(model, queries[:1], answers[:1])
    require_count("epochs", epochs)
    require_kind("recipe", recipe, Recipe)
    require_integer("batch", recipe.batch, at_least=1, at_most=len(queries))
    require_generator("generator", generator)
    velocity = [torch.zeros_like(part) for part in (model.keys, model.values, model.log_weights)]
    for _ in range(epochs):
        order = torch.randperm(len(queries), generator=generator, device="cpu").to(queries.device)
        for batch in order.split(recipe.batch)[: len(queries) // recipe.batch]:
            slope = attention_gradient(model, queries[batch], answers[batch])
            moved = []
            for part, speed, uphill in zip(
                (model.keys, model.values, model.log_weights),
                velocity,
                (slope.keys, slope.values, slope.log_weights),
                strict=True,
            ):
                speed.mul_(recipe.momentum).sub_(uphill, alpha=recipe.rate)
                moved.append(part.add(speed, alpha=recipe.rate))
            model = replace(model, keys=moved[0], values=moved[1], log_weights=moved[2])
        yield model


def grow_keys(
    model: KeyValue,
    queries: torch.Tensor,
    answers: torch.Tensor,
    recipe: Recipe,
    *,
    limit: int,
    epochs: int,
    steps: int = 8,
    generator: torch.Generator,
) -> Iterator[tuple[KeyValue, float]]:
    """Descend, split the keys, descend, ... until there are ``limit`` keys or none wants to split.

    Parameters
    ----------
    model
        The few keys to start from.
    queries, answers, recipe, generator
        As for :func:`descend`.
    limit
        Number of keys in the end, at least P.
    epochs
        Number of epochs of a stage, at least 1.
    steps
        Power steps on ten minibatches of queries to find the splits.

    Yields
    ------
    KeyValue, float
        After every stage the model and the work so far: epochs times keys, splitting included.

    Raises
    ------
    ArgumentError
        If queries or answers do not fit, or a number is out of range.
    """
    require_kind("model", model, KeyValue)
    require_integer("limit", limit, at_least=len(model.keys))
    work = 0.0
    while True:
        *_, model = descend(model, queries, answers, recipe, epochs=epochs, generator=generator)
        work += epochs * len(model.keys)
        yield model, work
        order = torch.randperm(len(queries), generator=generator, device="cpu").to(queries.device)
        sample = order[: 10 * recipe.batch]
        pulls = attention_gradient(model, queries[sample], answers[sample]).pulls
        found = splits(
            queries[sample],
            pulls,
            model.keys,
            beta=model.beta,
            spherical=False,
            steps=steps,
            generator=generator,
        )
        larger = split_keys(model, found, limit=limit)
        if len(larger.keys) == len(model.keys):
            return
        # The gradient and the first look at the directions cost a step each.
        work += (steps + 2) * len(model.keys) * len(sample) / len(queries)
        model = larger


@dataclass(frozen=True)
class Stage:
    """Training at one number of memories.

    Attributes
    ----------
    model
        The model of the lowest validation loss.
    losses
        Validation loss after every epoch, nats.
    parents
        For every memory, the position of the one it came from at the start of all; axes (P,).
    splitting
        Products of inputs and memories spent on finding the splits before this stage, in epochs times memories.
    """

    model: Mixture
    losses: list[float]
    parents: torch.Tensor
    splitting: float = 0.0

    @property
    def work(self) -> float:
        """Epochs times memories, splitting included."""
        return len(self.losses) * len(self.model.memories) + self.splitting


def work_to(stages: Sequence[Stage], target: float) -> float:
    """Work after which the validation loss first reaches a target: epochs times memories, splitting included.

    Parameters
    ----------
    stages
        One after the other, as :func:`grow` yields them; a single one for a training at once.
    target
        Loss to reach, nats.

    Returns
    -------
    float
        Infinity if it is never reached.
    """
    for stage in require_sequence("stages", stages, "stages"):
        require_kind("stages", stage, Stage)
    require_number("target", target)
    spent = 0.0
    for stage in stages:
        spent += stage.splitting
        for loss in stage.losses:
            spent += len(stage.model.memories)
            if loss <= target:
                return spent
    return math.inf


def saving(whole: Stage, stages: Sequence[Stage]) -> float:
    """Work of a training at once over that of a growth, stage by stage, to the same size; dimensionless.

    Raises
    ------
    ArgumentError
        If ``whole`` is no stage, or ``stages`` are not stages, at least one.
    """
    require_kind("whole", whole, Stage)
    for stage in require_sequence("stages", stages, "stages"):
        require_kind("stages", stage, Stage)
    if not stages:
        raise ArgumentError("stages", "at least one stage", "none")
    return whole.work / sum(stage.work for stage in stages)


Data = tuple[torch.Tensor, torch.Tensor]


def fit(
    model: Mixture,
    data: Data,
    validation: Data,
    recipe: Recipe,
    *,
    epochs: int,
    patience: int = 1,
    generator: torch.Generator,
) -> Stage:
    """Train until the validation loss has not improved for ``patience`` epochs, and keep the best model.

    Parameters
    ----------
    model
        Where to start.
    data, validation
        Pairs of images (samples, N) and targets (samples, C + 1).
    recipe
        Rate, momentum and batch.
    epochs
        Largest number of epochs.
    patience
        Epochs without improvement after which to stop, at least 1; 1 in the authors' code.
    generator
        A CPU generator for the order of the images.

    Returns
    -------
    Stage
        The best model and the course of the validation loss.

    Raises
    ------
    ArgumentError
        If data do not fit or a number is out of range.
    """
    require_kind("model", model, Mixture)
    _require_data("data", data)
    _require_data("validation", validation)
    require_count("patience", patience)
    best, losses, lowest, waited = model, [], math.inf, 0
    for trained in train(model, *data, recipe, epochs=epochs, generator=generator):
        losses.append(trained.loss(*validation))
        waited += 1
        if losses[-1] < lowest:
            best, lowest, waited = trained, losses[-1], 0
        if waited >= patience:
            break
    return Stage(best, losses, torch.arange(len(model.memories), device="cpu"))


def grow(
    model: Mixture,
    data: Data,
    validation: Data,
    recipe: Recipe,
    *,
    limit: int,
    epochs: int,
    patience: int = 1,
    steps: int = 4,
    scaled: bool = False,
    generator: torch.Generator,
) -> Iterator[Stage]:
    """Train, split, train, ... until there are ``limit`` memories or none wants to split.

    Parameters
    ----------
    model
        The few memories to start from.
    data, validation, recipe, patience, generator
        As for :func:`fit`.
    limit
        P_max, at least P.
    epochs
        Largest number of epochs of a stage; 100 in the authors' code.
    steps
        Power steps on four minibatches of images to find the splits.
    scaled
        Let the step grow in proportion to the memories: the gradient of each falls as they share out the images.

    Yields
    ------
    Stage
        After every stage of training.

    Raises
    ------
    ArgumentError
        If data do not fit or a number is out of range.
    """
    require_kind("model", model, Mixture)
    first = len(model.memories)
    require_integer("limit", limit, at_least=first)
    stage = fit(model, data, validation, recipe, epochs=epochs, patience=patience, generator=generator)
    yield stage
    while (count := len(stage.model.memories)) < limit:
        sample = torch.randperm(len(data[0]), generator=generator, device="cpu")[: 4 * recipe.batch].to(data[0].device)
        images, targets = data[0][sample], data[1][sample]
        pulls = -gradient(stage.model, images, targets).shares
        found = splits(
            images,
            pulls,
            stage.model.memories,
            beta=stage.model.beta,
            spherical=True,
            steps=steps,
            generator=generator,
        )
        larger, chosen = _split(stage.model, found, limit)
        if len(chosen) == 0:
            return
        parents = torch.cat([stage.parents, stage.parents[chosen.to(stage.parents.device)]])
        # The gradient and the first look at the directions cost a step each.
        cost = (steps + 2) * count * len(sample) / len(data[0])
        pace = recipe
        if scaled:
            # The gradient of a weight falls with their total, so the total has to grow as the step does.
            pace = recipe.faster(len(larger.memories) / first)
            larger = replace(larger, weights=larger.weights * (len(larger.memories) / count))
        stage = fit(larger, data, validation, pace, epochs=epochs, patience=patience, generator=generator)
        stage = replace(stage, parents=parents, splitting=cost)
        yield stage


def _require_data(name: str, data: Data) -> None:
    if not isinstance(data, tuple) or len(data) != 2 or not all(isinstance(part, torch.Tensor) for part in data):
        raise ArgumentError(name, "a pair (images, targets)", type(data).__name__)


def _require_inputs(inputs: torch.Tensor, keys: torch.Tensor) -> None:
    require_tensor("keys", keys, "memories neurons")
    require_tensor(
        "inputs",
        inputs,
        "samples neurons",
        sizes={"neurons": keys.shape[1]},
        device=keys.device,
        dtype=keys.dtype,
    )
