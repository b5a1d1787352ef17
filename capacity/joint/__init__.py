"""M -> X -> U -> Z as one pytree: a source, an encoder and a channel, or several layers of them.

`encoders` takes any callable as an encoder, `table` lists the codes of one that JAX cannot trace.
"""

from capacity.joint.joint import Joint
from capacity.joint.stack import Layer, Stack

__all__ = ["Joint", "Layer", "Stack"]
