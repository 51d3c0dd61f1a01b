"""`atrous model available` and `fetch`: the real table, with a mirror on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.services.published import CACHE, MIRROR
from tests.core_model.test_archive import CHECKPOINT, pack
from tests.services.loopback import serving
from tests.test_cli import Atrous, atrous, last_line

__all__ = ["atrous"]
NAME = "xception65_coco_voc_trainaug"
FILE = "deeplabv3_pascal_train_aug_2018_01_04.tar.gz"


def test_a_model_by_name(atrous: Atrous, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    with serving() as server:
        monkeypatch.setenv(MIRROR, server.address)
        server.files[f"/models/{FILE}"] = pack(tmp_path / "a.tar.gz", CHECKPOINT).read_bytes()
        status, out, err = atrous("model", "fetch", NAME)
        assert (status, out) == (0, f"{tmp_path / 'cache' / 'models' / FILE}\n")
        assert "21 classes, about 439 MB, licence Apache-2.0" in err
        assert Path(out.strip()).read_bytes() == server.files[f"/models/{FILE}"]
        status, out, err = atrous("model", "fetch", "xception41.tf_in1k")
        assert (status, out) == (1, "")
        assert "there is no such file on 127.0.0.1" in last_line(err)
    assert atrous("model", "fetch", NAME)[0] == 0  # offline
    status, out, _ = atrous("model", "available", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert [name for name, row in rows.items() if row["here"]] == [NAME]
    assert rows["xception71.tf_in1k"]["kind"] == "backbone"
    status, out, _ = atrous("model", "available")
    assert status == 0
    assert all(name in out for name in rows)


def test_what_cannot_be_fetched(atrous: Atrous, tmp_path: Path) -> None:
    status, _, err = atrous("model", "fetch", "nothing")
    assert status == 1
    assert "no published model is called 'nothing'" in last_line(err)
    status, _, err = atrous("model", "fetch", NAME, "--mirror", "here", "--cache", tmp_path)
    assert status == 1
    assert "'here' is no address" in last_line(err)
