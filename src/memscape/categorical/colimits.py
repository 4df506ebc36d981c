r"""What it takes to glue networks: averages, what is gained on going round a loop of matchings, and joins of memories.

Networks with hidden units and the matchings between them make a diagram. If it commutes, each hidden unit of each
network is one unit of a common network. If not, going round a loop moves units, and the colimit of the diagram, in
sets, has fewer elements than any of the networks has units: one for each cycle of what is gained on the way (Mac Lane
1998). Memories of the projection rule do glue: as subspaces, whose joins their projectors follow.
"""

from __future__ import annotations

import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from memscape.arguments import ArgumentError, require_fit, require_kind, require_tensor
from memscape.categorical.matching import matched, matching
from memscape.tools import pieces
from memscape.tools.perceptrons import Perceptrons, require_data

__all__ = ["average", "distance", "ensemble_accuracy", "glued", "join", "matched_average", "projector", "round_trip"]


def average(models: Perceptrons, groups: torch.Tensor) -> Perceptrons:
    """One network for each group: the mean of all weights and biases of its members, as they are numbered.

    Parameters
    ----------
    models
        Networks.
    groups
        Their numbers, int64, axes ``(groups, members)``; a network may come in many groups.

    Raises
    ------
    ArgumentError
        If there is no network of a number.
    """
    _require_networks("groups", groups, models)
    return Perceptrons(*(require_fit("models", each[groups].mean(dim=1)) for each in models.parameters))


def matched_average(models: Perceptrons, groups: torch.Tensor) -> Perceptrons:
    """The same after the hidden units of each member are matched to those of the first (Ainsworth and others 2023).

    Raises
    ------
    ArgumentError
        If there is no network of a number.
    """
    _require_networks("groups", groups, models)
    members = models.chosen(groups.flatten())
    firsts = models.chosen(groups[:, :1].expand_as(groups).flatten())
    return average(matched(members, firsts), torch.arange(len(members), device=groups.device).reshape(groups.shape))


