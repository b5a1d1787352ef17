"""Distributions of PyTorch as their parameters by name; torch is loaded where one is given, and then it is already."""

from __future__ import annotations

from capacity.runtime.tables.foreign import is_of


def parameters_of(output: object) -> object:
    """A distribution as means and deviations or covariances, or as probabilities; all else as it is.

    Raises:
        ValueError: for a distribution that is of another kind.
    """
    if not is_of(output, "torch.distributions"):
        return output
    import torch
    from torch import distributions as laws

    if isinstance(output, laws.Independent):
        return parameters_of(output.base_dist)
    if isinstance(output, laws.Normal):
        return {"means": output.loc, "stds": output.scale}
    if isinstance(output, laws.MultivariateNormal | laws.LowRankMultivariateNormal):
        return {"means": output.loc, "covariances": output.covariance_matrix}
    if isinstance(output, laws.Categorical | laws.OneHotCategorical):
        return {"probs": output.probs}
    if isinstance(output, laws.Bernoulli):
        return {"probs": torch.stack([1 - output.probs, output.probs], -1)}
    raise ValueError(
        "Expected a Normal, MultivariateNormal, Categorical, OneHotCategorical or Bernoulli, or one of these in "
        f"Independent; got {type(output).__name__}. Give its parameters by name: encode=lambda x: {{...}}."
    )
