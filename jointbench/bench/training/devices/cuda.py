"""A GPU of NVIDIA's, or one that torch treats as such."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor

from jointbench.bench.training.devices.accelerator import Accelerator, AcceleratorMemory
from jointbench.bench.training.memory import DeviceMemory


class Cuda(Accelerator):
    """cuDNN looks for the quickest kernels, and fp32 is true fp32."""

    kind = "cuda"
    records = True

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(self.torch)

    @property
    def identity(self) -> str:
        return str(torch.cuda.get_device_properties(self.torch).uuid)

    def memory(self, limit: int | None) -> DeviceMemory:
        return CudaMemory(self, limit)

    def prepare(self) -> None:
        super().prepare()
        # All batches of a training have one shape, so the search for the quickest kernels pays.
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False

    @contextmanager
    def first_kernels(self) -> Iterator[None]:
        """A search for the quickest kernels takes longer than the few batches of a shape."""
        searching = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = False
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = searching

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        # Other threads may ask the device for something meanwhile: this process's Dask worker has some.
        with torch.cuda.graph(graph, stream=self._recording, capture_error_mode="thread_local"):
            work()
        replay: Callable[[], None] = graph.replay
        return replay

    def beside_recordings(self, work: Callable[[], Tensor]) -> Tensor:
        """On the stream that records: what autograd has made on the default stream cannot be recorded."""
        self._recording.wait_stream(torch.cuda.current_stream(self.torch))
        with torch.cuda.stream(self._recording):
            result = work()
        torch.cuda.current_stream(self.torch).wait_stream(self._recording)
        return result

    @cached_property
    def _recording(self) -> torch.cuda.Stream:
        return torch.cuda.Stream(self.torch)


class CudaMemory(AcceleratorMemory):
    """Its allocator keeps the limit."""

    def __init__(self, device: Cuda, limit: int | None) -> None:
        super().__init__(device, limit)
        share = 1.0 if limit is None else limit / device.total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, share), device.index)
