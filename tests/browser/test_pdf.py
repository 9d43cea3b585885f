"""A page of a site as a PDF file."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT, SmallSite

TEMPLATES = "```figure\nid: t{}\nkind: templates\nmodel: tiny-linear\nclasses: ['{}']\n```\n"


def test_a_page_is_printed_with_all_its_pictures(small_site: SmallSite) -> None:
    figures = ("Words.\n\n" * 200).join(TEMPLATES.format(one, one) for one in range(3))
    small_site.post(f"---\ntitle: A post\ndate: 2026-01-02\n---\n\n{figures}")
    small_site.build()
    command = "from generator.cli import main; main(['export', 'a', '--pdf', 'a.pdf'])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    printed = (small_site.folder / "a.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Subtype /Image") == 3
    assert done.stdout == f"wrote a.pdf: {len(printed):,} bytes\n"
