#!/bin/sh
# A browser for the tests, where none is installed: Debian's own, else the one that Playwright brings.
set -e
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null
else
    .venv/bin/python -m playwright install chromium
fi
