"""Known data sets: found where they lie, read as they are, and told where to get when they are missing."""

import gzip
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from azgen.errors import AzgenError
from azgen.tasks import (
    data_folders,
    data_set_names,
    list_data_sets,
    load_data_set,
)
from azgen.tasks.image_sets import IMAGE_SETS, SYSTEM_FOLDER
from azgen.tasks.images import ImageTasks, tasks_of_images
from azgen.tasks.readers.idx import read_idx
from tests.tasks import image_files as files

FASHION = IMAGE_SETS["fashion-mnist"].locate()
needs_fashion = pytest.mark.skipif(
    FASHION is None,
    reason="Fashion-MNIST is not on this machine (Debian's package dataset-fashion-mnist has it)",
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine without any image set but those in the folder that AZGEN_DATA names."""
    monkeypatch.setenv("AZGEN_DATA", str(tmp_path))
    monkeypatch.setattr(
        "azgen.tasks.image_sets.platformdirs.user_data_path", lambda name: tmp_path / "user" / name
    )
    monkeypatch.setattr("azgen.tasks.image_sets.SYSTEM_FOLDER", tmp_path / "system")
    return tmp_path


def idx_set(folder, prefix="", parts=("train", "t10k"), dot="-", zipped=False, n=(12, 6), first=0):
    """Four small IDX files; returns the images and classes of both parts together."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (sum(n), 28, 28)).astype(np.uint8)
    classes = (np.arange(sum(n)) % 10 + first).astype(np.uint8)
    for part, rows in zip(parts, (slice(0, n[0]), slice(n[0], None)), strict=True):
        for content, array in (("images", images[rows]), ("labels", classes[rows])):
            data = files.idx(array)
            name = f"{prefix}{part}-{content}{dot}idx{array.ndim}-ubyte" + (".gz" if zipped else "")
            (folder / name).write_bytes(gzip.compress(data) if zipped else data)
    return images, classes


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("name", "dot"), [("mnist", "-"), ("mnist", "."), ("fashion-mnist", "-")])
def test_idx_sets(home, name, dot, zipped):
    images, classes = idx_set(home / name, dot=dot, zipped=zipped)
    data = load_data_set(name)
    assert np.array_equal(data.x, images.reshape(18, 784)) and data.x.dtype == np.uint8
    assert np.array_equal(data.y, classes)
    assert np.array_equal(data.own_test, np.arange(12, 18))
    assert data.is_images and data.is_classification and len(data.class_names) == 10
    assert "18 examples of 784 values (uint8), 6 of them its own test part" in data.describe()


@pytest.mark.parametrize("split", ["balanced", "byclass", "bymerge", "digits", "letters", "mnist"])
def test_emnist_is_turned_upright_and_counted_from_zero(home, split):
    first = 1 if split == "letters" else 0
    images, classes = idx_set(
        home / "emnist" / "gzip", f"emnist-{split}-", ("train", "test"), first=first, zipped=True
    )
    data = load_data_set(f"emnist-{split}")
    assert np.array_equal(data.x.reshape(18, 28, 28), images.transpose(0, 2, 1))
    assert np.array_equal(data.y, classes.astype(int) - first)
    expected = {"balanced": 47, "byclass": 62, "bymerge": 47, "digits": 10, "letters": 26, "mnist": 10}
    assert len(data.class_names) == len(set(data.class_names)) == expected[split]


def cifar_expected():
    parts = [files.cifar_images(2, seed) for seed in range(6)]
    return np.concatenate([images for images, _ in parts]), np.concatenate([classes for _, classes in parts])


@pytest.mark.parametrize("form", ["py", "bin"])
@pytest.mark.parametrize(
    "where", ["cifar10", "cifar-10-batches-py", "cifar10/cifar-10-batches-bin", "archive"]
)
def test_cifar10_in_every_form(home, form, where):
    if where == "archive":
        files.cifar_archive(home / "cifar10", form)
    else:
        files.cifar_folder(home / where, form)
    data = load_data_set("CIFAR10")
    images, classes = cifar_expected()
    assert np.array_equal(data.x, images) and np.array_equal(data.y, classes)
    assert np.array_equal(data.own_test, [10, 11])


