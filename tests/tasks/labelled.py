"""Tasks of examples and classes that tests make up."""

from azgen.tasks.datasets import DataSet
from azgen.tasks.images import ImageTasks, tasks_of_images

_COUNTS = {"pairs": (27, 9, 9), "all": (10, 10, 10)}


def image_tasks(x, y, classes="pairs", *, own_test=None, class_names=(), **options):
    """`tasks_of_images`; options are its own and those of `ImageTasks`, one number of examples stands for
    three."""
    data = DataSet("made up", x, y, (), tuple(class_names), "", own_test)
    counts = dict(zip(("n_search", "n_select", "n_test"), _COUNTS[classes], strict=True))
    for name in {"n_train", "n_valid"} & options.keys():
        options[name] = options[name] if isinstance(options[name], tuple) else (options[name],) * 3
    dealing = {
        name: options.pop(name) for name in ("seed", "redraw", "fractions", "pairs") if name in options
    }
    wanted = ImageTasks(classes=classes, **{"n_features": 16, **counts, **options})
    return tasks_of_images(data, wanted, **dealing)
