"""Networks by their spaces' names, how they are initialised whatever they are made of, and recipes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.calibration import Calibrations
from jointbench.bench.training.devices.registry import device_of
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.initialising import initialise
from jointbench.bench.training.networks.registry import NETWORKS, network
from jointbench.bench.training.step import Step
from jointbench.bench.training.trainer import train
from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Configuration, Status
from jointbench.data.images.registry import known_facts, load_images
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.facts import Facts, ImageShape
from jointbench.data.spaces.hyperparameters import Choice, Number
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.registry import SPACES, add_space
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


class DrawnSpace(Space):
    """A space whose network is drawn: as many hidden units as its seed says."""

    name = "drawn"
    hyperparameters = (Number("rate", 0.01, 1.0, log=True), Choice("optimizer", ("sgd", "adamw")))

    def facts(
        self,
        configuration: object,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> Facts:
        units = 4 + architecture_seed
        parameters = image_shape[0] + image_shape[0] * units + units * classes + classes
        return Facts((units,), parameters, 2 * parameters, units)

    def recipe(self, configuration: Configuration) -> Recipe:
        return Recipe(
            *(32, configuration["rate"]),
            optimizer=configuration["optimizer"],
            schedule="constant",
            clipping=1.0,
            label_smoothing=0.1,
        )


class Scale(nn.Module):
    """A parameter and buffers of kinds that nobody thought of, one of which is not kept."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((size,), 3.0))
        self.register_buffer("offset", torch.full((size,), 5.0))
        self.register_buffer("hidden", torch.arange(size).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x + self.offset + self.hidden


class DrawnNetwork(nn.Module):
    def __init__(self, channels: int, units: int, classes: int) -> None:
        super().__init__()
        self.scale = Scale(channels)
        self.hidden = nn.Parameter(torch.randn(channels, units))
        self.linear = nn.Linear(units, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(torch.tanh(self.scale(images.mean(dim=(2, 3))) @ self.hidden))


def build(space: Space, configuration: Configuration, shape: ImageShape, classes: int, seed: int) -> nn.Module:
    return DrawnNetwork(shape[0], 4 + seed, classes)


@pytest.fixture
def drawn() -> Iterator[Space]:
    space = add_space(DrawnSpace())
    NETWORKS.add("drawn", build)
    yield space
    NETWORKS.remove("drawn")
    SPACES.remove("drawn")


def everything(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in [*model.named_parameters(), *model.named_buffers()]}


def test_what_nobody_thought_of_keeps_no_raw_memory(drawn: Space) -> None:
    at = drawn.active(drawn.usual)
    torch.manual_seed(0)
    model = network(drawn, at, (1, 8, 8), 10)
    made = everything(model)
    assert set(made) >= {"scale.scale", "scale.offset", "scale.hidden", "hidden", "linear.weight"}
    assert made["scale.scale"].tolist() == [3.0]
    assert made["scale.offset"].tolist() == [5.0]
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.fill_(torch.nan)
    torch.manual_seed(0)
    initialise(model)
    again = everything(model)
    assert not any(tensor.isnan().any() for tensor in again.values())
    assert again["scale.offset"].tolist() == [5.0]
    torch.manual_seed(0)
    initialise(model)
    assert all(torch.equal(tensor, again[name]) for name, tensor in everything(model).items())


def test_a_network_is_drawn_with_its_architectures_seed(drawn: Space) -> None:
    at = drawn.active(drawn.usual)
    for seed in (0, 3):
        model = network(drawn, at, (1, 8, 8), 10, seed)
        counted = sum(p.numel() for name, p in model.named_parameters() if name != "scale.offset")
        assert counted == drawn.facts(at, (1, 8, 8), 10, seed).parameters


def test_a_space_without_a_network_is_named() -> None:
    with pytest.raises(UnknownNameError, match="space of the network: 'drawn' given, expected one of generator, joint"):
        network(DrawnSpace(), {}, (1, 8, 8), 10)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_space_of_ones_own_is_trained_by_its_recipe(drawn: Space, optimizer: str) -> None:
    images = DeviceImages(load_images("digits"), device_of("cpu"))
    at = {"rate": 0.05, "optimizer": optimizer}
    found = train(
        drawn, at, 2.0, 0, ladder=Ladder(1, 2, 2, "epochs"), images=images, hardware=Hardware(), architecture_seed=2
    )
    assert found.status is Status.OK, found.reason
    assert found.architecture_seed == 2
    assert found.metrics["parameters"] == drawn.facts(at, (1, 8, 8), 10, 2).parameters
    # 1,348 images twice, 32 at a time.
    assert found.steps == 85


def test_a_step_clips_and_smooths_as_the_recipe_says(drawn: Space) -> None:
    images = DeviceImages(load_images("digits"), device_of("cpu"))
    batch = Batches(images, 32, 0, 0.0, np.random.default_rng(0)).next()
    recipe = drawn.recipe({"rate": 0.1, "optimizer": "sgd"})
    norms = {}
    for clipping in (None, 1e-3):
        torch.manual_seed(0)
        model = network(drawn, drawn.active(drawn.usual), (1, 8, 8), 10)
        step = Step(model, replace(recipe, clipping=clipping), Hardware(), device_of("cpu").memory(None))
        with torch.no_grad():
            expected = nn.functional.cross_entropy(model(batch.images), batch.labels, label_smoothing=0.1).item()
        assert step.take(batch).item() == pytest.approx(expected, rel=1e-6)
        norms[clipping] = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm().item()
    assert norms[None] > 1e-2
    assert norms[1e-3] == pytest.approx(1e-3, rel=1e-3)


def test_a_calibration_is_of_one_architecture_seed_and_image_shape(drawn: Space, tmp_path: Path) -> None:
    calibrations, digits = Calibrations(tmp_path), known_facts("digits")
    at, hardware = drawn.active(drawn.usual), Hardware(clock="calibrated")
    wider = replace(digits, shape=(1, 16, 16))
    asked = [(digits, 0), (digits, 1), (wider, 0), (digits, 0)]
    found = [
        calibrations.seconds_a_step(drawn, at, facts, hardware, lambda k=k: k + 1.0, architecture_seed=seed)
        for k, (facts, seed) in enumerate(asked)
    ]
    assert found == [1.0, 2.0, 3.0, 1.0]


def test_the_seed_of_an_architecture_goes_from_a_trial_to_its_evaluation(drawn: Space, tmp_path: Path) -> None:
    class Twice(Optimizer):
        """The same configuration with two networks."""

        asked = 0

        def ask(self) -> Trial | None:
            self.asked += 1
            return Trial(self.space.usual, 1.0, 0, self.asked) if self.asked < 3 else None

        def tell(self, trial: Trial, evaluation: object) -> None:
            pass

    objective = TrainingObjective(drawn, Ladder(1, 2, 2, "epochs"), "digits", Hardware(), folder=tmp_path)
    optimizer = Twice(drawn, objective.ladder, seed=0, full_budgets=2)
    finished = list(run(optimizer, SimulatedCluster(objective, 1), objective.ladder, seed=0))
    assert [one.evaluation.architecture_seed for one in finished] == [1, 2]
    # DrawnSpace has so many units more.
    assert [one.evaluation.metrics["parameters"] for one in finished] == [
        drawn.facts(drawn.usual, (1, 8, 8), 10, seed).parameters for seed in (1, 2)
    ]
    checkpoints = [objective.checkpoint(drawn.active(drawn.usual), 1.0, 0, seed) for seed in (0, 1, 2)]
    assert len({one.path for one in checkpoints if one is not None}) == 3