@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_cifar10_written_anew_by_todays_python(home, protocol):
    files.cifar_folder(home / "cifar10", "py")
    for seed, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        (home / "cifar10" / name).write_bytes(files.cifar_modern_pickle(2, seed, protocol))
    data = load_data_set("cifar10")
    assert np.array_equal(data.x, cifar_expected()[0]) and np.array_equal(data.y, cifar_expected()[1])


def test_the_test_files_pickle_is_what_pickle_itself_reads():
    """The hand-made Python 2 batch is a real one: Python's own unpickler, which trusts it, gives the same."""
    import pickle

    batch = pickle.loads(files.cifar_pickle(3, seed=4), encoding="bytes")
    images, classes = files.cifar_images(3, seed=4)
    assert np.array_equal(batch[b"data"], images) and batch[b"labels"] == classes
    assert batch[b"batch_label"] == b"training batch 1 of 5"


def test_svhn(home):
    (home / "svhn").mkdir()
    from scipy.io import loadmat

    for part, n in (("train", 12), ("test", 5)):
        files.svhn_file(home / "svhn" / f"{part}_32x32.mat", n)
    data = load_data_set("svhn")
    raw = loadmat(home / "svhn" / "train_32x32.mat")
    assert data.x.shape == (17, 3072)
    assert np.array_equal(data.x[3].reshape(32, 32, 3), raw["X"][:, :, :, 3])
    labels = raw["y"].ravel()
    assert np.array_equal(data.y[:12], np.where(labels == 10, 0, labels))
    assert 0 in data.y and data.y.max() == 9


def test_a_missing_set_says_where_to_get_it_and_where_to_put_it(home):
    for name, image_set in IMAGE_SETS.items():
        with pytest.raises(AzgenError) as caught:
            load_data_set(name)
        text = str(caught.value)
        assert f"the data set {name} is not on this machine" in text
        assert image_set.source in text and str(home / image_set.folders[0]) in text and "AZGEN_DATA" in text


