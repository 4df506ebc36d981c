r"""Training runs and homotopies with lengths of their own: the smallest 2-category of learning.

Objects are networks, as vectors of weights. A :class:`Run` is a list of recorded networks with the durations between
them, so that the composite of two runs takes as long as both (a Moore path). A :class:`Square` is a list of runs with
the same ends and durations, one a height: a homotopy, recorded. Squares are set beside each other, in time, and above
each other. Nothing is interpolated or rescaled: laws hold to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from memscape.arguments import ArgumentError, require_count, require_generator, require_kind, require_tensor

__all__ = ["Laws", "Run", "Square", "composites", "halved", "laws", "renamed", "straight"]


@dataclass(frozen=True, eq=False)
class Run:
    """A recorded run.

    Parameters
    ----------
    points
        Weights at each record, first to last: axes ``(T, D)``, at least one record.
    durations
        Between records, axes ``(T - 1,)``, not negative, in any unit of time.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a number is none.
    """

    points: torch.Tensor
    durations: torch.Tensor

    def __post_init__(self) -> None:
        require_tensor("points", self.points, "records weights", dtype=torch.float64)
        _require_gaps("durations", self.durations, len(self.points), self.points)

    def then(self, second: Run) -> Run:
        """One run, and after it another that starts where it ends.

        Raises
        ------
        ArgumentError
            If it is no run or starts elsewhere.
        """
        require_kind("second", second, Run)
        if not torch.equal(self.points[-1], second.points[0]):
            raise ArgumentError("second", "a run that starts where the first ends", "another start")
        return Run(
            torch.cat([self.points, second.points[1:]]),
            torch.cat([self.durations, second.durations]),
        )


@dataclass(frozen=True, eq=False)
class Square:
    """A recorded homotopy between runs.

    Parameters
    ----------
    points
        Axes ``(S, T, D)``: at each height a run. All have the same first and the same last record.
    durations
        Of all the runs, axes ``(T - 1,)``, not negative.
    heights
        Between the runs, axes ``(S - 1,)``, not negative.

    Raises
    ------
    ArgumentError
        If the axes do not fit, or the ends move.
    """

    points: torch.Tensor
    durations: torch.Tensor
    heights: torch.Tensor

    def __post_init__(self) -> None:
        require_tensor("points", self.points, "heights records weights", dtype=torch.float64)
        _require_gaps("durations", self.durations, self.points.shape[1], self.points)
        _require_gaps("heights", self.heights, len(self.points), self.points)
        ends = self.points[:, [0, -1]]
        if not torch.equal(ends, ends[:1].expand_as(ends)):
            raise ArgumentError("points", "runs with the same ends at every height", "ends that move")

    @property
    def lowest(self) -> Run:
        """The run it starts from."""
        return Run(self.points[0], self.durations)

    @property
    def highest(self) -> Run:
        """The run it ends in."""
        return Run(self.points[-1], self.durations)

    def above(self, upper: Square) -> Square:
        """One homotopy, and on it another that starts from the run it ends in.

        Raises
        ------
        ArgumentError
            If it is no homotopy or starts from another run.
        """
        require_kind("upper", upper, Square)
        same = torch.equal(self.points[-1], upper.points[0]) and torch.equal(self.durations, upper.durations)
        if not same:
            raise ArgumentError("upper", "a homotopy that starts from the run where the first ends", "another run")
        return Square(
            torch.cat([self.points, upper.points[1:]]),
            self.durations,
            torch.cat([self.heights, upper.heights]),
        )

    def beside(self, later: Square) -> Square:
        """One homotopy, and after it in time another of the same heights.

        Raises
        ------
        ArgumentError
            If it is no homotopy, has other heights, or starts elsewhere.
        """
        require_kind("later", later, Square)
        if not torch.equal(self.heights, later.heights):
            raise ArgumentError("later", "a homotopy of the same heights", "other heights")
        if not torch.equal(self.points[0, -1], later.points[0, 0]):
            raise ArgumentError("later", "a homotopy that starts where the first ends", "another start")
        return Square(
            torch.cat([self.points, later.points[:, 1:]], dim=1),
            torch.cat([self.durations, later.durations]),
            self.heights,
        )


def straight(run: Run, heights: int) -> Square:
    """The homotopy from a run to the straight line between its ends, run through in the same times.

    Parameters
    ----------
    run
        The run; it takes some time.
    heights
        How many runs, at least 2.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_kind("run", run, Run)
    if not isinstance(heights, int) or isinstance(heights, bool) or not 2 <= heights <= 2**16:
        raise ArgumentError("heights", "an integer from 2 to 65536", repr(heights))
    total = run.durations.sum()
    if not 0 < float(total) < float("inf"):
        raise ArgumentError("run", "a run that takes some time, and no overflow", "another duration")
    zero = run.durations.new_zeros(1)
    share = torch.cat([zero, run.durations.cumsum(0) / total]).clamp(max=1)[:, None]
    line = torch.lerp(run.points[:1], run.points[-1:], share)
    line[-1] = run.points[-1]
    rise = torch.linspace(0, 1, heights, dtype=torch.float64, device=run.points.device)[:, None, None]
    points = torch.lerp(run.points[None], line[None], rise)
    points[:, 0], points[:, -1] = run.points[0], run.points[-1]
    if not bool(points.isfinite().all()):
        raise ArgumentError("run", "weights whose differences are finite", "an overflow")
    return Square(points, run.durations, rise.flatten().diff())


