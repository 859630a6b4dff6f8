"""The calibrated clock and checkpoints: a training that is repeated, or interrupted, comes out the same to the bit."""

import fcntl
import json
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from jointbench.bench.training import trainer
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.calibration import Calibrations
from jointbench.bench.training.checkpoint import Checkpoint, State
from jointbench.bench.training.clock import StepClock
from jointbench.bench.training.device_share import DeviceShare
from jointbench.bench.training.devices.registry import device_of
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.trainer import train
from jointbench.bench.training.warm_up import time_steps
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images.registry import known_facts, load_images
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT

SMALL = {
    **JOINT.named["zela-2018"],
    "batch_size": 64,
    "cutout_length": 12,
    "mixup_alpha": 0.3,
    "filters": 8,
    **{f"res_blocks_{i}": 1 for i in (1, 2, 3)},
    "res_branches_1": 1,
    "res_branches_2": 2,
    "res_branches_3": 2,
    **{f"widen_factor_{i}": 1.0 for i in (1, 2, 3)},
}
LADDER = Ladder(0.1, 0.3)
CALIBRATED = Hardware(clock="calibrated")


@pytest.fixture(scope="module")
def digits() -> DeviceImages:
    CALIBRATED.prepare()
    return DeviceImages(load_images("digits"), torch.device("cpu"))


def trained(images: DeviceImages, folder: Path, checkpoint: Checkpoint | None = None, **changed: Any) -> Evaluation:
    budget, seed, hardware = changed.get("budget", 0.3), changed.get("seed", 5), changed.get("hardware", CALIBRATED)
    calibrations = Calibrations(folder)
    evaluation = train(
        JOINT,
        {**SMALL, **changed.get("configuration", {})},
        budget,
        seed,
        ladder=changed.get("ladder", LADDER),
        images=images,
        hardware=hardware,
        calibrations=calibrations,
        checkpoint=checkpoint,
    )
    assert evaluation.status is Status.OK, evaluation.reason
    return evaluation


def bits(evaluation: Evaluation) -> str:
    """All that a training finds, and nothing of how long it took in truth."""
    e = evaluation
    return repr((e.steps, e.epochs, e.training_seconds, e.validation_error, e.test_error, e.curve))


