"""PyTorch's files that would end the process, or fill its memory, are refused before they are read."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from generator.pickled import objection
from generator.spec import BuildError
from generator.weights import Weights, read_weights, write_weights

DEEP = b"\x80\x02}" + b")" + b"\x85" * 1_000_000 + b"K\x01s."  # a dict whose key is a tuple in a tuple in …


def saved(zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(2**20)}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def rebuilt(pickled: bytes | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    """The zip that torch.save writes, with another pickle in it, or compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as own, zipfile.ZipFile(buffer, "w", compression) as archive:
        for one in own.infolist():
            mine = one.filename.endswith("data.pkl") and pickled
            archive.writestr(one.filename, pickled if mine else own.read(one))
    return buffer.getvalue()


@pytest.mark.parametrize("content", [DEEP, rebuilt(DEEP)], ids=["pickle", "zip"])
def test_deep_tuples_do_not_end_the_process(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    code = "import sys; from pathlib import Path; from generator.weights import read_weights; read_weights(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 1  # an error, and no signal
    assert "a.pt is refused: its tuples are nested too deeply" in done.stderr


def test_depth_is_seen_through_the_memo() -> None:
    step = b"h\x00\x85q\x00"  # get, put in a tuple, and put back

    assert "nested" in objection(b"\x80\x02)q\x00" + step * 200 + b".")
    assert not objection(b"\x80\x02)q\x00" + step * 20 + b".")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(rebuilt(compression=zipfile.ZIP_DEFLATED))

    with pytest.raises(BuildError, match=r"a.pt is refused: it is compressed, which torch.save does not do"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_writes_is_read(zipped: bool) -> None:
    assert objection(saved(zipped)) == ""


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.ones(2, dtype=torch.complex64), "'w' is not a dense tensor of real numbers"),
        (torch.eye(2).to_sparse(), "'w' is not a dense tensor of real numbers"),
        (torch.ones(2, device="meta"), "'w' is not a dense tensor of real numbers"),
        (torch.ones(1).expand(10**6, 10**6), r"'w' is \(1000000, 1000000\), and the file holds fewer numbers"),
    ],
    ids=["complex", "sparse", "meta", "expanded"],
)
def test_a_tensor_that_fills_no_network_is_told(tensor: torch.Tensor, reason: str, tmp_path: Path) -> None:
    torch.save({"w": tensor}, tmp_path / "a.pt")

    with pytest.raises(BuildError, match=reason):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("state", [{1: torch.ones(1)}, {}])
def test_a_state_dict_names_tensors(state: object, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pt")

    with pytest.raises(BuildError, match="holds no"):
        read_weights(tmp_path / "a.pt")


def test_weights_of_float_types_are_read_as_they_were(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", Weights({"w": torch.tensor([0.5, 2.0])}), {})

    assert read_weights(tmp_path / "a.safetensors").tensors["w"].dtype == torch.float32