def ensemble_accuracy(
    models: Perceptrons, groups: torch.Tensor, images: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Share of images on which the mean of the members' probabilities is largest for the right label.

    Parameters
    ----------
    models
        Networks.
    groups
        Their numbers, int64, axes ``(groups, members)``.
    images, labels
        Axes ``(images, inputs)`` and ``(images,)``, int64.

    Returns
    -------
    torch.Tensor
        In [0, 1], axes ``(groups,)``, float64.

    Raises
    ------
    ArgumentError
        If there is no network of a number, or the data do not fit the networks.
    """
    _require_networks("groups", groups, models)
    require_data(models, images, labels)
    right = torch.zeros(len(groups), dtype=torch.float64, device=images.device)
    widest = 2 * (len(models) * sum(models.second.shape[1:]) + groups.numel() * models.second.shape[2])
    for part in pieces.slices(len(images), pieces.fitting(widest * images.element_size())):
        probabilities = models.logits(images[part]).softmax(dim=-1)
        right += (probabilities[groups].mean(dim=1).argmax(dim=-1) == labels[part]).sum(dim=-1)
    return right / len(images)


def distance(models: Perceptrons, to: Perceptrons) -> torch.Tensor:
    """Euclidean distance of all weights and biases, after each network is matched to its partner.

    Returns
    -------
    torch.Tensor
        At least 0, axes ``(networks,)``, float64.

    Raises
    ------
    ArgumentError
        If the networks do not fit each other.
    """
    near = matched(models, to)
    squares = [
        (a.double() - b.double()).square().flatten(1).sum(dim=1)
        for a, b in zip(near.parameters, to.parameters, strict=True)
    ]
    return require_fit("models", torch.stack(squares).sum(dim=0).sqrt())


def round_trip(models: Perceptrons, loops: torch.Tensor) -> torch.Tensor:
    r"""Where each hidden unit comes out after it has been handed round a loop of networks by their matchings.

    A unit of the first network goes to the one that plays its part in the second, from there to the third, and from the
    last back to the first. The permutation gained is the *holonomy* of the loop; the diagram commutes if it is the
    identity, and else has no cocone of renamings (Crisostomi and others 2024 enforce that it is).

    Parameters
    ----------
    models
        Networks.
    loops
        Their numbers in the order of the way, int64, axes ``(loops, stations)``.

    Returns
    -------
    torch.Tensor
        ``[l, k]`` is the unit of the first network at which its unit k arrives: int64, axes ``(loops, hidden)``.

    Raises
    ------
    ArgumentError
        If there is no network of a number.
    """
    _require_networks("loops", loops, models)
    places = torch.arange(models.first.shape[2], device=loops.device).expand(len(loops), -1)
    for here, there in zip(loops.unbind(dim=1), loops.roll(-1, dims=1).unbind(dim=1), strict=True):
        places = matching(models.chosen(there), models.chosen(here)).gather(1, places)
    return places


def glued(models: Perceptrons, pairs: torch.Tensor) -> torch.Tensor:
    """The colimit, in sets, of the hidden units of networks and the matchings of some pairs of them.

    Units that a matching joins become one element. Without loops, and with all networks joined, there are as many
    elements as units in a network; on a single loop there is one for each cycle of its :func:`round_trip`.

    Parameters
    ----------
    models
        Networks.
    pairs
        The numbers of those that are matched, int64, axes ``(pairs, 2)``.

    Returns
    -------
    torch.Tensor
        The element that each unit becomes, numbered from 0: int64, axes ``(networks, hidden)``.

    Raises
    ------
    ArgumentError
        If there is no network of a number, or pairs have not two columns.
    """
    _require_networks("pairs", pairs, models)
    if pairs.shape[1] != 2:
        raise ArgumentError("pairs", "axes (pairs, 2)", f"shape {tuple(pairs.shape)}")
    networks, hidden = models.first_bias.shape
    here, there = pairs.unbind(dim=1)
    others = matching(models.chosen(there), models.chosen(here)) + hidden * there[:, None]
    own = torch.arange(hidden, device=pairs.device) + hidden * here[:, None]
    ends = own.flatten().cpu().numpy(), others.flatten().cpu().numpy()
    joined = coo_matrix((torch.ones(own.numel(), device="cpu").numpy(), ends), shape=2 * (networks * hidden,))
    _, elements = connected_components(joined, directed=False)
    return torch.from_numpy(elements).long().reshape(networks, hidden).to(pairs.device)


def projector(patterns: torch.Tensor) -> torch.Tensor:
    """The orthogonal projector on what the patterns span, diagonal included (Personnaz and others 1985).

    Parameters
    ----------
    patterns
        Axes ``(..., patterns, neurons)``, float64.

    Returns
    -------
    torch.Tensor
        Axes ``(..., neurons, neurons)``, dimensionless.

    Raises
    ------
    ArgumentError
        If the patterns are not finite numbers.
    """
    require_tensor("patterns", patterns, "... patterns neurons", dtype=torch.float64)
    _, sizes, vectors = torch.linalg.svd(patterns, full_matrices=False)
    precision = max(patterns.shape[-2:]) * torch.finfo(torch.float64).eps
    kept = vectors * (sizes > precision * sizes[..., :1])[..., None]
    return require_fit("patterns", kept.mT @ kept)


def join(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The projector on the smallest subspace that holds the ranges of two projectors: the range of their sum.

    Parameters
    ----------
    first, second
        Orthogonal projectors, axes ``(..., neurons, neurons)``, float64.

    Returns
    -------
    torch.Tensor
        The same axes.

    Raises
    ------
    ArgumentError
        If one is no projector, to six decimals, or they do not fit each other.
    """
    sizes: dict[str, int] = {}
    for name, each in (("first", first), ("second", second)):
        require_tensor(name, each, "... neurons neurons", sizes=sizes, dtype=torch.float64)
        if bool((each.abs() > 2).any()) or float((each @ each.mT - each).abs().amax()) > 1e-6:
            raise ArgumentError(name, "an orthogonal projector", "a matrix that is none")
    if first.shape != second.shape or first.device != second.device:
        raise ArgumentError("second", f"shape {tuple(first.shape)} on {first.device}", f"{tuple(second.shape)}")
    sizes_, vectors = torch.linalg.eigh((first + second + (first + second).mT) / 2)
    kept = vectors * (sizes_ > 1e-6)[..., None, :]
    return kept @ kept.mT


def _require_networks(argument: str, numbers: torch.Tensor, models: Perceptrons) -> None:
    """Raise ArgumentError unless ``numbers``, int64 with two axes and not empty, are those of networks."""
    networks, device = len(require_kind("models", models, Perceptrons)), models.first.device
    if not isinstance(numbers, torch.Tensor) or numbers.dtype != torch.int64 or numbers.ndim != 2:
        got = f"{numbers.dtype}, {tuple(numbers.shape)}" if isinstance(numbers, torch.Tensor) else repr(numbers)
        raise ArgumentError(argument, "an int64 tensor with two axes", got)
    if not numbers.numel() or numbers.device != device:
        raise ArgumentError(argument, f"numbers on {device}", f"{tuple(numbers.shape)} on {numbers.device}")
    if int(numbers.min()) < 0 or int(numbers.max()) >= networks:
        raise ArgumentError(
            argument, f"numbers from 0 to {networks - 1}", f"{int(numbers.min())} to {int(numbers.max())}"
        )