def halved(first: Run, second: Run) -> Run:
    """Two runs after each other on [0, 1], each in half the time: what composition is without durations.

    Parameters
    ----------
    first, second
        Runs; each is first brought to duration 1. The second starts where the first ends.

    Raises
    ------
    ArgumentError
        If one takes no time, or the second starts elsewhere.
    """
    parts = []
    for name, each in (("first", first), ("second", second)):
        total = float(require_kind(name, each, Run).durations.sum())
        if not 0 < total < float("inf"):
            raise ArgumentError(name, "a run that takes some time, and no overflow", f"{total:.6g}")
        parts.append(Run(each.points, each.durations / total / 2))
    return parts[0].then(parts[1])


def renamed(run: Run, places: torch.Tensor) -> Run:
    """The run with weight ``places[d]`` as weight d: what renaming hidden units does to all that is recorded.

    Parameters
    ----------
    run
        A run.
    places
        A permutation of the weights, int64, axes ``(D,)``.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    require_kind("run", run, Run)
    _require_group("places", places, run, axes=1)
    return Run(run.points[:, places], run.durations)


def composites(first: Run, second: Run, group: torch.Tensor) -> int:
    """How many composites two classes of runs have, up to renaming.

    Every renaming of the first run that ends where a renaming of the second starts is composed with it. Composites
    that one renaming carries into each other count as one.

    Parameters
    ----------
    first, second
        Runs of as many weights.
    group
        All renamings, permutations of the weights that form a group: int64, axes ``(renamings, D)``.

    Returns
    -------
    int
        0 where none fits, 1 where composition is defined for the classes.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_kind("first", first, Run)
    require_kind("second", second, Run)
    if first.points.shape[1] != second.points.shape[1] or first.points.device != second.points.device:
        raise ArgumentError("second", f"{first.points.shape[1]} weights on {first.points.device}", "others")
    _require_group("group", group, first, axes=2)
    # A renaming of the whole composite makes the first run stand as it is.
    fitting = [renamed(second, places) for places in group]
    whole = [first.then(each).points for each in fitting if torch.equal(first.points[-1], each.points[0])]
    classes: list[torch.Tensor] = []
    for points in whole:
        images = points[:, group].movedim(1, 0)
        if not any(bool((images == other).flatten(1).all(dim=1).any()) for other in classes):
            classes.append(points)
    return len(classes)


@dataclass(frozen=True)
class Laws:
    """Numbers of entries that differ where a law asks for the same, over all draws; and a distance.

    Parameters
    ----------
    associativity, units, interchange, renaming
        Numbers of records, durations and heights that differ.
    halves
        Least distance, over the draws, of both bracketings of three runs on [0, 1], in weights.
    """

    associativity: int
    units: int
    interchange: int
    renaming: int
    halves: float


