"""Serve simulated venues to real sockets on this machine: ``python -m fairlead.testing.serve``.

Loads a web server, so nothing else imports it.
"""

from fairlead.testing.serve.desk import AdminDesk
from fairlead.testing.serve.host import LoopbackHost

__all__ = ["AdminDesk", "LoopbackHost"]
