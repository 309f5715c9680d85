"""Names in model.py: what a layer brings and what reads the data must not mean different things by one."""

from __future__ import annotations

import pytest

from archwise.errors import SpaceError
from archwise.model_file import _refuse_clashes

DATA = "import json\nimport numpy as np\nfrom pathlib import Path\n\ndef preprocess(data):\n    return np.array(data)\n"


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("def preprocess():\n    pass\n", "preprocess"),
        ("class Path:\n    pass\n", "Path"),
        ("np = 3\n", "np"),
        ("from toolkit import preprocess\n", "preprocess"),
        ("import jax.numpy as np\n", "np"),
        ("from mine import Path\n", "Path"),
    ],
)
def test_one_name_for_two_things_is_refused(network: str, name: str) -> None:
    with pytest.raises(SpaceError, match=f"'{name}' has the name of another part"):
        _refuse_clashes(network, [DATA])


def test_the_same_import_on_both_sides_is_none() -> None:
    _refuse_clashes("import json\nimport numpy as np\nfrom pathlib import Path\n\ndef helper():\n    pass\n", [DATA])
