from typing import Generic, TypeVar

T = TypeVar("T")


class DataLoader(Generic[T]):
    def __init__(self, dataset, batch_size=1, collate_fn=lambda batch: batch, **_settings):
        self.dataset, self.collate_fn = dataset, collate_fn

    def __iter__(self):
        for item in self.dataset:
            yield self.collate_fn([item])
