"""A server for the author's eyes: it builds, serves, builds again when something changed, and reloads the browser.

Only this machine is answered, and only under a name of its own, so that no page from elsewhere can read the site. What
makes the browser reload is put into pages as they are sent, and is in no file. Where a build fails, its errors stand
over the last page that was well.
"""

from __future__ import annotations

import functools
import html
import http.server
import json
import re
import signal
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from generator.lock import locked
from generator.pipeline import Outcome, Stage
from generator.rounds import Asked, Failed, in_process
from generator.spec import shown
from generator.watching import InPlace, Watcher

PAUSE, SHARE = 0.03, 0.2  # seconds between two looks at the files, and the share of the time that these may take
BEAT = 10.0  # seconds after which a silent connection is spoken to, so that one that is gone is noticed
PORTS = 20  # that are tried, one after the other
POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(">)')
ADDRESS = "/-whatfires/"  # of what the server itself says
SCRIPT = """(() => {
  "use strict";
  const news = new EventSource("/-whatfires/news");
  let own = Number(document.currentScript.dataset.number); // of the build that the page was sent from
  news.onmessage = (event) => {
    const { number, errors, busy } = JSON.parse(event.data);
    document.querySelector("whatfires-notice")?.remove();
    if (errors.length || busy) {
      const box = document.createElement("whatfires-notice");
      box.setAttribute("role", errors.length ? "alert" : "status");
      for (const line of errors.length ? errors : [busy]) {
        const row = document.createElement("p");
        row.textContent = line;
        box.append(row);
      }
      document.body.append(box);
    }
    if (number !== own) show();
    own = number;
  };

  // A page of words alone is exchanged as it stands, in a third of the time; where scripts work it is loaded anew.
  async function show() {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = (one) => [...one.querySelectorAll("script, link, header.site-header")];
    const frame = (one) => parts(one).map((tag) => tag.textContent + tag.src + tag.href).join();
    const scripts = document.querySelectorAll("script[src]").length - 1; // ours
    const now = document.querySelector("main");
    const next = page.querySelector("main");
    if (!answer.ok || !now || !next || scripts > 1 || frame(document) !== frame(page)) {
      location.reload();
      return;
    }
    document.title = page.title;
    now.replaceWith(next);
  }
})();
"""
STYLE = """whatfires-notice { position: fixed; z-index: 99; inset: auto 0 0 0; max-height: 60vh; overflow: auto;
  padding: 0.8rem 1.2rem; border-top: 4px solid #b2302a; background: #1d2025; color: #fff;
  font: 0.9rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
whatfires-notice[role="status"] { border-color: #2166ac; }
whatfires-notice p { margin: 0 0 0.3rem; }
"""
TAGS = (
    f'<link rel="stylesheet" href="{ADDRESS}style.css">'
    f'<script src="{ADDRESS}script.js" data-number="{{}}"></script></head>'
)
WAITING = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Whatfires</title><head></head><body><h1>{}</h1></body>"
)


