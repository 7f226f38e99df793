"""The doors through which data from outside come in, each as a function of bytes that may raise an AzgenError
and nothing else; with seeds, and with what changes them."""

from __future__ import annotations

import ast
import io
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from azgen.codegen import store
from azgen.language.program import Program
from azgen.language.zoo import zoo, zoo_names
from azgen.runs import checkpoint as checkpoints
from azgen.search import snapshot
from azgen.search.engines.channel import Channel
from azgen.search.engines.inline import InlineEngine
from azgen.search.engines.messages import Failure, Loss, decode, encode, read_message
from azgen.search.engines.orders import Order, Report
from azgen.search.space import SearchSpace
from azgen.settings.presets import preset, preset_names
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.values import as_mapping
from azgen.tasks.readers import read_table
from azgen.tasks.readers.cifar import read_cifar10
from azgen.tasks.readers.idx import read_idx
from azgen.tasks.readers.svhn import read_svhn
from tests.fuzz.mutate import mutated_bytes, mutated_json, mutated_value
from tests.fuzz.runs import enter_run, run_seeds
from tests.tasks import image_files

Change = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Door:
    """A door.

    Attributes:
        enter: lets an input in.
        seeds: inputs to begin with.
        change: makes another input of one.
    """

    enter: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    change: Change = mutated_bytes


