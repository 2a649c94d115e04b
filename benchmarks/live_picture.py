"""Draw the live view of the demo as it stands at one moment.

From the repository root, in the project's environment::

    python -m benchmarks.live_picture 20:20 docs/images/live-view.svg
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fairlead.cli.config import configured
from fairlead.cli.live import LiveState, live_svg
from fairlead.cli.picture import Picture
from fairlead.cli.run import new_session
from fairlead.kernel import Session, SessionOptions, SystemProcess

__all__ = ["demo_at", "main"]

ROOT = Path(__file__).resolve().parents[1]
_SECOND = 1_000_000_000
# What `make run` on a terminal takes it down to.
_PACE = 60.0


def demo_at(second: int) -> LiveState:
    """Run the demo of the repository, not held back, and look at it that long after its start."""
    seen: list[LiveState] = []
    found = configured(Path("plugins.toml"), ())
    process = SystemProcess(found.settings.store_path.parent)
    session = new_session(found, process, SessionOptions(for_ns=(second + 5) * _SECOND))
    picture = Picture(session)

    async def look(session: Session) -> None:
        await session.clock.sleep_ns(second * _SECOND)
        seen.append(picture.state())

    session.run(look)
    return replace(seen[0], speed=_PACE, length_ns=1800 * _SECOND)


def main(moment: str, target: Path) -> None:
    """Look at the demo at ``moment``, minutes and seconds, and write the picture."""
    minutes, seconds = moment.split(":")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())
        os.chdir(folder)
        try:
            state = demo_at(int(minutes) * 60 + int(seconds))
        finally:
            with suppress(OSError):
                os.chdir(before)
    # Without the remark of the library that draws it: pictures here name no other site.
    svg = re.sub(r"\s*<!--.*?-->", "", live_svg(state, title="make run"), flags=re.DOTALL)
    target.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
