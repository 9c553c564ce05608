"""Print what a pyproject.toml depends on, with some of its extras, a line each: requirements.py FILE [EXTRA...]"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
wanted = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in sys.argv[2:])]
print("\n".join(line for lines in wanted for line in lines))