def _in_folder(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of files as a function of their bytes."""

    def enter(data: bytes) -> object:
        path = _folder() / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return read(path)

    return enter


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="azgen-fuzz-"))


# ---- programs


def _enter_program(data: bytes) -> None:
    program = Program.parse(data.decode("utf-8", "surrogateescape"))
    assert Program.parse(str(program)) == program or "nan" in str(program)
    assert program.normalized().hash and program.live().memory


def _program_seeds() -> list[bytes]:
    return [str(zoo(name)).encode() for name in zoo_names()]


def _mutated_program(data: bytes, source: random.Random) -> bytes:
    if source.random() < 0.5:
        return mutated_bytes(data, source)
    lines = data.decode("utf-8", "replace").splitlines()
    for _ in range(source.randrange(1, 5)):
        at = source.randrange(len(lines) + 1)
        line = f"  {source.choice('svm')}{source.choice((1, 2, 9, 998, 999))} = "
        line += source.choice(
            ("s1 + s999", "m998 @ m2", "v0 * v998", "-" * 99 + "s1", "(" * 99, "s1" + ".x" * 999)
        )
        lines[at:at] = source.choice(
            ([line], lines[at : at + 3], lines * 2, [line] * (1200 if source.random() < 0.01 else 3))
        )
    return "\n".join(lines).encode()


# ---- settings


def _settings_seeds() -> list[bytes]:
    return [json.dumps(as_mapping(preset(name))).encode() for name in preset_names()]


def _toml_seeds() -> list[bytes]:
    from importlib.resources import files

    return [(files("azgen") / "presets" / f"{name}.toml").read_bytes() for name in preset_names()]


def _enter_settings(data: bytes) -> None:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(values, dict):
        values = {name: value for name, value in values.items() if name != "ops_file"}
        settings = settings_from(values)
        assert settings_from(as_mapping(settings)) == settings


# ---- checkpoints


@cache
def small_space() -> tuple[SearchSpace, bytes]:
    """A small search space with all that a state can have, and a checkpoint of a run in it."""
    from azgen.search.evolve import Evolution

    settings = preset("linear")
    settings = replace(
        settings,
        tasks=replace(settings.tasks, n_search=3, n_select=3, n_test=3, n_train=(20,) * 3, n_valid=(5,) * 3),
        evolution=replace(settings.evolution, population=20, hurdles=(0.5,), cache_size=64),
        islands=replace(settings.islands, count=2, interval=80, migrants=3, checkpoint_seconds=1e-9),
        stop=replace(settings.stop, max_programs=400, max_seconds=0, round_programs=40, restart_programs=0),
        backend="kernel",
    )
    folder = _folder() / "checkpoints"
    evolution = Evolution(settings, settings.tasks.split(1), checkpoints=folder)
    evolution.run()
    return evolution.space, max(folder.iterdir()).read_bytes()


def _enter_checkpoint(path: Path) -> None:
    space, _ = small_space()
    snapshot.restore(space, checkpoints.read(path), InlineEngine(space))


def _mutated_checkpoint(data: bytes, source: random.Random) -> bytes:
    """Bytes; or values, or the numbers of an array, with checksums that are right."""
    if source.random() < 0.3:
        return mutated_bytes(data, source)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
        if source.random() < 0.7:
            header = mutated_value(header, source)
        else:
            name = source.choice(list(arrays))
            raw = mutated_bytes(arrays[name].tobytes(), source)
            kind = (
                arrays[name].dtype
                if source.random() < 0.8
                else np.dtype(source.choice(("i4", "f8", "u1", "U3")))
            )
            arrays[name] = np.frombuffer(raw[: len(raw) // kind.itemsize * kind.itemsize], kind)
            header["sha256"][name] = checkpoints._checksum(arrays[name])
        out = io.BytesIO()
        np.savez(out, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
        return out.getvalue()
    except Exception:  # changed before, so that it can no longer be taken apart
        return mutated_bytes(data, source)


# ---- messages


def _message_seeds() -> list[bytes]:
    migrants = snapshot.Migrants.of(small_space()[0].kernel.encode([zoo("linear").normalized()] * 2))
    order = Order(1, 2, 3, n_programs=5, quarantined=(str(zoo("linear")),), immigrants=migrants)
    report = Report(1, 2, 3, tuple(range(7)), 0.5, 6, str(zoo("linear")), 0.25, 8.0, migrants, 0.1, 3)
    fitness = encode({"kind": "fitness"}, {"fitness": np.zeros(3)})
    failure = encode({"kind": "error", "message": "no", "mistake": True})
    loss = encode({"kind": "lost", "cause": "killed", "program": "", "blamed": False})
    return [order.encode(), report.encode(), fitness, failure, loss]


def _enter_message(data: bytes) -> None:
    header, arrays = decode(data)
    readers: dict[str, Callable[[], object]] = {
        "order": lambda: Order.decode(header, arrays),
        "report": lambda: Report.decode(header, arrays),
        "error": lambda: read_message(Failure, header),
        "lost": lambda: read_message(Loss, header),
    }
    readers.get(header["kind"], lambda: None)()


def _mutated_message(data: bytes, source: random.Random) -> bytes:
    if source.random() < 0.4:
        return mutated_bytes(data, source)
    try:
        length = int.from_bytes(data[:4], "little")
        text = json.dumps(mutated_value(json.loads(data[4 : 4 + length]), source)).encode()
        return len(text).to_bytes(4, "little") + text + data[4 + length :]
    except (ValueError, RecursionError):
        return mutated_bytes(data, source)


class _Pipe:
    """What a channel reads from: bytes, then the end."""

    def __init__(self, data: bytes):
        import os

        self._read, write = os.pipe()
        os.set_blocking(write, False)
        os.write(write, data[:60_000])
        os.close(write)

    def fileno(self) -> int:
        return self._read

    def close(self) -> None:
        import os

        os.close(self._read)


def _enter_channel(data: bytes) -> None:
    channel = Channel(_Pipe(data))
    try:
        for _ in range(1000):
            channel.receive()
    except EOFError:
        return
    finally:
        channel.close()
    raise AssertionError("a channel gives messages without end")


# ---- the compile cache


def _manifest_seeds() -> list[bytes]:
    files = {"module.so": {"bytes": 3, "sha256": store.sha256(b"abc")}}
    return [json.dumps({"azgen": "0", "created": 1.0, "files": files, "ingredients": {"a": [1]}}).encode()]


def _enter_manifest(data: bytes) -> None:
    entry = _folder() / "entry"
    entry.mkdir(exist_ok=True, mode=0o700)
    for name, content in (("module.so", b"abc"), (store.MANIFEST, data)):
        (entry / name).write_bytes(content)
        (entry / name).chmod(0o600)
    try:
        names = store.verify(entry, {"a": [1]})
    except (store.Damaged, store.Absent):
        return
    assert names <= {"module.so", store.MANIFEST}


# ---- tables and images


def _table(ending: str) -> list[bytes]:
    import pandas as pd

    frame = pd.DataFrame({"a": [1.5, 2, np.nan] * 4, "b": ["x", "y", "z"] * 4, "y": range(12)})
    path = _folder() / f"seed{ending}"
    if ending == ".parquet":
        frame.to_parquet(path)
    elif ending == ".xlsx":
        frame.to_excel(path, index=False)
    elif ending == ".npz":
        np.savez(path, X=np.arange(12.0).reshape(6, 2), y=np.arange(6))
    elif ending == ".arff":
        head = "@relation r\n@attribute a numeric\n@attribute b {x,y,z}\n@attribute y numeric\n@data\n"
        path.write_text(head + "".join(f"{i},{'xyz'[i % 3]},{i * 2}\n" for i in range(9)))
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    return [path.read_bytes()]


def _svhn_seeds() -> list[bytes]:
    return [image_files.svhn_file(_folder() / "seed.mat", 2).read_bytes()]


def _enter_cifar(path: Path) -> None:
    if not (path.parent / "test_batch").exists():
        image_files.cifar_folder(path.parent, form="py")
    read_cifar10(path.parent)


# ---- exported files


def _enter_export(data: bytes) -> None:
    from azgen.exports.module import render_module
    from azgen.exports.provenance import Provenance

    text = data.decode("utf-8", "surrogateescape")
    where = Provenance(run=text, preset=text[::-1], data=text, note=text, seed=1)
    ast.parse(render_module(zoo("linear"), provenance=where).encode())


DOORS: dict[str, Door] = {
    "program": Door(_enter_program, _program_seeds, _mutated_program),
    "settings": Door(_enter_settings, _settings_seeds, mutated_json),
    "toml": Door(_in_folder("config.toml", lambda path: read_settings(path, saved=True)), _toml_seeds),
    "checkpoint": Door(
        _in_folder("checkpoint-000001.npz", _enter_checkpoint),
        lambda: [small_space()[1]],
        _mutated_checkpoint,
    ),
    "run": Door(enter_run, run_seeds, mutated_json),
    "message": Door(_enter_message, _message_seeds, _mutated_message),
    "channel": Door(_enter_channel, lambda: [b"\0\0\0\3abc\0\0\0\1d"]),
    "manifest": Door(_enter_manifest, _manifest_seeds, mutated_json),
    **{
        ending: Door(_in_folder(f"table.{ending}", read_table), lambda ending=ending: _table(f".{ending}"))
        for ending in ("csv", "tsv", "parquet", "arff", "xlsx", "npz")
    },
    "idx": Door(
        _in_folder("images-idx3-ubyte", read_idx),
        lambda: [image_files.idx(np.arange(60, dtype=np.uint8).reshape(5, 4, 3))],
    ),
    "cifar": Door(_in_folder("cifar/data_batch_1", _enter_cifar), lambda: [image_files.cifar_pickle(2)]),
    "svhn": Door(_in_folder("train_32x32.mat", read_svhn), _svhn_seeds),
    "export": Door(_enter_export, lambda: [b'a "quoted" \\ text', b"*/ \xf0\x9f\x98\x80 \0"]),
}
