"""Which passed photos an operator looks at afterwards: the sample that recall is estimated from.

A photo is drawn by its inference id, not by chance, so that a repeated message draws the same photos; the id is a hash
of the upload and the model, so nobody can foresee or choose it. The probability stands on the review: an estimate
weighs each checked photo by its inverse (Horvitz and Thompson, 1952).
"""

import hashlib
from datetime import timedelta

# An audit makes nobody wait, but a figure of last month helps nobody either.
AUDIT_WITHIN = timedelta(days=3)


def is_drawn(inference_id: str, share: float) -> bool:
    """Whether this inference is in the sample of `share` (0 to 1) of all."""
    draw = int.from_bytes(hashlib.sha256(f"audit|{inference_id}".encode()).digest()[:8])
    return draw < share * 2**64
