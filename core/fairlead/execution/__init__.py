"""Work admitted plans step by step: executors are pure state machines."""

__all__: list[str] = []
