"""The compile cache: found again, repaired, shared by processes, refused when others can write to it."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from azgen.codegen import build, cache_folder, compiler, store, translation
from azgen.errors import CacheError, CompilerError

FILES = {
    "module.pyx": """
cdef extern from "factor.h":
    double FACTOR

def times(double x):
    return FACTOR * x
""",
    "factor.h": "#define FACTOR 3.0\n",
}

BUILD_IN_ANOTHER_PROCESS = """
import json, sys, time
from azgen.codegen.build import build
files, start = json.loads(sys.argv[1]), float(sys.argv[2])
time.sleep(max(0.0, start - time.time()))
built = build("kernel", files)
print(built.module.times(2.0), built.key, built.cached)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A build directory in which FILES are compiled, to be copied and not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "build"
    before = os.environ.get("AZGEN_BUILD_DIR")
    cache_folder.set_build_directory(folder)
    built = build.build("kernel", FILES)
    cache_folder.set_build_directory(before or None)
    assert not built.cached
    return built


@pytest.fixture
def build_dir(tmp_path, monkeypatch):
    """An empty build directory of the test's own."""
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    build.statistics.reset()
    return tmp_path / "build"


@pytest.fixture
def entry(build_dir, finished):
    """The one entry of a build directory in which FILES are compiled already, not yet loaded from there."""
    shutil.copytree(finished.directory.parents[1], build_dir)
    return build_dir / "kernel" / finished.key


@pytest.fixture
def no_compiling(monkeypatch):
    def called(*arguments, **options):
        raise AssertionError("something was compiled")

    monkeypatch.setattr(translation, "cython_to_c", called)
    monkeypatch.setattr(compiler, "compile_c", called)


@pytest.fixture
def quick_compiler(finished, monkeypatch):
    """A compiler that takes no time: its product is the one that is there."""

    def cython_to_c(pyx_path, c_path, *, functions_alone):
        c_path.write_text("/* C */")
        return 0.5

    def compile_c(c_path, so_path, flags, libraries, *, toolchain):
        shutil.copyfile(library_of(finished.directory), so_path)
        return 0.25

    monkeypatch.setattr(translation, "cython_to_c", cython_to_c)
    monkeypatch.setattr(compiler, "compile_c", compile_c)


def library_of(directory):
    (path,) = directory.glob("*.so")
    return path


def hidden(build_dir):
    return [path for path in build_dir.rglob(".*")]


# ---- what is built and found


def test_entry_holds_readable_source_library_and_manifest(finished):
    name = f"azgen_kernel_{finished.key[:24]}"
    names = {path.name for path in finished.directory.iterdir()}
    assert names == {f"{name}.pyx", "factor.h", library_of(finished.directory).name, "manifest.json"}
    assert finished.module.__name__ == name
    assert finished.module.times(2.0) == 6.0
    assert (finished.directory / f"{name}.pyx").read_text() == FILES["module.pyx"]
    manifest = json.loads((finished.directory / "manifest.json").read_text())
    assert manifest["ingredients"]["flags"] == list(compiler.DEFAULT_FLAGS)
    assert set(manifest["files"]) == names - {"manifest.json"}
    assert finished.seconds["cython"] > 0 and finished.seconds["compile"] > 0 and finished.seconds["load"] > 0


def test_only_the_owner_can_use_the_cache(finished):
    for folder in (finished.directory, finished.directory.parent, finished.directory.parents[1]):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in finished.directory.iterdir())


def test_second_build_compiles_nothing(entry, no_compiling):
    built = build.build("kernel", FILES)
    assert built.cached and built.directory == entry
    assert built.module.times(2.0) == 6.0
    assert built.seconds["cython"] == built.seconds["compile"] == 0.0
    again = build.build("kernel", FILES)
    assert again.cached and again.module is built.module
    assert (build.statistics.builds, build.statistics.hits, build.statistics.loads) == (0, 2, 1)


