"""What ZeroGPU says when it lends no GPU, as one sentence for the person."""

from __future__ import annotations

import re


def refused(error: Exception) -> str | None:
    """Return one sentence for a GPU that was not granted, or None for any other error.

    ZeroGPU's errors are Gradio's, with a title and, after a used-up quota, the time to wait.
    """
    title, text = str(getattr(error, "title", "")), str(getattr(error, "message", error))
    wait = re.search(r"Try again in ([\d:]+(?: days?, [\d:]+)?)", text)
    if "quota" in title or "credits" in title:
        when = f" in {_spoken(wait.group(1))}" if wait else " later"
        return (
            f"Your GPU time on Hugging Face is used up; continue the run{when}, or log in there "
            "for more."
        )
    if "illegal duration" in title:
        return "ZeroGPU lends no GPU for so long; give the run a shorter time."
    if "queue timeout" in title or "No GPU was available" in text:
        return "No GPU was free just now; continue the run in a minute."
    if "client error" in title or "Connection closed by visitor" in text:
        return "The GPU could not be asked for; reload the page and continue the run."
    return None


def seconds_left(error: Exception) -> int | None:
    """Return what is left of a quota that was too small for the lease asked for."""
    found = re.search(r"vs\. (\d+)s left", str(getattr(error, "message", "")))
    return int(found.group(1)) if found else None


def _spoken(wait: str) -> str:
    hours, minutes, seconds = ([0, 0] + [int(p) for p in re.findall(r"\d+", wait)])[-3:]
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
