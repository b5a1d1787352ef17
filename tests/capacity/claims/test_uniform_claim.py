"""Pi plus noise: counted bits of coarse and fine digits against the closed form for a triangle of noise."""

from __future__ import annotations

import jax
import numpy as np

from capacity.claims.noise.digits_of_pi import LEVELS, NOISE, _noise


def test_digits_past_the_third_add_what_the_closed_form_says() -> None:
    found = _noise(jax.random.key(0), 2**16, 20_000)
    beyond = found["beyond"]
    # h(U(0, w) + U(-e, e)) = ln 2e + w / 4e nats: at w = e = 0.01 a quarter of a nat is all that is left.
    truth = 0.25 / np.log(2)
    assert abs(beyond.mean() - truth) < 4 * beyond.std() / np.sqrt(beyond.size) + 0.01
    kept = found["density"][LEVELS.index(NOISE)].mean() / np.log2(10)
    assert abs(kept - 2.6994) < 0.01
