"""Tables as tasks, ten of each set unless a test says otherwise."""

from azgen.tasks.sources import TableTasks


def table_tasks(path, target="", seed=0, redraw=0, **options):
    return of_ten(data=str(path), target=target, **options).split(seed, redraw)


def of_ten(**options):
    return TableTasks(**{"n_select": 10, "n_test": 10, **options})
