"""What the server for the author's eyes sends, and what it does not, to requests that no browser makes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from generator.serving import listening

Ask = Callable[[bytes], bytes]


@pytest.fixture
def ask(tmp_path: Path, served: object) -> Iterator[Ask]:
    """Sends bytes to a server of a small site, and gives what comes back until it hangs up or is silent."""
    site = tmp_path / "site"
    (site / "models").mkdir(parents=True)
    (site / "index.html").write_text("the index")
    (site / "404.html").write_text("not there")
    (site / "models" / "index.html").write_text("the models")
    (tmp_path / "secret.html").write_text("the secret")
    (tmp_path / "site-secret").mkdir()
    (tmp_path / "site-secret" / "index.html").write_text("the secret")
    (site / "link.html").symlink_to("../secret.html")
    (site / "away").symlink_to("..")
    server = listening(0, site)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def send(request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=2) as connection:
            connection.sendall(request)
            with suppress(OSError):  # the server hung up before all was sent
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer

    yield send
    server.shutdown()
    server.server_close()


def get(path: bytes, host: bytes = b"localhost") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"


def test_a_page_is_sent_with_what_keeps_it_to_itself(ask: Ask) -> None:
    answer = ask(get(b"/"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"the index")
    assert b"X-Content-Type-Options: nosniff\r\n" in answer
    assert b"Cross-Origin-Resource-Policy: same-origin\r\n" in answer


@pytest.mark.parametrize(
    "path",
    [
        b"/../secret.html",
        b"/%2e%2e/secret.html",
        b"/..%2fsecret.html",
        b"/models/../../secret.html",
        b"/..\\secret.html",
        b"//../secret.html",
        b"/../site-secret/",
        b"/link.html",
        b"/away/secret.html",
        b"/away/site-secret/",
        b"//etc/passwd",
        b"/%00",
        b"/index.html%00.css",
        b"http://localhost/../secret.html",
        b"/" + b"a" * 5000,
    ],
)
def test_no_path_leaves_the_site(ask: Ask, path: bytes) -> None:
    answer = ask(get(path))

    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]
    assert b"root:" not in answer


def test_a_folder_that_is_asked_for_with_two_slashes_leads_to_no_other_host(ask: Ask) -> None:
    assert b"Location: /models/\r\n" in ask(get(b"//models"))


@pytest.mark.parametrize(
    "host", [b"evil.example", b"localhost.evil.example", b"127.0.0.1.evil.example:80", b"", b"0.0.0.0"]
)
def test_a_request_under_another_name_is_refused(ask: Ask, host: bytes) -> None:
    assert ask(get(b"/", host)).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"A" * 200_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500,
    ],
)
def test_what_is_no_request_ends_nothing(ask: Ask, request_: bytes) -> None:
    try:
        answer = ask(request_)
    except ConnectionError:  # it hung up before all was sent
        answer = b""

    assert b"the index" not in answer
    assert ask(get(b"/")).endswith(b"the index")


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE"])
def test_nothing_but_reading_is_answered(ask: Ask, method: bytes) -> None:
    assert ask(get(b"/").replace(b"GET", method)).startswith(b"HTTP/1.1 501 ")


def test_only_this_machine_is_listened_to(tmp_path: Path) -> None:
    server = listening(0, tmp_path)
    address = server.server_address[0]
    server.server_close()

    assert address == "127.0.0.1"
