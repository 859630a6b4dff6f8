"""What every space must do, as checks that anybody can run on theirs.

    import pytest
    from jointbench.data.spaces.contract import CHECKS

    @pytest.mark.parametrize("check", CHECKS)
    def test_mine(check):
        check(MY_SPACE)

A check raises AssertionError with a sentence. What a space need not know, such as facts, is checked where it does.
"""

import json
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from jointbench.data.errors import ConfigurationError, InputError
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import Work
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.space import Space
from jointbench.data.tables import is_missing

Check = Callable[[Space], None]

#: Random configurations that are looked at: more than are decoded one by one (`Space.sample`).
_SAMPLE = 100


def _sample(space: Space) -> list[Configuration]:
    return space.sample(np.random.default_rng(0), _SAMPLE)


def check_names(space: Space) -> None:
    """Each hyperparameter has a name of its own, and whatever names one names one of the space's."""
    assert space.name, "no name"
    assert len(set(space.names)) == len(space.names) > 0, "names that are not each one's own"
    for what in (space.architecture, space.conditions, space.expert):
        assert set(what) <= set(space.names), f"{set(what) - set(space.names)} is none of its hyperparameters"
    assert not set(space.architecture) & set(space.expert), "a practitioner's values for an architecture"
    for name, value in {**space.usual, **space.expert}.items():
        assert space.by_name[name].check(value) == value, f"an illegal {name}"


def check_samples(space: Space) -> None:
    """They are legal and in the space's order, one generator gives the same ones however they are asked for, and each
    hyperparameter is active in some of them."""
    sampled = _sample(space)
    for configuration in sampled:
        assert _items(space.check(configuration)) == _items(configuration), "an illegal sample"
    rng = np.random.default_rng(0)
    one_by_one = [space.sample(rng)[0] for _ in sampled]
    assert list(map(_items, one_by_one)) == list(map(_items, sampled)), "other samples one by one than together"
    never = set(space.names).difference(*sampled)
    assert not never, f"{sorted(never)} in none of {_SAMPLE} samples"


def _items(configuration: Configuration) -> list[tuple[str, type[Any], object]]:
    return [(name, type(value), value) for name, value in configuration.items()]


def check_cube(space: Space) -> None:
    """All of the unit cube, its borders too, stands for legal configurations, one by one as together; encoding leads
    back to them, and has no number where something is inactive."""
    points = np.random.default_rng(1).random((_SAMPLE, len(space.names)))
    points[:2] = [[0.0], [1.0]]
    each = [space.at(point) for point in points]
    for configuration in each:
        space.check(configuration)
    rows = space.rows_at(points)
    np.testing.assert_array_equal(rows, space.rows(each), "other configurations one by one than together")
    assert [_items(space.configuration(row)) for row in rows] == list(map(_items, each)), "another row"
    encoded = space.encode(rows)
    assert np.array_equal(np.isnan(encoded), np.isnan(rows)), "a number for what is inactive"
    ones = [space.encode_one(configuration) for configuration in each]
    np.testing.assert_allclose(ones, encoded, rtol=1e-12, atol=1e-12, err_msg="encoded otherwise one by one")
    inside = encoded[~np.isnan(encoded)]
    # Rounding may lead out of the cube by the last bit.
    assert inside.min() > -1e-9, "encoded outside of the unit cube"
    assert inside.max() < 1 + 1e-9, "encoded outside of the unit cube"
    again = space.rows_at(np.clip(np.nan_to_num(encoded, nan=0.5), 0, 1))
    np.testing.assert_allclose(again, rows, rtol=1e-9, atol=1e-12, err_msg="encoding does not lead back")


def check_conditions(space: Space) -> None:
    """What is inactive is not there, may be given as empty, is refused with a value; what is active must be there."""
    for configuration in _sample(space):
        inactive = [name for name in space.names if name not in configuration]
        empty = {**configuration, **{name: None if k % 2 else math.nan for k, name in enumerate(inactive)}}
        assert _items(space.check(empty)) == _items(configuration), "an empty cell changes what is inactive"
        assert _items(space.changed(configuration, {})) == _items(configuration), "changed by nothing"
        for name in inactive:
            _assert_refused(space, {**configuration, name: space.usual[name]}, name)
        for name in list(configuration)[:3]:
            _assert_refused(space, {key: value for key, value in configuration.items() if key != name}, name)
    assert not np.isnan(space.rows([space.active(space.usual)])).all(), "nothing that is active"


def check_refuses(space: Space) -> None:
    """A value that is none of a hyperparameter's is refused by its name, as is a name that is none of the space's."""
    configuration = _sample(space)[0]
    for name in configuration:
        for wrong in (None, math.nan, math.inf, "no such value", [], object()):
            _assert_refused(space, {**configuration, name: wrong}, name)
    _assert_refused(space, {**configuration, "no such name": 0.0}, "no such name")


def _assert_refused(space: Space, configuration: Configuration, name: str) -> None:
    try:
        space.check(configuration)
    except ConfigurationError as error:
        refused = error.field
    else:
        raise AssertionError(f"{name} was not refused in {dict(configuration)}")
    # Where one is missing, what depends on it may be named instead.
    assert refused == name or name not in configuration, f"{refused} was refused, not {name}"


