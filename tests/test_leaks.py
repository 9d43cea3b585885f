"""A site tells nothing of the machine that built it: no variable of the environment, and no absolute path."""

import os
from pathlib import Path

import pytest

from generator.pipeline import Stage, build
from generator.progress import Quiet
from generator.runners import Crew
from generator.stores import SharedStore
from tests.conftest import POST, SmallSite

BROKEN = """
[models.broken]
source = "char-rnn"
checkpoints = "checkpoints/*.safetensors"
"""
FAILING = "\n```figure\nid: failing\nkind: sample\nmodel: broken\n```\n"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-bucket",
    "HF_TOKEN": "canary-of-the-hub",
    "WHATFIRES_OWN": "canary-of-nothing",
}


@pytest.mark.parametrize("crew", [Crew(), Crew("local", 1)], ids=["here", "local"])
def test_no_file_of_a_site_holds_a_secret_or_where_it_was_built(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch, crew: Crew
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    folder = small_site.content / "checkpoints"
    folder.mkdir()
    (folder / "step-1.safetensors").write_bytes(os.urandom(100))
    toml = small_site.content / "site.toml"
    toml.write_text(toml.read_text() + BROKEN)
    small_site.post(POST + FAILING)

    done = build(Path("content"), Path("site"), small_site.store, Quiet(), stage=Stage(crew=crew, keep_going=True))
    files = small_site.files()
    told = [
        (name, secret)
        for name, content in files.items()
        for secret in (*SECRETS.values(), str(small_site.folder))
        if secret.encode() in content
    ]

    assert (len(done.failed), len(files) > 20, told) == (1, True, [])
    assert b"cannot be read" in files["posts/a.html"]


@pytest.mark.parametrize("address", ["ftp://me:hush@127.0.0.1:1/x", "nowhere://me:hush@host/x"])
def test_no_message_tells_the_password_of_a_store(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", refused)

    with pytest.raises(Exception, match="--store .*://…@") as told:
        SharedStore(address).has("ab1")
    assert "hush" not in str(told.value)


def refused(*given: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")
