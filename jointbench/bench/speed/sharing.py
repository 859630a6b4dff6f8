"""Speed of sharing: images a second of 1, 2, 4, 8 and 16 trainings side by side on one device, all together.

Each training is a process with the calibrated clock and its share of a GPU's memory, as
`jointbench collect --clock calibrated --workers-per-gpu K` runs them. The fewest that are as good as the best are
what to collect with: of two numbers that are equally quick the smaller one ends its evaluations sooner.
"""

from jointbench.bench.speed.measure import parser, present, progress
from jointbench.bench.speed.sharing_process import Job, side_by_side
from jointbench.bench.speed.subjects import subjects, with_batch_of
from jointbench.bench.training.devices.registry import device_of, kinds_here
from jointbench.bench.training.hardware import Hardware, Precision
from jointbench.data.evaluation import Configuration

COUNTS = (1, 2, 4, 8, 16)
#: Numbers whose rates differ by less than this share are equally good.
ALIKE = 0.03
NETWORKS = f"one of {', '.join(map(repr, subjects()))}; default the last"
#: On a CPU a batch has as many images as need about so many FLOPs for a step.
CPU_STEP, QUICK_CPU_STEP = 20e9, 5e9


def main() -> None:
    program = parser(__doc__ or "")
    add = program.add_argument
    add("--device", default=kinds_here()[0], help="cpu, cuda or cuda:1")
    add("--precision", choices=["fp32", "bf16"], help="default bf16, on a CPU fp32")
    add("--compile", action="store_true", help="through torch.compile")
    add("--network", choices=list(subjects()), default="median of a sample", metavar="NAME", help=NETWORKS)
    add("--images", default="synthetic", help="a data set's name; default noise of CIFAR-10's shape")
    add("--data", metavar="DIR", help="folder of the image files")
    add("--counts", nargs="+", type=int, metavar="K", help="default 1 2 4 8 16; with --quick on a CPU 1 2 4")
    arguments = program.parse_args()
    on_gpu = device_of(arguments.device).accelerator
    precision: Precision = arguments.precision or ("bf16" if on_gpu else "fp32")
    hardware = Hardware(arguments.device, precision, clock="calibrated", compile=arguments.compile)
    seconds = (3.0 if on_gpu else 1.0) if arguments.quick else 20.0
    configuration: Configuration = subjects()[arguments.network]
    if not on_gpu:
        configuration = with_batch_of(QUICK_CPU_STEP if arguments.quick else CPU_STEP, configuration)
    rates: dict[int, float] = {}
    known: float | None = None
    few = arguments.quick and not on_gpu
    for count in sorted(set(arguments.counts or COUNTS[: 3 if few else None])):
        progress(f"{count} side by side")
        job = Job(configuration, arguments.images, arguments.data, hardware, count, seconds, known)
        found = side_by_side(job)
        if found is None:
            progress("they do not fit into the device's memory")
            break
        known = found[0].seconds_a_step
        rates[count] = sum(rate.images_a_second for rate in found)
    if not rates:
        raise SystemExit("not even the smallest number fits into the device's memory")
    first, best = next(iter(rates)), choose(rates)
    present(
        f"{arguments.network} in {precision}: trainings side by side, images a second of all together",
        ("trainings", "images a second", f"against {first}", ""),
        [
            (str(count), f"{rate:,.1f}", f"{rate / rates[first]:.2f}x", "<- take this" if count == best else "")
            for count, rate in rates.items()
        ],
        {**{f"images_per_second_{count}": rate for count, rate in rates.items()}, "best": best},
        as_json=arguments.json,
        libraries=("torch",),
        notes=[f"device: {hardware.description}"],
    )


def choose(rates: dict[int, float]) -> int:
    """The smallest number of trainings whose rate is within ALIKE of the best."""
    most = max(rates.values())
    return min(count for count, rate in rates.items() if rate >= (1 - ALIKE) * most)


if __name__ == "__main__":
    main()
