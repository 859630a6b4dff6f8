"""What `plan` foretells and `collect` does: the options of both, so that they mean and default to the same."""

from jointbench.cli.command import Parser, full_budgets
from jointbench.cli.values import IMAGE_NAMES, positive, whole

#: Seconds between two checkpoints of a training.
CHECKPOINT_EVERY = 300.0


def collection_options(sub: Parser, required: bool) -> None:
    """`required`: images, ladder and full budgets must be given, since no plan can say them."""
    add = sub.add_argument
    add("--space", metavar="SPACE", help="joint (default), joint-small, or a file of ConfigSpace's JSON")
    add("--images", required=required, help=IMAGE_NAMES)
    add("--ladder", required=required, help="budgets: 1,3,9,27 (seconds) or 3,9,27epochs")
    add("--optimizer", default="random", help="default random")
    full_budgets(sub, required=required)
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    add(
        "--checkpoint-every",
        type=positive("checkpoint every"),
        default=CHECKPOINT_EVERY,
        metavar="SECONDS",
        help=f"a longer training is kept on disk so often, and goes on from there on another worker; default "
        f"{CHECKPOINT_EVERY:g}",
    )