def test_statistics_count_builds_and_stage_times(build_dir, quick_compiler):
    assert not build.build("kernel", FILES).cached
    assert (build.statistics.builds, build.statistics.hits, build.statistics.loads) == (1, 0, 1)
    assert build.statistics.seconds["cython"] == 0.5 and build.statistics.seconds["compile"] == 0.25


def test_key_depends_on_everything_that_decides_the_machine_code(monkeypatch):
    def key(kind="kernel", files=FILES, **options):
        return build.build_key(kind, files, **options)

    found = compiler.find_toolchain()
    keys = [
        key(),
        key(kind="candidate"),
        key(files={**FILES, "module.pyx": FILES["module.pyx"] + "\n"}),
        key(files={**FILES, "factor.h": "#define FACTOR 4.0\n"}),
        key(flags=[*compiler.DEFAULT_FLAGS, "-fno-inline"]),
        key(libraries=["m"]),
    ]
    for change in ({"version": "another"}, {"target": "another"}, {"cpu_features": "another"}):
        monkeypatch.setattr(compiler, "find_toolchain", lambda change=change: replace(found, **change))
        keys.append(key())
    monkeypatch.setattr(compiler, "find_toolchain", lambda: found)
    monkeypatch.setattr(build, "_cython_version", lambda: "99.0")
    keys.append(key())
    monkeypatch.setenv("AZGEN_CFLAGS", "-Og")
    keys.append(key())
    assert len(set(keys)) == len(keys)


def test_key_does_not_depend_on_order_or_the_given_name():
    files = {"factor.h": FILES["factor.h"], "another.pyx": FILES["module.pyx"]}
    assert build.build_key("kernel", files) == build.build_key("kernel", FILES)


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("../kernel", FILES),
        ("kernel", {"factor.h": ""}),
        ("kernel", {"one.pyx": "", "two.pyx": ""}),
        ("kernel", {"module.pyx": "", "../factor.h": ""}),
        ("kernel", {"module.pyx": "", "manifest.json": ""}),
    ],
)
def test_wrong_arguments_are_refused(build_dir, kind, files):
    with pytest.raises(ValueError, match=r"kind|file"):
        build.build(kind, files)


def test_intermediate_c_is_kept_on_request(build_dir, quick_compiler, monkeypatch):
    monkeypatch.setenv("AZGEN_KEEP_C", "1")
    assert list(build.build("kernel", FILES).directory.glob("*.c"))


# ---- failures leave nothing behind


def test_cython_error_is_clear_and_leaves_nothing(build_dir):
    with pytest.raises(CompilerError, match="undeclared name"):
        build.build("kernel", {"module.pyx": "cdef int f() noexcept:\n    return no_such_name\n"})
    assert list((build_dir / "kernel").iterdir()) == []


