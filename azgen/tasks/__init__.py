"""Where examples come from: synthetic teachers, classes of images, the user's tables, known data sets."""

from azgen.language.metrics import Metric
from azgen.tasks.datasets import DataSet, DataSetEntry, data_set_names, list_data_sets, load_data_set
from azgen.tasks.image_sets import data_folders
from azgen.tasks.images import ImageTasks, tasks_of_images
from azgen.tasks.labels import Kind
from azgen.tasks.pairs import ORIGINAL_SELECT_PAIRS, ORIGINAL_TEST_PAIRS
from azgen.tasks.readers import Table, read_table
from azgen.tasks.sources import Source, TableTasks
from azgen.tasks.synthetic import (
    TEACHERS,
    affine_tasks,
    linear_tasks,
    teacher_tasks,
    two_layer_tasks,
)
from azgen.tasks.table import tasks_of_table
from azgen.tasks.table_options import Impute
from azgen.tasks.task import RawRows, Task, TaskSplit
from azgen.tasks.teacher_seeds import ORIGINAL_DATA_SEEDS, ORIGINAL_PARAM_SEEDS, draw_seeds
from azgen.tasks.teachers import TeacherTasks

__all__ = [
    "ORIGINAL_DATA_SEEDS",
    "ORIGINAL_PARAM_SEEDS",
    "ORIGINAL_SELECT_PAIRS",
    "ORIGINAL_TEST_PAIRS",
    "TEACHERS",
    "DataSet",
    "DataSetEntry",
    "ImageTasks",
    "Impute",
    "Kind",
    "Metric",
    "RawRows",
    "Source",
    "Table",
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
    "read_table",
    "tasks_of_images",
    "tasks_of_table",
    "teacher_tasks",
    "two_layer_tasks",
]
