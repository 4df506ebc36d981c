"""Storage complexes up to symmetry, and the perceptron rule in a batch, against a linear programme a set."""

import torch
from harness import LOOK_UP, MATMUL, Peer
from peers_storage import one_by_one, set_by_set

from memscape.homotopy.sampling import draw_sets, learn
from memscape.homotopy.storage import storage_complex
from memscape.polytopes.weight_space import normals
from memscape.tools.subsets import members

SEED = 1310


def bench_storage_complex(race) -> None:
    small = normals(4, (1, 2))
    assert list(storage_complex(4, (1, 2)).f_vector) == set_by_set(small)
    neurons, orders, permutations = 5, (1, 2), 120
    conditions, ours = normals(neurons, orders), storage_complex(neurons, orders)
    # What counting set by set asks: every face and every obstruction. Of these the peer answers 200, drawn evenly.
    levels = [*ours.faces, *ours.obstructions]
    asked = [one for level in levels if len(level) for one in members(ours.every(level))]
    part = [asked[i] for i in torch.randperm(len(asked), generator=torch.Generator().manual_seed(SEED))[:200]]
    images = sum(len(level) * (ours.vertices - k) * (k + 1) * permutations for k, level in enumerate(ours.faces, 1))
    race.run(
        "storage complex",
        f"n = {neurons} with thresholds, {sum(ours.f_vector)} faces",
        lambda: storage_complex(neurons, orders),
        {
            "scipy HiGHS, one programme a set (programmes only)": Peer(
                lambda: one_by_one(conditions, part), target=500.0, share=len(part) / len(asked)
            )
        },
        {LOOK_UP: images * ours.vertices / 8},
        "every larger set is moved by every symmetry, a table look-up a byte; linear programmes come on top",
        rounds=7,
    )


def bench_learning_storable_sets(race) -> None:
    neurons, size, couplings = 8, 5, 28
    conditions = normals(neurons, (2,))[:128]
    sets = draw_sets(128, size, 4000, generator=torch.Generator().manual_seed(SEED))
    sets = sets[learn(neurons, (2,), sets).stored][:1000]
    part = sets[:50]
    assert all(one_by_one(conditions, part.tolist()))
    race.run(
        "learning storable sets",
        f"n = {neurons}, pairs, {len(sets)} faces of {size} states",
        lambda: learn(neurons, (2,), sets),
        {"scipy HiGHS, one programme a set": Peer(lambda: one_by_one(conditions, part.tolist()), 40.0, 50 / len(sets))},
        {MATMUL: 4.0 * len(sets) * size * neurons * couplings},
        "one step of the rule: the conditions times the weights, and back",
        rounds=9,
    )
