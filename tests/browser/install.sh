#!/bin/sh
# A browser for the tests: Debian's, of which that without windows is three times as fast, else the one that is there,
# else the one that Playwright brings.
has() { command -v "$1" >/dev/null 2>&1; }
has chromium-headless-shell && exit 0
if has apt-get && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq chromium chromium-headless-shell >/dev/null && exit 0
fi
has chromium || has chromium-browser || has google-chrome || .venv/bin/python -m playwright install chromium