def test_an_incomplete_set_is_missing(home):
    idx_set(home / "mnist")
    (home / "mnist" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(AzgenError, match="not on this machine"):
        load_data_set("mnist")


def test_labels_of_another_set(home):
    idx_set(home / "mnist", first=3)
    with pytest.raises(AzgenError, match=r"labels-idx1-ubyte holds a class outside 0 to 9"):
        load_data_set("mnist")


def test_images_of_two_sizes(home):
    idx_set(home / "mnist")
    (home / "mnist" / "t10k-images-idx3-ubyte").write_bytes(files.idx(np.zeros((6, 14, 14), np.uint8)))
    with pytest.raises(AzgenError, match=r"images of 784 pixels, .* of 196; they are not of one set"):
        load_data_set("mnist")


def test_a_name_that_nobody_has():
    with pytest.raises(AzgenError, match=r"no data set is called 'fashon'\. Did you mean fashion-mnist\?"):
        load_data_set("fashon")


def test_the_list_says_what_lies_where(home):
    idx_set(home / "user" / "azgen" / "mnist")
    files.cifar_archive(home / "system" / "cifar-10", "bin")
    entries = {entry.name: entry for entry in list_data_sets()}
    assert tuple(entries) == data_set_names()
    assert entries["digits"].place == "scikit-learn"
    assert entries["mnist"].place == str(home / "user" / "azgen" / "mnist")
    assert entries["cifar10"].place == str(home / "system" / "cifar-10" / "cifar-10-binary.tar.gz")
    assert entries["svhn"].place is None and "ufldl" in entries["svhn"].how_to_get


def test_folders_are_searched_in_order(home, monkeypatch):
    first, second = home / "one", home / "two"
    idx_set(second / "mnist")
    monkeypatch.setenv("AZGEN_DATA", f"{first}{os.pathsep}{second}")
    assert data_folders()[:2] == (first, second)
    assert IMAGE_SETS["mnist"].locate() == second / "mnist"
    idx_set(first / "mnist")
    assert IMAGE_SETS["mnist"].locate() == first / "mnist"
    monkeypatch.setenv("AZGEN_DATA", str(second / "mnist"))  # the set's own folder
    assert IMAGE_SETS["mnist"].locate() == second / "mnist"
    monkeypatch.delenv("AZGEN_DATA")
    assert data_folders() == (home / "user" / "azgen", home / "system")


def test_the_system_folder_is_debians():
    assert Path("/usr/share/datasets") == SYSTEM_FOLDER


def test_bundled_sets_describe_themselves():
    assert "1797 examples of 64 values" in load_data_set("digits").describe()
    assert "class_0: 59, class_1: 71, class_2: 48" in load_data_set("wine").describe()
    assert "target: from 25 to 346" in load_data_set("diabetes").describe()
    assert not load_data_set("Breast_Cancer").is_images


# ---- the real Fashion-MNIST


@needs_fashion
def test_fashion_mnist_is_the_real_one():
    data = load_data_set("fashion-mnist")
    assert data.x.shape == (70_000, 784) and data.x.dtype == np.uint8
    assert (np.bincount(data.y) == 7000).all() and len(data.own_test) == 10_000
    # Mean and standard deviation of the training part's pixels, as widely published: 0.2860 and 0.3530 of
    # 255.
    counts = np.bincount(data.x[:60_000].ravel(), minlength=256)
    levels = np.arange(256) / 255
    mean = np.average(levels, weights=counts)
    deviation = np.sqrt(np.average((levels - mean) ** 2, weights=counts))
    assert abs(mean - 0.2860) < 5e-5 and abs(deviation - 0.3530) < 5e-5
    assert [data.class_names[c] for c in data.y[:3]] == ["boot", "T-shirt", "T-shirt"]
    assert read_idx(FASHION / "t10k-images-idx3-ubyte.gz").shape == (10_000, 28, 28)


@needs_fashion
def test_fashion_mnist_pairs_can_be_told_apart_at_16_and_at_784_dimensions():
    data = load_data_set("fashion-mnist")
    pairs = {"search": [(0, 9)], "select": [(1, 8)], "test": [(3, 7)]}
    for n_features, least in ((16, 0.95), (0, 0.99)):
        wanted = ImageTasks(
            "fashion-mnist",
            n_features=n_features,
            n_search=1,
            n_select=1,
            n_test=1,
            n_train=(1000,) * 3,
            n_valid=(500,) * 3,
        )
        split = tasks_of_images(data, wanted, pairs=pairs)
        (task,) = split.test
        assert task.name.startswith("dress against sneaker") and task.n_features == (n_features or 784)
        fit = LogisticRegression(max_iter=2000).fit(task.x_train, task.y_train)
        assert fit.score(task.x_valid, task.y_valid) > least


@needs_fashion
def test_fashion_mnist_ten_classes():
    data = load_data_set("fashion-mnist")
    wanted = ImageTasks(
        "fashion-mnist",
        "all",
        16,
        n_search=2,
        n_select=1,
        n_test=1,
        n_train=(4500, 500, 500),
        n_valid=(500,) * 3,
    )
    split = tasks_of_images(data, wanted)
    assert split.search[0].y_train.shape == (4500, 10)
    fit = LogisticRegression(max_iter=2000).fit(
        split.search[0].x_train, split.search[0].y_train.argmax(axis=1)
    )
    assert fit.score(split.search[0].x_valid, split.search[0].y_valid.argmax(axis=1)) > 0.6


@needs_fashion
def test_building_100_tasks_of_fashion_mnist_is_small():
    """100 tasks of 8000 + 2000 examples, F = 16, in a process of its own: under 1.5 GB."""
    program = """
        import resource
        from azgen.tasks import ImageTasks, load_data_set, tasks_of_images
        wanted = ImageTasks(
            n_features=16, n_search=100, n_select=9, n_test=9, n_train=(8000, 200, 400),
            n_valid=(2000, 100, 200),
        )
        split = tasks_of_images(load_data_set("fashion-mnist"), wanted, fractions=(0.9, 0.05, 0.05))
        assert len(split.search) == 100 and split.search[0].x_train.shape == (8000, 16)
        assert split.search[99].x_valid.shape == (2000, 16)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    arguments = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(arguments, check=True, timeout=120, capture_output=True, text=True)
    assert int(done.stdout) * (1 if sys.platform == "darwin" else 1024) < 1.5e9