class News:
    """What browsers are told: the number of the site that they should show, and what is wrong with a newer one."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.number = 0
        self.errors: tuple[str, ...] = ()
        self.busy = "The first build is at work…"

    def tell(self, number: int, errors: tuple[str, ...] = (), busy: str = "") -> None:
        with self.changed:
            self.number, self.errors, self.busy = number, errors, busy
            self.changed.notify_all()

    def state(self) -> str:
        return json.dumps({"number": self.number, "errors": self.errors, "busy": self.busy})


class Handler(http.server.SimpleHTTPRequestHandler):
    """Sends the files of the site, never from a cache; pages with what makes them reload."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *given: Any, news: News | None, **more: Any) -> None:
        self.news = news
        super().__init__(*given, **more)

    def do_GET(self) -> None:
        if not self.is_for_us():
            return
        path = self.path.partition("?")[0]
        if path == f"{ADDRESS}news" and self.news:
            self.send_news(self.news)
        elif path == f"{ADDRESS}script.js":
            self.send(SCRIPT.encode(), "text/javascript")
        elif path == f"{ADDRESS}style.css":
            self.send(STYLE.encode(), "text/css")
        else:
            self.send_from_site(path)

    def do_HEAD(self) -> None:
        self.do_GET()

    def is_for_us(self) -> bool:
        """Whether the request names this machine; one from a page elsewhere leads here by a name of its own."""
        name = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host")
        if name in ("localhost", "127.0.0.1", "[::1]"):
            return True
        self.send(b"Only localhost is answered here.\n", "text/plain", HTTPStatus.FORBIDDEN)
        return False

    def send_from_site(self, path: str) -> None:
        number = self.news.number if self.news else 0  # before the file is read: it may be exchanged meanwhile
        file = self.file_at(path)
        if file is not None and file.is_dir() and not path.endswith("/"):
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", f"/{path.lstrip('/')}/")  # two slashes would lead to another host
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        file = file / "index.html" if file is not None and file.is_dir() else file
        status = HTTPStatus.OK
        if file is None or not file.is_file():
            file, status = Path(self.directory) / "404.html", HTTPStatus.NOT_FOUND
        try:
            content = file.read_bytes()
        except OSError:
            said = "There is no such page yet." if self.news and self.news.number == 0 else "There is no such page."
            content, status = WAITING.format(html.escape(said)).encode(), HTTPStatus.NOT_FOUND
            file = Path("waiting.html")
        if file.suffix == ".html" and self.news:
            content = with_news(content.decode("utf-8", "replace"), number).encode()
        self.send(content, self.guess_type(str(file)), status)

    def file_at(self, path: str) -> Path | None:
        """What a path names in the folder; None where it leads out, by a link or otherwise."""
        try:
            file = Path(self.translate_path(path))
            sent = file / "index.html" if file.is_dir() else file
            return file if sent.resolve().is_relative_to(Path(self.directory).resolve()) else None
        except (OSError, ValueError):  # such as a zero byte
            return None

    def send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):  # the browser has gone elsewhere
                self.wfile.write(content)

    def send_news(self, news: News) -> None:
        """A stream of events, one at once and one for each change, as long as the browser listens.

        https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        said = ""
        with suppress(OSError):
            while True:
                with news.changed:
                    if news.state() == said:
                        news.changed.wait(BEAT)
                    now = news.state()
                self.wfile.write((f"data: {now}\n\n" if now != said else ": still here\n\n").encode())
                self.wfile.flush()
                said = now

    def log_message(self, format: str, *args: Any) -> None:
        pass  # what is loaded is of no interest; what is built is said


def with_news(page: str, number: int) -> str:
    """A page that reloads when there is a newer one: its own policy lets it ask the site for that."""
    if (policy := POLICY.search(page)) and "connect-src" not in policy[2]:  # of a theme of the author's
        page = POLICY.sub(r"\1\2; connect-src 'self'\3", page, count=1)
    return page.replace("</head>", TAGS.format(number), 1)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a browser that hangs up


def listening(port: int, directory: Path, news: News | None = None) -> Server:
    """A server on a port of this machine, or on the next one that is free."""
    for one in range(port, port + PORTS):
        with suppress(OSError):
            return Server(("127.0.0.1", one), functools.partial(Handler, directory=str(directory), news=news))
    raise OSError(None, f"no free port from {port} to {port + PORTS - 1}", f"localhost:{port}")


def serve(asked: Asked, port: int, say: Callable[[str], None], browser: bool = False) -> None:
    """Build, serve, and build again whenever something changed, until Ctrl-C."""
    with locked(asked.out):
        news = News()
        server = listening(port, asked.out, news)

        def build(asked: Asked, stage: Stage, first: bool) -> Outcome | Failed:
            done = in_process(asked, stage, first, ("generator.warm.pages",))
            if isinstance(done, Failed):
                news.tell(news.number, done.errors)
            else:
                changed = bool(first or done.written or done.removed)
                news.tell(news.number + changed, done.failures)
            return done

        watcher = Watcher(asked, InPlace(asked.out), say, time.monotonic, least=PAUSE, share=SHARE, build=build)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}/"
        say(f"{address} shows {shown(asked.content)} as you write it, drafts too; Ctrl-C stops.")
        if browser:
            webbrowser.open(address)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            while True:
                try:
                    watcher.turn()
                except OSError as problem:  # such as a disk that is full
                    told = f"error: {problem.filename or ''}: {problem.strerror or problem}"
                    watcher.tell((told,), "serving")
                    news.tell(news.number, (told,))
                time.sleep(watcher.pause)
        except KeyboardInterrupt:
            say("stopped.")
        finally:
            server.shutdown()
            server.server_close()


def serve_built(out: Path, port: int, say: Callable[[str], None]) -> None:
    """Serve a site as it was built, until Ctrl-C."""
    server = listening(port, out)
    say(f"http://localhost:{server.server_port}/ (Ctrl-C stops)")
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    say("stopped.")
