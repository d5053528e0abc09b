"""`garage-like ui`: runs in a browser."""

from __future__ import annotations

import importlib.util
import tempfile
import webbrowser
from pathlib import Path

import click

from garage_like.cli import printing
from garage_like.errors import install_hint

_NEEDED = ("starlette", "uvicorn", "jinja2")


@click.command(epilog="Example: garage-like ui data/local --no-browser")
@click.argument("root", default="data/local", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; a free one if 0.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@printing.json_option
def ui(root: Path, port: int, no_browser: bool, as_json: bool) -> None:
    """Show the runs below ROOT (data/local) in a browser.

    The page is served to this machine alone, and to whoever has the token in its address. Runs are
    read as data, nothing of them runs; the page can tag, note, pin and branch.
    """
    if not root.is_dir():
        raise click.ClickException(f"{root}: no such directory; expected a folder that holds runs")
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise click.ClickException(f"ui: {missing[0]} is not installed; {install_hint('ui')}")
    from garage_like.ui.app import serve

    def ready(address: str) -> None:
        if as_json:
            printing.print_json({"address": address, "root": str(root)})
        else:
            printing.echo(f"{root} is shown at\n  {address}\nCtrl-C ends it")
        if not no_browser:
            opener.write_text(f'<meta http-equiv="refresh" content="0; url={address}">')
            webbrowser.open(opener.as_uri())

    try:
        # The browser is told by a file, since all users of the machine see arguments of a process.
        with tempfile.TemporaryDirectory() as folder:
            opener = Path(folder) / "open.html"
            serve(root, port, ready)
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror or error}") from error
