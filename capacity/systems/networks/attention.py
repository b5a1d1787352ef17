"""Transformers: tokens that look at one another by attention (Vaswani et al. 2017), norms before the blocks.

Tokens are numbers of a sequence or patches of an image (Dosovitskiy et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
from flax import nnx
from jax import lax

from capacity.runtime.whole import whole
from capacity.systems.networks.causal import CausalBits
from capacity.systems.networks.network import BuildMessage
from capacity.systems.networks.residual import ResidualBlock, TwoLayers
from capacity.systems.networks.tokens import TokenNetwork, TokenStack
from capacity.training.precision import product

if TYPE_CHECKING:
    from synthetic.source import Source


def flat_product(
    x: jax.Array, kernel: jax.Array, axes: lax.DotDimensionNumbers, precision: lax.PrecisionLike = None, **_: object
) -> jax.Array:
    """`product` for the kernels of an attention layer, which have an axis of heads.

    Args:
        x: inputs; its last axes are summed over.
        kernel: its first axes are.
        axes: which, as `lax.dot_general` has it.
        precision: of the product.
    """
    summed = len(axes[0][0])
    rows = x.reshape(*x.shape[: x.ndim - summed], -1)
    found = product(rows, kernel.reshape(rows.shape[-1], -1), precision=precision)
    return found.reshape(*rows.shape[:-1], *kernel.shape[summed:])


class SelfAttention(nnx.Module):
    """Multi-head attention of tokens (n, width) to one another, or each to those before it and itself."""

    def __init__(self, width: int, heads: int, causal: bool, rngs: nnx.Rngs):
        self.causal = causal
        self.attention = nnx.MultiHeadAttention(
            heads,
            width,
            heads * -(-width // heads),
            decode=False,
            out_kernel_init=nnx.initializers.zeros_init(),
            qkv_dot_general=flat_product,
            out_dot_general=flat_product,
            rngs=rngs,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """Of the shape of x, (n, width)."""
        found: jax.Array = self.attention(x, is_causal=self.causal)
        return found


class Transformer(TokenStack):
    """Learnt places, then for each width a block of attention and one of two layers.  (n, stream) -> (n, stream)."""

    def __init__(
        self, count: int, widths: Sequence[int], heads: int, activation: str, rngs: nnx.Rngs, *, causal: bool = False
    ):
        stream = widths[0]
        self.places = nnx.Param(jax.random.normal(rngs.params(), (count, stream)))
        inner = [
            kind
            for width in widths
            for kind in (SelfAttention(stream, heads, causal, rngs), TwoLayers(stream, width, activation, rngs))
        ]
        self.blocks = nnx.List([ResidualBlock(stream, one, rngs) for one in inner])
        self.norm = nnx.LayerNorm(stream, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """All tokens of one item."""
        h = x + self.places[...]
        for block in self.blocks:
            h = block(h)
        found: jax.Array = self.norm(h)
        return found


@dataclass(frozen=True)
class AttentionNetwork(TokenNetwork):
    """A transformer over tokens; `widths` are those of its blocks, the stream has the first.

    Attributes:
        patch, layout: as in `TokenNetwork`.
        heads: of an attention layer.
        causal: decode a message by a transformer over its digits, instead of a masked perceptron.

    Raises:
        ValueError: for a patch or heads below 1.
    """

    heads: int = 4
    causal: bool = False
    name = "attention"
    summary = "transformer over the numbers of a sequence or the patches of an image"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(self.heads, "heads", most=None)

    def message(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> BuildMessage:
        if not (self.causal and source.discrete and widths):
            return super().message(source, inputs, widths, activation)
        digits = source.message_dim

        def build(rngs: nnx.Rngs) -> CausalBits:
            stack = Transformer(digits, widths, self.heads, activation, rngs, causal=True)
            return CausalBits(inputs, digits, self.ends(widths), stack, rngs)

        return build

    def stack(self, count: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs) -> Transformer:
        """(count, stream) -> (count, stream)."""
        return Transformer(count, widths, self.heads, activation, rngs)
