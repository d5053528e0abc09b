"""Run the command line: `python -m garage_like`."""

from garage_like.cli import main

if __name__ == "__main__":
    main(prog_name="garage-like")