def test_full_disk_is_a_cache_error_and_leaves_nothing(build_dir, quick_compiler, monkeypatch):
    def full(*arguments, **options):
        raise CompilerError("cc: fatal error: x.o: No space left on device")

    monkeypatch.setattr(compiler, "compile_c", full)
    with pytest.raises(CacheError, match="no space is left"):
        build.build("kernel", FILES)
    assert list((build_dir / "kernel").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_folder_that_cannot_be_written_is_a_cache_error(build_dir, monkeypatch, number):
    def fails(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "mkdir", fails)
    with pytest.raises(CacheError, match=r"--build-dir or AZGEN_BUILD_DIR"):
        cache_folder.build_directory()


def test_file_in_place_of_the_folder_is_a_cache_error(build_dir):
    build_dir.write_text("")
    with pytest.raises(CacheError, match="something else"):
        build.build("kernel", FILES)


# ---- damaged entries


def test_truncated_library_is_rebuilt(entry):
    library = library_of(entry)
    os.truncate(library, library.stat().st_size // 2)
    built = build.build("kernel", FILES)
    assert not built.cached and built.module.times(2.0) == 6.0
    assert hidden(entry.parent) == []


def remove_manifest(entry):
    (entry / "manifest.json").unlink()


def truncate_manifest(entry):
    os.truncate(entry / "manifest.json", 40)


def manifest_of_another_shape(entry):
    (entry / "manifest.json").write_text("[]")


def change_source(entry):
    next(entry.glob("*.pyx")).write_text("# something else")


def remove_library(entry):
    library_of(entry).unlink()


def empty_the_folder(entry):
    for path in entry.iterdir():
        path.unlink()


def replace_by_a_file(entry):
    shutil.rmtree(entry)
    entry.write_text("")


@pytest.mark.parametrize(
    "damage",
    [
        remove_manifest,
        truncate_manifest,
        manifest_of_another_shape,
        change_source,
        remove_library,
        empty_the_folder,
        replace_by_a_file,
    ],
)
def test_damaged_entry_is_rebuilt(entry, quick_compiler, damage):
    damage(entry)
    built = build.build("kernel", FILES)
    assert not built.cached and built.module.times(2.0) == 6.0
    assert hidden(entry.parent) == []


def test_loaded_library_is_never_changed_in_place(entry, quick_compiler):
    with library_of(entry).open("rb") as mapped:
        before = mapped.read()
        remove_manifest(entry)
        build.build("kernel", FILES)
        assert library_of(entry).stat().st_ino != os.fstat(mapped.fileno()).st_ino
        mapped.seek(0)
        assert mapped.read() == before


def test_what_cannot_be_loaded_does_not_stay(build_dir, quick_compiler, monkeypatch):
    def writes_garbage(c_path, so_path, *arguments, **options):
        so_path.write_text("garbage")
        return 0.0

    with monkeypatch.context() as patch:
        patch.setattr(compiler, "compile_c", writes_garbage)
        with pytest.raises(CompilerError, match=r"cannot be loaded: .*(?s:.)*CC names another"):
            build.build("kernel", FILES)
    assert store.entries() == []
    assert build.build("kernel", FILES).module.times(2.0) == 6.0


def test_entry_repaired_by_another_process_is_put_back(entry):
    recipe = build.Recipe.of("kernel", FILES, compiler.DEFAULT_FLAGS, ())
    inode = entry.stat().st_ino
    store.set_aside(entry, recipe.ingredients)
    assert entry.stat().st_ino == inode


def test_entry_deleted_after_it_was_verified_is_built_again(entry, quick_compiler, monkeypatch):
    load = compiler.load_module
    calls = []

    def load_after_deletion(name, library):
        if not calls:
            shutil.rmtree(entry)
        calls.append(library)
        return load(name, library)

    monkeypatch.setattr(compiler, "load_module", load_after_deletion)
    assert build.build("kernel", FILES).module.times(2.0) == 6.0
    assert len(calls) == 2


# ---- several builders of one key


def test_two_processes_build_the_same_key(build_dir):
    files = {**FILES, "factor.h": "#define FACTOR 5.0\n"}
    command = [sys.executable, "-c", BUILD_IN_ANOTHER_PROCESS, json.dumps(files), str(time.time() + 0.7)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    builders = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    for builder in builders:
        output, errors = builder.communicate(timeout=120)
        assert builder.returncode == 0, errors
        assert output.split()[:2] == ["10.0", build.build_key("kernel", files)]
    assert [path.name for path in (build_dir / "kernel").iterdir()] == [build.build_key("kernel", files)]


def test_copy_of_the_faster_process_is_kept(build_dir, finished, quick_compiler, monkeypatch):
    compile_c = compiler.compile_c
    published = []

    def compile_while_another_publishes(c_path, so_path, *arguments, **options):
        copy = build_dir / "kernel" / finished.key
        shutil.copytree(finished.directory, copy)
        published.append(copy.stat().st_ino)
        return compile_c(c_path, so_path, *arguments, **options)

    monkeypatch.setattr(compiler, "compile_c", compile_while_another_publishes)
    built = build.build("kernel", FILES)
    assert [built.directory.stat().st_ino] == published
    assert hidden(build_dir) == []


def test_threads_that_want_one_key_compile_it_once(build_dir, quick_compiler):
    modules = []
    threads = [
        threading.Thread(target=lambda: modules.append(build.build("kernel", FILES).module)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(modules) == 4 and len(set(map(id, modules))) == 1
    assert (build.statistics.builds, build.statistics.hits, build.statistics.loads) == (1, 3, 1)


# ---- whom to trust


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o707])
def test_folder_that_others_can_write_is_refused(build_dir, mode):
    build_dir.mkdir()
    build_dir.chmod(mode)
    with pytest.raises(CacheError, match="can be written by others"):
        build.build("kernel", FILES)
    assert list(build_dir.iterdir()) == []


@pytest.mark.parametrize("part", ["kind", "entry", "library"])
def test_entry_that_others_can_write_is_refused(entry, no_compiling, part):
    path = {"kind": entry.parent, "entry": entry, "library": library_of(entry)}[part]
    path.chmod(0o777)
    with pytest.raises(CacheError, match="can be written by others"):
        build.build("kernel", FILES)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("part", ["build", "entry", "library"])
def test_what_belongs_to_someone_else_is_refused(entry, no_compiling, part):
    path = {"build": entry.parents[1], "entry": entry, "library": library_of(entry)}[part]
    os.chown(path, 12345, -1)
    with pytest.raises(CacheError, match="belongs to user 12345, not to you"):
        build.build("kernel", FILES)


def test_link_in_place_of_the_kind_folder_is_refused(entry, tmp_path):
    entry.parent.rename(tmp_path / "elsewhere")
    entry.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CacheError, match="something else"):
        build.build("kernel", FILES)


# ---- the folder


def test_checkout_has_its_own_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("AZGEN_BUILD_DIR", raising=False)
    module = tmp_path / "azgen" / "codegen" / "cache_folder.py"
    monkeypatch.setattr(cache_folder, "__file__", str(module))
    (tmp_path / "templates").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert cache_folder.build_directory() == tmp_path / "build"


def test_installed_package_uses_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("AZGEN_BUILD_DIR", raising=False)
    monkeypatch.setattr(
        cache_folder, "__file__", str(tmp_path / "site-packages/azgen/codegen/cache_folder.py")
    )
    monkeypatch.setattr(cache_folder.platformdirs, "user_cache_path", lambda name: tmp_path / "caches" / name)
    assert cache_folder.build_directory() == tmp_path / "caches" / "azgen"


def test_chosen_folder_wins_and_is_inherited(build_dir, tmp_path):
    cache_folder.set_build_directory(tmp_path / "chosen")
    assert cache_folder.build_directory() == tmp_path / "chosen" == Path(os.environ["AZGEN_BUILD_DIR"])


def add_entry(build_dir, key, size, age):
    folder = build_dir / "candidate" / key
    folder.mkdir(parents=True)
    (folder / "library.so").write_bytes(bytes(size))
    os.utime(folder, (time.time() - age,) * 2)


def test_prune_deletes_what_was_not_used_for_longest(build_dir):
    cache_folder.build_directory()
    for number, size, age in [(0, 100, 50), (1, 200, 10), (2, 400, 30)]:
        add_entry(build_dir, f"{number:064x}", size, age)
    assert store.size() == 700
    assert [entry.size for entry in store.entries()] == [200, 400, 100]
    assert store.prune(650) == 100
    assert [entry.size for entry in store.entries()] == [200, 400]
    assert store.prune(650) == 0
    assert store.clear() == 600
    assert store.entries() == [] and store.size() == 0


def test_stale_temporaries_are_removed_and_fresh_ones_left(build_dir):
    cache_folder.build_directory()
    fresh, stale = (build_dir / "kernel" / f".tmp-{name}" for name in ("fresh", "stale"))
    for folder in (fresh, stale):
        folder.mkdir(parents=True)
    os.utime(stale, (time.time() - 2 * 24 * 3600,) * 2)
    assert store.entries() == []
    assert store.clear() == 0
    assert fresh.exists() and not stale.exists()


def test_used_entry_counts_as_new(entry):
    os.utime(entry, (0, 0))
    before = time.time()
    build.build("kernel", FILES)
    assert store.entries()[0].last_used > before - 1  # file systems round their clock
