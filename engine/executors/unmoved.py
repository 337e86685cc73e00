"""Imported by the fork server alone: it and its workers outlive a SIGTERM.

A service manager ends a whole group of processes at once; the server saves the runs first, for
which it needs its workers, and then ends them itself. They die with it in any case.
"""

from __future__ import annotations

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
