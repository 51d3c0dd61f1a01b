"""Published models come whole or not at all, go on after a break, and no server is believed more than it has to be."""

from __future__ import annotations

import base64
import hashlib
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from safetensors.numpy import save

from app.jobs.job import Progress, run
from app.services import transfer
from app.services.errors import Refusal
from app.services.fetching import fetch
from app.services.published import (
    ADE20K,
    CACHE,
    CITYSCAPES,
    MIRROR,
    MODELS,
    Published,
    address_of,
    class_names,
    published,
)
from tests.core_model.test_archive import CHECKPOINT, GRAPH, pack
from tests.services.loopback import HONEST, Answer, Server, serving

PATH = "/models/small.tar.gz"
Get = Callable[..., Path]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Made of a checkpoint and a frozen graph that TensorFlow wrote; some pieces long."""
    content = pack(tmp_path_factory.mktemp("zoo") / "small.tar.gz", [*CHECKPOINT, GRAPH]).read_bytes()
    assert len(content) > 3 * transfer._PIECE
    return content


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", MIRROR, CACHE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(transfer, "_TIMEOUT", (5.0, 5.0))


@pytest.fixture
def server(archive: bytes) -> Iterator[Server]:
    with serving() as made:
        made.files[PATH] = archive
        yield made


@pytest.fixture
def model(server: Server) -> Published:
    return Published("small", server.address + PATH, 1, "tests")


@pytest.fixture
def get(model: Published, tmp_path: Path) -> Get:
    def get(**options: str) -> Path:
        return run(fetch(model, cache=tmp_path, **options))

    return get


def place(tmp_path: Path) -> Path:
    return tmp_path / "models" / "small.tar.gz"


def part(tmp_path: Path) -> bytes | None:
    path = tmp_path / "models" / "small.tar.gz.part"
    return path.read_bytes() if path.is_file() else None


def refused(get: Get, message: str, **options: str) -> str:
    with pytest.raises(Refusal, match=message) as caught:
        get(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_once_and_then_offline(server: Server, model: Published, archive: bytes, tmp_path: Path) -> None:
    seen: list[Progress] = []
    path = run(fetch(model, cache=tmp_path), seen.append)
    assert path == place(tmp_path)
    assert path.read_bytes() == archive
    assert path.with_name("small.tar.gz.sha256").read_text().split() == [hashlib.sha256(archive).hexdigest(), path.name]
    assert part(tmp_path) is None
    assert all(0 <= one.done <= 1 for one in seen)
    server.shutdown()
    server.server_close()
    assert run(fetch(model, cache=tmp_path)) == path
    assert len(server.asked) == 1


@pytest.mark.parametrize("length", [None, ""], ids=["with its size", "without"])
def test_a_cut_line_is_gone_on_with(server: Server, get: Get, archive: bytes, length: str | None) -> None:
    half = len(archive) // 2
    whole = str(len(archive))
    server.answers = [Answer(length=whole, sent=half), Answer(length=str(len(archive) - half), sent=1000), HONEST]
    assert get().read_bytes() == archive
    assert server.ranges == [None, f"bytes={half}-", f"bytes={half + 1000}-"]
    assert server.asked[1][1]["If-Range"] == '"1"'


def test_a_break_is_gone_on_with_the_next_time(server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
    half = len(archive) // 2
    server.answers = [Answer(length=str(len(archive)), sent=half), Answer(status=503, body=b"later")]
    assert "0.1 MB are kept" in refused(get, "127.0.0.1:.* answers 503 Service Unavailable")
    assert part(tmp_path) == archive[:half]
    assert not place(tmp_path).exists()
    assert get().read_bytes() == archive
    assert server.ranges[-1] == f"bytes={half}-"


def test_a_server_without_ranges_starts_over(server: Server, get: Get, archive: bytes) -> None:
    server.answers = [Answer(length=str(len(archive)), sent=len(archive) // 2), Answer(ranges=False)]
    assert get().read_bytes() == archive


def test_a_server_that_begins_elsewhere_is_asked_again(server: Server, get: Get, archive: bytes) -> None:
    wrong = Answer(status=206, body=archive[:100], headers={"Content-Range": f"bytes 7-106/{len(archive)}"})
    server.answers = [Answer(length=str(len(archive)), sent=len(archive) // 2), wrong]
    assert get().read_bytes() == archive
    assert server.ranges[-1] is None


def test_another_file_at_the_same_address(server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
    server.answers = [Answer(length=str(len(archive)), sent=70_000), Answer(status=500, body=b"")]
    refused(get, "answers 500")
    server.files[PATH] = pack(tmp_path / "other.tar.gz", [GRAPH]).read_bytes()
    server.etag = '"2"'
    assert get().read_bytes() == server.files[PATH]


def test_a_part_of_elsewhere_is_not_gone_on_with(server: Server, get: Get, archive: bytes) -> None:
    server.answers = [Answer(length=str(len(archive)), sent=70_000), Answer(status=500, body=b"")]
    refused(get, "answers 500")
    server.files["/mirror" + PATH] = archive
    assert get(mirror=server.address + "/mirror/").read_bytes() == archive
    assert server.ranges[-1] is None


def test_what_was_stopped_while_it_was_checked_is_not_fetched_again(
    server: Server, get: Get, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> str:
        raise transfer.Stopped

    with monkeypatch.context() as patched:
        patched.setattr("app.services.fetching._fault", stopped)
        get()
    assert get().read_bytes() == archive
    assert len(server.asked) == 1


class TestLies:
    def test_more_than_there_is(self, server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
        """The server says more bytes than it has, every time."""
        server.answers = [Answer(length=str(len(archive) + 9))] * 9
        refused(get, "contradicts itself about what the file is; nothing was kept")
        assert part(tmp_path) is None
        assert len(server.asked) == 4

    def test_more_than_there_is_without_ranges(self, server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
        server.answers = [Answer(length=str(len(archive) + 9), ranges=False)] * 9
        refused(get, "broke off; 0.2 MB are kept")
        assert part(tmp_path) == archive
        assert len(server.asked) == 2

    def test_less_than_there_is(self, server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
        server.answers = [Answer(length=str(len(archive) - 9))]
        refused(get, "is of no use: .* is damaged .*; it was dropped, and nothing was kept")
        assert part(tmp_path) is None
        assert not place(tmp_path).exists()

    @pytest.mark.parametrize("length", [2_000_001, 10**18])
    def test_absurdly_much(self, server: Server, get: Get, tmp_path: Path, length: int) -> None:
        server.answers = [Answer(length=str(length))]
        refused(get, "says that the file has .* MB, far above")
        assert part(tmp_path) is None

    @pytest.mark.parametrize("length", ["many", "-5"])
    def test_no_number(self, server: Server, get: Get, archive: bytes, length: str) -> None:
        server.answers = [Answer(length=length)]
        assert get().read_bytes() == archive

    def test_no_end(self, server: Server, get: Get, tmp_path: Path) -> None:
        server.answers = [Answer(length="", body=bytes(2_100_000))]
        refused(get, "sends more and more")
        assert part(tmp_path) is None

    def test_a_flipped_bit(self, server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
        damaged = bytearray(archive)
        damaged[len(damaged) // 2] ^= 4
        server.files[PATH] = bytes(damaged)
        refused(get, "what came from http.* is of no use")
        assert part(tmp_path) is None

    @pytest.mark.parametrize("kind", ["md5", "sha256"])
    @pytest.mark.parametrize("right", [True, False])
    def test_a_digest_that_is_stated(self, server: Server, get: Get, archive: bytes, kind: str, right: bool) -> None:
        content = archive if right else b"another"
        md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        headers = (
            {"X-Goog-Hash": f"crc32c=AAAAAA==,md5={md5}"}
            if kind == "md5"
            else {"X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        )
        server.answers = [Answer(headers=headers)]
        if right:
            assert get().read_bytes() == archive
        else:
            refused(get, f"does not have the {kind} that was stated")


class TestRefusals:
    def test_not_there(self, server: Server, get: Get) -> None:
        del server.files[PATH]
        refused(get, "there is no such file on 127.0.0.1")

    def test_nobody_there(self, server: Server, get: Get) -> None:
        server.shutdown()
        server.server_close()
        refused(get, r"cannot be reached \(HTTPS_PROXY .*\); nothing was kept")

    def test_in_circles(self, server: Server, get: Get) -> None:
        server.answers = [Answer(status=302, headers={"Location": PATH})] * 50
        refused(get, "sends in circles")

    def test_silence(self, server: Server, get: Get, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transfer, "_TIMEOUT", (5.0, 0.3))
        server.answers = [Answer(length=str(len(archive)), sent=0, waits=True)]
        refused(get, "does not answer; nothing was kept")

    @pytest.mark.parametrize("headers", [{"Content-Type": "text/html; charset=utf-8"}, {}])
    def test_a_page(self, server: Server, get: Get, tmp_path: Path, headers: dict[str, str]) -> None:
        server.answers = [Answer(body=b"\n <!DOCTYPE html><html>Welcome to the hotel", headers=headers)]
        refused(get, "answers with a web page")
        assert part(tmp_path) is None

    def test_a_secure_address_that_sends_on_to_one_that_is_not(self, tmp_path: Path) -> None:
        answer = requests.Response()
        answer.status_code, answer.url = 200, "http://elsewhere/small.tar.gz"
        with pytest.raises(Refusal, match="models sends on to http://elsewhere/small"):
            transfer._believe(answer, "https://models/small.tar.gz", transfer.Part(tmp_path / "x"))

    def test_something_else(self, server: Server, get: Get, tmp_path: Path) -> None:
        server.files[PATH] = b"PK" + bytes(1000)
        refused(get, "is of no use: .* no archive of the model zoo")
        assert part(tmp_path) is None

    def test_a_full_disk(self, server: Server, get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
        refused(get, "is too full: .* MB more are needed; nothing was kept")
        assert part(tmp_path) is None

    @pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
    def test_a_disk_that_fills_up(self, server: Server, get: Get, tmp_path: Path) -> None:
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "small.tar.gz.part").symlink_to("/dev/full")
        refused(get, "could not be written .no space left on device.")
        assert not place(tmp_path).exists()

    def test_a_folder_that_is_a_file(self, get: Get, tmp_path: Path) -> None:
        (tmp_path / "models").write_text("")
        refused(get, "models cannot be written to")

    def test_two_at_once(self, server: Server, model: Published, archive: bytes, tmp_path: Path, get: Get) -> None:
        server.answers = [Answer(length=str(len(archive)), sent=70_000, waits=True)]
        job = fetch(model, cache=tmp_path)
        while not next(job).done:
            pass
        refused(get, "small is being fetched already, by .* .process")
        job.close()


def test_a_stop_keeps_the_part(server: Server, model: Published, archive: bytes, tmp_path: Path, get: Get) -> None:
    server.answers = [Answer(length=str(len(archive)), sent=70_000, waits=True)]
    job = fetch(model, cache=tmp_path)
    while not next(job).done:
        pass
    thread = next(one for one in threading.enumerate() if one.name == "fetch small")
    job.close()
    server.going.set()  # the line is cut
    thread.join()
    kept = part(tmp_path)
    assert kept
    assert archive.startswith(kept)
    assert get().read_bytes() == archive
    assert server.ranges == [None, f"bytes={len(kept)}-"]


def test_a_kept_file_that_was_damaged_is_fetched_again(server: Server, get: Get, archive: bytes) -> None:
    get().write_bytes(archive[:-1])
    assert get().read_bytes() == archive
    assert len(server.asked) == 2


def test_a_file_that_somebody_put_there(server: Server, get: Get, archive: bytes, tmp_path: Path) -> None:
    place(tmp_path).parent.mkdir()
    place(tmp_path).write_bytes(archive[:-100])
    refused(get, "small.tar.gz is of no use: .*: put the right file there")
    place(tmp_path).write_bytes(archive)
    assert get() == place(tmp_path)
    assert server.asked == []


def test_safetensors_are_looked_at_too(server: Server, tmp_path: Path) -> None:
    path = "/timm/x/resolve/main/model.safetensors"
    model = Published("x", server.address + path, 1, "tests")
    server.files[path] = save({"stem.0.conv.weight": np.ones((2, 3), np.float32)})
    assert run(fetch(model, cache=tmp_path)).name == "x.safetensors"
    server.files[path] = server.files[path][:-1]
    with pytest.raises(Refusal, match="is of no use: no whole safetensors file"):
        run(fetch(model, cache=tmp_path / "other"))


def test_the_published_checksum_counts(server: Server, archive: bytes, tmp_path: Path) -> None:
    right = Published("a", server.address + PATH, 1, "tests", sha256=hashlib.sha256(archive).hexdigest())
    wrong = Published("b", server.address + PATH, 1, "tests", sha256="0" * 64)
    assert run(fetch(right, cache=tmp_path)).is_file()
    with pytest.raises(Refusal, match="does not have the sha256"):
        run(fetch(wrong, cache=tmp_path / "other"))


def test_the_proxy_of_the_environment(
    server: Server, archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.address)
    monkeypatch.setenv("NO_PROXY", "")
    model = Published("small", f"http://models.invalid{PATH}", 1, "tests")
    assert run(fetch(model, cache=tmp_path)).read_bytes() == archive
    assert server.asked[0][0] == f"http://models.invalid{PATH}"
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(Refusal, match="the proxy does not let us to models"):
        run(fetch(model, cache=tmp_path / "other"))


class TestTable:
    def test_rows_are_complete_and_distinct(self) -> None:
        for column in ("name", "address", "file"):
            assert len({getattr(model, column) for model in MODELS}) == len(MODELS)
        for model in MODELS:
            assert model.address.startswith("https://")
            assert model.file.endswith((".tar.gz", ".safetensors"))
            assert model.good_for
            assert model.licence == "Apache-2.0"
            assert 100 <= model.megabytes <= 500
            assert len(set(model.classes)) == len(model.classes)

    def test_classes_are_as_many_as_the_networks_have(self) -> None:
        assert [len(model.classes) for model in MODELS if model.classes] == [21, 21, 19, 151]
        assert [class_names(count) for count in (19, 151, 20, 0)] == [CITYSCAPES, ADE20K, (), ()]
        assert (CITYSCAPES[0], CITYSCAPES[-1]) == ("road", "bicycle")
        assert (ADE20K[1], ADE20K[-1]) == ("wall", "flag")

    def test_a_name_that_is_none(self) -> None:
        with pytest.raises(Refusal, match="no published model is called 'x'; there are xception65_coco"):
            published("x")

    def test_mirrors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        timm = published("xception65.tf_in1k")
        assert address_of(timm, "http://m/") == "http://m/timm/xception65.tf_in1k/resolve/main/model.safetensors"
        monkeypatch.setenv(MIRROR, "https://mirror/zoo")
        assert address_of(MODELS[0]) == "https://mirror/zoo/models/deeplabv3_pascal_train_aug_2018_01_04.tar.gz"
        for wrong in ("file:///etc", "mirror", "ftp://a"):
            with pytest.raises(Refusal, match="is no address"):
                address_of(timm, wrong)