def laws(draws: int, *, generator: torch.Generator) -> Laws:
    """Laws of the 2-category for random runs of 3 to 6 records of 4 weights, and squares of them.

    Parameters
    ----------
    draws
        How many, at least 1.
    generator
        A CPU generator: normal weights, durations and heights in sixteenths.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_count("draws", draws)
    require_generator("generator", generator)
    wrong, halves = [0, 0, 0, 0], float("inf")
    for _ in range(draws):
        a, b, c = _chain(generator)
        wrong[0] += _unequal(a.then(b).then(c), a.then(b.then(c)))
        rest = Run(a.points[-1:], a.durations[:0])
        wrong[1] += _unequal(a.then(rest), a) + _unequal(Run(a.points[:1], a.durations[:0]).then(a), a)
        (d, e), (f, g) = _grid(generator)
        wrong[2] += _unequal(d.beside(e).above(f.beside(g)), d.above(f).beside(e.above(g)))
        places = torch.randperm(a.points.shape[1], generator=generator, device="cpu")
        wrong[3] += _unequal(renamed(a.then(b), places), renamed(a, places).then(renamed(b, places)))
        halves = min(halves, _apart(halved(halved(a, b), c), halved(a, halved(b, c))))
    return Laws(wrong[0], wrong[1], wrong[2], wrong[3], halves)


def _gaps(count: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(1, 33, (count,), generator=generator, device="cpu").double() / 16


def _chain(generator: torch.Generator) -> list[Run]:
    """Three runs that follow each other."""
    lengths = torch.randint(3, 7, (3,), generator=generator, device="cpu").tolist()
    points = torch.randn(sum(lengths) - 2, 4, generator=generator, dtype=torch.float64, device="cpu")
    found, start = [], 0
    for length in lengths:
        found.append(Run(points[start : start + length], _gaps(length - 1, generator)))
        start += length - 1
    return found


def _grid(generator: torch.Generator) -> list[list[Square]]:
    """Two by two homotopies that fit beside and above each other; heights 3 and 4, runs of 3 and 5 records."""
    points = torch.randn(6, 7, 4, generator=generator, dtype=torch.float64, device="cpu")
    points[:, [0, 2, 6]] = points[:1, [0, 2, 6]]
    times, rises = _gaps(6, generator), _gaps(5, generator)
    lower, upper, left, right = slice(0, 3), slice(2, 6), slice(0, 3), slice(2, 7)
    return [
        [
            Square(points[rows, columns], times[columns.start : columns.stop - 1], rises[rows.start : rows.stop - 1])
            for columns in (left, right)
        ]
        for rows in (lower, upper)
    ]


def _unequal(one: Run | Square, other: Run | Square) -> int:
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return sum(int((a != b).sum()) if a.shape == b.shape else max(a.numel(), b.numel()) for a, b in pairs)


def _apart(one: Run, other: Run) -> float:
    """Largest distance of two runs on [0, 1] at the times of their records, straight in between."""
    clocks = [torch.cat([run.durations.new_zeros(1), run.durations.cumsum(0)]) for run in (one, other)]
    times = torch.cat(clocks).clamp(max=1 - 1e-12)
    found = []
    for run, clock in zip((one, other), clocks, strict=True):
        after = torch.searchsorted(clock, times, right=True).clamp(1, len(clock) - 1)
        share = ((times - clock[after - 1]) / (clock[after] - clock[after - 1]))[:, None]
        found.append(torch.lerp(run.points[after - 1], run.points[after], share))
    return float((found[0] - found[1]).norm(dim=1).max())


def _require_group(argument: str, places: torch.Tensor, run: Run, axes: int) -> None:
    weights = run.points.shape[1]
    if not isinstance(places, torch.Tensor) or places.dtype != torch.int64 or places.ndim != axes or 0 in places.shape:
        got = f"{places.dtype} {tuple(places.shape)}" if isinstance(places, torch.Tensor) else type(places).__name__
        raise ArgumentError(argument, f"int64 permutations of {weights} weights, {axes} axes", got)
    if places.device != run.points.device:
        raise ArgumentError(argument, f"device {run.points.device}", str(places.device))
    if places.shape[-1] != weights or not torch.equal(
        places.sort(dim=-1).values, torch.arange(weights, device=places.device).expand(places.shape)
    ):
        raise ArgumentError(argument, f"permutations of {weights} weights", "rows that are none")


def _require_gaps(argument: str, gaps: torch.Tensor, places: int, like: torch.Tensor) -> None:
    """Refuse what is not one number less than there are places; there may be none."""
    if not isinstance(gaps, torch.Tensor) or gaps.dtype != torch.float64 or gaps.shape != (places - 1,):
        got = f"{gaps.dtype} {tuple(gaps.shape)}" if isinstance(gaps, torch.Tensor) else type(gaps).__name__
        raise ArgumentError(argument, f"a float64 tensor of shape ({places - 1},)", got)
    if gaps.device != like.device:
        raise ArgumentError(argument, f"device {like.device}", str(gaps.device))
    if not bool(((gaps >= 0) & gaps.isfinite()).all()):
        raise ArgumentError(argument, "finite numbers, none negative", "others")