class TestCalibratedClock:
    def test_a_rerun_with_the_same_seed_gives_the_same_bits(self, digits: DeviceImages, tmp_path: Path) -> None:
        first, again = trained(digits, tmp_path), trained(digits, tmp_path)
        assert bits(first) == bits(again)
        assert first.provenance.clock == "calibrated"

    def test_another_seed_takes_the_same_steps_to_another_end(self, digits: DeviceImages, tmp_path: Path) -> None:
        first, other = trained(digits, tmp_path), trained(digits, tmp_path, seed=6)
        assert first.steps == other.steps
        assert first.curve.training_loss != other.curve.training_loss

    def test_the_budget_is_the_steps_that_fit_into_it(self, digits: DeviceImages, tmp_path: Path) -> None:
        evaluation = trained(digits, tmp_path)
        (file,) = tmp_path.iterdir()
        seconds = json.loads(file.read_text(encoding="utf-8"))["seconds_a_step"]
        assert (evaluation.steps - 1) * seconds < 0.3 <= evaluation.steps * seconds
        assert evaluation.training_seconds == evaluation.steps * seconds

    def test_all_budgets_of_a_configuration_count_with_one_figure(self, digits: DeviceImages, tmp_path: Path) -> None:
        short, long = trained(digits, tmp_path, budget=0.1), trained(digits, tmp_path, budget=0.3)
        assert short.training_seconds / short.steps == pytest.approx(long.training_seconds / long.steps)
        assert len(list(tmp_path.iterdir())) == 1

    def test_steps_are_timed_while_nobody_else_is_on_the_device(
        self, digits: DeviceImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []

        def timing(*arguments: Any) -> float:
            # Others enter through the gate, and then into the room.
            for lock in (other._gate, other._room):
                with pytest.raises(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            seen.append(time_steps(*arguments))
            return seen[-1]

        other = DeviceShare(device_of("cpu"))
        monkeypatch.setattr(trainer, "time_steps", timing)
        evaluation = trained(digits, tmp_path)
        assert evaluation.training_seconds == evaluation.steps * seen[0]
        assert len(seen) == 1

    def test_another_configuration_is_timed_for_itself(self, digits: DeviceImages, tmp_path: Path) -> None:
        trained(digits, tmp_path, budget=0.1)
        trained(digits, tmp_path, budget=0.1, configuration={"batch_size": 32})
        assert len(list(tmp_path.iterdir())) == 2

    def test_its_figure_is_what_the_measured_clock_finds(self, digits: DeviceImages, tmp_path: Path) -> None:
        calibrated = trained(digits, tmp_path)
        measured = trained(digits, tmp_path, hardware=Hardware())
        # Both are CPU times of the same steps; a busy machine makes them differ by up to a half here.
        assert calibrated.steps == pytest.approx(measured.steps, rel=0.6)

    def test_in_epochs_it_decides_the_seconds_alone(self, digits: DeviceImages, tmp_path: Path) -> None:
        ladder = Ladder(0.1, 0.3, unit="epochs")
        calibrated = trained(digits, tmp_path, ladder=ladder)
        other = trained(digits, tmp_path / "elsewhere", ladder=ladder)
        assert calibrated.steps == other.steps == trained(digits, tmp_path, ladder=ladder, hardware=Hardware()).steps
        assert calibrated.curve.validation_error == other.curve.validation_error
        assert calibrated.training_seconds != other.training_seconds

    def test_without_a_folder_it_is_refused(self, digits: DeviceImages) -> None:
        with pytest.raises(InputError, match="calibrated"):
            train(JOINT, SMALL, 0.3, 0, ladder=LADDER, images=digits, hardware=CALIBRATED)

    def test_a_file_that_holds_no_figure_is_named(self, digits: DeviceImages, tmp_path: Path) -> None:
        trained(digits, tmp_path, budget=0.1)
        (file,) = tmp_path.iterdir()
        file.write_text("{}", encoding="utf-8")
        with pytest.raises(LogError, match=file.name):
            trained(digits, tmp_path, budget=0.1)

    def test_the_first_figure_stays(self, tmp_path: Path) -> None:
        calibrations = Calibrations(tmp_path)

        def measure() -> float:
            # Another worker was quicker.
            calibrations.seconds_a_step(JOINT, SMALL, known_facts("digits"), CALIBRATED, lambda: 0.25)
            return 0.5

        assert calibrations.seconds_a_step(JOINT, SMALL, known_facts("digits"), CALIBRATED, measure) == 0.25

    def test_laps_are_counted_and_resumed(self) -> None:
        clock = StepClock(device_of("cpu").clock(), 0.1)
        clock.resume(0.7, 0.5)
        with clock.lap():
            clock.keep(torch.tensor(1.5))
        assert clock.elapsed == 8 * 0.1
        assert clock.measured > 0.5
        assert clock.losses() == [1.5]


class Interrupted(BaseException):
    """What a training cannot catch, as it cannot catch its worker's death."""


class Last(Checkpoint):
    """Its training dies with the n-th checkpoint."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(path, 0.0)
        self.left = number

    def save(self, state: State) -> None:
        super().save(state)
        self.left -= 1
        if self.left == 0:
            raise Interrupted


@pytest.fixture(scope="module")
def wholes(digits: DeviceImages, tmp_path_factory: pytest.TempPathFactory) -> dict[float, Path]:
    """By the strength of MixUp a folder with the time of a step, which takes seconds to be found."""
    folders = {alpha: tmp_path_factory.mktemp("timed") for alpha in (0.0, 0.3)}
    for alpha, folder in folders.items():
        trained(digits, folder, budget=0.1, configuration={"mixup_alpha": alpha})
    return folders


@pytest.fixture
def timed(wholes: dict[float, Path], tmp_path: Path) -> Path:
    """A folder that knows how long a step takes, with the usual MixUp."""
    return Path(shutil.copytree(wholes[SMALL["mixup_alpha"]], tmp_path / "timed"))


class TestCheckpoint:
    @pytest.mark.parametrize("steps", [1, 4, 9])
    @pytest.mark.parametrize("mixup_alpha", [0.0, 0.3])
    def test_a_training_that_is_taken_over_ends_with_the_same_bits(
        self, digits: DeviceImages, wholes: dict[float, Path], tmp_path: Path, steps: int, mixup_alpha: float
    ) -> None:
        configuration, folder = {"mixup_alpha": mixup_alpha}, wholes[mixup_alpha]
        whole = trained(digits, folder, configuration=configuration)
        path = tmp_path / "interrupted"
        with pytest.raises(Interrupted):
            trained(digits, folder, Last(path, steps), configuration=configuration)
        # Whatever happened here meanwhile:
        torch.manual_seed(12345)
        rest = trained(digits, folder, Checkpoint(path, 300.0), configuration=configuration)
        assert bits(rest) == bits(whole)

    def test_another_process_takes_over(self, digits: DeviceImages, timed: Path) -> None:
        whole = trained(digits, timed)
        with pytest.raises(Interrupted):
            trained(digits, timed, Last(timed / "interrupted", 3))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(_take_over, (timed,)) == bits(whole)

    def test_a_measured_clock_goes_on_where_it_stood(self, digits: DeviceImages, tmp_path: Path) -> None:
        path = tmp_path / "interrupted"
        with pytest.raises(Interrupted):
            trained(digits, tmp_path, Last(path, 5), hardware=Hardware())
        state = Checkpoint(path, 300.0).load()
        assert state is not None
        rest = trained(digits, tmp_path, Checkpoint(path, 300.0), hardware=Hardware())
        assert 0.3 <= rest.training_seconds < 0.6
        assert rest.steps > state["progress"]["steps"] == 5
        assert rest.wall_seconds > state["progress"]["earlier_wall_seconds"] > 0

    def test_one_that_cannot_be_read_counts_for_nothing(self, digits: DeviceImages, timed: Path) -> None:
        whole, path = trained(digits, timed), timed / "interrupted"
        with pytest.raises(Interrupted):
            trained(digits, timed, Last(path, 2))
        torn = path.read_bytes()
        for damaged in (b"", torn[: len(torn) // 2], b"no checkpoint"):
            path.write_bytes(damaged)
            assert bits(trained(digits, timed, Checkpoint(path, 300.0))) == bits(whole)

    def test_no_code_in_it_is_run(self, tmp_path: Path) -> None:
        path = tmp_path / "hostile"
        torch.save({"model": Path.unlink}, path)
        assert Checkpoint(path, 1.0).load() is None

    def test_a_full_disk_costs_the_checkpoint_alone(self, digits: DeviceImages, timed: Path) -> None:
        # A folder that cannot be made stands for a disk that takes nothing.
        (timed / "file").write_text("", encoding="utf-8")
        full = Checkpoint(timed / "file" / "checkpoint", 0.0)
        assert bits(trained(digits, timed, full)) == bits(trained(digits, timed))


def _take_over(folder: Path) -> str:
    CALIBRATED.prepare()
    images = DeviceImages(load_images("digits"), torch.device("cpu"))
    return bits(trained(images, folder, Checkpoint(folder / "interrupted", 300.0)))
