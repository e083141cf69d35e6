"""One process or many, under `torchrun`.

Gradients are added up by one `all_reduce` of a flat buffer after the backward pass. `DistributedDataParallel` would
overlap that with the backward pass, but it hooks `forward`, of which a family has many (one a player, none of them
`forward`), and it must be told of parameters that a player leaves alone. This is 20 lines, knows nothing of the family,
and leaves the same bits on every process. Sharding (FSDP2) would hook the networks inside a family and replace `add`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lienzo.core import ConfigurationError

_MEETINGS = itertools.count()  # of this process: a run of several stages meets for each


@dataclass
class Team:
    """The processes of one run. A single process is a team of one, for which every call here does nothing.

    Attributes:
        rank: this process, from 0.
        size: how many there are.
        local: this process's number on its machine, and of its GPU.
        device: where it computes.
    """

    rank: int
    size: int
    local: int
    device: torch.device
    _opened: bool = False

    @classmethod
    def join(cls, device: str = "auto") -> Team:
        """Read torchrun's environment and meet the others.

        Raises:
            ConfigurationError: for a device that this machine does not have.
        """
        rank, local = (int(os.environ.get(name, "0")) for name in ("RANK", "LOCAL_RANK"))
        size = int(os.environ.get("WORLD_SIZE", "1"))
        team = cls(rank, size, local, _device(device, local))
        if size > 1 and not dist.is_initialized():
            _meet("nccl" if team.device.type == "cuda" else "gloo")
            team._opened = True
        return team

    @classmethod
    def alone(cls, device: str = "auto") -> Team:
        """Return a team of this process only, whatever the environment says."""
        return cls(0, 1, 0, _device(device, int(os.environ.get("LOCAL_RANK", "0"))))

    def leave(self) -> None:
        """Part from the others, if `join` met them."""
        if self._opened:
            dist.destroy_process_group()
            self._opened = False

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    def share(self, rows: int) -> tuple[int, int]:
        """Return which rows start..stop of a batch are this process's."""
        return rows * self.rank // self.size, rows * (self.rank + 1) // self.size

    def add(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace every gradient by the sum over processes."""
        if self.size == 1:
            return
        self._sum([p.grad for p in parameters if p.grad is not None])

    @torch.no_grad()
    def average(self, buffers: Sequence[Tensor]) -> None:
        """Replace floating buffers (running statistics, a codebook's sums) by their means over processes.

        In double precision, where the mean of equal numbers is that number: constants stay what they are.
        """
        if self.size == 1:
            return
        floating = [b for b in buffers if b.is_floating_point()]
        wide = [b.double() for b in floating]
        self._sum(wide)
        for buffer, summed in zip(floating, wide, strict=True):
            buffer.copy_(summed / self.size)

    def _sum(self, tensors: Sequence[Tensor]) -> None:
        for kind in sorted({t.dtype for t in tensors}, key=str):
            part = [t for t in tensors if t.dtype == kind]
            flat = torch.cat([t.reshape(-1) for t in part])
            dist.all_reduce(flat)
            for tensor, summed in zip(part, flat.split([t.numel() for t in part]), strict=True):
                tensor.copy_(summed.view_as(tensor))

    def total(self, values: Sequence[float]) -> list[float]:
        """Return the sums over processes."""
        return self._reduce(values, torch.float64, dist.ReduceOp.SUM) if self.size > 1 else list(values)

    def largest(self, values: Sequence[int]) -> list[int]:
        """Return the largest over processes, one by one: how they agree on what only some of them know."""
        if self.size == 1:
            return list(values)
        return [int(v) for v in self._reduce(values, torch.int64, dist.ReduceOp.MAX)]

    def tell(self, thing: object) -> object:
        """Return what the first process says, on every process; `thing` must be plain data."""
        if self.size == 1:
            return thing
        box = [thing]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def copy(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite tensors with those of the first process."""
        for tensor in tensors if self.size > 1 else ():
            held = tensor.detach().to(self.device).contiguous()
            dist.broadcast(held, src=0)
            with torch.no_grad():
                tensor.copy_(held)

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()

    def _reduce(self, values: Sequence[float], dtype: torch.dtype, how: dist.ReduceOp.RedOpType) -> list[float]:
        held = torch.tensor(list(values), dtype=dtype, device=self.device)
        dist.all_reduce(held, op=how)
        return held.tolist()


def _meet(backend: str) -> None:
    """Open the process group. Every meeting of a team has a name of its own, and so has a team that was started again.

    torchrun keeps its store for as long as it runs; the addresses of an earlier meeting would still be found there.
    """
    from torch.distributed import PrefixStore, rendezvous  # pyright: ignore[reportPrivateImportUsage]

    store, rank, size = next(iter(rendezvous("env://")))
    name = f"lienzo/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{next(_MEETINGS)}"
    dist.init_process_group(backend, store=PrefixStore(name, store), rank=rank, world_size=size)


def _device(name: str, local: int) -> torch.device:
    """Return the device that a setting means."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigurationError(f"unknown device {name!r}", hint="auto, cpu, cuda or cuda:1") from None
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ConfigurationError(f"device {name!r}: this machine has no usable CUDA GPU", hint="device auto or cpu")
        device = device if ":" in name else torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device
