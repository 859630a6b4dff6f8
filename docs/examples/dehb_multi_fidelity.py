"""The published benchmark as a function of DEHB, whose vectors are points of the unit cube."""

from dehb import DEHB

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
space, ladder = benchmark.space, benchmark.ladder
dehb = DEHB(
    f=adapters.dehb_function(benchmark),
    dimensions=len(space.names),
    min_fidelity=ladder.minimum,
    max_fidelity=ladder.maximum,
    eta=ladder.eta,
    n_workers=1,
    seed=0,
    output_path="dehb",
    save_freq="end",
)
dehb.run(fevals=120)
vector, error = dehb.get_incumbents()
print(f"best: {error:.2%} with {space.at(vector)}")
