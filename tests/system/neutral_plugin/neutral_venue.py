"""A stranger's plugin that offers the neutral connector; its folder is put on the path."""

from fairlead import hookimpl
from fairlead.api import Registry
from fairlead.testing.neutral import offer_neutral


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the connector ``neutral``."""
    offer_neutral(registry)
