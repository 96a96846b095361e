"""Stands in for torch, of which guidellm 0.8 uses only an iterator over the prompts of a file, in its main process.

The real one brings 3 GB of CUDA wheels; `VERSUS_TORCH=1 scripts/versus/run.sh` installs that instead.
"""

from torch import nn, utils  # noqa: F401
from torch.utils import data as _data  # noqa: F401  (reached as torch.utils.data)


class Generator:
    def manual_seed(self, seed):
        return self


class Tensor:
    """Named by the data set library when it hashes an object; nothing here is one."""
