"""Modules of release 0.1 that are gone, and where what they held is now: "old: new new ...", without `capacity.`."""

from __future__ import annotations

MOVED = """
bits: results.estimate results.intervals
html: results.html
theory.blahut_arimoto: theory.capacity
theory.noise: theory.uniform
theory_training: theory.training
channels.then: channels.chain
channels.numerical: channels.capacity
stack: joint.stack
encoders: joint.encoders
rows: joint.table
training.fit: training.fitting
training.sweep: training.lanes
training.training: training.train
training.noises.langevin: training.noises.langevin_noise
training.noises.minibatch: training.noises.minibatches
models.product: training.precision
models.mlp: systems.networks.mlp
models.decoders: systems.networks.decoders
models: systems.networks
systems.recipe: systems.base
systems.mirrored: systems.antithetic
systems.vae_target: systems.target_vae
handmade: systems.codes
handmade.code: systems.codes.code
handmade.constellation: systems.codes.constellation
handmade.exact: systems.codes.exact
handmade.fsq: systems.codes.fsq
handmade.hamming: systems.codes.hamming
handmade.lloyd_max: systems.codes.lloyd_max
handmade.pam: systems.codes.pam
handmade.pca: systems.codes.pca
handmade.repetition: systems.codes.repetition
handmade.binary_linear: systems.codes.binary_linear
bounds.measure: bounds.measurement bounds.annealed.bracket bounds.annealed.sampler bounds.annealed.controlled_bounds
bounds.enumeration: bounds.exact.enumeration bounds.exact.sample bounds.exact.rate bounds.exact.units
bounds.listed: bounds.exact.listing bounds.exact.densities bounds.exact.tiles
bounds.decoder: bounds.variational.decoder
bounds.receiver: bounds.variational.receiver
bounds.mixture: bounds.variational.mixture
bounds.marginal: bounds.variational.marginal bounds.variational.normal bounds.variational.ceiling
bounds.annealing: bounds.annealed.chains bounds.annealed.ladder bounds.annealed.legs
bounds.pilot: bounds.annealed.schedule
bounds.controls: bounds.annealed.controls bounds.annealed.controlled_bounds
bounds.additive: bounds.posterior.additive bounds.posterior.additive_fit
bounds.blocks: bounds.posterior.blocks
bounds.flips: bounds.posterior.flips
bounds.gaussian_posterior: bounds.posterior.gaussian
bounds.stack_approximation: bounds.posterior.stack
bounds.neighbours: bounds.annealed.neighbours bounds.posterior.overlaps
estimators.estimate: estimators.arrays estimators.column_pairs
estimators.evidence: estimators.held_out
estimators.scorer: estimators.feature_selection
estimators.ksg: estimators.neighbours.ksg
estimators.lnc: estimators.neighbours.lnc
estimators.mixed: estimators.neighbours.mixed
estimators.entropy: estimators.neighbours.entropy
estimators.pairs: estimators.neighbours.all_pairs
estimators.boxes: estimators.neighbours.boxes
estimators.profile: estimators.neighbours.profile
estimators.gaussian: estimators.parametric.gaussian
estimators.copula: estimators.parametric.gaussian_copula
estimators.student: estimators.parametric.student
estimators.student_law: estimators.parametric.student_fit
estimators.student_copula: estimators.parametric.student_copula
estimators.feature_maps: estimators.features.maps
estimators.nonlinear_cca: estimators.features.variates
estimators.directions: estimators.features.directions
estimators.plugin: estimators.counts.plugin
estimators.entropy_discrete: estimators.counts.entropy
latent: analysis.latent.latent
latent_arrays: runtime.tables.posterior
latent_shared: analysis.latent.shared
instruments.figure: analysis.weights.interval
instruments: analysis.weights
instruments.gradients: analysis.weights.gradients
instruments.held_out: analysis.weights.held_out
instruments.hessian: analysis.weights.hessian
instruments.memorised: analysis.weights.memorised
instruments.trace: analysis.weights.trace
instruments.lanczos: analysis.weights.spectrum
instruments.weights: analysis.weights.information
memory: analysis.storage
memory.binary_perceptron: analysis.storage.binary_perceptron
memory.extrapolate: analysis.storage.extrapolate
memory.perceptron: analysis.storage.perceptron
memory.random_labels: analysis.storage.random_labels
lanes: curves.programs curves.figures
groups: curves.schedule
labels: curves.dataset
parts: curves.parts
checks: curves.checks
trends: curves.trends
plots_bracket: plots.bracket
plots_latent: plots.latent
plots_samples: plots.samples
claims.statistics: claims.answers
claims.experiment: claims.lab.experiment
claims.classifier: claims.lab.classifier
claims.noisy_training: claims.lab.noisy_training
claims.training_figure: claims.lab.training_figure
claims.measured: claims.lab.enumerated
claims.gaussian: claims.noise.gaussian
claims.dropout: claims.noise.dropout
claims.gaussian_dropout: claims.noise.gaussian_dropout
claims.binary: claims.noise.binary
claims.quantized: claims.noise.quantized
claims.stochastic_depth: claims.noise.stochastic_depth
claims.input_noise: claims.noise.input_noise
claims.one_to_many: claims.noise.one_to_many
claims.deterministic: claims.noise.deterministic
claims.handmade: claims.noise.handmade
claims.vae: claims.noise.vae
claims.useless_features: claims.noise.useless_features
claims.uniform: claims.noise.digits_of_pi
claims.generalization: claims.learning.generalization
claims.generation: claims.learning.generation
claims.memorization: claims.learning.memorization
claims.small_data: claims.learning.small_data
claims.minibatch: claims.learning.minibatch
claims.gradient_noise: claims.learning.gradient_noise
claims.stale_gradient: claims.learning.stale_gradient
claims.temperature: claims.learning.temperature
cli_samples: cli.estimate cli.pairwise cli.show_pairwise
cli_latent: cli.latent cli.show_latent
cli_claims: cli.claims
cli_report: cli.report
cli_list: cli.listing cli.catalogue
cli_output: cli.output
console: cli.console curves.summary
refusals: cli.refusals
request: cli.request cli.request_checks
devices: runtime.devices
start: runtime.start
executors: runtime.executors
progress: runtime.progress
names: runtime.names
plugins: runtime.registry
sealed: runtime.files.atomic
store: runtime.files.store curves.files
checkpoints: runtime.files.checkpoints
arrays: runtime.files.arrays
data: runtime.files.rows
synthetic.discrete: synthetic.bits
synthetic.codes: synthetic.linear_code
synthetic.digits: synthetic.pi
synthetic.embeddings: synthetic.embedded
"""

SPLIT = """
cli: cli.curve cli.app cli.output cli.show
curves: curves.run curves.plan runtime.versions
estimators.features: estimators.features.feature_cca
estimators.neighbours: estimators.neighbours.search
joint: joint.joint
plots: plots.curve plots.style
"""
"""Modules that became packages of the same name."""
