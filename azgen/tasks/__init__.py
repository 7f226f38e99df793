"""Where examples come from: synthetic teachers, projected classes, the user's tables, known data sets."""

from azgen.language.metrics import Metric
from azgen.tasks.datasets import DataSet, DataSetEntry, data_set_names, list_data_sets, load_data_set
from azgen.tasks.features import FeatureOptions, Impute
from azgen.tasks.image_sets import data_folders
from azgen.tasks.labels import Kind
from azgen.tasks.multiclass import multiclass_tasks
from azgen.tasks.projected import ORIGINAL_SELECT_PAIRS, ORIGINAL_TEST_PAIRS, projected_tasks
from azgen.tasks.readers import Table, read_table
from azgen.tasks.sources import ImageTasks, Source, TableTasks, TeacherTasks
from azgen.tasks.splits import SplitOptions
from azgen.tasks.synthetic import (
    TEACHERS,
    affine_tasks,
    linear_tasks,
    teacher_split,
    teacher_tasks,
    two_layer_tasks,
)
from azgen.tasks.table import TableOptions, table_tasks, tasks_of_table
from azgen.tasks.task import RawRows, Task, TaskSplit
from azgen.tasks.teacher_seeds import ORIGINAL_DATA_SEEDS, ORIGINAL_PARAM_SEEDS, draw_seeds

__all__ = [
    "ORIGINAL_DATA_SEEDS",
    "ORIGINAL_PARAM_SEEDS",
    "ORIGINAL_SELECT_PAIRS",
    "ORIGINAL_TEST_PAIRS",
    "TEACHERS",
    "DataSet",
    "DataSetEntry",
    "FeatureOptions",
    "ImageTasks",
    "Impute",
    "Kind",
    "Metric",
    "RawRows",
    "Source",
    "SplitOptions",
    "Table",
    "TableOptions",
    "TableTasks",
    "Task",
    "TaskSplit",
    "TeacherTasks",
    "affine_tasks",
    "data_folders",
    "data_set_names",
    "draw_seeds",
    "linear_tasks",
    "list_data_sets",
    "load_data_set",
    "multiclass_tasks",
    "projected_tasks",
    "read_table",
    "table_tasks",
    "tasks_of_table",
    "teacher_split",
    "teacher_tasks",
    "two_layer_tasks",
]
