"""Tab in bash, for names with spaces, brackets and equals signs, as runs and columns have them.

click hands such names to bash as they are; there a space ends a word, and so does an equals sign.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

_QUOTES = "'\""
_SPECIAL = re.compile(r"""([\s"'\\$`!&;|<>(){}\[\]*?#~^])""")
_ENDS_A_WORD = re.compile(r".*[=:@]", re.DOTALL)
"""What bash takes for the end of a word, beside what is written with a backslash anyway."""


@add_completion_class
class Bash(BashComplete):
    """Read the line as it was typed, and write names as they have to be typed."""

    source_template = """\
%(complete_func)s() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            dir,*) compopt -o dirnames ;;
            file,*) compopt -o default ;;
            plain,*) COMPREPLY+=("${line#plain,}") ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one at the cursor, and what there is of that."""
        line = os.environ["COMP_LINE"]
        reader: Any = shlex.shlex(line, posix=True)
        reader.whitespace_split, reader.commenters = True, ""
        words: list[str] = []
        self._quote = ""
        try:
            words.extend(reader)
        except ValueError:  # a quote that is open, or a backslash at the end
            words.append(reader.token)
            self._quote = str(reader.state) if str(reader.state) in _QUOTES else ""
        else:
            if line[-1:].isspace() and not line.endswith("\\ "):
                words.append("")
        self._typed = words[-1]
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the name from the last word on that bash sees, written so that it is one."""
        value = str(item.value)
        if item.type == "plain" and not self._quote:
            typed = self._typed
            if typed.startswith("--") and "=" in typed and not value.startswith("--"):
                typed = typed.partition("=")[2]
            before = _ENDS_A_WORD.match(typed)
            value = _SPECIAL.sub(r"\\\1", value[before.end() if before else 0 :])
        return f"{item.type},{value}"
