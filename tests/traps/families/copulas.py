"""Copulas with tail dependence under several margins: Clayton, Gumbel, Frank, Joe, Student (Nelsen 2006; Joe 2014).

X has a uniform law and Y is drawn from the conditional law, or both from a shared frailty (Marshall & Olkin 1988).
Information is the mean of the log copula density, by the trapezoid rule over normal scores of both sides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special, stats

from tests.traps.laws.law import Draw, Law, Truth, beside
from tests.traps.task import Task

FAMILY = "copulas"
TINY = 1e-15
LogDensity = Callable[[np.ndarray, np.ndarray], np.ndarray]


def copula(draw: Draw, log_density: LogDensity) -> Law:
    """`draw` gives uniform numbers (n, 1); `log_density` takes and gives (n,), nats."""

    def truth() -> Truth:
        scores = np.linspace(-7.5, 7.5, 3001)
        masses, places = stats.norm.pdf(scores) * (scores[1] - scores[0]), special.ndtr(scores)
        total = 0.0
        for start in range(0, len(places), 300):
            part = slice(start, start + 300)
            log = log_density(places[part, None], places[None, :])
            total += float(masses[part] @ (np.exp(log) * log) @ masses)
        return Truth(total / np.log(2.0), 0.0, "quadrature")

    def inside(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        u, v = draw(random, n)
        return np.clip(u, TINY, 1 - TINY), np.clip(v, TINY, 1 - TINY)

    return Law(inside, lambda u, v: log_density(u[:, 0], v[:, 0]) / np.log(2.0), truth)


def clayton(theta: float) -> Law:
    """Dependence in the lower tail, by a gamma frailty."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        frailty = random.gamma(1.0 / theta, size=(n, 1))
        return tuple((1.0 + random.exponential(size=(n, 1)) / frailty) ** (-1.0 / theta) for _ in range(2))

    def log_density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        log_u, log_v = np.log(u), np.log(v)
        total = np.logaddexp(np.logaddexp(-theta * log_u, -theta * log_v), 0.0)  # of u^-theta + v^-theta + 1
        total += np.log1p(-2.0 * np.exp(-total))
        return np.log1p(theta) - (1.0 + theta) * (log_u + log_v) - (2.0 + 1.0 / theta) * total

    return copula(draw, log_density)


def gumbel(theta: float) -> Law:
    """Dependence in the upper tail, by a positive stable frailty (Chambers, Mallows & Stuck 1976)."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        alpha, angle, wait = 1.0 / theta, np.pi * random.uniform(size=(n, 1)), random.exponential(size=(n, 1))
        frailty = np.sin(alpha * angle) / np.sin(angle) ** theta
        frailty *= (np.sin((1.0 - alpha) * angle) / wait) ** (theta - 1.0)
        return tuple(np.exp(-((random.exponential(size=(n, 1)) / frailty) ** alpha)) for _ in range(2))

    def log_density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = -np.log(u), -np.log(v)
        log_sum = np.logaddexp(theta * np.log(a), theta * np.log(b))
        root = np.exp(log_sum / theta)
        log = -root + a + b + (theta - 1.0) * (np.log(a) + np.log(b)) + (2.0 / theta - 2.0) * log_sum
        return log + np.log1p((theta - 1.0) / root)

    return copula(draw, log_density)


def frank(theta: float) -> Law:
    """No dependence in the tails, by the conditional law."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        u, w = random.uniform(size=(2, n, 1))
        return u, -np.log1p(w * np.expm1(-theta) / (w + (1.0 - w) * np.exp(-theta * u))) / theta

    def log_density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        rest = -np.expm1(-theta)
        below = rest - np.expm1(-theta * u) * np.expm1(-theta * v)
        return np.log(theta * rest) - theta * (u + v) - 2.0 * np.log(below)

    return copula(draw, log_density)


def joe(theta: float) -> Law:
    """Strong dependence in the upper tail; Y by bisection of the conditional law."""

    def log_density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = (1.0 - u) ** theta, (1.0 - v) ** theta
        total = a + b - a * b
        log = (1.0 / theta - 2.0) * np.log(total) + (theta - 1.0) * (np.log1p(-u) + np.log1p(-v))
        return log + np.log(theta - 1.0 + total)

    def conditional(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = (1.0 - u) ** theta, (1.0 - v) ** theta
        return (a + b - a * b) ** (1.0 / theta - 1.0) * (1.0 - u) ** (theta - 1.0) * (1.0 - b)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        u, wanted = random.uniform(size=(2, n, 1))
        low, high = np.zeros((n, 1)), np.ones((n, 1))
        for _ in range(60):
            middle = 0.5 * (low + high)
            below = conditional(u, middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return u, 0.5 * (low + high)

    return copula(draw, log_density)


def student(rho: float, freedom: float) -> Law:
    """Dependence in all corners."""
    law = stats.t(freedom)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        a, b = random.normal(size=(2, n, 1))
        shared = np.sqrt(random.chisquare(freedom, size=(n, 1)) / freedom)
        return law.cdf(a / shared), law.cdf((rho * a + np.sqrt(1 - rho**2) * b) / shared)

    def log_density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = law.ppf(u), law.ppf(v)
        form = (a**2 - 2 * rho * a * b + b**2) / (1 - rho**2)
        joint = stats.multivariate_t([0, 0], np.eye(2), freedom).logpdf([0, 0]) - 0.5 * np.log(1 - rho**2)
        return joint - 0.5 * (freedom + 2) * np.log1p(form / freedom) - law.logpdf(a) - law.logpdf(b)

    return copula(draw, log_density)


def cauchy(u: np.ndarray) -> np.ndarray:
    """Uniform numbers with Cauchy's margins."""
    return -1.0 / np.tan(np.pi * u)


def pareto(u: np.ndarray) -> np.ndarray:
    """Uniform numbers with Pareto's margins, tail exponent 1."""
    return 1.0 / (1.0 - u)


def tasks() -> list[Task]:
    """The family."""
    scores = special.ndtri
    return [
        Task("clayton-2-normal", FAMILY, clayton(2.0), scores, scores),
        Task("clayton-6-cauchy", FAMILY, clayton(6.0), cauchy, cauchy),
        Task("gumbel-3-normal", FAMILY, gumbel(3.0), scores, scores),
        Task("gumbel-1.5-pareto", FAMILY, gumbel(1.5), pareto, pareto),
        Task("frank-8-uniform", FAMILY, frank(8.0)),
        Task("joe-4-normal", FAMILY, joe(4.0), scores, scores),
        Task("student-copula-.5-2-normal", FAMILY, student(0.5, 2.0), scores, scores),
        Task("student-copula-0-1.5-cauchy", FAMILY, student(0.0, 1.5), cauchy, cauchy),
        Task("copulas-of-3-columns", FAMILY, beside(clayton(3.0), gumbel(2.0), frank(5.0)), scores, scores),
    ]
