"""Where a run's tasks come from: a teacher, images or a table, each one class that makes its own tasks.

    TeacherTasks("affine", n_features=8).split(seed=0)       # search, selection and test tasks
    ImageTasks("digits", classes="all").split(seed=0)
    TableTasks("wine.csv", "quality", folds=5).split(seed=0)

They are called ...Tasks, as `azgen.tasks.readers.Table` is a table itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from azgen.language.userfile import NOTHING, UserFile
from azgen.plain import tagged
from azgen.tasks.datasets import is_data_set, load_data_set
from azgen.tasks.images import ImageTasks
from azgen.tasks.readers import Table, read_table
from azgen.tasks.table import tasks_of_table
from azgen.tasks.table_options import TableOptions
from azgen.tasks.task import TaskSplit
from azgen.tasks.teachers import TeacherTasks

__all__ = ["SOURCES", "ImageTasks", "Source", "TableTasks", "TeacherTasks"]


@dataclass(frozen=True)
class TableTasks(TableOptions):
    """Splits of the rows of one table; `TableOptions` has the fields."""

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`."""
        table = load_data_set(self.data).table() if is_data_set(self.data) else read_table(self.data)
        return self._rated(tasks_of_table(table, self, seed, redraw), user)

    def split_of(self, table: Table, seed: int) -> TaskSplit:
        """The same of a table that has been read."""
        return tasks_of_table(table, self, seed)


Source: TypeAlias = TeacherTasks | ImageTasks | TableTasks

SOURCES: dict[str, type[Source]] = tagged(Source)
"""The sources by name."""