def check_tables(space: Space) -> None:
    """A frame of configurations, with empty cells for what is inactive, is read as they are one by one."""
    import pandas as pd

    sampled = _sample(space)
    frame = pd.DataFrame([{name: one.get(name) for name in space.names} for one in sampled], dtype=object)
    rows = space.rows(sampled)
    np.testing.assert_array_equal(space.rows(frame.infer_objects()), rows)
    np.testing.assert_array_equal(space.rows(rows), rows)
    assert _items(space.check(frame.iloc[0])) == _items(sampled[0]), "a row of a frame is read otherwise"


def check_configspace(space: Space) -> None:
    """As a ConfigSpace object, and as its JSON, it has the same hyperparameters and conditions, and each takes what the
    other samples."""
    from ConfigSpace import Configuration as Theirs

    made = space.configspace
    assert set(made) == set(space.names), "other hyperparameters"
    for one in made.sample_configuration(_SAMPLE):
        space.check(dict(one))
    for configuration in _sample(space):
        Theirs(made, values=dict(configuration)).check_valid_configuration()
    text = json.dumps(made.to_serialized_dict())
    assert Space.from_configspace(space.as_dict()).as_dict() == space.as_dict(), "its JSON is another space's"
    assert set(type(made).from_serialized_dict(space.as_dict())) == set(made), "its JSON is none of ConfigSpace's"
    for given in (text, json.loads(text), made):
        read = Space.from_configspace(given, architecture=space.architecture)
        assert (read.name, set(read.names)) == (space.name, set(space.names)), "read otherwise than it was written"
        for configuration in _sample(space):
            found = {name: read.check(configuration)[name] for name in space.names if name in configuration}
            assert _items(found) == _items(configuration), "read otherwise than it was written"
        again = Space.from_configspace(read.configspace, architecture=space.architecture)
        assert again == read, "written and read once more it is another space"


def check_equality(space: Space) -> None:
    """It is equal to its copy in another process, to no space of another name, and what is cached does not matter."""
    _sample(space), space.configspace, space.encode(_sample(space))
    copied = pickle.loads(pickle.dumps(space))
    assert copied == space, "its copy is another space"
    assert hash(copied) == hash(space), "its copy has another hash"
    assert list(map(_items, _sample(copied))) == list(map(_items, _sample(space))), "its copy samples otherwise"
    assert space != Space.from_configspace(space.configspace, name=f"not {space.name}"), "equal to another space"


def check_facts(space: Space) -> None:
    """Where it knows any: whole numbers, of a batch as of each, the same for the same seed of an architecture; where it
    knows none it says so."""
    sampled = _sample(space)
    if not space.knows_facts:
        try:
            space.facts(sampled[0])
        except InputError:
            return
        raise AssertionError("facts of a space that knows none")
    for seed in (0, 1):
        many = space.facts(space.rows(sampled), architecture_seed=seed)
        for number, configuration in enumerate(sampled):
            one = space.facts(configuration, architecture_seed=seed)
            said = [] if one.memory is None else ["memory"]
            for field in ("parameters", "flops", "activations", *said):
                value = getattr(one, field)
                assert type(value) is int, f"{field} is a {type(value).__name__}"
                assert value >= 0, f"{field} is {value}"
                assert getattr(many, field)[number] == value, f"another {field} in a batch"
            assert [int(width[number]) for width in many.widths] == [int(width) for width in one.widths], "other widths"


def check_recipe(space: Space) -> None:
    """Where it says how a network is trained, it says so of every configuration, in plain numbers."""
    if type(space).recipe is Space.recipe:
        return
    for configuration in _sample(space):
        recipe = space.recipe(configuration)
        assert isinstance(recipe, Recipe), f"a {type(recipe).__name__}"
        assert type(recipe.batch_size) is int, "a batch size that is no whole number"
        assert recipe.batch_size > 0, "an empty batch"
        empty = [field.name for field in fields(recipe) if field.name != "clipping"]
        assert not any(is_missing(getattr(recipe, name)) for name in empty), "a recipe with gaps"


def check_features(space: Space) -> None:
    """What it tells a model has the same names for all configurations, and the same bits in a batch as one by one."""
    configurations = _sample(space)
    rows, budget = space.rows(configurations), 3.0
    for known in (False, True)[: 1 + space.knows_facts]:
        works: list[Work | None] = [None] * (1 + len(rows))
        if known:
            all_facts = [space.facts(rows), *map(space.facts, configurations)]
            works = [Work(facts, 5e4 * budget, 50_000, 1e8) for facts in all_facts]
        batch = space.features(dict(zip(space.names, rows.T, strict=True)), np.full(len(rows), budget), works[0])
        columns = {name: np.broadcast_to(column, len(rows)).tolist() for name, column in batch.items()}
        for number, row in enumerate(rows.tolist()):
            one = space.features(dict(zip(space.names, row, strict=True)), budget, works[1 + number])
            assert list(one) == list(columns), "features of other names for some configurations"
            differing = [name for name, value in one.items() if not _same(value, columns[name][number])]
            assert not differing, f"{differing} differ between a configuration and a batch of it"


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def check_named(space: Space) -> None:
    """Its named configurations are legal."""
    for name, configuration in space.named.items():
        assert _items(space.check(configuration)) == _items(configuration), f"{name} is not legal"
        assert space.load(name) == configuration, f"{name} is not found"


#: All of them.
CHECKS: Sequence[Check] = (
    check_names,
    check_samples,
    check_cube,
    check_conditions,
    check_refuses,
    check_tables,
    check_configspace,
    check_equality,
    check_facts,
    check_recipe,
    check_features,
    check_named,
)
