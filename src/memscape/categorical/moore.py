r"""Training runs and homotopies with lengths of their own: the smallest 2-category of learning.

Objects are networks, as vectors of weights. A :class:`Run` is a list of recorded networks with the durations between
them, so that the composite of two runs takes as long as both (a Moore path). A :class:`Square` is a list of runs with
the same ends and durations, one a height: a homotopy, recorded. Squares are set beside each other, in time, and above
each other. Nothing is interpolated or rescaled: laws hold to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from memscape.arguments import ArgumentError, require_kind, require_tensor

__all__ = ["Run", "Square", "halved", "straight"]


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


def _require_gaps(argument: str, gaps: torch.Tensor, places: int, like: torch.Tensor) -> None:
    """Refuse what is not one number less than there are places; there may be none."""
    if not isinstance(gaps, torch.Tensor) or gaps.dtype != torch.float64 or gaps.shape != (places - 1,):
        got = f"{gaps.dtype} {tuple(gaps.shape)}" if isinstance(gaps, torch.Tensor) else type(gaps).__name__
        raise ArgumentError(argument, f"a float64 tensor of shape ({places - 1},)", got)
    if gaps.device != like.device:
        raise ArgumentError(argument, f"device {like.device}", str(gaps.device))
    if not bool(((gaps >= 0) & gaps.isfinite()).all()):
        raise ArgumentError(argument, "finite numbers, none negative", "others")
